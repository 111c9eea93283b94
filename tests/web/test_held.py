"""What waits for a release: who sees it, who may let it go, and that it is signed then."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import select, update

from healthcert.jobs.certificates import sign_pending
from healthcert.models import Certificate, CertificateHold, Dose, Site, SiteProbation, Staff
from healthcert.services import holds
from tests import factories as make
from tests.certificates import NOW
from tests.web.conftest import Browser, officers_of

ON = "sqlite"  # the services are tested on both engines

PAGE = "/admin/held"


@pytest.fixture
def officers(app, clinic):
    """Return browsers of two officers above the clinic, and of one of another organisation."""
    return [Browser(app).sign_in(each) for each in officers_of(app, clinic)]


@pytest.fixture
def given(book, staff, clinic):
    """Return how the nurse gives somebody a dose."""

    def gave():
        book()
        nurse = staff("nurse")
        visit = re.search(r"/clinic/appointments/[0-9a-f-]+", nurse.get("/clinic/").text)[0]
        told = {"identity": "y", "product": str(clinic.product_id), "lot": clinic.lot}
        assert nurse.post(f"{visit}/dose", told | {"body_site": "LA"}).status_code == 303

    return gave


def state(parts):
    with parts.doors.reading() as db:
        return db.scalars(select(Certificate).order_by(Certificate.id)).all()[-1].state


def release(browser, of, why):
    answer = browser.post(f"{PAGE}/{of}", {"why": why}, page=PAGE)
    return answer.status_code


def test_a_second_officer_ends_the_probation_and_the_worker_signs(parts, clinic, given, officers):
    one, two, stranger = officers
    with parts.doors.transaction() as db:
        db.add(SiteProbation(recorded_at=NOW, site_id=clinic.site_id))
    given()
    assert sign_pending(parts, NOW) == 0
    page = one.get(PAGE).text
    assert "Harbour" in page
    assert "1 certificate, since" in page
    assert "Harbour" not in stranger.get(PAGE).text.partition("<main")[2]
    assert release(stranger, clinic.site_id, "probation") == 404
    assert release(one, clinic.site_id, "cap") == 404
    assert release(one, clinic.site_id, "probation") == 303
    page = one.get(PAGE).text
    assert "Ask a second administrator" in page
    assert f"{PAGE}/{clinic.site_id}" not in page
    assert release(one, clinic.site_id, "probation") == 409
    assert sign_pending(parts, NOW) == 0
    assert "One administrator has released this site" in two.get(PAGE).text
    assert release(two, clinic.site_id, "probation") == 303
    assert sign_pending(parts, NOW) == 1
    assert state(parts) == "issued"
    assert release(two, clinic.site_id, "probation") == 404


def test_who_wrote_too_many_down_cannot_release_them_and_a_colleague_can(parts, clinic, officers):
    one, two, stranger = officers
    writer = clinic.staff["admin"]
    with parts.doors.transaction() as db:
        for _ in range(3):
            fact = make.make_test(db, recorded_by=writer)
            holds.hold(db, [fact], why="cap", now=NOW)
    page = one.get(PAGE).text
    assert "3 certificates, since" in page
    assert "You wrote these down yourself" in page
    assert f"{PAGE}/{writer}" not in page
    assert release(one, writer, "cap") == 409
    assert "Adam Admin" not in stranger.get(PAGE).text
    assert release(stranger, writer, "cap") == 404
    with parts.doors.transaction() as db:
        db.execute(update(Staff).where(Staff.id == writer).values(active=False))
        nearer = db.get_one(Site, clinic.site_id).organisation_id
        db.execute(update(Staff).where(Staff.id == writer).values(organisation_id=nearer))
    assert release(two, writer, "cap") == 303, "who has left is released too"
    with parts.doors.reading() as db:
        assert len({row.released_by for row in db.scalars(select(CertificateHold))} - {None}) == 1


def test_a_withdrawn_certificate_is_found_by_its_identifier_and_names_nobody(
    parts, given, officers
):
    one, _two, stranger = officers
    given()
    with parts.doors.transaction() as db:
        old = db.scalars(select(Certificate)).one()
        old.state, old.standing_counts = "revoked", None
        old.revoked_at, old.revoked_reason = NOW, "fraud"
        dose, uvci = db.get_one(Dose, old.dose_id), old.uvci
        db.flush()
        again = make.make_certificate(db, dose=dose)
        holds.hold(db, [dose], why="withdrawn", now=NOW)
        fact, newer = dose.id, again.uvci
    page = one.get(PAGE).text
    assert uvci in page
    assert newer not in page
    assert "anari" not in page.casefold()
    for asked, shown in ((f" {uvci}", True), (newer, False)):
        found = one.get(PAGE, query_string={"identifier": asked}).text
        assert (f"{PAGE}/{fact}" in found) is shown
    assert uvci not in stranger.get(PAGE).text
    assert release(stranger, fact, "withdrawn") == 404
    assert release(one, fact, "withdrawn") == 303
    assert sign_pending(parts, NOW) == 1


def test_a_release_needs_a_fresh_proof_and_an_inspector_only_looks(
    parts, clinic, staff, clock, officers
):
    one, *_ = officers
    with parts.doors.transaction() as db:
        db.add(SiteProbation(recorded_at=NOW, site_id=clinic.site_id))
    page = staff("inspector").get(PAGE).text
    assert "Harbour" in page
    assert f"{PAGE}/" not in page
    assert PAGE in one.get("/admin/").text
    assert PAGE not in staff("key_officer").get("/admin/").text
    clock.pass_by(minutes=6)
    answer = one.post(f"{PAGE}/{clinic.site_id}", {"why": "probation"}, page=PAGE)
    assert answer.location.startswith("/sign-in/again")
