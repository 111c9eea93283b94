"""Sites and staff in a table."""

from collections.abc import Mapping
from typing import Any, NamedTuple
from uuid import UUID

from babel import localedata
from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from healthcert.data.meaning import ZONES
from healthcert.errors import BadInput
from healthcert.models import Organisation, Site, SiteClosure, SiteHours, SiteProbation, Staff
from healthcert.models.place import FACILITIES
from healthcert.models.staff import STAFF_ROLES, WITHOUT_SITE
from healthcert.services import cells, hours
from healthcert.services.cells import LANGUAGES, Kind, Setting
from healthcert.services.sheets import Line
from healthcert.services.tidying import LONGEST_NAME, wrong_name

_SITE = (
    "code", *(f"name_{lang}" for lang in LANGUAGES), *(f"address_{lang}" for lang in LANGUAGES),
    "region", "latitude", "longitude", "time_zone", "step_free", "facilities", "languages",
    "female_vaccinator", "hours", "closed_on", "organisation",
)  # fmt: skip
_LONGEST_ADDRESS = 300  # letters


class _StaffLine(NamedTuple):
    name: str
    role: str
    site_id: UUID | None
    organisation_id: UUID | None


def _read_site(db: Session, setting: Setting, line: Line) -> dict[str, Any]:
    told = {"step_free": "", "female_vaccinator": "", **line.cells}
    if wrong := wrong_name(told["code"]):
        raise BadInput({"code": wrong})
    zone = told.get("time_zone") or setting.country.time_zone
    if zone not in ZONES:
        raise BadInput({"time_zone": "not_known"})
    if told["region"] not in setting.country.regions:
        raise BadInput({"region": "not_known"})
    facilities = told.get("facilities", "").split()
    if not set(facilities) <= set(FACILITIES):
        raise BadInput({"facilities": "not_a_choice"})
    spoken = told.get("languages", "").split()
    if not all(map(localedata.exists, spoken)):
        raise BadInput({"languages": "not_known"})
    closed = told.get("closed_on", "").split()
    return {
        "code": told["code"], "region": told["region"], "time_zone": zone,
        "names": cells.texts(told, "name", LONGEST_NAME),
        "address": cells.texts(told, "address", _LONGEST_ADDRESS),
        "latitude": cells.number(told, "latitude", 90),
        "longitude": cells.number(told, "longitude", 180),
        "step_free": cells.choice(told, "step_free", cells.YES_NO),
        "facilities": facilities, "languages": spoken,
        "female_vaccinator": cells.choice(told, "female_vaccinator", cells.YES_NO),
        "hours": hours.read(told.get("hours", "")),
        "closed": [cells.day({"closed_on": each}, "closed_on") for each in dict.fromkeys(closed)],
        "organisation_id": _coded(db, Organisation, told, "organisation"),
    }  # fmt: skip


def _write_site(db: Session, setting: Setting, site: dict[str, Any]) -> UUID:
    told, now = {**site}, setting.now
    spans, closed = told.pop("hours"), told.pop("closed")
    site_id = cells.added(db, Site(recorded_at=now, **told))
    hours.begin(db, site_id=site_id, spans=spans, closed=closed, now=now)
    db.add(SiteProbation(recorded_at=now, site_id=site_id))
    return site_id


def _coded(
    db: Session, model: type[Site | Organisation], told: Mapping[str, str], name: str
) -> UUID | None:
    """Return the row that the code in a cell names, None where the cell is empty."""
    if not told.get(name):
        return None
    return cells.found(db.scalar(select(model.id).where(model.code == told[name])), name)


def _read_staff(db: Session, _setting: Setting, line: Line) -> _StaffLine:
    told = line.cells
    if wrong := wrong_name(told["name"]):
        raise BadInput({"name": wrong})
    role = cells.choice(told, "role", {role: role for role in STAFF_ROLES})
    code, employer = told.get("site", ""), _coded(db, Organisation, told, "organisation")
    if (role in WITHOUT_SITE) == bool(code):
        raise BadInput({"site": "not_needed" if code else "missing"})
    if code and employer:
        raise BadInput({"organisation": "not_needed"})  # it is their site's
    return _StaffLine(told["name"], role, _coded(db, Site, told, "site"), employer)


def _known_staff(db: Session, _setting: Setting, staff: _StaffLine) -> UUID | None:
    return db.scalar(select(Staff.id).filter_by(**staff._asdict()))


def _write_staff(db: Session, setting: Setting, staff: _StaffLine) -> UUID:
    return cells.added(db, Staff(recorded_at=setting.now, **staff._asdict()))


def _take_back_staff(db: Session, _setting: Setting, staff_id: UUID) -> bool:
    if not cells.deleted(db, (Staff, Staff.id == staff_id)):
        db.get_one(Staff, staff_id).active = False  # what they did stays theirs
        return False
    return True


def _take_back_site(db: Session, _setting: Setting, site_id: UUID) -> bool:
    new = SiteProbation.site_id == site_id, SiteProbation.released_by.is_(None)
    own = [(model, model.site_id == site_id) for model in (SiteHours, SiteClosure)]
    return cells.deleted(db, (SiteProbation, and_(*new)), *own, (Site, Site.id == site_id))


SITES = Kind(
    "sites", _SITE, ("code", "name_en", "address_en", "region", "latitude", "longitude"),
    _read_site, lambda site: site["code"],
    lambda db, _setting, site: db.scalar(select(Site.id).where(Site.code == site["code"])),
    cells.each(_write_site), _take_back_site,
)  # fmt: skip
STAFF = Kind(
    "staff", ("name", "role", "site", "organisation"), ("name", "role"),
    _read_staff, lambda staff: staff, _known_staff, cells.each(_write_staff), _take_back_staff,
)  # fmt: skip
