"""The keys a service runs on: where they lie, how they open, and a set for development.

    keys/
    ├── <environment>/               private, its owner's alone; never tracked
    │   ├── secret                   what session, form and file secrets are derived from
    │   ├── csca.{key,cert}.pem      signs the three below; kept offline in production
    │   ├── vaccination|test|recovery.{key,cert}.pem, and vaccination-2 and so on that follow;
    │   │                            a .token.toml in place of a .key.pem names a key in a token
    │   ├── bundle-{current,next}.key.pem
    │   ├── audit.key.pem            signs the heads of the audit tree (Ed25519)
    │   ├── vault.key                32 bytes: wraps the data key of each person
    │   └── blind-index.key          32 bytes: identifiers are looked up by its HMAC; both are
    │                                followed by vault-2.key and so on; the highest number
    │                                writes, all open; vault-3.next opens only, until every
    │                                process knows it
    └── trust/                       public
        ├── certificates/            signers whose certificates count, each a certificate or in
        │                            a list (.json); training/ for practice
        ├── bundle/{current,next}.pem  the keys a bundle must be signed by
        └── audit/                   log.vkey, and a .vkey each witness below witnesses/

Sources: "Electronic Health Certificate Specification" 1.0.8 §5 and appendix A; RFC 5869 (HKDF).
"""

import secrets
from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path

from healthcert.errors import NotReady, WrongState
from healthcert.gateways.files import OWNER_ONLY, write_whole
from healthcert.gateways.note_keys import NoteSigner, read_verifier
from healthcert.gateways.pkcs11_signer import Pkcs11Signer
from healthcert.gateways.private_key import passphrase_of
from healthcert.gateways.signer import BundleSigner, Signer
from healthcert.gateways.vault import KEY_BYTES, Vault

AUTHORITY = "csca"
PURPOSES = {"v": "vaccination", "t": "test", "r": "recovery"}
RAW_KEYS = ("vault", "blind-index")
AUDIT_LOG = Path("trust", "audit", "log.vkey")


def read_secret(path: Path) -> bytes:
    """Return the secret in a file, stripped; `NotReady` if the file is missing or empty."""
    try:
        secret = path.read_bytes().strip()
    except OSError as error:
        raise NotReady(f"no secret at {path}: {error.strerror}") from None
    if not secret:
        raise NotReady(f"the secret at {path} is empty")
    return secret


class Keyring(Mapping[bytes, Signer]):
    """The certificate signers whose keys lie in one folder, by key identifier.

    A key in a file is opened when it is found, one in a token when it signs. The folder is looked
    through again each time: a new key needs no new process.
    """

    def __init__(self, folder: Path, secret: bytes) -> None:
        """Open the keys of a private folder; `SignerUnavailable` if one does not open."""
        self._folder, self._passphrase = folder, passphrase_of(secret)
        self._found: dict[Path, Signer] = {}
        self._look()

    def __getitem__(self, kid: bytes) -> Signer:
        """Return the signer with this identifier."""
        return {signer.kid: signer for signer in self._look()}[kid]

    def __iter__(self) -> Iterator[bytes]:
        """Every key identifier, in the order of the files' names."""
        return (signer.kid for signer in self._look())

    def __len__(self) -> int:
        """How many there are."""
        return len(self._look())

    def _look(self) -> list[Signer]:
        for path in sorted(self._folder.glob("*.cert.pem")):
            name = path.name.removesuffix(".cert.pem")
            key, token = (self._folder / f"{name}.{end}" for end in ("key.pem", "token.toml"))
            if path in self._found or name.startswith(AUTHORITY):
                continue
            if token.exists():
                self._found[path] = Pkcs11Signer.of(token, path)
            elif key.exists():
                self._found[path] = Signer.open(key, path, passphrase=self._passphrase)
        return list(self._found.values())


def transcript_of(folder: Path, kid: bytes) -> str:
    """Return the SHA-256 of the ceremony's transcript that names a key; empty if there is none."""
    found = (path.read_bytes() for path in sorted(folder.glob("ceremony-*.json")))
    return next((sha256(data).hexdigest() for data in found if kid.hex().encode() in data), "")


def load_bundle_signer(folder: Path, secret: bytes, *, which: str = "current") -> BundleSigner:
    """Return the key that signs bundles now; or the ``next`` one, after a change of keys.

    Raises:
        SignerUnavailable: It is missing or cannot be opened.
    """
    return BundleSigner.open(folder / f"bundle-{which}.key.pem", passphrase=passphrase_of(secret))


def load_audit_signer(keys: Path, env: str, secret: bytes) -> NoteSigner:
    """Return the key that signs the heads of the audit tree.

    Raises:
        SignerUnavailable: It is missing, cannot be opened, or is not that of ``log.vkey``.
        NotReady: There is no ``log.vkey``.
    """
    path, log = keys / env / "audit.key.pem", read_verifier(keys / AUDIT_LOG)
    return NoteSigner.open(path, log, passphrase=passphrase_of(secret))


def load_vault(folder: Path) -> Vault:
    """Return the vault of an environment's private folder, with every key there is.

    Raises:
        NotReady: A key is missing, cannot be read, has another length or is there twice.
    """
    masters, indexes = (_read(folder, name) for name in RAW_KEYS)
    return Vault(masters[0], indexes[0], other_masters=masters[1:], other_indexes=indexes[1:])


def prepare_next(folder: Path) -> list[Path]:
    """Make the next keys, their owner's alone; return the files. `WrongState` if there are some."""
    if any(folder.glob("*.next")):
        raise WrongState(f"keys in {folder} wait to be used already")
    made = []
    for name in RAW_KEYS:
        number = max(map(_number, folder.glob(f"{name}*.key")), default=0) + 1
        path = folder / f"{name}-{number}.next"
        write_whole(path, secrets.token_bytes(KEY_BYTES), mode=OWNER_ONLY)
        made.append(path)
    return made


def use_next(folder: Path) -> list[Path]:
    """Put the next keys in use; return their files as now named. `WrongState` if there are none."""
    waiting = sorted(folder.glob("*.next"))
    if not waiting:
        raise WrongState(f"no keys in {folder} wait to be used")
    return [path.rename(path.with_suffix(".key")) for path in waiting]


def _read(folder: Path, name: str) -> list[bytes]:
    """Return the keys of one kind: the one in use, those before it, and one on its way."""
    in_use = sorted(folder.glob(f"{name}*.key"), key=_number, reverse=True)
    if not in_use:
        raise NotReady(f"no key at {folder / name}.key")
    try:
        return [path.read_bytes() for path in (*in_use, *folder.glob(f"{name}*.next"))]
    except OSError as error:
        raise NotReady(f"a key in {folder} cannot be read: {error.strerror}") from None


def _number(path: Path) -> int:
    number = path.stem.rpartition("-")[2]
    return int(number) if number.isdecimal() else 1
