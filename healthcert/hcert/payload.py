"""The certificate itself: who it speaks of, and the vaccination, test or recovery it attests.

The schema is written down at the end, as typed checks; `tests/hcert/test_payload.py` compares
them with the published JSON Schemas. Dates are read as texts, as JSON Schema reads them: what a
date says is judged by the rules, not here.

Sources: EU DCC schema 1.0.0, 1.2.1 and 1.3.0 to 1.3.3; the "Electronic Health Certificate
Specification" 1.0.8, section 3.3.7. What changed between the versions: 1.2.1 takes birth dates
in part; 1.3.0 takes exactly one entry, texts of 80, a test without its centre; 1.3.2 takes a
person with one standardised name of either kind. Each from 1.3.0 on takes all its forerunner of
1.3 takes, so 1.3.3 speaks for them.
"""

import math
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeGuard

from healthcert.errors import MalformedClaims, NotUnderstood
from healthcert.hcert.cwt import Claims

Kind = Literal["v", "t", "r"]
KINDS: Final[tuple[Kind, ...]] = ("v", "t", "r")
"""Vaccination, test, recovery: the three groups, of which a certificate has one."""

_DCC = 1  # the EU digital certificate, within the health certificate claim
OTHER_KINDS: Final[Mapping[int, str]] = {
    3: "WHO DDCC, vaccination",
    4: "WHO DDCC, test",
    5: "link to a health document",
    -6: "WHO DVC, vaccination or prophylaxis",
}
"""What else may lie in the health certificate claim, by its number: known by name, not read.

Source: WHO smart-trust, "HCERT specification" 1.1.1; negative numbers are for trying things out.
"""

_Check = Callable[[object], bool]
_OPTIONAL: Final = ""  # what is looked at in place of a missing member: no check minds it

# The schema says [0-9]+.[0-9]+.[0-9]+, whose dots take digits too: tried as it stands, a thousand
# digits and a letter take seconds. This says the same by how many dots take something else.
_VERSION = re.compile(
    "[0-9]++{0}[0-9]++{0}[0-9]++|[0-9]{{3,}}+{0}[0-9]++|[0-9]++{0}[0-9]{{3,}}+|[0-9]{{5,}}+".format(
        r"[^0-9\n]"
    )
)
_COUNTRY = re.compile(r"[A-Z]")  # anywhere in the text, as the schema has it


@dataclass(frozen=True, slots=True)
class _Shape:
    """Members of an object, each with what is looked at where it is missing.

    That is `_OPTIONAL`, or None where it must be there. Most are texts, and need no call each.
    """

    texts: Sequence[tuple[str, str | None, float]]  # and most characters
    others: Sequence[tuple[str, str | None, _Check]]


@dataclass(frozen=True, slots=True)
class _Schema:
    """One version of the schema."""

    names: frozenset[str]  # the person has one of these
    name: _Shape
    entry: Mapping[str, _Shape]  # by group
    entries: int  # most entries of a group
    born: re.Pattern[str]


def dcc_of(claims: Claims) -> dict[str, Any]:
    """Return the EU digital certificate in the claims, as JSON would hold it.

    Null members and members nobody knows are kept.

    Raises:
        NotUnderstood: The claims hold a health certificate of another kind alone; the message
            names it.
        MalformedClaims: The certificate is not an object, or holds what JSON cannot say.
    """
    if _DCC not in claims.hcert:
        raise NotUnderstood(f"signed, but not a kind read here: {_others(claims.hcert)}")
    dcc = _as_json(claims.hcert[_DCC])
    if not isinstance(dcc, dict):
        raise MalformedClaims("the certificate is not an object")
    return dcc


def _others(hcert: Mapping[object, object]) -> str:
    """Return the kinds in a health certificate claim, by name or number; at most three."""
    names = [OTHER_KINDS.get(kind, f"number {kind}") for kind in hcert if isinstance(kind, int)]
    return "; ".join(names[:3]) or "of no known number"


def kind_of(dcc: Mapping[str, Any]) -> Kind:
    """Return the first group it fills: ``v``, ``t`` or ``r``; `NotUnderstood` if it fills none."""
    for kind in KINDS:
        if dcc.get(kind):
            return kind
    raise NotUnderstood("neither vaccination, test nor recovery")


