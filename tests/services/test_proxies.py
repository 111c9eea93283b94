"""Acting for somebody: who may, for how long, in what, and that it never outlives its end."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from itertools import permutations
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from healthcert.errors import BadCode, BadInput, NotAllowed, NotFound, TooMany
from healthcert.models import AuditEvent, Message, Person, Proxy, new_id
from healthcert.models.proxy import SCOPES
from healthcert.services import access, enrolment, erasure, looks, messages, proxies
from healthcert.services.audit import Actor
from healthcert.services.people import IdentityDetails
from tests.factories import NOW
from tests.services.clinic import PEPPER, details

DAY = timedelta(days=1)
CHILD = {"birth_date": "2018-06-01", "identity": IdentityDetails("none")}


def deed(clinic, db, now=NOW) -> proxies.Deed:
    return proxies.Deed(db, clinic.vault, clinic.country, now)


def do(clinic, work: Callable[[proxies.Deed], object], now=NOW):
    """Do something in a transaction of its own."""
    return clinic.doors.run(lambda db: work(deed(clinic, db, now)))


def somebody(clinic, **changes) -> UUID:
    told = details(**changes)
    return clinic.doors.run(
        lambda db: enrolment.enrol(db, vault=clinic.vault, details=told, now=NOW)
    ).id


def let(clinic, person, carer, *scopes, now=NOW, ends=DAY) -> None:
    do(
        clinic,
        lambda on: proxies.grant(
            on, person, Actor("citizen", carer), "carer", scopes or SCOPES, now + ends
        ),
        now,
    )


def may(clinic, carer, person, scope="view", now=NOW) -> bool:
    try:
        do(
            clinic,
            lambda on: proxies.admit(
                on.db, actor=Actor("citizen", carer), person_id=person, scope=scope, now=now
            ),
        )
    except NotFound:
        return False
    return True


def held(clinic, who, now=NOW) -> list[proxies.Held]:
    with clinic.doors.reading() as db:
        return proxies.held(deed(clinic, db, now), who)


def add_child(clinic, guardian, now=NOW, **changes) -> UUID:
    told = details(**CHILD | changes)
    do(clinic, lambda on: proxies.enrol_child(on, guardian_id=guardian, details=told), now)
    return held(clinic, guardian, now)[-1].person_id


def code_of(clinic, template="carer_code") -> str:
    with clinic.doors.reading() as db:
        sent = messages.outbox(db, vault=clinic.vault, limit=50)
    return next(re.search(r"\d{6}", one.text)[0] for one in sent if one.template == template)


def accept(clinic, carer, claim, code, now=NOW) -> access.Answer:
    return do(
        clinic,
        lambda on: proxies.accept(on, pepper=PEPPER, carer_id=carer, claim=claim, code=code),
        now,
    )


def invite(clinic, who, *scopes, now=NOW) -> None:
    do(clinic, lambda on: proxies.invite(on, pepper=PEPPER, person_id=who, scopes=scopes), now)


@pytest.fixture
def adult(clinic):
    """Return an adult's identifier and what is known of them."""
    appointment = clinic.book(
        clinic.slot(), details(identity=IdentityDetails("passport", value="A1"))
    )
    return appointment.person_id, access.Claim(appointment.reference, "1980-05-17")


def test_ones_own_record_needs_no_proxy_and_leaves_no_look(clinic, adult):
    who, _claim = adult
    assert may(clinic, who, who)
    with clinic.doors.reading() as db:
        assert looks.access_log(db, person_id=who) == []


def test_a_look_for_somebody_stands_in_their_log(clinic, adult):
    who, carer = adult[0], somebody(clinic)
    let(clinic, who, carer, "view")
    assert may(clinic, carer, who)
    with clinic.doors.reading() as db:
        [look] = looks.access_log(db, person_id=who)
    assert (look.role, look.reason, look.who) == ("carer", "for_them", carer)


def test_what_was_not_let_is_refused_scope_by_scope(clinic, adult):
    who, carer = adult[0], somebody(clinic)
    for scope in SCOPES:
        let(clinic, who, carer, scope)
        assert [may(clinic, carer, who, each) for each in SCOPES] == [
            each == scope for each in SCOPES
        ]


def test_a_proxy_ends_on_its_moment(clinic, adult):
    who, carer = adult[0], somebody(clinic)
    let(clinic, who, carer)
    assert may(clinic, carer, who, now=NOW + DAY - timedelta(seconds=1))
    assert not may(clinic, carer, who, now=NOW + DAY)
    assert held(clinic, who, NOW + DAY) == []


@pytest.mark.parametrize("side", [0, 1])
def test_either_side_ends_it_at_once_in_all_scopes(clinic, adult, side):
    who, carer = adult[0], somebody(clinic)
    let(clinic, who, carer)
    [one] = held(clinic, who)
    do(clinic, lambda on: proxies.end(on, proxy_id=one.proxy_id, by=(who, carer)[side]))
    assert not any(may(clinic, carer, who, scope) for scope in SCOPES)
    assert held(clinic, carer) == []
    with pytest.raises(NotFound):
        do(clinic, lambda on: proxies.end(on, proxy_id=one.proxy_id, by=who))


