"""A citizen reads everything held about them, sees who looked, and has it erased."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from datetime import timedelta

import pytest
from sqlalchemy import select

from healthcert.hcert import qr
from healthcert.models import Message, Person, new_id
from healthcert.services import looks, retention
from healthcert.web import labels
from tests.web.conftest import Browser, enter


@pytest.fixture
def vaccinated(app, clinic, book, staff, newest_message):
    """A citizen's browser after their dose was recorded and signed."""
    _visitor, number = book()
    nurse = staff("nurse")
    path = re.search(r"/clinic/appointments/[0-9a-f-]+", nurse.get("/clinic/").text)[0]
    nurse.post(f"{path}/arrived", page=path)
    given = {"identity": "y", "product": str(clinic.product_id), "lot": clinic.lot}
    assert nurse.post(f"{path}/dose", given | {"body_site": "LA"}).status_code == 303
    return enter(Browser(app), number, newest_message)


@pytest.fixture
def words_of():
    """Return how to read the words out of a PDF as somebody who copies them does."""
    if not shutil.which("pdftotext"):
        pytest.skip("papers are not read: there is no pdftotext (poppler-utils)")

    def words(paper: bytes) -> str:
        read = subprocess.run(
            ["pdftotext", "-", "-"], input=paper, capture_output=True, check=True
        ).stdout.decode()
        return re.sub(r"[\u2066-\u2069\u202a-\u202e\u200e\u200f]", "", read)

    return words


def test_the_record_is_given_as_json(vaccinated):
    answer = vaccinated.get("/my/record.json")
    told = json.loads(answer.text)
    assert told["format"] == "healthcert/my-record/1"
    assert told["held"]["person"][0]["family"] == "الكناري"
    assert answer.headers["Content-Disposition"] == "attachment; filename=my-record.json"
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("language", "wanted"),
    [
        ("en", ["My record", "Who looked at my record", "الكناري", "Comirnaty"]),
        ("fr", ["Mon dossier", "Qui a consulté mon dossier", "الكناري", "Comirnaty"]),
        ("ar", ["سجلي", "من اطلع على سجلي", "الكناري", "Comirnaty", "بياناتك"]),
    ],
)
def test_the_record_is_given_on_paper_that_can_be_read_out(vaccinated, words_of, language, wanted):
    answer = vaccinated.get(f"/my/record.pdf?lang={language}")
    assert answer.content_type == "application/pdf"
    words = words_of(answer.data)
    assert [each for each in wanted if each not in words] == []
    assert b"/MarkInfo" in answer.data
    assert b"pdfuaid:part" in answer.data


@pytest.mark.parametrize("language", ["en", "ar"])
def test_a_certificate_is_given_on_paper_with_its_code(vaccinated, words_of, tmp_path, language):
    page = re.search(r"/my/certificates/[0-9a-f-]{36}", vaccinated.get("/my/").text)[0]
    answer = vaccinated.get(f"{page}.pdf?lang={language}")
    assert "الكناري" in words_of(answer.data)
    (tmp_path / "paper.pdf").write_bytes(answer.data)
    draw = ["pdftoppm", "-r", "150", "-singlefile", "-png", "paper.pdf", "drawn"]
    subprocess.run(draw, cwd=tmp_path, check=True, capture_output=True)
    [found] = qr.read((tmp_path / "drawn.png").read_bytes())
    assert found.text == vaccinated.get(f"{page}.txt").text


def test_a_certificate_whose_text_went_says_so_and_is_given_no_more(vaccinated, parts, clock):
    page = re.search(r"/my/certificates/[0-9a-f-]{36}", vaccinated.get("/my/").text)[0]
    later = clock() + timedelta(days=800)
    assert parts.doors.run(lambda db: retention.apply(db, "certificate_text", now=later)) == 1
    shown = vaccinated.get(page).text
    assert "its code was deleted" in shown
    assert f"{page}.svg" not in shown
    for kind in ("svg", "pdf"):
        assert vaccinated.get(f"{page}.{kind}").status_code == 409
    assert json.loads(vaccinated.get("/my/record.json").text)["held"]["certificate"][0]["uvci"]


def test_nobody_gets_the_paper_of_another(vaccinated, holder):
    page = re.search(r"/my/certificates/[0-9a-f-]{36}", vaccinated.get("/my/").text)[0]
    stranger = holder(identity_value="OTHER2", slot=1)
    assert stranger.get(f"{page}.pdf").status_code == 404
    assert stranger.get(f"/my/certificates/{new_id()}.pdf").status_code == 404


def test_who_looked_is_shown_by_role_and_place(vaccinated, holder):
    page = vaccinated.get("/my/record/seen").text
    assert "Nurse" in page
    assert "Harbour" in page
    assert "To give you a dose or record it" in page
    assert "Nadia" not in page
    assert "Nobody of the staff" in holder(identity_value="B2", slot=1).get("/my/record/seen").text


def test_every_reason_to_look_has_words():
    assert set(labels.SEEN_BECAUSE) == {*looks.REASONS, looks.FOR_THEM}


def test_erasing_takes_two_steps_and_is_told_in_words(vaccinated, parts):
    first = vaccinated.get("/my/erase").text
    assert "Your phone number and mail address" in first
    assert "Your name, date of birth and doses" in first
    confirm = "/my/erase/confirm"
    assert vaccinated.post(confirm, {}).status_code == 400
    done = vaccinated.post(confirm, {"sure": "y"})
    assert done.status_code == 200
    assert "You are erased" in done.text
    assert "2036" in done.text
    assert vaccinated.get("/my/").status_code == 303
    with parts.doors.reading() as db:
        assert db.scalars(select(Person.erased_at)).one() is not None
        assert db.scalars(select(Message)).all() == []


def test_another_session_of_who_was_erased_shows_nothing(app, book, newest_message):
    _visitor, number = book()
    one = enter(Browser(app), number, newest_message)
    cookie = one.client.get_cookie("healthcert_session").value
    page = one.get("/my/erase/confirm").text
    token = re.search(r'name="csrf_token" value="([^"]+)"', page)[1]
    other = Browser(app)
    done = one.client.post("/my/erase/confirm", data={"sure": "y", "csrf_token": token})
    assert done.status_code == 200
    other.client.set_cookie("healthcert_session", cookie)
    for path in ("/my/", "/my/record.json", "/my/record.pdf", "/my/erase"):
        assert other.get(path).status_code in {303, 404}
