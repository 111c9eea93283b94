"""Take in people, sites, staff, lots and doses from a table: looked at first, then all or nothing.

Each kind has its own functions (`import_kinds`); this is the one engine around them.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from healthcert.errors import BadInput, BadRows, Fault, NotFound, WrongState
from healthcert.models import ImportBatch, ImportLine
from healthcert.services import audit
from healthcert.services.cells import Kind, Setting
from healthcert.services.sheets import Line

_NO_TEXT = re.compile("[\0\ud800-\udfff]")  # what no engine stores


@dataclass(slots=True)
class Report:
    """What a table would do: how many lines are new or known, what is wrong, what is there twice.

    Attributes:
        known: Lines that are on record already.
        twice: By line, the line before that says the same.
        passed: By line, why it is not to be taken in, such as ``entered-in-error``.
    """

    lines: int = 0
    new: int = 0
    known: list[int] = field(default_factory=list)
    twice: dict[int, int] = field(default_factory=dict)
    passed: dict[int, str] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    batch_id: UUID | None = None


def look(db: Session, *, setting: Setting, kind: Kind, lines: Sequence[Line]) -> Report:
    """Return what a table would do, and write nothing."""
    return _sorted_out(db, setting, kind, lines)[0]


def take_in(
    db: Session,
    *,
    setting: Setting,
    kind: Kind,
    lines: Sequence[Line],
    raw: bytes,
    progress: Callable[[], object] = lambda: None,
) -> Report:
    """Write what is new in a table, all of it or nothing; `progress` hears of each line.

    The same file, by its `raw` bytes, is in once.

    Raises:
        BadRows: Lines cannot be used; each fault with line, field and code.
        BadInput: Nobody answers for it (``staff``).
        WrongState: This very file is in already.
    """
    by = setting.by.id if kind.by_staff or setting.staff else None
    sha256 = hashlib.sha256(raw).hexdigest()
    if db.scalar(select(ImportBatch.id).filter_by(kind=kind.name, sha256=sha256, state="in")):
        raise WrongState("this file was taken in before")
    report, new = _sorted_out(db, setting, kind, lines)
    if report.faults:
        raise BadRows(report.faults)
    batch = ImportBatch(
        recorded_at=setting.now, kind=kind.name, sha256=sha256, lines=report.lines, state="in",
        staff_id=by,
    )  # fmt: skip
    db.add(batch)
    db.flush()
    for number, value in new:
        subject = kind.write(db, setting, value)
        row = {"batch_id": batch.id, "number": number, "subject_id": subject}
        db.add(ImportLine(recorded_at=setting.now, **row))
        progress()
    db.flush()
    report.batch_id = batch.id
    _note(db, setting, "import_taken_in", batch, {"lines": report.lines, "new": report.new})
    return report


def take_back(db: Session, *, setting: Setting, kind: Kind, batch_id: UUID) -> tuple[int, int]:
    """Undo a batch, newest line first; return how many rows went and how many had to stay.

    Raises:
        BadInput: Nobody answers for it (``staff``).
        NotFound: No such batch of this kind.
        WrongState: It was taken back before.
    """
    if kind.by_staff:
        _ = setting.by
    batch = db.get(ImportBatch, batch_id, with_for_update=True, populate_existing=True)
    if batch is None or batch.kind != kind.name:
        raise NotFound
    if batch.state != "in":
        raise WrongState
    batch.state, batch.ended_at = "taken_back", setting.now
    query = select(ImportLine.subject_id).where(ImportLine.batch_id == batch.id)
    subjects = db.scalars(query.order_by(ImportLine.number.desc())).all()
    gone = sum(kind.take_back(db, setting, subject) for subject in subjects)
    counted = {"gone": gone, "stayed": len(subjects) - gone}
    _note(db, setting, "import_taken_back", batch, counted)
    return gone, len(subjects) - gone


def _sorted_out(
    db: Session, setting: Setting, kind: Kind, lines: Sequence[Line]
) -> tuple[Report, list[tuple[int, Any]]]:
    report, seen, new = Report(lines=len(lines)), dict[object, int](), list[tuple[int, Any]]()
    for line in lines:
        try:
            if why := kind.passes(line):
                report.passed[line.number] = why
                continue
            value = _read(db, setting, kind, line)
            key = kind.key(value)
            if key in seen:
                report.twice[line.number] = seen[key]
            elif kind.known(db, setting, value) is not None:
                report.known.append(line.number)
            else:
                new.append((line.number, value))
            seen.setdefault(key, line.number)
        except BadInput as refusal:
            report.faults.extend(Fault(line.number, *wrong) for wrong in refusal.fields.items())
    report.new = len(new)
    return report, new


def _read(db: Session, setting: Setting, kind: Kind, line: Line) -> object:
    wrong = {name: "missing" for name in kind.required if line.cells.get(name) == ""}
    wrong |= {name: "not_text" for name, text in line.cells.items() if _NO_TEXT.search(text)}
    if wrong or line.wrong:
        raise BadInput({**wrong, **line.wrong})
    return kind.read(db, setting, line)


def _note(
    db: Session, setting: Setting, act: str, batch: ImportBatch, details: dict[str, int]
) -> None:
    audit.note(
        db,
        actor=audit.Actor("staff", setting.staff.id) if setting.staff else audit.SYSTEM,
        act=act,
        subject=audit.Subject("import_batch", batch.id),
        details={"kind": batch.kind, **details},
        now=setting.now,
    )
