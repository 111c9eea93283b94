"""What is trusted, as the public folder ``keys/trust`` says it: pinned keys and signers.

How the folder is laid out stands at the head of `services.keys`.
"""

from collections.abc import Collection
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_public_key
from cryptography.x509 import load_pem_x509_certificate

from healthcert.errors import BadTrustList, NotReady
from healthcert.hcert import trust_lists
from healthcert.hcert.cose import PublicKey
from healthcert.hcert.trust import TrustList

BUNDLE_KEYS = ("current", "next")
CERTIFICATES, LISTS = {".pem", ".crt", ".cer", ".der"}, {".json"}


def load_pins(folder: Path) -> list[PublicKey]:
    """Return the pinned bundle keys of a folder, the current one first; `NotReady` without any."""
    paths = [path for which in BUNDLE_KEYS if (path := folder / f"{which}.pem").exists()]
    if not paths:
        raise NotReady(f"no pinned bundle key in {folder}")
    return [read_public_key(path) for path in paths]


def read_public_key(path: Path) -> PublicKey:
    """Return the public key in a PEM file; `NotReady` if there is none that is EC or RSA."""
    try:
        key = load_pem_public_key(path.read_bytes())
    except (OSError, ValueError):
        raise NotReady(f"no public key in {path}") from None
    if not isinstance(key, EllipticCurvePublicKey | RSAPublicKey):
        raise NotReady(f"the key in {path} is neither EC nor RSA")
    return key


def load_trust(folder: Path) -> TrustList:
    """Return the signers that a folder names: certificates in PEM or DER, and lists (`.json`).

    Those in its ``training`` subfolder sign certificates made for practice.

    Raises:
        NotReady: A file with the name of a certificate or of a list is none.
    """
    places = ((folder, False), (folder / "training", True))
    return TrustList(
        key
        for place, training in places
        for path in files_in(place, CERTIFICATES | LISTS)
        for key in _trusted(path, training=training)
    )


def der_of(path: Path) -> bytes:
    """Return the certificate in a file as DER; `ValueError` if what says it is PEM is not."""
    data = path.read_bytes()
    if data.startswith(b"-----BEGIN"):
        return load_pem_x509_certificate(data).public_bytes(Encoding.DER)
    return data


def files_in(folder: Path, suffixes: Collection[str]) -> list[Path]:
    """Return the files of a folder by their suffix, `CERTIFICATES` or `LISTS`, in order."""
    found = folder.iterdir() if folder.is_dir() else ()
    return sorted(path for path in found if path.suffix in suffixes)


def _trusted(path: Path, *, training: bool) -> TrustList:
    try:
        data = path.read_bytes()
        return trust_lists.read(data, source=path.name, training=training).trust()
    except (OSError, BadTrustList):
        raise NotReady(f"no certificate in {path}") from None
