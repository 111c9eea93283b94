"""Where lists of trusted signers are read from, and where the one in use is kept."""

from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

from healthcert.errors import BadTrustList
from healthcert.gateways.files import alone, write_whole
from healthcert.hcert.cose import PublicKey
from healthcert.hcert.trust_chain import Authorities
from healthcert.hcert.trust_lists import SignerList, joined, read, replaced, write
from healthcert.hcert.trust_proofs import signed_body


def gather(
    sources: Iterable[Path],
    *,
    training: bool = False,
    signed_by: PublicKey | None = None,
    authorities: Authorities | None = None,
) -> SignerList:
    """Return the signers of all these files, and of the files in these folders.

    In a folder a file that names no signer is passed over; one named by itself must have some.

    `signed_by` is whose signature each file must carry; the rest is as for `trust_lists.read`.

    Raises:
        BadTrustList: A file cannot be read, is not signed as it must, or names no signer; or so
            does all of a folder.
    """
    reading = partial(read, training=training, authorities=authorities)
    read_one = partial(_file, reading=reading, signed_by=signed_by)
    return joined(
        [_folder(each, read_one) if each.is_dir() else read_one(each) for each in sources]
    )


def keep(path: Path, update: SignerList) -> SignerList:
    """Put an update in the place of a list and return it; `BadTrustList` if it is cut short."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with alone(path.parent):
        write_whole(path, write(replaced(_held(path), update)))
    return update


def _folder(folder: Path, read_one: Callable[[Path], SignerList]) -> SignerList:
    lists = []
    faults = []
    for path in sorted(path for path in folder.iterdir() if path.is_file()):
        try:
            lists.append(read_one(path))
        except BadTrustList as fault:
            faults.append(str(fault))
    if not lists:
        raise BadTrustList(f"no signer in {folder}")
    return joined([*lists, SignerList((), tuple(faults))])


def _file(
    path: Path, *, reading: Callable[..., SignerList] = read, signed_by: PublicKey | None = None
) -> SignerList:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise BadTrustList(f"{path}: {error.strerror}") from None
    body = signed_body(data, key=signed_by) if signed_by else data
    return reading(body, source=path.name)


def _held(path: Path) -> SignerList | None:
    try:
        return _file(path)
    except BadTrustList:
        return None
