"""Keys that a production service must not run on."""

import re
import stat
from collections.abc import Collection
from pathlib import Path

from cryptography.x509 import load_der_x509_certificate

from healthcert.errors import BadSettings
from healthcert.hcert.trust_lists import read
from healthcert.services.key_making import MARK
from healthcert.services.keys import AUDIT_LOG
from healthcert.services.trusted import CERTIFICATES, LISTS, der_of, files_in

_RAW = re.compile(r"(vault|blind-index)(-\d+)?\.(key|next)$")
_LEAST, _LEAST_UNLIKE = 32, 8  # bytes
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_UNENCRYPTED = re.compile(rb"BEGIN (?!ENCRYPTED )[A-Z ]*PRIVATE KEY")


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
