"""Keys in a hardware module that never leave it, reached over PKCS#11 (extra ``hsm``).

A module is a shared thing: a second log-in of one process is refused, and sessions used side by
side fail. So a process has one session a token, one lock around it, opened at its first use: what
was opened before a fork belongs to the parent. Source: PKCS#11 3.1 §5.6 (sessions), §6.3 (ECDSA).
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from threading import Lock
from typing import Any, cast

from cryptography.hazmat.primitives.asymmetric.ec import (
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
)
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import load_der_public_key

from healthcert.errors import SignerUnavailable
from healthcert.gateways.private_key import refuse_misfit, refuse_shared
from healthcert.gateways.signer import read_certificate
from healthcert.hcert.cose import PublicKey

_HALF = 32  # bytes of r, and of s


class Token:
    """One token of a module: everything done with it goes through one session, one at a time."""

    def __init__(self, module: str, label: str, pin_file: Path) -> None:
        """Take where it is; nothing is opened yet."""
        self._where = module, label
        self._pin_file = pin_file
        self._session: Any = None
        self._forget()
        os.register_at_fork(after_in_child=self._forget)

    def use(self, work: Callable[[Any], Any]) -> Any:  # noqa: ANN401 - the library has no types
        """Return what the work does with the session.

        Raises:
            SignerUnavailable: The token is away, its PIN is wrong, or it refuses.
        """
        with self._lock:
            try:
                if self._session is None:
                    self._session = self._opened()
                return work(self._session)
            except RuntimeError as error:  # every refusal of the library is one
                with suppress(RuntimeError):
                    if self._session is not None:
                        self._session.close()
                self._session = None
                kind = type(error).__name__
                raise SignerUnavailable(f"token {self._where[1]}: {kind} {error}") from None

    def _opened(self) -> Any:  # noqa: ANN401 - the library has no types
        module, label = self._where
        refuse_shared(self._pin_file)
        library = _pkcs11().lib(module)
        library.reinitialize()  # a child of a fork must; and a token that came back is seen
        pin = self._pin_file.read_text(encoding="utf-8").strip()
        return library.get_token(token_label=label).open(user_pin=pin, rw=True)

    def _forget(self) -> None:
        self._lock = Lock()
        self._session = None


token = lru_cache(maxsize=None)(Token)


def _pkcs11() -> Any:  # noqa: ANN401 - the library has no types
    try:
        import pkcs11.util.ec  # noqa: PLC0415 - an optional extra
    except ImportError:
        raise SignerUnavailable("keys in a token need the extra `hsm`") from None
    return pkcs11


@dataclass(frozen=True, slots=True)
class TokenKey:
    """A private key on P-256 in a token; what certificates are signed with takes it as a key."""

    token: Token
    label: str

    @classmethod
    def read(cls, path: Path) -> TokenKey:
        """Return the key that a file names: ``module``, ``token``, ``key`` and ``pin_file``.

        Raises:
            SignerUnavailable: It names none; whether the key is there shows when it signs.
        """
        try:
            named = tomllib.loads(path.read_text(encoding="utf-8"))
            pin_file = path.parent / named["pin_file"]
            return cls(token(named["module"], named["token"], pin_file), named["key"])
        except (OSError, ValueError, KeyError, TypeError):
            raise SignerUnavailable(f"{path.name} names no key in a token") from None

    def make(self) -> None:
        """Make the key in its token: it can neither be read nor taken out.

        Raises:
            SignerUnavailable: The token refuses, or has a key of that label.
        """
        library = _pkcs11()
        curve = {
            library.Attribute.EC_PARAMS: library.util.ec.encode_named_curve_parameters("secp256r1")
        }

        def generate(session: Any) -> None:  # noqa: ANN401 - the library has no types
            if list(session.get_objects({library.Attribute.LABEL: self.label})):
                raise SignerUnavailable(f"the token has a key {self.label}")
            domain = session.create_domain_parameters(library.KeyType.EC, curve, local=True)
            domain.generate_keypair(store=True, label=self.label)

        self.token.use(generate)

    def raw(self, data: bytes) -> bytes:
        """Return a signature over the SHA-256 of the data, ``r || s``, not checked."""
        library = _pkcs11()

        def signed(session: Any) -> bytes:  # noqa: ANN401 - the library has no types
            key = session.get_key(library.ObjectClass.PRIVATE_KEY, label=self.label)
            return bytes(key.sign(sha256(data).digest(), mechanism=library.Mechanism.ECDSA))

        return cast(bytes, self.token.use(signed))

    def sign(self, data: bytes, _algorithm: object = None) -> bytes:
        """Return an ECDSA signature with SHA-256 in DER, as certificates carry it."""
        raw = self.raw(data)
        return encode_dss_signature(*(int.from_bytes(each) for each in (raw[:_HALF], raw[_HALF:])))

    def public_key(self) -> EllipticCurvePublicKey:
        """Return its public half, as the token has it."""
        library = _pkcs11()

        def found(session: Any) -> bytes:  # noqa: ANN401 - the library has no types
            key = session.get_key(library.ObjectClass.PUBLIC_KEY, label=self.label)
            return bytes(library.util.ec.encode_ec_public_key(key))

        return cast(EllipticCurvePublicKey, load_der_public_key(self.token.use(found)))


EllipticCurvePrivateKey.register(TokenKey)


@dataclass(frozen=True, slots=True)
class Pkcs11Signer:
    """A certificate signer (DSC) whose key lies in a token."""

    kid: bytes  # as `FileSigner` has it, and so the rest
    certificate: bytes = field(repr=False)
    purpose: str
    _public: PublicKey = field(repr=False)
    _key: TokenKey = field(repr=False)

    @classmethod
    def open(cls, token_file: Path, certificate_file: Path) -> Pkcs11Signer:
        """Return the signer that two files name; its token is not looked at before it signs.

        Raises:
            SignerUnavailable: A file is missing or unreadable, or the certificate is not for
                exactly one purpose.
        """
        der, trusted, purpose = read_certificate(certificate_file)
        return cls(trusted.kid, der, purpose, trusted.key, TokenKey.read(token_file))

    def sign(self, to_be_signed: bytes) -> bytes:
        """Return a signature that was checked, ``r || s``, 64 bytes.

        Raises:
            SignerUnavailable: The token is away or refuses, or its signature does not verify.
        """
        signature = self._key.raw(to_be_signed)
        refuse_misfit(self._public, signature, to_be_signed)
        return signature
