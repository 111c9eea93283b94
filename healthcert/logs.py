"""Structured logs: one JSON object a line, listed fields only.

A record carries its message and the fields named in `FIELDS`; anything else handed to the
logger, and with it any personal data by accident, is left out.
"""

import json
import logging
import sys
from datetime import UTC, datetime
from typing import IO

FIELDS = (
    "request", "method", "route", "status", "ms", "job", "code", "count", "version", "host", "port",
)  # fmt: skip


class JsonLines(logging.Formatter):
    """A formatter of one JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as JSON: time, level, logger, message and the listed fields."""
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        line |= {name: getattr(record, name) for name in FIELDS if hasattr(record, name)}
        if record.exc_info and record.exc_info[0]:
            # The class and the place, never the text: messages of drivers quote values.
            line["error"] = record.exc_info[0].__name__
            line["trace"] = _places(record)
        return json.dumps(line, ensure_ascii=False)


def _places(record: logging.LogRecord) -> list[str]:
    trace = record.exc_info[2] if record.exc_info else None
    found: list[str] = []
    while trace is not None:
        code = trace.tb_frame.f_code
        found.append(f"{code.co_filename.rpartition('/')[2]}:{trace.tb_lineno} {code.co_name}")
        trace = trace.tb_next
    return found[-8:]


def start(level: str, stream: IO[str] | None = None) -> None:
    """Send every logger of the process through `JsonLines`; calling it again changes the level."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
