"""`healthcert lots`: which there are, and what doses of them are worth."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from time import perf_counter
from typing import Any
from uuid import UUID

import click

from healthcert.cli.opened import database, settings
from healthcert.data import knowledge
from healthcert.errors import NotFound
from healthcert.models import Staff
from healthcert.models.supply import LOT_STATES
from healthcert.services import lots as service
from healthcert.services.elsewhere import day_in


@click.group()
def lots() -> None:
    """Lots: list them, release them, recall them."""


@lots.command("list")
@click.option("--state", type=click.Choice(LOT_STATES), help="Only those that are so.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a lot.")
def show(state: str | None, *, as_json: bool) -> None:
    """List lots: identifier, state, last day, product and number.

    \b
    Example:
      healthcert lots list --state quarantined
    """
    with database() as doors, doors.reading() as db:
        for lot in service.known(db):
            if state in (None, lot.state):
                line = "{id} {state:11} {expires_on} {product} {number}".format(**lot._asdict())
                click.echo(json.dumps(lot._asdict(), default=str) if as_json else line)


def _order(verb: str, state: str, says: str, *reasons: str) -> Callable[..., None]:
    """Make the command that orders a state; where there are several reasons, one is to be named."""
    alone = len(reasons) == 1
    only: Any = {"default": reasons[0], "show_default": True} if alone else {"required": True}
    how = "" if alone else f" --reason {reasons[0]}"
    told = f"{says}\n\n\b\nExample:\n  healthcert lots {verb} LOT --staff STAFF{how}"

    @lots.command(verb, help=told)
    @click.argument("lot", type=click.UUID)
    @click.option("--staff", type=click.UUID, required=True, help="Who orders it.")
    @click.option("--since", type=click.DateTime(["%Y-%m-%d"]), help="[today; a recall: ever]")
    @click.option("--reason", type=click.Choice(reasons), **only)
    @click.option("--json", "as_json", is_flag=True, help="One JSON object.")
    def order(
        lot: UUID, staff: UUID, since: datetime | None, reason: str, *, as_json: bool
    ) -> None:
        began, now = perf_counter(), datetime.now(UTC)
        country = knowledge.country(settings().country)
        ever = day_in(country, now) if state == "released" else None
        with database() as doors, doors.transaction() as db:
            by = db.get(Staff, staff)
            if by is None or not by.active:
                raise NotFound("no such member of staff")
            day = since.date() if since else ever
            service.order(
                db, lot_id=lot, state=state, since=day, reason=reason, staff=by, country=country,
                now=now,
            )  # fmt: skip
            found = service.reached(db, lot_id=lot) if state == "recalled" else ()
            people = {site.code if site else "elsewhere": count for site, count, _ in found}
            untold = sum(each.untold for each in found)
        told = {"lot": str(lot), "state": state, "people": people, "untold": untold}
        seconds = round(perf_counter() - began, 3)
        lines = [f"{state} {lot}", *(f"{count:6} {where}" for where, count in people.items())]
        click.echo(json.dumps(told | {"seconds": seconds}) if as_json else "\n".join(lines))
        silent = f", {untold} left no way to be told" if untold else ""
        click.echo(f"{sum(people.values())} people{silent}, {seconds} s", err=True)

    return order


_order("release", "released", "Release a lot; whoever received it may not.", "released")
_order("recall", "recalled", "Recall a lot for good: its doses stop counting.", *service.RECALLS)
