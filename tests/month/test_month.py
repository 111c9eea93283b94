"""A month ends with sums that come out, and with certificates on what counts alone."""

from __future__ import annotations

import os
import time

from sqlalchemy import func, select

from healthcert.models import Certificate, DoseStanding
from healthcert.services.reconciling import differences
from tests.month.simulation import Month

PEOPLE = int(os.environ.get("HEALTHCERT_MONTH", "1000"))
SITES = 5


def test_after_a_month_every_sum_comes_out(doors, vault, country, signers, say, engine_name):
    month = Month(doors, vault, country, signers, people=PEOPLE, sites=SITES, seed=7)
    began = time.perf_counter()
    month.play()
    took = time.perf_counter() - began
    with doors.reading() as db:
        assert differences(db) == []
        standing = dict(
            db.execute(
                select(DoseStanding.counts, func.count()).group_by(DoseStanding.counts)
            ).all()
        )
        issued = db.scalar(select(func.count()).where(Certificate.state == "issued"))
    say(f"month on {engine_name}: {PEOPLE} people in {took:.0f} s; {dict(month.tally)}; {standing}")
    assert issued == standing["valid"]
    assert {"valid", "unknown", "entered_in_error"} <= set(standing)
    for deed in ("booked", "dose", "not_vaccinated", "signed", "swept"):
        assert month.tally[deed] > 0, deed
