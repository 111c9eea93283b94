"""Make, show and check the offline bundle."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path

import click

from healthcert.config import Settings
from healthcert.data import value_sets
from healthcert.errors import BadBundle
from healthcert.hcert.bundle import Bundle, newer, read
from healthcert.hcert.revocation import RevocationList
from healthcert.services import rules
from healthcert.services.bundles import Contents, held, publish
from healthcert.services.keys import load_bundle_signer, load_pins, load_trust, read_secret

_FILE = click.Path(path_type=Path, dir_okay=False)
_FOLDER = click.Path(path_type=Path, file_okay=False, exists=True)


@click.group()
def bundle() -> None:
    """The signed offline bundle: keys, revocations, rules."""


@bundle.command()
@click.option("--out", type=_FILE, required=True, help="The file to put in place.")
@click.option("--trust", type=_FOLDER, help="Certificates of the signers to trust.")
@click.option("--rules", "rules_dir", type=_FOLDER, help="Entry rules, in a folder a country.")
def build(out: Path, trust: Path | None, rules_dir: Path | None) -> None:
    """Make the next bundle and put it in place.

    The trusted signers are those of a folder of certificates (PEM or DER) and of lists (as
    `keys import` makes them), by default trust/certificates of the keys folder; those in its
    training/ are for practice. The entry rules are those of our country and those of a folder,
    by default the rules taken in. What was revoked is carried on from the bundle before.

    \b
    Example:
      healthcert bundle build --out var/bundle.hcb
    """
    settings = Settings.from_env(os.environ)
    pins = load_pins(settings.pins_dir)
    private = settings.keys_dir / settings.env
    before, _ = held(out, pins=pins)
    nothing = RevocationList.of([settings.country], [])
    made = publish(
        out,
        Contents(
            trust=load_trust(trust or settings.keys_dir / "trust" / "certificates"),
            revocation=before.revocation if before else nothing,
            rules=rules.held(rules_dir or settings.rules_dir, settings.country),
            value_sets=value_sets(),
            audit_head=before.audit_head if before else None,
        ),
        signer=load_bundle_signer(private, read_secret(settings.secret_file)),
        pins=pins,
        now=datetime.now(UTC),
    )
    click.echo(f"{out}: version {made.version}, {len(made.trust)} keys")


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
    """Say whether a bundle is signed by a pinned key and not past its end.

    \b
    Example:
      healthcert bundle verify var/bundle.hcb && echo good
    """
    found = newer(None, _read(file), now=datetime.now(UTC))
    click.echo(f"{file}: version {found.version}, good until {found.expires:%Y-%m-%d %H:%M} UTC")


def _read(file: Path) -> Bundle:
    pins = load_pins(Settings.from_env(os.environ).pins_dir)
    try:
        return read(file.read_bytes(), pinned=pins)
    except OSError as error:
        raise BadBundle(f"{file}: {error.strerror}") from None


def _summary(found: Bundle) -> dict[str, object]:
    listed = found.revocation
    return {
        "version": found.version,
        "issued": found.issued.isoformat(),
        "expires": found.expires.isoformat(),
        "previous": found.previous.hex() or None,
        "keys": [
            {
                "kid": key.kid.hex(),
                "country": key.country,
                "kinds": "".join(sorted(key.usages)) or "any",
                "name": key.name,
                "training": key.training,
                "source": key.source,
            }
            for key in found.trust
        ],
        "rules": len(found.rules),
        "value_sets": sorted(found.value_sets),
        "revocation": {
            "published": sorted(listed.published),
            "held": {
                country: {kind: len(joined) // 16 for kind, joined in kinds.items()}
                for country, kinds in listed.entries.items()
            },
        },
        "audit_head": found.audit_head.hex() if found.audit_head else None,
    }
