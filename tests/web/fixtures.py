"""The whole application with a small clinic, for tests of other folders."""

from tests.web.conftest import (
    app,
    book,
    clinic,
    clock,
    fever,
    later,
    newest_message,
    parts,
    published,
    settings,
    staff,
)

__all__ = [
    "app", "book", "clinic", "clock", "fever", "later", "newest_message", "parts", "published",
    "settings", "staff",
]  # fmt: skip
