"""Everything held about a person, and what of it erasure leaves."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from healthcert.errors import BadCode, NotFound, NotReady, WrongState
from healthcert.models import (
    Appointment,
    AuditEvent,
    Base,
    Certificate,
    Dose,
    Identity,
    Message,
    Offer,
    Person,
    PersonToken,
    Proxy,
    Slot,
    WaitEntry,
    new_id,
)
from healthcert.services import (
    access,
    audit,
    erasure,
    holding,
    judging,
    judging_again,
    lots,
    messages,
    my_record,
)
from healthcert.services import clinic as clinics
from healthcert.services.people import details_of
from healthcert.services.reconciling import differences
from tests.factories import NOW, day, make_admin
from tests.services.clinic import COVID, PEPPER, details


@pytest.fixture
def her(clinic, signers):
    """Somebody with a dose, a certificate, an appointment ahead, and a nurse who looked."""
    clinic.lot()
    who = details()
    dose = clinic.vaccinated(day(-30), who)
    clinic.issue(signers)
    ahead = clinic.book(clinic.slot(), who, dose_number=2)
    with clinic.doors.transaction() as db:
        clinics.patient(
            db,
            vault=clinic.vault,
            appointment_id=ahead.id,
            staff=clinic.nurse,
            reason="care",
            now=NOW,
        )
    return who, dose, ahead


def exported(clinic, person_id):
    with clinic.doors.reading() as db:
        return my_record.export(db, vault=clinic.vault, person_id=person_id, now=NOW)


def erase(clinic, person_id, now=NOW):
    return clinic.doors.run(
        lambda db: erasure.erase(
            db, vault=clinic.vault, person_id=person_id,
            actor=audit.Actor("citizen", person_id), reason="asked", now=now,
        )
    )  # fmt: skip


def test_no_table_that_names_a_person_is_forgotten():
    named = {
        table.name
        for table in Base.metadata.sorted_tables
        if any(
            key.target_fullname == "person.id"
            for column in table.columns
            for key in column.foreign_keys
        )
        or "person_id" in table.columns
    }
    assert set(my_record.NOUNS) == named | {"person"}


def test_the_record_holds_everything_and_is_json(clinic, her):
    who, dose, ahead = her
    told = json.loads(json.dumps(exported(clinic, dose.person_id).as_json(), ensure_ascii=False))
    held = told["held"]
    assert held["person"][0]["family"] == who.family
    assert held["person"][0]["identity"]["value"] == who.identity.value
    assert [row["kind"] for row in held["identity"]] == ["national"]
    assert {row["kind"] for row in held["person_token"]} == {"phone", "mail", "name"}
    assert next(row["reference"] for row in held["appointment"]) == ahead.reference
    assert [(row["counts"], row["lot"]) for row in held["dose"]] == [("valid", "GOOD")]
    assert held["certificate"][0]["text"].startswith("HC1:")
    assert any(who.phone == row["to"] and ahead.reference in row["text"] for row in held["message"])
    [seen] = told["seen"]
    assert (seen["role"], seen["place"]) == ("nurse", clinic.site.names)
    assert str(clinic.nurse.id) not in json.dumps(told)


def test_the_record_is_of_nobody_else(clinic, her):
    other = details(family="Duchâteau")
    clinic.vaccinated(day(-20), other)
    _who, dose, _ahead = her
    assert "Duchâteau" not in json.dumps(exported(clinic, dose.person_id).as_json())
    with pytest.raises(NotFound):
        exported(clinic, new_id())


def test_a_text_that_went_is_left_out_of_the_record(clinic, her):
    _who, dose, _ahead = her
    with clinic.doors.transaction() as db:
        row = db.scalars(select(Message).filter_by(person_id=dose.person_id)).first()
        row.state, row.sealed = "failed", None
    held = exported(clinic, dose.person_id).held["message"]
    assert sum("text" not in row for row in held) == 1


def test_erasing_keeps_name_birth_and_doses_for_the_laws_time_and_nothing_more(clinic, her):
    who, dose, ahead = her
    with clinic.doors.reading() as db:
        old_key = db.get_one(Person, dose.person_id).wrapped_key
        foreseen = erasure.foreseen(db, person_id=dose.person_id)
    told = erase(clinic, dose.person_id)
    assert told == foreseen
    until = dose.given_on + timedelta(days=3653)
    assert (told.kept[0].what, told.kept[0].until) == ("doses", until)
    assert told.gone == erasure.GONE
    with clinic.doors.reading() as db:
        person = db.get_one(Person, dose.person_id)
        left = details_of(clinic.vault, person)
        assert (left.family, left.birth_date) == (who.family, who.birth_date)
        assert (left.phone, left.mail, left.identity.kind) == ("", "", "none")
        assert (person.kept_until, person.key_gone_on) == (until, None)
        for gone in (Identity, PersonToken, Message):
            assert db.scalar(select(func.count()).where(gone.person_id == person.id)) == 0
        assert db.get_one(Appointment, ahead.id).state == "cancelled"
        assert db.get_one(Slot, ahead.slot_id).booked == 0
        assert db.get_one(Dose, dose.id).lot_text == "GOOD"
        certificate = db.scalars(select(Certificate)).one()
        assert certificate.state == "issued"
        with pytest.raises(NotReady):
            clinic.vault.open(
                person.wrapped_key, certificate.id, certificate.sealed, purpose="certificate"
            )
        assert person.wrapped_key != old_key
        event = db.scalars(select(AuditEvent).filter_by(act="person_erased")).one()
        assert event.details == {"reason": "asked", "kept_until": until.isoformat()}


def test_who_had_no_dose_is_gone_whole_at_once(clinic):
    booked = clinic.book(clinic.slot())
    told = erase(clinic, booked.person_id)
    assert [each.what for each in told.kept] == ["counting", "audit"]
    with clinic.doors.reading() as db:
        person = db.get_one(Person, booked.person_id)
        assert (person.wrapped_key, person.sealed, person.key_gone_on) == (None, None, NOW.date())
        with pytest.raises(NotFound):
            details_of(clinic.vault, person)


def test_who_was_erased_is_not_found_not_shown_and_not_told(clinic, her):
    who, dose, ahead = her
    erase(clinic, dose.person_id)
    with clinic.doors.transaction() as db:
        for ask in (holding.overview, my_record.export):
            with pytest.raises(NotFound):
                ask(db, vault=clinic.vault, person_id=dose.person_id, now=NOW)
        with pytest.raises(NotFound):
            erasure.foreseen(db, person_id=dose.person_id)
        access.request_code(
            db, vault=clinic.vault, pepper=PEPPER,
            claim=access.Claim(ahead.reference, who.birth_date), now=NOW,
        )  # fmt: skip
        answer = access.redeem(
            db, vault=clinic.vault, pepper=PEPPER,
            claim=access.Claim(ahead.reference, who.birth_date), code="000000", now=NOW,
        )  # fmt: skip
        with pytest.raises(BadCode):
            _ = answer.person_id
    clinic.mark_in_error(dose)
    with clinic.doors.reading() as db:
        assert db.scalar(select(func.count(Message.id))) == 0
    assert [each.state for each in clinic.certificates(dose)] == ["revoked"]
    with pytest.raises(WrongState):
        erase(clinic, dose.person_id)


def test_an_erased_persons_document_books_as_somebody_new(clinic, her):
    who, dose, _ahead = her
    erase(clinic, dose.person_id)
    assert clinic.book(clinic.slot(day(2)), who).person_id != dose.person_id


def test_an_intent_to_sign_ends_with_the_person(clinic):
    clinic.lot()
    dose = clinic.vaccinated(day(-1), details())
    erase(clinic, dose.person_id)
    [certificate] = clinic.certificates(dose)
    assert (certificate.state, certificate.revoked_reason) == ("revoked", "holder_erased")


def test_intents_that_ended_with_the_person_leave_no_difference(clinic):
    clinic.lot()
    person_id = clinic.vaccinated(day(-1), details()).person_id
    clinic.recovered(person_id)
    clinic.tested(person_id)
    erase(clinic, person_id)
    with clinic.doors.reading() as db:
        assert differences(db) == []


def test_who_was_erased_gets_no_certificate_when_a_lot_is_judged_again(clinic):
    lot = clinic.lot(state="quarantined")
    dose = clinic.vaccinated(day(-1), details())
    erase(clinic, dose.person_id)
    with clinic.doors.transaction() as db:
        lots.order(
            db, lot_id=lot.id, state="released", since=day(-9), reason="found_good",
            staff=make_admin(db), country=clinic.country, now=NOW,
        )  # fmt: skip
        judging_again.judge_again(
            db, vault=clinic.vault, lot_id=lot.id, country=clinic.country, limit=9, now=NOW
        )
    assert (clinic.counts(dose), clinic.certificates(dose)) == (("valid", 1), [])
    with clinic.doors.reading() as db:
        assert differences(db) == []


def test_nobody_is_erased_while_they_stand_before_the_nurse(clinic):
    booked = clinic.book(clinic.slot())
    with clinic.doors.transaction() as db:
        clinics.arrive(
            db, appointment_id=booked.id, site_id=clinic.site.id, staff_id=clinic.nurse.id, now=NOW
        )
    with pytest.raises(WrongState):
        erase(clinic, booked.person_id)


def test_the_outbox_goes_on_after_an_erasure(clinic):
    gone = clinic.book(clinic.slot())
    erase(clinic, gone.person_id)
    stays = clinic.book(clinic.slot(day(2)))
    with clinic.doors.transaction() as db:
        claimed = messages.claim(db, vault=clinic.vault, channels=["sms"], now=NOW, limit=9)
    assert [stays.reference in each.text for each in claimed] == [True]


def test_a_place_freed_by_an_erasure_is_anothers(clinic):
    slot = clinic.slot(capacity=1)
    erase(clinic, clinic.book(slot).person_id)
    assert clinic.book(slot).state == "booked"


def test_waiting_offers_and_proxies_end_with_the_person(clinic):
    booked = clinic.book(clinic.slot())
    other = clinic.book(clinic.slot(day(2))).person_id
    base = {"recorded_at": NOW, "programme_id": clinic.programme.id}
    until = {"recorded_at": NOW, "ends_at": NOW + timedelta(days=9)}
    with clinic.doors.transaction() as db:
        entry = WaitEntry(person_id=booked.person_id, state="offered", turn_on=day(0), **base)
        db.add(entry)
        db.flush()
        db.add(
            Offer(
                wait_entry_id=entry.id, person_id=booked.person_id, slot_id=booked.slot_id,
                state="open", **until,
            )
        )  # fmt: skip
        for one, two in ((booked.person_id, other), (other, booked.person_id)):
            db.add(Proxy(person_id=one, proxy_person_id=two, kind="carer", scope="book", **until))
    erase(clinic, booked.person_id)
    with clinic.doors.reading() as db:
        assert db.scalars(select(WaitEntry.state)).all() == ["left"]
        assert db.scalars(select(Offer.state)).all() == ["withdrawn"]
        assert db.scalars(select(Proxy.revoked_at)).all() == [NOW, NOW]


def test_doses_of_somebody_whose_key_is_gone_are_still_judged(clinic, her):
    _, dose, _ = her
    erase(clinic, dose.person_id)
    with clinic.doors.transaction() as db:
        person = db.get_one(Person, dose.person_id)
        person.wrapped_key = person.sealed = None
        person.key_gone_on = person.kept_until
        db.flush()
        found = judging.judge(
            db, vault=clinic.vault, people=[person], disease=COVID, country=clinic.country,
            judged_by=None, now=NOW,
        )  # fmt: skip
    assert found == {dose.id: "valid"}
