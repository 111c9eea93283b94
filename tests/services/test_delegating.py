"""Organisations hand on acts to those below them; administrators reach so far and no farther."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from healthcert.errors import BadInput, NeedsAnother, NotFound
from healthcert.models import AuditEvent, Delegation, Organisation, Staff
from healthcert.policy.roles import Handed, may
from healthcert.services import delegating, roster
from tests import factories as make
from tests.factories import NOW
from tests.models.refusals import refused

SEED = 20260302


@pytest.fixture
def tree(db):
    """Return a ministry, its region, the region's two towns, and a body beside them."""
    ministry = make.make_organisation(db, code="ministry")
    region = make.make_organisation(db, ministry, code="region")
    town, other = (make.make_organisation(db, region, code=code) for code in ("town", "other"))
    make.make_organisation(db, code="beside")
    return {"ministry": ministry, "region": region, "town": town, "other": other}


def admin(db, organisation, **values):
    central = {"role": "admin", "site_id": None, "organisation_id": organisation.id}
    return make.make_staff(db, **central | values)


def nurse(db, organisation):
    site = make.make_site(db, organisation_id=organisation.id)
    return make.make_staff(db, site_id=site.id)


def codes(db, staff, act="end_work", now=NOW):
    reach = delegating.within(db, staff=staff, act=act, now=now)
    return set(db.scalars(select(Organisation.code).where(Organisation.id.in_(reach))))


def hand_on(db, staff, taker, act="end_work", days=30):
    return delegating.delegate(db, staff=staff, taker_id=taker.id, act=act, days=days, now=NOW)


def test_an_administrator_reaches_their_organisation_and_all_below(db, tree):
    assert codes(db, admin(db, tree["ministry"])) == {"ministry", "region", "town", "other"}
    assert codes(db, admin(db, tree["region"])) == {"region", "town", "other"}
    assert codes(db, admin(db, tree["town"])) == {"town"}
    assert codes(db, make.make_staff(db, role="admin", site_id=None)) == set()
    assert codes(db, nurse(db, tree["ministry"])) == set()
    assert (
        len(codes(db, make.make_staff(db, role="inspector", site_id=None), "see_organisations"))
        == 5
    )


def test_of_the_sites_one_reaches_each_is_found_and_no_other(db, tree):
    sites = [make.make_site(db, organisation_id=body.id) for body in tree.values()]
    sites.append(make.make_site(db))  # of no organisation
    lead = make.make_staff(db, role="lead", site_id=sites[0].id)
    for staff in (lead, admin(db, tree["region"]), admin(db, tree["town"])):
        how = {"staff": staff, "act": "close_site", "now": NOW}
        reached = set()
        for one in sites:
            try:
                reached.add(delegating.site(db, site_id=one.id, **how).id)
            except NotFound:
                continue
        assert reached == {one.id for one in delegating.sites(db, **how)}
        with pytest.raises(NotFound):
            delegating.site(db, site_id=None, **how)
    assert reached == {sites[2].id}


def test_what_is_handed_on_widens_the_reach_for_that_act_until_its_end(db, tree):
    upper, lower = admin(db, tree["region"]), admin(db, tree["town"])
    given = hand_on(db, upper, tree["town"])
    assert codes(db, lower) == {"region", "town", "other"}
    assert codes(db, lower, "recover_staff") == {"town"}
    assert codes(db, admin(db, tree["other"])) == {"other"}
    assert codes(db, lower, now=given.ends_at - timedelta(seconds=1)) != {"town"}
    assert codes(db, lower, now=given.ends_at) == {"town"}


def test_what_is_taken_back_is_gone_at_once_and_written_down(db, tree):
    upper, lower = admin(db, tree["region"]), admin(db, tree["town"])
    given = hand_on(db, upper, tree["town"])
    delegating.revoke(db, staff=admin(db, tree["ministry"]), delegation_id=given.id, now=NOW)
    assert codes(db, lower) == {"town"}
    with pytest.raises(NotFound):
        delegating.revoke(db, staff=upper, delegation_id=given.id, now=NOW)
    acts = db.scalars(select(AuditEvent.act).where(AuditEvent.subject_id == given.id))
    assert sorted(acts) == ["delegated", "delegation_revoked"]


def test_only_the_giver_and_those_above_take_back(db, tree):
    given = hand_on(db, admin(db, tree["region"]), tree["town"])
    for stranger in (tree["town"], tree["other"]):
        with pytest.raises(NotFound):
            delegating.revoke(db, staff=admin(db, stranger), delegation_id=given.id, now=NOW)


@pytest.mark.parametrize("act", ["delegate", "record_dose", "settle_alarm", "print_money", ""])
def test_only_acts_of_ones_own_organisation_are_handed_on(db, tree, act):
    with pytest.raises(BadInput) as caught:
        hand_on(db, admin(db, tree["region"]), tree["town"], act)
    assert caught.value.fields == {"act": "not_a_choice"}


