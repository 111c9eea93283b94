"""What a programme asks to say who comes first: asked of each, kept, told, and taken back."""

from __future__ import annotations

import re
from html import unescape
from uuid import UUID

import pytest
from sqlalchemy import select

from healthcert.models import Appointment, Person, Slot, WaitEntry
from healthcert.services import eligibility
from tests.certificates import NOW
from tests.statements import sent
from tests.web.conftest import ALIA, NURSES, Browser, enter, tell
from tests.web.test_mixed_party import CHILD, GROWN

COAST = {"code": "coast", "admits": {"region": ["coast"]}}
PREGNANT = {"code": "pregnant", "admits": {"pregnant": True}}
YOU, THEY = "Are you among those who come first?", "Are they among those who come first?"
NEAR = {"town": "port-azur", "within": "20"}


@pytest.fixture
def asked(clinic):
    """Return what the address tells of a time for one."""
    slot = clinic.slots[0].hex
    return f"?programme={clinic.programme_id}&dose=1&slot={slot}&second=later"


def answer(visitor, asked, number=1, door="/book", **told):
    return visitor.post(f"{door}/details{asked}&number={number}&step=told", told)


def made(parts, *states):
    with parts.doors.reading() as db:
        found = db.scalars(select(Appointment).order_by(Appointment.id)).all()
    return [one for one in found if not states or one.state in states]


def told_of(parts, clinic):
    """Return what was told last of everybody on record, in their order."""
    with parts.doors.reading() as db:
        return [
            eligibility.told_of(db, parts.vault, one, clinic.programme_id)
            for one in db.scalars(select(Person).order_by(Person.recorded_at, Person.id))
        ]


def four_weeks_on(parts, asked):
    """Return the same for a second dose, when one is due."""
    with parts.doors.reading() as db:
        slot = db.scalars(select(Slot.id).order_by(Slot.starts_at.desc())).first()
    return re.sub("slot=[0-9a-f]+", f"slot={slot.hex}", asked.replace("dose=1", "dose=2"))


def chosen(page):
    return re.findall(r'name="(\w+)" type="\w+" value="(\w*)" checked', page)


def test_where_nothing_is_asked_there_is_no_question_more(browser, asked):
    assert "/book/check" in tell(browser, asked, ALIA).location
    assert "come first" not in browser.get(f"/book/check{asked}").text
    assert "/book/check" in browser.get(f"/book/details{asked}&number=1&step=told").location


def test_where_nothing_is_asked_the_check_asks_nothing_more_of_the_database(browser, asked, parts):
    tell(browser, asked, ALIA)
    with sent(parts.doors.engine) as statements:
        browser.get(f"/book/check{asked}")
    assert [each for each in statements if "FROM programme" in each] == []


def test_who_says_what_a_phase_asks_is_booked_and_it_is_kept(browser, asked, asks, parts, clinic):
    asks(NURSES)
    there = tell(browser, asked, ALIA).location
    assert "step=told" in there
    page = browser.get(there).text
    for words in (YOU, "Which of these is your work?", "I am a nurse", "rather not say"):
        assert words in page
    assert chosen(page) == []
    assert "Are you pregnant?" not in page, "this programme does not ask"
    answered = answer(browser, asked, occupation="nurse")
    assert "/book/check" in answered.location
    assert "nurse" not in answered.location
    page = browser.get(answered.location).text
    assert "Kept for you until" in page
    assert "I am a nurse" in page
    [change] = [each for each in re.findall(r'href="([^"]+)"', page) if "step=told" in each]
    assert chosen(browser.get(unescape(change)).text) == [("occupation", "nurse")]
    assert browser.post(f"/book/check{asked}").status_code == 303
    assert [one.state for one in made(parts)] == ["booked"]
    assert told_of(parts, clinic) == [{"occupation": ["nurse"]}]
    assert browser.get(change.replace("&amp;", "&")).location == "/book/done", "it went along"


def test_who_leaves_it_out_is_refused_told_what_is_asked_and_led_back(browser, asked, asks, parts):
    asks(NURSES)
    tell(browser, asked, ALIA)
    refused = answer(browser, asked)
    assert refused.status_code == 409
    for words in ("Who comes first", "I am a nurse, I am a doctor", "You have not answered"):
        assert words in refused.text
    [there] = re.findall(r'href="([^"]+step=told[^"]*)" role="button"', refused.text)
    assert YOU in browser.get(unescape(there)).text
    answered = answer(browser, asked, occupation="doctor")
    assert "/book/check" in answered.location
    assert browser.post(f"/book/hold{asked}", page=f"/book/check{asked}").status_code == 303
    assert browser.post(f"/book/check{asked}").status_code == 303
    assert len(made(parts, "booked")) == 1


