"""The codec judged by published test data: does each verdict agree with the issuer's own?

The fields and flags are those of the EU's test data repository (dgc-testdata): the same
certificate at every stage of its making, and what is expected of each step between them.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

import cbor2

from healthcert.errors import BadCertificate, BadInput, BadPicture, NotUnderstood
from healthcert.hcert import payload, qr, safe_cbor, text, trust
from healthcert.hcert.inspection import inspect

_DATE_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T")
_HCERT, _DCC = -260, 1
_NEVER = datetime.min.replace(tzinfo=UTC)
_UNREADABLE = object()  # equal to nothing else
_Given = TypeVar("_Given")
_Found = TypeVar("_Found")


@dataclass(frozen=True, slots=True)
class Case:
    """One certificate at every stage; None where the test data does not hold a stage.

    Attributes:
        barcode: Text of the code.
        signer: Signer's certificate, DER.
        at: Moment of validation.
        schema: Version of the schema that `json` is meant to obey.
        base45: The text without its prefix.
        compressed: What base45 holds.
        cose: What the compressed stream holds.
        cbor: The certificate alone or the whole claims, perhaps in forms the guard refuses; if
            missing, the one in the barcode stands for it.
        json: The certificate.
        picture: The code as a PNG or other picture.
    """

    barcode: str
    signer: bytes | None
    at: datetime | None
    schema: str | None
    base45: str | None
    compressed: bytes | None
    cose: bytes | None
    cbor: bytes | None
    json: dict[str, Any] | None
    picture: bytes | None = None


def grade(case: Case) -> dict[str, bool]:
    """Return our verdict by flag; a flag whose stages are missing is left out."""
    verdicts = _grade_text(case)
    signers = [] if case.signer is None else [case.signer]
    found = inspect(case.barcode, certificates=signers, at=case.at or _NEVER, tables={})
    told = found.certificate if case.cbor is None else _tree(case.cbor)
    verdicts["decode"] = found.certificate is not None and all(
        _same(found.certificate, tree) for tree in (told, case.json) if tree is not None
    )
    verdicts["schemavalidation"] = bool(found.steps["schema"])
    if case.signer is not None:
        verdicts["verify"] = bool(found.steps["signature"])
        verdicts["keyusage"] = _allows(case.signer, found.certificate)
    if case.at is not None:
        verdicts["expirationcheck"] = bool(found.steps["in_force"])
    return verdicts | _grade_json(case, told)


def _grade_text(case: Case) -> dict[str, bool]:
    """Judge the steps of the text, each on the stage before it as the test data gives it."""
    verdicts = {"unprefix": _gives(text.strip_prefix, case.barcode, case.base45)}
    if case.base45 is not None:
        verdicts["b45decode"] = _gives(text.b45decode, case.base45, case.compressed)
    if case.picture is not None:
        verdicts["picturedecode"] = _reads(case.picture, case.barcode)
    if case.compressed is not None:
        verdicts["compression"] = _gives(text.inflate, case.compressed, case.cose)
    return verdicts


def _grade_json(case: Case, told: object) -> dict[str, bool]:
    """Judge the certificate as JSON beside what the CBOR has told."""
    if case.json is None:
        return {}
    return {
        "validobject": not payload.schema_faults(case.json, case.schema),
        "validjson": _same(told, case.json),
        "encode": _same(_tree(safe_cbor.dumps(case.json)), told),
    }


def _gives(read: Callable[[_Given], _Found], given: _Given, expected: _Found | None) -> bool:
    try:
        found = read(given)
    except BadCertificate:
        return False
    return expected is None or found == expected


def _reads(picture: bytes, barcode: str) -> bool:
    """Whether one of the codes of a picture says what the barcode says."""
    try:
        return any(code.text == barcode for code in qr.read(picture))
    except BadPicture:
        return False


def _allows(signer: bytes, dcc: Mapping[str, Any] | None) -> bool:
    """Whether this signer may sign the kind, whoever did sign it."""
    try:
        return trust.from_certificate(signer).allows(payload.kind_of(dcc or {}))
    except (BadInput, NotUnderstood):
        return False


def _tree(cbor: bytes) -> object:
    """Return the certificate in some CBOR, read without the guard: test data, not strangers'."""
    try:
        tree = cbor2.loads(cbor, semantic_decoders=safe_cbor.INNER)
    except cbor2.CBORDecodeError:
        return _UNREADABLE
    return tree[_HCERT][_DCC] if isinstance(tree, Mapping) and _HCERT in tree else tree


def _same(one: object, other: object) -> bool:
    """Whether two trees say the same, date-times being moments, to the second."""
    return bool(_plain(one) == _plain(other))


def _plain(tree: object) -> object:
    if isinstance(tree, Mapping):
        return {key: _plain(value) for key, value in tree.items()}
    if isinstance(tree, list | tuple):
        return [_plain(value) for value in tree]
    if isinstance(tree, str) and _DATE_TIME.match(tree):
        return _moment(tree)
    return tree


def _moment(words: str) -> object:
    try:
        moment = datetime.fromisoformat(words).replace(microsecond=0)
    except ValueError:
        return words
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
