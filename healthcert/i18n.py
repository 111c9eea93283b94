"""Words, dates and writing direction in the language of whoever is being spoken to.

The language lives in a context variable: web/ sets it per request, jobs/ and cli/ per message.
A message that has no translation, or no catalogue, is given in the English of the source.

    use("ar")                                   # until told otherwise
    with use(person.language):                  # for one message
        gettext("Your code is %(code)s", code=code)
    STATES = {"booked": lazy("Booked")}         # read when shown, not when imported
"""

import re
from collections.abc import Sequence
from contextlib import AbstractContextManager, ExitStack
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from functools import cache, lru_cache
from gettext import GNUTranslations, NullTranslations
from importlib.resources import files
from typing import Literal
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError, dates, numbers

SOURCE = "en"

Length = Literal["medium", "long", "full"]
Direction = Literal["ltr", "rtl"]
Zone = str | tzinfo

_TAG = re.compile(r"[A-Za-z]{2,3}(_[A-Za-z0-9]{2,8}){0,3}")
_LOCALES = {"en": "en_GB"}  # plain "en" means the month first, which a border may misread
_FIRST = {"fr": "1er"}  # the first day of a month, where Babel writes it as any other
_LANGUAGE: ContextVar[str] = ContextVar("language", default=SOURCE)


def use(language: str) -> AbstractContextManager[object]:
    """Speak this language from now on, or as a context manager until its block ends."""
    before = ExitStack()
    before.callback(_LANGUAGE.reset, _LANGUAGE.set(language))
    return before


def language() -> str:
    """Return the language now spoken, as given to `use`; English when none was."""
    return _LANGUAGE.get()


def spoken() -> list[str]:
    """Return the languages for which there are words, English first: of it alone no catalogue."""
    catalogues = files("healthcert").joinpath("translations").iterdir()
    return [SOURCE, *sorted({each.name for each in catalogues if each.is_dir()} - {SOURCE})]


def direction(language: str | None = None) -> Direction:
    """Return how a language is written: ``ltr`` or ``rtl``; the one now spoken by default."""
    return "rtl" if _locale(language or _LANGUAGE.get()).text_direction == "rtl" else "ltr"


def gettext(message: str, /, **variables: object) -> str:
    """Return a message in the language now spoken, its ``%(name)s`` places filled in."""
    words = _catalogue(_LANGUAGE.get()).gettext(message) if message else ""  # "" is the header
    return words % variables if variables else words


def ngettext(singular: str, plural: str, number: int, /, **variables: object) -> str:
    """Return the form of a message that fits a number, which is its ``%(num)s``."""
    words = _catalogue(_LANGUAGE.get()).ngettext(singular, plural, number)
    return words % {"num": number, **variables}


@dataclass(frozen=True, slots=True)
class Lazy:
    """A message for a table made at import: translated each time it is shown."""

    message: str

    def __mod__(self, variables: object) -> str:
        """Return the message with its places filled, as validators of forms do."""
        return str(self) % variables

    def __str__(self) -> str:
        """Return the message in the language now spoken."""
        return gettext(self.message)

    def __format__(self, spec: str) -> str:
        """Return the message for an f-string."""
        return format(str(self), spec)


lazy = Lazy  # the name by which messages are collected


@lru_cache(maxsize=1024)
def best(accepted: str | None, enabled: tuple[str, ...]) -> str:
    """Return the enabled language that fits an ``Accept-Language`` header best (RFC 9110 §12.5.4).

    A regional wish such as ``fr-CA`` is met by ``fr``. A header that cannot be read, or
    that asks for nothing we speak, gets the first of the enabled languages.
    """
    ours = {_tag(code).lower(): code for code in enabled}
    wishes = (tag for wish in _wishes(accepted or "") for tag in (wish, wish.partition("_")[0]))
    return next((ours[tag] for tag in wishes if tag in ours), enabled[0])


def names(enabled: Sequence[str]) -> dict[str, str]:
    """Return each language's name in itself, by code, in the order given."""
    return {code: _own_name(code) for code in enabled}


def territory(code: str) -> str:
    """Return the name of a country (ISO 3166-1 alpha-2); the code itself where it has none."""
    return str(_locale(_LANGUAGE.get()).territories.get(code, code))


