"""Doses given elsewhere, corrections, and what only a person can find of a dose."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from healthcert.errors import BadInput, NotFound, WrongState
from healthcert.models import (
    Dose,
    DoseJudgement,
    DoseStanding,
    Lot,
    Message,
    Person,
    new_id,
)
from healthcert.models.dose import COUNTS
from healthcert.services import record, vaccination
from healthcert.services.elsewhere import Elsewhere, Evidence
from healthcert.services.facts import Told
from healthcert.services.reconciling import differences
from tests.factories import NOW, day, make_product, make_site, make_staff, make_validity
from tests.services.clinic import COMIRNATY, JCOVDEN, details, elsewhere_of
from tests.services.test_issuing import held, read
from tests.threads import at_once


@pytest.fixture
def person_id(clinic):
    return clinic.book(clinic.slot()).person_id


def correct(clinic, dose, told, *, product=COMIRNATY, reason="wrong_lot", **values):
    wanted = {
        **clinic.deed(), "dose_id": dose.id, "product_id": clinic.products[product].id,
        "told": told, "reason": reason, **values,
    }  # fmt: skip
    return clinic.doors.run(lambda db: vaccination.correct(db, **wanted))


def by_hand(clinic, dose, found="subpotent", reason="frozen", **values):
    wanted = {**clinic.deed(), "dose_id": dose.id, "found": found, "reason": reason, **values}
    clinic.doors.run(lambda db: vaccination.judge_by_hand(db, **wanted))


def sums(clinic):
    with clinic.doors.reading() as db:
        return differences(db)


def test_a_dose_given_abroad_counts_and_its_certificate_names_that_country(
    clinic, signers, person_id
):
    dose = clinic.elsewhere(person_id, lot="fr 12", body_site="RA", route="20035000")
    assert (dose.source, dose.country, dose.lot_text, dose.site_id) == (
        "foreign",
        "FR",
        "FR12",
        None,
    )
    assert clinic.counts(dose) == ("valid", 1)
    [certificate] = clinic.issue(signers)
    [entry] = read(held(clinic, certificate).text, signers)[1]["v"]
    assert (entry["co"], entry["dt"], entry["dn"]) == ("FR", "2025-06-01", 1)


def test_a_dose_given_here_long_ago_is_historic_and_moves_the_numbers_of_later_ones(
    clinic, signers
):
    clinic.lot()
    here = clinic.vaccinated(day(-10), details())
    clinic.issue(signers)
    before = clinic.elsewhere(here.person_id, evidence=Evidence("verified", "XX"))
    assert before.source == "historic"
    assert [clinic.counts(dose) for dose in (before, here)] == [("valid", 1), ("valid", 2)]
    assert [(c.state, c.dn) for c in clinic.certificates(here)] == [("revoked", 1), ("intended", 2)]
    assert sums(clinic) == []


@pytest.mark.parametrize(
    ("given_on", "kind", "reason"),
    [
        ("2025-06-01", "stated", "no_evidence"),
        ("2025-06", "seen", "day_unknown"),
        ("2025", "verified", "day_unknown"),
    ],
)
def test_what_is_not_proved_is_recorded_and_neither_counts_nor_certifies(
    clinic, person_id, given_on, kind, reason
):
    dose = clinic.elsewhere(person_id, given_on, evidence=Evidence(kind, "FR"))
    assert clinic.counts(dose) == ("unknown", None)
    assert clinic.certificates(dose) == []
    with clinic.doors.reading() as db:
        assert db.scalars(select(DoseJudgement.reason)).all() == [reason]
        [shown] = record.doses_of(db, person_id)
    assert (shown.day, dict(shown.place)) == (given_on, {"en": "FR"})


def test_the_note_on_the_evidence_lies_sealed(clinic, person_id):
    note = "yellow card of Dr Kanarienvogel"
    dose = clinic.elsewhere(person_id, evidence=Evidence("seen", "FR", note))
    with clinic.doors.reading() as db:
        person = db.get_one(Person, person_id)
        opened = clinic.vault.open(person.wrapped_key, dose.id, dose.sealed, purpose="evidence")
    assert opened == {"note": note}
    assert note.encode() not in dose.sealed


@pytest.mark.parametrize(
    ("told", "wrong"),
    [
        ({"given_on": ""}, {"given_on": "missing"}),
        ({"given_on": "1 June"}, {"given_on": "not_a_date"}),
        ({"given_on": "2025-13"}, {"given_on": "not_a_date"}),
        ({"given_on": "2027"}, {"given_on": "in_the_future"}),
        ({"evidence": Evidence("given_here", "FR")}, {"evidence": "not_a_choice"}),
        ({"evidence": Evidence("seen", "France")}, {"country": "not_a_country"}),
        ({"evidence": Evidence("seen", "FR", "x" * 501)}, {"note": "too_long"}),
        ({"lot": "x" * 21}, {"lot": "too_long"}),
        ({"body_site": "nose"}, {"body_site": "not_a_choice"}),
        ({"route": "by letter"}, {"route": "not_a_choice"}),
    ],
)
def test_what_cannot_be_read_of_a_dose_elsewhere_is_named(clinic, person_id, told, wrong):
    with pytest.raises(BadInput) as refused:
        clinic.elsewhere(person_id, **told)
    assert refused.value.fields == wrong


def test_what_an_import_tells_twice_at_once_is_stored_once(clinic, person_id):
    doses = at_once(2, lambda _: clinic.elsewhere(person_id, import_key="ngo:7"))
    assert len({dose.id for dose in doses}) == 1
    other = clinic.book(clinic.slot(day(2))).person_id
    with pytest.raises(BadInput):
        clinic.elsewhere(other, import_key="ngo:7")


def test_nobody_and_nothing_unknown_is_recorded(clinic, person_id):
    wanted = {
        **clinic.deed(), "person_id": person_id, "programme_id": clinic.programme.id,
        "product_id": clinic.products[COMIRNATY].id,
        "told": Elsewhere("2025-06-01", Evidence("seen", "FR")),
    }  # fmt: skip
    for name in ("person_id", "programme_id", "product_id"):
        with pytest.raises(NotFound), clinic.doors.transaction() as db:
            elsewhere_of(db, **wanted | {name: new_id()})


def test_a_dose_elsewhere_from_a_lot_we_recalled_does_not_count(clinic, person_id):
    clinic.lot(state="recalled")
    dose = clinic.elsewhere(person_id, "2026-02-01", lot="GOOD")
    assert clinic.counts(dose)[0] == "recalled_lot"


def test_a_dose_elsewhere_is_marked_by_the_site_that_wrote_it_down(clinic, person_id):
    dose = clinic.elsewhere(person_id)
    with clinic.doors.transaction() as db:
        stranger = make_staff(db, site_id=make_site(db).id)
    with pytest.raises(NotFound):
        by_hand(clinic, dose, "entered_in_error", "not_given", staff=stranger)
    by_hand(clinic, dose, "entered_in_error", "not_given")
    assert clinic.counts(dose) == ("entered_in_error", None)


def test_a_subpotent_dose_stops_counting_and_frees_its_number(clinic, signers):
    clinic.lot()
    who = details()
    first, second = (
        clinic.vaccinated(day(on), who, dose_number=n) for n, on in enumerate((-60, -30), 1)
    )
    clinic.issue(signers)
    by_hand(clinic, first)
    assert [clinic.counts(dose) for dose in (first, second)] == [("subpotent", None), ("valid", 1)]
    assert [(c.state, c.revoked_reason) for c in clinic.certificates(first)] == [
        ("revoked", "frozen")
    ]
    clinic.elsewhere(first.person_id)  # judged again, what was found stays
    assert clinic.counts(first)[0] == "subpotent"
    with clinic.doors.reading() as db:
        assert "dose_subpotent" in db.scalars(select(Message.template)).all()
    by_hand(clinic, first, "", "found_potent")
    # The series is full with it: the next one is a booster, and came too early for that.
    assert [clinic.counts(dose) for dose in (first, second)] == [("valid", 2), ("too_early", None)]
    assert sums(clinic) == []


@pytest.mark.parametrize(
    ("found", "reason", "refusal"),
    [
        ("subpotent", "", BadInput),
        ("subpotent", "not_given", BadInput),
        ("entered_in_error", "frozen", BadInput),
        ("", "found_potent", WrongState),
    ],
)
def test_a_finding_needs_its_reason_and_something_to_find(clinic, found, reason, refusal):
    clinic.lot()
    dose = clinic.vaccinated(day(0), details())
    with pytest.raises(refusal):
        by_hand(clinic, dose, found, reason)


def test_what_was_entered_in_error_is_not_judged_again(clinic):
    clinic.lot()
    dose = clinic.vaccinated(day(0), details())
    by_hand(clinic, dose, "entered_in_error", "not_given")
    with pytest.raises(WrongState):
        by_hand(clinic, dose)
    with pytest.raises(WrongState):
        correct(clinic, dose, Told("GOOD", "LA", dose.given_at))


def test_a_correction_is_a_new_dose_and_the_old_one_in_error(clinic, signers):
    clinic.lot()
    clinic.lot("BETTER")
    wrong = clinic.vaccinated(day(-3), details())
    clinic.issue(signers)
    right = correct(clinic, wrong, Told("better", "RA", wrong.given_at, "20035000"))
    assert (right.replaces, right.lot_text, right.appointment_id) == (
        wrong.id, "BETTER", wrong.appointment_id,
    )  # fmt: skip
    assert [clinic.counts(dose)[0] for dose in (wrong, right)] == ["entered_in_error", "valid"]
    assert [c.state for c in clinic.certificates(wrong)] == ["revoked"]
    assert [c.state for c in clinic.certificates(right)] == ["intended"]
    assert sums(clinic) == []


def test_a_dose_elsewhere_is_corrected_when_its_proof_is_seen(clinic, person_id):
    told = clinic.elsewhere(person_id, "2025-06", evidence=Evidence("stated", "FR"))
    seen = correct(
        clinic, told, Elsewhere("2025-06-07", Evidence("seen", "IT")), product=JCOVDEN,
        reason="wrong_product",
    )  # fmt: skip
    assert clinic.counts(told)[0] == "entered_in_error"
    assert (clinic.counts(seen), seen.country) == (("valid", 1), "IT")


def test_a_correction_is_of_the_same_kind_and_has_a_reason(clinic):
    clinic.lot()
    dose = clinic.vaccinated(day(-3), details())
    with pytest.raises(WrongState):
        correct(clinic, dose, Elsewhere("2025-06-07", Evidence("seen", "IT")))
    with pytest.raises(BadInput):
        correct(clinic, dose, Told("GOOD", "LA", dose.given_at), reason="")


def test_two_who_correct_one_dose_leave_one_correction(clinic):
    clinic.lot()
    dose = clinic.vaccinated(day(-3), details())
    came = at_once(2, lambda _: correct(clinic, dose, Told("GOOD", "RA", dose.given_at)))
    assert [type(each) for each in came].count(WrongState) == 1
    with clinic.doors.reading() as db:
        assert len(db.scalars(select(Dose).where(Dose.replaces == dose.id)).all()) == 1
    assert sums(clinic) == []


def test_judging_one_person_at_three_desks_at_once_leaves_the_sums_right(clinic):
    clinic.lot()
    who = details()
    doses = [clinic.vaccinated(day(on), who, dose_number=n) for n, on in enumerate((-120, -90), 1)]
    deeds = (
        lambda: by_hand(clinic, doses[0]),
        lambda: by_hand(clinic, doses[1], "entered_in_error", "not_given"),
        lambda: clinic.elsewhere(doses[0].person_id),
    )
    came = at_once(3, lambda turn: deeds[turn]())
    assert not [each for each in came if isinstance(each, Exception)]
    assert [clinic.counts(dose)[0] for dose in doses] == ["subpotent", "entered_in_error"]
    assert sums(clinic) == []


def test_signing_and_revoking_at_once_never_leave_a_live_certificate(clinic, signers):
    clinic.lot()
    dose = clinic.vaccinated(day(-3), details())
    deeds = (lambda: clinic.issue(signers), lambda: by_hand(clinic, dose))
    came = at_once(2, lambda turn: deeds[turn]())
    assert not [each for each in came if isinstance(each, Exception)]
    assert [c.state for c in clinic.certificates(dose)] == ["revoked"]
    assert sums(clinic) == []


def too_early(clinic, who):
    clinic.vaccinated(day(-3), who)
    return clinic.vaccinated(day(0), who, dose_number=3)


def wrong_product(clinic, who):
    with clinic.doors.transaction() as db:
        other = make_product(db, knowledge_id=clinic.products[COMIRNATY].knowledge_id)
    return clinic.record(clinic.book(clinic.slot(day(0)), who, now=NOW), product_id=other.id)


def duplicate(clinic, who):
    first = clinic.vaccinated(day(0), who)
    return clinic.elsewhere(first.person_id, day(0).isoformat(), now=first.recorded_at)


def recalled(clinic, who):
    with clinic.doors.transaction() as db:
        make_validity(db, lot=db.scalars(select(Lot)).one(), since=day(-1), state="recalled")
    return clinic.vaccinated(day(0), who)


def expired(clinic, who):
    clinic.lot("OLD", expires_on=day(-1))
    return clinic.vaccinated(day(0), who, lot="OLD")


def child(clinic, who):
    """Record a dose of somebody born in 1980, from when she was five."""
    return clinic.elsewhere(clinic.book(clinic.slot(), who).person_id, "1985-06-01")


def marked(found, reason):
    def way(clinic, who):
        dose = clinic.vaccinated(day(0), who)
        by_hand(clinic, dose, found, reason)
        return dose

    return way


WAYS = {
    "too_early": too_early,
    "expired_lot": expired,
    "recalled_lot": recalled,
    "wrong_product": wrong_product,
    "duplicate": duplicate,
    "outside_age": child,
    "subpotent": marked("subpotent", "too_warm"),
    "unknown": lambda clinic, who: clinic.vaccinated(day(0), who, lot="NOBODY-KNOWS"),
    "entered_in_error": marked("entered_in_error", "not_given"),
}


def test_there_is_a_way_to_be_wrong_for_every_word():
    assert set(WAYS) == set(COUNTS) - {"valid"}


@pytest.mark.parametrize("counts", WAYS)
def test_each_way_a_dose_can_be_wrong_is_recorded_and_certifies_nothing(clinic, signers, counts):
    clinic.lot()
    dose = WAYS[counts](clinic, details())
    clinic.issue(signers)
    assert clinic.counts(dose) == (counts, None)
    assert {c.state for c in clinic.certificates(dose)} <= {"revoked"}
    with clinic.doors.reading() as db:
        assert db.get_one(Dose, dose.id).product_id == dose.product_id
        assert db.scalars(select(DoseStanding).filter_by(dose_id=dose.id)).one()
    assert sums(clinic) == []
