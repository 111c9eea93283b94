"""Take in people, sites, staff, lots and doses from a table: looked at first, then in pieces.

Each kind has its own functions (`import_kinds`); this is the one engine around them.
"""

import hashlib
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from healthcert.errors import BadInput, BadRows, Fault, NotFound, WrongState, there
from healthcert.models import ImportBatch, ImportLine
from healthcert.models.broken import refusing
from healthcert.services import audit, cells
from healthcert.services.cells import Kind, Setting
from healthcert.services.sheets import Line

PIECE = 500  # lines written in one transaction, or as many as must be together
_NO_TEXT = re.compile("[\0\ud800-\udfff]")  # what no engine stores


@dataclass(slots=True)
class Report:
    """What a table would do: how many of its lines are new, which are known, wrong or twice."""

    lines: int = 0
    new: int = 0
    known: list[int] = field(default_factory=list)  # lines that are on record already
    twice: dict[int, int] = field(default_factory=dict)  # the line before that says the same
    passed: dict[int, str] = field(default_factory=dict)  # why, such as ``entered-in-error``
    faults: list[Fault] = field(default_factory=list)
    batch_id: UUID | None = None


def look(db: Session, *, setting: Setting, kind: Kind, lines: Sequence[Line]) -> Report:
    """Return what a table would do, and write nothing."""
    return _sorted_out(db, setting, kind, lines)[0]


def look_to_take(
    db: Session, *, setting: Setting, kind: Kind, lines: Sequence[Line], raw: bytes
) -> tuple[Report, list[list[Line]]]:
    """Return what a table does, and its new lines in pieces; a batch that was begun goes on.

    Raises:
        BadRows: Lines cannot be used; each fault with line, field and code.
        BadInput: Nobody answers for it (``staff``).
        WrongState: This very file, by its `raw` bytes, is in already.
    """
    _ = setting.by if kind.by_staff else None
    same = select(ImportBatch).filter_by(kind=kind.name, sha256=hashlib.sha256(raw).hexdigest())
    batch = db.scalar(same.where(ImportBatch.state != "taken_back"))
    if batch is not None and batch.state == "in":
        raise WrongState("this file was taken in before")
    done = _done(db, batch.id, lines) if batch else set[int]()
    report, new = _sorted_out(db, setting, kind, lines, done)
    if report.faults:
        raise BadRows(report.faults)
    report.batch_id = batch.id if batch else None
    told = {line.number: line for line in lines}
    return report, [[told[number] for number in piece] for piece in _pieces(kind, new)]


def begin(db: Session, *, setting: Setting, kind: Kind, lines: int, raw: bytes) -> UUID:
    """Write down that a file is taken in; return the batch. `WrongState` if another began it."""
    batch = ImportBatch(
        recorded_at=setting.now, kind=kind.name, sha256=hashlib.sha256(raw).hexdigest(),
        lines=lines, state="taking", staff_id=setting.staff.id if setting.staff else None,
    )  # fmt: skip
    with refusing(db, {"one_batch_in": WrongState("this file is being taken in")}):
        return cells.added(db, batch)


def take_piece(
    db: Session, *, setting: Setting, kind: Kind, batch_id: UUID, lines: Sequence[Line]
) -> None:
    """Write those lines of a piece that are still new, as they read now.

    Raises:
        BadRows: Lines contradict the record by now.
        WrongState: The batch is in, or was taken back.
    """
    batch = _locked(db, batch_id)
    if batch.state != "taking":
        raise WrongState
    report, new = _sorted_out(db, setting, kind, lines, _done(db, batch_id, lines))
    if report.faults:
        raise BadRows(report.faults)
    at_hand = replace(setting, ahead=kind.ahead(db, setting, lines))
    subjects = kind.write(db, at_hand, [value for _, value in new])
    db.add_all(
        ImportLine(recorded_at=setting.now, batch_id=batch_id, number=number, subject_id=subject)
        for (number, _), subject in zip(new, subjects, strict=True)
    )


def finish(db: Session, *, setting: Setting, batch_id: UUID) -> int:
    """Say that all of a batch is in; return how many rows it made."""
    batch = _locked(db, batch_id)
    made = select(func.count()).select_from(ImportLine).where(ImportLine.batch_id == batch_id)
    new = db.scalars(made).one()
    if batch.state == "taking":
        batch.state = "in"
        told: Mapping[str, audit.Detail] = {"kind": batch.kind, "lines": batch.lines, "new": new}
        audit.done(db, "import_taken_in", batch, told, by=setting.staff, now=setting.now)
    return new


