"""Doses as FHIR R4B Immunization: written from rows of a table, and the entries of a file.

A file may be of anybody: its size, depth and form are bounded. `fhir_reading` reads an entry.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from healthcert.errors import BadInput
from healthcert.services.sheets import MOST_BYTES, MOST_ROWS

COLUMNS = (
    "identity_kind", "identity_country", "identity_value", "birth_date", "product", "given_on",
    "lot", "country", "evidence", "note", "body_site", "route", "programme", "status", "person",
)  # fmt: skip
STATUSES = ("completed", "entered-in-error", "not-done")
FIELDS: Mapping[str, str] = {
    "product": "vaccineCode", "given_on": "occurrenceDateTime", "lot": "lotNumber",
    "country": "location.address.country", "evidence": "primarySource", "body_site": "site",
    "birth_date": "patient.birthDate", "programme": "vaccineCode",
    **{f"identity_{name}": "patient.identifier" for name in ("kind", "country", "value")},
    "person": "patient.identifier",
}  # fmt: skip
"""Where a column lies in an Immunization, where it is called otherwise."""


KIND = "Immunization"
OURS = "urn:healthcert:"
_REGISTER = "https://ec.europa.eu/health/documents/community-register/html/"
_UNION_NAME = "http://ec.europa.eu/temp/vaccineproductname"  # value set "mp", without a number
_SNOMED = "http://snomed.info/sct"
_EDQM = "http://standardterms.edqm.eu"
_ACT_SITE = "http://terminology.hl7.org/CodeSystem/v3-ActSite"
_BUNDLES = ("collection", "transaction", "searchset", "batch")


def codings(vaccine: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return system and code of all that a vaccine's file calls it, our own first."""
    code = vaccine["code"]
    systems = [_REGISTER] if code.startswith("EU/") else [f"{OURS}product", _UNION_NAME]
    more = {
        _SNOMED: "vp", "http://www.whocc.no/atc": "atc", "http://hl7.org/fhir/sid/cvx": "cvx"
    }  # fmt: skip
    return [(system, code) for system in systems] + [
        (system, vaccine[name]) for system, name in more.items() if vaccine.get(name)
    ]


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
    system = f"{OURS}identity:{row['identity_kind']}:{row['identity_country']}"
    # Of those without a number it is our own reference.
    value = row["identity_value"] or str(row["person"])
    patient = {"identifier": [{"system": system, "value": value}]}
    told = {
        "resourceType": KIND, "id": str(row["id"]),
        "contained": [
            {"resourceType": "Patient", "id": "p", **patient, "birthDate": row["birth_date"]},
            {"resourceType": "Location", "id": "l", "address": {"country": row["country"]}},
        ],
        "extension": [{"url": f"{OURS}evidence", "valueCode": row["evidence"]}, *_counts(row)],
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
            "url": f"{OURS}standing",
            "extension": [
                {"url": "disease", "valueCode": disease}, {"url": "counts", "valueCode": counts},
            ],
        }
        for disease, counts, _ in row["standings"]
    ]  # fmt: skip


def is_fhir(raw: bytes) -> bool:
    """Return whether a file is JSON rather than a table."""
    return raw.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"{"


def entries(raw: bytes) -> list[tuple[str, object]]:
    """Return address and resource of each entry, None where it is none; blank lines are empty.

    The file is UTF-8: a Bundle, an Immunization, or a resource a line (NDJSON).

    Raises:
        BadInput: ``file``: too_large, not_utf8, too_deep, not_json, not_fhir.
    """
    if len(raw) > MOST_BYTES:
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
    if len(lines) > MOST_ROWS or not any(each for _, each in lines):
        raise BadInput({"file": "too_large" if len(lines) > MOST_ROWS else "not_json"})
    return lines


def _of_bundle(whole: object) -> list[tuple[str, object]]:
    told = whole if isinstance(whole, dict) else {}
    if told.get("resourceType") == KIND:
        return [("", told)]
    entries = told.get("entry", [])
    known = told.get("resourceType") == "Bundle" and told.get("type") in _BUNDLES
    if not known or not isinstance(entries, list):
        raise BadInput({"file": "not_fhir"})
    if len(entries) > MOST_ROWS:
        raise BadInput({"file": "too_large"})
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
