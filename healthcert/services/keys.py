"""The keys a service runs on: where they lie, how they open, and a set for development.

    keys/
    ├── <environment>/               private, its owner's alone; never tracked
    │   ├── secret                   what session, form and file secrets are derived from
    │   ├── csca.{key,cert}.pem      signs the three below; kept offline in production
    │   ├── vaccination|test|recovery.{key,cert}.pem
    │   ├── bundle-{current,next}.key.pem
    │   ├── vault.key                32 bytes: wraps the data key of each person
    │   └── blind-index.key          32 bytes: identifiers are looked up by its HMAC
    └── trust/                       public
        ├── certificates/            signers whose certificates count; training/ for practice
        └── bundle/{current,next}.pem  the keys a bundle must be signed by

Sources: "Electronic Health Certificate Specification" 1.0.8 §5 and appendix A; RFC 5869 (HKDF).
"""

from __future__ import annotations

import os
import stat
from datetime import datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_public_key
from cryptography.x509 import load_der_x509_certificate, load_pem_x509_certificate

from healthcert.errors import BadInput, BadSettings, NotReady
from healthcert.gateways.files import OWNER_ONLY, alone, write_whole
from healthcert.gateways.signer import BundleSigner, FileSigner
from healthcert.hcert.cose import PublicKey
from healthcert.hcert.trust import TrustedKey, TrustList, from_certificate
from healthcert.services.key_making import (
    MARK,
    Authority,
    certificate_authority,
    new_key,
    pem_of,
    signer,
)

PURPOSES = {"v": "vaccination", "t": "test", "r": "recovery"}
BUNDLE_KEYS = ("current", "next")
RAW_KEYS = ("vault", "blind-index")
_RAW_BYTES = 32
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_CERTIFICATES = {".pem", ".crt", ".cer", ".der"}


def make_development_keys(folder: Path, *, country: str, now: datetime) -> list[Path]:
    """Make whatever is missing of a set of keys to develop and demonstrate with.

    What is there stays as it is; several processes may ask at once. Every certificate's subject
    says DEVELOPMENT, and production refuses it.

    Args:
        folder: The folder of keys, ``keys/``; made if need be.
        country: Two letters, for the subjects.
        now: Their lives begin some weeks before it, so that they are in use from the first day.

    Returns:
        The files that were made; empty when nothing was missing.
    """
    private = folder / "development"
    for wanted in (private, folder / "trust" / "certificates", folder / "trust" / "bundle"):
        wanted.mkdir(parents=True, exist_ok=True)
    private.chmod(stat.S_IRWXU)
    with alone(private):
        made = _secrets(private)
        passphrase = _passphrase(read_secret(private / "secret"))
        made += _chain(private, folder / "trust" / "certificates", country, now, passphrase)
        return made + _bundle_keys(private, folder / "trust" / "bundle", passphrase)


def read_secret(path: Path) -> bytes:
    """Return the secret in a file, without white space around it.

    Raises:
        NotReady: The file is missing or empty.
    """
    try:
        secret = path.read_bytes().strip()
    except OSError as error:
        raise NotReady(f"no secret at {path}: {error.strerror}") from None
    if not secret:
        raise NotReady(f"the secret at {path} is empty")
    return secret


def load_signers(folder: Path, secret: bytes) -> dict[str, FileSigner]:
    """Return the certificate signers of one environment by kind: ``v``, ``t``, ``r``.

    A kind whose key is not there is left out; the others still sign.

    Args:
        folder: The private folder, such as ``keys/development``.
        secret: What `read_secret` gave.

    Raises:
        SignerUnavailable: A key is there and cannot be opened.
    """
    passphrase = _passphrase(secret)
    return {
        kind: FileSigner.open(
            folder / f"{name}.key.pem", folder / f"{name}.cert.pem", passphrase=passphrase
        )
        for kind, name in PURPOSES.items()
        if (folder / f"{name}.key.pem").exists()
    }


def load_bundle_signer(folder: Path, secret: bytes, *, which: str = "current") -> BundleSigner:
    """Return the key that signs bundles now; or the ``next`` one, after a change of keys.

    Raises:
        SignerUnavailable: It is missing or cannot be opened.
    """
    return BundleSigner.open(folder / f"bundle-{which}.key.pem", passphrase=_passphrase(secret))


def load_pins(folder: Path) -> list[PublicKey]:
    """Return the pinned bundle keys of ``keys/trust/bundle``, the current one first.

    Raises:
        NotReady: There is none, or one cannot be read.
    """
    paths = [path for which in BUNDLE_KEYS if (path := folder / f"{which}.pem").exists()]
    if not paths:
        raise NotReady(f"no pinned bundle key in {folder}")
    return [_public_key(path) for path in paths]


def load_trust(folder: Path) -> TrustList:
    """Return the signers whose certificates lie in a folder, in PEM or DER.

    Those in its ``training`` subfolder sign certificates made for practice.

    Raises:
        NotReady: A file with the name of a certificate is none.
    """
    real = [_trusted(path, training=False) for path in _certificates(folder)]
    return TrustList(
        real + [_trusted(path, training=True) for path in _certificates(folder / "training")]
    )