def test_who_answered_and_is_refused_is_not_led_back_to_answer(browser, asked, asks, parts, clinic):
    asks(COAST)
    tell(browser, asked, ALIA)
    page = browser.get(f"/book/details{asked}&number=1&step=told").text
    assert "In which region do you live?" in page
    assert "rather not say" in page
    asks(COAST, NURSES | {"opens_on": "2026-09-01"})
    refused = answer(browser, asked, region="coast", occupation=["nurse", "queen"])
    assert "/book/check" in refused.location, "what is no choice is left out"
    asks(PREGNANT)
    answer(browser, asked, pregnant="-")
    refused = browser.post(f"/book/check{asked}")
    assert refused.status_code == 409
    assert "Who comes first" in refused.text
    assert "answered all" not in refused.text
    assert told_of(parts, clinic) == [{}], "no is told to nobody"


def test_what_is_asked_no_more_is_not_told(browser, asked, asks, parts, clinic):
    asks(NURSES)
    tell(browser, asked, ALIA)
    answer(browser, asked, occupation="nurse")
    asks(COAST, {"code": "all", "admits": {}})
    assert browser.post(f"/book/check{asked}").status_code == 303
    assert told_of(parts, clinic) == [{"occupation": ["nurse"]}], "as it was held"
    there = asked.replace(clinic.slots[0].hex, clinic.slots[1].hex)
    asks(NURSES)
    tell(browser, there, ALIA | {"identity_value": "B2"})
    answer(browser, there, occupation="nurse")
    asks({"code": "all", "admits": {}})
    browser.post(f"/book/details{there}&number=1&step=name", ALIA | {"given": "هند"})
    assert browser.post(f"/book/check{there}").status_code == 303
    assert told_of(parts, clinic)[1] == {}


def test_an_answer_that_is_taken_back_does_not_hold(browser, asked, asks, parts):
    asks(NURSES)
    tell(browser, asked, ALIA)
    answer(browser, asked, occupation="nurse")
    shown = re.search(r'name="shown" value="(\w+)"', browser.get(f"/book/check{asked}").text)[1]
    answer(browser, asked)
    assert "Not answered" in browser.get(f"/book/check{asked}").text
    other = browser.post(f"/book/check{asked}", {"shown": shown})
    assert "changed in another window" in other.text
    assert browser.post(f"/book/check{asked}").status_code == 409
    assert made(parts, "booked") == []


def test_what_was_answered_survives_a_hold_that_ran_out(browser, asked, asks, parts, clock):
    asks(NURSES)
    tell(browser, asked, ALIA)
    answer(browser, asked, occupation="nurse")
    clock.pass_by(minutes=11)
    browser.post(f"/book/hold{asked}", page=f"/book/check{asked}")
    clock.pass_by(minutes=11)
    assert browser.post(f"/book/check{asked}").status_code == 303
    assert len(made(parts, "booked")) == 1


@pytest.mark.usefixtures("later")
def test_what_somebody_told_before_does_not_speak_for_who_types_their_details(
    app, asked, asks, parts
):
    asks(NURSES)
    first = Browser(app)
    tell(first, asked, ALIA)
    answer(first, asked, occupation="nurse")
    other = Browser(app)
    there = four_weeks_on(parts, asked)
    tell(other, there, ALIA)
    assert chosen(other.get(f"/book/details{there}&number=1&step=told").text) == []
    refused = answer(other, there)
    assert refused.status_code == 409
    assert "not answered all" in refused.text
    assert len(made(parts)) == 1


def test_only_those_of_a_family_are_asked_whose_programme_asks(browser, asks, parts, clinic, fever):
    asks(PREGNANT)
    page = browser.get(f"/book/slots?programme={fever}&dose=1&town=port-azur&people=1").text
    there = re.findall(r'name="slot" type="radio" value="([0-9a-f]{32})"', page)[0]
    each = f"programme={clinic.programme_id}&programme={fever}&programme={clinic.programme_id}"
    own = clinic.slots[0].hex
    asked = f"?{each}&dose=1&dose=1&dose=1&people=3&slot={own}.{own}&slot={there}&second=later"
    asked += "&second=later"
    people = [{}, CHILD | {"identity_value": "F2"}, GROWN | {"identity_value": "F3"}]
    for number, changes in enumerate(people, 1):
        there = tell(browser, asked, ALIA | changes, number).location
        assert (f"number={number}&step=told" in there) == (number != 2)
        if number == 1:
            page = browser.get(there).text
            assert THEY in page
            assert "Are they pregnant?" in page
            assert "/book/who" in answer(browser, asked, pregnant="yes").location
    refused = answer(browser, asked, 3, pregnant="-")
    assert refused.status_code == 409
    assert "about person <bdi>3</bdi>" in refused.text
    assert "/book/check" in answer(browser, asked, 3, pregnant="yes").location
    browser.post(f"/book/hold{asked}", page=f"/book/check{asked}")
    page = browser.get(f"/book/check{asked}").text
    assert page.count("Pregnancy") == 2 + 2, "a row each, and what is read of its link"
    assert browser.post(f"/book/check{asked}").status_code == 303
    assert len(made(parts, "booked")) == 3
    told = [{"pregnant": ["yes"]}] * 2
    assert sorted(told_of(parts, clinic), key=len) == [{}, *told]


