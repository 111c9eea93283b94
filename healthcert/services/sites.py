"""Sites, kept by those whose organisation runs them; told as a line of a table tells them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from healthcert.data.knowledge import Country
from healthcert.errors import BadInput, there
from healthcert.gateways.vault import Vault
from healthcert.models import ClinicSession, Organisation, Site, Slot, Staff
from healthcert.models.broken import refusing
from healthcert.services import audit, delegating, hours
from healthcert.services.cells import LANGUAGES, Setting
from healthcert.services.import_places import SITES
from healthcert.services.sheets import Line


def one(
    db: Session, *, reach: Select[UUID], site_id: UUID, now: datetime
) -> tuple[Site, dict[str, str]]:
    """Return a site of organisations, and how a table tells it.

    Raises:
        NotFound: No such site there.
    """
    found = there(
        db.scalar(select(Site).where(Site.id == site_id, Site.organisation_id.in_(reach)))
    )
    return found, cells_of(db, found, now)


def cells_of(db: Session, site: Site, now: datetime) -> dict[str, str]:
    """Return how a line of a table tells a site, with the hours that hold today."""
    today = now.astimezone(ZoneInfo(site.time_zone)).date()
    body = site.organisation_id and db.get_one(Organisation, site.organisation_id)
    return {
        **_by_language("name", site.names), **_by_language("address", site.address),
        "code": site.code, "region": site.region, "latitude": str(site.latitude),
        "longitude": str(site.longitude), "time_zone": site.time_zone,
        "step_free": "yes" if site.step_free else "no",
        "facilities": " ".join(site.facilities), "languages": " ".join(site.languages),
        "female_vaccinator": "yes" if site.female_vaccinator else "no",
        "hours": hours.written(hours.of(db, site.id, today)),
        "closed_on": " ".join(map(str, hours.closed_days(db, site.id))),
        "organisation": body.code if body else "",
    }  # fmt: skip


def _by_language(name: str, texts: Mapping[str, str]) -> dict[str, str]:
    same = {lang for lang in LANGUAGES[1:] if texts.get(lang) == texts.get("en")}  # it stands in
    return {f"{name}_{lang}": "" if lang in same else texts.get(lang, "") for lang in LANGUAGES}


def keep(
    db: Session, *, told: Mapping[str, str], site_id: UUID | None, vault: Vault, country: Country,
    staff: Staff, now: datetime,
) -> Site:  # fmt: skip
    """Return a site in one's reach, made or, where there is one, changed as a table tells it.

    The organisation, the hours and the days on which it is closed are told once, when it is made:
    other hours begin on a day, and move people (`services.new_hours`).

    Raises:
        BadInput: As a table is judged, or it is another's code or an organisation out of reach;
            ``hours: own_deed`` of other hours than a site has.
        NotFound: No such site in one's reach.
    """
    reach = delegating.within(db, staff=staff, act="keep_sites", now=now)
    site, known = one(db, reach=reach, site_id=site_id, now=now) if site_id else (None, {})
    line = known | {name: text.strip() for name, text in dict(told).items()}
    if empty := [name for name in SITES.required if not line.get(name)]:
        raise BadInput(dict.fromkeys(empty, "missing"))
    setting = Setting(vault, country, staff, now)
    new = SITES.read(db, setting, Line(0, line))
    with refusing(db, {"uq_site_code": BadInput({"code": "taken"})}):
        if site:
            if hours.written(new["hours"]) != known["hours"]:
                raise BadInput({"hours": "own_deed"})
            return _change(db, site, new, staff=staff, now=now)
        if new["organisation_id"] not in db.scalars(reach).all():
            raise BadInput({"organisation": "not_known"})
        made = db.get_one(Site, SITES.write(db, setting, [new])[0])
        audit.done(db, "site_made", made, {"of": made.organisation_id}, by=staff, now=now)
        return made


def _change(
    db: Session, site: Site, new: Mapping[str, Any], *, staff: Staff, now: datetime
) -> Site:
    db.refresh(site, with_for_update=True)
    columns = new.keys() - {"hours", "closed", "organisation_id"}
    changed = [name for name in columns if getattr(site, name) != new[name]]
    if "time_zone" in changed:  # people were told the times of their appointments by it
        slots = select(Slot.id).join(ClinicSession, ClinicSession.id == Slot.session_id)
        there = slots.where(ClinicSession.site_id == site.id, Slot.starts_at > now)
        if db.scalar(there.where(ClinicSession.state != "cancelled").limit(1)):
            raise BadInput({"time_zone": "planned_there"})
    for name in changed:
        setattr(site, name, new[name])
    audit.done(db, "site_changed", site, dict.fromkeys(changed, True), by=staff, now=now)
    db.flush()
    return site
