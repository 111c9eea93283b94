"""The operator lets the first administrator in, sees who works here, and ends somebody's work."""

from __future__ import annotations

import re


def test_the_first_administrator_is_let_in_listed_and_ended(run):
    assert run("db", "migrate").exit_code == 0
    assert run("staff", "organisation", "MOH", "--name", "Ministry").exit_code == 0
    below = ("NORTH", "--name", "Northern region", "--kind", "region", "--under", "MOH")
    assert run("staff", "organisation", *below).exit_code == 0
    made = run(
        "staff", "invite", "--name", "Ada Example", "--role", "admin", "--organisation", "NORTH"
    )
    place, code = made.output.split()
    assert place == "http://localhost:8000/sign-in/invitation"
    assert re.fullmatch(r"[A-Z2-9]{24}", code)
    listed = run("staff", "list").output
    assert "admin  Ada Example" in listed
    assert run("staff", "end", listed.split()[0]).exit_code == 0
    assert run("staff", "list").output == ""


def test_a_nurse_needs_a_site(run):
    run("db", "migrate")
    assert run("staff", "invite", "--name", "Nina", "--role", "nurse").exit_code == 2
    assert run("staff", "invite", "--name", "Nina", "--role", "king").exit_code == 2


def test_an_organisation_that_is_not_there_is_told(run):
    run("db", "migrate")
    for wrong in (
        ("organisation", "NORTH", "--name", "North", "--under", "MOH"),
        ("invite", "--name", "Ada", "--role", "admin", "--organisation", "MOH"),
    ):
        told = run("staff", *wrong)
        assert told.exit_code == 2
        assert "organisation" in told.output + told.stderr
