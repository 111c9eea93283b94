"""A witness of the audit: run by an oversight body, away from the service and its database.

It follows the log leaf by leaf and cosigns a head only if it grew out of the one it cosigned
before. What it took stays in its folder, and is evidence: it names the event that was changed.

Needs neither the database's packages nor the web's: `python -m healthcert.witness`.
Source: c2sp.org/tlog-cosignature and c2sp.org/tlog-witness, carried by files in place of HTTP.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import click

from healthcert.errors import BadProof, Refusal
from healthcert.gateways import seal_files
from healthcert.gateways.files import OWNER_ONLY, alone, write_whole
from healthcert.gateways.note_keys import NoteSigner, make_note_key, read_verifier
from healthcert.gateways.private_key import passphrase_of
from healthcert.transparency.notes import LOG, WITNESS, Verifier, cosigned_at, opened, parts
from healthcert.transparency.seals import Seal, check_growth, check_proof, follow

_FILE = click.Path(path_type=Path, dir_okay=False, exists=True)
_SECRET = click.option("--secret", type=_FILE, required=True, help="File whose words lock the key.")
_LOG = click.option("--log", type=_FILE, required=True, help="Verifier key of the log (.vkey).")


def cosign(
    seals: Iterable[Seal], state: Path, *, log: Verifier, signer: NoteSigner, now: datetime
) -> str:
    """Return the newest head of a log, cosigned; remembered first, with every leaf before it.

    Raises:
        BadProof: The log did not grow out of what the folder `state` holds (see `follow`), or
            there is nothing; the folder stays as it was.
    """
    at = int(now.timestamp())
    with alone(state):
        held = seal_files.newest(state)
        new = [
            replace(seal, note=seal.note + signer.cosign(parts(seal.note)[0], at))
            for seal in follow(seals, log=log, held=held)
        ]
        if new:
            seal_files.append(state / "cosigned.seals", new)
    newest = new[-1] if new else held
    if newest is None:
        raise BadProof("there is no seal to cosign")
    return newest.note


@click.command()
@click.argument("seals", type=click.Path(path_type=Path, exists=True))
@click.option("--key", type=_FILE, required=True, help="The witness's key, its .vkey beside it.")
@_SECRET
@_LOG
@click.option("--state", type=click.Path(path_type=Path, file_okay=False), required=True)
def witness(seals: Path, key: Path, secret: Path, log: Path, state: Path) -> None:
    """Follow the service's seals, write the newest head cosigned; exit 1 if the past changed.

    \b
    Example:
      python -m healthcert.witness witness audit/ --key w.pem --secret s --log log.vkey --state w
    """
    state.mkdir(parents=True, exist_ok=True)
    verifier = read_verifier(key.with_suffix(".vkey"))
    signer = NoteSigner.open(key, verifier, passphrase=_passphrase(secret))
    told, now = seal_files.read(seals), datetime.now(UTC)
    note = cosign(told, state, log=read_verifier(log), signer=signer, now=now)
    click.echo(note, nl=False)


@click.command()
@click.argument("proof", type=_FILE)
@_LOG
@click.option("--witness", "witnesses", type=_FILE, multiple=True, help="Who must have cosigned.")
@click.option("--held", type=_FILE, help="An older head, if the proof is one of growth.")
def check(proof: Path, log: Path, witnesses: tuple[Path, ...], held: Path | None) -> None:
    """Check a proof of an event and show the event, or one of growth; exit 1 if it fails.

    \b
    Example:
      python -m healthcert.witness check event.tlog-proof --log log.vkey --witness w.vkey
    """
    text, signer = _read(proof), read_verifier(log)
    if held:
        older = opened(_read(held), signer)
        head = check_growth(text, log=signer, held=older)
        says = f"the {head.size} events of {head.origin} grew out of the {older.size}"
    else:
        head, index, entry = check_proof(text, log=signer)
        says = f"event {index} of {head.size}, sealed by {head.origin}:\n{entry.decode()}"
    for each in map(read_verifier, witnesses):
        at = cosigned_at(text.partition("\n\n")[2], each)
        if at is None:
            raise BadProof(f"{each.name} did not cosign this head")
        click.echo(f"cosigned by {each.name} at {datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M}")
    click.echo(says)


@click.command("key")
@click.argument("name")
@click.argument("path", type=click.Path(path_type=Path, dir_okay=False))
@_SECRET
@click.option("--for-log", is_flag=True, help="A log's key; else a witness's.")
def new_key(name: str, path: Path, secret: Path, *, for_log: bool) -> None:
    """Make a key in a file that is not there yet, its verifier key beside it (.vkey).

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


COMMANDS = (witness, check, new_key)


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")


def _passphrase(secret: Path) -> bytes:
    return passphrase_of(secret.read_bytes().strip())


if __name__ == "__main__":
    try:
        click.Group(commands=COMMANDS)(prog_name="healthcert.witness")
    except Refusal as refusal:
        click.ClickException(str(refusal)).show()
        raise SystemExit(1) from None