def test_a_stranger_ends_nothing(clinic, adult):
    who, carer, stranger = adult[0], somebody(clinic), somebody(clinic)
    let(clinic, who, carer)
    [one] = held(clinic, who)
    with pytest.raises(NotFound):
        do(clinic, lambda on: proxies.end(on, proxy_id=one.proxy_id, by=stranger))
    assert may(clinic, carer, who)


def test_nobody_is_their_own_proxy_and_none_is_for_nothing(clinic, adult):
    who, carer = adult[0], somebody(clinic)
    with pytest.raises(BadInput, match="yourself"):
        let(clinic, who, who)
    for scopes in ((), ("erase",)):
        with pytest.raises(BadInput, match="missing"):
            do(
                clinic,
                lambda on, scopes=scopes: proxies.grant(
                    on, who, Actor("citizen", carer), "carer", scopes, NOW + DAY
                ),
            )


def test_who_acts_for_somebody_acts_for_nobody_of_theirs(clinic, adult):
    who, middle, far = adult[0], somebody(clinic), somebody(clinic)
    let(clinic, who, middle)
    let(clinic, middle, far)
    assert may(clinic, middle, who)
    assert not may(clinic, far, who)
    assert [one.person_id for one in held(clinic, far)] == [middle]


def test_a_guardian_acts_until_the_day_a_child_is_of_age(clinic, adult):
    who, _claim = adult
    child = add_child(clinic, who)
    [one] = held(clinic, who)
    assert (one.kind, set(one.scopes), one.mine) == ("guardian", set(SCOPES), True)
    assert one.ends_at.astimezone(NOW.tzinfo).date().isoformat() == "2036-05-31"  # in Beirut
    assert may(clinic, who, child, now=one.ends_at - timedelta(seconds=1))
    assert not may(clinic, who, child, now=one.ends_at)


@pytest.mark.parametrize("born", ["2008-03-02", "2008", "1980-05-17"])
def test_who_may_be_of_age_has_no_guardian(clinic, adult, born):
    with pytest.raises(BadInput, match="of_age"):
        add_child(clinic, adult[0], birth_date=born)


@pytest.mark.parametrize("born", ["2015-01-01", "2016-02-02"])
def test_a_childs_number_does_not_give_the_child_away(clinic, adult, born):
    number = IdentityDetails("passport", "XX", "CHILD1")
    child = somebody(clinic, birth_date="2015-01-01", identity=number)
    with pytest.raises(BadInput, match="on_record"):
        add_child(clinic, adult[0], birth_date=born, identity=number)
    assert not may(clinic, adult[0], child)


def test_who_brings_the_code_acts_in_the_scopes_chosen(clinic, adult):
    (who, claim), carer = adult, somebody(clinic)
    invite(clinic, who, "view", "book")
    assert accept(clinic, carer, claim, code_of(clinic)).person_id == who
    assert [may(clinic, carer, who, scope) for scope in ("book", "consent", "view")] == [
        True, False, True,
    ]  # fmt: skip
    [one] = held(clinic, carer)
    assert one.ends_at == NOW + timedelta(days=clinic.country.carer_days)
    with clinic.doors.reading() as db:
        begun = db.scalars(select(Message.person_id).filter_by(template="proxy_begun")).all()
        assert set(begun) == {who, carer}
        acts = set(db.scalars(select(AuditEvent.act)))
    assert {"invitation_taken", "proxy_begun"} <= acts


def test_a_document_will_do_instead_of_a_reference(clinic, adult):
    carer = somebody(clinic)
    invite(clinic, adult[0], "view")
    claim = access.Claim("a-1", "1980-05-17", "passport")
    assert accept(clinic, carer, claim, code_of(clinic)).lets == "view"


def test_a_code_for_a_carer_signs_nobody_in_and_the_other_way_round(clinic, adult):
    (who, claim), carer = adult, somebody(clinic)
    invite(clinic, who, "view")
    code = code_of(clinic)
    with clinic.doors.transaction() as db:
        answer = access.redeem(
            db, vault=clinic.vault, pepper=PEPPER, claim=claim, code=code, now=NOW
        )
    with pytest.raises(BadCode):
        _ = answer.person_id
    later = NOW + timedelta(minutes=2)
    with clinic.doors.transaction() as db:
        access.request_code(db, vault=clinic.vault, pepper=PEPPER, claim=claim, now=later)
    other = code_of(clinic, "code")
    assert other == code or accept(clinic, carer, claim, other, later).lets == ""


