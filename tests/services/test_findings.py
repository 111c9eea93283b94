"""Tests and recoveries: recorded, certified where they are good for it, and marked in error."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from healthcert import models
from healthcert.errors import BadInput, NotFound, SignerUnavailable, WrongState
from healthcert.hcert import cose, cwt, payload, text
from healthcert.hcert.trust import from_certificate
from healthcert.models import AuditEvent, Message, Person, Recovery, RecoveryStanding, new_id
from healthcert.services import findings, holding
from healthcert.services.elsewhere import Evidence
from healthcert.services.reconciling import differences
from tests.factories import NOW, POSITIVE, day, make_site, make_staff
from tests.services.clinic import COVID, details
from tests.services.test_issuing import held
from tests.threads import at_once

ABROAD = Evidence("verified", "FR", "a code that held")


@pytest.fixture
def person_id(clinic):
    return clinic.book(clinic.slot()).person_id


def read(barcode, signer) -> dict:
    key = from_certificate(signer.certificate)
    assert set(key.usages) == {signer.purpose}
    signed = cose.verify1(text.decode(barcode), keys={key.kid: [key.key]})
    dcc = payload.dcc_of(cwt.read_claims(signed))
    assert payload.schema_faults(dcc) == []
    return dcc


def stands(clinic, finding):
    model = {"test_result": models.TestStanding, "recovery": RecoveryStanding}
    with clinic.doors.reading() as db:
        return db.get_one(model[finding.__tablename__], finding.id).counts


def mark(clinic, finding, reason="wrong_person", **values):
    wanted = {
        **clinic.deed(), "finding_id": finding.id, "reason": reason, **values,
    }  # fmt: skip
    clinic.doors.run(lambda db: findings.mark_in_error(db, **wanted))


def sums(clinic):
    with clinic.doors.reading() as db:
        return differences(db)


def test_a_negative_test_is_certified_by_the_key_for_tests(clinic, signers, person_id):
    test = clinic.tested(person_id, name="A PCR")
    [certificate] = clinic.issue(signers)
    [entry] = read(held(clinic, certificate).text, signers["t"])["t"]
    assert (entry["tt"], entry["tr"], entry["nm"]) == (test.test_type, test.result, "A PCR")
    assert (entry["sc"], entry["tc"], entry["co"]) == ("2026-03-02T08:00:00Z", "Port Azur", "XX")
    assert certificate.expires_at == NOW + timedelta(days=3)
    assert sums(clinic) == []


def test_a_rapid_test_abroad_names_its_device_and_its_country(clinic, signers, person_id):
    clinic.tested(person_id, test_type="LP217198-3", device="1232", evidence=ABROAD)
    [certificate] = clinic.issue(signers)
    [entry] = read(held(clinic, certificate).text, signers["t"])["t"]
    assert (entry["ma"], entry["co"]) == ("1232", "FR")


@pytest.mark.parametrize(
    ("values", "counts"),
    [
        ({"result": POSITIVE}, "positive"),
        ({"test_type": "LP217198-3"}, "unknown"),
        ({"evidence": Evidence("stated", "FR")}, "unknown"),
    ],
)
def test_other_tests_are_recorded_and_certify_nothing(clinic, person_id, values, counts):
    test = clinic.tested(person_id, **values)
    assert stands(clinic, test) == counts
    assert clinic.certificates(test) == []
    assert sums(clinic) == []


def test_a_positive_test_founds_a_recovery_that_is_signed_from_its_first_day(
    clinic, signers, person_id
):
    test = clinic.tested(person_id, POSITIVE)
    recovery = clinic.recovered(person_id, day(0), test_result_id=test.id)
    assert (recovery.valid_from, recovery.valid_until) == (day(11), day(180))
    assert clinic.issue(signers) == []
    [certificate] = clinic.issue(signers, NOW + timedelta(days=11))
    assert certificate.expires_at.date() == day(181)
    [entry] = read(held(clinic, certificate).text, signers["r"])["r"]
    assert (entry["fr"], entry["df"], entry["du"]) == tuple(
        day(n).isoformat() for n in (0, 11, 180)
    )


def test_a_recovery_is_not_signed_before_its_day_even_when_asked(clinic, signers, person_id):
    recovery = clinic.recovered(person_id, day(0))
    [intent] = clinic.certificates(recovery)
    assert clinic.signed(signers, [intent.id])[0].state == "intended"


def test_each_kind_waits_for_its_own_key(clinic, signers, person_id):
    clinic.tested(person_id)
    with pytest.raises(SignerUnavailable):
        clinic.issue({"v": signers["v"], "r": signers["r"]})
    assert len(clinic.issue(signers)) == 1


def test_a_recovery_that_is_over_is_recorded_without_a_certificate(clinic, person_id):
    recovery = clinic.recovered(person_id, day(-400), evidence=ABROAD)
    assert (stands(clinic, recovery), clinic.certificates(recovery)) == ("valid", [])
    assert sums(clinic) == []


@pytest.mark.parametrize("result", [None, POSITIVE])
def test_a_recovery_is_founded_on_ones_own_positive_test(clinic, person_id, result):
    other = clinic.book(clinic.slot(day(2))).person_id
    test = clinic.tested(person_id) if result is None else clinic.tested(other, result)
    with pytest.raises(BadInput) as refused:
        clinic.recovered(person_id, day(-1), test_result_id=test.id)
    assert refused.value.fields == {"test_result_id": "not_positive"}


def test_what_was_found_here_needs_its_positive_test_on_record(clinic, person_id):
    with pytest.raises(BadInput) as refused:
        clinic.recovered(person_id, day(-20), evidence=None)
    assert refused.value.fields == {"test_result_id": "needs_test"}


def test_a_rapid_test_founds_no_recovery_where_the_country_wants_another(clinic, person_id):
    test = clinic.tested(person_id, POSITIVE, test_type="LP217198-3", device="1232")
    with pytest.raises(BadInput):
        clinic.recovered(person_id, day(-1), test_result_id=test.id)


def test_marking_a_test_revokes_it_and_what_it_founded(clinic, signers, person_id):
    positive = clinic.tested(person_id, POSITIVE, sampled_at=NOW - timedelta(days=20))
    recovery = clinic.recovered(person_id, day(-20), test_result_id=positive.id)
    clinic.issue(signers)
    mark(clinic, positive)
    assert [stands(clinic, each) for each in (positive, recovery)] == ["entered_in_error"] * 2
    assert [(c.state, c.revoked_reason) for c in clinic.certificates(recovery)] == [
        ("revoked", "wrong_person")
    ]
    with clinic.doors.reading() as db:
        told = db.scalars(select(Message.template)).all()
        assert {"certificate_revoked", "finding_corrected"} <= set(told)
        acts = db.scalars(select(AuditEvent.act)).all()
        assert acts.count("finding_marked_in_error") == 2
    with pytest.raises(WrongState):
        mark(clinic, positive)
    assert sums(clinic) == []


def test_a_mark_needs_a_reason_and_the_site_that_wrote_it_down(clinic, person_id):
    test = clinic.tested(person_id)
    with pytest.raises(BadInput):
        mark(clinic, test, "")
    with clinic.doors.transaction() as db:
        stranger = make_staff(db, site_id=make_site(db).id)
    with pytest.raises(NotFound):
        mark(clinic, test, staff=stranger)
    with pytest.raises(NotFound):
        mark(clinic, test, finding_id=new_id())


def test_a_correction_takes_the_place_of_the_wrong_test(clinic, signers, person_id):
    wrong = clinic.tested(person_id)
    clinic.issue(signers)
    right = clinic.tested(person_id, POSITIVE, replaces=wrong.id, reason="wrong_result")
    assert [stands(clinic, each) for each in (wrong, right)] == ["entered_in_error", "positive"]
    assert [c.state for c in clinic.certificates(wrong)] == ["revoked"]
    other = clinic.book(clinic.slot(day(2))).person_id
    with pytest.raises(NotFound):
        clinic.tested(other, replaces=right.id, reason="wrong_person")
    assert sums(clinic) == []


@pytest.mark.parametrize(
    ("told", "wrong"),
    [
        ({"disease": "6142004"}, {"disease": "not_a_choice"}),
        ({"test_type": "PCR"}, {"test_type": "not_a_choice"}),
        ({"result": "maybe"}, {"result": "not_a_choice"}),
        ({"sampled_at": NOW + timedelta(hours=1)}, {"sampled_at": "in_the_future"}),
        ({"device": "1232"}, {"device": "not_needed"}),
        ({"evidence": Evidence("", "FR")}, {"evidence": "missing"}),
    ],
)
def test_what_cannot_be_read_of_a_test_is_named(clinic, person_id, told, wrong):
    with pytest.raises(BadInput) as refused:
        clinic.tested(person_id, **told)
    assert refused.value.fields == wrong


@pytest.mark.parametrize("field", ["centre", "name"])
def test_a_text_too_long_for_a_certificate_is_refused(clinic, person_id, field):
    with pytest.raises(BadInput):
        clinic.tested(person_id, **{field: "é" * 81})


def test_a_recovery_is_not_found_tomorrow(clinic, person_id):
    with pytest.raises(BadInput) as refused:
        clinic.recovered(person_id, day(1))
    assert refused.value.fields == {"first_positive_on": "in_the_future"}


def test_the_note_on_the_evidence_lies_sealed(clinic, person_id):
    test = clinic.tested(person_id, evidence=ABROAD)
    with clinic.doors.reading() as db:
        person = db.get_one(Person, person_id)
        opened = clinic.vault.open(person.wrapped_key, test.id, test.sealed, purpose="evidence")
    assert opened == {"note": ABROAD.note}


def test_a_person_holds_every_kind_of_certificate(clinic, signers):
    clinic.lot()
    dose = clinic.vaccinated(day(-1), details())
    test, recovery = clinic.tested(dose.person_id), clinic.recovered(dose.person_id)
    clinic.issue(signers)
    with clinic.doors.reading() as db:
        mine = holding.overview(db, vault=clinic.vault, person_id=dose.person_id, now=NOW)
    assert [(each.kind, each.state) for each in mine.certificates] == [
        ("r", "issued"), ("t", "issued"), ("v", "issued"),
    ]  # fmt: skip
    assert [each.day for each in mine.certificates] == [
        recovery.first_positive_on, test.sampled_at.date(), dose.given_on,
    ]  # fmt: skip


def test_signing_and_marking_at_once_never_leave_a_live_certificate(clinic, signers, person_id):
    test = clinic.tested(person_id)
    deeds = (lambda: clinic.issue(signers), lambda: mark(clinic, test))
    came = at_once(2, lambda turn: deeds[turn]())
    assert not [each for each in came if isinstance(each, Exception)]
    assert [c.state for c in clinic.certificates(test)] == ["revoked"]


def test_a_recovery_and_the_mark_of_its_test_at_once_agree(clinic, person_id):
    test = clinic.tested(person_id, POSITIVE)
    deeds = (
        lambda: clinic.recovered(person_id, day(-1), test_result_id=test.id),
        lambda: mark(clinic, test),
    )
    at_once(2, lambda turn: deeds[turn]())
    assert stands(clinic, test) == "entered_in_error"
    with clinic.doors.reading() as db:
        standing = select(RecoveryStanding.counts).join(
            Recovery, Recovery.id == RecoveryStanding.recovery_id
        )
        assert set(db.scalars(standing.where(Recovery.disease == COVID))) <= {"entered_in_error"}
    assert sums(clinic) == []
