"""The main job as a story: booked, vaccinated, certified, checked, corrected. On both engines."""

from __future__ import annotations

import re

from sqlalchemy import func, select

from healthcert.jobs import run_once
from healthcert.models import AuditEvent, Certificate, Dose, DoseStanding, Slot
from tests.web.conftest import Browser, enter


def test_from_a_free_slot_to_a_certificate_that_anybody_can_check(
    app, parts, clinic, clock, book, staff, newest_message
):
    # Alia finds the nearest free time and books it, without an account.
    _browser, reference = book()
    assert places_taken(parts, clinic) == 1
    assert reference in newest_message("booked")

    # At the clinic a clerk notes that she has come; a nurse gives her the first dose.
    clerk, nurse = staff("clerk"), staff("nurse")
    visit = re.search(r"/clinic/appointments/[0-9a-f-]+", clerk.get("/clinic/").text)[0]
    assert clerk.post(f"{visit}/arrived", page=visit).status_code == 303
    assert clerk.get(f"{visit}/dose").status_code == 403
    recorded = nurse.post(
        f"{visit}/dose",
        {"identity": "y", "product": clinic.product_id, "lot": clinic.lot, "body_site": "LA"},
    ).location
    assert "It counts as dose 1" in nurse.get(recorded).text

    # She comes in with her reference, her birth date and a code, and holds her certificate.
    alia = enter(Browser(app), reference, newest_message)
    certificate = re.search(r"/my/certificates/[0-9a-f-]{36}", alia.get("/my/").text)[0]
    page = alia.get(certificate).text
    assert "كنارية الكناري" in page
    assert "KANARIAN" in page
    barcode = alia.get(f"{certificate}.txt").text

    # A border officer in any country checks it: nothing but the published bundle is asked.
    run_once(parts, clock())
    found = checked(app, barcode)
    assert found["verdict"] == "valid"
    assert found["holder"]["standard_name"] == "KANARIAN<<KANARIA"
    assert found["certificate"]["v"][0]["dn"] == 1

    # The nurse finds that it was entered for the wrong person. The fact stays, and counts no more.
    dose = re.search(r"/clinic/doses/[0-9a-f-]+", recorded)[0]
    wrong = re.search(r'name="reason"[^>]*value="([^"]+)"', nurse.get(f"{dose}/error").text)[1]
    assert nurse.post(f"{dose}/error", {"reason": wrong}).status_code == 303
    assert states(parts) == (1, ["entered_in_error"], ["revoked"])
    assert "withdrawn" in alia.get(certificate).text

    # With the next bundle every check says so.
    clock.pass_by(seconds=10)
    run_once(parts, clock())
    found = checked(app, barcode)
    assert (found["verdict"], found["reasons"][0]["code"]) == ("invalid", "revoked")

    # All of it was written down, step by step.
    with parts.doors.reading() as db:
        acts = set(db.scalars(select(AuditEvent.act)))
    assert acts >= {
        "appointment_booked", "arrived", "dose_recorded", "certificate_issued",
        "dose_marked_in_error", "certificate_revoked",
    }  # fmt: skip


def checked(app, barcode: str) -> dict:
    answer = app.test_client().post("/api/v1/verify", json={"barcode": barcode})
    assert answer.status_code == 200
    return answer.json


def places_taken(parts, clinic) -> int:
    with parts.doors.reading() as db:
        return db.get_one(Slot, clinic.slots[0]).booked


def states(parts) -> tuple[int, list[str], list[str]]:
    with parts.doors.reading() as db:
        return (
            db.scalar(select(func.count()).select_from(Dose)),
            list(db.scalars(select(DoseStanding.counts))),
            list(db.scalars(select(Certificate.state))),
        )
