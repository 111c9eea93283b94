"""The entries of a file of FHIR resources, whoever wrote it: size, depth and form are bounded."""

import json
from typing import Any, NoReturn

from healthcert.errors import BadInput
from healthcert.services.fhir import KIND
from healthcert.services.sheets import MOST_BYTES, MOST_ROWS

_BUNDLES = ("collection", "transaction", "searchset", "batch")


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