def format_date(value: date, tz: Zone = UTC, *, length: Length = "long") -> str:
    """Return a day, or that of an aware moment on the clock of `tz`, as people write it.

    ``12 March 2026``; with its weekday if ``full``. The month is a word if ``medium`` too, which
    in some languages would be numbers that one may read either way round.
    """
    day = value.astimezone(_zone(tz)).date() if isinstance(value, datetime) else value
    locale = _locale(_LANGUAGE.get())
    if length == "medium":
        told = dates.format_skeleton("yMMMd", day, locale=locale)
    else:
        told = dates.format_date(day, format=length, locale=locale)
    first = _FIRST.get(locale.language) if day.day == 1 else None
    return told.replace("1 ", f"{first} ", 1) if first else told


def format_known(told: str, *, length: Length = "long") -> str:
    """Return a day as far as it is known, ``YYYY[-MM[-DD]]``, as people write it.

    ``12 March 1985``, ``March 1985``, ``1985``; as it was told where there is no such day.
    """
    try:
        if len(told) == len("YYYY-MM"):
            month = date.fromisoformat(f"{told}-01")
            pattern = "yMMM" if length == "medium" else "yMMMM"
            return dates.format_skeleton(pattern, month, locale=_locale(_LANGUAGE.get()))
        return format_date(date.fromisoformat(told), length=length)
    except ValueError:
        return told


def format_time(value: datetime, tz: Zone = UTC) -> str:
    """Return the hour and minute of an aware moment on the clock of `tz`: ``09:40``.

    Where a language adds morning or evening, no line breaks before it.
    """
    locale = _locale(_LANGUAGE.get())
    told = dates.format_time(value.astimezone(_zone(tz)), format="short", locale=locale)
    return told.replace(" ", "\u00a0")


def format_datetime(value: datetime, tz: Zone = UTC, *, length: Length = "full") -> str:
    """Return an aware moment as day and time on the clock of `tz`.

    Babel's own long forms end with the name of the zone, which a person who goes to a
    clinic does not need; so the parts are joined here by the pattern of the language.
    """
    pattern = str(_locale(_LANGUAGE.get()).datetime_formats[length]).replace("'", "")
    day, hour = format_date(value, tz, length=length), format_time(value, tz)
    return pattern.replace("{1}", day).replace("{0}", hour)


def format_number(value: float) -> str:
    """Return a number with its thousands apart, as the language writes it."""
    return numbers.format_decimal(value, locale=_locale(_LANGUAGE.get()))


def _wishes(accepted: str) -> list[str]:
    """Return the languages a header asks for, the dearest first; what is refused (q=0) left out."""
    wishes: list[tuple[float, str]] = []
    for part in accepted[:500].split(","):
        tag, _, rest = part.partition(";")
        quality = re.fullmatch(r"\s*q\s*=\s*([01](?:\.\d{0,3})?)\s*", rest) if rest else None
        weight = float(quality[1]) if quality else float(not rest)
        if weight > 0 and _TAG.fullmatch(_tag(tag)):
            wishes.append((weight, _tag(tag).lower()))
    return [tag for _, tag in sorted(wishes, key=lambda wish: -wish[0])]


def _tag(code: str) -> str:
    return code.strip().replace("-", "_")


@cache
def _zone(tz: Zone) -> tzinfo:
    return ZoneInfo(tz) if isinstance(tz, str) else tz


def _own_name(code: str) -> str:
    name = "English" if code == SOURCE else _locale(code).get_display_name()
    return name[0].upper() + name[1:] if name else code


@cache
def _locale(code: str) -> Locale:
    """Return what Babel knows of a language; of one it does not know, what it knows of English."""
    tag = _tag(code)
    try:
        return Locale.parse(_LOCALES.get(tag, tag))
    except (UnknownLocaleError, ValueError):
        return Locale.parse(_LOCALES[SOURCE])


@cache
def _catalogue(code: str) -> NullTranslations:
    """Return the words of a language, falling back from a region to its language to English."""
    tag = _tag(code)
    if not _TAG.fullmatch(tag):  # the name of a folder comes from it
        return NullTranslations()
    place = files("healthcert").joinpath("translations", tag, "LC_MESSAGES", "messages.mo")
    found = NullTranslations()
    if place.is_file():
        with place.open("rb") as compiled:
            found = GNUTranslations(compiled)
    if "_" in tag:
        found.add_fallback(_catalogue(tag.rpartition("_")[0]))
    return found