@pytest.mark.usefixtures("later")
def test_who_is_signed_in_sees_what_they_told_last_and_may_take_it_back(
    app, asked, asks, clinic, parts, newest_message
):
    asks(NURSES)
    visitor = Browser(app)
    tell(visitor, asked, ALIA)
    answer(visitor, asked, occupation="nurse")
    visitor.post(f"/book/check{asked}")
    number = re.search(r"HC-\w{4}-\w{4}", visitor.get("/book/done").text)[0]
    own = enter(Browser(app), number, newest_message)
    there = f"{four_weeks_on(parts, asked)}&draft=0"
    person = re.search(r'value="([0-9a-f-]{36})"', own.get(f"/book/who{there}").text)[1]
    page = own.get(own.post(f"/book/who{there}", {"person": person}).location).text
    assert YOU in page
    assert chosen(page) == [("occupation", "nurse")]
    answer(own, there)
    assert told_of(parts, clinic) == [{}]
    assert chosen(own.get(f"/book/details{there}&number=1&step=told").text) == []
    assert "Not answered" in own.get(f"/book/check{there}").text


@pytest.mark.usefixtures("later")
def test_the_desk_asks_and_sees_what_was_told_last(staff, asked, asks, clinic, parts):
    asks(NURSES)
    clerk, door = staff("clerk"), "/clinic/book"
    asked += "&source=phone"
    new = {"text": "Nobody Atall", "born": ["", "", "1950"]}
    answer_to = clerk.post(f"{door}/find{asked}", new)
    clerk.post(answer_to.location, {"person": "new"})
    there = tell(clerk, asked, ALIA, door=door).location
    assert there.startswith(f"{door}/details")
    assert THEY in clerk.get(there).text
    refused = answer(clerk, asked, door=door)
    assert refused.status_code == 409
    assert "Not all of this is answered for them" in refused.text
    answer(clerk, asked, door=door, occupation="nurse")
    clerk.post(f"{door}/hold{asked}", page=f"{door}/check{asked}")
    assert clerk.post(f"{door}/check{asked}").status_code == 303
    assert told_of(parts, clinic) == [{"occupation": ["nurse"]}]

    asked = four_weeks_on(parts, asked)
    found = clerk.post(f"{door}/find{asked}", {"text": "Kanaria", "born": ["", "", "1985"]})
    person = re.search(r'value="([0-9a-f-]{36})"', clerk.get(found.location).text)[1]
    there = clerk.post(found.location, {"person": person}).location
    page = clerk.get(there).text
    assert chosen(page) == [("occupation", "nurse")]
    [back] = re.findall(r'href="([^"]+)" class="govuk-back-link"', page)
    assert "/who" in back
    answer(clerk, asked, door=door, occupation=["nurse", "doctor"])
    page = clerk.get(f"{door}/check{asked}").text
    assert "I am a nurse, I am a doctor" in page


def test_for_another_on_record_what_they_told_last_holds_unseen(
    app, asked, asks, clinic, parts, newest_message
):
    asks(NURSES)
    mother = Browser(app)
    tell(mother, asked, ALIA)
    answer(mother, asked, occupation="nurse")
    mother.post(f"/book/check{asked}")
    number = re.search(r"HC-\w{4}-\w{4}", mother.get("/book/done").text)[0]
    mother = enter(Browser(app), number, newest_message)
    born = {"birth_date": ["1", "6", "2010"], "identity_kind": "none", "identity_value": ""}
    mother.post("/my/family/child", ALIA | born | {"given": "Saghira", "given_latin": ""})
    there = asked.replace(clinic.slots[0].hex, clinic.slots[1].hex) + "&draft=0"
    page = mother.get(f"/book/who{there}").text
    [child] = [
        each for each in re.findall(r'type="radio" value="([0-9a-f-]{36})"', page)
        if UUID(each) != made(parts)[0].person_id
    ]  # fmt: skip
    with parts.doors.transaction() as db:
        eligibility.decide(
            db, vault=parts.vault, person=db.get_one(Person, UUID(child)), day=NOW.date(), now=NOW,
            programme_id=clinic.programme_id, told={"occupation": ["nurse"]},
            actor=eligibility.audit.Actor("citizen", UUID(child)),
        )  # fmt: skip
    page = mother.get(mother.post(f"/book/who{there}", {"person": child}).location).text
    assert chosen(page) == []
    assert "/book/check" in answer(mother, there).location
    assert told_of(parts, clinic) == [{"occupation": ["nurse"]}] * 2


