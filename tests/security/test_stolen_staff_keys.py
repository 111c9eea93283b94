"""Thieves of staff identities: replayed answers, copied keys, stolen passwords, guessed codes."""

from __future__ import annotations

import time
from datetime import timedelta
from statistics import median

import pyotp
import pytest
from sqlalchemy import select

from healthcert.errors import BadInput, NotProved
from healthcert.gateways.vault import Vault
from healthcert.models import Invitation, Passkey, Password, Staff, Visit
from healthcert.services import invitations, passkeys, passwords, visits
from tests import factories as make
from tests.factories import NOW
from tests.security.authenticator import PRESENT, Authenticator
from tests.threads import at_once

# What the engines decide runs on both; what libraries decide, on one.
ON_ONE = pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
BASE = "http://localhost:8000"
PASSWORD = "four quiet herons wade"
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
PEPPER = b"p" * 32
VAULT = Vault(b"m" * 32, b"i" * 32)


@pytest.fixture
def nurse(doors) -> Staff:
    with doors.transaction() as db:
        return make.make_staff(db)


@pytest.fixture
def passkey(doors, nurse) -> Authenticator:
    made = Authenticator()
    enrolled(doors, nurse, made)
    return made


def enrolled(doors, staff, authenticator, *, later=timedelta(0), of=None):
    with doors.transaction() as db:
        asked, kept = passkeys.new(db, staff=staff, base_url=BASE, now=NOW)
        passkeys.enrol(
            db, staff=of or staff, kept=kept, answer=authenticator.create(asked), name="One",
            base_url=BASE, now=NOW + later,
        )  # fmt: skip


def proved(doors, kept, answer, *, now=NOW):
    return doors.run(
        lambda db: passkeys.prove(db, kept=kept, answer=answer, base_url=BASE, now=now)
    )


def challenge():
    return passkeys.any_of(base_url=BASE, now=NOW)


def test_a_replayed_assertion_opens_nothing_even_at_the_same_moment(doors, nurse, passkey):
    asked, kept = challenge()
    passkey.count = -1  # a key that does not count, as many do
    answer = passkey.get(asked)
    answers = at_once(8, lambda _: proved(doors, kept, answer))
    assert [found for found in answers if not isinstance(found, NotProved)] == [nurse.id]


@ON_ONE
def test_an_assertion_for_anothers_challenge_opens_nothing(doors, passkey):
    asked, _kept = challenge()
    _asked, others = challenge()
    with pytest.raises(NotProved):
        proved(doors, others, passkey.get(asked))


@ON_ONE
def test_a_challenge_that_was_forgotten_or_is_five_minutes_old_opens_nothing(doors, passkey):
    asked, kept = challenge()
    answer = passkey.get(asked)
    for known, now in (({}, NOW), (kept, NOW + timedelta(minutes=5, seconds=1))):
        with pytest.raises(NotProved):
            proved(doors, known, answer, now=now)
    assert proved(doors, kept, answer, now=NOW + timedelta(minutes=5))


def test_a_copied_key_is_noticed_by_its_counter(doors, passkey):
    for count, opens in ((5, True), (5, False), (3, False), (6, True)):
        asked, kept = challenge()
        passkey.count = count - 1
        answer = passkey.get(asked)
        if opens:
            proved(doors, kept, answer)
        else:
            with pytest.raises(NotProved):
                proved(doors, kept, answer)


@ON_ONE
def test_a_device_that_did_not_verify_its_holder_opens_nothing(doors, nurse, passkey):
    passkey.flags = PRESENT
    asked, kept = challenge()
    with pytest.raises(NotProved):
        proved(doors, kept, passkey.get(asked))
    with pytest.raises(NotProved):
        enrolled(doors, nurse, Authenticator(credential_id=b"another-id", flags=PRESENT))


@ON_ONE
def test_a_page_elsewhere_gets_no_answer_that_opens(doors, nurse, passkey):
    passkey.origin = "http://localhost.evil.example:8000"
    asked, kept = challenge()
    with pytest.raises(NotProved):
        proved(doors, kept, passkey.get(asked))
    with pytest.raises(NotProved):
        enrolled(doors, nurse, Authenticator(credential_id=b"x", origin="http://evil.example"))


def test_a_key_is_enrolled_once_and_for_who_was_asked(doors, nurse, passkey):
    with doors.transaction() as db:
        other = make.make_staff(db)
    for of, made in ((other, Authenticator(credential_id=b"new")), (None, passkey)):
        with pytest.raises(NotProved):
            enrolled(doors, nurse, made, of=of)
    with pytest.raises(NotProved):
        enrolled(doors, nurse, Authenticator(credential_id=b"new"), later=timedelta(minutes=6))


@ON_ONE
def test_a_signature_by_another_key_opens_nothing(doors, passkey):
    asked, kept = challenge()
    thief = Authenticator(credential_id=passkey.credential_id, count=9)
    with pytest.raises(NotProved):
        proved(doors, kept, thief.get(asked))
    unknown = Authenticator(credential_id=b"unknown")
    with pytest.raises(NotProved):
        proved(doors, kept, unknown.get(asked))


def test_of_two_passkeys_removed_at_once_one_stays(doors, nurse, passkey):
    enrolled(doors, nurse, Authenticator(credential_id=b"second"))
    with doors.reading() as db:
        ids = [key.id for key in passkeys.of_staff(db, staff_id=nurse.id)]
    at_once(
        2,
        lambda turn: doors.run(
            lambda db: passkeys.remove(db, staff_id=nurse.id, passkey_id=ids[turn], now=NOW)
        ),
    )
    with doors.reading() as db:
        assert len(passkeys.of_staff(db, staff_id=nurse.id)) == 1
    assert passkey.credential_id


