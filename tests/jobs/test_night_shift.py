"""The night shift finishes what the day left, each job by itself."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Event, Thread
from uuid import UUID

import pytest
from sqlalchemy import select

from healthcert import jobs
from healthcert.errors import BadSettings, NotReady
from healthcert.gateways import seal_files
from healthcert.gateways.mail import RelayError
from healthcert.hcert.bundle import read
from healthcert.jobs import certificates, places
from healthcert.models import (
    AccessCode,
    Appointment,
    AuditEvent,
    Certificate,
    DoseStanding,
    Message,
    Person,
    Visit,
    WaitEntry,
)
from healthcert.parts import open_parts
from healthcert.services import access, enrolment, lapsing, lots, messages, parties, rules, search
from healthcert.services.audit import STRANGER
from tests.factories import NOW, day, make_event
from tests.policy.test_rules import eu_rule
from tests.services.clinic import PEPPER, details
from tests.services.test_eligibility import NURSES, publish
from tests.services.test_waiting import Line

LATER = NOW + timedelta(minutes=5)


def published(parts):
    return read(parts.settings.bundle.read_bytes(), pinned=parts.pins)


def states(parts, column) -> set[str]:
    with parts.doors.reading() as db:
        return set(db.scalars(select(column)))


def test_one_round_signs_sends_and_publishes(parts, clinic):
    clinic.lot()
    clinic.vaccinated(day(-1), details())
    done = jobs.run_once(parts, NOW)
    assert (done["certificates"], done["bundle"]) == (1, 1)
    assert states(parts, Certificate.state) == {"issued"}
    assert states(parts, Message.state) == {"sent"}
    assert {key.kid for key in published(parts).trust} == {
        signer.kid for signer in parts.signers.values()
    }


def test_a_round_with_nothing_to_do_does_nothing(parts, clinic):
    clinic.slot()
    jobs.run_once(parts, NOW)
    assert jobs.run_once(parts, NOW) == dict.fromkeys(jobs.JOBS, 0)


def test_a_revocation_is_published_at_the_next_round(parts, clinic):
    clinic.lot()
    dose = clinic.vaccinated(day(-1), details())
    jobs.run_once(parts, NOW)
    before = published(parts)
    clinic.mark_in_error(dose)
    jobs.run_once(parts, LATER)
    after = published(parts)
    assert after.version > before.version
    [certificate] = clinic.certificates(dose)
    [part] = after.revocation.lists["XX"]
    assert (part.kind, part.entries) == ("uvci", 1)
    assert certificate.uvci_hash in after.revocation.tables[part.file.sha256]
    assert after.revocation.holds("XX")


def test_an_intent_taken_back_unsigned_is_not_published(parts, clinic):
    clinic.lot()
    clinic.mark_in_error(clinic.vaccinated(day(-1), details()))
    jobs.run_once(parts, LATER)
    assert published(parts).revocation.lists["XX"] == ()


def test_a_rule_taken_in_is_published_at_the_next_round(parts):
    jobs.run_once(parts, NOW)
    assert [rule["Identifier"] for rule in published(parts).rules] == ["TR-XX-0001", "VR-XX-0001"]
    assert "vaccines-covid-19-names" in published(parts).value_sets
    told = eu_rule(Identifier="VR-XX-0002")
    rules.take_in(parts.settings.rules_dir, told, country="XX", now=None)
    assert jobs.run_once(parts, NOW)["bundle"] == 1
    assert told in published(parts).rules
    assert jobs.run_once(parts, NOW)["bundle"] == 0


def test_the_audit_is_sealed_in_every_round_and_kept_outside_the_database(parts, clinic):
    clinic.slot()
    with parts.doors.transaction() as db:
        made = [make_event(db).id for _ in range(3)]
    assert jobs.run_once(parts, NOW)["audit"] == 1
    [seal] = seal_files.read(parts.settings.seals_dir)
    assert set(made) <= {leaf.event for leaf in seal.leaves}
    assert published(parts).audit_head == seal.note.encode()
    assert jobs.run_once(parts, LATER)["audit"] == 0


def test_a_seal_that_a_power_cut_tore_is_written_again(parts, clinic):
    clinic.slot()
    jobs.run_once(parts, NOW)
    [path] = parts.settings.seals_dir.glob("*.seals")
    with parts.doors.transaction() as db:
        make_event(db)
    jobs.run_once(parts, NOW)
    whole = path.read_bytes()
    path.write_bytes(whole[:-40])
    jobs.run_once(parts, NOW)
    assert path.read_bytes() == whole
    path.write_bytes(whole[:40])  # nothing whole is left of the day
    jobs.run_once(parts, NOW)
    assert path.read_bytes() == whole


def test_the_last_seal_is_found_however_long_the_lines_are(parts, clinic):
    clinic.slot()
    for _ in range(3):
        with parts.doors.transaction() as db:
            make_event(db)
        jobs.run_once(parts, NOW)
    *_, last = seal_files.read(parts.settings.seals_dir)
    assert seal_files.newest(parts.settings.seals_dir) == last


@pytest.mark.parametrize(
    ("minute", "second", "found"), [(5, 7, 0), (5, 10, 0), (0, 4, 1), (0, 5, 0)]
)
def test_an_event_of_long_ago_is_sealed_at_the_full_hour(parts, minute, second, found):
    with parts.doors.transaction() as db:
        new = make_event(db).id
    now = datetime.fromtimestamp((new.int >> 80) / 1000, UTC)
    jobs.run_once(parts, now.replace(minute=59))
    with parts.doors.transaction() as db:
        make_event(db, id=UUID(int=new.int - (7_200_000 << 80)))
    assert jobs.run_once(parts, now.replace(minute=minute, second=second))["audit"] == found


@pytest.mark.parametrize(
    ("before", "now", "told"),
    [
        ((59, 30), (60, 20), (60, 0)),  # it was late: the minute is not passed by
        ((59, 59), (60, 3), (60, 3)),
        ((60, 0), (60, 20), (60, 20)),
        ((57, 0), (60, 9), (60, 0)),
    ],
)
def test_a_round_that_comes_late_begins_the_minute(before, now, told):
    at = [
        NOW.replace(minute=0, second=0) + timedelta(minutes=m, seconds=s)
        for m, s in (before, now, told)
    ]
    assert jobs.moment(at[1], before=at[0]) == at[2]


def test_a_bundle_is_renewed_after_an_hour(parts):
    jobs.run_once(parts, NOW)
    assert jobs.run_once(parts, NOW + timedelta(minutes=59))["bundle"] == 0
    assert jobs.run_once(parts, NOW + timedelta(minutes=60))["bundle"] == 1


def test_a_kind_whose_key_is_away_waits_and_keeps_no_other_back(parts, clinic, monkeypatch):
    clinic.lot()
    tested = clinic.book(clinic.slot(), details()).person_id
    clinic.tested(tested)
    dose = clinic.vaccinated(day(-1), details())
    monkeypatch.setattr(certificates, "AT_ONCE", 1)  # the test was written down first
    without = {kid: each for kid, each in parts.signers.items() if each.purpose != "t"}
    for _ in range(2):
        jobs.run_once(replace(parts, signers=without), NOW)
    assert [each.state for each in clinic.certificates(dose)] == ["issued"]
    assert states(parts, Certificate.state) == {"issued", "intended"}
    jobs.run_once(parts, NOW)
    assert states(parts, Certificate.state) == {"issued"}


def test_a_dead_signer_stops_nobody_else_and_loses_nothing(parts, clinic, log):
    clinic.lot()
    clinic.vaccinated(day(-1), details())
    done = jobs.run_once(replace(parts, signers={}), NOW)
    assert "certificates" not in done
    assert done["bundle"] == 1
    assert '"code": "signer_unavailable"' in log.getvalue()
    assert states(parts, Certificate.state) == {"intended"}
    assert jobs.run_once(parts, NOW)["certificates"] == 1


def test_one_broken_certificate_does_not_keep_the_others_back(parts, clinic, log):
    clinic.lot()
    broken = clinic.vaccinated(day(-2), details())
    clinic.vaccinated(day(-1), details())
    with parts.doors.transaction() as db:
        [certificate] = db.scalars(select(Certificate).filter_by(dose_id=broken.id)).all()
        certificate.uvci = "not one " * 20
    assert jobs.run_once(parts, NOW)["certificates"] == 1
    assert "a certificate cannot be signed" in log.getvalue()


def test_a_round_that_broke_off_leaves_each_certificate_signed_told_and_noted_once(parts, clinic):
    clinic.lot()
    doses = [clinic.vaccinated(day(-1 - back), details()) for back in range(4)]
    with parts.doors.transaction() as db:
        [last] = db.scalars(select(Certificate).filter_by(dose_id=doses[-1].id)).all()
        last.uvci = "not one " * 20
    assert jobs.run_once(parts, NOW)["certificates"] == 3
    assert jobs.run_once(parts, LATER)["certificates"] == 0
    with parts.doors.reading() as db:
        told = db.scalars(select(Message.person_id).filter_by(template="certificate_ready")).all()
        noted = db.scalars(select(AuditEvent.subject_id).filter_by(act="certificate_issued")).all()
    issued = [clinic.certificates(dose)[0] for dose in doses[:-1]]
    assert {one.state for one in issued} == {"issued"}
    assert sorted(told) == sorted(one.person_id for one in issued)
    assert sorted(noted) == sorted(one.id for one in issued)


def test_what_a_relay_refuses_stays_in_the_outbox(parts, clinic):
    clinic.book(clinic.slot())

    def refuse(_to: str, _subject: str, _text: str) -> None:
        raise RelayError

    dead = replace(parts, channels={"sms": refuse})
    assert jobs.run_once(dead, NOW)["messages"] == 0
    assert jobs.run_once(parts, NOW)["messages"] == 0
    assert jobs.run_once(parts, LATER)["messages"] == 1


def test_what_may_wait_leaves_in_the_morning(parts, clinic):
    person_id = clinic.book(clinic.slot()).person_id
    night, morning = NOW + timedelta(hours=12), NOW + timedelta(hours=21)
    jobs.run_once(parts, NOW)
    with parts.doors.transaction() as db:
        messages.queue(
            db, vault=parts.vault, person=db.get_one(Person, person_id), template="offer_gone",
            fields={"programme": {"en": "Measles"}}, time_zone="UTC",
            due_at=night, now=night,
        )  # fmt: skip
    assert jobs.run_once(parts, night)["messages"] == 0
    assert jobs.run_once(parts, morning)["messages"] == 1


def test_a_database_that_is_gone_ends_no_job_but_its_own(parts, log, tmp_path):
    elsewhere = parts.settings.at(database_url=f"sqlite:///{tmp_path}/nowhere/at/all.db")
    gone = open_parts(elsewhere)
    assert jobs.run_once(gone, NOW) == {}
    gone.close()
    assert log.getvalue().count("a job failed") == len(jobs.JOBS)


def test_a_recall_reaches_everybody_in_the_next_round(parts, clinic):
    lot = clinic.lot()
    clinic.vaccinated(day(-1), details())
    jobs.run_once(parts, NOW)
    with parts.doors.transaction() as db:
        lots.order(
            db, lot_id=lot.id, state="recalled", since=None, reason="batch_letter",
            staff=clinic.nurse, country=clinic.country, now=NOW,
        )  # fmt: skip
    assert jobs.run_once(parts, NOW)["lots"] == 1
    assert states(parts, DoseStanding.counts) == {"recalled_lot"}
    assert states(parts, Certificate.state) == {"revoked"}
    assert jobs.run_once(parts, NOW)["lots"] == 0


def test_sweeping_lets_go_of_what_is_over(parts, clinic):
    missed = clinic.book(clinic.slot(day(0)))
    ahead = clinic.book(clinic.slot(day(1)))
    with parts.doors.transaction() as db:
        access.request_code(
            db, vault=parts.vault, pepper=PEPPER,
            claim=access.Claim(ahead.reference, "1980-05-17"), now=NOW,
        )  # fmt: skip
        for token, end in ((b"old", NOW), (b"new", NOW + timedelta(days=2))):
            db.add(Visit(token_hash=token, sealed=b"", started_at=NOW, seen_at=NOW, expires_at=end))
    assert jobs.run_once(parts, NOW + timedelta(hours=14))["sweep"] == 2
    assert jobs.run_once(parts, NOW + timedelta(hours=24))["sweep"] == 1
    assert states(parts, Visit.token_hash) == {b"new"}
    assert states(parts, AccessCode.id) == set()
    with parts.doors.reading() as db:
        assert db.get_one(Appointment, missed.id).state == "no_show"
        assert db.get_one(Appointment, ahead.id).state == "booked"


def test_once_a_day_what_its_time_is_over_for_goes_and_the_run_is_written_down(parts, clinic):
    clinic.book(clinic.slot())
    jobs.run_once(parts, NOW)
    over = NOW + timedelta(days=31)
    assert jobs.run_once(parts, over)["retention"] == 1
    assert jobs.run_once(parts, over + timedelta(seconds=2))["retention"] == 0
    with parts.doors.reading() as db:
        runs = select(AuditEvent.details).where(AuditEvent.act == "retention_done")
        first, second = db.scalars(runs.order_by(AuditEvent.id)).all()
    assert not any(first.values())
    assert {kind for kind, count in second.items() if count} == {"message_text"}
    assert states(parts, Message.sealed) == {None}


def test_the_loop_ends_when_it_is_told(parts, clinic):
    clinic.book(clinic.slot())
    stop = Event()
    shift = Thread(target=jobs.loop, args=(parts, stop))
    shift.start()
    for _ in range(100):
        if states(parts, Message.state) == {"sent"}:
            break
        stop.wait(0.1)
    stop.set()
    shift.join(10)
    assert not shift.is_alive()
    assert states(parts, Message.state) == {"sent"}


def held(parts, clinic):
    """Hold the only place of a slot; return the slot, and how to say whether a search shows it."""
    slot = clinic.slot(capacity=1)
    with parts.doors.transaction() as db:
        who = enrolment.enrol(db, vault=parts.vault, details=details(), now=NOW)
        wishes = [parties.Wish(who, slot.id, 1)]
        parties.hold(db, vault=parts.vault, wishes=wishes, source="web", actor=STRANGER, now=NOW)

    def shown(now: datetime) -> bool:
        with parts.doors.reading() as db:
            found = search.nearest_free(
                db, programme_id=clinic.programme.id, near=(0, 0), now=now, limit=9
            )
        return slot.id in {one.slot_id for one in found}

    return shown


def test_a_place_that_was_held_too_long_is_found_again_in_the_second_it_is_over(parts, clinic):
    shown, over = held(parts, clinic), NOW + parties.HOLD + timedelta(seconds=30)
    jobs.run_once(parts, NOW + parties.HOLD - timedelta(seconds=1))
    assert not shown(over)
    assert jobs.run_once(parts, over)["sweep"] == 1
    assert shown(over)


def test_a_relay_that_does_not_answer_keeps_no_place_from_being_found(parts, clinic):
    clinic.book(clinic.slot(day(2)))
    shown, hangs, stop = held(parts, clinic), Event(), Event()
    slow = replace(parts, channels=dict.fromkeys(parts.channels, lambda *_: hangs.wait(30)))
    shift = Thread(target=jobs.loop, args=(slow, stop))
    shift.start()
    for _ in range(50):
        if shown(NOW):
            break
        stop.wait(0.1)
    found, hung = shown(NOW), not hangs.is_set()
    stop.set()
    hangs.set()
    shift.join(10)
    assert found
    assert hung


def test_parts_are_refused_without_their_keys(settings, tmp_path):
    with pytest.raises(NotReady):
        open_parts(settings.at(keys_dir=tmp_path / "none", secret_file=tmp_path / "none"))


def test_a_text_gateway_is_not_promised(settings):
    with pytest.raises(BadSettings):
        open_parts(settings.at(sms_url="smpp://gateway:2775"))


def test_a_mail_relay_takes_the_place_of_the_outbox_for_mail_alone(settings):
    relayed = open_parts(settings.at(mail_url="smtp://relay:25"))
    relayed.close()
    assert relayed.channels["mail"] != relayed.channels["sms"]
    assert relayed.channels["sms"] is open_kept(settings)


def open_kept(settings):
    parts = open_parts(settings)
    parts.close()
    return parts.channels["mail"]


def test_production_does_not_start_on_development_keys(settings, keys_dir, tmp_path):
    shutil.copytree(keys_dir, tmp_path / "keys")
    (tmp_path / "keys" / "development").rename(tmp_path / "keys" / "production")
    with pytest.raises(BadSettings, match=r"development certificate|not encrypted"):
        open_parts(
            settings.at(
                env="production",
                keys_dir=tmp_path / "keys",
                secret_file=tmp_path / "keys" / "production" / "secret",
            )
        )


def test_who_waits_goes_with_their_phase_and_offers_that_it_refuses_end(parts, clinic, monkeypatch):
    monkeypatch.setattr(places, "PIECE", 2)
    everybody = {"code": "all", "opens_on": str(day(-9)), "admits": {}}
    publish(clinic, everybody)
    line = Line(clinic)
    entries = [line.join() for _ in range(3)]
    line.freed()
    assert jobs.run_once(parts, NOW)["offers"] == 1
    publish(clinic, everybody | {"opens_on": str(day(5))}, NURSES)
    jobs.run_once(parts, LATER)
    with parts.doors.reading() as db:
        assert {db.get_one(WaitEntry, each.id).turn_on for each in entries} == {day(5)}
    assert line.open() == []
    assert [line.state(each) for each in entries] == ["waiting"] * 3
    publish(clinic, everybody)  # an earlier file is put back
    slot = line.freed(day(4))
    assert jobs.run_once(parts, LATER + timedelta(minutes=1))["offers"] == 1
    assert line.open(slot)[0].person_id == entries[0].person_id


def test_however_many_offers_are_over_one_round_ends_them(parts, clinic, monkeypatch):
    monkeypatch.setattr(lapsing, "ENDED", 2)
    line = Line(clinic)
    for _ in range(5):
        line.join()
    line.freed(places=5)
    assert jobs.run_once(parts, NOW)["offers"] == 5
    later = NOW + timedelta(days=1, hours=20)
    assert places.offer(parts, later) == 5
    assert line.open() == []