def _pieces(kind: Kind, new: Sequence[tuple[int, Any]]) -> list[list[int]]:
    """Return the numbers of lines in pieces of about `PIECE`; what belongs together is in one."""
    groups: dict[object, list[int]] = {}
    for number, value in new:
        together = kind.together(value)
        groups.setdefault(number if together is None else together, []).append(number)
    pieces: list[list[int]] = [[]]
    for group in groups.values():
        if len(pieces[-1]) >= PIECE:
            pieces.append([])
        pieces[-1].extend(group)
    return pieces


def _done(db: Session, batch_id: UUID, lines: Sequence[Line]) -> set[int]:
    numbers = [line.number for line in lines] or [0]
    query = select(ImportLine.number).where(ImportLine.batch_id == batch_id)
    return set(db.scalars(query.where(ImportLine.number.between(min(numbers), max(numbers)))))


def _locked(db: Session, batch_id: UUID) -> ImportBatch:
    return there(db.get(ImportBatch, batch_id, with_for_update=True, populate_existing=True))


def take_back(db: Session, *, setting: Setting, kind: Kind, batch_id: UUID) -> tuple[int, int]:
    """Undo a batch, newest line first; return how many rows went and how many had to stay.

    Raises:
        BadInput: Nobody answers for it (``staff``).
        NotFound: No such batch of this kind.
        WrongState: It was taken back before.
    """
    if kind.by_staff:
        _ = setting.by
    batch = _locked(db, batch_id)
    if batch.kind != kind.name:
        raise NotFound
    if batch.state == "taken_back":
        raise WrongState
    batch.state, batch.ended_at = "taken_back", setting.now
    query = select(ImportLine.subject_id).where(ImportLine.batch_id == batch.id)
    subjects = db.scalars(query.order_by(ImportLine.number.desc())).all()
    gone = sum(kind.take_back(db, setting, subject) for subject in subjects)
    stayed = len(subjects) - gone
    told: Mapping[str, audit.Detail] = {"kind": kind.name, "gone": gone, "stayed": stayed}
    audit.done(db, "import_taken_back", batch, told, by=setting.staff, now=setting.now)
    return gone, stayed


def _sorted_out(
    db: Session, setting: Setting, kind: Kind, lines: Sequence[Line], done: Collection[int] = ()
) -> tuple[Report, list[tuple[int, Any]]]:
    """Return what a table does, and number and value of its new lines that are not `done`."""
    report, seen, new = Report(lines=len(lines)), dict[object, int](), list[tuple[int, Any]]()
    for first in range(0, len(lines), PIECE):
        piece = lines[first : first + PIECE]
        at_hand = replace(setting, ahead=kind.ahead(db, setting, piece))
        for line in piece:
            try:
                new += _sorted_in(db, at_hand, kind, line, report, seen, done)
            except BadInput as refusal:
                faults = refusal.fields.items()
                report.faults.extend(Fault(line.number, *wrong) for wrong in faults)
    report.new += len(new)
    return report, new


def _sorted_in(
    db: Session, setting: Setting, kind: Kind, line: Line, report: Report, seen: dict[object, int],
    done: Collection[int],
) -> list[tuple[int, Any]]:  # fmt: skip
    """Return the line and its value if it is to be written; else say in the report why not."""
    if why := kind.passes(line):
        report.passed[line.number] = why
        return []
    value = _read(db, setting, kind, line)
    before = seen.setdefault(kind.key(value), line.number)
    if before != line.number:
        report.twice[line.number] = before
    elif line.number in done:
        report.new += 1
    elif kind.known(db, setting, value) is not None:
        report.known.append(line.number)
    else:
        return [(line.number, value)]
    return []


def _read(db: Session, setting: Setting, kind: Kind, line: Line) -> object:
    wrong = {name: "missing" for name in kind.required if line.cells.get(name) == ""}
    wrong |= {name: "not_text" for name, text in line.cells.items() if _NO_TEXT.search(text)}
    if wrong or line.wrong:
        raise BadInput({**wrong, **line.wrong})
    return kind.read(db, setting, line)
