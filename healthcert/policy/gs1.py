"""GS1 element strings, as cartons of vaccine carry them: product, last day, lot, serial number.

GS1 General Specifications, sections 3 (application identifiers), 7.8 (how they are joined), 7.9
(check digits) and 7.12 (centuries). Vials seldom carry one, so that what is typed stays a way.
"""

import re
from calendar import monthrange
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from healthcert.errors import BadInput

LONGEST = 200  # characters; a symbol of four elements has fewer than 80
_SEPARATOR = "\x1d"  # FNC1, as scanners hand it on
_SYMBOLOGY = re.compile(r"\](?:C1|d2|Q3|e0|J1)")  # what a scanner may say of the symbol first
_WRITTEN = re.compile(r"\((\d{2,4})\)([^()]+)")
# Whose length is fixed, by the first two digits; it counts them. Others end at a separator.
_FIXED: Mapping[str, int] = (
    {"00": 20, "01": 16, "02": 16, "03": 16, "04": 18, "20": 4, "41": 16}
    | {str(each): 8 for each in range(11, 20)}
    | {str(each): 10 for each in range(31, 37)}
)
_TEXT = re.compile(r"[!\"%-?A-Z_a-z]{1,20}")  # character set 82
_CENTURY, _AHEAD, _BEHIND = 100, 50, -49


@dataclass(frozen=True, slots=True)
class Carton:
    """What a carton says of itself; empty or None what it does not say."""

    gtin: str = ""  # 14 digits, of the product and its package
    lot: str = ""
    serial: str = ""
    expires_on: date | None = None


def read(text: str, *, today: date) -> Carton:
    """Return what an element string says, as scanned or as written beneath with parentheses.

    Other elements are passed over. A year is the one of its two digits that is nearest to `today`.

    Raises:
        BadInput: ``scan``: ``not_a_carton``, it is none; ``check_digit``, misread;
            ``not_a_date``; ``twice``, one element says two things.
    """
    elements: dict[str, str] = {}
    for name, value in _elements(text.strip(" \r\n\t")):
        if elements.setdefault(name, value) != value:
            raise BadInput({"scan": "twice"})
    gtin = elements.get("01", "")
    if gtin and not is_gtin(gtin):
        raise BadInput({"scan": "check_digit"})
    lot, serial = elements.get("10", ""), elements.get("21", "")
    if not (gtin or lot or serial) or not all(map(_TEXT.fullmatch, filter(None, (lot, serial)))):
        raise BadInput({"scan": "not_a_carton"})
    ends = elements.get("17")
    return Carton(gtin, lot, serial, _day(ends, today) if ends is not None else None)


def is_gtin(text: str) -> bool:
    """Say whether a text is a GTIN of 14 digits whose check digit fits."""
    if len(text) != 14 or not (text.isascii() and text.isdigit()):  # noqa: PLR2004 - GTIN-14
        return False
    weighed = (int(digit) * (3, 1)[place % 2] for place, digit in enumerate(text))
    return sum(weighed) % 10 == 0


def _elements(text: str) -> Iterator[tuple[str, str]]:
    if not 0 < len(text) <= LONGEST:
        raise BadInput({"scan": "not_a_carton"})
    if text.startswith("("):
        found = _WRITTEN.findall(text)
        if "".join(f"({name}){value}" for name, value in found) != text:
            raise BadInput({"scan": "not_a_carton"})
        yield from ((name, value.strip()) for name, value in found)
        return
    rest = _SYMBOLOGY.sub("", text, count=1) if text[0] == "]" else text
    rest = rest.lstrip(_SEPARATOR)
    while rest:
        length = _FIXED.get(rest[:2])
        whole, _, after = rest.partition(_SEPARATOR)
        if length is not None:
            whole, after = rest[:length], rest[length:].removeprefix(_SEPARATOR)
        if len(whole) != (length or len(whole)) or len(whole) <= 2 or _SEPARATOR in whole:  # noqa: PLR2004 - the name alone
            raise BadInput({"scan": "not_a_carton"})
        yield whole[:2], whole[2:]
        rest = after


def _day(text: str, today: date) -> date:
    """Return the day of ``YYMMDD``; day 00 is the last of its month."""
    if not re.fullmatch(r"[0-9]{6}", text):
        raise BadInput({"scan": "not_a_date"})
    short, month, day = (int(text[at : at + 2]) for at in (0, 2, 4))
    year = today.year - today.year % _CENTURY + short
    year += _CENTURY * ((year - today.year < _BEHIND) - (year - today.year > _AHEAD))
    try:
        return date(year, month, day or monthrange(year, month)[1])
    except ValueError:
        raise BadInput({"scan": "not_a_date"}) from None