def entries_of(dcc: Mapping[str, Any], kind: Kind) -> list[Mapping[str, Any]]:
    """Return the entries of one group that are objects; a faulty certificate may have none."""
    group = dcc.get(kind)
    return [entry for entry in group if isinstance(entry, dict)] if isinstance(group, list) else []


def schema_faults(dcc: Mapping[str, Any], version: str | None = None) -> list[str]:
    """Return what is wrong with a certificate; nothing if it obeys its schema.

    That is the schema of the version named or the newest, 1.3.3; and in either case exactly one
    of ``v``, ``t`` and ``r``. Members nobody knows are no fault.

    Args:
        dcc: A JSON object.
        version: Version of the schema; if not given, the one in ``ver``.

    Returns:
        Places such as ``v.0.dn``, in the order of the schema; of the named version's schema if
        there is one, else of the newest.
    """
    newest = _faults(dcc, _NEWEST)
    if not newest:
        return []
    named = dcc.get("ver") if version is None else version
    schema = _OLDER.get(named) if isinstance(named, str) else None
    return newest if schema is None else _faults(dcc, schema)


def value_set_faults(dcc: Mapping[str, Any], tables: Mapping[str, Mapping[str, str]]) -> list[str]:
    """Return where a code stands that is not in its table; softer than the schema.

    Issuers may be ahead of our tables, so an unknown code alone is no reason to refuse.

    Args:
        dcc: A JSON object.
        tables: The codes of each value set with their words, by the EU's name of the set, as
            `healthcert.data.value_sets` gives them. A set without a table is not checked.

    Returns:
        Places such as ``v.0.mp``.
    """
    return [
        f"{kind}.{position}.{member}"
        for kind in KINDS
        for position, entry in enumerate(entries_of(dcc, kind))
        for member, name in _VALUE_SETS[kind].items()
        if member in entry and name in tables and not _is_code(entry[member], tables[name])
    ]


_ANY_KIND = {"tg": "disease-agent-targeted", "co": "country-2-codes"}
_VALUE_SETS = {
    "v": _ANY_KIND
    | {
        "vp": "sct-vaccines-covid-19",
        "mp": "vaccines-covid-19-names",
        "ma": "vaccines-covid-19-auth-holders",
    },
    "t": _ANY_KIND
    | {
        "tt": "covid-19-lab-test-type",
        "tr": "covid-19-lab-result",
        "ma": "covid-19-lab-test-manufacturer-and-name",
    },
    "r": _ANY_KIND,
}


def _is_code(value: object, table: Mapping[str, str]) -> bool:
    return isinstance(value, str) and value in table


_PLAIN = frozenset({str, int, bool, type(None)})  # what is the same in JSON
_NAMES = frozenset({str})
_NUMBERS, _LISTS = (int, float), (list, tuple)


def _as_json(value: object) -> object:
    """Return a value of the guard as JSON would give it back.

    Raises:
        MalformedClaims: JSON has no such value: bytes, not a number, a key that is no text.
    """
    if type(value) in _PLAIN:
        return value
    if type(value) is dict or isinstance(value, Mapping):
        if not _NAMES.issuperset(map(type, value)):
            raise MalformedClaims("a member whose name is not a text")
        if type(value) is dict and _PLAIN.issuperset(map(type, value.values())):
            return value
        return {
            name: member if type(member) in _PLAIN else _as_json(member)
            for name, member in value.items()
        }
    if isinstance(value, _LISTS):
        return [_as_json(member) for member in value]
    if isinstance(value, float) and math.isfinite(value):
        return value
    raise MalformedClaims("a value that JSON cannot hold")


def _faults(dcc: Mapping[str, Any], schema: _Schema) -> list[str]:
    groups = [kind for kind in KINDS if kind in dcc]
    faults = [] if len(groups) == 1 else ["one of v, t, r"]
    ver, nam, dob = dcc.get("ver"), dcc.get("nam"), dcc.get("dob")
    if not isinstance(ver, str) or not _VERSION.fullmatch(ver):
        faults.append("ver")
    if not _is_object(nam) or schema.names.isdisjoint(nam):
        faults.append("nam")
    else:
        faults += _faults_of(nam, schema.name, "nam")
    if not isinstance(dob, str) or not schema.born.match(dob):
        faults.append("dob")
    for kind in groups:
        faults += _faults_of_group(dcc[kind], schema, kind)
    return faults