@pytest.mark.parametrize("days", [0, -1, 366, 10**12])
def test_what_is_handed_on_ends_within_a_year(db, tree, days):
    with pytest.raises(BadInput):
        hand_on(db, admin(db, tree["region"]), tree["town"], days=days)


def test_nothing_is_handed_to_oneself_upwards_or_sideways(db, tree):
    staff = admin(db, tree["town"])
    for taker in tree.values():
        with pytest.raises(NotFound):
            hand_on(db, staff, taker)
    with pytest.raises(NotFound):
        hand_on(db, make.make_staff(db, role="admin", site_id=None), tree["town"])


def test_what_was_handed_to_an_organisation_it_cannot_hand_on(db, tree):
    below = make.make_organisation(db, tree["town"])
    hand_on(db, admin(db, tree["region"]), tree["town"])
    hand_on(db, admin(db, tree["town"]), below)
    assert "other" not in codes(db, admin(db, below))


def test_colleagues_in_reach_are_found_and_no_others(db, tree):
    boss, leaver = admin(db, tree["region"]), nurse(db, tree["town"])
    reach = delegating.within(db, staff=boss, act="see_organisations", now=NOW)
    listed = [one.id for one, _site, _employer in roster.colleagues(db, reach=reach)]
    assert sorted(listed) == sorted([boss.id, leaver.id])
    told = {"staff": boss, "act": "end_work", "now": NOW}
    assert roster.colleague(db, staff_id=leaver.id, **told) is leaver
    roster.end_work(db, staff_id=leaver.id, by=boss.id, now=NOW)
    db.expire_all()
    assert roster.member(db, staff_id=leaver.id) is None
    assert (
        db.scalar(select(AuditEvent.act).where(AuditEvent.subject_id == leaver.id)) == "work_ended"
    )
    with pytest.raises(NotFound):
        roster.colleague(db, staff_id=leaver.id, **told)


def test_nobody_reaches_those_of_others_or_ends_their_own_work(db, tree):
    boss = admin(db, tree["town"])
    with pytest.raises(NeedsAnother):
        roster.end_work(db, staff_id=boss.id, by=boss.id, now=NOW)
    for place in ("other", "region"):
        other = nurse(db, tree[place]).id
        with pytest.raises(NotFound):
            roster.colleague(db, staff=boss, staff_id=other, act="end_work", now=NOW)
    assert db.scalar(select(func.count()).where(~Staff.active)) == 0


def test_the_query_reaches_what_the_table_of_roles_says(db):
    chance = random.Random(SEED)
    bodies = [make.make_organisation(db)]
    for _ in range(11):
        above = chance.choice([*bodies, None])
        bodies.append(make.make_organisation(db, above if above and above.level < 9 else None))
    staff = [admin(db, body) for body in bodies]
    for _ in range(30):
        giver, taker = chance.sample(bodies, 2)
        ends = NOW + timedelta(days=chance.choice([1, 400]))
        make.add(db, Delegation(giver_id=giver.id, taker_id=taker.id, act="end_work", ends_at=ends,
                                given_by=staff[0].id, recorded_at=NOW))  # fmt: skip
    handed = [Handed(one.act, one.giver_id, one.taker_id, one.ends_at, one.revoked_at)
              for one in db.scalars(select(Delegation))]  # fmt: skip
    later = NOW + timedelta(days=2)
    for one in staff:
        asker = delegating.asker_of(db, one)
        found = codes(db, one, now=later)
        for body in bodies:
            line = delegating.line_of(db, body.id)
            promised = may(asker, "end_work", line=line, handed=handed, now=later)
            assert (body.code in found) == promised, (SEED, one.organisation_id, body.code)


def test_whoever_has_a_site_works_for_the_sites_organisation_alone(db, tree):
    site = make.make_site(db, organisation_id=tree["town"].id)
    with refused(db, "ck_staff_one_employer"):
        make.make_staff(db, site_id=site.id, organisation_id=tree["region"].id)


@pytest.mark.parametrize("role", ["clerk", "nurse", "lead"])
def test_clinic_staff_have_a_site(db, role):
    with refused(db, "ck_staff_clinic_staff_has_site"):
        make.make_staff(db, role=role, site_id=None)


def test_nobody_has_a_role_that_is_not_one(db):
    with refused(db, "ck_staff_role"):
        make.make_staff(db, role="king")


def test_an_act_that_is_no_more_was_handed_to_nobody(db, tree):
    boss = admin(db, tree["region"])
    given = Delegation(
        recorded_at=NOW, giver_id=tree["region"].id, taker_id=tree["town"].id, act="print_money",
        given_by=boss.id, ends_at=NOW + timedelta(30),
    )  # fmt: skip
    db.add(given)
    db.flush()
    assert delegating.overview(db, staff=boss, now=NOW)[2] == []
    with pytest.raises(NotFound):
        delegating.revoke(db, staff=boss, delegation_id=given.id, now=NOW)
