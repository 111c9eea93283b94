"""An hour at a clinic: one of everything, from the door to the count in the evening."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape

import pytest
from sqlalchemy import event, select

from healthcert.models import (
    AdverseEvent,
    Alarm,
    Appointment,
    AuditEvent,
    Certificate,
    ClinicSession,
    Consent,
    Dose,
    Observation,
    Screening,
    Stock,
)
from tests import factories
from tests.certificates import NOW
from tests.web.conftest import Browser
from tests.web.test_clinic import given

ON = "sqlite"  # the deeds are tested on both engines beside the services

ALL_NO = {"agrees": "y", "all_no": "y"}
BEFORE = {"afterwards": "y", "given_at": NOW.strftime("%Y-%m-%dT%H:%M")}
YES = {"agrees": "y", "all_no": "y", "q_severe_reaction_before": "yes"}
NOTHING = "\N{EN DASH}"
CHILD = {"birth_date": ["27", "3", "2012"]}


@pytest.fixture
def patient(book, staff):
    """Return a nurse and the path of somebody who has an appointment."""

    def made(**changes):
        _visitor, number = book(**changes)
        nurse = staff("nurse")
        page = nurse.post("/clinic/", {"find": number}).text
        return nurse, re.search(r"/clinic/appointments/[0-9a-f-]+", page)[0]

    return made


@pytest.fixture
def rows(parts):
    """Return how to read rows of a kind."""

    def read(*what):
        with parts.doors.reading() as db:
            return db.execute(select(*what)).all()

    return read


def acts(rows):
    return [act for (act,) in rows(AuditEvent.act)]


def test_one_form_records_consent_answers_and_the_dose_and_begins_the_watch(
    patient, clinic, rows, clock
):
    nurse, path = patient()
    dose = nurse.post(f"{path}/dose", given(clinic) | ALL_NO).location
    assert rows(Consent.decision, Consent.decided_by) == [("given", "self")]
    assert rows(Screening.outcome) == [("go",)]
    assert "not checked" not in nurse.get(dose).text
    assert "dose_not_checked" not in acts(rows)
    assert rows(Observation.until) == [(NOW + timedelta(minutes=15),)]
    page = nurse.get("/clinic/observed").text
    assert "Refresh" in page
    assert "Leaves early" in page
    clock.pass_by(minutes=15)
    assert "Has left" in nurse.get("/clinic/observed").text


def test_a_dose_without_a_word_before_it_is_recorded_as_not_checked(patient, clinic, rows):
    nurse, path = patient()
    dose = nurse.post(f"{path}/dose", given(clinic)).location
    page = nurse.get(dose).text
    assert "Consent: not checked" in page
    assert "Health questions: not checked" in page
    assert "dose_not_checked" in acts(rows)
    assert rows(Certificate.state) == [("issued",)]


def test_an_answer_that_asks_for_a_nurse_stops_the_form_once_and_a_decision_goes_on(
    patient, clinic, rows
):
    nurse, path = patient()
    answer = nurse.post(f"{path}/dose", given(clinic) | YES)
    assert answer.location == f"{path}/decision"
    assert (rows(Dose.id), rows(Screening.outcome)) == ([], [("ask_clinician",)])
    assert "A nurse has to decide" in nurse.get(f"{path}/decision").text
    without = nurse.post(f"{path}/decision", {"outcome": "go"})
    assert (without.status_code, "choose one of the answers" in without.text) == (400, True)
    decided = {"outcome": "go", "reason": "history_clarified"}
    assert nurse.post(f"{path}/decision", decided).location == f"{path}/dose"
    assert nurse.post(f"{path}/dose", given(clinic)).status_code == 303
    # who answered so is watched for half an hour, whatever was decided
    assert rows(Observation.until) == [(NOW + timedelta(minutes=30),)]


@pytest.mark.parametrize(
    ("decided", "why"),
    [
        ({"outcome": "defer", "reason": "ill_today", "until": ["9", "3", "2027"]}, "unwell"),
        ({"outcome": "refuse", "reason": "contraindication"}, "contraindicated"),
    ],
)
def test_who_is_put_off_or_refused_is_not_vaccinated_and_may_come_back(
    patient, clinic, rows, decided, why
):
    nurse, path = patient()
    nurse.post(f"{path}/dose", given(clinic) | YES)
    if "until" in decided:
        missing = nurse.post(f"{path}/decision", decided | {"until": ["", "", ""]})
        assert (missing.status_code, "fill this in" in missing.text) == (400, True)
    assert nurse.post(f"{path}/decision", decided).location == path
    assert rows(Appointment.state) == [("not_vaccinated",)]
    assert why in [told.get("reason") for (told,) in rows(AuditEvent.details)]
    assert nurse.post(f"{path}/arrived", page=path).status_code == 303
    assert nurse.post(f"{path}/dose", given(clinic)).status_code == 303
    assert rows(Alarm.kind) == ([("dose_refused",)] if why == "contraindicated" else [])


def test_consent_refused_leads_to_no_dose_and_a_dose_all_the_same_raises_an_alarm(
    patient, clinic, rows
):
    nurse, path = patient()
    refused = {"decision": "refused", "decided_by": "self"}
    assert nurse.post(f"{path}/consent", refused, page=path).location == path
    page = nurse.get(path).text
    assert "They do not agree" in page
    answer = nurse.post(f"{path}/not-vaccinated", {}, page=path)
    assert (answer.status_code, "fill this in" in answer.text) == (400, True)
    nurse.post(f"{path}/not-vaccinated", {"why_not": "refused"}, page=path)
    assert rows(Appointment.state) == [("not_vaccinated",)]
    nurse.post(f"{path}/arrived", page=path)
    now = nurse.post(f"{path}/dose", given(clinic) | ALL_NO)
    assert (now.status_code, "write down a new consent first" in now.text) == (409, True)
    assert rows(Dose.id) == []
    assert nurse.post(f"{path}/dose", given(clinic, **BEFORE)).status_code == 303
    assert rows(Alarm.kind) == [("dose_refused",)]


def test_a_child_does_not_agree_alone_but_may_refuse(patient, rows):
    nurse, path = patient(**CHILD)
    for told, status in (
        ({"decision": "given", "decided_by": "self"}, 400),
        ({"decision": "given", "decided_by": "parent"}, 400),  # without a name
        ({"decision": "given", "decided_by": "parent", "name": "Umm Kanaria"}, 303),
        ({"decision": "refused", "decided_by": "self"}, 303),
        ({"decision": "withdrawn", "decided_by": "self"}, 409),
    ):
        assert nurse.post(f"{path}/consent", told, page=path).status_code == status, told
    assert rows(Consent.decision, Consent.decided_by) == [("given", "parent"), ("refused", "self")]


def test_questions_without_an_answer_are_not_saved_and_the_page_says_so(patient, rows):
    nurse, page = patient()
    assert "confirm this first" not in nurse.get(f"{page}/questions").text
    answer = nurse.post(f"{page}/questions")
    assert answer.status_code == 400
    assert "I asked every question, and every answer is no: confirm this first" in answer.text
    assert not rows(Screening.id)


def test_a_form_of_a_dose_that_lay_open_says_that_the_dose_is_recorded(patient, clinic, rows):
    nurse, page = patient()
    nurse.post(f"{page}/dose", given(clinic) | ALL_NO)
    assert nurse.post(f"{page}/dose", given(clinic) | ALL_NO).status_code == 409
    again = nurse.get(f"{page}/dose").text
    assert "The dose of this appointment is recorded" in again
    assert "Save the dose" not in again
    assert len(rows(Dose.id)) == 1


def test_a_clerk_asks_the_questions_and_a_nurse_finds_them_answered(patient, staff, rows):
    nurse, path = patient()
    clerk = staff("clerk")
    assert clerk.post(f"{path}/questions", {"q_fever_today": "yes"}).location == path
    assert rows(Screening.outcome) == [("ask_clinician",)]  # the others were not asked
    page = nurse.get(f"{path}/dose").text
    assert "A nurse has to decide" in page
    assert "q_fever_today" not in page


def test_a_card_and_another_spelling_name_somebody_on_the_list(patient, staff):
    nurse, path = patient()
    card = re.search(r"HC-\w{4}-\w{4}", staff("clerk").post(f"{path}/card", page=path).text)[0]
    for wanted in (card, card.lower().replace("-", ""), "canaria kanarien", "Kanar", "كناريه"):
        assert path in nurse.post("/clinic/", {"find": wanted}).text, wanted
    assert path not in nurse.post("/clinic/", {"find": "HC-0000-0000"}).text


def test_who_leaves_early_is_noted_once(patient, clinic, rows, clock):
    nurse, path = patient()
    nurse.post(f"{path}/dose", given(clinic) | ALL_NO)
    leave = re.search(r"/clinic/observed/[0-9a-f-]+/left", nurse.get("/clinic/observed").text)[0]
    clock.pass_by(minutes=14)
    assert nurse.post(leave, page="/clinic/observed").status_code == 303
    assert rows(Observation.state) == [("left_early",)]
    assert nurse.post(leave, page="/clinic/observed").status_code == 409


def test_the_lot_given_last_stands_chosen_for_the_next_person(patient, clinic):
    nurse, path = patient()
    chosen = f'<option value="{clinic.lot}" selected'
    assert chosen not in nurse.get(f"{path}/dose").text
    nurse.post(f"{path}/dose", given(clinic))
    _nurse, other = patient(identity_value="B2", slot=1)
    assert chosen in nurse.get(f"{other}/dose").text


def test_a_correction_puts_the_right_dose_in_the_place_of_the_wrong_one(patient, clinic, rows):
    nurse, path = patient()
    wrong = nurse.post(f"{path}/dose", given(clinic, lot="other", other_lot="ZZ9")).location
    assert nurse.post(f"{wrong}/correct", given(clinic)).status_code == 400  # without a reason
    right = nurse.post(f"{wrong}/correct", given(clinic, reason="wrong_lot")).location
    assert "It counts as dose 1" in nurse.get(right).text
    assert "Entered in error" in nurse.get(wrong).text
    assert rows(Certificate.state) == [("issued",)]


def test_a_correction_begins_with_where_and_how_the_dose_was_given(patient, clinic):
    nurse, path = patient()
    thigh = {"body_site": "RT", "route": "20066000"}
    wrong = nurse.post(f"{path}/dose", given(clinic, **thigh)).location
    page = nurse.get(f"{wrong}/correct").text
    assert re.search(r'<option value="20066000" selected', page)
    assert re.search(r'value="RT"[^>]* checked', page)


def test_how_much_is_given_is_written_as_the_reader_writes_numbers(patient):
    nurse, path = patient()
    assert "0.3 mL" in nurse.get(f"{path}/dose").text
    assert "0,3\xa0ml" in nurse.get(f"{path}/dose?lang=fr").text


TOLD = {
    "term": "anaphylaxis", "onset_on": ["2", "3", "2026"], "seriousness": "life_threatening",
    "outcome": "recovering", "reporter": "health_worker", "reporter_name": "Nadia Nurse",
    "narrative": "swelling", "dose": "elsewhere",
}  # fmt: skip


def test_a_reaction_is_reported_alarms_the_next_nurse_and_goes_its_way(
    patient, staff, clinic, rows, clock
):
    nurse, path = patient()
    nurse.post(f"{path}/dose", given(clinic) | ALL_NO)
    person = re.search(r"/clinic/people/[0-9a-f-]+", nurse.get(path).text)[0]
    dose = str(rows(Dose.id)[0][0])
    onset = {"onset_on": [str(NOW.day), str(NOW.month), str(NOW.year)]}
    for wrong in (
        {"onset_on": ["2", "3", "2199"]}, {"term": "boredom"},
        {"outcome": "died", "seriousness": "not_serious"},
    ):  # fmt: skip
        answer = nurse.post(f"{person}/reaction", TOLD | onset | {"dose": dose} | wrong)
        assert answer.status_code == 400, wrong
    case = nurse.post(f"{person}/reaction", TOLD | onset | {"dose": dose}).location
    assert rows(AdverseEvent.dose_id, AdverseEvent.state)[0][1] == "reported"
    assert "A reaction is on record" in nurse.get(path).text
    assert "swelling" in nurse.get(case).text
    assert nurse.post(case, {"state": "closed"}).status_code == 403
    clock.pass_by(days=3)
    inspector = staff("inspector")
    assert "Overdue" in inspector.get("/reactions/").text
    assert inspector.post(case, {"state": "investigating"}).status_code == 303
    assert inspector.post(case, {"state": "assessed"}).status_code == 409
    assert inspector.post(case, {"state": "assessed", "causality": "luck"}).status_code == 400
    judged = {"state": "assessed", "causality": "vaccine_product", "outcome": "recovered"}
    assert inspector.post(case, judged).status_code == 303
    [line] = inspector.get("/reactions/export.json").json
    assert (line["event"], line["batch"], line["dose_number"]) == ("anaphylaxis", clinic.lot, 1)
    text = inspector.get("/reactions/export.csv").text
    assert text.count("\n") == 2
    assert not re.search("swelling|Kanar|كنار|Nadia", text)


def test_the_page_of_a_mans_case_says_nothing_of_pregnancy(patient):
    nurse, path = patient(sex="male")
    person = re.search(r"/clinic/people/[0-9a-f-]+", nurse.get(path).text)[0]
    case = nurse.post(f"{person}/reaction", TOLD).location
    assert "swelling" in nurse.get(case).text
    assert "pregnant" not in nurse.get(case).text


def test_a_negative_test_and_a_recovery_are_certified_and_a_word_is_not(patient, rows):
    nurse, path = patient()
    person = re.search(r"/clinic/people/[0-9a-f-]+", nurse.get(path).text)[0]
    test = {"disease": factories.COVID, "test_type": "LP6464-4", "result": factories.NEGATIVE}
    assert nurse.post(f"{person}/test", test).location == person
    assert rows(Certificate.state) == [("issued",)]
    word = {"evidence": "stated", "country": "FR"}
    assert nurse.post(f"{person}/test", test | word).status_code == 303
    assert nurse.post(f"{person}/test", test | word | {"country": "??"}).status_code == 400
    long_ago = NOW - timedelta(days=20)
    first = [str(long_ago.day), str(long_ago.month), str(long_ago.year)]
    recovery = {"disease": factories.COVID, "first_positive_on": first, "test": ""}
    untested = nurse.post(f"{person}/recovery", recovery)
    assert (untested.status_code, "write down its positive test first" in untested.text) == (
        400, True,
    )  # fmt: skip
    recovery |= {"evidence": "seen", "country": "XX"}
    assert nurse.post(f"{person}/recovery", recovery).location == person
    assert len(rows(Certificate.state)) == 2


def test_a_test_written_down_wrongly_is_marked_and_its_certificate_withdrawn(patient, rows, staff):
    nurse, path = patient()
    person = re.search(r"/clinic/people/[0-9a-f-]+", nurse.get(path).text)[0]
    test = {"disease": factories.COVID, "test_type": "LP6464-4", "result": factories.NEGATIVE}
    nurse.post(f"{person}/test", test)
    error = re.search(r"/clinic/people/findings/[0-9a-f-]+/error", nurse.get(person).text)[0]
    assert "/error" not in staff("clerk").get(person).text
    assert "Test" in nurse.get(error).text
    assert nurse.post(error, {}).status_code == 400
    assert nurse.post(error, {"reason": "not_given"}).status_code == 400
    assert rows(Certificate.state) == [("issued",)]
    assert nurse.post(error, {"reason": "wrong_result"}).location == person
    assert rows(Certificate.state, Certificate.revoked_reason) == [("revoked", "wrong_result")]
    page = nurse.get(person).text
    assert "Entered in error" in page
    assert "/error" not in page
    assert nurse.post(error, {"reason": "other"}).status_code == 409


def test_somebody_on_no_list_is_found_misspelt_and_a_stranger_is_not(patient, app):
    nurse, path = patient()
    person = re.search(r"/clinic/people/[0-9a-f-]+", nurse.get(path).text)[0]
    wanted = {"text": "Canaria Kanarien", "born": ["27", "3", "1985"]}
    assert person in nurse.post("/clinic/people/", wanted).text
    assert nurse.post("/clinic/people/", {"text": "Kanarian"}).status_code == 400
    assert "Nobody on record" in nurse.post("/clinic/people/", wanted | {"text": "Xyz"}).text
    with app.extensions["healthcert"].doors.transaction() as db:
        site = factories.make_site(db, time_zone="Asia/Beirut").id
        other = factories.make_staff(db, role="nurse", site_id=site, name="Olga Other").id
    stranger = Browser(app).sign_in(other)
    assert stranger.get(person).status_code == 404
    assert person in stranger.post("/clinic/people/", wanted).text
    assert stranger.get(person).status_code == 200  # whom one has found, one sees for an hour


@pytest.fixture
def stocked(parts, clinic):
    """The clinic with five doses of its lot on the shelf, and how to read them."""
    with parts.doors.transaction() as db:
        lot = db.scalars(select(factories.Lot).filter_by(number=clinic.lot)).one()
        site = db.get_one(factories.Site, clinic.site_id)
        factories.make_move(db, factories.make_shelf(db, site=site, lot=lot), quantity=5)
        return lot.id


def test_two_people_count_and_one_alone_settles_nothing(patient, staff, clinic, stocked, rows):
    nurse, path = patient()
    nurse.post(f"{path}/dose", given(clinic) | ALL_NO)
    lead, count = staff("lead"), f"/clinic/closing/lots/{stocked}"

    def seen(who) -> list[str]:
        """Return what there was in the morning, there is now, and the count found more or less."""
        shown = who.get("/clinic/closing/").text
        cells = re.findall(r"<td.*?<bdi[^>]*>([^<]*)</bdi>", shown.partition("<tbody")[2])
        return [cells[1], *cells[7:9]]

    for who, found, result in (
        (nurse, "3", "open"),
        (lead, "4", "dropped"),
        (nurse, "3", "open"),
        (lead, "3", "confirmed"),
    ):
        answer = who.post(count, {"found": found}, page="/clinic/closing/")
        assert answer.location.endswith(f"count={result}")
        assert who.get(answer.location).status_code == 200
        for each in (nurse, lead):  # nobody sees what is to be found before two have found it
            assert seen(each) == (["0", "3", "-1"] if result == "confirmed" else [NOTHING] * 3)
            assert ("Waits for a second" in each.get("/clinic/stock").text) == (result == "open")
            lot = re.search(
                r"<dd>\s*<bdi>(.*?)</bdi>", each.get(f"/clinic/stock/lots/{stocked}").text
            )
            assert (lot[1] == NOTHING) == (result == "open")
    again = f"/clinic/closing/?again={stocked}"
    assert again in unescape(lead.get("/clinic/closing/").text)
    assert count in lead.get(again).text
    assert count not in lead.get("/clinic/closing/").text
    assert rows(Stock.remaining) == [(3,)]
    assert "stock_counts_differ" in acts(rows)
    nurse.post(count, {"found": "3"}, page="/clinic/closing/")
    assert nurse.post(count, {"found": "3"}, page="/clinic/closing/").status_code == 409
    assert nurse.post(count, {"found": "9" * 30}, page="/clinic/closing/").status_code == 400


def test_a_session_closes_when_nobody_waits_and_who_has_not_come_is_given_up(
    patient, book, staff, clinic, rows, clock
):
    nurse, path = patient()
    book(identity_value="B2", slot=2)
    session = rows(ClinicSession.id)[0][0]
    close = f"/clinic/closing/sessions/{session}"
    nurse.post(f"{path}/arrived", page=path)
    clock.pass_by(hours=3)
    nurse = staff("nurse")
    assert nurse.post(close, page="/clinic/closing/").status_code == 409  # somebody is here
    nurse.post(f"{path}/dose", given(clinic) | ALL_NO)
    assert nurse.post(close, page="/clinic/closing/").status_code == 303
    assert sorted(rows(Appointment.state)) == [("no_show",), ("vaccinated",)]
    assert rows(ClinicSession.state) == [("closed",)]
    page = nurse.get("/clinic/closing/").text
    assert "Close the session" not in page
    assert nurse.post(close, page="/clinic/closing/").status_code == 409


def test_a_session_closed_in_the_morning_with_nobody_booked_is_opened_again(
    staff, clinic, rows, clock
):
    assert clinic
    nurse, [(session,)] = staff("nurse"), rows(ClinicSession.id)
    path = f"/clinic/closing/sessions/{session}"
    shown = nurse.get("/clinic/closing/").text
    assert "times are still to come" in shown
    assert f"{path}/open" not in shown
    for deed, state in ((path, "closed"), (f"{path}/open", "published"), (path, "closed")):
        assert nurse.post(deed, page="/clinic/closing/").status_code == 303
        assert rows(ClinicSession.state) == [(state,)]
        assert nurse.post(deed, page="/clinic/closing/").status_code == 409
    assert f"{path}/open" in nurse.get("/clinic/closing/").text
    clock.pass_by(hours=12)
    nurse = staff("nurse")
    assert f"{path}/open" not in nurse.get("/clinic/closing/").text
    assert nurse.post(f"{path}/open", page="/clinic/closing/").status_code == 409


def test_what_was_not_written_down_yesterday_is_written_down_today(
    patient, clinic, clock, rows, staff
):
    _nurse, path = patient()
    clock.pass_by(days=1)
    nurse = staff("nurse")
    yesterday = NOW.date().isoformat()
    assert path not in nurse.get("/clinic/").text
    assert path in nurse.get(f"/clinic/?day={yesterday}").text
    told = given(clinic, given_at=f"{yesterday}T12:00") | ALL_NO
    assert nurse.post(f"{path}/dose", told).status_code == 303
    assert rows(Observation.id) == []
    assert [str(day) for (day,) in rows(Dose.given_on)] == [yesterday]


@pytest.mark.parametrize(
    "path", ["/clinic/", "/clinic/observed", "/clinic/closing/", "/reactions/"]
)
def test_a_list_asks_the_database_five_times_at_most(patient, parts, clinic, path, book):
    nurse, visit = patient()
    for number in range(3):
        book(identity_value=f"C{number}", slot=1 + number % 2)
    nurse.post(f"{visit}/dose", given(clinic) | ALL_NO)
    nurse.get(path)
    asked = []
    event.listen(parts.doors.engine, "before_cursor_execute", lambda *told: asked.append(told[2]))
    assert nurse.get(path).status_code == 200
    # two belong to every page: the session of the browser and who is asking
    ours = [sql for sql in asked if " visit" not in sql and "organisation" not in sql]
    ours = [sql for sql in ours if sql.startswith(("SELECT", "WITH"))]
    assert len(ours) <= 5, ours


def test_words_of_the_pages_are_in_every_language(patient, clinic):
    nurse, path = patient()
    nurse.post(f"{path}/dose", given(clinic) | YES)
    person = re.search(r"/clinic/people/[0-9a-f-]+", nurse.get(path).text)[0]
    for page, words in (
        (path, {"fr": "Avant la dose", "ar": "قبل الجرعة"}),
        (f"{path}/decision", {"fr": "Décider sur les réponses", "ar": "اتخاذ قرار"}),
        (f"{person}/reaction", {"fr": "Signaler une réaction", "ar": "التبليغ"}),
        ("/clinic/closing/", {"fr": "Fin de journée", "ar": "نهاية اليوم"}),
    ):
        for language, told in words.items():
            assert told in nurse.get(f"{page}?lang={language}").text