@pytest.fixture
def account(doors, nurse) -> Staff:
    with doors.transaction() as db:
        passwords.keep(
            db, vault=VAULT, staff_id=nurse.id, login="Nina.Nurse", password=PASSWORD,
            secret=SECRET, code=pyotp.TOTP(SECRET).at(NOW), now=NOW,
        )  # fmt: skip
    return nurse


LATER = NOW + timedelta(minutes=1)


def tried(doors, *, password=PASSWORD, code=None, login="nina.nurse", now=LATER, vault=VAULT):
    """Return whether a try was counted, and who came in by it."""
    counted = doors.run(lambda db: passwords.count_try(db, login=login, now=now))
    code = pyotp.TOTP(SECRET).at(now) if code is None else code
    try:
        given = {"vault": vault, "password": password, "code": code, "now": now}
        right = passwords.check(counted, **given)
        return True, doors.run(lambda db: passwords.accept(db, right=right))
    except NotProved:
        return counted is not None, None


@ON_ONE
def test_a_stolen_password_alone_opens_nothing(doors, account):
    assert tried(doors, code="000000") == (True, None)
    assert tried(doors, password="another long password") == (True, None)
    assert tried(doors) == (True, account.id)


def test_a_time_code_seen_over_a_shoulder_does_not_open_again(doors, account):
    assert tried(doors)[1] == account.id
    assert tried(doors)[1] is None
    before = pyotp.TOTP(SECRET).at(LATER - timedelta(seconds=30))
    assert tried(doors, code=before)[1] is None
    assert tried(doors, now=LATER + timedelta(seconds=30))[1] == account.id


def test_one_time_code_sent_eight_times_at_once_opens_once(doors, account):
    opened = at_once(4, lambda _: tried(doors)[1])
    assert [found for found in opened if found] == [account.id]


def test_a_guessed_time_code_is_compared_five_times_and_then_no_more(doors, account):
    right = pyotp.TOTP(SECRET).at(LATER)
    wrong = f"{(int(right) + 500_000) % 10**6:06}"
    answers = at_once(64, lambda _: tried(doors, code=wrong))
    assert sum(compared for compared, _who in answers) == 5
    assert tried(doors) == (False, None)  # not even the right one
    over = LATER + passwords.PAUSE
    assert tried(doors, now=over)[1] == account.id


@ON_ONE
def test_an_unknown_name_costs_the_work_of_a_known_one(doors, account):
    assert account.active

    def took(number, **changes):
        begun = time.perf_counter()
        tried(doors, now=LATER + number * passwords.PAUSE, **changes)
        return time.perf_counter() - begun

    unknown = median(took(number, login="nobody") for number in range(7))
    known = median(took(number, password="another long password") for number in range(7))
    assert known / 2 < unknown < known * 2


@ON_ONE
def test_a_database_that_was_carried_off_tells_no_secret_of_time_codes(doors, account):
    with doors.reading() as db:
        row = db.get_one(Password, account.id)
        assert SECRET.encode() not in row.sealed
        assert PASSWORD not in row.digest
        assert row.digest.startswith("$argon2id$")


@ON_ONE
def test_signing_in_moves_the_secret_under_the_newest_key_of_the_vault(doors, account):
    renewed = Vault(b"n" * 32, b"i" * 32, other_masters=[b"m" * 32])
    assert tried(doors, vault=renewed)[1] == account.id
    assert tried(doors, now=LATER + timedelta(minutes=2)) == (True, None)  # the old key alone
    alone = Vault(b"n" * 32, b"i" * 32)
    assert tried(doors, vault=alone, now=LATER + timedelta(minutes=3))[1] == account.id


def test_a_name_is_taken_once(doors, account):
    with doors.transaction() as db:
        other = make.make_staff(db)
        with pytest.raises(BadInput) as refused:
            passwords.keep(
                db, vault=VAULT, staff_id=other.id, login="NINA.nurse", password=PASSWORD,
                secret=SECRET, code=pyotp.TOTP(SECRET).at(NOW), now=NOW,
            )  # fmt: skip
    assert refused.value.fields == {"login": "taken"}
    assert account.id != other.id


def test_one_invitation_used_at_once_by_four_lets_one_in(doors, nurse):
    with doors.transaction() as db:
        given = {"staff_id": nurse.id, "by": None, "now": NOW}
        code = invitations.invite(db, pepper=PEPPER, **given)
        found = invitations.find(db, pepper=PEPPER, code=code, now=NOW)
        assert code.encode() not in db.scalars(select(Invitation.digest)).one()
    used = at_once(
        4,
        lambda _: doors.run(
            lambda db: invitations.newcomer(db, invitation_id=found, use=True, now=NOW).id
        ),
    )
    assert [who for who in used if who == nurse.id] == [nurse.id]
    assert sum(isinstance(who, NotProved) for who in used) == 3


def test_all_sessions_of_somebody_end_and_nobody_elses(doors, nurse):
    with doors.transaction() as db:
        person = make.make_person(db)
        for number, whose in enumerate(({"staff_id": nurse.id}, {"person_id": person.id}, {})):
            holder = visits.Holder(NOW, **whose) if whose else None
            kept = {"token_hash": bytes([number]) * 32, "sealed": b"", "started_at": NOW}
            visits.keep(db, **kept, holder=holder, is_new=True, now=NOW)
        assert visits.end_all(db, staff_id=nurse.id) == 1
        assert visits.end_all(db, person_id=person.id) == 1
        assert len(db.scalars(select(Visit)).all()) == 1
        assert db.scalars(select(Passkey)).all() == []
