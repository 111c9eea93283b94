"""A set of keys to develop and demonstrate with, laid out as `services.keys` finds them."""

import os
import stat
from datetime import datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key

from healthcert.errors import NotReady
from healthcert.gateways.files import OWNER_ONLY, alone, write_whole
from healthcert.gateways.note_keys import make_note_key
from healthcert.gateways.private_key import passphrase_of
from healthcert.services.key_making import MARK, YEAR, Chain, Wanted, pem_of
from healthcert.services.keys import AUDIT_LOG, AUTHORITY, PURPOSES, RAW_KEYS, read_secret
from healthcert.services.trusted import BUNDLE_KEYS
from healthcert.transparency.notes import LOG

_RAW_BYTES = 32
_BEFORE, _SIGNER_BEFORE = timedelta(days=90), timedelta(days=60)  # born active


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
