"""Take a table in, a transaction a piece."""

from collections.abc import Callable, Sequence
from functools import partial

from healthcert.db import Doors
from healthcert.services import importing
from healthcert.services.cells import Kind, Setting
from healthcert.services.importing import Report
from healthcert.services.sheets import Line


def take_in(
    doors: Doors, *, setting: Setting, kind: Kind, lines: Sequence[Line], raw: bytes,
    progress: Callable[[int], object] = lambda _lines: None,
) -> Report:  # fmt: skip
    """Write what is new in a table; `progress` hears how many lines it is past.

    All of it is looked at before anything is written, and a line that cannot be used keeps all
    out. Killed between two pieces, the batch stays ``taking``: the same file, by its `raw` bytes,
    goes on where it was, and `importing.take_back` undoes what is in. What is in is not taken in
    again.

    Raises:
        BadRows: Lines cannot be used; each fault with line, field and code.
        BadInput: Nobody answers for it (``staff``).
        WrongState: This very file is in already, or begun or taken back at this moment.
    """
    with doors.reading() as db:
        report, pieces = importing.look_to_take(
            db, setting=setting, kind=kind, lines=lines, raw=raw
        )
    batch_id = report.batch_id or doors.run(
        partial(importing.begin, setting=setting, kind=kind, lines=report.lines, raw=raw)
    )
    progress(report.lines - sum(map(len, pieces)))
    piece = partial(importing.take_piece, setting=setting, kind=kind, batch_id=batch_id)
    for some in pieces:
        doors.run(partial(piece, lines=some))
        progress(len(some))
    report.new = doors.run(partial(importing.finish, setting=setting, batch_id=batch_id))
    report.batch_id = batch_id
    return report
