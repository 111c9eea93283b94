"""Make development keys, take in trusted ones, show those there are, renew those of the vault."""

import json
import re
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import click

from healthcert.cli.opened import service, settings
from healthcert.cli.signing_keys import COMMANDS
from healthcert.errors import BadInput, BadSettings, NotReady
from healthcert.gateways.signer import terms
from healthcert.gateways.trust_sources import gather, keep
from healthcert.hcert.trust_chain import Authorities
from healthcert.hcert.trust_forms import bytes_of, entries
from healthcert.hcert.trust_lists import read_status
from healthcert.models import SigningKey
from healthcert.parts import Parts
from healthcert.services import rotation, signing_keys
from healthcert.services.development_keys import make_development_keys
from healthcert.services.keys import Keyring, prepare_next, read_secret, use_next
from healthcert.services.rotation import WORKS, Work
from healthcert.services.trusted import load_trust, read_public_key

_FILE = click.Path(path_type=Path, dir_okay=False, exists=True)
_PATH = click.Path(path_type=Path, exists=True)
_NAME = re.compile("[a-z0-9-]{1,40}")


@click.group()
def keys() -> None:
    """Signing keys: make a development set, trust others', show what there is."""


@keys.command()
def development() -> None:
    """Make whatever is missing of a set of development keys.

    \b
    Example:
      HEALTHCERT_KEYS_DIR=keys healthcert keys development
    """
    ours = settings()
    if not ours.development:
        raise BadSettings("development keys are for HEALTHCERT_ENV=development only")
    now = datetime.now(UTC)
    for path in make_development_keys(ours.keys_dir, country=ours.country, now=now):
        click.echo(f"made {path}")


@keys.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def show(*, as_json: bool) -> None:
    """Show the signers we have and those we trust.

    \b
    Example:
      healthcert keys list --json
    """
    ours = settings()
    mine = set(Keyring(ours.keys_dir / ours.env, read_secret(ours.secret_file)))
    states = _states()
    listed = load_trust(ours.keys_dir / "trust" / "certificates")
    unlisted = [terms(k.certificate) for kid, k in states.items() if not listed.find(kid)]
    for key in [*listed, *unlisted]:
        state = states[key.kid].state if key.kid in states else None
        row = key.told() | {"ours": bool(state) or key.kid in mine, "state": state}
        click.echo(json.dumps(row) if as_json else _line(row))


def _states() -> dict[bytes, SigningKey]:
    """Return our keys as the database knows them; none while it cannot be asked."""
    with suppress(NotReady), service() as parts, parts.doors.reading() as db:
        return {key.kid: key for key in signing_keys.every(db)}
    return {}


@keys.command("import")
@click.argument("name")
@click.argument("sources", type=_PATH, nargs=-1, required=True)
@click.option("--status", type=_FILE, help="A saved reply to /signercertificateStatus.")
@click.option("--signed-by", type=_FILE, help="PEM: whose signature each list must carry.")
@click.option(
    "--authority",
    "authorities",
    type=_FILE,
    multiple=True,
    help="A list or certificate: only who is certified by these authorities is taken in.",
)
@click.option("--training", is_flag=True, help="They sign only certificates made for practice.")
def import_(
    name: str,
    sources: tuple[Path, ...],
    status: Path | None,
    signed_by: Path | None,
    authorities: tuple[Path, ...],
    *,
    training: bool,
) -> None:
    """Take in a list of trusted signers, in place of the one of that name.

    A source is a file or a folder of files: certificates (PEM, DER), a national or gateway list,
    a DID document, or saved replies of the verifier API. An entry that cannot be used is named
    and passed over; so is a signer that its country's authority did not certify, where one is
    known: from --authority, or else from the list itself. A list that is empty, or has lost more
    than half of its signers, is refused, and the one before stays.

    \b
    Example:
      healthcert keys import gdhcn did.json
    """
    if not _NAME.fullmatch(name):
        raise BadInput({"name": "a-z, 0-9 and - only"})
    key = read_public_key(signed_by) if signed_by else None
    pinned = [bytes_of(e.data) for path in authorities for e in entries(path.read_bytes())]
    known = Authorities.of(pinned, now=datetime.now(UTC), pinned=bool(authorities))
    update = gather(sources, training=training, signed_by=key, authorities=known)
    if status:
        update = update.only(read_status(status.read_bytes()))
    trust = settings().keys_dir / "trust" / "certificates"
    kept = keep((trust / "training" if training else trust) / f"{name}.json", update)
    for words in kept.passed_over:
        click.echo(f"passed over: {words}", err=True)
    countries = len({signer.key.country for signer in kept.signers})
    click.echo(f"{name}: {len(kept.signers)} signers of {countries} countries")


@keys.command("rotate-vault")
@click.option("--prepare", is_flag=True, help="Make the next keys; then restart every process.")
@click.option("--use", is_flag=True, help="Put them in use; then restart every process.")
@click.option("--batch", default=500, show_default=True, help="People a transaction.")
def rotate_vault(batch: int, *, prepare: bool, use: bool) -> None:
    """Renew the keys that personal data lies under: prepare, use, then work through the people.

    Between the steps every process is restarted, so that none meets a key it does not know.
    Without an option everybody is brought under the newest keys, in batches: ended at any
    point, it goes on where it was. Old key files may then leave the folder; as long as a
    backup lives that needs them, keep them elsewhere.

    \b
    Example:
      healthcert keys rotate-vault --prepare
    """
    ours = settings()
    folder = ours.keys_dir / ours.env
    if prepare or use:
        for path in prepare_next(folder) if prepare else use_next(folder):
            click.echo(f"{'made' if prepare else 'in use:'} {path}")
        return
    with service() as parts:
        parts.refuse_wrong_keys()
        for work in WORKS:
            _renew(parts, work, batch)


def _renew(parts: Parts, work: Work, batch: int) -> None:
    with parts.doors.reading() as db:
        left = rotation.waiting(db, parts.vault, work)
    click.echo(f"{work}: {left} people to go")
    while done := parts.doors.run(
        lambda db: rotation.renew(db, vault=parts.vault, work=work, limit=batch)
    ):
        left = max(0, left - done)
        click.echo(f"{work}: {left} people to go")


for command in COMMANDS:
    keys.add_command(command)


def _line(row: dict[str, object]) -> str:
    mark = row["state"] or ("ours" if row["ours"] else "trusted")
    life = f"{row['not_before']} to {row['not_after']}"
    return f"{row['kid']}  {row['country']:2}  {row['kinds']:3}  {life}  {mark:11}  {row['name']}"
