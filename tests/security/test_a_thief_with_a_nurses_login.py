"""One stolen account certifies an hour's work at most; two others take all of it back."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import func, insert, select, update
from sqlalchemy.exc import IntegrityError

from healthcert.data.limits import limits
from healthcert.errors import BadInput, NeedsAnother, NotAllowed, NotFound, WrongState
from healthcert.models import (
    Alarm,
    AuditEvent,
    Base,
    Certificate,
    CertificateHold,
    Dose,
    Message,
    Person,
    SiteProbation,
    new_id,
)
from healthcert.services import (
    alarms,
    bundles,
    holds,
    issuing,
    mass_revoking,
    messages,
    requests,
    revoking,
)
from healthcert.services.limits import spend
from tests.factories import NOW, make_admin, make_site, make_staff
from tests.services.clinic import details
from tests.threads import at_once

CAP = limits()["certify"]["identity"]
ATTEMPTS = int(os.environ.get("HEALTHCERT_STOLEN", "66"))
MINUTE = timedelta(minutes=1)


@pytest.fixture
def officers(clinic):
    with clinic.doors.transaction() as db:
        return [make_admin(db) for _ in range(4)]


@pytest.fixture
def people(clinic):
    """Return how to enrol people, who are known to be there."""

    def enrolled(count: int) -> list[UUID]:
        slot = clinic.slot(capacity=max(count, 1))
        return [clinic.book(slot, details()).person_id for _ in range(count)]

    return enrolled


def states(clinic) -> dict[str, int]:
    with clinic.doors.reading() as db:
        query = select(Certificate.state, func.count()).group_by(Certificate.state)
        return dict(db.execute(query).all())


def open_alarms(clinic) -> list[Alarm]:
    with clinic.doors.reading() as db:
        return alarms.still_open(db)


def sign(clinic, signers, now=NOW) -> None:
    """Do what the worker does until nothing is left that may be signed."""
    at_hand = {each.kid: each for each in signers.values()}
    while True:
        with clinic.doors.reading() as db:
            waiting = issuing.pending(db, limit=200, today=now.date())
        if not waiting:
            return
        clinic.doors.run(
            lambda db, wanted=waiting: issuing.issue_all(
                db, vault=clinic.vault, signers=at_hand, certificate_ids=wanted,
                country=clinic.country, now=now,
            )
        )  # fmt: skip


def test_ten_thousand_attempts_certify_at_most_the_cap_and_alarm_at_once(
    clinic, people, signers, say, officers
):
    """Tests are the quickest facts to invent; a crowd of threads does not get one more."""
    victims, alarmed = people(4), None
    for turn in range(ATTEMPTS):
        clinic.tested(victims[turn % 4], now=NOW + timedelta(seconds=turn % 60))
        if alarmed is None and open_alarms(clinic):
            alarmed = turn + 1
    sign(clinic, signers, NOW + MINUTE)
    assert alarmed == CAP.alarm
    assert states(clinic) == {"issued": CAP.most, "intended": ATTEMPTS - CAP.most}
    [alarm] = open_alarms(clinic)
    assert (alarm.kind, alarm.subject_id) == ("certify.identity", clinic.nurse.id)
    done = withdrawn(clinic, officers, subject={"staff": clinic.nurse.id})
    assert done == ATTEMPTS
    sign(clinic, signers, NOW + 2 * MINUTE)
    assert "issued" not in states(clinic)
    say(
        f"{ATTEMPTS} attempts: {CAP.most} certified, alarm at number {alarmed},"
        " all withdrawn by one request"
    )


def test_a_crowd_of_threads_gets_not_one_more(clinic, people, signers):
    victims = people(8)
    fill_up(clinic, CAP.most - 9)
    at_once(8, lambda turn: [clinic.tested(victims[turn]) for _ in range(2)])
    sign(clinic, signers)
    assert states(clinic) == {"issued": 9, "intended": 7}


def test_every_dose_is_recorded_and_counts_though_its_certificate_waits(clinic, signers):
    fill_up(clinic)
    clinic.lot()
    slot = clinic.slot(capacity=2)
    dose = clinic.record(clinic.book(slot), given_at=NOW, now=NOW + MINUTE)
    assert clinic.counts(dose) == ("valid", 1)
    sign(clinic, signers)
    [waits] = clinic.certificates(dose)
    assert waits.state == "intended"
    with clinic.doors.transaction() as db, pytest.raises(IntegrityError), db.begin_nested():
        db.execute(update(Certificate).where(Certificate.id == waits.id).values(state="issued"))


def fill_up(clinic, count=CAP.most) -> None:
    """Count as if the nurse had written down so many."""
    with clinic.doors.transaction() as db:
        for _ in range(count):
            spend(db, name="certify", identity=clinic.nurse.id.hex, now=NOW)


def test_an_officer_who_did_not_write_them_down_lets_them_be_signed(
    clinic, people, signers, officers
):
    fill_up(clinic)
    [victim] = people(1)
    fact = clinic.tested(victim)

    def release(staff):
        told = {"why": "cap", "of": clinic.nurse.id, "staff": staff, "now": NOW}
        return clinic.doors.run(lambda db: holds.release(db, **told))

    with pytest.raises(NotAllowed):
        release(clinic.nurse)
    assert [one.state for one in clinic.certificates(fact)] == ["intended"]
    assert release(officers[0]) == 1
    sign(clinic, signers)
    assert [one.state for one in clinic.certificates(fact)] == ["issued"]
    assert release(officers[0]) == 0


def test_nobody_releases_what_they_wrote_down_themselves(clinic, people):
    with clinic.doors.transaction() as db:
        chief = make_admin(db)
    own = replace(clinic, nurse=chief)
    fill_up(own)
    own.tested(*people(1))
    with clinic.doors.transaction() as db, pytest.raises(NeedsAnother):
        holds.release(db, why="cap", of=chief.id, staff=chief, now=NOW)


def test_after_the_hour_an_honest_nurse_goes_on(clinic, people):
    fill_up(clinic)
    [victim] = people(1)
    later = clinic.tested(victim, now=NOW + timedelta(hours=1))
    with clinic.doors.reading() as db:
        assert not db.scalars(select(CertificateHold).filter_by(fact_id=later.id)).all()


def test_certificates_of_a_new_site_wait_for_two_officers(clinic, people, signers, officers):
    with clinic.doors.transaction() as db:
        db.add(SiteProbation(recorded_at=NOW, site_id=clinic.site.id))
    [victim] = people(1)
    facts = [clinic.tested(victim) for _ in range(20)]
    assert [alarm.kind for alarm in open_alarms(clinic)] == ["certify_on_probation.identity"]
    sign(clinic, signers)
    assert states(clinic) == {"intended": 20}

    def release(staff):
        told = {"site_id": clinic.site.id, "staff": staff, "now": NOW}
        return clinic.doors.run(lambda db: holds.release_site(db, **told))

    with pytest.raises(NotAllowed):
        release(clinic.nurse)
    assert release(officers[0]) is False
    with pytest.raises(NeedsAnother):
        release(officers[0])
    sign(clinic, signers)
    assert states(clinic) == {"intended": 20}
    assert release(officers[1]) is True
    sign(clinic, signers)
    assert states(clinic) == {"issued": 20}
    with pytest.raises(NotFound):
        release(officers[2])
    with clinic.doors.reading() as db:
        acts = db.scalars(select(AuditEvent.act).where(AuditEvent.actor_id == officers[1].id))
        assert set(acts) == {"certificates_released", "site_released"}
    assert len(facts) == 20


def ask(clinic, officers, *, reason="fraud", now=NOW, **bounds):
    with clinic.doors.transaction() as db:
        return mass_revoking.ask(
            db, vault=clinic.vault, country=clinic.country, reason=reason, staff=officers[0],
            now=now, **{"subject": {}} | bounds,
        ).reference  # fmt: skip


def act(clinic, reference, name, staff, now=NOW):
    with clinic.doors.transaction() as db:
        wanted = requests.found(db, reference=reference).id
        requests.act(db, request_id=wanted, act=name, reason="", staff=staff, now=now)


def go_on(clinic, reference, now=NOW, limit=revoking.AT_ONCE) -> int:
    return clinic.doors.run(
        lambda db: mass_revoking.carry_out(
            db, vault=clinic.vault, reference=reference, country=clinic.country, now=now,
            limit=limit,
        )
    )  # fmt: skip


def withdrawn(clinic, officers, **bounds) -> int:
    reference = ask(clinic, officers, **bounds)
    act(clinic, reference, "approve", officers[1])
    act(clinic, reference, "carry_out", officers[2])
    return sum(iter(lambda: go_on(clinic, reference), 0))


def look(clinic, reference):
    with clinic.doors.reading() as db:
        return mass_revoking.preview(db, vault=clinic.vault, reference=reference)


@pytest.fixture
def vaccinated(clinic, signers):
    """Give some people a certified dose each."""

    def made(count=3):
        clinic.lot()
        slot = clinic.slot(capacity=count)
        doses = [
            clinic.record(clinic.book(slot), given_at=NOW, now=NOW + MINUTE) for _ in range(count)
        ]
        sign(clinic, signers, NOW + MINUTE)
        return doses

    return made


def test_a_preview_counts_and_names_nobody_and_changes_nothing(clinic, officers, vaccinated):
    vaccinated()
    reference = ask(clinic, officers, subject={"staff": clinic.nurse.id})
    shown = look(clinic, reference)
    assert (shown.certificates, shown.people, shown.reason) == (3, 3, "fraud")
    assert all(one.startswith("URN:UVCI:") for one in shown.sample)
    assert go_on(clinic, reference) == 0
    assert states(clinic) == {"issued": 3}


def test_two_others_than_who_asked_decide_and_officers_alone(clinic, officers, vaccinated):
    vaccinated(1)
    reference = ask(clinic, officers, subject={"site": clinic.site.id})
    with pytest.raises(NeedsAnother):
        act(clinic, reference, "approve", officers[0])
    with pytest.raises(NotAllowed):
        act(clinic, reference, "approve", clinic.nurse)
    with pytest.raises(WrongState):
        act(clinic, reference, "carry_out", officers[2])
    act(clinic, reference, "approve", officers[1])
    for one in officers[:2]:
        with pytest.raises(NeedsAnother):
            act(clinic, reference, "carry_out", one)
    with pytest.raises(NotAllowed):
        act(clinic, reference, "carry_out", clinic.nurse)
    assert states(clinic) == {"issued": 1}
    act(clinic, reference, "carry_out", officers[2])
    assert go_on(clinic, reference) == 1


@pytest.mark.parametrize("bounds", [{}, {"subject": {"person": new_id()}}])
def test_what_bounds_nothing_or_one_person_is_not_asked_for(clinic, officers, bounds):
    with pytest.raises(BadInput, match="subject"):
        ask(clinic, officers, **bounds)


def test_another_kind_of_request_takes_nothing_back(clinic, vaccinated):
    [dose] = vaccinated(1)
    with clinic.doors.transaction() as db:
        other = requests.submit(
            db, vault=clinic.vault, country="XX", kind="correction", subject={}, reason="name",
            person=db.get_one(Person, dose.person_id), asked={}, staff=None, now=NOW,
        ).reference  # fmt: skip
    with pytest.raises(NotFound):
        look(clinic, other)


def told(clinic) -> list[str]:
    with clinic.doors.reading() as db:
        sent = messages.outbox(db, vault=clinic.vault, limit=500)
    return [f"{one.template}: {one.text}" for one in sent if one.template.startswith("certificate")]


def test_of_those_in_doubt_the_dose_stands_and_an_appeal_brings_a_new_certificate(
    clinic, officers, vaccinated, signers
):
    doses = vaccinated()
    reference = ask(clinic, officers, subject={"staff": clinic.nurse.id})
    act(clinic, reference, "approve", officers[1])
    act(clinic, reference, "carry_out", officers[2])
    assert go_on(clinic, reference, limit=2) == 2
    assert go_on(clinic, reference, limit=2) == 1
    assert go_on(clinic, reference) == 0
    sign(clinic, signers, NOW + MINUTE)
    assert states(clinic) == {"revoked": 3, "intended": 3}
    assert clinic.counts(doses[0]) == ("valid", 1)
    notices = [one for one in told(clinic) if one.startswith("certificate_withdrawn")]
    assert len(notices) == 3
    assert all(reference in one and "appeal" in one for one in notices)
    granted = {"why": "withdrawn", "of": doses[0].id, "staff": officers[3], "now": NOW}
    assert clinic.doors.run(lambda db: holds.release(db, **granted)) == 1
    sign(clinic, signers, NOW + MINUTE)
    assert [one.state for one in clinic.certificates(doses[0])] == ["revoked", "issued"]
    assert [one.state for one in clinic.certificates(doses[1])] == ["revoked", "intended"]
    assert go_on(clinic, reference) == 0


def test_who_is_not_at_fault_has_another_before_the_old_one_ends(
    clinic, officers, vaccinated, signers
):
    [dose] = vaccinated(1)
    reference = ask(clinic, officers, subject={"lot": dose.lot_id}, reason="site_closed")
    act(clinic, reference, "approve", officers[1])
    act(clinic, reference, "carry_out", officers[2])
    assert go_on(clinic, reference) == 1
    assert go_on(clinic, reference) == 0
    assert [one.state for one in clinic.certificates(dose)] == ["superseded", "intended"]
    sign(clinic, signers, NOW + MINUTE)
    assert go_on(clinic, reference) == 1
    assert go_on(clinic, reference) == 0
    assert [one.state for one in clinic.certificates(dose)] == ["revoked", "issued"]
    assert any(one.startswith("certificate_replaced") for one in told(clinic))


def test_a_time_span_takes_what_was_written_down_in_it(clinic, officers, vaccinated):
    vaccinated(2)
    for since, until, found in (
        (NOW, None, 2), (NOW + MINUTE, NOW + 2 * MINUTE, 2), (NOW, NOW + MINUTE, 0),
        (NOW + 2 * MINUTE, None, 0),
    ):  # fmt: skip
        reference = ask(clinic, officers, since=since, until=until)
        assert look(clinic, reference).certificates == found


def test_another_site_or_nurse_is_not_touched(clinic, officers, vaccinated):
    vaccinated(1)
    with clinic.doors.transaction() as db:
        elsewhere, other = make_site(db), make_staff(db)
    for subject in ({"site": elsewhere.id}, {"staff": other.id}, {"lot": new_id()}):
        assert withdrawn(clinic, officers, subject=subject) == 0
    assert withdrawn(clinic, officers, subject={"site": clinic.site.id}) == 1


def test_a_lot_takes_those_whose_dose_was_written_down_before_it_was_known(clinic, officers):
    person_id = clinic.book(clinic.slot()).person_id
    clinic.elsewhere(person_id, lot="late")
    lot = clinic.lot("LATE")
    assert withdrawn(clinic, officers, subject={"lot": lot.id}) == 1


MANY = int(os.environ.get("HEALTHCERT_WITHDRAWN", "1000"))  # 10,000 by night


@pytest.mark.parametrize("engine_name", ["postgresql"], indirect=True)
def test_ten_thousand_certificates_are_withdrawn_listed_and_told_of(
    clinic, officers, vaccinated, say
):
    multiply(clinic, vaccinated(1)[0], MANY)
    reference = ask(clinic, officers, subject={"staff": clinic.nurse.id})
    act(clinic, reference, "approve", officers[1])
    began, busy = time.perf_counter(), time.process_time()
    act(clinic, reference, "carry_out", officers[2])
    done = sum(iter(lambda: go_on(clinic, reference), 0))
    took, busy = time.perf_counter() - began, time.process_time() - busy
    say(f"{done} certificates withdrawn in {took:.1f} s ({busy:.1f} s ours), each holder told")
    assert states(clinic) == {"revoked": done, "intended": done}
    with clinic.doors.reading() as db:
        listed = bundles.revocations(db, country=clinic.country).lists["XX"]
        noticed = select(func.count()).where(Message.template == "certificate_withdrawn")
        assert db.scalar(noticed) == done
    assert sum(part.entries for part in listed) == done == MANY + 1


def multiply(clinic, dose: Dose, count: int) -> None:
    """Write down the same person, dose and certificate many times over, by rows alone."""
    tables, key = Base.metadata.tables, clinic.vault.new_key()
    with clinic.doors.transaction() as db:

        def first(name: str, **which: UUID) -> dict[str, object]:
            found = db.execute(select(tables[name]).filter_by(**which)).mappings().one()
            reckoned = {column.name for column in tables[name].columns if column.computed}
            return {key: value for key, value in found.items() if key not in reckoned}

        person = first("person", id=dose.person_id)
        opened = clinic.vault.open(person["wrapped_key"], person["id"], person["sealed"])
        given, of = first("dose", id=dose.id), {"dose_id": dose.id}
        judged, certified = first("dose_judgement", **of), first("certificate", **of)
        rows: dict[str, list[dict[str, object]]] = {}
        for _ in range(count):
            who, what = new_id(), new_id()
            both, unique = {"dose_id": what, "person_id": who}, who.bytes[::-1]
            sealed = clinic.vault.seal(key, who, opened)
            for name, row in (
                ("person", person | {"id": who, "wrapped_key": key, "sealed": sealed}),
                ("dose", given | {"id": what, "person_id": who, "appointment_id": None}),
                ("dose_judgement", judged | both | {"id": new_id()}),
                ("certificate", certified | both | {
                    "id": new_id(), "uvci": f"URN:UVCI:01:XX:{who.hex}", "uvci_hash": unique,
                }),
            ):  # fmt: skip
                rows.setdefault(name, []).append(row)
        for name, many in rows.items():
            db.execute(insert(tables[name]), many)
