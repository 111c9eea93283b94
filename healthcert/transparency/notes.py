"""Signed tree heads as plain text: notes, checkpoints and the cosignatures of witnesses.

Sources: c2sp.org/signed-note@v1.0.0 (format, verifier keys), c2sp.org/tlog-checkpoint@v1.0.0
(note text), c2sp.org/tlog-cosignature@v1.0.0 (Ed25519 signed message).
"""

import re
from base64 import b64decode, b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from healthcert.errors import BadProof
from healthcert.transparency.merkle import HASH_BYTES

LOG, WITNESS = 1, 4  # signature types: of a note, of a witness with its time
_ID_BYTES, _KEY_BYTES, _TIME_BYTES = 4, 32, 8
_MOST = 64_000  # characters of a note; a note with 16 signatures has some 2,000
_NAME = re.compile(r"[^\s+]+")
_NUMBER = re.compile(r"0|[1-9][0-9]{0,18}")
_CONTROLS = re.compile(r"[\x00-\x09\x0b-\x1f]")


@dataclass(frozen=True, slots=True)
class Verifier:
    """Whose signatures count: a name, a type of signature and a public key."""

    name: str  # of the key; a log's is its origin
    kind: int  # `LOG` or `WITNESS`
    key: bytes  # Ed25519 public key, 32 bytes

    @classmethod
    def parse(cls, vkey: str) -> Self:
        """Return what ``name+id+base64(type || key)`` says; `BadProof` if it is no verifier key."""
        name, _, rest = vkey.strip().partition("+")
        identifier, _, told = rest.partition("+")
        data = unbase64(told)
        if not _NAME.fullmatch(name) or len(data) != 1 + _KEY_BYTES or data[0] not in {1, 4}:
            raise BadProof("not a verifier key of a log or a witness")
        found = cls(name, data[0], data[1:])
        if found.id.hex() != identifier:
            raise BadProof("the verifier key does not fit its identifier")
        return found

    @property
    def id(self) -> bytes:
        """Return what names the key in a signature, 4 bytes."""
        told = f"{self.name}\n".encode() + bytes([self.kind]) + self.key
        return sha256(told).digest()[:_ID_BYTES]

    def __str__(self) -> str:
        """Return the verifier key, as `parse` reads it."""
        return f"{self.name}+{self.id.hex()}+{base64(bytes([self.kind]) + self.key)}"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The head of a log's tree: whose, how many leaves, which root."""

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        """Return the text that is signed."""
        return f"{self.origin}\n{self.size}\n{base64(self.root)}\n"


def signed(text: str, lines: Iterable[str]) -> str:
    """Return the note of a text and its signature lines."""
    return text + "\n" + "".join(lines)


def line(verifier: Verifier, signature: bytes) -> str:
    """Return a signature as the line that stands in a note, its end included."""
    return f"\u2014 {verifier.name} {base64(verifier.id + signature)}\n"


def cosigned_message(text: str, at: int) -> bytes:
    """Return what a witness signs: a checkpoint's text, and the seconds since 1970."""
    return f"cosignature/v1\ntime {at}\n{text}".encode()


def opened(note: str, log: Verifier) -> Checkpoint:
    """Return the checkpoint of a note; `BadProof` if it is none that this log signed."""
    text, _ = parts(note)
    if _signature(note, log) is None:
        raise BadProof(f"{log.name} did not sign this note")
    lines = text.split("\n")
    root = unbase64(lines[2]) if len(lines) >= 4 else b""  # noqa: PLR2004 - three lines and the end
    if len(root) != HASH_BYTES or lines[0] != log.name or not _NUMBER.fullmatch(lines[1]):
        raise BadProof(f"not a checkpoint of {log.name}")
    return Checkpoint(log.name, int(lines[1]), root)


def cosigned_at(note: str, witness: Verifier) -> int | None:
    """Return when a witness cosigned a note (seconds since 1970), if so; `BadProof` if falsely."""
    found = _signature(note, witness)
    return None if found is None else int.from_bytes(found[:_TIME_BYTES], "big")


def parts(note: str) -> tuple[str, list[str]]:
    """Return a note's text, and its signature lines with their ends; `BadProof` if it is none."""
    text, found, tail = note.rpartition("\n\n")
    lines = [f"{each}\n" for each in tail.split("\n")[:-1]]
    if len(note) > _MOST or not found or not tail.endswith("\n") or _CONTROLS.search(note):
        raise BadProof("not a signed note")
    if not all(each.startswith("\u2014 ") and each.count(" ") == 2 for each in lines):  # noqa: PLR2004
        raise BadProof("not a signed note: a line is no signature")
    return text + "\n", lines


def _signature(note: str, verifier: Verifier) -> bytes | None:
    """Return the checked signature of a key, None if there is none; a false one is refused."""
    text, lines = parts(note)
    for _, name, told in (each.rstrip("\n").split(" ") for each in lines):
        data = unbase64(told)
        if name != verifier.name or data[:_ID_BYTES] != verifier.id:
            continue
        signature, skip, message = data[_ID_BYTES:], 0, text.encode()
        if verifier.kind == WITNESS:
            skip = _TIME_BYTES
            message = cosigned_message(text, int.from_bytes(signature[:skip], "big"))
        try:
            Ed25519PublicKey.from_public_bytes(verifier.key).verify(signature[skip:], message)
        except InvalidSignature:
            raise BadProof(f"the signature of {name} is false") from None
        return signature
    return None


def base64(data: bytes) -> str:
    """Return bytes in base64 (RFC 4648 §4)."""
    return b64encode(data).decode("ascii")


def unbase64(text: str) -> bytes:
    """Return the bytes of a base64 text; `BadProof` if it is not the one way to write them."""
    try:
        data = b64decode(text, validate=True)
    except ValueError:
        raise BadProof("not base64") from None
    if base64(data) != text:
        raise BadProof("not base64 in its one form")
    return data
