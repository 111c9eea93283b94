"""The waiting list and what is offered from it: in order, by day, never to more than may come."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from sqlalchemy import select, update

from healthcert.errors import (
    AlreadyBooked,
    BadInput,
    NotEligible,
    NotFound,
    SlotFull,
    WrongState,
)
from healthcert.models import (
    ClinicSession,
    Message,
    Offer,
    Person,
    Slot,
    WaitEntry,
)
from healthcert.policy import offers as policy
from healthcert.services import booking, enrolment, lapsing, near, offering, offers, waiting
from healthcert.services.audit import SYSTEM, Actor
from tests.factories import NOW, day, make_site
from tests.models.test_workflow import drawn, make_draw
from tests.services.clinic import details
from tests.services.test_eligibility import publish
from tests.statements import sent

NIGHT = datetime(2026, 3, 2, 20, tzinfo=UTC)  # ten in the evening there


class Line:
    """A clinic with people who wait."""

    def __init__(self, clinic):
        """Take the clinic."""
        self.clinic = clinic

    def join(self, who=None, now=NOW, **wish):
        def work(db):
            person = enrolment.enrol(db, vault=self.clinic.vault, details=who or details(), now=now)
            wanted = {"site_id": self.clinic.site.id, "standby": False} | wish
            return waiting.join(
                db, vault=self.clinic.vault, person=person, actor=Actor("citizen", person.id),
                programme_id=self.clinic.programme.id, now=now, **wanted,
            )  # fmt: skip

        return self.clinic.doors.run(work)

    def freed(self, on=None, places=1, capacity=None, **values):
        """Return a slot of which some places are kept for those who wait."""
        capacity = capacity or places
        return self.clinic.slot(
            on or day(3), capacity=capacity, kept_waiting=places, booked=capacity - places, **values
        )

    def fill(self, slot, now=NOW, passed=None):
        """Offer a slot's places, piece by piece as the worker does; return to how many."""
        work = partial(
            offering.fill, vault=self.clinic.vault, quiet=self.clinic.country.quiet_hours,
            link="https://vaccination.example/my/waiting", slot_id=slot.id, now=now,
            passed=passed,
        )  # fmt: skip
        pieces = [self.clinic.doors.run(work)]
        while pieces[-1].after is not None:
            pieces.append(self.clinic.doors.run(partial(work, after=pieces[-1].after)))
        return sum(piece.made for piece in pieces)

    def close(self, now):
        return self.clinic.doors.run(partial(lapsing.close, vault=self.clinic.vault, now=now))

    def open(self, slot=None):
        """Return open offers in the order in which they were made."""
        query = select(Offer).where(Offer.state == "open").order_by(Offer.id)
        with self.clinic.doors.reading() as db:
            return list(db.scalars(query.where(Offer.slot_id == slot.id) if slot else query))

    def answer(self, offer, deed=offers.accept, now=NOW):
        told = {"vault": self.clinic.vault} if deed is offers.accept else {}
        return self.clinic.doors.run(
            partial(
                deed, offer_id=offer.id, person_id=offer.person_id,
                actor=Actor("citizen", offer.person_id), now=now, **told,
            )
        )  # fmt: skip

    def state(self, entry):
        with self.clinic.doors.reading() as db:
            return db.get_one(WaitEntry, entry.id).state

    def told(self, entry):
        """Return the templates of what one who waits was told."""
        query = select(Message.template).filter_by(person_id=entry.person_id)
        with self.clinic.doors.reading() as db:
            return list(db.scalars(query.order_by(Message.id)))


@pytest.fixture
def line(clinic):
    return Line(clinic)


def test_a_freed_place_goes_to_who_waits_and_is_taken(line, clinic):
    entry = line.join()
    slot = clinic.slot(day(3), capacity=1)
    booked = clinic.book(slot)
    clinic.doors.run(
        partial(
            booking.cancel, vault=clinic.vault, appointment_id=booked.id,
            person_id=booked.person_id, now=NOW,
        )
    )  # fmt: skip
    with pytest.raises(SlotFull):  # it is kept for those who wait
        clinic.book(slot)
    with clinic.doors.reading() as db:
        assert offers.due(db, now=NOW) == [slot.id]
    assert line.fill(slot) == 1
    [offer] = line.open()
    assert (offer.person_id, offer.ends_at) == (entry.person_id, NOW + timedelta(hours=9.125))
    assert line.state(entry) == "offered"
    made = line.answer(offer)
    assert (made.slot_id, made.pool, made.dose_number) == (slot.id, "waiting", 1)
    assert line.state(entry) == "placed"
    assert line.told(entry) == ["waiting", "offer", "booked"]
    with clinic.doors.reading() as db:
        assert offers.due(db, now=NOW) == []


