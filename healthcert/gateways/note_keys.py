"""The keys of a log and of its witnesses: Ed25519, in encrypted files, each with its name."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from healthcert.errors import NotReady, SignerUnavailable
from healthcert.gateways.files import OWNER_ONLY, write_whole
from healthcert.transparency.notes import LOG, WITNESS, Verifier, cosigned_message, line


@dataclass(frozen=True, slots=True)
class NoteSigner:
    """A key that signs heads as a log, or cosigns them as a witness."""

    verifier: Verifier  # what its signatures are checked with
    _key: Ed25519PrivateKey = field(repr=False)

    @classmethod
    def open(cls, path: Path, verifier: Verifier, *, passphrase: bytes) -> Self:
        """Return a PEM file's key; `SignerUnavailable` unless it opens and is this verifier's."""
        try:
            key = load_pem_private_key(path.read_bytes(), passphrase)
        except (OSError, ValueError, TypeError, UnsupportedAlgorithm):
            raise SignerUnavailable(f"no key that opens in {path.name}") from None
        if (
            not isinstance(key, Ed25519PrivateKey)
            or key.public_key().public_bytes_raw() != verifier.key
        ):
            raise SignerUnavailable(f"the key in {path.name} is not that of {verifier.name}")
        return cls(verifier, key)

    def sign(self, text: str) -> str:
        """Return the signature line of a log under a note's text."""
        if self.verifier.kind != LOG:
            raise SignerUnavailable(f"{self.verifier.name} is no log")
        return line(self.verifier, self._key.sign(text.encode()))

    def cosign(self, text: str, at: int) -> str:
        """Return the signature line of a witness who saw a checkpoint, in seconds since 1970."""
        if self.verifier.kind != WITNESS:
            raise SignerUnavailable(f"{self.verifier.name} is no witness")
        signature = self._key.sign(cosigned_message(text, at))
        return line(self.verifier, at.to_bytes(8, "big") + signature)


def make_note_key(path: Path, name: str, kind: int, *, passphrase: bytes) -> Verifier:
    """Return what checks the signatures of a new key, which is put in an encrypted file."""
    key = Ed25519PrivateKey.generate()
    locked = BestAvailableEncryption(passphrase)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, locked)
    write_whole(path, pem, mode=OWNER_ONLY)
    return Verifier(name, kind, key.public_key().public_bytes_raw())


def read_verifier(path: Path) -> Verifier:
    """Return the verifier key in a file (`.vkey`).

    Raises:
        NotReady: There is no such file.
        BadProof: It is none.
    """
    try:
        return Verifier.parse(path.read_text(encoding="utf-8"))
    except OSError:
        raise NotReady(f"no verifier key at {path}") from None
