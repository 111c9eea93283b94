"""What was told so far: of the times in the address, of the people in the session on the server.

Those who get the same dose of the same programme are a group, which chooses its places together:
one value of ``slot``, and of ``second``, for each group in turn, with the identifiers of its slots
between dots. The desk's draft is apart from a citizen's, so that a clerk who helps somebody mixes
nothing up; and so is that of each window in which one books for others meanwhile.
"""

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

from flask import g, request, session

from healthcert.errors import NotFound
from healthcert.models import Person
from healthcert.policy.roles import Role
from healthcert.services import enrolment, proxies
from healthcert.services.parties import MOST_PEOPLE
from healthcert.services.people import Details
from healthcert.services.people import details_of as on_record
from healthcert.web import family
from healthcert.web.about import about, details_in
from healthcert.web.answers import recalled
from healthcert.web.guards import Visitor
from healthcert.web.here import parts
from healthcert.web.labels import DOSES
from healthcert.web.moment import now
from healthcert.web.places import Need, at_desk
from healthcert.web.staff import who as signed_in

STEPS: Mapping[str, tuple[str, ...]] = {
    "name": ("family", "given", "family_latin", "given_latin"),
    "birth": ("birth_date", "sex"),
    "document": ("identity_kind", "identity_value"),
    "contact": ("phone", "mail", "language"),
}
TOLD = "told"  # the step after those, where the programme asks something to say who comes first
# ``id``, ``name``, ``birth`` of who is on record; ``typed``, ``done`` else; ``told`` answers of who
# was asked what a programme asks, ``told_of`` the programme
Entry = dict[str, Any]
LATER = "later"  # the dose that could be booked along is left out for now
_CARRIED = (
    "source", "programme", "dose", "town", "people", "needs", "language", "hours", "since",
    "slot", "second", "draft",
)  # fmt: skip
FIRST, _ALL = "0", "0123456789"  # which draft of a session it is, as the address says
_ITS_PAGES = {"who", "find", "details", "check", "hold", "book", "without"}


_T = TypeVar("_T")


class Chosen(NamedTuple):
    """A place that was chosen for one of them."""

    number: int  # of the person, from 0 on
    slot_id: UUID
    dose: int


def _once(read: Callable[..., list[_T]]) -> Callable[..., list[_T]]:
    """Let the address be read once a request."""

    @wraps(read)
    def told(**how: bool) -> list[_T]:
        kept: dict[Any, list[_T]] = request.environ.setdefault("healthcert.draft", {})
        key = read.__name__, *how.values()
        if key not in kept:
            kept[key] = read(**how)
        return [*kept[key]]

    return told


@_once
def needs() -> list[Need]:
    """Return what each of them needs: one answer for all, or one for each in turn.

    A dose that is none is not found.
    """
    told = request.args.get("slot", "").count(".") + 1
    count = min(MOST_PEOPLE, max(1, request.args.get("people", told, type=int)))
    given = [request.args.getlist("programme") or [""], request.args.getlist("dose") or ["1"]]
    programmes, doses = ((each + each[:1] * count)[:count] for each in given)
    if not {*doses} <= DOSES.keys():
        raise NotFound
    return [Need(one, int(dose)) for one, dose in zip(programmes, doses, strict=True)]


@_once
def groups() -> list[list[int]]:
    """Return who of them, from 0 on, get the same: a group for each dose of a programme."""
    each = needs()
    return [[at for at, one in enumerate(each) if one == its] for its in dict.fromkeys(each)]


@_once
def wanted(*, whole: bool = True) -> list[Chosen]:
    """Return the places that were chosen: of all first doses, then of those booked along.

    Not one for each person is not found; but for each so far, where it is not `whole`.
    """
    found: list[Chosen] = []
    each = needs()
    try:
        for name, more in (("slot", 0), ("second", 1)):
            told = request.args.getlist(name)
            found += sorted(
                Chosen(number, UUID(slot_id), each[number].dose + more)
                for group, ids in zip(groups(), told, strict=whole and name == "slot")
                if ids != LATER or name == "slot"
                for number, slot_id in zip(group, ids.split("."), strict=True)
            )
    except ValueError:
        raise NotFound from None
    return found


def asked(**changes: Any) -> dict[str, Any]:  # noqa: ANN401 - what url_for takes
    """Return what the address tells of the booking, to go along through the journey."""
    told = {name: request.args.getlist(name) for name in _CARRIED if name in request.args}
    if str(request.endpoint).rpartition(".")[2] in _ITS_PAGES:
        told.setdefault("draft", [FIRST])  # so that other times are chosen for the same people
    return told | changes


def without(number: int) -> dict[str, Any]:
    """Return what the address tells once one of them is left out, and leave them out of the draft.

    The others keep the times that were chosen for them.
    """
    each, told = needs(), asked()
    left = [at for at in range(len(each)) if at != number - 1]
    for name in ("slot", "second"):
        ids: dict[int, str] = {}
        for group, value in zip(groups(), request.args.getlist(name), strict=False):
            some = [LATER] * len(group) if value == LATER else value.split(".")
            ids |= zip(group, some, strict=True)
        those: dict[Need, list[str]] = {}
        for at in left:
            those.setdefault(each[at], []).append(ids.get(at, LATER))
        told[name] = [LATER if LATER in some else ".".join(some) for some in those.values()]
    everybody, held = people(), read().get("held")
    keep(
        people=[everybody[at] for at in left],
        held=held and held | {"new": [one for at, one in enumerate(held["new"]) if at in left]},
    )
    return told | {
        "people": len(left), "programme": [each[at].programme for at in left],
        "dose": [each[at].dose for at in left],
    }  # fmt: skip


