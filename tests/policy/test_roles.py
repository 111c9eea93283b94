"""The role table denies by default."""

from __future__ import annotations

from healthcert.models import new_id
from healthcert.policy.roles import ACTS, Asker, Role, delegable, has, may
from tests.factories import NOW


def test_an_act_that_is_not_in_the_table_is_for_nobody():
    assert not any(has(role, "print_money") for role in (None, *Role))


def test_only_a_nurse_gives_doses():
    assert [role for role in (None, *Role) if has(role, "record_dose")] == [Role.NURSE]


def test_a_stranger_may_do_nothing_that_shows_a_record():
    strangers = {act for act in ACTS if has(None, act)}
    assert not {act for act in strangers if act.startswith("see_")}


def test_what_is_ones_own_is_for_oneself_and_for_who_acts_for_one():
    mine, theirs = new_id(), new_id()
    asker, act = Asker(Role.CITIZEN, [mine]), "cancel_own_appointment"
    assert may(asker, act, person=mine, now=NOW)
    assert not may(asker, act, person=theirs, now=NOW)
    assert not may(asker, act, now=NOW)


def test_an_admin_sees_no_patient():
    assert not has(Role.ADMIN, "see_patient")


def test_what_one_reaches_by_organisation_can_be_handed_on_but_for_handing_on():
    own = {act for act, reach in ACTS.items() if reach.get(Role.ADMIN) == "organisation"}
    assert set(delegable(Role.ADMIN)) == own - {"delegate"}
    assert {"end_work", "recover_staff"} < own
    assert delegable(Role.NURSE) == []
