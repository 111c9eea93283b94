"""The vault: seal what is personal, and find it again without reading it.

Every person has a key of their own, which lies in the database wrapped by the master key. A
sealed value is AES-256-GCM (NIST SP 800-38D) with a random nonce, bound to the row it lies in
and to what it is for: moved to another row, or read as something else, it does not open.

    1 (1 byte) || nonce (12) || ciphertext and tag                       a sealed value
    2 (1 byte) || name of the master (4) || nonce (12) || ...            a person's key

The blind index is HMAC-SHA256 under a key of its own: equal values meet, and nobody without
the key can try values out. Both keys may be renewed: a vault writes with the newest and opens,
or looks up, with those before it too. A key's name is derived from it, so no file can lie.
"""

import hmac
import json
import secrets
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from healthcert.errors import NotReady, WrongKeys

KEY_BYTES = 32
_VERSION, _NAMED, _NONCE_BYTES, _NAME_BYTES = b"\x01", b"\x02", 12, 4


class Vault:
    """The master keys and the index keys, at work.

    `masters` are the names of all master keys that open, eight hex digits each, and `indexes` of
    all index keys that are searched, six each; the first of each writes.
    """

    def __init__(
        self,
        master: bytes,
        index: bytes,
        *,
        other_masters: Sequence[bytes] = (),
        other_indexes: Sequence[bytes] = (),
    ) -> None:
        """Take the keys, 32 bytes each: the two that write, and others that open or look up too.

        Raises:
            NotReady: A key has another length, or two are the same.
        """
        masters, indexes = (master, *other_masters), (index, *other_indexes)
        keys = (*masters, *indexes)
        if {len(key) for key in keys} != {KEY_BYTES} or len(set(keys)) != len(keys):
            raise NotReady("the vault needs keys of 32 bytes, each another one")
        self._wrapping = {_name(key): AESGCM(_derived(key, b"wrap person keys")) for key in masters}
        self._services = [AESGCM(_derived(key, b"service")) for key in masters]
        self._indexes = indexes
        self.masters = [name.hex() for name in self._wrapping]
        self.indexes = [_derived(key, b"name of an index key")[:3].hex() for key in indexes]
        self.master_name, self.index_name = self.masters[0], self.indexes[0]

    def new_key(self) -> bytes:
        """Return a fresh key for one person, wrapped by the newest master key."""
        return self._wrapped(secrets.token_bytes(KEY_BYTES))

    def rewrapped(self, wrapped: bytes) -> bytes:
        """Return a person's key under the newest master key; `WrongKeys` if its own is not here."""
        return self._wrapped(self._unwrapped(wrapped))

    def seal(
        self, wrapped: bytes, row_id: UUID, value: Mapping[str, Any], *, purpose: str = "person"
    ) -> bytes:
        """Return a JSON-ready value, sealed for a row and a purpose under a person's key.

        Raises:
            WrongKeys: The key was wrapped by a master key that is not here.
        """
        return _seal(
            AESGCM(self._unwrapped(wrapped)), _written(value), _bound(purpose, row_id.bytes)
        )

    def open(
        self, wrapped: bytes, row_id: UUID, sealed: bytes, *, purpose: str = "person"
    ) -> dict[str, Any]:
        """Return what was sealed for this row and purpose.

        Raises:
            WrongKeys: The key was wrapped by a master key that is not here.
            NotReady: Another key, another row or another purpose, or a byte was changed.
        """
        return _read(
            _open([AESGCM(self._unwrapped(wrapped))], sealed, _bound(purpose, row_id.bytes))
        )

    def service_seal(self, bound_to: bytes, value: Mapping[str, Any]) -> bytes:
        """Return a JSON-ready value that is no person's yet, sealed under a key of the service.

        It is bound to the key of the row it will lie in, such as a visit's token hash.
        """
        return _seal(self._services[0], _written(value), _bound("service", bound_to))

    def service_open(self, bound_to: bytes, sealed: bytes) -> dict[str, Any]:
        """Return what `service_seal` sealed for this row; `NotReady` if another, or changed."""
        return _read(_open(self._services, sealed, _bound("service", bound_to)))

    def blind(self, kind: str, *parts: str) -> bytes:
        """Return the 32 bytes under which a value can be found without being stored.

        The parts are written with their lengths, so that two splittings never meet.
        """
        return self.blinds(kind, *parts)[0]

    def blinds(self, kind: str, *parts: str) -> list[bytes]:
        """Return all under which a value may lie while index keys change, the newest first."""
        told = b"".join(
            len(raw).to_bytes(4) + raw for raw in (part.encode() for part in (kind, *parts))
        )
        return [hmac.digest(key, told, "sha256") for key in self._indexes]

    def _wrapped(self, key: bytes) -> bytes:
        name, wrapping = next(iter(self._wrapping.items()))
        return _NAMED + name + _seal(wrapping, key, b"person key" + name)[1:]

    def _unwrapped(self, wrapped: bytes) -> bytes:
        if wrapped[:1] != _NAMED:  # from before master keys had names
            return _open(list(self._wrapping.values()), wrapped, b"person key")
        name, rest = wrapped[1 : 1 + _NAME_BYTES], wrapped[1 + _NAME_BYTES :]
        if name not in self._wrapping:
            raise WrongKeys(f"rows lie under the vault key {name.hex()}, which is not here")
        return _open([self._wrapping[name]], _VERSION + rest, b"person key" + name)


def _name(master: bytes) -> bytes:
    return _derived(master, b"name of a master key")[:_NAME_BYTES]


def _derived(master: bytes, use: bytes) -> bytes:
    return HKDF(SHA256(), KEY_BYTES, salt=None, info=b"healthcert " + use).derive(master)


def _bound(purpose: str, row: bytes) -> bytes:
    return purpose.encode() + b"\x00" + row


def _seal(key: AESGCM, plain: bytes, bound: bytes) -> bytes:
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return _VERSION + nonce + key.encrypt(nonce, plain, _VERSION + bound)


def _open(keys: Sequence[AESGCM], sealed: bytes, bound: bytes) -> bytes:
    version, nonce, rest = sealed[:1], sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :]
    if version != _VERSION or len(nonce) != _NONCE_BYTES:
        raise NotReady("a sealed value is not one")
    for key in keys:
        with suppress(InvalidTag):
            return key.decrypt(nonce, rest, version + bound)
    raise NotReady("a sealed value does not open: another key, or moved, or changed")


def _written(value: Mapping[str, Any]) -> bytes:
    return json.dumps(dict(value), ensure_ascii=False, separators=(",", ":")).encode()


def _read(plain: bytes) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(plain)
    return value
