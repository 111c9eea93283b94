"""Keys in a hardware module that never leave it, reached over PKCS#11 (extra ``hsm``).

A second log-in of one process is refused, and sessions side by side fail. So a process has one
session a token and one lock around it, opened at its first use: what was opened before a fork is
the parent's. Source: PKCS#11 3.1 §5.6 (sessions) and §6.3 (ECDSA).
"""

import os
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from threading import Lock
from typing import Any, ClassVar, Self, cast

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import load_der_public_key

from healthcert.errors import SignerUnavailable
from healthcert.gateways.private_key import refuse_shared
from healthcert.gateways.signer import Signer, read_certificate
from healthcert.hcert.cose import PublicKey

Work = Callable[[Any, Any], Any]  # takes the library and a session; the library has no types


class Token:
    """One token of a module: all that is done with any goes one at a time, in one session each."""

    turn: ClassVar = Lock()
    spoilt: ClassVar = False  # whether the module has to begin anew
    epoch: ClassVar = 0  # counts the times: a session of an earlier one is gone

    def __init__(self, module: str, label: str, pin_file: Path) -> None:
        """Take where it is; nothing is opened yet."""
        self._module, self._label, self._pin_file = module, label, pin_file
        self._session, self._epoch = None, -1

    def use(self, work: Work) -> Any:  # noqa: ANN401 - the library has no types
        """Return what the work does in a session; `SignerUnavailable` if the token is away."""
        with Token.turn:
            try:
                import pkcs11.util.ec  # noqa: PLC0415 - an optional extra

                return work(pkcs11, self._opened(pkcs11))
            except (ImportError, RuntimeError, OSError) as error:  # a RuntimeError: it refuses
                Token.begin_anew()
                why = f"{type(error).__name__} {error}"
                raise SignerUnavailable(f"token {self._label}: {why}") from None

    def _opened(self, pkcs11: Any) -> Any:  # noqa: ANN401 - the library has no types
        if self._epoch != Token.epoch:
            refuse_shared(self._pin_file)
            pin = self._pin_file.read_text(encoding="utf-8").strip()
            library = pkcs11.lib(self._module)
            if Token.spoilt:
                library.reinitialize()
            Token.spoilt = False
            self._session = library.get_token(token_label=self._label).open(user_pin=pin, rw=True)
            self._epoch = Token.epoch
        return self._session

    @classmethod
    def begin_anew(cls) -> None:
        """Let every session be opened again: a token may have come back."""
        cls.spoilt, cls.epoch = True, cls.epoch + 1


def _after_fork() -> None:
    Token.turn = Lock()  # the parent's may be held
    Token.begin_anew()


os.register_at_fork(after_in_child=_after_fork)
_token = lru_cache(maxsize=None)(Token)


@dataclass(frozen=True, slots=True)
class TokenKey:
    """A private key on P-256 in a token, used where `cryptography` takes one of its own."""

    token: Token
    label: str
    public: PublicKey | None = None  # where it is known; else the token is asked

    @classmethod
    def read(cls, path: Path) -> Self:
        """Return the key that a file names: ``module``, ``token``, ``key`` and ``pin_file``.

        Raises:
            SignerUnavailable: It names none; whether the key is there shows when it signs.
        """
        try:
            named = tomllib.loads(path.read_text(encoding="utf-8"))
            pin_file = path.parent / named["pin_file"]
            return cls(_token(named["module"], named["token"], pin_file), named["key"])
        except (OSError, ValueError, KeyError, TypeError):
            raise SignerUnavailable(f"{path.name} names no key in a token") from None

    def make(self) -> None:
        """Make a key that never leaves its token; `SignerUnavailable` if it refuses."""

        def work(pkcs11: Any, session: Any) -> None:  # noqa: ANN401 - the library has no types
            if list(session.get_objects({pkcs11.Attribute.LABEL: self.label})):
                raise SignerUnavailable(f"the token has a key {self.label}")
            curve = pkcs11.util.ec.encode_named_curve_parameters("secp256r1")
            domain = {pkcs11.Attribute.EC_PARAMS: curve}
            made = session.create_domain_parameters(pkcs11.KeyType.EC, domain, local=True)
            made.generate_keypair(store=True, label=self.label)

        self.token.use(work)

    def sign(self, data: bytes, _algorithm: object = None) -> bytes:
        """Return an ECDSA signature over the SHA-256 of the data, in DER, not checked."""

        def work(pkcs11: Any, session: Any) -> bytes:  # noqa: ANN401 - the library has no types
            key = session.get_key(pkcs11.ObjectClass.PRIVATE_KEY, label=self.label)
            return bytes(key.sign(sha256(data).digest(), mechanism=pkcs11.Mechanism.ECDSA))

        both = self.token.use(work)  # r || s
        r, s = both[: len(both) // 2], both[len(both) // 2 :]
        return encode_dss_signature(int.from_bytes(r, "big"), int.from_bytes(s, "big"))

    def public_key(self) -> PublicKey:
        """Return its public half."""

        def work(pkcs11: Any, session: Any) -> bytes:  # noqa: ANN401 - the library has no types
            key = session.get_key(pkcs11.ObjectClass.PUBLIC_KEY, label=self.label)
            return bytes(pkcs11.util.ec.encode_ec_public_key(key))

        return self.public or cast(PublicKey, load_der_public_key(self.token.use(work)))


EllipticCurvePrivateKey.register(TokenKey)


class Pkcs11Signer(Signer):
    """A certificate signer (DSC) whose key lies in a token, looked for when it signs."""

    __slots__ = ()

    @classmethod
    def of(cls, token_file: Path, certificate_file: Path) -> Self:
        """Return the signer that two files name.

        Raises:
            SignerUnavailable: A file is missing or unreadable, or the certificate is not for
                exactly one purpose.
        """
        der, trusted, purpose = read_certificate(certificate_file)
        key = replace(TokenKey.read(token_file), public=trusted.key)
        return cls(trusted.kid, der, purpose, cast(EllipticCurvePrivateKey, key))
