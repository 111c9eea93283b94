"""A key is lost: everybody gets another certificate, however often the drill is broken off."""

from __future__ import annotations

import json
import os
import shutil
from collections import Counter
from datetime import datetime, timedelta
from time import perf_counter

import pytest
from click.testing import CliRunner
from sqlalchemy import func, select

from healthcert.cli.keys import keys as keys_command
from healthcert.errors import NotFound
from healthcert.gateways.private_key import passphrase_of
from healthcert.hcert.bundle import read
from healthcert.jobs import certificates, keys, publishing
from healthcert.models import AuditEvent, Certificate, Dose, Message, SigningKey
from healthcert.services import findings, holds, revoking, signing_keys
from healthcert.services.key_making import Chain, Wanted
from healthcert.services.keys import read_secret
from tests.factories import COVID, NEGATIVE, NOW, day
from tests.services.clinic import details

MANY = int(os.environ.get("HEALTHCERT_DRILL", "100"))
DAY = timedelta(days=1)


@pytest.fixture
def settings(settings, tmp_path):
    """The settings, with a copy of the development keys that a test may add to."""
    return settings.at(keys_dir=shutil.copytree(settings.keys_dir, tmp_path / "own-keys"))


def stand_by(parts, begins: datetime, kind: str = "v") -> None:
    """Make another signer of a kind, under another authority."""
    folder = parts.settings.keys_dir / "development"
    opens = passphrase_of(read_secret(folder / "secret"))
    above = Wanted("CSCA 2", folder / "csca-2", begins, opens)
    Chain("XX", "Ministry", above, {kind: Wanted("DSC 2", folder / "dsc-2", begins, opens)}).make()


def with_certificates(parts, clinic, count: int) -> bytes:
    """Give people doses and certificates; return the key that signed them."""
    clinic.lot()
    slot = clinic.slot(day(-1), capacity=count)
    before = slot.starts_at - timedelta(hours=1)
    for _ in range(count):
        clinic.record(clinic.book(slot, details(), now=before))
    while jobs_signed(parts):
        pass
    return next(each.kid for each in parts.signers.values() if each.purpose == "v")


def jobs_signed(parts) -> int:
    return certificates.sign_pending(parts, NOW)


def counted(parts, purpose: str = "v") -> Counter[tuple[str, bool]]:
    """Return how many certificates are in each state, and whether the newest key signed them."""
    with parts.doors.reading() as db:
        newest = db.scalars(
            select(SigningKey.kid).filter_by(purpose=purpose, state="active")
        ).first()
        return Counter(
            (one.state, bool(newest) and one.kid == newest)
            for one in db.scalars(select(Certificate))
        )


def listed(parts) -> set[bytes]:
    return {key.kid for key in read(parts.settings.bundle.read_bytes(), pinned=parts.pins).trust}


def published_stand_by(parts, kind: str = "v") -> None:
    stand_by(parts, NOW - 10 * DAY, kind)
    keys.keep(parts, NOW - 3 * DAY)
    with parts.doors.transaction() as db:
        [pending] = db.scalars(select(SigningKey).filter_by(state="pending"))
        signing_keys.move(db, kid=pending.kid, to="published", now=NOW - 3 * DAY)


