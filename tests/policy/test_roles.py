"""The role table denies by default."""

from __future__ import annotations

import pytest

from healthcert.policy.roles import ACTS, Role, may


def test_an_act_that_is_not_in_the_table_is_for_nobody():
    assert not any(may(role, "print_money") for role in (None, *Role))


@pytest.mark.parametrize("act", ["record_dose", "mark_dose_in_error"])
def test_only_a_nurse_touches_doses(act):
    assert [role for role in (None, *Role) if may(role, act)] == [Role.NURSE]


def test_a_stranger_may_do_nothing_that_shows_a_record():
    strangers = {act for act in ACTS if may(None, act)}
    assert not {act for act in strangers if act.startswith("see_")}


def test_an_admin_sees_no_patient():
    assert not may(Role.ADMIN, "see_patient")


WHOSE = {
    "read_public_page verify_certificate search_places book_appointment ask_for_code sign_in "
    "sign_out": {None, "citizen", "clerk", "nurse", "admin"},
    "see_own_record see_own_certificate cancel_own_appointment move_own_appointment": {"citizen"},
    "see_day_list see_patient register_arrival book_for_someone": {"clerk", "nurse"},
    "record_dose record_not_vaccinated mark_dose_in_error": {"nurse"},
    "see_service_state": {"admin"},
    "settle_alarm": {"admin"},
}


@pytest.mark.parametrize(
    ("act", "roles"), [(act, roles) for acts, roles in WHOSE.items() for act in acts.split()]
)
def test_an_act_is_for_those_whose_work_it_is(act, roles):
    assert {role for role in (None, *Role) if may(role, act)} == roles
