"""Holidays stay as they were declared, whoever writes; of an organisation one a day is live."""

from __future__ import annotations

import pytest
from sqlalchemy import delete, insert, update

from healthcert.models import Holiday, SiteClosure, new_id
from tests import factories as make
from tests.factories import NOW, day
from tests.models.refusals import refused


def withdrawn(db, holiday):
    gone = {"withdrawn_at": NOW, "withdrawn_by": holiday.declared_by}
    db.execute(update(Holiday).where(Holiday.id == holiday.id).values(**gone))


@pytest.mark.parametrize(
    ("region", "rule"),
    [(None, "one_holiday_of_organisation"), ("coast", "one_holiday_of_region")],
)
def test_one_holiday_is_live_for_an_organisation_a_region_and_a_day(db, region, rule):
    body = make.make_organisation(db)
    first = make.make_holiday(db, body, region=region)
    row = {
        "id": new_id(), "recorded_at": NOW, "organisation_id": body.id, "region": region,
        "day": first.day, "names": {"en": "Again"}, "declared_by": first.declared_by,
    }  # fmt: skip
    with refused(db, rule):
        db.execute(insert(Holiday).values(row))
    for other in ({"region": "north"}, {"day": day(4)}):
        db.execute(insert(Holiday).values(row | other | {"id": new_id()}))
    withdrawn(db, first)
    db.execute(insert(Holiday).values(row))


@pytest.mark.parametrize(
    "values",
    [{"day": day(4)}, {"region": "coast"}, {"names": {"en": "Another"}}, {"recorded_at": day(1)}],
)
def test_what_was_declared_stays_as_it_was_declared(db, values):
    holiday = make.make_holiday(db)
    if "recorded_at" in values:
        values = {"recorded_at": NOW.replace(hour=8)}
    with refused(db, "holiday_fixed"):
        db.execute(update(Holiday).where(Holiday.id == holiday.id).values(**values))
    body = make.make_organisation(db)
    with refused(db, "holiday_fixed"):
        db.execute(update(Holiday).values(organisation_id=body.id))


def test_a_holiday_is_withdrawn_once_by_somebody_and_never_deleted(db):
    holiday = make.make_holiday(db)
    with refused(db, "ck_holiday_withdrawn_by_somebody"):
        db.execute(update(Holiday).values(withdrawn_at=NOW))
    with refused(db, "ck_holiday_withdrawn_after_declared"):
        early = {"withdrawn_at": NOW.replace(hour=8), "withdrawn_by": holiday.declared_by}
        db.execute(update(Holiday).values(**early))
    withdrawn(db, holiday)
    with refused(db, "holiday_fixed"):
        db.execute(update(Holiday).values(withdrawn_at=None, withdrawn_by=None))
    with refused(db, "holiday_fixed"):
        withdrawn(db, holiday)
    with refused(db, "never_deleted"):
        db.execute(delete(Holiday))


def test_a_closure_is_of_a_holiday_on_its_own_day(db):
    holiday, site = make.make_holiday(db), make.make_site(db)
    row = {"id": new_id(), "recorded_at": NOW, "site_id": site.id, "holiday_id": holiday.id}
    with refused(db, "fk_site_closure_holiday_id_day", "foreign_key"):
        db.execute(insert(SiteClosure).values(row | {"day": day(4)}))
    db.execute(insert(SiteClosure).values(row | {"day": holiday.day}))
