"""What is shown and asked before a dose, what is told after it, and how each is put right."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from healthcert.models import (
    AdverseEvent,
    Alarm,
    Appointment,
    Certificate,
    ClinicSession,
    Consent,
    Dose,
    Observation,
    Product,
    Programme,
    Recovery,
    Screening,
    Site,
    Slot,
)
from tests import factories
from tests.certificates import NOW
from tests.web.test_clinic import given
from tests.web.test_clinic_hour import ALL_NO, TOLD, YES, patient, rows

__all__ = ["patient", "rows"]
TODAY = {"onset_on": [str(NOW.day), str(NOW.month), str(NOW.year)]}


@pytest.fixture
def engine_name():
    """The deeds are tested on both engines beside the services."""
    return "sqlite"


@pytest.fixture
def jcovden(parts, clinic):
    """Let the clinic give another vaccine as well, with a lot of it; return its identifier."""
    with parts.doors.transaction() as db:
        [other] = db.scalars(select(Product).where(Product.name == "Jcovden"))
        factories.make_session(
            db, site=db.get_one(Site, clinic.site_id), product=other,
            programme=db.get_one(Programme, clinic.programme_id),
        )  # fmt: skip
        factories.make_validity(db, lot=factories.make_lot(db, product=other, number="JANSSEN1"))
        return str(other.id)


def person_of(nurse, path):
    return re.search(r"/clinic/people/[0-9a-f-]+", nurse.get(path).text)[0]


def day_of(moment):
    return [str(moment.day), str(moment.month), str(moment.year)]


def test_a_reaction_of_the_wrong_person_is_taken_back_and_alarms_nobody(
    patient, staff, clinic, rows
):
    nurse, path = patient()
    person = person_of(nurse, path)
    case = nurse.post(f"{person}/reaction", TOLD | TODAY).location
    assert "A reaction is on record" in nurse.get(path).text
    assert f'"{case}"' in nurse.get(person).text, "a way to what is to be put right"
    assert nurse.post(f"{case}/in-error", {}, page=case).status_code == 400
    wrong = {"reason": "wrong_person"}
    assert staff("clerk").post(f"{case}/in-error", wrong, page="/clinic/").status_code == 403
    assert nurse.post(f"{case}/in-error", wrong, page=case).location == case
    assert rows(AdverseEvent.state, AdverseEvent.error_reason) == [
        ("entered_in_error", "wrong_person")
    ]
    page = nurse.get(case).text
    assert "This report was taken back: It was another person" in page
    assert "Add what was learned since" not in page
    for shown in (path, person, f"{path}/dose", f"{path}/questions"):
        assert "A reaction is on record" not in nurse.get(shown).text
    nurse.post(f"{path}/dose", given(clinic) | ALL_NO)
    assert rows(Screening.outcome) == [("go",)], "nor does a question look for it"
    assert rows(Observation.until) == [(NOW + timedelta(minutes=15),)]
    [line] = staff("inspector").get("/reactions/export.json").json
    assert (line["state"], line["nullified"]) == ("entered_in_error", "wrong_person")


def test_what_is_looked_into_is_taken_back_by_an_inspector_alone(patient, staff):
    nurse, path = patient()
    case = nurse.post(f"{person_of(nurse, path)}/reaction", TOLD | TODAY).location
    inspector, wrong = staff("inspector"), {"reason": "reported_twice"}
    inspector.post(case, {"state": "investigating"})
    assert "Take the report back" not in nurse.get(case).text
    assert nurse.post(f"{case}/in-error", wrong, page=case).status_code == 409
    assert inspector.post(f"{case}/in-error", wrong, page=case).location == case
    assert 'name="state"' not in inspector.get(case).text


def test_a_site_tells_that_a_reaction_became_serious_and_the_clock_starts(
    patient, staff, clock, rows
):
    nurse, path = patient()
    told = TOLD | TODAY | {"seriousness": "not_serious"}
    case = nurse.post(f"{person_of(nurse, path)}/reaction", told).location
    assert rows(AdverseEvent.due_at) == [(None,)]
    clock.pass_by(days=3)
    nurse = staff("nurse")
    answer = nurse.post(f"{case}/more", {"outcome": "died"}, page=case)
    assert (answer.status_code, "How grave is it" in answer.text) == (400, True)
    news = {"seriousness": "hospitalisation", "outcome": "not_recovered"}
    assert nurse.post(f"{case}/more", news, page=case).location == case
    assert rows(AdverseEvent.due_at) == [(NOW + timedelta(days=5),)]
    mild = nurse.post(f"{case}/more", {"seriousness": "not_serious"}, page=case)
    assert mild.status_code == 400


def test_a_death_of_who_did_not_die_is_asked_about_at_both_answers(patient, staff, rows):
    nurse, path = patient()
    told = TOLD | TODAY | {"seriousness": "death", "outcome": "recovered"}
    report = f"{person_of(nurse, path)}/reaction"
    wrong, death = nurse.post(report, told), {"seriousness": "death"}
    case = nurse.post(report, told | {"seriousness": "disability"}).location
    later = nurse.post(f"{case}/more", death, page=case)
    found = staff("inspector").post(case, death | {"state": "investigating"}, page=case)
    for answer in (wrong, later, found):
        assert answer.status_code == 400
        summary = re.search(r'class="govuk-error-summary".*?</ul>', answer.text, re.DOTALL)[0]
        assert "How grave is it: a death goes with" in summary
        assert "How are they now: a death goes with" in summary
    assert "Death" not in re.sub("<form.*?</form>", "", nurse.get(path).text, flags=re.DOTALL)
    assert rows(AdverseEvent.seriousness) == [("disability",)]


@pytest.mark.parametrize(
    ("term", "vaccine"),
    [("myocarditis", "Comirnaty"), ("pericarditis", "Comirnaty"),
     ("thrombosis_with_thrombocytopenia", "Jcovden"), ("capillary_leak_syndrome", "Jcovden")],
)  # fmt: skip
def test_what_is_on_record_answers_the_question_whatever_was_told(
    patient, clinic, jcovden, rows, term, vaccine
):
    nurse, path = patient()
    nurse.post(f"{person_of(nurse, path)}/reaction", TOLD | TODAY | {"term": term})
    lot = {"product": jcovden, "lot": "JANSSEN1"} if vaccine == "Jcovden" else {}
    decide = nurse.post(f"{path}/dose", given(clinic, **lot) | ALL_NO).location
    assert "/decision" in decide
    assert (rows(Dose.id), rows(Screening.outcome)) == ([], [("ask_clinician",)])


def test_another_vaccine_has_its_own_questions_lots_and_volume(patient, clinic, jcovden, rows):
    nurse, path = patient()
    nurse.post(f"{path}/questions", {"all_no": "y"})
    planned = nurse.get(f"{path}/dose").text
    assert "q_" not in planned
    assert "JANSSEN1" not in planned
    other = f"{path}/dose?product={jcovden}"
    assert other.replace("&", "&amp;") in planned
    page = nurse.get(other).text
    assert "another vaccine than was planned" in page
    assert 'name="q_capillary_leak_before"' in page
    assert 'name="q_myocarditis_before"' not in page
    assert "0.5 mL" in page
    assert "JANSSEN1" in page
    assert clinic.lot not in page
    told = given(clinic, product=jcovden, lot="JANSSEN1", agrees="y")
    yes = {"all_no": "y", "q_capillary_leak_before": "yes"}
    decide = nurse.post(f"{path}/dose", told | yes).location
    assert decide == f"{path}/decision?product={jcovden}"
    assert "capillary leak" in nurse.get(decide).text
    go = {"outcome": "go", "reason": "specialist_advice"}
    assert nurse.post(decide, go).location == other
    dose = nurse.post(f"{path}/dose", told).location
    assert "not checked" not in nurse.get(dose).text
    assert len(rows(Screening.id)) == 2


def test_who_was_refused_one_vaccine_and_is_asked_for_another_alarms_nobody(
    patient, clinic, jcovden, rows
):
    nurse, path = patient()
    nurse.post(f"{path}/dose", given(clinic) | YES)
    nurse.post(f"{path}/decision", {"outcome": "refuse", "reason": "contraindication"})
    nurse.post(f"{path}/arrived", page=path)
    told = given(clinic, product=jcovden, lot="JANSSEN1", all_no="y")
    assert nurse.post(f"{path}/dose", told).status_code == 303
    assert rows(Alarm.kind) == []


def test_who_was_refused_one_vaccine_and_given_another_unasked_raises_an_alarm(
    patient, clinic, jcovden, rows
):
    nurse, path = patient()
    nurse.post(f"{path}/dose", given(clinic) | YES)
    nurse.post(f"{path}/decision", {"outcome": "refuse", "reason": "contraindication"})
    assert (
        nurse.post(f"{path}/dose", given(clinic, product=jcovden, lot="JANSSEN1")).status_code
        == 303
    )
    assert rows(Alarm.kind) == [("dose_refused",)]


def put_off(nurse, clinic, path, days=7):
    nurse.post(f"{path}/dose", given(clinic) | YES)
    until = {"outcome": "defer", "reason": "ill_today", "until": day_of(NOW + timedelta(days))}
    assert nurse.post(f"{path}/decision", until).location == path


def test_how_long_fever_puts_off_stands_in_the_form_as_the_vaccine_has_it(patient):
    nurse, path = patient()
    nurse.post(f"{path}/questions", {"all_no": "y", "q_fever_today": "yes"})
    page = nurse.get(f"{path}/decision").text
    day = NOW + timedelta(days=7)
    for part in day_of(day):
        assert f'value="{part}"' in page


def test_who_is_put_off_is_told_the_day_and_is_booked_for_no_earlier_one(
    patient, clinic, newest_message, staff, rows
):
    nurse, path = patient()
    put_off(nurse, clinic, path)
    assert "You can be vaccinated from 9 March 2026 on" in newest_message("put_off")
    door, asked = "/clinic/book", f"?source=phone&slot={clinic.slots[1].hex}&dose=1&second=later"
    clerk = staff("clerk")
    for who in (clerk, nurse):
        found = who.post(f"{door}/find{asked}", {"text": "Kanaria", "born": ["", "", "1985"]})
        listed = who.get(found.location).text
        person = re.search(r'name="person" type="radio" value="([0-9a-f-]{36})"', listed)[1]
        who.post(found.location, {"person": person})
        page = who.post(f"{door}/hold{asked}", page=f"{door}/find{asked}")
        assert page.status_code == 409
        assert "The vaccination was put off" in page.text
        assert ">9 March 2026<" in page.text
        assert ("out of turn" in page.text) == (who is nurse)
    reason = {"reason": "medical_need"}
    nurse.post(f"{door}/hold{asked}", reason, page=f"{door}/find{asked}")
    assert nurse.post(f"{door}/check{asked}").status_code == 303
    assert sorted(rows(Appointment.state)) == [("booked",), ("not_vaccinated",)]


@pytest.mark.usefixtures("later")
def test_what_is_booked_before_the_day_somebody_is_put_off_to_is_given_back(
    patient, clinic, book, rows, parts
):
    nurse, path = patient()
    with parts.doors.reading() as db:
        later = select(Slot.id).join(ClinicSession).where(ClinicSession.day > NOW.date())
        clinic.slots.append(db.scalars(later.order_by(Slot.starts_at)).first())
    book(slot=3, dose=2)
    put_off(nurse, clinic, path, days=40)
    assert sorted(rows(Appointment.state)) == [("cancelled",), ("not_vaccinated",)]


def test_what_was_decided_before_stands_against_a_dose_at_the_next_visit(
    patient, clinic, book, staff, rows
):
    nurse, path = patient()
    nurse.post(f"{path}/dose", given(clinic) | YES)
    nurse.post(f"{path}/decision", {"outcome": "refuse", "reason": "contraindication"})
    assert "It must not be given to them" in nurse.get(path).text
    assert rows(Appointment.why_not) == [("contraindicated",)]
    book(slot=1)
    page = nurse.post("/clinic/", {"find": "Kanaria"}).text
    [other] = {*re.findall(r"/clinic/appointments/[0-9a-f-]+", page)} - {path}
    for shown in (other, f"{other}/dose", f"{other}/questions"):
        assert "Decided at an earlier visit" in nurse.get(shown).text
    assert "Decided at an earlier visit" not in staff("clerk").get(other).text


def test_why_nothing_was_given_is_on_record_until_they_come_back(patient, rows):
    nurse, path = patient()
    nurse.post(f"{path}/not-vaccinated", {"why_not": "unwell"}, page=path)
    person = person_of(nurse, path)
    for shown in (path, person):
        assert "They are unwell" in nurse.get(shown).text
    nurse.post(f"{path}/arrived", page=path)
    assert rows(Appointment.why_not) == [(None,)]


def test_a_dose_that_would_be_too_early_is_said_to_be_so_before_it_is_given(patient, clinic, parts):
    nurse, path = patient()
    person = person_of(nurse, path)
    with parts.doors.transaction() as db:
        factories.make_session(
            db, site=db.get_one(Site, clinic.site_id), day=NOW.date() - timedelta(days=5),
            product=db.get_one(Product, clinic.product_id),
            programme=db.get_one(Programme, clinic.programme_id),
        )  # fmt: skip
    earlier = (NOW - timedelta(days=5)).strftime("%Y-%m-%dT%H:%M")
    told = given(clinic, product=f"{clinic.programme_id}.{clinic.product_id}", given_at=earlier)
    assert nurse.post(f"{person}/dose", told).status_code == 303
    for shown in (path, f"{path}/dose"):
        page = nurse.get(shown).text
        assert "is given today: Does not count: given too early" in page
        assert ">18 March 2026<" in page


def test_consent_is_withdrawn_after_the_dose_too_and_the_page_says_so(patient, clinic, rows):
    nurse, path = patient()
    nurse.post(f"{path}/dose", given(clinic) | ALL_NO)
    assert f'action="{path}/consent"' in nurse.get(path).text
    withdrawn = {"decision": "withdrawn", "decided_by": "self"}
    assert nurse.post(f"{path}/consent", withdrawn, page=path).location == path
    assert rows(Consent.decision) == [("given",), ("withdrawn",)]
    assert "They do not agree" in nurse.get(path).text
    assert rows(Certificate.state) == [("issued",)], "the dose is a fact, and counts"


def test_what_a_clerk_was_told_is_shown_to_the_nurse(patient, staff):
    nurse, path = patient()
    staff("clerk").post(f"{path}/questions", {"all_no": "y", "q_bleeding": "yes"})
    for shown in (path, f"{path}/dose"):
        assert "Do you bleed easily" in nurse.get(shown).text


def test_a_pregnant_woman_is_asked_and_a_man_is_not(patient, clinic, jcovden):
    nurse, path = patient()
    assert "q_pregnant" in nurse.get(f"{path}/dose").text
    told = given(clinic, product=jcovden, lot="JANSSEN1", all_no="y", q_pregnant="yes")
    assert "/decision" in nurse.post(f"{path}/dose", told).location
    _nurse, man = patient(identity_value="M1", sex="male", slot=1)
    assert "q_pregnant" not in nurse.get(f"{man}/dose").text


def test_a_dose_without_an_appointment_is_warned_of_and_watched_by_the_record(
    patient, clinic, rows
):
    nurse, path = patient()
    person = person_of(nurse, path)
    nurse.post(f"{person}/reaction", TOLD | TODAY)
    assert "A reaction is on record" in nurse.get(f"{person}/dose").text
    told = given(clinic, product=f"{clinic.programme_id}.{clinic.product_id}")
    nurse.post(f"{person}/dose", told)
    assert rows(Observation.until) == [(NOW + timedelta(minutes=30),)]


def test_a_recovery_rests_on_a_test_of_the_day_it_names(patient, rows):
    nurse, path = patient()
    person = person_of(nurse, path)
    test = {"disease": factories.COVID, "test_type": "LP6464-4", "result": "260373001"}
    nurse.post(f"{person}/test", test)
    found = re.search(r'<option value="([0-9a-f-]{36})"', nurse.get(f"{person}/recovery").text)[1]
    told = {"disease": factories.COVID, "test": found}
    earlier = told | {"first_positive_on": day_of(NOW - timedelta(days=100))}
    answer = nurse.post(f"{person}/recovery", earlier)
    assert (answer.status_code, "of another day" in answer.text) == (400, True)
    assert rows(Certificate.id) == []
    right = told | {"first_positive_on": day_of(NOW)}
    assert nurse.post(f"{person}/recovery", right).location == person
    assert len(rows(Recovery.id)) == 1
