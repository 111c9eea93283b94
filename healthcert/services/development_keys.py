"""A set of keys to develop and demonstrate with, and what production must not run on.

They are laid out as `services.keys` finds them.
"""

import os
import re
import stat
from collections.abc import Collection
from datetime import datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.x509 import load_der_x509_certificate

from healthcert.errors import BadSettings, NotReady
from healthcert.gateways.files import OWNER_ONLY, alone, write_whole
from healthcert.gateways.note_keys import make_note_key
from healthcert.gateways.private_key import passphrase_of
from healthcert.hcert.trust_lists import read
from healthcert.services.key_making import MARK, YEAR, Chain, Wanted, pem_of
from healthcert.services.keys import AUDIT_LOG, AUTHORITY, PURPOSES, RAW_KEYS, read_secret
from healthcert.services.trusted import BUNDLE_KEYS, CERTIFICATES, LISTS, der_of, files_in
from healthcert.transparency.notes import LOG

_RAW_BYTES = 32
_BEFORE, _SIGNER_BEFORE = timedelta(days=90), timedelta(days=60)  # born active
_RAW = re.compile(r"(vault|blind-index)(-\d+)?\.(key|next)$")
_LEAST, _LEAST_UNLIKE = 32, 8  # bytes
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_UNENCRYPTED = re.compile(rb"BEGIN (?!ENCRYPTED )[A-Z ]*PRIVATE KEY")


def make_development_keys(folder: Path, *, country: str, now: datetime) -> list[Path]:
    """Make whatever is missing of a set of keys to develop with; return the files that were made.

    What is there stays as it is; several processes may ask at once. Every certificate's subject
    says DEVELOPMENT, and production refuses it. Their lives begin some weeks before `now`, so that
    they are in use from the first day.
    """
    private = folder / "development"
    for wanted in (private, folder / "trust" / "certificates", folder / "trust" / "bundle"):
        wanted.mkdir(parents=True, exist_ok=True)
    private.chmod(stat.S_IRWXU)
    with alone(private):
        made = _secrets(private)
        passphrase = passphrase_of(read_secret(private / "secret"))
        made += _chain(private, folder / "trust" / "certificates", country, now, passphrase)
        made += _audit_key(private, folder / AUDIT_LOG, f"{country}/DEVELOPMENT", passphrase)
        return made + _bundle_keys(private, folder / "trust" / "bundle", passphrase)


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
        if not any(private.glob(f"{name}*.key")):
            write_whole(path, os.urandom(_RAW_BYTES), mode=OWNER_ONLY)
            made.append(path)
    return made


def _chain(
    private: Path, public: Path, country: str, now: datetime, passphrase: bytes
) -> list[Path]:
    """Make the authority and one signer a purpose, and publish the signers' certificates."""
    signers = {
        kind: Wanted(f"{MARK} signer, {name}", private / name, now - _SIGNER_BEFORE, passphrase)
        for kind, name in PURPOSES.items()
    }
    above = Wanted(f"{MARK} authority", private / AUTHORITY, now - _BEFORE, passphrase)
    chain = Chain(country, f"{MARK}, not for real certificates", above, signers, 2 * YEAR)
    made = chain.make()
    for wanted in signers.values():
        certificate = wanted.certificate_file.read_bytes()
        shown = public / f"development-{wanted.stem.name}.pem"
        if not shown.exists() or shown.read_bytes() != certificate:
            write_whole(shown, certificate)
            made.append(shown)
    return made


def _bundle_keys(private: Path, public: Path, passphrase: bytes) -> list[Path]:
    made = []
    for which in BUNDLE_KEYS:
        path, pin = private / f"bundle-{which}.key.pem", public / f"{which}.pem"
        if path.exists() and pin.exists():
            continue
        key = generate_private_key(SECP256R1())
        write_whole(path, pem_of(key, passphrase), mode=OWNER_ONLY)
        made.append(path)
        write_whole(pin, pem_of(key.public_key()))
        made.append(pin)
    return made


def _audit_key(private: Path, public: Path, name: str, passphrase: bytes) -> list[Path]:
    path = private / "audit.key.pem"
    if path.exists() and public.exists():
        return []
    public.parent.mkdir(exist_ok=True)
    log = make_note_key(path, f"healthcert.invalid/{name}", LOG, passphrase=passphrase)
    write_whole(public, f"{log}\n".encode())
    return [path, public]


def check_production_keys(folder: Path, secret_file: Path) -> None:
    """Refuse keys that a production service must not run on.

    ``production/`` and ``trust/`` of the folder are looked at, and the secret, wherever it lies.

    Raises:
        BadSettings: A private file is readable by others or not encrypted, a secret is short,
            plain or that of development, a certificate says DEVELOPMENT, or there is nothing to
            sign with. The message names the file.
        BadTrustList: A list of trusted signers is none.
    """
    private, public = folder / "production", folder / "trust" / "certificates"
    files = sorted(path for path in private.rglob("*") if path.is_file())
    if not files:
        raise BadSettings(f"no keys in {private}")
    for path in {*files, secret_file}:
        _refuse_open(path)
    known = {path.read_bytes() for path in (folder / "development").glob("*") if path.is_file()}
    _refuse_weak([secret_file, *(each for each in files if _RAW.match(each.name))], known)
    for path in [*files, *files_in(public, CERTIFICATES)]:
        if path.suffix in CERTIFICATES and MARK in _subject(path):
            raise BadSettings(f"{path} is a development certificate")
    log = folder / AUDIT_LOG
    if log.exists() and MARK in log.read_text(encoding="utf-8"):
        raise BadSettings(f"{log} is a development key")
    for path in files_in(public, LISTS):
        if any(MARK in signer.key.name for signer in read(path.read_bytes()).signers):
            raise BadSettings(f"{path} names a development certificate")


def _refuse_open(path: Path) -> None:
    if path.stat().st_mode & _OTHERS:
        raise BadSettings(f"{path} can be read or changed by others: chmod 600")
    if _UNENCRYPTED.search(path.read_bytes()):
        raise BadSettings(f"{path} is not encrypted")


def _refuse_weak(files: Collection[Path], known: Collection[bytes]) -> None:
    for path in files:
        secret = path.read_bytes()
        if len(secret) < _LEAST or len(set(secret)) < _LEAST_UNLIKE or secret in known:
            raise BadSettings(f"{path} is short, plain or that of development: no secret")


def _subject(path: Path) -> str:
    """Return the subject of a certificate; empty for a file that is none."""
    try:
        return load_der_x509_certificate(der_of(path)).subject.rfc4514_string()
    except ValueError:
        return ""
