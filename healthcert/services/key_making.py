"""New keys and the X.509 certificates around them: an authority, and its signers.

Sources: "Electronic Health Certificate Specification" 1.0.8 §5 (an authority signs each signer,
which carries its key identifier) and appendix A.4 (extended key usage); RFC 5280; RFC 3280
§4.2.1.4 (how long a private key is used).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
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
YEAR = timedelta(days=365)

_USAGES = {kind: f"1.3.6.1.4.1.1847.2021.1.{n}" for n, kind in enumerate("tvr", start=1)}


@dataclass(frozen=True, slots=True)
class Wanted:
    """A key that is to be made, and the certificate around it."""

    name: str  # its common name
    stem: Path  # of ``.cert.pem`` and ``.key.pem``, or ``.token.toml`` for a key in a token
    begins: datetime  # when the certificate's life begins
    token: Mapping[str, str] = field(default_factory=dict)  # as `TokenKey.read` takes it

    def file(self, end: str) -> Path:
        """Return one of its files: ``cert.pem``, ``key.pem`` or ``token.toml``."""
        return self.stem.with_name(f"{self.stem.name}.{end}")

    @property
    def key_file(self) -> Path:
        """Return the file of the key, or that which names it."""
        return self.file("token.toml" if self.token else "key.pem")

    @property
    def is_made(self) -> bool:
        """Whether both are there."""
        return self.key_file.exists() and self.file("cert.pem").exists()

    def make_key(self, passphrase: bytes) -> PrivateKey:
        """Return a new private key on P-256, in its place.

        Raises:
            SignerUnavailable: The token refuses it.
        """
        if self.token:
            named = "".join(f"{name} = {json.dumps(to)}\n" for name, to in self.token.items())
            write_whole(self.key_file, named.encode(), mode=OWNER_ONLY)
            TokenKey.read(self.key_file).make()
        else:
            pem = pem_of(generate_private_key(SECP256R1()), passphrase)
            write_whole(self.key_file, pem, mode=OWNER_ONLY)
        return self.open_key(passphrase)

    def open_key(self, passphrase: bytes) -> PrivateKey:
        """Return the private key that is there.

        Raises:
            SignerUnavailable: It cannot be opened.
        """
        if self.token:
            return cast(EllipticCurvePrivateKey, TokenKey.read(self.key_file))
        return open_key(self.key_file, passphrase)


@dataclass(frozen=True, slots=True)
class Chain:
    """An authority (CSCA, four years) and signers (DSC, two years) by kind: ``v``, ``t``, ``r``."""

    country: str  # two letters
    organisation: str
    authority: Wanted
    signers: Mapping[str, Wanted]
    used_for: timedelta  # how long from its beginning on a signer signs

    def make(self, passphrase: bytes, authority_passphrase: bytes) -> list[Path]:
        """Make whatever is missing of it; return the files that were made.

        Raises:
            SignerUnavailable: The authority's key cannot be opened, or a token refuses.
        """
        made = []
        if not self.authority.is_made:
            key = self.authority.make_key(authority_passphrase)
            made += self._certify(self.authority, key, key, None)
        for kind, wanted in self.signers.items():
            if not wanted.is_made:
                key = self.authority.open_key(authority_passphrase)
                made += self._certify(wanted, wanted.make_key(passphrase), key, kind)
        return made

    def _certify(
        self, wanted: Wanted, key: PrivateKey, by: PrivateKey, kind: str | None
    ) -> list[Path]:
        """Put the certificate of a new key in its place: a signer's of a kind, or of an authority."""
        name = x509.Name(
            [
                x509.NameAttribute(NameOID.COUNTRY_NAME, self.country),
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, self.organisation),
                x509.NameAttribute(NameOID.COMMON_NAME, wanted.name),
            ]
        )
        parent = self.certificate() if kind else None
        ends = wanted.begins + (2 if kind else 4) * YEAR
        building = x509.CertificateBuilder(
            parent.subject if parent else name, name, key.public_key(), x509.random_serial_number()
        ).not_valid_before(wanted.begins)
        building = building.not_valid_after(ends)
        for extension, critical in _extensions(key, parent, kind, wanted.begins, self.used_for):
            building = building.add_extension(extension, critical)
        pem = building.sign(by, SHA256()).public_bytes(Encoding.PEM)
        write_whole(wanted.file("cert.pem"), pem, mode=OWNER_ONLY)
        return [wanted.key_file, wanted.file("cert.pem")]

    def certificate(self) -> x509.Certificate:
        """Return the authority's certificate."""
        return x509.load_pem_x509_certificate(self.authority.file("cert.pem").read_bytes())


def pem_of(key: EllipticCurvePrivateKey | EllipticCurvePublicKey, passphrase: bytes = b"") -> bytes:
    """Return a key as PEM: a private one encrypted (PKCS#8), a public one plain.

    Raises:
        ValueError: A private key without a passphrase.
    """
    if isinstance(key, EllipticCurvePublicKey):
        return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    locked = BestAvailableEncryption(passphrase)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, locked)


def _extensions(
    key: PrivateKey, parent: x509.Certificate | None, kind: str | None,
    begins: datetime, used_for: timedelta,
) -> list[tuple[Any, bool]]:  # fmt: skip
    """Return what a certificate says beside whose it is, each with whether it is critical."""
    ca = parent is None
    flags = (
        not ca,
        False,
        False,
        False,
        False,
        ca,
        ca,
        False,
        False,
    )  # signs data, or certificates
    said: list[tuple[Any, bool]] = [
        (x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False),
        (x509.KeyUsage(*flags), True),
    ]
    if parent is None or kind is None:
        return [*said, (x509.BasicConstraints(ca=True, path_length=0), True)]
    above = parent.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    since = begins.astimezone(UTC).replace(tzinfo=None)
    return [
        *said,
        (x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(above), False),
        (x509.ExtendedKeyUsage([ObjectIdentifier(_USAGES[kind])]), False),
        (x509.PrivateKeyUsagePeriod(since, since + used_for), False),
    ]
