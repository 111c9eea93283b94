"""Make, show and check the offline bundle."""

import json
from datetime import UTC, datetime
from pathlib import Path

import click

from healthcert.cli.opened import service, settings
from healthcert.data import value_sets
from healthcert.errors import BadBundle
from healthcert.gateways import bundle_files
from healthcert.gateways.batch_files import lists_in, put_batches
from healthcert.hcert.bundle import Bundle, newer
from healthcert.hcert.revocation import Part, RevocationList
from healthcert.jobs.publishing import publish_now
from healthcert.services import bundles
from healthcert.services import rules as entry_rules
from healthcert.services.bundles import Contents
from healthcert.services.keys import load_bundle_signer, read_secret
from healthcert.services.trusted import load_pins, load_trust

_FILE = click.Path(path_type=Path, dir_okay=False)
_FOLDER = click.Path(path_type=Path, file_okay=False, exists=True)


@click.group()
def bundle() -> None:
    """The signed offline bundle: keys, revocations, rules."""


@bundle.command()
@click.option("--out", type=_FILE, required=True, help="The file to put in place.")
@click.option("--trust", type=_FOLDER, help="Certificates of the signers to trust.")
@click.option("--rules", type=_FOLDER, help="Entry rules, in a folder a country.")
@click.option("--revoked", type=_FOLDER, help="Batches of other issuers, a folder each.")
@click.option("--full", is_flag=True, help="Pack all revocation lists into the same file.")
def build(
    out: Path, trust: Path | None, rules: Path | None, revoked: Path | None, *, full: bool
) -> None:
    """Make the next bundle and put it in place, without a database.

    The trusted signers are those of a folder of certificates (PEM or DER) and of lists (as
    `keys import` makes them), by default trust/certificates of the keys folder; those in its
    training/ are for practice. The entry rules are those of our country and those of a folder,
    by default the rules taken in. What other issuers revoked is read from folders such as FR/
    with batches in the EU's form; what is not given, and what we revoked ourselves, is carried
    on from the bundle it replaces.

    \b
    Example:
      healthcert bundle build --out var/bundle.hcb --full
    """
    ours = settings()
    pins, now = load_pins(ours.pins_dir), datetime.now(UTC)
    before, _ = bundles.held(out, pins=pins, whole=False)
    listed = before.revocation if before else RevocationList.of([ours.country], [])
    if revoked is not None:
        listed = lists_in(revoked, now=now).with_issuer(ours.country, listed)
    made = bundles.publish(
        out,
        Contents(
            trust=load_trust(trust or ours.keys_dir / "trust" / "certificates"),
            revocation=listed,
            rules=entry_rules.held(rules or ours.rules_dir, ours.country),
            value_sets=value_sets(),
            audit_head=before.audit_head if before else None,
        ),
        signer=load_bundle_signer(ours.keys_dir / ours.env, read_secret(ours.secret_file)),
        pins=pins,
        now=now,
        full=full or None,
    )
    click.echo(f"{out}: version {made.version}, {len(made.trust)} keys")


@bundle.command()
@click.option("--full", is_flag=True, help="Pack all revocation lists into the same file.")
def publish(*, full: bool) -> None:
    """Publish the bundle of this service now, as the worker does when something changed.

    \b
    Example:
      healthcert bundle publish
    """
    ours = settings()
    with service() as parts:
        made = publish_now(parts, datetime.now(UTC), full=full or None)
    click.echo(f"{ours.bundle}: version {made.version}, {len(made.trust)} keys")


@bundle.command()
@click.option("--out", type=_FOLDER, required=True, help="An existing folder for the batches.")
def batches(out: Path) -> None:
    """Write what we revoked as batches in the EU's form, for others to take in.

    \b
    Example:
      healthcert bundle batches --out var/batches
    """
    with service() as parts, parts.doors.reading() as db:
        found = bundles.batches(db, country=parts.country, now=datetime.now(UTC))
        names = put_batches(out, found)
    for name in names:
        click.echo(name)


@bundle.command()
@click.argument("file", type=_FILE)
def show(file: Path) -> None:
    """Show what is in a bundle, as JSON; it must be signed by a pinned key.

    \b
    Example:
      healthcert bundle show var/bundle.hcb
    """
    click.echo(json.dumps(_summary(_read(file)), indent=2))


@bundle.command()
@click.argument("file", type=_FILE)
def verify(file: Path) -> None:
    """Say whether a bundle is signed by a pinned key, not past its end, and all there.

    \b
    Example:
      healthcert bundle verify var/bundle.hcb && echo good
    """
    found = newer(None, _read(file), now=datetime.now(UTC))
    if missing := found.revocation.missing():
        names = ", ".join(part.file.sha256.hex() for part in missing)
        raise BadBundle(f"{file}: revocation lists are missing: {names}")
    click.echo(f"{file}: version {found.version}, good until {found.expires:%Y-%m-%d %H:%M} UTC")


def _read(file: Path) -> Bundle:
    pins = load_pins(settings().pins_dir)
    try:
        return bundle_files.load(file, pins=pins)[0]
    except OSError as error:
        raise BadBundle(f"{file}: {error.strerror}") from None


def _summary(found: Bundle) -> dict[str, object]:
    return {
        "version": found.version,
        "issued": found.issued.isoformat(),
        "expires": found.expires.isoformat(),
        "previous": found.previous.hex() or None,
        "keys": [key.told() for key in found.trust],
        "rules": len(found.rules),
        "value_sets": sorted(found.value_sets),
        "revocation": {
            "published": sorted(found.revocation.published),
            "lists": {
                country: [_part(part, found.revocation) for part in parts]
                for country, parts in sorted(found.revocation.lists.items())
            },
        },
        "audit_head": found.audit_head.hex() if found.audit_head else None,
    }


def _part(part: Part, listed: RevocationList) -> dict[str, object]:
    return {
        "kind": part.kind,
        "entries": part.entries,
        "sha256": part.file.sha256.hex(),
        "size": part.file.size,
        "at_hand": part.file.sha256 in listed.tables,
    }
