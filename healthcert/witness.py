"""A witness of the audit: run by an oversight body, away from the service and its database.

It cosigns a head only if it grew out of the one it cosigned before, so the past cannot be
changed behind its back. What it took stays in its folder, and is evidence:

    state/
    ├── cosigned.seals          every head it cosigned, and the leaves it was shown
    └── edge.json               the edge of the newest tree, so that it need not be built anew

Needs neither the database's packages nor the web's: `python -m healthcert.witness`.
Source: c2sp.org/tlog-witness (add-checkpoint), carried by files in place of HTTP.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import click

from healthcert.errors import BadProof, Refusal
from healthcert.gateways import seal_files
from healthcert.gateways.files import alone, write_whole
from healthcert.gateways.note_keys import NoteSigner, make_note_key, read_verifier
from healthcert.gateways.private_key import passphrase_of
from healthcert.transparency.merkle import Edge
from healthcert.transparency.notes import (
    LOG,
    WITNESS,
    Checkpoint,
    Verifier,
    base64,
    cosigned_at,
    opened,
    parts,
    unbase64,
)
from healthcert.transparency.seals import Seal, check_proof, judge_request, judge_seals

COSIGNED = "cosigned.seals"

_FILE = click.Path(path_type=Path, dir_okay=False, exists=True)
_SECRET = click.option("--secret", type=_FILE, required=True, help="File whose words lock the key.")
_LOG = click.option("--log", type=_FILE, required=True, help="Verifier key of the log (.vkey).")


@dataclass(frozen=True, slots=True)
class Witness:
    """A witness of one log, with its memory.

    Attributes:
        state: Folder of its own.
        log: Whose heads it cosigns.
        signer: Its key.
    """

    state: Path
    log: Verifier
    signer: NoteSigner

    def cosign(self, request: str, now: datetime) -> str:
        """Return the cosignature of the head in a request; it is remembered first.

        Raises:
            BadProof: See `judge_request`; the memory stays as it was.
        """
        with alone(self.state):
            _, note = judge_request(request, log=self.log, held=self._held())
            return self._remember([Seal(note)], None, now)

    def cosign_seals(self, seals: Iterable[Seal], now: datetime) -> str:
        """Return the cosignature of the last of the seals, each checked leaf by leaf.

        Raises:
            BadProof: See `judge_seals`, or nothing is new; the memory stays as it was.
        """
        taken: list[Seal] = []
        with alone(self.state):
            edge = judge_seals(seals, log=self.log, edge=self._edge(), witnessed=taken.append)
            if not taken:
                raise BadProof(f"nothing is new: this witness holds size {edge.size}")
            return self._remember(taken, edge, now)

    def _held(self) -> Checkpoint | None:
        seal = seal_files.newest(self.state)
        return opened(seal.note, self.log) if seal else None

    def _edge(self) -> Edge:
        held, path = self._held(), self.state / "edge.json"
        if held is None:
            return Edge()
        if path.exists():
            size, peaks = json.loads(path.read_text(encoding="utf-8"))
            edge = Edge(size, tuple(map(unbase64, peaks)))
            if (edge.size, edge.root) == (held.size, held.root):
                return edge
        seals = seal_files.read(self.state)
        return judge_seals(seals, log=self.log, edge=Edge(), witnessed=lambda _: None)

    def _remember(self, seals: list[Seal], edge: Edge | None, now: datetime) -> str:
        at = int(now.timestamp())
        lines = [self.signer.cosign(parts(seal.note)[0], at) for seal in seals]
        cosigned = (
            replace(seal, note=seal.note + line) for seal, line in zip(seals, lines, strict=True)
        )
        seal_files.append(self.state / COSIGNED, cosigned)
        if edge:
            told = json.dumps([edge.size, list(map(base64, edge.peaks))])
            write_whole(self.state / "edge.json", told.encode())
        return lines[-1]


@click.command("witness")
@click.option("--key", type=_FILE, required=True, help="The witness's key, its .vkey beside it.")
@_SECRET
@_LOG
@click.option("--state", type=click.Path(path_type=Path, file_okay=False), required=True)
@click.option("--seals", type=click.Path(path_type=Path, exists=True), help="The service's seals.")
def witness(key: Path, secret: Path, log: Path, state: Path, seals: Path | None) -> None:
    r"""Cosign a head, if it grew out of the one cosigned before; exit 1 if not.

    Reads a request (`healthcert audit request`) from the standard input, or the service's
    seals; writes the cosignature (`healthcert audit cosign`).

    \b
    Example:
      python -m healthcert.witness witness --key w.pem --secret s --log log.vkey --state w < request
    """
    state.mkdir(parents=True, exist_ok=True)
    verifier = read_verifier(key.with_suffix(".vkey"))
    signer = NoteSigner.open(key, verifier, passphrase=_passphrase(secret))
    ours, now = Witness(state, read_verifier(log), signer), datetime.now(UTC)
    if seals:
        line = ours.cosign_seals(seal_files.read(seals), now)
    else:
        line = ours.cosign(sys.stdin.buffer.read().decode(errors="replace"), now)
    click.echo(line, nl=False)


@click.command()
@click.argument("proof", type=_FILE)
@_LOG
@click.option("--witness", "witnesses", type=_FILE, multiple=True, help="Who must have cosigned.")
def check(proof: Path, log: Path, witnesses: tuple[Path, ...]) -> None:
    r"""Check a proof that an event was sealed, and show the event; exit 1 if it does not hold.

    \b
    Example:
      python -m healthcert.witness check event.tlog-proof --log log.vkey --witness w.vkey
    """
    text = proof.read_text(encoding="utf-8")
    head, index, entry = check_proof(text, log=read_verifier(log))
    for each in map(read_verifier, witnesses):
        at = cosigned_at(text.partition("\n\n")[2], each)
        if at is None:
            raise BadProof(f"{each.name} did not cosign this head")
        click.echo(f"cosigned by {each.name} at {datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M}")
    click.echo(f"event {index} of {head.size}, sealed by {head.origin}:\n{entry.decode()}")


@click.command("key")
@click.argument("name")
@click.argument("path", type=click.Path(path_type=Path, dir_okay=False))
@_SECRET
@click.option("--for-log", is_flag=True, help="A log's key; else a witness's.")
def new_key(name: str, path: Path, secret: Path, *, for_log: bool) -> None:
    r"""Make a key in a file that is not there yet, its verifier key beside it (.vkey).

    \b
    Example:
      python -m healthcert.witness key witness.example/audit w.pem --secret s
    """
    if path.exists():
        raise click.UsageError(f"{path} is there already")
    kind = LOG if for_log else WITNESS
    verifier = make_note_key(path, name, kind, passphrase=_passphrase(secret))
    write_whole(path.with_suffix(".vkey"), f"{verifier}\n".encode())
    click.echo(verifier)


def _passphrase(secret: Path) -> bytes:
    return passphrase_of(secret.read_bytes().strip())


class _Program(click.Group):
    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except Refusal as refusal:
            raise click.ClickException(str(refusal)) from None


if __name__ == "__main__":
    _Program(commands=[witness, check, new_key])(prog_name="healthcert.witness")