def check_production_keys(folder: Path) -> None:
    """Refuse keys that a production service must not run on.

    Args:
        folder: The folder of keys; ``production/`` and ``trust/`` of it are looked at.

    Raises:
        BadSettings: A private file is readable by others or not encrypted, a certificate says
            DEVELOPMENT, or there is nothing to sign with. The message names the file.
    """
    private = folder / "production"
    files = sorted(path for path in private.rglob("*") if path.is_file())
    if not files:
        raise BadSettings(f"no keys in {private}")
    for path in files:
        _refuse_open(path)
    for path in [*files, *_certificates(folder / "trust" / "certificates")]:
        if path.suffix in _CERTIFICATES and MARK in _subject(path):
            raise BadSettings(f"{path} is a development certificate")


def _secrets(private: Path) -> list[Path]:
    """Make the random secret and the two raw keys."""
    made = []
    if not (private / "secret").exists():
        if any(private.glob("*.key.pem")):
            raise NotReady(f"the secret of the keys in {private} is lost: empty that folder")
        write_whole(private / "secret", os.urandom(32).hex().encode() + b"\n", mode=OWNER_ONLY)
        made.append(private / "secret")
    for name in RAW_KEYS:
        path = private / f"{name}.key"
        if not path.exists():
            write_whole(path, os.urandom(_RAW_BYTES), mode=OWNER_ONLY)
            made.append(path)
    return made


def _chain(
    private: Path, public: Path, country: str, now: datetime, passphrase: bytes
) -> list[Path]:
    """Make the authority and one signer a purpose, and publish the signers' certificates."""
    made = []
    authority_key, authority = private / "csca.key.pem", private / "csca.cert.pem"
    if not (authority_key.exists() and authority.exists()):
        key = new_key()
        made += _private(authority_key, pem_of(key, passphrase))
        made += _private(authority, certificate_authority(key, country, now))
    for kind, name in PURPOSES.items():
        path, certificate = private / f"{name}.key.pem", private / f"{name}.cert.pem"
        if not (path.exists() and certificate.exists()):
            key = new_key()
            made += _private(path, pem_of(key, passphrase))
            parent = Authority.open(authority.read_bytes(), authority_key.read_bytes(), passphrase)
            pem = signer(key, kind, country=country, now=now, authority=parent)
            made += _private(certificate, pem)
        shown = public / f"development-{name}.pem"
        if not shown.exists() or shown.read_bytes() != certificate.read_bytes():
            write_whole(shown, certificate.read_bytes())
            made.append(shown)
    return made


def _bundle_keys(private: Path, public: Path, passphrase: bytes) -> list[Path]:
    made = []
    for which in BUNDLE_KEYS:
        path, pin = private / f"bundle-{which}.key.pem", public / f"{which}.pem"
        if path.exists() and pin.exists():
            continue
        key = new_key()
        made += _private(path, pem_of(key, passphrase))
        write_whole(pin, pem_of(key.public_key()))
        made.append(pin)
    return made


def _private(path: Path, pem: bytes) -> list[Path]:
    write_whole(path, pem, mode=OWNER_ONLY)
    return [path]


def _passphrase(secret: bytes) -> bytes:
    """Return what opens the key files: derived, so that the secret itself opens nothing."""
    derive = HKDF(SHA256(), length=32, salt=None, info=b"healthcert key files")
    return derive.derive(secret).hex().encode()


def _public_key(path: Path) -> PublicKey:
    try:
        key = load_pem_public_key(path.read_bytes())
    except (OSError, ValueError):
        raise NotReady(f"no public key in {path}") from None
    if not isinstance(key, EllipticCurvePublicKey | RSAPublicKey):
        raise NotReady(f"the key in {path} is neither EC nor RSA")
    return key


def _certificates(folder: Path) -> list[Path]:
    found = folder.iterdir() if folder.is_dir() else ()
    return sorted(path for path in found if path.suffix in _CERTIFICATES)


def _trusted(path: Path, *, training: bool) -> TrustedKey:
    try:
        data = path.read_bytes()
        if data.startswith(b"-----BEGIN"):
            data = load_pem_x509_certificate(data).public_bytes(Encoding.DER)
        return from_certificate(data, training=training)
    except (OSError, ValueError, BadInput):
        raise NotReady(f"no certificate in {path}") from None


def _refuse_open(path: Path) -> None:
    if path.stat().st_mode & _OTHERS:
        raise BadSettings(f"{path} can be read or changed by others: chmod 600")
    text = path.read_bytes()
    if b"PRIVATE KEY-----" in text and b"BEGIN ENCRYPTED PRIVATE KEY-----" not in text:
        raise BadSettings(f"{path} is not encrypted")


def _subject(path: Path) -> str:
    """Return the subject of a certificate; empty for a file that is none."""
    data = path.read_bytes()
    try:
        pem = data.startswith(b"-----BEGIN")
        found = load_pem_x509_certificate(data) if pem else load_der_x509_certificate(data)
    except ValueError:
        return ""
    return found.subject.rfc4514_string()
