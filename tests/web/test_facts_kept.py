"""What a clinic tells is kept, whatever became of the appointment, the form or an entry before."""

from __future__ import annotations

import re
from zoneinfo import ZoneInfo

from sqlalchemy import select

from healthcert.jobs.retention import sweep
from healthcert.models import (
    Appointment,
    AuditEvent,
    Certificate,
    Dose,
    Observation,
    Product,
    Programme,
    Screening,
    Site,
    test_result,
)
from tests import factories
from tests.certificates import NOW
from tests.web.test_clinic import given
from tests.web.test_clinic_hour import ALL_NO, TOLD, YES, patient, rows

__all__ = ["patient", "rows"]
GO = {"outcome": "go", "reason": "history_clarified"}


def test_a_dose_is_recorded_where_the_one_before_it_was_an_error(patient, clinic, rows):
    nurse, path = patient()
    wrong = nurse.post(f"{path}/dose", given(clinic)).location
    nurse.post(f"{wrong}/error", {"reason": "wrong_person"})
    assert rows(Appointment.state) == [("arrived",)], "they are still to be vaccinated, or not"
    assert "Record the dose" in nurse.get(path).text
    assert "Save the dose" in nurse.get(f"{path}/dose").text
    assert nurse.post(f"{path}/dose", given(clinic)).status_code == 303
    assert len(rows(Dose.id)) == 2
    assert rows(Appointment.state) == [("vaccinated",)]
    assert "A dose was given all the same" not in nurse.get(path).text


def test_a_second_click_on_answers_for_a_nurse_records_no_dose_before_her_decision(
    patient, clinic, rows
):
    nurse, path = patient()
    for _click in range(2):
        assert nurse.post(f"{path}/dose", given(clinic) | YES).location == f"{path}/decision"
    assert (rows(Dose.id), len(rows(Screening.id))) == ([], 1)
    nurse.post(f"{path}/decision", GO)
    # the page from before the decision, sent again
    assert nurse.post(f"{path}/dose", given(clinic) | YES).location.startswith("/clinic/doses/")


def test_answers_on_a_form_that_lay_open_are_kept_though_somebody_else_asked_meanwhile(
    patient, staff, clinic, rows
):
    nurse, path = patient()
    nurse.get(f"{path}/dose")
    staff("clerk").post(f"{path}/questions", {"all_no": "y"})
    assert nurse.post(f"{path}/dose", given(clinic) | YES).location == f"{path}/decision"
    assert [outcome for (outcome,) in rows(Screening.outcome)] == ["go", "ask_clinician"]


def test_a_nurse_decides_on_the_answers_that_she_saw(patient, staff):
    nurse, path = patient()
    staff("clerk").post(f"{path}/questions", {"q_fever_today": "yes"})
    seen = re.search(
        'name="screening"[^>]* value="([0-9a-f-]+)"', nurse.get(f"{path}/decision").text
    )
    staff("clerk").post(f"{path}/questions", YES)
    stale = nurse.post(f"{path}/decision", GO | {"screening": seen[1]})
    assert (stale.status_code, "changed" in stale.text) == (400, True)
    assert nurse.post(f"{path}/decision", GO).status_code == 303


def test_a_correction_keeps_who_gave_the_dose_and_how(patient, staff, clinic, rows):
    nurse, path = patient()
    wrong = nurse.post(f"{path}/dose", given(clinic, route="20030000")).location
    lead = staff("lead")
    form = lead.get(f"{wrong}/correct").text
    assert re.search('value="20030000" selected', form)
    lead.post(f"{wrong}/correct", given(clinic, route="20030000", reason="wrong_day"))
    told = rows(Dose.performed_by, Dose.recorded_by)
    assert told == [(clinic.staff["nurse"],) * 2, (clinic.staff["nurse"], clinic.staff["lead"])]


def test_a_reaction_follows_the_dose_it_came_after_when_that_is_corrected(
    patient, staff, clinic, rows
):
    nurse, path = patient()
    wrong = nurse.post(f"{path}/dose", given(clinic, lot="other", other_lot="ZZ9")).location
    person = re.search(r"/clinic/people/[0-9a-f-]+", nurse.get(path).text)[0]
    onset = {"onset_on": [str(NOW.day), str(NOW.month), str(NOW.year)]}
    told = TOLD | onset | {"dose": str(rows(Dose.id)[0][0])}
    nurse.post(f"{person}/reaction", told)
    nurse.post(f"{wrong}/correct", given(clinic, reason="wrong_lot"))
    [line] = staff("inspector").get("/reactions/export.json").json
    assert (line["batch"], line["dose_number"]) == (clinic.lot, 1)


def test_who_came_and_was_forgotten_may_book_again_after_half_a_day(patient, parts, rows, clock):
    nurse, path = patient()
    nurse.post(f"{path}/arrived", page=path)
    clock.pass_by(hours=11)  # and half an hour before the appointment
    sweep(parts, clock())
    assert rows(Appointment.state) == [("arrived",)]
    clock.pass_by(hours=4)
    sweep(parts, clock())
    assert rows(Appointment.state) == [("not_vaccinated",)]
    assert "left" in [told.get("reason") for (told,) in rows(AuditEvent.details)]