def test_a_second_invitation_replaces_the_first_and_what_it_let(clinic, adult):
    (who, claim), carer = adult, somebody(clinic)
    invite(clinic, who, "view")
    first = code_of(clinic)
    with pytest.raises(TooMany):
        invite(clinic, who, "view")
    later = NOW + timedelta(minutes=2)
    invite(clinic, who, "book", now=later)
    second = code_of(clinic)
    assert first == second or not accept(clinic, carer, claim, first, later).lets
    accept(clinic, carer, claim, second, later)
    assert not accept(clinic, carer, claim, second, later).lets
    let(clinic, who, carer, "view", now=later)
    [one] = held(clinic, who, later)
    assert one.scopes == ("view",)


def test_one_does_not_become_ones_own_carer_by_ones_own_code(clinic, adult):
    who, claim = adult
    invite(clinic, who, "view")
    with pytest.raises(BadInput, match="yourself"):
        accept(clinic, who, claim, code_of(clinic))


def test_who_cannot_be_told_or_is_not_of_age_invites_nobody(clinic):
    with pytest.raises(BadInput, match="no_contact"):
        invite(clinic, somebody(clinic, phone="", mail=""), "view")
    with pytest.raises(NotAllowed):
        invite(clinic, somebody(clinic, birth_date="2010-01-01"), "view")
    with pytest.raises(BadInput, match="missing"):
        invite(clinic, somebody(clinic))


def test_staff_act_for_a_person_until_midnight(clinic, adult):
    who, staff = adult[0], Actor("staff", clinic.nurse.id)
    do(clinic, lambda on: proxies.assist(on, person_id=who, staff=clinic.nurse))
    [one] = held(clinic, who)
    assert (one.name, one.kind) == (clinic.nurse.name, "operator")
    assert one.ends_at - NOW < DAY
    opened = {"actor": staff, "person_id": who, "scope": "view"}
    do(clinic, lambda on: proxies.admit(on.db, now=NOW, **opened))
    do(clinic, lambda on: proxies.end(on, proxy_id=one.proxy_id, by=who))
    with pytest.raises(NotFound):
        do(clinic, lambda on: proxies.admit(on.db, now=NOW, **opened))


def test_nobody_acts_for_somebody_who_was_erased(clinic, adult):
    who, carer = adult[0], somebody(clinic)
    let(clinic, who, carer)
    citizen = Actor("citizen", who)
    clinic.doors.run(
        lambda db: erasure.erase(
            db, vault=clinic.vault, person_id=who, actor=citizen, reason="asked", now=NOW
        )
    )
    assert not may(clinic, carer, who)
    with pytest.raises(NotFound):
        let(clinic, who, carer)
    with clinic.doors.reading() as db:
        assert db.get_one(Person, who).erased_at is not None
        assert db.scalar(select(Proxy.id).filter_by(revoked_at=None)) is None


def test_an_unknown_person_is_not_found(clinic, adult):
    with pytest.raises(NotFound):
        let(clinic, new_id(), adult[0])


pairs = st.tuples(st.integers(0, 2), st.integers(0, 2)).filter(lambda pair: pair[0] != pair[1])
steps = st.lists(
    st.tuples(
        st.sampled_from(["let", "end", "wait"]),
        pairs,
        st.sets(st.sampled_from(SCOPES), min_size=1),
        st.integers(1, 40),
    ),
    min_size=2,
    max_size=8,
)


@given(history=steps)
@settings(
    max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_whatever_happened_before_only_what_was_let_and_not_ended_holds(clinic, trio, history):
    """Each history against a dictionary of what is in force; undone when it is over."""
    now, model = NOW, {}
    with suppress(Undone), clinic.doors.transaction() as db:
        for step, pair, scopes, hours in history:
            person, carer = (trio[number] for number in pair)
            if step == "wait":
                now += timedelta(hours=hours)
            elif step == "let":
                until = now + timedelta(hours=hours)
                actor = Actor("citizen", carer)
                proxies.grant(deed(clinic, db, now), person, actor, "carer", scopes, until)
                model[pair] = scopes, until
            elif pair in model and model[pair][1] > now:
                query = select(Proxy.id).where(Proxy.revoked_at.is_(None))
                one = db.scalars(query.filter_by(person_id=person, proxy_person_id=carer)).first()
                proxies.end(deed(clinic, db, now), proxy_id=one, by=trio[pair[hours % 2]])
                del model[pair]
            assert in_force(db, trio, now) == {
                (pair, scope)
                for pair, (scopes, until) in model.items()
                if until > now
                for scope in scopes
            }
        raise Undone


class Undone(Exception):  # noqa: N818 - it is no error
    """Ends a history without leaving anything."""


@pytest.fixture
def trio(clinic):
    """Return three people."""
    return [somebody(clinic) for _ in range(3)]


def in_force(db, trio, now):
    """Return what may be done now, asked for every pair and scope."""
    found = set()
    for pair in permutations(range(3), 2):
        for scope in SCOPES:
            with suppress(NotFound):
                actor = Actor("citizen", trio[pair[1]])
                proxies.admit(db, actor=actor, person_id=trio[pair[0]], scope=scope, now=now)
                found.add((pair, scope))
    return found
