"""The key files of the vault: the first, those that follow it, and one that is on its way.

vault.key  vault-2.key  ...        the one of the highest number wraps; all open
vault-3.next                       opens only, until every process knows it
blind-index.key ...                the same for what people are found by
"""

import secrets
from pathlib import Path

from healthcert.errors import NotReady, WrongState
from healthcert.gateways.files import OWNER_ONLY, write_whole
from healthcert.gateways.vault import KEY_BYTES, Vault
from healthcert.services.keys import RAW_KEYS


def load_vault(folder: Path) -> Vault:
    """Return the vault of an environment's private folder, with every key there is.

    Raises:
        NotReady: A key is missing, cannot be read, has another length or is there twice.
    """
    masters, indexes = (_read(folder, name) for name in RAW_KEYS)
    return Vault(masters[0], indexes[0], other_masters=masters[1:], other_indexes=indexes[1:])


def prepare_next(folder: Path) -> list[Path]:
    """Make the next keys beside those in use, readable by their owner alone; return their files.

    Raises:
        WrongState: Next ones are waiting already.
    """
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
    """Put the next keys in use; return their files under the names they now have.

    Raises:
        WrongState: There are none.
    """
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
