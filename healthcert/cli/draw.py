"""`healthcert draw`: commit to a draw, close its list, run it; and check one by its files alone."""

import json
import os
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import click

from healthcert.config import Settings
from healthcert.gateways import room_files
from healthcert.gateways.files import write_whole
from healthcert.models import Draw
from healthcert.parts import Parts, ready_parts
from healthcert.policy.draw import Rules, differences
from healthcert.services import draws
from healthcert.services.roster import present

_PIECE = 10_000  # ranks of one transaction
_BY = click.option("--staff", type=click.UUID, required=True, help="Who answers for it.")
_DRAW = click.argument("draw_id", metavar="DRAW", type=click.UUID)


@click.group()
def draw() -> None:
    """Draw lots among those who wait, so that anybody can compute them again."""


@draw.command()
@click.option("--programme", required=True, help="Its code.")
@click.option("--source", required=True, help="Where the public value will be read, in words.")
@click.option("--closes", required=True, help="The list: 2026-03-02T09:00:00Z.")
@click.option("--places", type=click.IntRange(1), required=True)
@click.option("--reserve", type=(str, int), multiple=True, help="phase:… or region:…, percent.")
@_BY
def commit(staff: UUID, reserve: tuple[tuple[str, int], ...], **told: str | int) -> None:
    """Announce a draw: print its number and the commitment, and make its page.

    \b
    Example:
      healthcert draw commit --programme covid19 --places 5000 --reserve region:XX-N 20 \\
        --closes 2026-03-02T09:00:00Z --source "the national lottery of 3 March" --staff STAFF
    """
    rules = Rules(reserves=dict(reserve), **told)  # type: ignore[arg-type]
    with ready_parts(Settings.from_env(os.environ)) as parts:
        announced = partial(draws.announce, vault=parts.vault, rules=rules)
        _done(parts, announced, staff)


@draw.command()
@_DRAW
@_BY
def close(draw_id: UUID, staff: UUID) -> None:
    """Close the list of a draw whose time has come, and publish it."""
    with ready_parts(Settings.from_env(os.environ)) as parts:
        _done(parts, partial(draws.close, draw_id=draw_id), staff)


@draw.command("give-up")
@_DRAW
@_BY
def give_up(draw_id: UUID, staff: UUID) -> None:
    """End a draw before its seed is shown; that it was announced stays to be seen."""
    with ready_parts(Settings.from_env(os.environ)) as parts:
        _done(parts, partial(draws.give_up, draw_id=draw_id), staff)


@draw.command()
@_DRAW
@click.argument("public_value")
@_BY
def run(draw_id: UUID, public_value: str, staff: UUID) -> None:
    """Draw with the public value; ended at any point and begun again, it goes on."""
    with ready_parts(Settings.from_env(os.environ)) as parts:
        shown = partial(draws.run, vault=parts.vault, draw_id=draw_id, public_value=public_value)
        tokens = _done(parts, shown, staff)
        for at in range(0, len(tokens), _PIECE):
            piece = tokens[at : at + _PIECE]
            parts.doors.run(partial(draws.rank, tokens=piece, first=at + 1))
        _done(parts, partial(draws.publish, draw_id=draw_id), staff)


@draw.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--commitment", help="As it was told before the list closed.")
@click.option("--token", help="Yours: its rank is told.")
@click.pass_context
def verify(context: click.Context, folder: Path, commitment: str | None, token: str | None) -> None:
    """Compute a draw again from its public files, without a database; exit 1 if it differs.

    \b
    Example:
      healthcert draw verify draw-of-march/ --commitment 5f2a… --token 09c1…
    """
    manifest, (lines, ranks) = _manifest(folder), (_lines(folder / name) for name in _LISTS)
    found = list(differences(manifest, lines, ranks))
    if commitment not in (None, manifest.get("commitment")):
        found.append("this is not the commitment that you were told")
    if token and token not in ranks:
        found.append("your token has no rank")
    for each in found or [f"{len(ranks)} ranks are as the rules make them"]:
        click.echo(each)
    if found:
        context.exit(1)
    if token:
        click.echo(f"rank {ranks.index(token) + 1} is yours")


_LISTS = "list.txt", "ranks.txt"
_ELSEWHERE = (
    "No worker has looked into {} for three minutes. If web and worker have another data folder, "
    "the files of this draw are published nowhere: say it in HEALTHCERT_DATA_DIR."
)


def _manifest(folder: Path) -> dict[str, Any]:
    try:
        return dict(json.loads((folder / "manifest.json").read_text("utf-8")))
    except (OSError, TypeError, ValueError):
        return {}


def _lines(path: Path) -> list[str]:
    return path.read_text("utf-8").split("\n")[:-1] if path.is_file() else []


def _done(parts: Parts, deed: Callable[..., Draw], staff: UUID) -> list[str]:
    """Do a deed, write the public files as the draw stands, and return its ranks so far."""
    now = datetime.now(UTC)
    made = parts.doors.run(lambda db: deed(db, by=present(db, staff_id=staff), now=now))
    with parts.doors.reading() as db:
        lines = draws.listed(db, made)
    ranks = draws.ranked(made, lines)
    if not room_files.is_kept(parts.settings.room_dir, now):
        click.echo(_ELSEWHERE.format(parts.settings.data_dir), err=True)
    folder = parts.settings.draws_dir / str(made.id)
    folder.mkdir(parents=True, exist_ok=True)
    for name, each in zip(_LISTS, (lines, ranks), strict=True):
        write_whole(folder / name, "".join(f"{line}\n" for line in each).encode())
    told = json.dumps(draws.manifest(made), ensure_ascii=False, indent=1)
    write_whole(folder / "manifest.json", told.encode())
    click.echo(f"{made.state} {made.id} {made.commitment.hex()} {made.entries or 0} entrants")
    return ranks