def test_offers_go_out_in_the_order_of_phase_rank_and_time(line, clinic):
    late, early, drawn_one, soon = (line.join(now=NOW + timedelta(minutes=n)) for n in range(4))
    with clinic.doors.transaction() as db:
        entries = update(WaitEntry)
        db.execute(entries.where(WaitEntry.id == late.id).values(turn_on=day(-1)))
        db.execute(entries.where(WaitEntry.id != late.id).values(turn_on=day(-9)))
        db.execute(entries.where(WaitEntry.id == soon.id).values(turn_on=day(4)))
        ranked_first(db, clinic, drawn_one)
    slot = line.freed(places=4)
    assert line.fill(slot) == 3  # the phase of the last one is not open by then
    assert [offer.person_id for offer in line.open()] == [
        each.person_id for each in (drawn_one, early, late)
    ]
    with clinic.doors.reading() as db:
        in_front = [waiting.before(db, db.get_one(WaitEntry, each.id))
                    for each in (drawn_one, early, late, soon)]  # fmt: skip
    assert in_front == [0, 1, 2, 3]


def ranked_first(db, clinic, entry):
    """Give somebody the first rank of a draw, past its services."""
    draw = make_draw(db, programme_id=clinic.programme.id)
    mine = update(WaitEntry).where(WaitEntry.id == entry.id)
    db.execute(mine.values(draw_id=draw.id))
    drawn(db, draw)
    db.execute(mine.values(rank=1))


def test_who_declines_keeps_their_place_and_is_not_asked_for_that_one_again(line):
    first, second = line.join(), line.join(now=NOW + timedelta(minutes=1))
    slot, other = line.freed(), line.freed(day(4))
    line.fill(slot)
    line.answer(line.open()[0], offers.decline)
    assert line.state(first) == "waiting"
    line.fill(slot)
    assert [offer.person_id for offer in line.open(slot)] == [second.person_id]
    line.fill(other)
    assert [offer.person_id for offer in line.open(other)] == [first.person_id]


def test_who_is_not_heard_of_twice_is_asked_no_more_and_told(line):
    entry = line.join()
    for turn in (3, 4):
        slot = line.freed(day(turn))
        line.fill(slot)
        assert line.close(NOW) == 0
        assert line.close(NOW + timedelta(days=1, hours=20)) == 1
    assert line.state(entry) == "lapsed"
    assert line.told(entry) == ["waiting", "offer", "offer", "waiting_lapsed"]
    again = line.clinic.doors.run(
        lambda db: waiting.join(
            db, vault=line.clinic.vault, person=db.get_one(Person, entry.person_id),
            programme_id=entry.programme_id, site_id=None, standby=False, actor=SYSTEM, now=NOW,
        )
    )  # fmt: skip
    assert again.id != entry.id


def test_who_is_too_late_for_the_last_place_waits_on_where_they_were(line, clinic):
    entries = [line.join(now=NOW + timedelta(minutes=n)) for n in range(12)]
    slot = line.freed(places=10)
    assert line.fill(slot) == 11  # nine of ten are expected to come
    *ten, last = line.open(slot)
    for offer in ten:
        line.answer(offer)
    with pytest.raises(SlotFull):
        line.answer(last)
    assert line.close(NOW) == 1
    assert line.state(entries[10]) == "waiting"
    assert line.told(entries[10])[-1] == "offer_gone"
    with clinic.doors.reading() as db:
        assert waiting.before(db, db.get_one(WaitEntry, entries[10].id)) == 0
    again = line.freed(day(5))
    line.fill(again)
    assert line.open(again)[0].person_id == last.person_id


def test_nobody_is_asked_at_night_and_nothing_is_opened_then(line, clinic):
    entry = line.join()
    slot = line.freed()
    assert line.fill(slot, NIGHT) == 0
    assert line.state(entry) == "waiting"
    with clinic.doors.reading() as db:
        assert db.get_one(Slot, slot.id).kept_waiting == 1
    assert line.fill(slot, NIGHT + timedelta(hours=10)) == 1


