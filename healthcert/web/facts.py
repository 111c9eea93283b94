"""What a certificate says, in words: names for its members and for the codes in them.

Source: EU DCC schema 1.3.3, whose members are one or two letters long.
"""

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any, Final

from healthcert.data import labels, words
from healthcert.hcert.payload import KINDS, entries_of
from healthcert.i18n import format_date, format_datetime, language
from healthcert.i18n import lazy as _
from healthcert.policy.arrival import Judgement
from healthcert.web.pages import bdi

Row = tuple[object, object]

_MEMBERS: Final = labels("members")
_SETS: Final[Mapping[str, tuple[str, ...]]] = {
    "tg": ("disease-agent-targeted",),
    "vp": ("sct-vaccines-covid-19",),
    "mp": ("vaccines-covid-19-names",),
    "ma": ("vaccines-covid-19-auth-holders", "covid-19-lab-test-manufacturer-and-name"),
    "tt": ("covid-19-lab-test-type",),
    "tr": ("covid-19-lab-result",),
}
_SHOWN: Final = {
    "v": ("dn", "mp", "dt", "is"),
    "t": ("tt", "tr", "sc", "tc", "is"),
    "r": ("fr", "df", "du", "is"),
}
_STATED = (str, int, float)


def rows(dcc: Mapping[str, Any]) -> Iterator[Row]:
    """Give what a certificate says, a line each, in words where we have them."""
    for kind in KINDS:
        for entry in entries_of(dcc, kind):
            for member in _SHOWN[kind]:
                if entry.get(member) is not None:
                    doses = bdi(f"{entry.get('dn')}/{entry.get('sd')}")
                    told = doses if member == "dn" else _told(member, entry[member])
                    yield _MEMBERS[member], told


def stated(told: Mapping[str, object], time_zone: str) -> list[Row]:
    """Return what a certificate of ours says, a line each, moments on the clock of a time zone."""
    return [(_MEMBERS[name], _stated(name, told[name], time_zone)) for name in told if told[name]]


def looked_at(judgement: Judgement) -> list[Row]:
    """Return what a rule looked at; what holds several things is left to the things in it."""
    found: list[Row] = []
    for path, value in judgement.looked_at.items():
        member = path.rpartition(".")[2]
        if isinstance(value, _STATED):
            found.append((_MEMBERS.get(member) or bdi(path), _told(member, value)))
        elif value is None and member in _MEMBERS:
            found.append((_MEMBERS[member], _("Not stated")))
    return found


def _stated(member: str, value: object, time_zone: str) -> object:
    if isinstance(value, datetime):
        return format_datetime(value, time_zone)
    return format_date(value) if isinstance(value, date) else _told(member, value)


def _told(member: str, value: object) -> object:
    """Return a value in the reader's language; a code that is in no table of ours as it stands."""
    code = str(value)
    tables = (words(name, language()) for name in _SETS.get(member, ()))
    return bdi(next((table[code] for table in tables if code in table), code))