def _faults_of_group(group: object, schema: _Schema, kind: str) -> list[str]:
    if not isinstance(group, list) or not 1 <= len(group) <= schema.entries:
        return [kind]
    faults = []
    for position, entry in enumerate(group):
        place = f"{kind}.{position}"
        faults += _faults_of(entry, schema.entry[kind], place) if _is_object(entry) else [place]
    return faults


def _faults_of(found: Mapping[str, object], shape: _Shape, place: str) -> list[str]:
    look = found.get
    wrong = [
        member
        for member, missing, longest in shape.texts
        if not isinstance(text := look(member, missing), str) or len(text) > longest
    ]
    wrong += [member for member, missing, check in shape.others if not check(look(member, missing))]
    return [f"{place}.{member}" for member in wrong]


def _is_object(value: object) -> TypeGuard[Mapping[str, object]]:
    return type(value) is dict or isinstance(value, Mapping)  # the first is quick


def _is_country(value: object) -> bool:
    return isinstance(value, str) and _COUNTRY.search(value) is not None


def _standardised(longest: int) -> _Check:
    fits = re.compile(f"[A-Z<]{{0,{longest}}}").fullmatch
    return lambda value: isinstance(value, str) and fits(value) is not None


def _dose(most: float) -> _Check:
    """Check a whole number from 1 on; to JSON Schema 2.0 is one, and true is none."""
    return lambda value: (
        (type(value) is int or (isinstance(value, float) and value % 1 == 0)) and 1 <= value <= most
    )


def _name(longest: int) -> _Shape:
    check = _standardised(longest)
    return _Shape(
        [(member, _OPTIONAL, longest) for member in ("fn", "gn")],
        [(member, _OPTIONAL, check) for member in ("fnt", "gnt")],
    )


def _entry(
    longest: int, most_doses: float, *, test: str, may: str, limited: str = "is ci tc"
) -> Mapping[str, _Shape]:
    """Return the shapes of the three groups.

    Args:
        longest: Characters of a text that has a limit.
        most_doses: The highest number of a dose.
        test: The texts that a test must have.
        may: Those that it may have.
        limited: The texts that have a limit.
    """

    def shape(must: str, may: str = "", numbers: Sequence[str] = ()) -> _Shape:
        told = dict.fromkeys(f"tg {must} is ci".split()) | dict.fromkeys(may.split(), _OPTIONAL)
        limits = dict.fromkeys(limited.split(), longest)
        doses = [(member, None, _dose(most_doses)) for member in numbers]
        return _Shape(
            [(member, missing, limits.get(member, math.inf)) for member, missing in told.items()],
            [("co", None, _is_country), *doses],
        )

    return {
        "v": shape("vp mp ma dt", numbers=("dn", "sd")),
        "t": shape(test, may),
        "r": shape("fr df du"),
    }


_NEWEST = _Schema(
    names=frozenset({"fnt", "gnt"}),
    name=_name(80),
    entry=_entry(80, math.inf, test="tt sc tr", may="ma tc nm", limited="is ci tc nm"),
    entries=1,
    born=re.compile(r"(?:(?:19|20)[0-9]{2}(?:-[0-9]{2}){0,2})?\Z"),
)
_1_2_1 = _Schema(
    names=frozenset({"fnt"}),
    name=_name(50),
    entry=_entry(50, 9, test="tt sc tr tc", may="ma nm"),
    entries=sys.maxsize,
    born=re.compile(r"(?:19|20)[0-9]{2}(?:-[0-9]{2}){0,2}\Z"),
)
_1_0_0 = _Schema(
    names=frozenset({"fnt"}),
    name=_name(50),
    entry=_entry(50, 9, test="tt sc tr tc", may="ma nm dr"),
    entries=sys.maxsize,
    born=re.compile(r".*(?:19|20)[0-9]{2}-[0-9]{2}-[0-9]{2}", re.DOTALL),  # anywhere
)
_OLDER = {"1.0.0": _1_0_0, "1.2.1": _1_2_1}
