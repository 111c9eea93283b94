"""Kill -9 between holding and confirming: nothing is booked that a person is not shown."""

from __future__ import annotations

import secrets
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import select

from healthcert.data import knowledge as files
from healthcert.errors import NotFound, SlotFull
from healthcert.gateways.vault import Vault
from healthcert.models import Appointment, Message
from healthcert.services import enrolment, parties
from healthcert.services.audit import STRANGER
from healthcert.services.reconciling import differences
from tests.crash.holder import POINTS
from tests.factories import NOW, day
from tests.services.clinic import Clinic, details

ROOT = Path(__file__).resolve().parents[2]
LEFT = {
    "holding": [],
    "held": ["held"] * 2,
    "confirming": ["held"] * 2,
    "confirmed": ["booked"] * 2,
}


@pytest.mark.parametrize("point", POINTS)
def test_a_process_killed_leaves_the_party_held_or_booked_as_a_whole(doors, database_url, point):
    keys = [secrets.token_bytes(32) for _ in range(2)]
    vault = Vault(*keys)
    clinic = Clinic.opened(doors, vault, files.country("XX"))
    slots = [clinic.slot(day(n), capacity=1) for n in (1, 2)]
    with doors.transaction() as db:
        people = [enrolment.enrol(db, vault=vault, details=details(), now=NOW) for _ in slots]
    wishes = [f"{who.id}:{slot.id}" for who, slot in zip(people, slots, strict=True)]
    told = ":".join(key.hex() for key in keys)
    words = [sys.executable, "-m", "tests.crash.holder", database_url, point, told, *wishes]
    died = subprocess.run(words, cwd=ROOT, check=False, stdout=subprocess.PIPE, text=True)
    assert died.returncode == -signal.SIGKILL
    party_id = UUID(died.stdout.strip())
    with doors.reading() as db:
        assert differences(db) == []
        assert list(db.scalars(select(Appointment.state))) == LEFT[point]
        booked = LEFT[point].count("booked")
        assert len(db.scalars(select(Message)).all()) == booked
    later = NOW + parties.HOLD + timedelta(seconds=1)
    if booked:
        with pytest.raises(SlotFull):
            clinic.book(slots[0], now=later)
    else:
        clinic.book(slots[0], now=later)  # it is free again, whoever died

    def confirm(db) -> list[str]:
        deed = {"vault": vault, "actor": STRANGER, "now": later}
        return [row.state for row in parties.confirm(db, party_id=party_id, **deed)]

    if booked:
        assert doors.run(confirm) == ["booked"] * 2
    else:
        with pytest.raises(NotFound if point == "holding" else SlotFull):
            doors.run(confirm)
