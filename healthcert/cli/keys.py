"""Make a set of development keys, and show the keys there are."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime

import click

from healthcert.config import Settings
from healthcert.errors import BadSettings
from healthcert.services.development_keys import make_development_keys
from healthcert.services.keys import load_signers, load_trust, read_secret


@click.group()
def keys() -> None:
    """Signing keys: make a development set, show what there is."""


@keys.command()
def development() -> None:
    """Make whatever is missing of a set of development keys.

    \b
    Example:
      HEALTHCERT_KEYS_DIR=keys healthcert keys development
    """
    settings = Settings.from_env(os.environ)
    if not settings.development:
        raise BadSettings("development keys are for HEALTHCERT_ENV=development only")
    now = datetime.now(UTC)
    for path in make_development_keys(settings.keys_dir, country=settings.country, now=now):
        click.echo(f"made {path}")


@keys.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def show(*, as_json: bool) -> None:
    """Show the signers we have and those we trust.

    \b
    Example:
      healthcert keys list --json
    """
    settings = Settings.from_env(os.environ)
    private = settings.keys_dir / settings.env
    secret = read_secret(settings.secret_file)
    ours = {signer.kid for signer in load_signers(private, secret).values()}
    for key in load_trust(settings.keys_dir / "trust" / "certificates"):
        row: dict[str, object] = {
            "kid": key.kid.hex(),
            "country": key.country,
            "kinds": "".join(sorted(key.usages)) or "any",
            "name": key.name,
            "not_before": f"{key.not_before:%Y-%m-%d}" if key.not_before else None,
            "not_after": f"{key.not_after:%Y-%m-%d}" if key.not_after else None,
            "training": key.training,
            "ours": key.kid in ours,
        }
        click.echo(json.dumps(row) if as_json else _line(row))


def _line(row: dict[str, object]) -> str:
    mark = "signs" if row["ours"] else "trusted"
    life = f"{row['not_before']} to {row['not_after']}"
    return f"{row['kid']}  {row['country']:2}  {row['kinds']:3}  {life}  {mark:7}  {row['name']}"
