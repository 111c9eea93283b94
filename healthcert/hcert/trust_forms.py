"""The forms in which lists of signers are published, each a list of base64 certificates.

    certificate   one or several, PEM; one, DER or base64 of it (the verifier API's updates)
    national      {"certificates": [{"kid", "rawData", "country", "certificateType"}]}
    gateway       [{"kid", "rawData", "country", "certificateType"}]
    verifier API  {"DE": [{"kid", "rawData"}]}, or bare base64 in place of the objects
    DID document  {"verificationMethod": [{"id", "publicKeyJwk": {"kid", "x5c"}}]}, where an
                  authority among signers is known by its certificate alone

Sources: reference verifier service, /signercertificateUpdate; EU gateway, /trustList; WHO Global
Digital Health Certification Network, DID trust list (v2 draft).
"""

import json
import re
from base64 import b64decode, b64encode, urlsafe_b64decode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from healthcert.hcert.trust_chain import is_authority

_PEM = re.compile("-----BEGIN CERTIFICATE-----(.+?)-----END CERTIFICATE-----", re.DOTALL)
_USAGES = {"AUTHENTICATION", "CSCA", "DECA", "DESC", "DSC", "SCA", "TLS", "UP", "UPLOAD"}
_TWICE = re.compile(rb"[A-Za-z0-9+/]{11}=")  # eight bytes in base64
_ANY_DOMAIN = "-"
_DOMAINS = {_ANY_DOMAIN, "DCC", "DDCC"}  # others sign other things than these certificates

_AUTHORITIES = {"CSCA", "SCA"}


@dataclass(frozen=True, slots=True)
class Entry:
    """A certificate as a list names it: base64, and what the list says of it.

    `chain` holds the certificates, in base64, that stand behind it to certify it.
    """

    data: str
    kid: str = ""
    country: str = ""
    usage: str = ""
    source: str = ""
    chain: tuple[str, ...] = ()


def entries(data: bytes) -> list[Entry]:
    """Return what a file names, whichever form it has; nothing where it is none of them."""
    if data[:1] == b"\x30":  # a DER sequence, as every certificate begins
        return [Entry(base64_of(data))]
    try:
        text = data.decode("utf-8-sig").strip()
        if text[:1] in {"{", "["}:
            return list(_listed(json.loads(text)))
    except (ValueError, RecursionError):
        return []
    return [Entry(block) for block in _PEM.findall(text) or [text]]


def brought(listed: Iterable[Entry]) -> Iterator[bytes]:
    """Give the certificates of authorities that a list brings along, DER."""
    for entry in listed:
        own = (entry.data,) if entry.usage in _AUTHORITIES else ()
        yield from (_der(data) for data in (*own, *entry.chain))


def _listed(listed: object) -> Iterator[Entry]:
    """Give the entries of a list in JSON."""
    if isinstance(listed, Mapping):
        if "verificationMethod" in listed:
            yield from (_did(method) for method in _objects(listed["verificationMethod"]))
        elif "certificates" in listed:
            yield from _listed(listed["certificates"])
        else:
            for country, rows in listed.items():
                for row in rows if isinstance(rows, list) else ():
                    yield _row(row if isinstance(row, Mapping) else {"rawData": row}, country)
    else:
        yield from (_row(row) for row in _objects(listed))


def _objects(rows: object) -> list[Mapping[str, Any]]:
    return [row for row in rows if isinstance(row, Mapping)] if isinstance(rows, list) else []


def _row(row: Mapping[str, Any], country: str = "") -> Entry:
    return Entry(
        data=text_of(row.get("rawData")),
        kid=text_of(row.get("kid")),
        country=text_of(row.get("country")) or country,
        usage=text_of(row.get("certificateType")).upper(),
        source=text_of(row.get("source")),
    )


def _did(method: Mapping[str, Any]) -> Entry:
    """Return a key of a DID document, ``did:web:<host>:…:<domain>:<participant>:<usage>#<kid>``."""
    jwk = method.get("publicKeyJwk")
    jwk = jwk if isinstance(jwk, Mapping) else {}
    place, _, kid = text_of(method.get("id")).partition("#")
    chain = jwk.get("x5c")
    first, *rest = map(text_of, chain if isinstance(chain, list) and chain else [chain])
    return Entry(
        data=first,
        kid=_kid(text_of(jwk.get("kid")) or unquote(kid)),
        usage=_usage(place.split(":")) or ("SCA" if is_authority(_der(first)) else ""),
        chain=tuple(rest),
    )


def _kid(text: str) -> str:
    """Return a key identifier in base64; the network's documents put it into base64 twice."""
    inner = _der(text)
    return inner.decode("ascii") if _TWICE.fullmatch(inner) else text


def _der(text: str) -> bytes:
    """Return what base64 says; nothing where it is none."""
    try:
        return bytes_of(text)
    except ValueError:
        return b""


def _usage(place: Sequence[str]) -> str:
    """Return the usage of a key by its place: of another domain's key, that domain.

    The identifier of a key may stand once more after the usage.
    """
    for position, usage in reversed(list(enumerate(place))):
        if usage in _USAGES:
            domain = place[position - 2] if position > 1 else _ANY_DOMAIN
            return usage if domain in _DOMAINS else domain
    return ""


def bytes_of(text: str) -> bytes:
    """Return what base64 of either alphabet says; white space and missing padding are no fault.

    Raises:
        ValueError: It is not base64.
    """
    packed = "".join(text.split()).rstrip("=")
    padded = packed + "=" * (-len(packed) % 4)
    return urlsafe_b64decode(padded) if re.search("[-_]", packed) else b64decode(padded)


def base64_of(data: bytes) -> str:
    """Return bytes in base64."""
    return b64encode(data).decode("ascii")


def text_of(value: object) -> str:
    """Return a text; empty where a list has something else, or nothing, in its place."""
    return value if isinstance(value, str) else ""
