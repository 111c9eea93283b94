"""Judge the doses of lots about which something new was ordered: recalled, set aside, released."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from uuid import UUID

from healthcert.parts import Parts
from healthcert.services import lots

_AT_ONCE = 100  # people whose rows are locked together


def judge(parts: Parts, now: datetime) -> int:
    """Judge until nobody is left; return how many lots were settled."""
    with parts.doors.reading() as db:
        waiting = lots.unsettled(db)
    for lot_id in waiting:
        judge_lot(parts, lot_id, now)
    return len(waiting)


def judge_lot(parts: Parts, lot_id: UUID, now: datetime) -> None:
    """Judge one lot's doses, some people in each transaction, until nobody is left."""
    judge_again = partial(
        lots.judge_again, vault=parts.vault, lot_id=lot_id, country=parts.country,
        limit=_AT_ONCE, now=now,
    )  # fmt: skip
    last = parts.doors.run(judge_again)
    while last is not None:
        last = parts.doors.run(partial(judge_again, after=last))