def test_where_nobody_waits_any_more_the_places_are_opened(line, clinic):
    slot = line.freed()
    assert line.fill(slot) == 0
    assert clinic.book(slot).pool == "online"


def test_at_short_notice_only_those_are_asked_who_can_come(line):
    line.join()
    ready = line.join(now=NOW + timedelta(minutes=1), standby=True)
    slot = line.freed(day(0), starts_at=NOW + timedelta(hours=2), ends_at=NOW + timedelta(hours=3))
    assert line.fill(slot) == 1
    [offer] = line.open()
    assert (offer.person_id, offer.ends_at - NOW) == (ready.person_id, timedelta(minutes=45))


def test_doses_left_over_are_offered_to_who_can_come_within_the_hour(line, clinic):
    for turn in range(4):
        line.join(now=NOW + timedelta(minutes=turn), standby=turn != 0)
    session_id, now = clinic.slot(day(0)).session_id, NOW + timedelta(minutes=7)
    with clinic.doors.transaction() as db:
        begun = {"site": clinic.site, "doses": 2, "staff": clinic.nurse, "now": now}
        slot = offers.standby(db, session_id=session_id, **begun)
        with pytest.raises(NotFound):
            offers.standby(db, session_id=clinic.programme.id, **begun)
    assert line.fill(slot, now) == 2
    assert line.answer(line.open()[0]).starts_at - now < timedelta(hours=1, seconds=1)


@pytest.mark.parametrize(
    ("km", "within", "asked"), [(4, 5, 1), (6, 5, 0), (45, 50, 1), (80, 50, 0), (4, None, 0)]
)
def test_one_waits_for_a_site_or_for_those_around_it(line, clinic, km, within, asked):
    with clinic.doors.transaction() as db:
        there = make_site(
            db, latitude=clinic.site.latitude + km / 111.2, longitude=clinic.site.longitude
        )
    line.join(within_km=within)
    assert line.fill(line.freed(site=there)) == asked
    here = clinic.site.latitude, clinic.site.longitude
    assert near.km(here, there) == pytest.approx(km, rel=0.001)


def test_kilometres_are_right_for_the_distances_somebody_waits_for(clinic):
    beirut = 33.8938, 35.5018
    for name, km in (("Sidon", 39.3), ("Beirut", 0)):
        there = (33.5571, 35.3729) if km else beirut
        with clinic.doors.transaction() as db:
            site = make_site(db, names={"en": name}, latitude=there[0], longitude=there[1])
        assert near.km(beirut, site) == pytest.approx(km, abs=0.3)


def test_who_has_booked_is_asked_for_nothing_and_stands_where_they_were_without_it(line, clinic):
    who = details()
    entry, slot = line.join(who), line.freed()
    line.fill(slot)
    booked = clinic.book(clinic.slot(day(8)), who)  # who books may be a stranger
    assert line.close(NOW) == 1
    assert line.state(entry) == "waiting"
    assert line.told(entry)[-2:] == ["booked", "offer_gone"]
    assert line.fill(line.freed(day(4))) == 0
    told = {"vault": clinic.vault, "person_id": entry.person_id, "now": NOW}
    clinic.doors.run(lambda db: booking.cancel(db, appointment_id=booked.id, **told))
    late, slot = line.join(), line.freed(day(5))
    assert line.fill(slot) == 1
    assert [offer.person_id for offer in line.open()] == [entry.person_id]
    assert line.state(late) == "waiting"


def test_who_is_too_young_for_what_is_given_is_passed_over(line):
    young = line.join(details(birth_date="2021-03-01"))
    full = line.join(details(birth_date="1950-01-01"), now=NOW + timedelta(minutes=1))
    assert line.fill(line.freed()) == 1
    assert line.open()[0].person_id == full.person_id
    assert line.state(young) == "waiting"


def test_however_many_who_cannot_be_given_it_yet_stand_before_who_can_be_asked(
    line, clinic, monkeypatch
):
    monkeypatch.setattr(offering, "_FIRST", 1)
    monkeypatch.setattr(offering, "_PIECE", 2)
    clinic.lot()
    for ago in range(1, 6):  # their second dose is not due
        who = details()
        clinic.vaccinated(day(-ago), who)
        line.join(who)
    last = line.join(now=NOW + timedelta(minutes=1))
    assert line.fill(line.freed()) == 1
    assert line.open()[0].person_id == last.person_id
    slot = line.freed(day(4))
    assert line.fill(slot) == 0
    assert clinic.book(slot).pool == "online"  # the whole line was asked before it is opened


