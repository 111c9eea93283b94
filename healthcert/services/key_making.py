"""New keys and the X.509 certificates around them: an authority, and its signers.

Sources: "Electronic Health Certificate Specification" 1.0.8 §5 (an authority signs each signer)
and appendix A.4 (extended key usage); RFC 5280; RFC 3280 §4.2.1.4 (how long a key is used).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    PublicFormat,
)
from cryptography.x509.oid import NameOID, ObjectIdentifier

from healthcert.gateways.files import OWNER_ONLY, write_whole
from healthcert.gateways.pkcs11_signer import TokenKey
from healthcert.gateways.private_key import PrivateKey, open_key

MARK = "DEVELOPMENT"
_NO = (False,)
YEAR, USED_FOR = timedelta(days=365), timedelta(days=183)

_USAGES = {kind: f"1.3.6.1.4.1.1847.2021.1.{n}" for n, kind in enumerate("tvr", start=1)}


@dataclass(frozen=True, slots=True)
class Wanted:
    """A key that is to be made, and the certificate around it."""

    name: str  # its common name
    stem: Path  # of ``.cert.pem`` and ``.key.pem``, or ``.token.toml`` for a key in a token
    begins: datetime  # when the certificate's life begins
    passphrase: bytes  # opens its file
    token: Mapping[str, str] | None = None  # as `TokenKey.read` takes it

    @property
    def certificate_file(self) -> Path:
        """Return the file of its certificate."""
        return self.stem.with_name(f"{self.stem.name}.cert.pem")

    @property
    def key_file(self) -> Path:
        """Return the file of the key, or that which names it."""
        return self.stem.with_name(f"{self.stem.name}.{'token.toml' if self.token else 'key.pem'}")

    @property
    def is_made(self) -> bool:
        """Whether both are there."""
        return self.key_file.exists() and self.certificate_file.exists()

    def make_key(self) -> None:
        """Make a new private key on P-256, in its place; `SignerUnavailable` if a token refuses."""
        if self.token is None:
            pem = pem_of(generate_private_key(SECP256R1()), self.passphrase)
            write_whole(self.key_file, pem, mode=OWNER_ONLY)
        else:
            named = "".join(f"{name} = {json.dumps(to)}\n" for name, to in self.token.items())
            write_whole(self.key_file, named.encode(), mode=OWNER_ONLY)
            TokenKey.read(self.key_file).make()

    def open_key(self) -> PrivateKey:
        """Return the private key that is there; `SignerUnavailable` if it does not open."""
        if self.token is None:
            return open_key(self.key_file, self.passphrase)
        return cast(EllipticCurvePrivateKey, TokenKey.read(self.key_file))

    def certificate(self) -> x509.Certificate:
        """Return the certificate that is there."""
        return x509.load_pem_x509_certificate(self.certificate_file.read_bytes())


@dataclass(frozen=True, slots=True)
class Chain:
    """An authority (CSCA, four years) and signers (DSC, two years) by kind: ``v``, ``t``, ``r``."""

    country: str  # two letters
    organisation: str
    authority: Wanted
    signers: Mapping[str, Wanted]
    used_for: timedelta = USED_FOR  # how long from its beginning on a signer signs

    def make(self) -> list[Path]:
        """Make whatever is missing of it; return the files that were made.

        Raises:
            SignerUnavailable: The authority's key cannot be opened, or a token refuses.
        """
        made = []
        for kind, wanted in {"": self.authority, **self.signers}.items():
            if not wanted.is_made:
                wanted.make_key()
                write_whole(wanted.certificate_file, self._certified(wanted, kind), mode=OWNER_ONLY)
                made += [wanted.key_file, wanted.certificate_file]
        return made

    def _certified(self, wanted: Wanted, kind: str) -> bytes:
        """Return the certificate of a new key, PEM: a signer's of a kind, or the authority's."""
        key, parts = wanted.open_key().public_key(), (
            (NameOID.COUNTRY_NAME, self.country),
            (NameOID.ORGANIZATION_NAME, self.organisation),
            (NameOID.COMMON_NAME, wanted.name),
        )  # fmt: skip
        name = x509.Name([x509.NameAttribute(which, words) for which, words in parts])
        parent = self.authority.certificate() if kind else None
        building = x509.CertificateBuilder(
            parent.subject if parent else name, name, key, x509.random_serial_number(),
            wanted.begins, wanted.begins + (2 if kind else 4) * YEAR,
        )  # fmt: skip
        building = building.add_extension(
            x509.SubjectKeyIdentifier.from_public_key(key), critical=False
        )
        for extension, critical in self._said(parent, kind, wanted.begins):
            building = building.add_extension(extension, critical)
        return building.sign(self.authority.open_key(), SHA256()).public_bytes(Encoding.PEM)

    def _said(
        self, parent: x509.Certificate | None, kind: str, begins: datetime
    ) -> list[tuple[Any, bool]]:
        """Return what a key may do, each part with whether it is critical."""
        ca = parent is None  # signs certificates, and else data
        usage = x509.KeyUsage(not ca, *_NO * 4, ca, ca, *_NO * 2)
        if parent is None:
            return [(usage, True), (x509.BasicConstraints(ca=True, path_length=0), True)]
        above = parent.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
        since = begins.astimezone(UTC).replace(tzinfo=None)
        return [
            (usage, True),
            (x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(above), False),
            (x509.ExtendedKeyUsage([ObjectIdentifier(_USAGES[kind])]), False),
            (x509.PrivateKeyUsagePeriod(since, since + self.used_for), False),
        ]


def pem_of(key: EllipticCurvePrivateKey | EllipticCurvePublicKey, passphrase: bytes = b"") -> bytes:
    """Return a key as PEM, a private one encrypted (PKCS#8): `ValueError` without a passphrase."""
    if isinstance(key, EllipticCurvePublicKey):
        return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    locked = BestAvailableEncryption(passphrase)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, locked)