def test_another_programme_asks_anew_and_forgets_what_was_told_for_the_first(
    browser, asked, asks, fever, parts
):
    asks(NURSES)
    tell(browser, asked, ALIA)
    answer(browser, asked, occupation="nurse")
    page = browser.get(f"/book/slots?programme={fever}&dose=1&town=port-azur&people=1").text
    slot = re.findall(r'name="slot" type="radio" value="([0-9a-f]{32})"', page)[0]
    other = f"?programme={fever}&dose=1&slot={slot}&second=later"
    there = browser.get(browser.get(f"/book/who{other}&draft=0").location)
    assert "/book/check" in (there.location or there.request.path)
    assert "Occupation" not in browser.get(f"/book/check{other}").text
    browser.post(f"/book/hold{other}", page=f"/book/check{other}")
    assert browser.post(f"/book/check{other}").status_code == 303
    with parts.doors.reading() as db:
        [person] = db.scalars(select(Person))
        assert eligibility.told_of(db, parts.vault, person, fever) == {}


def test_a_desk_keeps_what_it_typed_where_another_programme_asks_something(
    staff, asked, asks, fever
):
    clerk, door, there = staff("clerk"), "/clinic/book", asked + "&source=phone"
    found = clerk.post(f"{door}/find{there}", {"text": "Nobody", "born": ["", "", "1950"]})
    clerk.post(found.location, {"person": "new"})
    assert "/check" in tell(clerk, there, ALIA, door=door).location
    asks(NURSES, programme="yellow-fever")
    other = re.sub("programme=[0-9a-f-]+", f"programme={fever}", there)
    led = clerk.get(clerk.get(f"{door}/check{other}").location)
    assert "step=told" in led.location


def test_who_joins_the_waiting_list_is_asked_on_a_page_more(browser, asks, clinic, parts):
    asks(NURSES)
    form = ALIA | NEAR | {"programme": str(clinic.programme_id)}
    page = browser.post("/book/waiting", form)
    assert page.status_code == 200
    assert YOU in page.text
    with parts.doors.reading() as db:
        assert db.scalars(select(WaitEntry)).all() == []
    token = re.findall(r'name="csrf_token" value', page.text)
    assert len(token) == 1
    names = [*re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page.text)]
    again = {}
    for name, value in names:
        again.setdefault(name, []).append(unescape(value))
    assert again["given"] == [ALIA["given"]]
    assert again["birth_date"] == ALIA["birth_date"]
    answered = browser.client.post("/book/waiting", data=again)
    assert answered.status_code == 409, "no phase admits who says nothing"
    for words in ("not open to you yet", "Who comes first", "I am a nurse", "You have not answered",
                  "We keep why"):  # fmt: skip
        assert words in answered.text
    kept = [*re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', answered.text)]
    assert sorted(kept[1:]) == sorted([*names[1:]]), "nothing has to be typed again"
    answered = browser.client.post("/book/waiting", data=again | {"occupation": "nurse"})
    assert answered.status_code == 303
    assert "nurse" not in answered.location
    assert "You are on the waiting list" in browser.get(answered.location).text
    assert told_of(parts, clinic) == [{"occupation": ["nurse"]}]


def test_who_is_signed_in_joins_the_list_with_what_they_told_last(holder, asks, parts, fever):
    own = holder()
    asks(NURSES, programme="yellow-fever")
    form = NEAR | {"programme": str(fever)}
    page = own.post("/my/waiting", form).text
    assert YOU in page
    assert chosen(page) == []
    refused = own.post("/my/waiting", form | {"first": "y", "occupation": "-"})
    assert (refused.status_code, "Who comes first" in refused.text) == (409, True)
    assert "You have not answered" not in refused.text, "all that is asked was answered"
    assert (
        "the group Nurses asks" in own.get("/my/why").text or "asks for" in own.get("/my/why").text
    )
    assert own.post("/my/waiting", form | {"first": "y", "occupation": "nurse"}).status_code == 303
    assert chosen(own.post("/my/waiting", form).text) == [("occupation", "nurse")]
    with parts.doors.reading() as db:
        assert len(db.scalars(select(WaitEntry)).all()) == 1


@pytest.mark.parametrize(
    ("language", "words"),
    [("fr", "Je suis médecin"), ("ar", "أنا طبيب")],
)
def test_it_is_asked_in_the_readers_language(browser, asked, asks, language, words):
    asks(NURSES, COAST, PREGNANT)
    tell(browser, asked, ALIA)
    page = browser.get(f"/book/details{asked}&number=1&step=told&lang={language}").text
    assert words in page
    for english in ("come first", "rather not say", "Which of", "Are you", "Some people"):
        assert english not in page
