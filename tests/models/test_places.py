"""Sites and slots: no pool is overdrawn, and hours are hours, whoever writes them."""

from __future__ import annotations

from datetime import date, time, timedelta

import pytest
from sqlalchemy import insert, select, text, update

from healthcert import migrations
from healthcert.db import Doors, make_engine, migrate
from healthcert.models import (
    Appointment,
    AuditEvent,
    ClinicSession,
    SessionTemplate,
    Site,
    SiteClosure,
    SiteHours,
    Slot,
    StockMove,
    new_id,
)
from healthcert.models.place import KEPT
from healthcert.services import hours
from tests import factories as make
from tests.models.refusals import refused


@pytest.fixture
def slot(db) -> Slot:
    """Seven places, one of them kept for each pool; two are taken, one of them by phone."""
    kept = {f"kept_{pool}": 1 for pool in KEPT}
    return make.make_slot(db, capacity=7, booked=2, booked_phone=1, **kept)


@pytest.mark.parametrize(
    ("values", "rule"),
    [
        ("booked_phone = 2", "phone_fits"),
        ("booked_phone = -1", "phone_fits"),
        ("booked_walk_in = 2, booked = 4", "walk_in_fits"),
        ("booked_second_dose = 2, booked = 4", "second_dose_fits"),
        ("booked_waiting = 2, booked = 4", "waiting_fits"),
        ("booked_waiting = -1", "waiting_fits"),
        ("kept_phone = 0", "phone_fits"),
        ("booked = 5", "open_fits"),  # the last two are kept for others
        ("kept_walk_in = 4", "open_fits"),
        ("capacity = 3", "open_fits"),
        ("booked = 0", "open_fits"),
        ("kept_waiting = 4", "open_fits"),
        ("kept_phone = NULL", "not_null"),
        ("kept_waiting = NULL", "not_null"),
    ],
)
def test_no_pool_of_a_slot_is_overdrawn(db, slot, values, rule):
    wanted = rule if rule == "not_null" else f"ck_slot_{rule}"
    with refused(db, wanted):
        db.execute(text(f"UPDATE slot SET {values}"))  # one slot lies there
    assert slot.places() == 2


def test_every_place_of_a_slot_is_free_for_somebody(db, slot):
    db.execute(update(Slot).values(booked=4))
    db.refresh(slot)
    assert (slot.places(), slot.places(["walk_in"]), slot.places(KEPT)) == (0, 1, 3)
    found = db.scalars(select(Slot.places(["walk_in"]))).one()
    assert found == 1


def test_an_appointment_names_a_pool_there_is(db):
    appointment = make.make_appointment(db)
    with refused(db, "ck_appointment_pool"):
        db.execute(update(Appointment).values(pool="friends"))
    assert appointment.pool == "online"


def at_site(db, **values):
    row = {"id": new_id(), "recorded_at": make.NOW, "site_id": make.make_site(db).id}
    return row | values


@pytest.mark.parametrize(
    ("weekday", "opens", "closes", "rule"),
    [
        (0, 8, 9, "weekday"), (8, 8, 9, "weekday"), (1, 9, 9, "times"), (1, 10, 9, "times"),
        (None, 8, 9, "closed"), (1, None, None, "closed"), (1, None, 9, "closed"),
        (1, 8, None, "closed"), (None, None, 9, "closed"),
    ],
)  # fmt: skip
def test_hours_are_of_a_weekday_and_end_after_they_begin(db, weekday, opens, closes, rule):
    opens, closes = (None if at is None else time(at) for at in (opens, closes))
    row = at_site(db, since=make.TODAY, weekday=weekday, opens=opens, closes=closes)
    with refused(db, f"ck_site_hours_{rule}"):
        db.execute(insert(SiteHours).values(row))


def test_a_site_opens_once_at_a_time_from_a_day_on_and_is_closed_once_a_day(db):
    row = at_site(db, since=make.TODAY, weekday=1, opens=time(8), closes=time(9))
    db.execute(insert(SiteHours).values(row))
    with refused(db, "uq_site_hours_site_id_since_weekday_opens"):
        db.execute(insert(SiteHours).values(row | {"id": new_id()}))
    db.execute(insert(SiteHours).values(row | {"id": new_id(), "since": make.day(1)}))
    row = at_site(db, day=make.TODAY)
    db.execute(insert(SiteClosure).values(row))
    with refused(db, "uq_site_closure_site_id_day"):
        db.execute(insert(SiteClosure).values(row | {"id": new_id()}))


