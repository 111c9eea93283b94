"""The words of messages, by template, which `data/messages.toml` holds."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any

from healthcert.data import table
from healthcert.i18n import format_date, format_datetime, gettext, use

_PLAIN = str.maketrans("\u202f\u00a0\u2019", "  '")
TEMPLATES: Mapping[str, Mapping[str, Any]] = table("messages")
# What is as good in the morning waits for it in the country's quiet hours: it has no hour to come,
# answers no deed of just now, and stays true whatever else its person does and is told that night.
BY_DAY = frozenset({
    "certificate_key_lost", "certificate_ready", "certificate_replaced", "dose_corrected",
    "dose_subpotent", "finding_corrected", "missed", "offer_gone",
})  # fmt: skip


def call_days(template: str) -> timedelta:
    """Return for how long somebody who cannot be written to is called; nothing: they are not."""
    return timedelta(TEMPLATES[template].get("call_days", 0))


def words(
    template: str, language: str, fields: Mapping[str, object], time_zone: str
) -> tuple[str, str]:
    """Return subject and text of a message in a language.

    Of the fields that it names, days are written out, and moments on the clock of `time_zone`
    (IANA); a mapping is names by language. Spaces and apostrophes are plain: finer ones are not in
    the alphabet of 7 bits (3GPP TS 23.038), and one alone would halve what a text message holds.
    """
    subject, text = (TEMPLATES[template][part] for part in ("subject", "text"))
    with use(language):
        said = {name: _said(value, language, time_zone) for name, value in fields.items()}
        return gettext(subject), gettext(text, **said).translate(_PLAIN)


def _said(value: object, language: str, time_zone: str) -> object:
    if isinstance(value, datetime):
        return _moment(value, language, time_zone)
    if isinstance(value, date):
        return format_date(value)
    if isinstance(value, Mapping):
        return value.get(language) or next(iter(value.values()))
    return value


@lru_cache(maxsize=4096)  # all who come at one time are told the same
def _moment(value: datetime, _language: str, time_zone: str) -> str:
    return format_datetime(value, time_zone)
