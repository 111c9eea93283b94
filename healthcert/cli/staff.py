"""Who works here: let the first administrator in, list everybody, end somebody's work."""

from datetime import UTC, datetime
from uuid import UUID

import click
from sqlalchemy import select
from sqlalchemy.orm import Session

from healthcert.cli.opened import service
from healthcert.errors import BadInput
from healthcert.models import Organisation, Site
from healthcert.models.organisation import ORGANISATION_KINDS
from healthcert.models.staff import STAFF_ROLES
from healthcert.services import invitations, roster


@click.group()
def staff() -> None:
    """Who works here."""


@staff.command()
@click.argument("code")
@click.option("--name", required=True, help="What people call it.")
@click.option("--kind", default="ministry", type=click.Choice(ORGANISATION_KINDS))
@click.option("--under", default="", help="The code of the one above it; none at the top.")
def organisation(code: str, name: str, kind: str, under: str) -> None:
    """Add a body to the tree of those whose people and places administrators answer for.

    \b
    Example:
      healthcert staff organisation MOH --name "Ministry of Health"
    """
    with service() as parts, parts.doors.transaction() as db:
        above = _organisation(db, under) if under else None
        db.add(
            Organisation(
                recorded_at=datetime.now(UTC), code=code, names={"en": name}, kind=kind,
                parent_id=above.id if above else None, level=above.level + 1 if above else 0,
                parent_level=above.level if above else None,
            )
        )  # fmt: skip


@staff.command()
@click.option("--name", required=True, help="What colleagues and citizens call them.")
@click.option("--role", required=True, type=click.Choice(STAFF_ROLES))
@click.option("--site", default="", help="The code of their site; for roles that have one.")
@click.option("--organisation", "employer", default="", help="The code of whom others work for.")
def invite(name: str, role: str, site: str, employer: str) -> None:
    """Take somebody in and print the code that lets them in once, within a day.

    \b
    Example:
      healthcert staff invite --name "Ada Example" --role admin --organisation MOH
    """
    now = datetime.now(UTC)
    with service() as parts:
        with parts.doors.transaction() as db:
            body = _organisation(db, employer).id if employer else None
            place = db.scalar(select(Site).where(Site.code == site))
            member = roster.join(db, name=name, role=role, site=place, employer=body, now=now)
            code = invitations.invite(db, pepper=parts.pepper, staff_id=member.id, by=None, now=now)
        click.echo(f"{parts.settings.base_url}/sign-in/invitation\n{code}")


def _organisation(db: Session, code: str) -> Organisation:
    found = db.scalar(select(Organisation).where(Organisation.code == code))
    if found is None:
        raise BadInput({"organisation": "not_known"})
    return found


@staff.command("list")
def members() -> None:
    """Print who works here: identifier, role and name.

    \b
    Example:
      healthcert staff list
    """
    with service() as parts, parts.doors.reading() as db:
        for member, _site in roster.everyone(db):
            click.echo(f"{member.id} {member.role:6} {member.name}")


@staff.command()
@click.argument("member", type=click.UUID)
def end(member: UUID) -> None:
    """Let nobody in as this member of staff any more, and end their sessions now.

    \b
    Example:
      healthcert staff end 01a20077-4160-70b0-bb1d-0ae56e30e4d4
    """
    with service() as parts, parts.doors.transaction() as db:
        roster.end_work(db, staff_id=member, by=None, now=datetime.now(UTC))
