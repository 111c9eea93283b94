"""Everything held about a person in one structure, and who looked at it.

`NOUNS` has one entry for every table that names a person; a test holds that none is missing.
Its rows are read out for the person, and it says what becomes of them when they are erased.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import LargeBinary, Table, inspect, or_, select
from sqlalchemy.orm import Session

from healthcert.errors import NotFound
from healthcert.gateways.vault import Vault
from healthcert.models import (
    AdverseEvent,
    AuditEvent,
    Base,
    Certificate,
    Consent,
    Dose,
    EligibilityDecision,
    Message,
    Person,
    Recovery,
    Request,
    Screening,
    Site,
    Staff,
    TestResult,
)
from healthcert.services import record
from healthcert.services.people import details_of, key_of

FORMAT = "healthcert/my-record/1"

Told = dict[str, Any]
_Sealing = (
    AdverseEvent | Certificate | Consent | Dose | EligibilityDecision | Message | Recovery | Request
    | Screening | TestResult
)  # fmt: skip
_Read = Callable[[Session, Vault, Person], list[Told]]


@dataclass(frozen=True, slots=True)
class Noun:
    """What one table holds of people: how it is read, and whether its rows go with them.

    What stays is either kept by law or lies sealed under the key that goes.
    """

    read: _Read
    goes: bool = False


@dataclass(frozen=True, slots=True)
class Seen:
    """Somebody at work looked: their role, where they work (names by language), when and why."""

    role: str
    place: Mapping[str, str]
    at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Record:
    """Everything held about a person: rows ready for JSON by table, and who looked."""

    person_id: UUID
    made_at: datetime
    held: Mapping[str, list[Told]]
    seen: list[Seen]

    def as_json(self) -> Told:
        """Return it as `docs/howto/my-record.md` describes."""
        return {
            "format": FORMAT,
            "made_at": self.made_at.isoformat(),
            "person_id": str(self.person_id),
            "held": dict(self.held),
            "seen": [_plain(asdict(each)) for each in self.seen],
        }


def export(db: Session, *, vault: Vault, person_id: UUID, now: datetime) -> Record:
    """Return everything held about a person, opened for them alone.

    Raises:
        NotFound: No such person, or one who was erased.
    """
    person = db.get(Person, person_id)
    if person is None or person.erased_at is not None:
        raise NotFound
    held = {name: noun.read(db, vault, person) for name, noun in NOUNS.items()}
    return Record(person_id, now, held, seen_by(db, person_id=person_id))


def seen_by(db: Session, *, person_id: UUID) -> list[Seen]:
    """Return who of the staff looked at a person's record, the latest first."""
    query = (
        select(AuditEvent, Staff.role, Site.names)
        .join(Staff, Staff.id == AuditEvent.actor_id)
        .outerjoin(Site, Site.id == Staff.site_id)
        .where(
            AuditEvent.subject_kind == "person",
            AuditEvent.subject_id == person_id,
            AuditEvent.act == "record_seen",
        )
        .order_by(AuditEvent.id.desc())
    )
    return [
        Seen(role, names or {}, event.recorded_at, event.details.get("reason", "appointment"))
        for event, role, names in db.execute(query)
    ]


def deleted_with_the_person() -> list[Table]:
    """Return the tables whose rows go when a person is erased, those that point before others."""
    tables = reversed(Base.metadata.sorted_tables)
    return [table for table in tables if table.name in NOUNS and NOUNS[table.name].goes]


def rows_of(table: str) -> _Read:
    """Return how to read a table's rows of a person as they are: no sealed bytes, no staff."""

    def read(db: Session, _vault: Vault, person: Person) -> list[Told]:
        columns = Base.metadata.tables[table].columns
        theirs = or_(*(column == person.id for column in columns if _is_person(column)))
        query = select(*(column for column in columns if not _is_hidden(column))).where(theirs)
        return [_plain(dict(row)) for row in db.execute(query).mappings()]

    return read


def _is_hidden(column: Any) -> bool:  # noqa: ANN401 - a column of any type
    of_staff = any(key.target_fullname == "staff.id" for key in column.foreign_keys)
    return of_staff or _is_person(column) or isinstance(column.type, LargeBinary)


def _is_person(column: Any) -> bool:  # noqa: ANN401
    of_person = any(key.target_fullname == "person.id" for key in column.foreign_keys)
    return of_person or column.name == "person_id"


def _person(_db: Session, vault: Vault, person: Person) -> list[Told]:
    clear = ("recorded_at", "birth_year", "nationality_group", "region")
    held = {name: getattr(person, name) for name in clear}
    return [_plain(held | asdict(details_of(vault, person)))]


def _opened(model: type[_Sealing], purpose: str) -> _Read:
    """Return how to read rows that hold something sealed under the person's key."""

    def read(db: Session, vault: Vault, person: Person) -> list[Told]:
        query = select(model).filter_by(person_id=person.id).order_by(model.id)
        rows: Sequence[Any] = db.scalars(query).all()
        return [_clear(row) | _sealed(vault, row, person, purpose) for row in rows]

    return read


def _doses(db: Session, vault: Vault, person: Person) -> list[Told]:
    """Return the doses with what they are worth, and the note on where the paper came from."""
    notes = {each.id: each for each in db.scalars(select(Dose).filter_by(person_id=person.id))}
    return [
        _plain(asdict(each)) | _sealed(vault, notes[each.dose_id], person, "evidence")
        for each in record.doses_of(db, person.id)
    ]


def _sealed(vault: Vault, row: _Sealing, person: Person, purpose: str) -> Told:
    if row.sealed is None:
        return {}
    return vault.open(key_of(person), row.id, row.sealed, purpose=purpose)


def _clear(row: Base) -> Told:
    columns = [c for c in inspect(type(row)).columns if not _is_hidden(c)]
    return {column.name: _plain(getattr(row, column.name)) for column in columns}


def _plain(value: Any) -> Any:  # noqa: ANN401 - what JSON can hold, out of what it cannot
    if isinstance(value, Mapping):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, datetime | date):
        return value.isoformat()
    return str(value) if isinstance(value, UUID) else value


NOUNS: Mapping[str, Noun] = {
    "person": Noun(_person),
    "identity": Noun(rows_of("identity"), goes=True),
    "person_token": Noun(rows_of("person_token"), goes=True),
    "access_code": Noun(rows_of("access_code"), goes=True),
    "message": Noun(_opened(Message, "message"), goes=True),
    "appointment": Noun(
        lambda db, _vault, person: [
            _plain(asdict(each)) for each in record.appointments_of(db, person.id)
        ]
    ),
    "dose": Noun(_doses),
    "dose_judgement": Noun(rows_of("dose_judgement")),
    "dose_standing": Noun(rows_of("dose_standing")),
    "certificate": Noun(_opened(Certificate, "certificate")),
    "proxy": Noun(rows_of("proxy")),
    "request": Noun(_opened(Request, "request")),
    "wait_entry": Noun(rows_of("wait_entry")),
    "offer": Noun(rows_of("offer")),
    "test_result": Noun(_opened(TestResult, "evidence")),
    "recovery": Noun(_opened(Recovery, "evidence")),
    "consent": Noun(_opened(Consent, "consent")),
    "screening": Noun(_opened(Screening, "screening")),
    "adverse_event": Noun(_opened(AdverseEvent, "adverse_event")),
    "eligibility_decision": Noun(_opened(EligibilityDecision, "eligibility")),
}
