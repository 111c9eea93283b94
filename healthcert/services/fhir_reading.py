"""Read FHIR R4B Immunization as lines of a table.

Only what a line needs is read, wherever it lies: in a Bundle, or one resource a line (NDJSON),
with the Patient and the Location contained or beside it.
"""

import re
from collections.abc import Collection, Mapping
from typing import Any, TypeVar

from healthcert.services.fhir import COLUMNS, KIND, OURS, entries
from healthcert.services.people import UNFINDABLE
from healthcert.services.sheets import Line

Vaccines = Mapping[tuple[str, str], Collection[str]]  # by system and code, products of ours
T = TypeVar("T", str, bool, int, list[Any], dict[str, Any])
_IDENTITY = f"{OURS}identity:"
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


def read(raw: bytes, *, vaccines: Vaccines) -> list[Line]:
    """Return each Immunization as a line; its number is that of its entry, and one.

    Raises:
        BadInput: ``file``, see `fhir.entries`.
    """
    told, beside = entries(raw), dict[str, dict[str, Any]]()
    for url, each in told:
        if isinstance(each, dict):
            for address in (url, f"{each.get('resourceType')}/{each.get('id')}"):
                # Two under one address are nobody: a dose must not go to the wrong person.
                beside[address] = {} if beside.get(address, each) != each else each
    lines = []
    for number, (_, each) in enumerate(told, 2):
        if not isinstance(each, dict):
            lines.append(Line(number, {}, {"entry": "not_a_resource"}))
        elif each.get("resourceType") == KIND:
            lines.append(_Reading(each, beside).line(number, vaccines))
    return lines


class _Reading:
    """An Immunization that is read; what has another shape than R4B gives it is kept by field."""

    def __init__(self, told: dict[str, Any], beside: Mapping[str, dict[str, Any]]) -> None:
        self.told, self.wrong = told, dict[str, str]()
        self.beside = beside
        contained = self.each(told, "contained")
        self.own = {f"#{each.get('id')}": each for each in contained}
        if len(self.own) < len(contained):
            self.wrong["contained"] = "twice"

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
            if not found:
                self.wrong[name] = "not_in_file"
            return found or {}
        return {"identifier": [self.get(reference, "identifier", {})]}

    def identity(self, patient: Mapping[str, Any]) -> dict[str, str]:
        for one in self.each(patient, "identifier"):
            system, country = self.get(one, "system", ""), ""
            kinds = [_IDENTITIES.get(code, "") for _, code in self.codes(one, "type")]
            if system.startswith(_IDENTITY):
                own, _, country = system.removeprefix(_IDENTITY).partition(":")
                kinds = [own]
            if kind := "".join(kinds[:1]):
                name = "person" if kind in UNFINDABLE else "identity_value"
                who = {name: self.get(one, "value", "")}
                return {"identity_kind": kind, "identity_country": country, **who}
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
        told = self.get(self.told, "occurrenceDateTime", "")
        found = _DATE_TIME.fullmatch(told)
        if (told and not found) or "occurrenceString" in self.told:
            self.wrong["given_on"] = "not_a_date"
        return found[1] if found else ""

    def evidence(self) -> str:
        for one in self.each(self.told, "extension"):
            if one.get("url") == f"{OURS}evidence":
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