def with_tests(parts, clinic, count: int) -> bytes:
    """Give somebody many certified tests, in one transaction; return the key that signed them."""
    person_id = clinic.book(clinic.slot(), details()).person_id
    told = findings.ToldTest(COVID, "LP6464-4", NEGATIVE, NOW - timedelta(hours=48), "Port Azur")
    turns = [timedelta(minutes=61) * (left // 50) for left in reversed(range(count))]

    def work(db) -> None:
        for ago in turns:  # fifty an hour: more of one vaccinator would be held
            deed = clinic.deed() | {"now": NOW - ago}
            findings.record_test(db, told=told, person_id=person_id, **deed)

    parts.doors.run(work)
    while jobs_signed(parts):
        pass
    return next(each.kid for each in parts.signers.values() if each.purpose == "t")


def test_each_certificate_is_replaced_by_another_of_its_fact_and_its_holder_told(
    parts, clinic, say
):
    lost = with_tests(parts, clinic, MANY)
    published_stand_by(parts, "t")
    publishing.publish_now(parts, NOW)
    assert lost in listed(parts)
    begun = perf_counter()
    steps = list(keys.answer(parts, lost, NOW))
    took = perf_counter() - begun
    engine = parts.doors.engine.dialect.name
    say(f"{engine}: {MANY} certificates in {took:.1f} s, {MANY / took:.0f} a second")
    assert steps[0] == ("stopped", 1)
    assert counted(parts, "t") == {("issued", True): MANY, ("revoked", False): MANY}
    assert lost not in listed(parts)
    with parts.doors.reading() as db:
        each = select(func.count(Certificate.uvci.distinct())).group_by(Certificate.test_result_id)
        assert db.scalars(each).all() == [2] * MANY
        told = db.scalar(select(func.count()).filter(Message.template == "certificate_key_lost"))
        assert told == MANY


def test_a_drill_broken_off_anywhere_goes_on_and_doubles_nothing(parts, clinic, monkeypatch):
    lost = with_certificates(parts, clinic, 7)
    published_stand_by(parts)
    monkeypatch.setattr(certificates, "AT_ONCE", 3)
    monkeypatch.setattr(revoking, "AT_ONCE", 3)
    for stop in (1, 2, 3, 4, 6, 8):
        for number, _ in enumerate(keys.answer(parts, lost, NOW), start=1):
            if number == stop:
                break
    assert counted(parts) == {("issued", True): 7, ("revoked", False): 7}
    assert dict(keys.answer(parts, lost, NOW)).keys() == {"stopped", "bundle"}
    assert counted(parts) == {("issued", True): 7, ("revoked", False): 7}


def test_what_somebody_has_to_release_waits_under_the_next_key_too(parts, clinic):
    lost = with_certificates(parts, clinic, 2)
    published_stand_by(parts)
    with parts.doors.transaction() as db:
        holds.hold(db, [db.scalars(select(Dose)).first()], why="withdrawn", now=NOW)
    list(keys.answer(parts, lost, NOW))
    after = {("issued", True): 1, ("intended", False): 1, ("revoked", False): 2}
    assert counted(parts) == after
    with parts.doors.reading() as db:
        query = select(AuditEvent.subject_id).filter_by(act="certificate_revoked")
        revoked = select(Certificate.id).filter_by(
            state="revoked", revoked_reason="key_compromised"
        )
        assert sorted(db.scalars(query)) == sorted(db.scalars(revoked))


def test_without_a_stand_by_certificates_wait_until_one_was_known_for_two_days(parts, clinic):
    lost = with_certificates(parts, clinic, 2)
    stand_by(parts, NOW - DAY)
    keys.keep(parts, NOW)
    assert "waiting for a key" in dict(keys.answer(parts, lost, NOW))
    assert counted(parts) == {("intended", False): 2, ("revoked", False): 2}
    later = NOW + 2 * DAY
    keys.keep(parts, later)
    assert certificates.sign_pending(parts, later) == 2
    assert counted(parts) == {("issued", True): 2, ("revoked", False): 2}


def test_the_loss_of_an_unknown_key_is_refused(parts):
    with pytest.raises(NotFound):
        next(keys.answer(parts, b"unknown!", NOW))


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_the_drill_is_one_command_that_tells_its_time(parts, clinic):
    lost = with_certificates(parts, clinic, 1)
    environment = {
        "HEALTHCERT_DATA_DIR": str(parts.settings.data_dir),
        "HEALTHCERT_KEYS_DIR": str(parts.settings.keys_dir),
        "HEALTHCERT_DATABASE_URL": parts.settings.database_url,
    }
    words = ["compromise", lost.hex(), "--json"]
    done = CliRunner().invoke(keys_command, words, env=environment)
    assert done.exit_code == 0, done.output
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row["step"] for row in rows][:3] == ["stopped", "bundle", "reissued"]
    assert all(row["seconds"] >= 0 for row in rows)
    unknown = CliRunner().invoke(keys_command, ["compromise", "xyz"], env=environment)
    assert (unknown.exit_code, type(unknown.exception).__name__) == (1, "BadInput")
