"""Any history of bookings, broken off at any step, leaves every place with one person at most."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from sqlalchemy import event, select
from sqlalchemy.orm import Session

from healthcert.errors import Refusal
from healthcert.models import Appointment, Slot
from healthcert.models.appointment import ACTIVE
from healthcert.services import booking, enrolment, moving, parties, sweeping, vaccination
from healthcert.services.audit import STRANGER, Actor
from healthcert.services.facts import Told
from healthcert.services.parties import Wish
from healthcert.services.reconciling import differences
from healthcert.services.vaccination import AlreadyRecorded
from tests.factories import NOW, make_site, make_staff
from tests.factories import day as day_after
from tests.services.clinic import COMIRNATY, Clinic, details
from tests.services.test_eligibility import publish

EXAMPLES, STEPS = 10, 30
DAYS = (1, 2, 22, 23, 30)
GROWN = {"code": "grown", "opens_on": str(day_after(-30)), "admits": {"age": {"from_years": 18}}}
PEOPLE = st.integers(0, 3)
SLOTS = st.integers(0, len(DAYS) - 1)
WISHES = st.lists(st.tuples(PEOPLE, SLOTS), min_size=1, max_size=3, unique_by=lambda wish: wish[0])
CRASH = st.sampled_from([None] * 6 + [2, 6, 9, 12])
ANY, LAST = st.integers(0, 9), st.sampled_from([0, 0, 0, 1, 2])  # the newest most often


class Crash(Exception):  # noqa: N818 - not an error of ours
    """The process ended here."""


class History(RuleBasedStateMachine):
    """Four people, the last out of turn, five slots of one or two places, a nurse and a clock."""

    clinic: Clinic

    def __init__(self) -> None:
        """Open a site of its own."""
        super().__init__()
        clinic = self.clinic
        with clinic.doors.transaction() as db:
            site = make_site(db, time_zone="Asia/Beirut")
            self.nurse = make_staff(db, site_id=site.id)
            self.people = [
                enrolment.enrol(db, vault=clinic.vault, details=details(**born), now=NOW)
                for born in ({}, {}, {}, {"birth_date": f"{day_after(-15 * 366)}"})
            ]
        self.slots = [
            clinic.slot(day_after(n), site=site, capacity=1 + n % 2, kept_second_dose=n // 30)
            for n in DAYS
        ]
        self.now, self.parties = NOW, []
        self.told = {"vault": clinic.vault}
        self.refusal: Refusal | None = None

    def by(self, *, nurse: bool) -> dict[str, Any]:
        if not nurse:
            return {"actor": STRANGER}
        return {"actor": Actor("staff", self.clinic.nurse.id), "exception_reason": "carer"}

    def deed(self, work: Callable[[Session], Any], crash: int | None) -> Any:
        """Do one deed, which may break off before its n-th statement; refused, nothing changed."""
        before, engine = self.snapshot(), self.clinic.doors.engine
        left, self.refusal = crash or 10_000, None

        def strike(*_args: object) -> None:
            nonlocal left
            left -= 1
            if left == 0:
                raise Crash

        event.listen(engine, "before_cursor_execute", strike)
        try:
            return self.clinic.doors.run(work)
        except (Refusal, Crash) as broken:
            self.refusal = broken if isinstance(broken, Refusal) else None
            event.remove(engine, "before_cursor_execute", strike)
            assert self.snapshot() == before
            return None
        finally:
            if event.contains(engine, "before_cursor_execute", strike):
                event.remove(engine, "before_cursor_execute", strike)

    def snapshot(self) -> list[tuple[object, ...]]:
        with self.clinic.doors.reading() as db:
            columns = Appointment.__table__.columns
            rows = [tuple(row) for row in db.execute(select(*columns).order_by(Appointment.id))]
            counts = select(Slot.id, Slot.booked, Slot.booked_second_dose).order_by(Slot.id)
            return rows + [tuple(row) for row in db.execute(counts)]

    def appointment(self, which: int) -> Appointment | None:
        mine = [person.id for person in self.people]
        with self.clinic.doors.reading() as db:
            query = select(Appointment).where(Appointment.person_id.in_(mine))
            rows = db.scalars(query.order_by(Appointment.id)).all()
        return rows[which % len(rows)] if rows else None

    @rule(wishes=WISHES, nurse=st.booleans(), crash=CRASH)
    def hold(self, wishes: list[tuple[int, int]], crash: int | None, *, nurse: bool) -> None:
        wanted = [Wish(self.people[p], self.slots[s].id, 1 + s // 2 % 2) for p, s in wishes]
        party = self.deed(
            lambda db: parties.hold(
                db, wishes=wanted, source="web", now=self.now, **self.told, **self.by(nurse=nurse)
            ),
            crash,
        )
        if party is not None:
            assert [a.state for a in party.appointments] == ["held"] * len(wishes)
            self.parties.append(party.id)

    @rule(which=LAST, late=st.booleans(), crash=CRASH)
    def confirm(self, which: int, crash: int | None, *, late: bool) -> None:
        if self.parties:
            if late:
                self.wait(11, None, sweeps=True)
            party_id = self.parties[-1 - which % len(self.parties)]
            deed = {"party_id": party_id, "actor": STRANGER, "now": self.now} | self.told
            done = self.deed(lambda db: parties.confirm(db, **deed), crash)
            assert done is None or not {"held", "expired"} & {a.state for a in done}
            self.no_phase_refused()

    @rule(which=ANY, crash=CRASH)
    def let_go(self, which: int, crash: int | None) -> None:
        if self.parties:
            deed = {"party_id": self.parties[which % len(self.parties)], "actor": STRANGER}
            self.deed(lambda db: parties.let_go(db, now=self.now, **deed), crash)

    def no_phase_refused(self) -> None:
        assert not getattr(self.refusal, "by_phase", False), "an exception was forgotten"

    @rule(who=PEOPLE, slot=SLOTS, dose=st.integers(1, 2), nurse=st.booleans(), crash=CRASH)
    def take(self, who: int, slot: int, dose: int, crash: int | None, *, nurse: bool) -> None:
        self.deed(
            lambda db: booking.take(
                db, person_id=self.people[who].id, slot_id=self.slots[slot].id, dose_number=dose,
                source="web", now=self.now, **self.told, **self.by(nurse=nurse),
            ),
            crash,
        )  # fmt: skip

    @rule(which=ANY, slot=SLOTS, crash=CRASH)
    def move(self, which: int, slot: int, crash: int | None) -> None:
        if old := self.appointment(which):
            moved = self.deed(
                lambda db: moving.move(
                    db, appointment_id=old.id, person_id=old.person_id,
                    slot_id=self.slots[slot].id, now=self.now, **self.told,
                ),
                crash,
            )  # fmt: skip
            assert moved is None or moved.state == old.state
            self.no_phase_refused()

    @rule(which=ANY, crash=CRASH)
    def cancel(self, which: int, crash: int | None) -> None:
        if mine := self.appointment(which):
            deed = {"appointment_id": mine.id, "person_id": mine.person_id, "now": self.now}
            self.deed(lambda db: booking.cancel(db, **deed, **self.told), crash)

    @rule(which=ANY, crash=CRASH)
    def give(self, which: int, crash: int | None) -> None:
        if mine := self.appointment(which):
            told = Told("NOBODY-KNOWS", "LA", self.now)
            product_id = self.clinic.products[COMIRNATY].id
            deed = {"staff": self.nurse, "country": self.clinic.country, "now": self.now}
            deed |= {"appointment_id": mine.id, "product_id": product_id, "told": told}
            self.deed(lambda db: vaccination.record(db, **deed, **self.told), crash)
            assert isinstance(self.refusal, AlreadyRecorded | None), "a dose was not written down"

    @rule(minutes=st.sampled_from([1, 11]), sweeps=st.booleans(), crash=CRASH)
    def wait(self, minutes: int, crash: int | None, *, sweeps: bool) -> None:
        self.now: datetime = self.now + timedelta(minutes=minutes)
        if sweeps:
            self.deed(lambda db: sweeping.sweep(db, now=self.now), crash)

    @invariant()
    def every_place_has_one_person_and_every_party_is_whole(self) -> None:
        with self.clinic.doors.reading() as db:
            assert differences(db) == []
            rows = db.scalars(select(Appointment).order_by(Appointment.starts_at)).all()
            capacity = {slot.id: slot.capacity for slot in db.scalars(select(Slot))}
        active = [row for row in rows if row.state in ACTIVE]
        slots, people, states = defaultdict(list), defaultdict(list), defaultdict(set)
        for row in active:
            slots[row.slot_id].append(row)
            people[row.person_id].append(row)
        for row in rows:
            states[row.party_id].add(row.state)
        assert all(len(held) <= capacity[slot] for slot, held in slots.items())
        assert all(row.exception_reason for row in people[self.people[-1].id])
        for mine in people.values():
            assert len({(row.programme_id, row.dose_number) for row in mine}) == len(mine)
            assert all(one.ends_at <= two.starts_at for one, two in pairwise(mine))
        states.pop(None, None)
        for found in states.values():
            assert not (found & {"held", "expired"} and found & {"booked", "rescheduled"})


@pytest.mark.walk
def test_no_history_gives_a_place_away_twice(clinic, say):
    publish(clinic, GROWN)
    kind = type("Tried", (History,), {"clinic": clinic})
    run_state_machine_as_test(
        kind,
        settings=settings(
            max_examples=EXAMPLES, stateful_step_count=STEPS, deadline=None, database=None,
            derandomize=True, suppress_health_check=list(HealthCheck),
        ),
    )  # fmt: skip
    say(f"{EXAMPLES} histories of up to {STEPS} deeds")
