"""Doses as FHIR R4B Immunization: read as lines of a table, and written from its rows.

Only what a line needs is read, wherever it lies: in a Bundle, or one resource a line (NDJSON),
with the Patient and the Location contained or beside it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NoReturn, TypeVar

from healthcert.errors import BadInput
from healthcert.services import sheets
from healthcert.services.sheets import Line

COLUMNS = (
    "identity_kind", "identity_country", "identity_value", "birth_date", "product", "given_on",
    "lot", "country", "evidence", "note", "body_site", "route", "programme", "status",
)  # fmt: skip
STATUSES = ("completed", "entered-in-error", "not-done")
FIELDS: Mapping[str, str] = MappingProxyType(
    {
        "product": "vaccineCode", "given_on": "occurrenceDateTime", "lot": "lotNumber",
        "country": "location.address.country", "evidence": "primarySource", "body_site": "site",
        "birth_date": "patient.birthDate", "programme": "vaccineCode",
        **{f"identity_{name}": "patient.identifier" for name in ("kind", "country", "value")},
    }
)  # fmt: skip
"""Where a column lies in an Immunization, where it is called otherwise."""
Vaccines = Mapping[tuple[str, str], Collection[str]]
T = TypeVar("T", str, bool, int, list[Any], dict[str, Any])

_KIND = "Immunization"
_OURS = "urn:healthcert:"
_REGISTER = "https://ec.europa.eu/health/documents/community-register/html/"
_UNION_NAME = "http://ec.europa.eu/temp/vaccineproductname"  # value set "mp", without a number
_SNOMED = "http://snomed.info/sct"
_EDQM = "http://standardterms.edqm.eu"
_ACT_SITE = "http://terminology.hl7.org/CodeSystem/v3-ActSite"
_BUNDLES = ("collection", "transaction", "searchset", "batch")
_IDENTITIES = {"NI": "national", "PPN": "passport"}  # HL7 v2 table 0203
_DATE_TIME = re.compile(r"(\d{4}(?:-\d\d(?:-\d\d)?)?)(?:T\d\d:\d\d:\d\d.*)?", re.ASCII)
_SITES = {
    "LD": "LA", "LUA": "LA", "368208006": "LA", "RD": "RA", "RUA": "RA", "368209003": "RA",
    "61396006": "LT", "11207009": "RT",
}  # fmt: skip
_ROUTES = {
    "IM": "20035000", "SQ": "20066000", "IDINJ": "20030000", "PO": "20053000",
    "78421000": "20035000", "34206005": "20066000", "372464004": "20030000",
    "26643006": "20053000", "46713006": "20049000",
}  # fmt: skip


def codings(vaccine: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return system and code of all that a vaccine's file calls it, our own first."""
    code = vaccine["code"]
    systems = [_REGISTER] if code.startswith("EU/") else [f"{_OURS}product", _UNION_NAME]
    more = {
        _SNOMED: "vp", "http://www.whocc.no/atc": "atc", "http://hl7.org/fhir/sid/cvx": "cvx"
    }  # fmt: skip
    return [(system, code) for system in systems] + [
        (system, vaccine[name]) for system, name in more.items() if vaccine.get(name)
    ]


def is_fhir(raw: bytes) -> bool:
    """Return whether a file is JSON rather than a table."""
    return raw.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"{"


def read(raw: bytes, *, vaccines: Vaccines) -> list[Line]:
    """Return each Immunization as a line; its number is that of its entry, and one.

    Args:
        raw: UTF-8: a Bundle, an Immunization, or a resource a line.
        vaccines: By system and code, which products of ours are meant.

    Raises:
        BadInput: ``file``: too_large, not_utf8, too_deep, not_json, not_fhir.
    """
    entries = _entries(raw)
    if len(entries) > sheets.MOST_ROWS:
        raise BadInput({"file": "too_large"})
    beside: dict[str, dict[str, Any]] = {}
    for url, each in entries:
        if isinstance(each, dict):
            beside |= dict.fromkeys((url, f"{each.get('resourceType')}/{each.get('id')}"), each)
    lines = []
    for number, (_, each) in enumerate(entries, 2):
        if not isinstance(each, dict):
            lines.append(Line(number, {}, {"entry": "not_a_resource"}))
        elif each.get("resourceType") == _KIND:
            lines.append(_Reading(each, beside).line(number, vaccines))
    return lines


