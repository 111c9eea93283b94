"""A witness of the audit: run by an oversight body, away from the service and its database.

It cosigns a head only if it grew out of the one it cosigned before, so the past cannot be
changed behind its back. What it took stays in its folder, and is evidence.

Needs neither the database's packages nor the web's: `python -m healthcert.witness`.
Source: c2sp.org/tlog-witness (add-checkpoint), carried by files in place of HTTP.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

import click

from healthcert.errors import BadProof, Refusal
from healthcert.gateways import seal_files
from healthcert.gateways.files import OWNER_ONLY, write_whole
from healthcert.gateways.note_keys import NoteSigner, make_note_key, read_verifier
from healthcert.gateways.private_key import passphrase_of
from healthcert.gateways.witnessing import Witness
from healthcert.transparency.notes import (
    LOG,
    WITNESS,
    cosigned_at,
)
from healthcert.transparency.seals import check_proof

_FILE = click.Path(path_type=Path, dir_okay=False, exists=True)
_SECRET = click.option("--secret", type=_FILE, required=True, help="File whose words lock the key.")
_LOG = click.option("--log", type=_FILE, required=True, help="Verifier key of the log (.vkey).")


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
    write_whole(path.with_suffix(".vkey"), f"{verifier}\n".encode(), mode=OWNER_ONLY)
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
