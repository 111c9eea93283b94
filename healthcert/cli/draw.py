"""`healthcert draw`: commit to a draw, close its list, run it; and check one by its files alone."""

import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import click

from healthcert.config import Settings
from healthcert.gateways import draw_files, room_files
from healthcert.jobs import draws as job
from healthcert.models import Draw
from healthcert.parts import ready_parts
from healthcert.policy.draw import Rules, differences
from healthcert.services import draws
from healthcert.services.roster import present

_OF_THE_SEED = (draws.announce, draws.run)  # it lies sealed until it is shown
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
    _done(draws.announce, staff, rules=Rules(reserves=dict(reserve), **told))  # type: ignore[arg-type]


@draw.command()
@_DRAW
@_BY
def close(draw_id: UUID, staff: UUID) -> None:
    """Close the list of a draw whose time has come, as the worker does by itself; publish it.

    \b
    Example:
      healthcert draw close DRAW --staff STAFF
    """
    _done(draws.close, staff, draw_id=draw_id)


@draw.command("give-up")
@_DRAW
@_BY
def give_up(draw_id: UUID, staff: UUID) -> None:
    """End a draw before its seed is shown; that it was announced stays to be seen.

    \b
    Example:
      healthcert draw give-up DRAW --staff STAFF
    """
    _done(draws.give_up, staff, draw_id=draw_id)


@draw.command()
@_DRAW
@click.argument("public_value")
@_BY
def run(draw_id: UUID, public_value: str, staff: UUID) -> None:
    """Draw with the public value; ended at any point, the worker goes on, or this begun again.

    \b
    Example:
      healthcert draw run DRAW "8 15 16 23 42" --staff STAFF
    """
    _done(draws.run, staff, draw_id=draw_id, public_value=public_value)


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
    manifest = draw_files.manifest(folder)
    lines, ranks = (draw_files.lines(folder, each) for each in (draw_files.LIST, draw_files.RANKS))
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


_ELSEWHERE = (
    "No worker has looked into {} for three minutes. If web and worker have another data folder, "
    "the files of this draw are published nowhere: say it in HEALTHCERT_DATA_DIR."
)


def _done(deed: Callable[..., Draw], staff: UUID, **told: Any) -> None:  # noqa: ANN401
    """Do a deed, then what the worker does after it, and tell how the draw stands."""
    now = datetime.now(UTC)
    with ready_parts(Settings.from_env(os.environ)) as parts:
        told |= {"vault": parts.vault} if deed in _OF_THE_SEED else {}
        if deed is draws.close:
            job.enter(parts, told["draw_id"], now)
        made = parts.doors.run(
            lambda db: deed(db, staff=present(db, staff_id=staff), now=now, **told)
        )
        made = job.finish(parts, made.id, now)
        if not room_files.is_kept(parts.settings.room_dir, now):
            click.echo(_ELSEWHERE.format(parts.settings.data_dir), err=True)
    click.echo(f"{made.state} {made.id} {made.commitment.hex()} {made.entries or 0} entrants")