SOON_OVER = {"code": "all", "opens_on": str(day(-9)), "closes_on": str(day(2)), "admits": {}}


def test_looking_at_many_who_wait_costs_as_many_statements_as_at_few(line, clinic):
    publish(clinic, SOON_OVER)
    counts = []
    for turn in (3, 4, 5):
        for _ in range(4):
            line.join()
        slot = line.freed(day(turn))
        with sent(clinic.doors.engine) as statements:
            assert line.fill(slot) == 0
        counts.append(len(statements))
    assert counts[1] == counts[2] <= 20


def test_who_gets_nothing_of_a_product_on_a_day_is_judged_once_in_a_round(
    line, clinic, monkeypatch
):
    publish(clinic, SOON_OVER)
    for _ in range(3):
        line.join(site_id=None)
    seen, judged = [], offering.asking.judged

    def counted(db, *, waits, **how):
        seen.append(len(waits))
        return judged(db, waits=waits, **how)

    monkeypatch.setattr(offering.asking, "judged", counted)
    passed = {}
    with clinic.doors.transaction() as db:
        other = make_site(db, time_zone="Asia/Beirut")
    for on, site in ((3, clinic.site), (3, other), (4, clinic.site)):
        line.fill(line.freed(day(on), site=site), passed=passed)
    assert seen == [3, 0, 3]


def test_who_had_their_dose_meanwhile_waits_no_more(line, clinic):
    who = details()
    entry = line.join(who, now=NOW - timedelta(days=2))
    clinic.lot()
    clinic.vaccinated(day(-1), who)
    assert line.fill(line.freed()) == 0
    assert line.state(entry) == "placed"


def test_who_had_a_first_dose_is_offered_the_second_once_it_is_due(line, clinic):
    who = details()
    clinic.lot()
    clinic.vaccinated(day(-1), who)
    line.join(who)
    assert line.fill(line.freed(day(3))) == 0
    assert line.fill(line.freed(day(30))) == 1
    assert line.answer(line.open()[0]).dose_number == 2


def test_one_joins_once_and_a_stranger_learns_no_more_than_when_booking(line, clinic):
    who = details()
    line.join(who)
    with pytest.raises(AlreadyBooked):
        line.join(who)
    other = details()
    clinic.book(clinic.slot(day(2)), other)
    with pytest.raises(AlreadyBooked):
        line.join(other)
    with pytest.raises(BadInput):
        line.join(within_km=7)
    with pytest.raises(BadInput):
        line.join(site_id=clinic.programme.id)


def test_who_no_phase_admits_yet_waits_for_its_day_and_others_are_refused(line, clinic):
    publish(
        clinic, {"code": "old", "opens_on": "2026-01-01", "admits": {"age": {"from_years": 65}}},
        {"code": "adults", "opens_on": str(day(20)), "admits": {"age": {"from_years": 18}}},
    )  # fmt: skip
    grown = line.join(details(birth_date="1990-01-01"))
    old = line.join(details(birth_date="1950-01-01"), now=NOW + timedelta(minutes=1))
    assert [(each.phase, str(each.turn_on)) for each in (grown, old)] == [
        ("adults", str(day(20))), ("old", "2026-01-01")
    ]  # fmt: skip
    with pytest.raises(NotEligible):
        line.join(details(birth_date="2020-01-01"))
    slot = line.freed(places=2)
    assert line.fill(slot) == 1
    assert line.open()[0].person_id == old.person_id


def test_who_leaves_gives_their_offer_to_the_next(line):
    first, second = line.join(), line.join(now=NOW + timedelta(minutes=1))
    slot = line.freed()
    line.fill(slot)

    def leave(entry, person_id):
        return line.clinic.doors.run(
            lambda db: waiting.leave(
                db, vault=line.clinic.vault, entry_id=entry.id, person_id=person_id, actor=SYSTEM,
                now=NOW,
            )
        )  # fmt: skip

    with pytest.raises(NotFound):
        leave(first, second.person_id)
    leave(first, first.person_id)
    with pytest.raises(NotFound):
        leave(first, first.person_id)
    assert line.fill(slot) == 1
    assert [offer.person_id for offer in line.open()] == [second.person_id]


