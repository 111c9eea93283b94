"""The bundle as it lies in a folder: one file, and beside it the parts it names, by their hash.

    var/
    ├── bundle.hcb              the signed bundle; lists may be packed behind it
    └── <SHA-256>.part          a list of revocations, or the changes from one to the next

A part is put there before the bundle that names it, and taken away when neither this bundle nor
the one before names it; so a reader always finds what it was told of.
"""

from collections.abc import Collection, Iterable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

from healthcert.errors import BadBundle
from healthcert.gateways.files import write_whole
from healthcert.hcert.bundle import Bundle, read
from healthcert.hcert.bundled_lists import MOST_BYTES, part_of
from healthcert.hcert.cose import PublicKey
from healthcert.hcert.prefix_changes import changed, changes
from healthcert.hcert.prefixes import PrefixTable, read_table
from healthcert.hcert.revocation import Named, Part, RevocationList

_LARGEST = 4 * MOST_BYTES


def load(
    path: Path, *, pins: Collection[PublicKey], held: Bundle | None = None, whole: bool = True
) -> tuple[Bundle, bytes]:
    """Return the bundle in a file, with every part that can be found, and the file's SHA-256.

    Parts of a bundle `held` from before are not read again; only if `whole` are any looked for.

    Raises:
        BadBundle: It is no bundle, or none of these keys signed it.
        OSError: It cannot be read.
    """
    data = _bytes_of(path, _LARGEST)
    bundle = read(data, pinned=pins)
    return complete(bundle, path.parent, held) if whole else bundle, sha256(data).digest()


def complete(bundle: Bundle, folder: Path, held: Bundle | None = None) -> Bundle:
    """Return a bundle with those of its missing parts that lie in a folder, or follow from there.

    A part that is not there, or not what it should be, stays missing.
    """
    known = held.revocation if held else RevocationList()
    listed = bundle.revocation.with_tables(known.tables)
    found: dict[bytes, PrefixTable] = {}
    for country, parts in listed.lists.items():
        for part in parts:
            if part.file.sha256 not in listed.tables:
                table = _found(part, folder, known.table(country, part.kind))
                found |= {} if table is None else {part.file.sha256: table}
    return replace(bundle, revocation=listed.with_tables(found))


def store(folder: Path, new: RevocationList, old: RevocationList) -> RevocationList:
    """Put the parts at hand into a folder; return their names, and what changed since the old."""
    before = {(country, part.kind): part for country, parts in old.lists.items() for part in parts}
    lists = {
        country: tuple(
            _stored(folder, part, new, before.get((country, part.kind)), old) for part in parts
        )
        for country, parts in new.lists.items()
    }
    return replace(new, lists=lists)


def forget(folder: Path, keep: Iterable[RevocationList]) -> None:
    """Take away the parts in a folder that none of these lists names."""
    names = {
        file.sha256.hex()
        for listed in keep
        for parts in listed.lists.values()
        for part in parts
        for file in (part.file, part.changes)
        if file is not None
    }
    for path in folder.glob("*.part"):
        if path.stem not in names:
            path.unlink(missing_ok=True)


def part_path(folder: Path, file: Named) -> Path:
    """Return where a part lies."""
    return folder / f"{file.sha256.hex()}.part"


def _found(part: Part, folder: Path, previous: PrefixTable | None) -> PrefixTable | None:
    """Return a part that lies in the folder, whole or as changes of a part that is known."""
    try:
        if (data := _named(folder, part.file)) is not None:
            return read_table(data)
        if previous is None or part.changes is None:
            return None
        if (data := _named(folder, part.changes)) is None:
            return None
        return part_of(changed(previous, data).as_bytes(), part)
    except BadBundle:
        return None


def _named(folder: Path, file: Named) -> bytes | None:
    """Return the file of a name; None where it is not there, or is another."""
    try:
        data = _bytes_of(part_path(folder, file), file.size)
    except (OSError, BadBundle):
        return None
    return data if Named.of(data) == file else None


def _bytes_of(path: Path, most: int) -> bytes:
    with path.open("rb") as file:
        data = file.read(most + 1)
    if len(data) > most:
        raise BadBundle(f"{path.name} is larger than it may be")
    return data


def _stored(
    folder: Path, part: Part, new: RevocationList, before: Part | None, old: RevocationList
) -> Part:
    """Put one part and its changes into the folder; return it with its changes named."""
    table = new.tables.get(part.file.sha256)
    if table is None:
        return part
    _put(folder, part.file, table.as_bytes())
    if before is None:
        return part
    if before.file == part.file:
        return replace(part, changes=before.changes)
    earlier = old.tables.get(before.file.sha256)
    told = None if before.changes is None else _named(folder, before.changes)
    data = None if earlier is None else changes(earlier, table, told)
    if data is None:
        return part
    named = Named.of(data)
    _put(folder, named, data)
    return replace(part, changes=named)


def _put(folder: Path, file: Named, data: bytes) -> None:
    if _named(folder, file) is None:
        write_whole(part_path(folder, file), data)
