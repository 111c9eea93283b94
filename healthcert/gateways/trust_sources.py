"""Where lists of trusted signers are read from, and where the one in use is kept."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from healthcert.errors import BadTrustList
from healthcert.gateways.files import alone, write_whole
from healthcert.hcert.trust_lists import SignerList, joined, read, replaced, write


def gather(sources: Iterable[Path], *, training: bool = False) -> SignerList:
    """Return the signers of all these files, and of the files in these folders.

    In a folder a file that names no signer is passed over; one named by itself must have some.

    Args:
        sources: Files and folders, as `trust_lists.read` reads them.
        training: Whether these sign only certificates made for practice.

    Raises:
        BadTrustList: A file cannot be read or names no signer, or so does all of a folder.
    """
    return joined(
        [_folder(path, training) if path.is_dir() else _file(path, training) for path in sources]
    )


def keep(path: Path, update: SignerList) -> SignerList:
    """Return the list that is now in a file: the update, which took its place at once.

    Raises:
        BadTrustList: The update is empty or cut short; the file stays as it was.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with alone(path.parent):
        write_whole(path, write(replaced(_held(path), update)))
    return update


def _folder(folder: Path, training: bool) -> SignerList:  # noqa: FBT001 - not called from outside
    lists = []
    faults = []
    for path in sorted(path for path in folder.iterdir() if path.is_file()):
        try:
            lists.append(_file(path, training))
        except BadTrustList as fault:
            faults.append(str(fault))
    if not lists:
        raise BadTrustList(f"no signer in {folder}")
    return joined([*lists, SignerList((), tuple(faults))])


def _file(path: Path, training: bool) -> SignerList:  # noqa: FBT001 - not called from outside
    try:
        data = path.read_bytes()
    except OSError as error:
        raise BadTrustList(f"{path}: {error.strerror}") from None
    return read(data, source=path.name, training=training)


def _held(path: Path) -> SignerList | None:
    try:
        return _file(path, training=False)
    except BadTrustList:
        return None
