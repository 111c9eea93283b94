"""Doses are facts: recorded whatever is wrong with them, and judged for what they are worth."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from healthcert.errors import BadInput, NotFound, WrongState
from healthcert.models import (
    Appointment,
    AuditEvent,
    Dose,
    DoseJudgement,
    DoseStanding,
    Message,
    ProductTarget,
    Slot,
)
from healthcert.services import booking, enrolment, moving, parties, sweeping
from healthcert.services import clinic as clinics
from healthcert.services.audit import STRANGER
from healthcert.services.reconciling import differences
from healthcert.services.vaccination import AlreadyRecorded
from tests.factories import NOW, day, make_product, make_site, make_staff, make_validity
from tests.services.clinic import COMIRNATY, COVID, JCOVDEN, details
from tests.services.test_clinic import arrive
from tests.threads import at_once


def test_recording_writes_everything_in_one_go(clinic):
    clinic.lot()
    dose = clinic.vaccinated(day(0), details())
    assert clinic.counts(dose) == ("valid", 1)
    assert [each.state for each in clinic.certificates(dose)] == ["intended"]
    with clinic.doors.reading() as db:
        assert db.get_one(Appointment, dose.appointment_id).state == "vaccinated"
        assert "dose_recorded" in db.scalars(select(AuditEvent.act)).all()
        assert "dose_recorded" in db.scalars(select(Message.template)).all()


def test_two_doses_make_a_series_and_the_third_is_a_booster(clinic):
    clinic.lot()
    who = details()
    doses = [
        clinic.vaccinated(on, who, dose_number=number)
        for number, on in enumerate([day(-170), day(-149), day(-50)], 1)
    ]
    assert [clinic.counts(dose) for dose in doses] == [("valid", n) for n in (1, 2, 3)]
    stated = [(c.dn, c.sd) for dose in doses for c in clinic.certificates(dose)]
    assert stated == [(1, 2), (2, 2), (3, 3)]


def test_a_dose_after_a_series_of_one_is_two_of_one(clinic):
    clinic.lot()
    clinic.lot("ONE", product=JCOVDEN)
    who = details()
    first = clinic.vaccinated(day(-100), who, product=JCOVDEN, lot="ONE")
    second = clinic.vaccinated(day(0), who, dose_number=2)
    stated = [(c.dn, c.sd) for dose in (first, second) for c in clinic.certificates(dose)]
    assert stated == [(1, 1), (2, 1)]


@pytest.mark.parametrize(
    ("lot", "since", "counts"),
    [
        ("NOBODY-KNOWS", {}, "unknown"),
        ("GOOD", {"expires_on": day(-1)}, "expired_lot"),
        ("GOOD", {"released_on": day(1)}, "unknown"),
        ("GOOD", {"since": day(1)}, "unknown"),
        ("GOOD", {"state": "recalled"}, "recalled_lot"),
        ("go od", {}, "valid"),
    ],
)
def test_whatever_is_wrong_with_the_lot_the_dose_is_recorded(clinic, lot, since, counts):
    clinic.lot(**since)
    dose = clinic.vaccinated(day(0), details(), lot=lot)
    assert clinic.counts(dose)[0] == counts
    assert dose.lot_text == lot.replace(" ", "").upper()
    assert len(clinic.certificates(dose)) == (counts == "valid")


def test_the_last_day_of_a_lot_still_counts(clinic):
    clinic.lot(expires_on=day(0))
    assert clinic.counts(clinic.vaccinated(day(0), details()))[0] == "valid"


def test_a_child_too_young_is_recorded_as_outside_the_age(clinic):
    clinic.lot()
    clinic.lot("ONE", product=JCOVDEN)
    slot = clinic.slot(day(0))
    appointment = clinic.book(slot, details(birth_date=f"{NOW.year - 17}"), now=NOW)
    dose = clinic.record(appointment, product=JCOVDEN, lot="ONE")
    assert clinic.counts(dose) == ("outside_age", None)


@pytest.mark.parametrize(("days", "counts"), [(16, "too_early"), (17, "valid"), (21, "valid")])
def test_grace_days_judge_a_dose_that_was_given(clinic, days, counts):
    clinic.lot()
    who = details()
    clinic.vaccinated(day(-40), who)
    later = clinic.vaccinated(day(-40 + days), who, dose_number=3)
    assert clinic.counts(later)[0] == counts


def test_a_product_that_the_programme_does_not_give_is_recorded_as_wrong(clinic):
    with clinic.doors.transaction() as db:
        other = make_product(db, knowledge_id=clinic.products[COMIRNATY].knowledge_id)
    dose = clinic.record(clinic.book(clinic.slot(day(1))), product_id=other.id)
    assert clinic.counts(dose) == ("wrong_product", None)


def test_a_dose_may_count_toward_two_diseases(clinic):
    clinic.lot()
    with clinic.doors.transaction() as db:
        product = clinic.products[COMIRNATY]
        db.add(ProductTarget(product_id=product.id, disease="6142004"))
    dose = clinic.vaccinated(day(0), details())
    with clinic.doors.reading() as db:
        stands = db.scalars(select(DoseStanding).filter_by(dose_id=dose.id)).all()
    assert {(each.disease, each.counts) for each in stands} == {
        (COVID, "valid"),
        ("6142004", "valid"),
    }
    # The EU value set knows no certificate against the second.
    assert {each.disease for each in clinic.certificates(dose)} == {COVID}


def test_recording_twice_is_refused_by_the_first_dose_which_stays(clinic):
    clinic.lot()
    appointment = clinic.book(clinic.slot())
    first = clinic.record(appointment)
    with pytest.raises(AlreadyRecorded) as refused:
        clinic.record(appointment)
    assert refused.value.dose_id == first.id
    with clinic.doors.reading() as db:
        assert db.scalars(select(Dose.id)).all() == [first.id]


def over(clinic, state):
    """Return an appointment that is over, or held, as deeds of the house leave it."""
    slot, who = clinic.slot(capacity=1), details()
    now = NOW - timedelta(hours=1)
    mine = held(clinic, slot, who, now) if state in {"held", "expired"} else clinic.book(slot, who)
    of = {"appointment_id": mine.id, "person_id": mine.person_id, "vault": clinic.vault, "now": NOW}
    left = {"appointment_id": mine.id, "reason": "left", "staff": clinic.nurse, "now": NOW}
    later = clinic.slot(day(2))
    clinic.doors.run({
        "held": lambda _db: None,
        "expired": lambda db: sweeping.sweep(db, now=NOW),
        "cancelled": lambda db: booking.cancel(db, **of),
        "rescheduled": lambda db: moving.move(db, slot_id=later.id, **of),
        "no_show": lambda db: sweeping.sweep(db, now=slot.ends_at + timedelta(hours=12)),
        "not_vaccinated": lambda db: clinics.not_vaccinated(db, **left),
    }[state])  # fmt: skip
    return mine


def held(clinic, slot, who, now):
    def work(db):
        person = enrolment.enrol(db, vault=clinic.vault, details=who, now=now)
        wishes = [parties.Wish(person, slot.id, 1)]
        wanted = {"vault": clinic.vault, "wishes": wishes, "source": "web", "actor": STRANGER}
        return parties.hold(db, now=now, **wanted).appointments[0]

    return clinic.doors.run(work)


def state_of(clinic, appointment):
    with clinic.doors.reading() as db:
        assert differences(db) == []
        return db.get_one(Appointment, appointment.id).state


@pytest.mark.parametrize(
    ("state", "then"),
    [
        ("held", "cancelled"), ("expired", "expired"), ("cancelled", "cancelled"),
        ("rescheduled", "rescheduled"), ("no_show", "vaccinated"), ("not_vaccinated", "vaccinated"),
    ],
)  # fmt: skip
def test_a_dose_is_written_down_though_its_appointment_is_over(clinic, state, then):
    clinic.lot()
    mine = over(clinic, state)
    assert state_of(clinic, mine) == state
    dose = clinic.record(mine)
    assert (clinic.counts(dose), dose.appointment_id) == (("valid", 1), mine.id)
    assert state_of(clinic, mine) == then
    with clinic.doors.reading() as db:
        told = db.scalars(select(AuditEvent.details).filter_by(act="dose_recorded")).one()
    assert told["appointment"] == state
    with pytest.raises(AlreadyRecorded):
        clinic.record(mine)


@pytest.mark.parametrize(
    ("lot", "state"), [("GOOD", "cancelled"), ("NOBODY-KNOWS", "booked")], ids=["counts", "not"]
)
def test_the_appointment_a_closure_gave_instead_is_let_go_once_the_dose_counts(clinic, lot, state):
    clinic.lot()
    mine = over(clinic, "rescheduled")
    clinic.record(mine, lot=lot)
    with clinic.doors.reading() as db:
        again = select(Appointment).where(Appointment.id != mine.id)
        again = db.scalars(again.filter_by(person_id=mine.person_id)).one()
        told = db.scalars(select(Message.template).filter_by(person_id=mine.person_id)).all()
        assert db.get_one(Slot, again.slot_id).booked == (state == "booked")
    assert (state_of(clinic, again), "cancelled" in told) == (state, state == "cancelled")


def test_somebody_given_up_who_booked_anew_has_their_dose_in_the_old_appointment(clinic):
    clinic.lot()
    who, slot = details(), clinic.slot()
    mine = clinic.book(slot, who)
    clinic.doors.run(lambda db: sweeping.sweep(db, now=slot.ends_at + timedelta(hours=12)))
    again = clinic.book(clinic.slot(day(2)), who)
    assert clinic.counts(clinic.record(mine)) == ("valid", 1)
    assert (state_of(clinic, mine), state_of(clinic, again)) == ("no_show", "cancelled")


def test_a_dose_that_was_marked_as_not_given_can_be_given_after_all(clinic):
    clinic.lot()
    mine = clinic.book(clinic.slot())
    clinic.mark_in_error(clinic.record(mine), reason="not_given")
    assert clinic.counts(clinic.record(mine)) == ("valid", 1)


def test_a_hold_that_is_confirmed_after_a_dose_that_does_not_count_leads_to_another(clinic):
    clinic.lot()
    mine = over(clinic, "expired")
    clinic.record(mine, lot="UNKNOWN", given_at=NOW)
    confirmed = {"party_id": mine.party_id, "actor": STRANGER, "vault": clinic.vault, "now": NOW}
    clinic.doors.run(lambda db: parties.confirm(db, **confirmed))
    assert clinic.counts(clinic.record(mine)) == ("valid", 1)
    assert state_of(clinic, mine) == "vaccinated"


def test_two_nurses_who_write_down_one_dose_after_a_closure_write_it_once(clinic):
    clinic.lot()
    mine = over(clinic, "rescheduled")

    def write(_number):
        try:
            return clinic.record(mine)
        except AlreadyRecorded as refused:
            return refused

    found = at_once(2, write)
    [dose] = [each for each in found if isinstance(each, Dose)]
    assert {getattr(each, "dose_id", dose.id) for each in found} == {dose.id}


def test_two_nurses_at_the_same_moment_give_one_counted_dose_and_one_duplicate(clinic):
    clinic.lot()
    clinic.lot("ONE", product=JCOVDEN)
    who = details()
    slots = [
        clinic.slot(day(0)),
        clinic.slot(day(0), product=JCOVDEN, starts_at=NOW.replace(hour=11)),
    ]
    mine = [clinic.book(slot, who, dose_number=n) for n, slot in enumerate(slots, 1)]
    for each in mine:  # else the second would be planned anew once the first is recorded
        arrive(clinic, each)
    doses = at_once(2, lambda n: clinic.record(mine[n], given_at=NOW.replace(hour=10 + n)))
    assert {clinic.counts(dose)[0] for dose in doses} == {"valid", "duplicate"}


def test_a_dose_found_late_moves_the_numbers_of_those_after_it(clinic, signers):
    clinic.lot()
    who = details()
    second = clinic.vaccinated(day(-10), who)
    clinic.issue(signers)
    slot = clinic.slot(day(1))
    first = clinic.record(
        clinic.book(slot, who, dose_number=9), given_at=slot.starts_at.replace(month=1, day=20)
    )
    assert [clinic.counts(dose) for dose in (first, second)] == [("valid", 1), ("valid", 2)]
    assert [(c.state, c.dn) for c in clinic.certificates(second)] == [
        ("revoked", 1),
        ("intended", 2),
    ]


def test_only_the_site_of_the_appointment_may_record_it(clinic):
    with clinic.doors.transaction() as db:
        stranger = make_staff(db, site_id=make_site(db).id)
    with pytest.raises(NotFound):
        clinic.record(clinic.book(clinic.slot()), staff=stranger)


@pytest.mark.parametrize(
    ("values", "wrong"),
    [
        ({"lot_text": "  "}, {"lot": "missing"}),
        ({"lot_text": "x" * 21}, {"lot": "too_long"}),
        ({"body_site": ""}, {"body_site": "missing"}),
        ({"body_site": "nose"}, {"body_site": "not_a_choice"}),
        ({"now": NOW}, {"given_at": "in_the_future"}),
    ],
)
def test_what_cannot_be_read_is_named(clinic, values, wrong):
    with pytest.raises(BadInput) as refused:
        clinic.record(clinic.book(clinic.slot()), **values)
    assert refused.value.fields == wrong


def test_an_unknown_product_is_not_found(clinic):
    appointment = clinic.book(clinic.slot())
    with pytest.raises(NotFound):
        clinic.record(appointment, product_id=appointment.id)


def test_marking_in_error_revokes_first_and_renumbers_what_follows(clinic, signers):
    clinic.lot()
    who = details()
    first = clinic.vaccinated(day(-60), who)
    second = clinic.vaccinated(day(-30), who, dose_number=2)
    clinic.issue(signers)
    clinic.mark_in_error(first)
    assert clinic.counts(first) == ("entered_in_error", None)
    assert clinic.counts(second) == ("valid", 1)
    assert [c.state for c in clinic.certificates(first)] == ["revoked"]
    assert [(c.state, c.dn, c.sd) for c in clinic.certificates(second)] == [
        ("revoked", 2, 2),
        ("intended", 1, 2),
    ]
    with clinic.doors.reading() as db:
        told = db.scalars(select(Message.template).where(Message.person_id == first.person_id))
        assert told.all().count("certificate_revoked") == 2


def test_an_intent_that_is_taken_back_alarms_nobody(clinic):
    clinic.lot()
    dose = clinic.vaccinated(day(0), details())
    clinic.mark_in_error(dose)
    with clinic.doors.reading() as db:
        told = set(db.scalars(select(Message.template)).all())
    assert "certificate_revoked" not in told
    assert "dose_corrected" in told


def test_a_mark_needs_a_reason_and_comes_once(clinic):
    clinic.lot()
    dose = clinic.vaccinated(day(0), details())
    with pytest.raises(BadInput):
        clinic.mark_in_error(dose, reason="")
    with pytest.raises(BadInput):
        clinic.mark_in_error(dose, reason="she told me so")
    clinic.mark_in_error(dose)
    with pytest.raises(WrongState):
        clinic.mark_in_error(dose)


def test_a_mark_is_kept_when_the_history_is_judged_again(clinic):
    clinic.lot()
    who = details()
    wrong = clinic.vaccinated(day(-60), who)
    clinic.mark_in_error(wrong, now=NOW)
    right = clinic.vaccinated(day(0), who)
    assert clinic.counts(wrong)[0] == "entered_in_error"
    assert clinic.counts(right) == ("valid", 1)
    with clinic.doors.reading() as db:
        judged = select(DoseJudgement).where(DoseJudgement.dose_id == wrong.id)
        assert len(db.scalars(judged).all()) == 2


@pytest.mark.parametrize(
    ("later", "reason", "state"),
    [
        (timedelta(hours=1), "wrong_person", "arrived"),
        (timedelta(hours=1), "given_twice_on_record", "vaccinated"),
        (timedelta(days=3), "wrong_person", "not_vaccinated"),
    ],
)
def test_whose_dose_was_an_error_is_not_vaccinated(clinic, later, reason, state):
    clinic.lot()
    dose = clinic.vaccinated(day(1), details())
    clinic.mark_in_error(dose, reason, now=dose.given_at + later)
    with clinic.doors.reading() as db:
        assert db.scalars(select(Appointment.state)).all() == [state]


def test_another_sites_dose_cannot_be_marked(clinic):
    clinic.lot()
    dose = clinic.vaccinated(day(0), details())
    with clinic.doors.transaction() as db:
        stranger = make_staff(db, site_id=make_site(db).id)
    with pytest.raises(NotFound):
        clinic.mark_in_error(dose, staff=stranger)


def test_a_recall_counts_from_the_day_it_is_judged_again(clinic):
    lot = clinic.lot()
    who = details()
    dose = clinic.vaccinated(day(-30), who)
    with clinic.doors.transaction() as db:
        make_validity(db, lot=lot, since=day(-40), state="recalled")
    later = clinic.vaccinated(day(0), who, dose_number=9, lot="OTHER")
    assert clinic.counts(dose)[0] == "recalled_lot"
    assert clinic.counts(later)[0] == "unknown"
    assert [c.state for c in clinic.certificates(dose)] == ["revoked"]
