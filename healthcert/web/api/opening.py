"""For administrators: draws are announced, run or given up; the opening day that stands."""

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from healthcert.gateways import room_files
from healthcert.gateways.room_files import Opening
from healthcert.services import draws, openings
from healthcert.web.api.anybody import DRAWN, draw
from healthcert.web.api.deeds import get, post, serve
from healthcert.web.api.shapes import Moment, of
from healthcert.web.here import parts

Announced = of("OpeningAnnounced", "An opening, as the data folder has it.", Opening,
               "code programme room_minutes hours", opens_at=Moment)  # fmt: skip
Standing = of(
    "OpeningStanding", "What is announced, or null; in `wrong` by field, and in the words of its "
    "reader, why the file of it cannot be used.", openings.Standing,
    opening=Announced | None, wrong=dict[str, str], says=str,
)  # fmt: skip
State = of("OpeningState", "How an opening goes; `room` is none, soon, open or over.",
           openings.State, "worker draws_here room commitment seed waiting let_in per_minute "
           "left")  # fmt: skip

_DRAW = "/draws/<uuid:draw_id>"
post("/draws", draws.announce, name="announce_draw", status=201, **DRAWN)
post(f"{_DRAW}/run", draws.run, name="run_draw", match=draw, **DRAWN,
     about="Show the seed, with the public value that was named; ranks follow.")  # fmt: skip
post(f"{_DRAW}/give-up", draws.give_up, name="give_up_draw", match=draw, **DRAWN)

opening = get("/opening", openings.standing, answer=Standing, name="opening")
get("/opening/state", openings.state, answer=State, name="opening_state",
    about="Tell how an opening goes.")  # fmt: skip


def _put(found: Any) -> None:  # noqa: ANN401 - what the deed answers
    room_files.announce(_folder(), Opening(**found.opening.model_dump()))


def _alone() -> AbstractContextManager[None]:
    return room_files.alone(_folder())


_CHANGES: dict[str, Any] = {"changes": True, "match": opening, "alone": _alone, "tries": True}
serve(
    "PUT", "/opening", openings.announce, name="set_opening", answer=Standing, then=_put,
    read=openings.Standing, about="Announce an opening, in the place of what is announced.",
    **_CHANGES,
)  # fmt: skip
serve("DELETE", "/opening", openings.take_away, name="take_opening_away",
      then=lambda _found: room_files.take_away(_folder()),
      about="Take away what is announced.", **_CHANGES)  # fmt: skip


def _folder() -> Path:
    return parts().settings.data_dir