def read() -> dict[str, Any]:
    """Return what was told so far at this door."""
    return dict(session.get(_key(), {}))


def keep(**changes: Any) -> None:  # noqa: ANN401 - what JSON can hold
    """Keep changes of the draft."""
    session[_key()] = read() | changes


def forget() -> None:
    """Drop the draft: it is booked."""
    session.pop(_key(), None)


def people() -> list[Entry]:
    """Return the people of the draft in their order, one for each place that was chosen."""
    count = len({one.number for one in wanted()})
    return [*read().get("people", []), *({} for _each in range(count))][:count]


def is_strange(held: dict[str, Any], number: int) -> bool:
    """Say whether one, from 0 on, was only typed, and not written down anew by what is held."""
    return "typed" in people()[number] and not held["new"][number]


def left(number: int) -> list[str]:
    """Return the steps that are not done about one of them."""
    one = people()[number - 1]
    typed = [step for step in STEPS if "id" not in one and step not in one.get("done", ())]
    return typed if needs()[number - 1].programme in ("", one.get("told_of")) else [*typed, TOLD]


def missing() -> int:
    """Return the number of the first person who is not told whole; 0 where all are."""
    return next((number for number in range(1, len(people()) + 1) if left(number)), 0)


def citizen() -> Visitor | None:
    """Return the citizen who books, or who acts for one; None for a stranger and at the desk."""
    found = None if at_desk() or session.keys().isdisjoint({"person", "staff"}) else signed_in()
    if found is None or found.role is not Role.CITIZEN:
        return None
    g.visitor = found  # this door is open to strangers: nobody has looked yet who asks
    return found


def person_of(db: Any, one: Entry, before: tuple[str, str] | None) -> Person:  # noqa: ANN401
    """Return somebody of the draft, written down where they are new.

    `before` is whom a party of the draft wrote down in their place, and the party: their record
    follows what was changed since.

    Raises:
        NotFound: Somebody on record, for whom one may not book or no longer.
        AlreadyBooked: What was told contradicts what is on record.
    """
    if "typed" in one:
        told: Any = {"vault": parts().vault, "details": details_of(db, one), "now": now()}
        if before is None:
            return enrolment.enrol(db, **told)
        person_id, party_id = map(UUID, before)
        return enrolment.amend(db, person_id=person_id, party_id=party_id, **told)
    person_id = UUID(one["id"])
    if not at_desk():
        if citizen() is None:  # signed out meanwhile
            raise NotFound
        proxies.admit(db, actor=family.actor(), person_id=person_id, scope="book", now=now())
    found: Person = db.get_one(Person, person_id)
    return found


def details_of(db: Any, one: Entry) -> Details:  # noqa: ANN401
    """Return what was typed of somebody, read once a request; by the record only who was named."""
    if "typed" not in one:
        return on_record(parts().vault, db.get_one(Person, UUID(one["id"])))
    found: dict[str, Details] = g.setdefault("details", {})
    key = repr(one["typed"])
    if key not in found:
        found[key] = details_in(about(recalled(one["typed"])))
    return found[key]


def shared() -> dict[str, list[str]]:
    """Return how the first of them is reached: nobody is asked twice."""
    first: dict[str, list[str]] = next((one["typed"] for one in people() if "typed" in one), {})
    return {name: first[name] for name in STEPS["contact"] if name in first}


def put(number: int, one: Entry) -> None:
    """Keep what is told of one of them."""
    everybody = people()
    everybody[number - 1] = one
    keep(people=everybody, found=None)


def put_told(number: int, **told: Any) -> None:  # noqa: ANN401 - what JSON can hold
    """Keep what one of them ``told`` of what their programme asks; none where it asks nothing."""
    one = {name: value for name, value in people()[number - 1].items() if name != TOLD}
    put(number, one | told | {"told_of": needs()[number - 1].programme})


def window() -> str:
    """Return which draft of a session it is; nothing for the first."""
    told = request.args.get("draft", FIRST)
    return told.removeprefix(FIRST) if told in {*_ALL} else ""


def begun() -> tuple[str, list[str]]:
    """Return how an address names a draft that was begun, and the names of whom it is for."""
    for which in _ALL:
        told = session.get(_key(which), {}).get("people", [])
        typed = [one.get("typed", {}) for one in told]
        names = [" ".join([*each.get("given", ()), *each.get("family", ())]) for each in typed]
        both = zip(told, names, strict=True)
        if found := [name for one, typed in both if (name := one.get("name") or typed.strip())]:
            return which, found
    return FIRST, []


def begin() -> str:
    """Return how an address names a draft that no other window has, not even unwritten."""
    free = [each for each in _ALL if _key(each) not in session]
    unwritten = [each for each in _ALL if not session.get(_key(each))]
    which = [*free, *unwritten, _ALL[-1]][0]
    session[_key(which)] = {}
    return which


def _key(which: str | None = None) -> str:
    number = window() if which is None else which.removeprefix(FIRST)
    return ("desk_draft" if at_desk() else "draft") + number