def test_an_offer_is_answered_by_whom_it_is_to_and_in_time(line):
    line.join()
    line.fill(line.freed())
    [offer] = line.open()
    with pytest.raises(WrongState):
        line.answer(offer, now=offer.ends_at)
    line.answer(offer, offers.decline)
    for deed in (offers.accept, offers.decline):
        with pytest.raises(WrongState):
            line.answer(offer, deed)
    offer.person_id = line.join().person_id
    with pytest.raises(NotFound):
        line.answer(offer)


def test_an_offer_ends_with_its_session(line, clinic):
    entry = line.join()
    slot = line.freed()
    line.fill(slot)
    with clinic.doors.transaction() as db:
        session = db.get_one(Slot, slot.id).session_id
        mine = update(ClinicSession).where(ClinicSession.id == session)
        db.execute(mine.values(state="cancelled"))
    assert line.close(NOW) == 1
    assert line.state(entry) == "waiting"


class History(RuleBasedStateMachine):
    """Whatever happens, in whatever order: places are not overdrawn, and offers keep the rules."""

    clinic = None

    def __init__(self):
        """Begin at a site of its own, where nobody waits yet."""
        super().__init__()
        self.now = NOW
        with self.clinic.doors.transaction() as db:
            db.execute(update(Offer).where(Offer.state == "open").values(state="withdrawn"))
            for state in ("waiting", "offered"):
                mine = update(WaitEntry).where(WaitEntry.state == state)
                db.execute(mine.values(state="left"))
        with self.clinic.doors.transaction() as db:
            site = make_site(db, time_zone="Asia/Beirut")
        self.clinic = replace(self.clinic, site=site)
        self.line = Line(self.clinic)
        self.slot = self.line.freed(day(9), places=3)
        self.waiting = []

    @rule()
    def somebody_joins(self):
        self.waiting.append(self.line.join(now=self.now))
        self.now += timedelta(minutes=1)

    @rule(hours=st.integers(1, 30))
    def time_passes(self, hours):
        self.now += timedelta(hours=hours)
        self.line.close(self.now)

    @rule()
    def places_are_offered(self):
        night = policy.night(self.now, self.clinic.country.quiet_hours, "Asia/Beirut")
        before = {offer.id for offer in self.line.open(self.slot)}
        made = self.line.fill(self.slot, self.now)
        assert not (night and made)
        new = [offer for offer in self.line.open(self.slot) if offer.id not in before]
        assert len(new) == made
        self.no_more_are_expected_than_there_are_places(made)
        asked = [offer.person_id for offer in new]
        in_line = [each.person_id for each in self.waiting]
        assert asked == sorted(asked, key=in_line.index)
        for offer in new:
            assert policy.night(offer.ends_at - timedelta(seconds=1),
                                self.clinic.country.quiet_hours, "Asia/Beirut") is None  # fmt: skip

    @rule(deed=st.sampled_from([offers.accept, offers.decline]), which=st.integers(0, 9))
    def somebody_answers(self, deed, which):
        still = self.line.open(self.slot)
        if still:
            offer = still[which % len(still)]
            with suppress(SlotFull, WrongState, NotEligible):
                self.line.answer(offer, deed, self.now)

    def no_more_are_expected_than_there_are_places(self, made):
        with self.clinic.doors.reading() as db:
            slot = db.get_one(Slot, self.slot.id)
            ended = [
                state for state in db.scalars(select(Offer.state)) if state in offering.ANSWERS
            ]
        rate = policy.acceptance(ended.count("accepted"), len(ended))
        free = slot.kept_waiting - slot.booked_waiting
        assert not made or len(self.line.open(self.slot)) * rate <= free

    @invariant()
    def the_sums_come_out(self):
        with self.clinic.doors.reading() as db:
            slot = db.get_one(Slot, self.slot.id)
            asked = len(self.line.open(self.slot))
            assert slot.booked <= slot.capacity
            taken = db.scalars(select(Offer.state).filter_by(slot_id=slot.id)).all()
            assert taken.count("accepted") == slot.booked
            offered = db.scalars(select(WaitEntry.id).filter_by(state="offered")).all()
            assert len(offered) == asked


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_no_history_of_joining_and_answering_breaks_a_rule(clinic):
    machine = type("History", (History,), {"clinic": clinic})
    run_state_machine_as_test(
        machine, settings=settings(max_examples=8, stateful_step_count=12, deadline=None)
    )