def test_hours_that_stood_cover_every_day_and_going_back_those_in_force_stay(
    doors: Doors, database_url
):
    with doors.transaction() as db:
        days = {-9: date(2020, 1, 1), -2: date(2021, 1, 1), 2: date(2900, 1, 1)}
        site_id, closed, later = (make.make_site(db).id for _ in range(3))
        for here, told in (
            (site_id, {-9: "Mo 08:00-09:00", -2: "Mo 08:00-10:00; Tu 08:00-09:00", 2: ""}),
            (closed, {-9: "Mo 08:00-09:00", -2: ""}),
            (later, {2: "We 08:00-09:00"}),
        ):
            for ahead, text in told.items():
                spans = hours.read(text)
                hours.begin(db, site_id=here, spans=spans, since=days[ahead], now=make.NOW)
    engine = make_engine(database_url, foreign_keys=False)
    with engine.begin() as connection:
        migrations.move(connection, "0028")
    engine.dispose()
    migrate(database_url)
    with doors.reading() as db:
        told = {
            here: [(one.since, one.hours) for one in hours.versions(db, site_id=here)]
            for here in (site_id, closed, later)
        }
    assert told == {
        site_id: [(hours.ALWAYS, "Mo 08:00-10:00; Tu 08:00-09:00")], closed: [],
        later: [(hours.ALWAYS, "We 08:00-09:00")],
    }  # fmt: skip


def test_what_was_booked_and_counted_before_stays(doors: Doors, database_url):
    with doors.transaction() as db:
        make.make_appointment(db, slot=make.make_slot(db, capacity=3, booked=1))
        shelf = make.make_shelf(db)
        make.make_move(db, shelf, "counted", 4)
    engine = make_engine(database_url, foreign_keys=False)
    with engine.begin() as connection:
        migrations.move(connection, "0010")
    engine.dispose()
    migrate(database_url)
    with doors.reading() as db:
        slot = db.scalars(select(Slot)).one()
        assert (slot.booked, slot.places()) == (1, 2)
        assert db.scalars(select(Appointment.pool)).one() == "online"
        assert db.scalars(select(Site.languages)).all() == [[], []]
        assert db.execute(select(StockMove.quantity, StockMove.confirmed_by)).one() == (4, None)


def test_a_day_has_one_open_session_of_a_product_and_any_number_of_cancelled_ones(db):
    first = make.make_session(db)
    row = {
        name: getattr(first, name)
        for name in ("recorded_at", "site_id", "programme_id", "product_id", "day")
    }
    twin = insert(ClinicSession).values(**row)
    for state in ("draft", "published", "running", "closed"):
        with refused(db, "one_open_session"):
            db.execute(twin.values(id=new_id(), state=state))
    db.execute(twin.values(id=new_id(), state="cancelled"))
    db.execute(update(ClinicSession).where(ClinicSession.id == first.id).values(state="cancelled"))
    db.execute(twin.values(id=new_id(), state="published"))
    db.execute(twin.values(id=new_id(), state="published", day=make.day(1)))


def test_only_what_is_cancelled_was_given_up(db):
    make.make_session(db)
    given_up = update(ClinicSession).values(given_up_at=make.NOW)
    with refused(db, "ck_clinic_session_given_up"):
        db.execute(given_up)
    db.execute(given_up.values(state="cancelled"))


@pytest.mark.parametrize("ended", [-5, 0, 9])
def test_a_plan_ends_before_its_last_day_or_before_it_began(db, ended):
    make.make_template(db)
    with refused(db, "ck_session_template_ended"):
        db.execute(update(SessionTemplate).values(ended_from=make.day(10)))
    db.execute(update(SessionTemplate).values(ended_from=make.day(ended)))


def test_what_was_cancelled_for_itself_before_is_known_as_that_and_nothing_else(
    doors: Doors, database_url
):
    cancelled_at = make.NOW + timedelta(hours=1)
    with doors.transaction() as db:
        one = make.make_template(db)
        over = make.make_template(db, last_day=make.day(2))
        for on, of in ((1, one), (2, one), (3, over), (4, one)):
            site = db.get_one(Site, of.site_id)
            state = "published" if on == 4 else "cancelled"
            session = make.make_session(
                db, site=site, day=make.day(on), state=state, template_id=of.id
            )
            make.add(db, AuditEvent(
                recorded_at=cancelled_at, actor_kind="system", act="session_cancelled",
                subject_kind="clinic_session", subject_id=session.id, details={},
            ))  # fmt: skip
        closed = {"id": new_id(), "recorded_at": make.NOW, "site_id": one.site_id}
        db.execute(insert(SiteClosure).values(**closed, day=make.day(2)))
    engine = make_engine(database_url, foreign_keys=False)
    with engine.begin() as connection:
        migrations.move(connection, "0026")
    engine.dispose()
    migrate(database_url)
    with doors.reading() as db:
        given_up = select(ClinicSession.given_up_at).order_by(ClinicSession.day)
        assert list(db.scalars(given_up)) == [cancelled_at, None, None, None]


def test_a_plan_that_ended_stays_over_for_an_older_version(doors: Doors, database_url):
    with doors.transaction() as db:
        make.make_template(db, ended_from=make.day(5))
        make.make_template(db)
    engine = make_engine(database_url, foreign_keys=False)
    with engine.begin() as connection:
        migrations.move(connection, "0026")
        last = connection.exec_driver_sql(
            "SELECT last_day FROM session_template ORDER BY last_day"
        ).all()
    engine.dispose()
    assert [str(row[0]) for row in last] == [str(make.day(4)), str(make.day(9))]
    migrate(database_url)
