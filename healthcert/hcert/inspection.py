"""A certificate explained step by step: what held, what did not, and what it says.

Unlike a verdict this reads on where it can: the payload is shown even if nobody vouches for it.
It explains and does not admit.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from healthcert.errors import BadCertificate, BadInput
from healthcert.hcert import cose, cwt, payload, text, trust

STEPS = (
    "prefix",
    "base45",
    "inflate",
    "cose",
    "signature",
    "key_usage",
    "payload",
    "schema",
    "value_sets",
    "in_force",
)
"""In the order in which a verifier takes them."""

_Given = TypeVar("_Given")
_Found = TypeVar("_Found")


@dataclass(slots=True)
class Inspection:
    """What was found; what could not be reached is None.

    Attributes:
        steps: Whether each of `STEPS` held. ``signature`` and ``key_usage`` are judged only on
            certificates given with the text; ``signature`` is false where none of them has the
            key identifier, and ``key_usage`` is then None.
        kid: Key identifier as read, of any length; None where the message has none.
        claims: Issuer and times as signed.
        certificate: The EU digital certificate as JSON.
        refusal: Code and sentence of the first reason not to accept it on any day.
    """

    steps: dict[str, bool | None] = field(default_factory=lambda: dict.fromkeys(STEPS))
    kid: bytes | None = None
    claims: cwt.Claims | None = None
    certificate: dict[str, Any] | None = None
    refusal: tuple[str, str] | None = None

    def refuse(self, code: str, sentence: str) -> None:
        """Note a reason not to accept it; the first one stands."""
        self.refusal = self.refusal or (code, sentence)

    def held(self, step: str, read: Callable[[_Given], _Found], given: _Given) -> _Found:
        """Return what a step reads, noting whether it held; its refusal passes through."""
        self.steps[step] = False
        found = read(given)
        self.steps[step] = True
        return found


def inspect(
    barcode: str,
    *,
    certificates: Collection[bytes],
    at: datetime,
    tables: Mapping[str, Mapping[str, str]],
) -> Inspection:
    """Return what each step of reading a certificate finds, for any text at all.

    Args:
        barcode: The text of a code.
        certificates: Signers' certificates (DER) to trust for this text; without any, nothing
            is said of the signature.
        at: Aware moment on which it must be in force.
        tables: Value sets, as `payload.value_set_faults` takes them.
    """
    found = Inspection()
    try:
        packed = found.held(
            "base45", text.b45decode, found.held("prefix", text.strip_prefix, barcode)
        )
        signed = found.held("cose", cose.parse, found.held("inflate", text.inflate, packed))
        found.kid = signed.kid or None
        keys = _keys(certificates, signed.kid)
        if certificates:
            _judge_signature(found, signed, keys)
        found.claims = found.held("payload", cwt.read_claims, signed.payload)
        found.steps["in_force"] = found.claims.in_force(at)
        found.certificate = found.held("payload", payload.dcc_of, found.claims)
        _judge_certificate(found, found.certificate, tables)
        _judge_usage(found, payload.kind_of(found.certificate), keys)
    except BadCertificate as refusal:
        found.refuse(refusal.code, str(refusal))
    return found


def _keys(certificates: Collection[bytes], kid: bytes) -> list[trust.TrustedKey]:
    """Return the keys with this identifier; a certificate that cannot be read gives none."""
    keys = []
    for der in certificates:
        if trust.key_identifier(der) == kid:
            try:
                keys.append(trust.from_certificate(der))
            except BadInput:
                continue
    return keys


def _judge_signature(
    found: Inspection, signed: cose.Sign1, keys: Collection[trust.TrustedKey]
) -> None:
    found.steps["signature"] = any(signed.fits(key.key) for key in keys)
    if not keys:
        found.refuse("unknown_issuer", "no certificate given has this key identifier")
    elif not found.steps["signature"]:
        found.refuse("bad_signature", "the signature fits no key with this key identifier")


def _judge_certificate(
    found: Inspection, dcc: dict[str, Any], tables: Mapping[str, Mapping[str, str]]
) -> None:
    faults = payload.schema_faults(dcc)
    found.steps["schema"] = not faults
    found.steps["value_sets"] = not payload.value_set_faults(dcc, tables)
    if faults:
        found.refuse("schema", f"not as the schema wants it: {', '.join(faults)}")


def _judge_usage(found: Inspection, kind: payload.Kind, keys: Collection[trust.TrustedKey]) -> None:
    if not keys:
        return
    found.steps["key_usage"] = any(key.allows(kind) for key in keys)
    if not found.steps["key_usage"]:
        found.refuse("wrong_key_usage", "the signer's key is not for certificates of this kind")
