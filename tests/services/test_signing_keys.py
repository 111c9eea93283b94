"""The life of signing keys: states, what verifiers are told, and three years of rotation."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from healthcert.errors import NotFound, NotReady, WrongState
from healthcert.gateways.signer import Signer, issue_text
from healthcert.hcert.cose import verify1
from healthcert.hcert.text import decode
from healthcert.hcert.trust import TrustList, from_certificate
from healthcert.models import AuditEvent, SigningKey
from healthcert.services import issuing, signing_keys
from healthcert.services.key_making import USED_FOR, Chain, Wanted
from healthcert.services.signing_keys import KNOWN_BEFORE
from tests.certificates import make_dcc
from tests.factories import NOW, add, issued, make_certificate, make_counted_dose

DAY = timedelta(days=1)
OPENS = b"opens"


@pytest.fixture
def make_signers(tmp_path):
    """Return a maker of signers whose lives begin at a moment, under an authority of that year."""

    def make(begins: datetime, kinds: str = "v", authority: datetime | None = None):
        first = authority or begins
        above = Wanted("CSCA", tmp_path / f"csca-{first:%Y%m%d}", first, OPENS)
        wanted = {
            kind: Wanted(f"DSC {kind}", tmp_path / f"{kind}-{begins:%Y%m%d}", begins, OPENS)
            for kind in kinds
        }
        Chain("XX", "Ministry", above, wanted).make()
        return [
            Signer.open(each.key_file, each.certificate_file, passphrase=OPENS)
            for each in wanted.values()
        ]

    return make


@pytest.fixture
def signer(make_signers):
    return make_signers(NOW - DAY)[0]


def take_in(db, *signers, now=NOW, transcript="") -> None:
    signing_keys.take_in(db, {each.certificate: transcript for each in signers}, now=now)


def states(db) -> list[str]:
    return [key.state for key in signing_keys.every(db)]


def walk(db, signer, *steps) -> None:
    for to, now in steps:
        signing_keys.move(db, kid=signer.kid, to=to, now=now)


def kids(db, now=NOW, others=()) -> set[bytes]:
    return {key.kid for key in signing_keys.trusted(db, TrustList(others), now)}


def test_a_new_key_waits_and_verifiers_are_told_of_it_two_days_before_it_signs(db, signer):
    take_in(db, signer, transcript="5" * 64)
    assert (states(db), kids(db)) == (["pending"], set())
    with pytest.raises(WrongState):
        walk(db, signer, ("active", NOW))
    walk(db, signer, ("published", NOW))
    assert kids(db) == {signer.kid}
    with pytest.raises(WrongState, match="signs from"):
        walk(db, signer, ("active", NOW + KNOWN_BEFORE - timedelta(seconds=1)))
    assert signing_keys.active(db, NOW + DAY) == {}
    walk(db, signer, ("active", NOW + KNOWN_BEFORE))
    assert set(signing_keys.active(db, NOW + KNOWN_BEFORE)) == {"v"}
    noted = db.scalars(select(AuditEvent).order_by(AuditEvent.id)).all()
    assert [each.act for each in noted] == ["key_pending", "key_published", "key_active"]
    assert noted[0].details["transcript"] == "5" * 64


def test_the_certificate_says_how_long_a_key_signs(db, signer):
    take_in(db, signer)
    walk(db, signer, ("published", NOW), ("active", NOW + KNOWN_BEFORE))
    end = NOW - DAY + USED_FOR
    assert db.get_one(SigningKey, signer.kid).signs_until == end
    assert signing_keys.active(db, end - timedelta(seconds=1))
    assert signing_keys.active(db, end) == {}


def test_a_key_whose_certificate_says_nothing_signs_for_six_months(db, signer):
    told = from_certificate(signer.certificate)
    silent = SigningKey(
        kid=signer.kid, recorded_at=NOW, purpose="v", state="pending", certificate=b"der",
        not_before=told.not_before, not_after=told.not_after,
    )  # fmt: skip
    add(db, silent)
    walk(db, signer, ("published", NOW), ("active", NOW + 10 * DAY))
    assert silent.signs_until == NOW + 10 * DAY + USED_FOR


def test_a_key_past_its_time_is_not_activated(db, signer):
    take_in(db, signer)
    walk(db, signer, ("published", NOW))
    with pytest.raises(WrongState, match="signs from"):
        walk(db, signer, ("active", NOW + USED_FOR))


def test_an_unknown_key_is_not_found(db):
    with pytest.raises(NotFound):
        signing_keys.move(db, kid=b"nothing!", to="published", now=NOW)


def test_the_next_key_lays_down_the_one_before_it_and_both_are_told_of(db, signer, make_signers):
    [after] = make_signers(NOW + 170 * DAY)
    take_in(db, signer, after)
    walk(db, signer, ("published", NOW), ("active", NOW + KNOWN_BEFORE))
    later = NOW + 175 * DAY
    walk(db, after, ("published", later), ("active", later + KNOWN_BEFORE))
    assert states(db) == ["retired", "active"]
    assert kids(db, later) == {signer.kid, after.kid}


def test_a_published_key_goes_on_by_itself_where_none_signs_any_more(db, signer, make_signers):
    [after] = make_signers(NOW + 170 * DAY)
    take_in(db, signer, after)
    walk(db, signer, ("published", NOW))
    assert signing_keys.due(db, NOW + DAY) == []
    assert signing_keys.due(db, NOW + 2 * DAY) == [(signer.kid, "active")]
    walk(db, signer, ("active", NOW + 2 * DAY))
    walk(db, after, ("published", NOW + 175 * DAY))
    assert signing_keys.due(db, NOW + 180 * DAY) == []
    assert signing_keys.due(db, NOW - DAY + USED_FOR) == [(after.kid, "active")]


def test_a_key_laid_down_ends_with_the_last_certificate_it_signed(db, signer):
    take_in(db, signer)
    walk(db, signer, ("published", NOW), ("active", NOW + 2 * DAY), ("retired", NOW + 3 * DAY))
    end = NOW + 270 * DAY
    told = issued() | {"kid": signer.kid, "expires_at": end}
    make_certificate(db, dose=make_counted_dose(db), **told)
    assert signing_keys.due(db, end) == []
    [(kid, to)] = signing_keys.due(db, end + timedelta(seconds=1))
    walk(db, signer, (to, end + timedelta(seconds=1)))
    assert (kid, states(db), kids(db, end)) == (signer.kid, ["expired"], set())


def test_a_lost_key_is_told_of_no_more_even_if_its_certificate_lies_among_the_trusted(db, signer):
    other = from_certificate(signer.certificate)
    assert kids(db, others=[other]) == {signer.kid}
    take_in(db, signer)
    assert kids(db, others=[other]) == set()
    walk(db, signer, ("published", NOW))
    assert kids(db, others=[other]) == {signer.kid}
    walk(db, signer, ("compromised", NOW))
    assert kids(db, others=[other]) == set()
    with pytest.raises(WrongState, match="compromised"):
        walk(db, signer, ("published", NOW))


def test_development_keys_are_born_active_in_place_of_those_before(db, signers):
    take_in(db, signers["v"])
    assert (states(db), kids(db)) == (["active"], {signers["v"].kid})
    assert set(signing_keys.active(db, NOW)) == {"v"}


def test_keys_that_end_soon_are_told_of_and_within_a_day_it_is_not_ready(db, signer, make_signers):
    take_in(db, signer)
    walk(db, signer, ("published", NOW), ("active", NOW + KNOWN_BEFORE))
    end = NOW - DAY + USED_FOR
    assert signing_keys.left(db, end - 31 * DAY) == {"days_left": {"v": 31}, "ends_soon": []}
    assert signing_keys.left(db, end - 5 * DAY) == {"days_left": {"v": 5}, "ends_soon": ["v"]}
    with pytest.raises(NotReady):
        signing_keys.left(db, end - DAY + timedelta(seconds=1))
    [after] = make_signers(end - 9 * DAY)
    take_in(db, after)
    walk(db, after, ("published", end - 9 * DAY))
    assert signing_keys.left(db, end - timedelta(hours=1))["ends_soon"] == []


FIRST, LIFE, CEREMONY = datetime(2026, 3, 2, 12, tzinfo=UTC), 180 * DAY, 175  # days between two


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_every_certificate_of_three_years_verifies_by_the_list_of_each_of_its_days(
    db, make_signers
):
    dose, signers, sealed = make_counted_dose(db), {}, []
    for number in range(3 * 365):
        now = FIRST + number * DAY
        if number % CEREMONY == 0:
            authority = FIRST + number // (2 * CEREMONY) * 2 * CEREMONY * DAY
            for made in make_signers(now, "vt", authority):
                signers[made.kid] = made
                take_in(db, made, now=now)
                walk(db, made, ("published", now))
        for kid, to in signing_keys.due(db, now):
            walk(db, signers[kid], (to, now))
        if number % 10 == 2:
            sealed += _issued(db, signers, dose, now)
            _all_verify(db, sealed, now)
    keys = signing_keys.every(db)
    assert len({key.kid for key in keys if key.activated_at}) == 2 * 7
    assert {key.state for key in keys} == {"expired", "retired", "active"}
    assert len(sealed) == 2 * 110


def _issued(db, signers, dose, now) -> list[tuple[datetime, bytes]]:
    """Sign one certificate a purpose, and write it down."""
    usable = issuing.usable_now(db, signers, now)
    assert set(usable) == {"v", "t"}, now
    at, end, made = int(now.timestamp()), int((now + LIFE).timestamp()), []
    for kind, signer in usable.items():
        text = issue_text(
            dcc=make_dcc(kind), issuer="XX", issued_at=at, expires_at=end, signer=signer
        )
        whole = issued(state="superseded", kid=signer.kid, issued_at=now, expires_at=now + LIFE)
        make_certificate(db, dose=dose, standing_counts=None, **whole)
        made.append((now + LIFE, decode(text)))
    return made


def _all_verify(db, sealed, now) -> None:
    listed = {key.kid: [key.key] for key in signing_keys.trusted(db, TrustList(), now)}
    in_force = [message for end, message in sealed if now <= end]
    for message in in_force:
        verify1(message, keys=listed)
