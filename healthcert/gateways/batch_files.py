"""Revocation batches of other issuers, as an operator lays them down in folders."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path

from healthcert.errors import BadInput, NotReady
from healthcert.gateways.files import write_whole
from healthcert.hcert.batches import MOST_BYTES, Batch, read_batch, write_batch
from healthcert.hcert.revocation import RevocationList


def lists_in(folder: Path, *, now: datetime) -> RevocationList:
    """Return what the issuers of a folder took back.

    Each country that publishes has a folder of its own, named by its two letters; in it lie its
    batches in the EU's form, as ``.json`` files. One without any took nothing back. A batch that
    is past its end, or was deleted, counts no more: its certificates are good again.

    Raises:
        BadInput: A file is no batch, or one of another country; says which file and entry.
        NotReady: A file cannot be read.
    """
    countries = sorted(path for path in folder.iterdir() if path.is_dir())
    return RevocationList.of(
        (country.name for country in countries),
        (
            (country.name, batch.kind, found)
            for country in countries
            for batch in _batches(country)
            if now <= batch.expires
            for found in batch.hashes
        ),
    )


def put_batches(folder: Path, batches: Iterable[Batch]) -> list[str]:
    """Return the names of the files into which batches were written, such as ``FR-0001.json``."""
    names = []
    for number, batch in enumerate(batches, 1):
        names.append(f"{batch.country}-{number:04}.json")
        write_whole(folder / names[-1], write_batch(batch))
    return names


def _batches(country: Path) -> Iterator[Batch]:
    for path in sorted(country.glob("*.json")):
        try:
            batch = read_batch(_bytes_of(path, MOST_BYTES + 1))
        except BadInput as refusal:
            raise _of_file(path, country.parent, refusal.fields) from None
        if batch.country != country.name:
            raise _of_file(path, country.parent, {"country": f"not_{country.name}"})
        yield batch


def _of_file(path: Path, folder: Path, wrong: Mapping[str, str]) -> BadInput:
    name = path.relative_to(folder)
    return BadInput({f"{name} {field}": what for field, what in wrong.items()})


def _bytes_of(path: Path, most: int) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(most)
    except OSError as error:
        raise NotReady(f"{path}: {error.strerror}") from None
