"""Judge the doses of lots about which something new was ordered: recalled, set aside, released."""

from datetime import datetime
from functools import partial
from uuid import UUID

from healthcert.parts import Parts
from healthcert.services import judging_again

_AT_ONCE = 100  # people whose rows are locked together


def judge(parts: Parts, now: datetime) -> int:
    """Judge until nobody is left; return how many lots were settled."""
    with parts.doors.reading() as db:
        waiting = judging_again.unsettled(db)
    for lot_id in waiting:
        judge_lot(parts, lot_id, now)
    return len(waiting)


def judge_lot(parts: Parts, lot_id: UUID, now: datetime) -> None:
    """Judge one lot's doses, some people in each transaction, and settle it when nobody is left."""
    part = partial(
        judging_again.judge_again, vault=parts.vault, lot_id=lot_id, country=parts.country,
        limit=_AT_ONCE, now=now,
    )  # fmt: skip
    last = parts.doors.run(part)
    while last is not None:
        last = parts.doors.run(partial(part, after=last))
    parts.doors.run(part)