def test_the_watch_ends_of_whom_nothing_was_given(patient, clinic):
    nurse, path = patient()
    wrong = nurse.post(f"{path}/dose", given(clinic) | ALL_NO).location
    nurse.post(f"{wrong}/error", {"reason": "not_given"})
    assert "/clinic/people/" in nurse.get(wrong).text, "where what is right is written down"
    assert "Nobody is being watched" in nurse.get("/clinic/observed").text


def test_a_dose_given_without_an_appointment_is_recorded_and_ends_the_one_to_come(
    patient, staff, clinic, rows
):
    nurse, path = patient()
    person = re.search(r"/clinic/people/[0-9a-f-]+", nurse.get(path).text)[0]
    assert f'"{person}/dose"' in nurse.get(person).text
    assert f'"{person}/dose"' not in staff("clerk").get(person).text
    told = given(clinic, product=f"{clinic.programme_id}.{clinic.product_id}")
    assert nurse.post(f"{person}/dose", told | {"lot": ""}).status_code == 400
    nothing = nurse.post(f"{person}/dose", {"lot": clinic.lot})
    assert (nothing.status_code, '"#product' in nothing.text) == (400, True)
    nothing = nurse.post(f"{person}/dose", {"product": told["product"], "body_site": "?"}).text
    assert nothing.index('"#identity"') < nothing.index('"#body_site"'), "as they stand on the page"
    dose = nurse.post(f"{person}/dose", told).location
    page = nurse.get(dose).text
    assert "It counts as dose 1" in page
    assert "Health questions: not checked" in page
    assert rows(Dose.appointment_id, Dose.site_id) == [(None, clinic.site_id)]
    assert rows(Appointment.state) == [("cancelled",)]
    assert "dose_not_checked" in [act for (act,) in rows(AuditEvent.act)]
    assert len(rows(Observation.id)) == 1
    assert f'"{dose}"' in nurse.get(person).text, "to be put right, when the watch is over"
    right = nurse.post(f"{dose}/correct", given(clinic, reason="wrong_day")).location
    assert "It counts as dose 1" in nurse.get(right).text


def test_another_vaccine_than_was_planned_is_noted_as_unasked(patient, clinic, parts, rows):
    nurse, path = patient()
    nurse.post(f"{path}/questions", {"all_no": "y"})
    with parts.doors.transaction() as db:
        [other] = db.scalars(select(Product).where(Product.name == "Jcovden"))
        factories.make_session(
            db, site=db.get_one(Site, clinic.site_id), product=other,
            programme=db.get_one(Programme, clinic.programme_id),
        )  # fmt: skip
    told = given(clinic, product=str(other.id), lot="other", other_lot="J1", agrees="y")
    dose = nurse.post(f"{path}/dose", told).location
    assert "Health questions: not checked" in nurse.get(dose).text
    [told] = rows(AuditEvent.details).__class__(
        one for (one,) in rows(AuditEvent.details) if "screening" in one
    )
    assert told == {"consent": "given", "screening": "not_checked"}


def test_a_dose_that_had_lost_its_strength_no_longer_counts_until_it_proves_potent(
    patient, clinic, rows
):
    nurse, path = patient()
    dose = nurse.post(f"{path}/dose", given(clinic)).location
    assert "found_potent" not in nurse.get(f"{dose}/error").text
    assert nurse.post(f"{dose}/error", {"reason": "frozen"}).location == dose
    assert "the vaccine had lost its strength" in nurse.get(dose).text
    assert rows(Certificate.state) == [("revoked",)]
    page = nurse.post(f"{dose}/error", {"reason": "too_warm"})
    assert page.status_code == 400
    assert "it counts again" in page.text
    assert "Its certificate is withdrawn" not in page.text, "it is already"
    nurse.post(f"{dose}/error", {"reason": "found_potent"})
    assert "It counts as dose 1" in nurse.get(dose).text


def test_the_time_of_a_sample_is_told_by_the_clock_of_the_site(patient, clinic, parts, rows):
    nurse, path = patient()
    person = re.search(r"/clinic/people/[0-9a-f-]+", nurse.get(path).text)[0]
    with parts.doors.transaction() as db:
        site = db.get_one(Site, clinic.site_id)
        site.time_zone = "Asia/Kathmandu"
    local = NOW.astimezone(ZoneInfo("Asia/Kathmandu")).strftime("%Y-%m-%dT%H:%M")
    told = {"disease": factories.COVID, "test_type": "LP6464-4", "result": factories.NEGATIVE}
    nurse.post(f"{person}/test", told | {"sampled_at": local})
    assert rows(test_result.TestResult.sampled_at) == [(NOW.replace(second=0, microsecond=0),)]
