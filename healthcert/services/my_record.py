"""Everything held about a person in one structure, and who looked at it.

`NOUNS` says how every table that names a person is read out for them, `GOES` which of their rows
go when they are erased; the others are kept by law, or lie sealed under the key that goes.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import LargeBinary, or_, select
from sqlalchemy.orm import Session

from healthcert.errors import NotFound
from healthcert.gateways.vault import Vault
from healthcert.models import Base, Dose, Person
from healthcert.services import looks, record
from healthcert.services.people import details_of, key_of

FORMAT = "healthcert/my-record/1"
GOES = ("identity", "person_token", "access_code", "message", "visit", "api_token")

Told = dict[str, Any]
_Read = Callable[[Session, Vault, Person], list[Told]]


@dataclass(frozen=True, slots=True)
class Record:
    """Everything held about a person: rows ready for JSON by table, and who looked."""

    person_id: UUID
    made_at: datetime
    held: Mapping[str, list[Told]]
    seen: list[looks.Access]

    def as_json(self) -> Told:
        """Return it as `docs/howto/my-record.md` describes."""
        return {
            "format": FORMAT,
            "made_at": self.made_at.isoformat(),
            "person_id": str(self.person_id),
            "held": dict(self.held),
            "seen": [
                {
                    "role": each.role, "place": dict(each.site), "at": each.at.isoformat(),
                    "reason": each.reason,
                }
                for each in self.seen
            ],
        }  # fmt: skip


def export(db: Session, *, vault: Vault, person_id: UUID, now: datetime) -> Record:
    """Return everything held about a person, opened for them alone.

    Raises:
        NotFound: No such person, or one who was erased.
    """
    person = db.get(Person, person_id)
    if person is None or person.erased_at is not None:
        raise NotFound
    held = {name: read(db, vault, person) for name, read in NOUNS.items()}
    return Record(person_id, now, held, looks.access_log(db, person_id=person_id))


def _rows(name: str, purpose: str = "") -> _Read:
    """Return how to read a table's rows of a person: no staff, and what is sealed opened."""
    table = Base.metadata.tables[name]
    shown = [column.name for column in table.columns if not _is_hidden(column)]

    def read(db: Session, vault: Vault, person: Person) -> list[Told]:
        theirs = or_(*(column == person.id for column in table.columns if _is_person(column)))
        rows = db.execute(select(table).where(theirs).order_by(*table.primary_key)).mappings()
        return [
            {name: _plain(row[name]) for name in shown}
            | (_opened(vault, person, row["id"], row["sealed"], purpose) if purpose else {})
            for row in rows
        ]

    return read


def _is_hidden(column: Any) -> bool:  # noqa: ANN401 - a column of any type
    of_staff = any(key.target_fullname == "staff.id" for key in column.foreign_keys)
    return of_staff or _is_person(column) or isinstance(column.type, LargeBinary)


def _is_person(column: Any) -> bool:  # noqa: ANN401
    of_person = any(key.target_fullname == "person.id" for key in column.foreign_keys)
    return of_person or column.name == "person_id"


def _opened(vault: Vault, person: Person, row_id: UUID, sealed: bytes | None, purpose: str) -> Told:
    return vault.open(key_of(person), row_id, sealed, purpose=purpose) if sealed else {}


def _person(_db: Session, vault: Vault, person: Person) -> list[Told]:
    clear = ("recorded_at", "birth_year", "nationality_group", "region")
    held = {name: getattr(person, name) for name in clear}
    return [_plain(held | asdict(details_of(vault, person)))]


def _appointments(db: Session, _vault: Vault, person: Person) -> list[Told]:
    return [_plain(asdict(each)) for each in record.appointments_of(db, person.id)[person.id]]


def _doses(db: Session, vault: Vault, person: Person) -> list[Told]:
    """Return the doses with what they are worth, and the note on where the paper came from."""
    notes = dict(db.execute(select(Dose.id, Dose.sealed).filter_by(person_id=person.id)).all())
    return [
        _plain(asdict(each)) | _opened(vault, person, each.dose_id, notes[each.dose_id], "evidence")
        for each in record.doses_of(db, person.id)
    ]


def _plain(value: Any) -> Any:  # noqa: ANN401 - what JSON can hold, out of what it cannot
    if isinstance(value, Mapping):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, datetime | date):
        return value.isoformat()
    return str(value) if isinstance(value, UUID) else value


_SEALED_FOR = {
    "identity": "identity",
    "message": "message", "certificate": "certificate", "request": "request",
    "test_result": "evidence", "recovery": "evidence", "consent": "consent",
    "screening": "screening", "adverse_event": "adverse_event",
    "adverse_event_entry": "adverse_event",
    "eligibility_decision": "eligibility",
}  # fmt: skip
_PLAIN = (
    "person_token", "access_code", "dose_judgement", "dose_standing", "proxy",
    "wait_entry", "offer", "visit", "observation", "api_token",
)  # fmt: skip
NOUNS: Mapping[str, _Read] = {
    "person": _person, "appointment": _appointments, "dose": _doses,
    **{name: _rows(name) for name in _PLAIN},
    **{name: _rows(name, purpose) for name, purpose in _SEALED_FOR.items()},
}  # fmt: skip
