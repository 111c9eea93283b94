"""The vault: seal what is personal, and find it again without reading it.

Every person has a key of their own; it lies in the database wrapped by the master key, so
destroying it erases the person from every backup. A sealed value is AES-256-GCM (NIST SP
800-38D) with a random nonce, bound to the row it lies in and to what it is for: moved to
another row, or read as something else, it does not open.

    version (1 byte) || nonce (12) || ciphertext and tag

The blind index is HMAC-SHA256 under a key of its own: equal values meet, and nobody without
the key can try values out.
"""

from __future__ import annotations

import hmac
import json
import secrets
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from healthcert.errors import NotReady

KEY_BYTES = 32
_VERSION, _NONCE_BYTES = b"\x01", 12


class Vault:
    """The master key and the index key, at work."""

    def __init__(self, master: bytes, index: bytes) -> None:
        """Take the two keys, 32 bytes each.

        Raises:
            NotReady: A key has another length, or the two are the same.
        """
        if {len(master), len(index)} != {KEY_BYTES} or master == index:
            raise NotReady("the vault needs two different keys of 32 bytes")
        self._wrapping = AESGCM(_derived(master, b"wrap person keys"))
        self._service = AESGCM(_derived(master, b"service"))
        self._index = index

    def new_key(self) -> bytes:
        """Return a fresh key for one person, wrapped by the master key."""
        return _seal(self._wrapping, secrets.token_bytes(KEY_BYTES), b"person key")

    def seal(
        self, wrapped: bytes, row_id: UUID, value: Mapping[str, Any], *, purpose: str = "person"
    ) -> bytes:
        """Return a JSON-ready value, sealed under a person's key.

        Args:
            wrapped: The person's key as `new_key` gave it.
            row_id: The row in which the sealed value will lie.
            value: What to seal.
            purpose: What it is: ``person``, ``message`` or ``certificate``.

        Raises:
            NotReady: The key was wrapped by another master key.
        """
        return _seal(self._unwrap(wrapped), _written(value), _bound(purpose, row_id.bytes))

    def open(
        self, wrapped: bytes, row_id: UUID, sealed: bytes, *, purpose: str = "person"
    ) -> dict[str, Any]:
        """Return what was sealed for this row and purpose.

        Raises:
            NotReady: Another key, another row or another purpose, or a byte was changed.
        """
        return _read(_open(self._unwrap(wrapped), sealed, _bound(purpose, row_id.bytes)))

    def service_seal(self, bound_to: bytes, value: Mapping[str, Any]) -> bytes:
        """Return a value that belongs to no person yet, sealed under a key of the service.

        Args:
            bound_to: The key of the row in which it will lie, such as a visit's token hash.
            value: What to seal, ready for JSON.
        """
        return _seal(self._service, _written(value), _bound("service", bound_to))

    def service_open(self, bound_to: bytes, sealed: bytes) -> dict[str, Any]:
        """Return what `service_seal` sealed for this row.

        Raises:
            NotReady: Another key or another row, or a byte was changed.
        """
        return _read(_open(self._service, sealed, _bound("service", bound_to)))

    def blind(self, kind: str, *parts: str) -> bytes:
        """Return the 32 bytes under which a value can be found without being stored.

        The parts are written with their lengths, so that two splittings never meet.
        """
        told = b"".join(
            len(raw).to_bytes(4) + raw for raw in (part.encode() for part in (kind, *parts))
        )
        return hmac.digest(self._index, told, "sha256")

    def _unwrap(self, wrapped: bytes) -> AESGCM:
        return AESGCM(_open(self._wrapping, wrapped, b"person key"))


def _derived(master: bytes, use: bytes) -> bytes:
    return HKDF(SHA256(), KEY_BYTES, salt=None, info=b"healthcert " + use).derive(master)


def _bound(purpose: str, row: bytes) -> bytes:
    return purpose.encode() + b"\x00" + row


def _seal(key: AESGCM, plain: bytes, bound: bytes) -> bytes:
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return _VERSION + nonce + key.encrypt(nonce, plain, _VERSION + bound)


def _open(key: AESGCM, sealed: bytes, bound: bytes) -> bytes:
    version, nonce, rest = sealed[:1], sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :]
    if version != _VERSION or len(nonce) != _NONCE_BYTES:
        raise NotReady("a sealed value is not one")
    try:
        return key.decrypt(nonce, rest, version + bound)
    except InvalidTag:
        raise NotReady("a sealed value does not open: another key, or moved, or changed") from None


def _written(value: Mapping[str, Any]) -> bytes:
    return json.dumps(dict(value), ensure_ascii=False, separators=(",", ":")).encode()


def _read(plain: bytes) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(plain)
    return value