def bundle(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return rows of doses as a Bundle, a collection."""
    entries = [{"fullUrl": f"urn:uuid:{row['id']}", "resource": immunization(row)} for row in rows]
    return json.dumps({"resourceType": "Bundle", "type": "collection", "entry": entries}) + "\n"


def ndjson(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return rows of doses as one Immunization a line."""
    return "".join(json.dumps(immunization(row)) + "\n" for row in rows)


def immunization(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row of a dose as an Immunization; what it counts as is an extension by disease.

    A row has `COLUMNS` and ``id``, ``name``, ``codings``, ``standings`` (disease, counts, number).
    """
    system = f"{_OURS}identity:{row['identity_kind']}:{row['identity_country']}"
    patient = {"identifier": [{"system": system, "value": row["identity_value"]}]}
    told = {
        "resourceType": _KIND, "id": str(row["id"]),
        "contained": [
            {"resourceType": "Patient", "id": "p", **patient, "birthDate": row["birth_date"]},
            {"resourceType": "Location", "id": "l", "address": {"country": row["country"]}},
        ],
        "extension": [{"url": f"{_OURS}evidence", "valueCode": row["evidence"]}, *_counts(row)],
        "status": row["status"],
        "vaccineCode": {**_concept(*row["codings"]), "text": row["name"]},
        "patient": {"reference": "#p"}, "location": {"reference": "#l"},
        "occurrenceDateTime": row["given_on"], "primarySource": row["evidence"] != "stated",
        "lotNumber": row["lot"],
        "site": row["body_site"] and _concept((_ACT_SITE, row["body_site"])),
        "route": row["route"] and _concept((_EDQM, row["route"])),
        "note": row["note"] and [{"text": row["note"]}],
        "protocolApplied": [
            {"targetDisease": [_concept((_SNOMED, disease))], "doseNumberPositiveInt": number}
            for disease, _, number in row["standings"]
            if number
        ],
    }  # fmt: skip
    return {name: value for name, value in told.items() if value not in ("", None, [])}


def _concept(*codes: tuple[str, str]) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code} for system, code in codes]}


def _counts(row: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        {
            "url": f"{_OURS}standing",
            "extension": [
                {"url": "disease", "valueCode": disease}, {"url": "counts", "valueCode": counts},
            ],
        }
        for disease, counts, _ in row["standings"]
    ]  # fmt: skip


class _Reading:
    """An Immunization that is read; what has another shape than R4B gives it is kept by field."""

    def __init__(self, told: dict[str, Any], beside: Mapping[str, dict[str, Any]]) -> None:
        self.told, self.wrong = told, dict[str, str]()
        self.beside = beside
        self.own = {f"#{each.get('id')}": each for each in self.each(told, "contained")}

    def line(self, number: int, vaccines: Vaccines) -> Line:
        told, patient, location = self.told, self.other("patient"), self.other("location")
        where = self.get(location, "address", {})
        cells = {
            **dict.fromkeys(COLUMNS, ""), **self.identity(patient),
            "birth_date": self.get(patient, "birthDate", ""),
            "product": self.product(vaccines), "given_on": self.day(),
            "lot": self.get(told, "lotNumber", ""), "country": self.get(where, "country", ""),
            "evidence": self.evidence(), "note": self.note(),
            "body_site": self.coded("site", _SITES), "route": self.coded("route", _ROUTES),
            "status": self.get(told, "status", ""),
        }  # fmt: skip
        if not cells["status"]:
            self.wrong["status"] = "missing"
        if cells["body_site"] not in ("", "LA", "RA", "LT", "RT"):
            cells["body_site"] = "other"
        return Line(number, {name: text.strip() for name, text in cells.items()}, self.wrong)

    def get(self, told: Mapping[str, Any], name: str, otherwise: T) -> T:
        value = told.get(name, otherwise)
        if type(value) is not type(otherwise):
            self.wrong[name] = "wrong_type"
            return otherwise
        return value

    def each(self, told: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
        listed = self.get(told, name, [])
        if not all(isinstance(one, dict) for one in listed):
            self.wrong[name] = "wrong_type"
        return [one for one in listed if isinstance(one, dict)]

    def codes(self, told: Mapping[str, Any], name: str) -> list[tuple[str, str]]:
        coded = self.each(self.get(told, name, {}), "coding")
        return [(self.get(one, "system", ""), self.get(one, "code", "")) for one in coded]

    def other(self, name: str) -> dict[str, Any]:
        """Return what a reference leads to; a logical one is the identifier alone."""
        reference = self.get(self.told, name, {})
        where = self.get(reference, "reference", "")
        if where:
            found = self.own.get(where) or self.beside.get(where)
            if found is None:
                self.wrong[name] = "not_in_file"
            return found or {}
        return {"identifier": [self.get(reference, "identifier", {})]}

    def identity(self, patient: Mapping[str, Any]) -> dict[str, str]:
        for one in self.each(patient, "identifier"):
            system, value = self.get(one, "system", ""), self.get(one, "value", "")
            own, _, country = system.removeprefix(f"{_OURS}identity:").partition(":")
            kinds = [
                _IDENTITIES[code] for _, code in self.codes(one, "type") if code in _IDENTITIES
            ]
            if system.startswith(f"{_OURS}identity:"):
                kinds = [own]
            if kinds:
                ours = {"kind": kinds[0], "country": country, "value": value}
                return {f"identity_{name}": text for name, text in ours.items()}
        return {}

    def product(self, vaccines: Vaccines) -> str:
        meant = [vaccines.get(coding, ()) for coding in self.codes(self.told, "vaccineCode")]
        for products in meant:
            if len(products) == 1:
                return next(iter(products))
        if meant:
            self.wrong["product"] = "several" if any(meant) else "not_known"
        return ""

    def day(self) -> str:
        found = _DATE_TIME.fullmatch(self.get(self.told, "occurrenceDateTime", "") or "0000")
        if found is None or "occurrenceString" in self.told:
            self.wrong["given_on"] = "not_a_date"
        return found[1].replace("0000", "") if found else ""

    def evidence(self) -> str:
        for one in self.each(self.told, "extension"):
            if one.get("url") == f"{_OURS}evidence":
                return self.get(one, "valueCode", "")
        return "seen" if self.get(self.told, "primarySource", False) else "stated"

    def note(self) -> str:
        texts = [self.get(one, "text", "") for one in self.each(self.told, "note")]
        applied = self.each(self.told, "protocolApplied")
        numbers = {self.get(one, "doseNumberPositiveInt", 0) for one in applied}
        return " ".join(texts + [f"(dose {number})" for number in sorted(numbers) if number])

    def coded(self, name: str, ours: Mapping[str, str]) -> str:
        """Return the first code, by our word for it where there is one."""
        codes = [code for _, code in self.codes(self.told, name)]
        return next((ours[code] for code in codes if code in ours), "".join(codes[:1]))


def _entries(raw: bytes) -> list[tuple[str, object]]:
    """Return address and resource of each entry, None where it is none; blank lines are empty."""
    if len(raw) > sheets.MOST_BYTES:
        raise BadInput({"file": "too_large"})
    try:
        text = raw.decode("utf-8-sig")
        whole = _json(text)
        listed = text.split("\n") if whole is None else []
        lines = [("", _json(line) if line.strip() else {}) for line in listed]
    except UnicodeDecodeError:
        raise BadInput({"file": "not_utf8"}) from None
    except RecursionError:
        raise BadInput({"file": "too_deep"}) from None
    if whole is not None:
        return _of_bundle(whole)
    if not any(each for _, each in lines):
        raise BadInput({"file": "not_json"})
    return lines


def _of_bundle(whole: object) -> list[tuple[str, object]]:
    told = whole if isinstance(whole, dict) else {}
    if told.get("resourceType") == _KIND:
        return [("", told)]
    entries = told.get("entry", [])
    known = told.get("resourceType") == "Bundle" and told.get("type") in _BUNDLES
    if not known or not isinstance(entries, list):
        raise BadInput({"file": "not_fhir"})
    each = [entry if isinstance(entry, dict) else {} for entry in entries]
    return [(str(entry.get("fullUrl", "")), entry.get("resource")) for entry in each]


def _json(text: str) -> object:
    """Return a value; None where it is no JSON, or names a field twice."""
    try:
        return json.loads(text, parse_constant=_refuse, object_pairs_hook=_once)
    except ValueError:
        return None


def _refuse(name: str) -> NoReturn:
    raise ValueError(name)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    told = dict(pairs)
    if len(told) != len(pairs):
        raise ValueError(pairs[0][0])
    return told
