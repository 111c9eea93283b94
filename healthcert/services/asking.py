"""Who of those who wait can be asked for a place: read many at a time, by few statements."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from datetime import date, datetime
from typing import Any, Literal, NamedTuple
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from healthcert.gateways.vault import Vault
from healthcert.models import Appointment, Base, Person, narrow
from healthcert.models.appointment import ACTIVE
from healthcert.policy.schedule import Series
from healthcert.services import eligibility, history, knowledge, people, safety
from healthcert.services.eligibility import Asked
from healthcert.services.history import Past
from healthcert.services.scenes import Place

# ``over``: who had their dose waits no more. ``busy``: they have booked, or are elsewhere then; who
# books may be a stranger, so that ends no wait. ``unfit``: no phase admits them on that day, or no
# dose of that product is due.
Verdict = Literal["fit", "busy", "unfit", "over"]
_PERSON = Base.metadata.tables["person"]
_READ = narrow("id wrapped_key sealed region")
_WHO = [_PERSON.c[name] for name in _READ._fields]


class _Known(NamedTuple):
    """What is on record of everybody who is judged."""

    busy: dict[UUID, list[tuple[UUID, datetime, datetime]]]  # appointments: programme, from, until
    past: dict[UUID, list[Past]]
    last: dict[UUID, Any]  # the newest decisions
    put_off: dict[UUID, date | None]  # until when, by a clinician
    rule: Series


def judged(
    db: Session, *, vault: Vault, place: Place, waits: Sequence[Any]
) -> Iterator[tuple[Any, Verdict]]:
    """Give each of some waits, in their order, with whether its person can be asked for a place.

    What is opened is opened as it is taken. A wait has the `person_id` and when it was
    `recorded_at`.
    """
    ids = {each.person_id for each in waits}
    if not ids:
        return
    whose = {row.id: row for row in db.execute(select(*_WHO).where(_PERSON.c.id.in_(ids)))}
    known = _Known(
        _busy(db, ids),
        history.past_doses(db, person_ids=ids, disease=place.programme.disease),
        eligibility.newest(db, person_ids=ids, programme_id=place.programme.id),
        safety.put_off(db, person_ids=ids, programme_id=place.programme.id),
        knowledge.rule_of(db, place.product.id).series,
    )
    for each in waits:
        yield each, _verdict(db, vault, place, known, each, whose[each.person_id])


def dose_for(db: Session, vault: Vault, person: Person, place: Place) -> int | None:
    """Return which dose a person could be given there; None where none is due or fits."""
    disease = place.programme.disease
    past = history.past_doses(db, person_ids=[person.id], disease=disease)[person.id]
    rule = knowledge.rule_of(db, place.product.id).series
    born = people.details_of(vault, person).birth_date
    until = safety.put_off(db, person_ids=[person.id], programme_id=place.programme.id)
    return _dose_by(past, rule, born, place.session.day, until.get(person.id))


def _dose_by(
    past: Sequence[Past], rule: Series, birth_date: str, day: date, until: date | None
) -> int | None:
    """Return which dose by a rule is due on a day; None where none is, or the age is not right.

    None is either for whom a clinician put off until later.
    """
    if until and day < until:
        return None
    following = history.outlook_of(past, rule, birth_date, day).next
    if following is None or following.earliest > day:
        return None
    return following.number if rule.at(birth_date, day).suits(birth_date, day) else None


def had_it(past: Sequence[Past], wait: Any) -> bool:  # noqa: ANN401 - as `judged` takes it
    """Say whether somebody was given what they wait for, since they do."""
    since = wait.recorded_at.date()
    return any(
        each.counts == "valid"
        and each.dose.programme_id == wait.programme_id
        and each.dose.recorded_at > wait.recorded_at
        and each.dose.given_on >= since
        for each in past
    )


def _verdict(
    db: Session, vault: Vault, place: Place, known: _Known, wait: Any, person: Any  # noqa: ANN401
) -> Verdict:  # fmt: skip
    programme, day, past = place.programme, place.session.day, known.past[person.id]
    if had_it(past, wait):
        return "over"
    place_at = place.slot.starts_at, place.slot.ends_at
    for its, begins, ends in known.busy.get(person.id, ()):
        if its == programme.id or (begins < place_at[1] and ends > place_at[0]):
            return "busy"
    born = people.details_of(vault, person).birth_date
    if _dose_by(past, known.rule, born, day, known.put_off.get(person.id)) is None:
        return "unfit"
    doses = sum(each.counts == "valid" for each in past)
    one = Asked(person, born, doses, known.last.get(person.id))
    # Their phase was put off, or is over by then: an offer would be refused.
    admitted = eligibility.is_admitted(db, vault=vault, programme=programme, day=day, one=one)
    return "fit" if admitted else "unfit"


def _busy(
    db: Session, person_ids: Collection[UUID]
) -> dict[UUID, list[tuple[UUID, datetime, datetime]]]:
    columns = (Appointment.programme_id, Appointment.starts_at, Appointment.ends_at)
    query = select(Appointment.person_id, *columns).where(Appointment.person_id.in_(person_ids))
    found: dict[UUID, list[tuple[UUID, datetime, datetime]]] = defaultdict(list)
    rows = db.execute(query.where(Appointment.state.in_(ACTIVE)))
    for person_id, programme_id, begins, ends in rows:
        found[person_id].append((programme_id, begins, ends))
    return found
