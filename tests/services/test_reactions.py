"""Cases of reactions: what the committee is told of them, what is missing, and what is added."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from healthcert.data import knowledge as files
from healthcert.data.knowledge import country
from healthcert.errors import BadInput, NotFound, WrongState
from healthcert.models import AdverseEvent, AdverseEventEntry, AuditEvent
from healthcert.services import reactions, reporting
from healthcert.services.reporting import Reaction
from tests import factories as make
from tests.factories import NOW, TODAY

TABLE = (Path(__file__).parents[2] / "docs" / "reactions.md").read_text(encoding="utf-8")
RULE = {k: v for k, v in files.sources("vaccine")[0].content.items() if k != "diluent"}
BARE = Reaction("fever_38", TODAY, "not_serious", "recovering", "self", {})
LATER = {
    "onset_time": "14:30", "patient_place": "Port Azur", "elsewhere": "Stamaril, lot Y1, 1 March",
    "reporter_name": "Nadia Kanar", "reporter_contact": "nadia@example.org", "history": "asthma",
    "pregnant": "no", "narrative": "shivers",
}  # fmt: skip


@pytest.fixture
def nurse(db):
    return make.make_staff(db, name="Nour Nurse")


@pytest.fixture
def case(db, vault, nurse):
    """Return how to report a reaction, and how to read what the committee is told of it."""

    def report(*, rule=None, **told) -> AdverseEvent:
        person = make.make_person(db, wrapped_key=vault.new_key())
        if rule is not None:
            file = make.make_knowledge(db, content=RULE | rule)
            product = make.make_product(db, knowledge_id=file.id)
            given = {"product": product, "site_id": nurse.site_id}
            told["dose_id"] = make.make_dose(db, person=person, **given).id
        return reporting.report_event(
            db, vault=vault, person_id=person.id, reaction=replace(BARE, **told), staff=nurse,
            country=country("XX"), site_id=nurse.site_id, now=NOW,
        )  # fmt: skip

    return report


@pytest.fixture
def line(db, vault):
    inspector = make.make_staff(db, role="inspector", site_id=None)

    def read(event):
        found, told = reactions.case(
            db, vault=vault, event_id=event.id, staff=inspector, now=NOW
        )  # fmt: skip
        return reactions.line(db, found, told, "XX")

    return read


def tell(db, vault, nurse, event, **told) -> None:
    reporting.tell_more(
        db, vault=vault, event_id=event.id, told=told, staff=nurse, country=country("XX"), now=NOW
    )


def test_the_table_and_the_export_agree_on_all_25_variables(case, line):
    rows = [row.split(" | ") for row in TABLE.splitlines() if row[2:4].strip().isdigit()]
    assert [int(row[0].strip("| ")) for row in rows] == list(range(1, 26))
    exported = line(case())
    assert [row[2].strip("`") for row in rows] == list(exported)[:25]
    critical = {row[2].strip("`") for row in rows if row[4].startswith("yes")}
    assert critical == set(reactions.CRITICAL)
    assert len(critical) == 13
    assert all(f"`{name}`" in TABLE for name in exported)


def test_a_report_with_everything_left_open_is_taken_and_says_what_is_missing(case, line):
    told = line(case())
    assert told["missing"].split() == [
        "patient_place", "vaccine", "batch", "vaccinated", "onset", "reporter_name",
    ]  # fmt: skip
    assert (told["onset"], told["history"], told["pregnant"]) == (TODAY, None, None)


def test_what_the_record_knows_is_not_asked(case, line):
    told = line(case(rule={}, reporter="health_worker", told={"onset_time": "14:30"}))
    assert told["missing"] == "patient_place"
    assert told["onset"] == f"{TODAY}T14:30"
    assert None not in (told["vaccine"], told["batch"], told["vaccinated"], told["reporter_place"])
    assert told["reporter_position"] == "on_file"


def test_a_diluent_is_missing_only_where_the_vaccine_has_one(case, line):
    assert "diluent_lot" not in line(case(rule={}))["missing"].split()
    assert "diluent_lot" in line(case(rule={"diluent": {"en": "saline"}}))["missing"].split()


def test_what_is_learned_later_is_added_and_the_newest_word_counts(db, vault, nurse, case, line):
    event = case(told={"history": "none", "diluent_lot": "D1"})
    first = event.sealed
    for words in (LATER, {"history": "asthma since 2019"}):
        tell(db, vault, nurse, event, **words)
    assert line(event)["missing"] == ""
    assert line(event)["onset"] == f"{TODAY}T14:30"
    inspector = make.make_staff(db, role="inspector", site_id=None)
    _found, told = reactions.case(db, vault=vault, event_id=event.id, staff=inspector, now=NOW)
    assert told == LATER | {"history": "asthma since 2019", "diluent_lot": "D1"}
    assert event.sealed == first
    assert len(db.scalars(select(AdverseEventEntry)).all()) == 2
    noted = db.scalars(select(AuditEvent.details).filter_by(act="adverse_event_told_more")).all()
    assert noted[1] == {"history": True}


def test_no_word_that_was_told_is_exported(db, vault, nurse, case, line):
    event = case(told={"onset_time": "when Kanar woke", "pregnant": "of Kanar"})
    assert (line(event)["onset"], line(event)["pregnant"]) == (TODAY, None)
    tell(db, vault, nurse, event, **LATER | {"reporter_contact": "+44 7700 900123"})
    told = line(event)
    assert (told["reporter_mail"], told["reporter_phone"]) == (None, "on_file")
    words = {value for name, value in LATER.items() if name not in ("onset_time", "pregnant")}
    assert not [word for word in words if word in json.dumps(told, default=str)]


def test_another_site_adds_nothing(db, vault, case):
    with pytest.raises(NotFound):
        tell(db, vault, make.make_staff(db), case(), history="asthma")


def test_of_somebody_erased_the_codes_alone_are_told(db, case, line):
    event = case(told={"history": "asthma"})
    person = db.get_one(make.Person, event.person_id)
    person.erased_at, person.wrapped_key, person.sealed = NOW, None, None
    person.key_gone_on = TODAY
    assert (line(event)["event"], line(event)["history"]) == ("fever_38", None)


def news(db, vault, staff, event, **told) -> None:
    reporting.tell_more(
        db, vault=vault, event_id=event.id, told={}, staff=staff, country=country("XX"),
        now=NOW + timedelta(days=3), **told,
    )  # fmt: skip


def test_a_site_tells_that_it_became_serious_and_its_clock_starts_then(db, vault, nurse, case):
    event = case()
    news(db, vault, nurse, event, outcome="not_recovered")
    assert (event.outcome, event.due_at) == ("not_recovered", None)
    news(db, vault, nurse, event, seriousness="hospitalisation")
    due = NOW + timedelta(days=3) + country("XX").serious_within
    assert (event.seriousness, event.due_at, event.state) == ("hospitalisation", due, "reported")
    news(db, vault, nurse, event, seriousness="death", outcome="died")
    assert event.due_at == due, "a clock that runs goes on"
    with pytest.raises(BadInput, match="seriousness"):
        news(db, vault, nurse, event, seriousness="not_serious")
    assert not db.scalars(select(AdverseEventEntry)).all(), "of no words there is no entry"


def test_nobody_died_of_what_is_not_serious(db, vault, nurse, case):
    with pytest.raises(BadInput, match="seriousness"):
        news(db, vault, nurse, case(), outcome="died")


FATAL = {"seriousness": "not_died", "outcome": "not_died"}


@pytest.mark.parametrize("outcome", ["recovered", "unknown"])
def test_who_did_not_die_is_not_reported_nor_told_nor_found_dead(db, vault, nurse, case, outcome):
    with pytest.raises(BadInput) as wrong:
        case(seriousness="death", outcome=outcome)
    assert wrong.value.fields == FATAL
    event = case(outcome=outcome)
    with pytest.raises(BadInput) as wrong:
        news(db, vault, nurse, event, seriousness="death")
    assert wrong.value.fields == FATAL
    found = {"state": "investigating", "country": country("XX"), "staff": nurse, "now": NOW}
    with pytest.raises(BadInput) as wrong:
        reporting.move_event(db, event_id=event.id, seriousness="death", **found)
    assert wrong.value.fields == FATAL
    reporting.move_event(db, event_id=event.id, seriousness="death", outcome="died", **found)
    with pytest.raises(BadInput):
        news(db, vault, nurse, event, outcome=outcome)
    news(db, vault, nurse, event, seriousness="disability", outcome=outcome)


def test_words_are_added_to_a_case_of_before_that_contradicts(db, vault, nurse, case):
    event = case(seriousness="disability", outcome="recovered")
    if db.get_bind().dialect.name == "postgresql":
        db.connection().exec_driver_sql("DROP FUNCTION death_died() CASCADE")
    else:
        db.connection().exec_driver_sql("DROP TRIGGER death_died_update")
    event.seriousness = "death"
    db.flush()
    news(db, vault, nurse, event)
    with pytest.raises(BadInput):
        news(db, vault, nurse, event, outcome="recovering")


def test_what_was_closed_and_proves_serious_is_looked_into_again(db, vault, nurse, case):
    event = case()
    reporting.move_event(
        db, event_id=event.id, state="closed", country=country("XX"), staff=nurse, now=NOW
    )
    news(db, vault, nurse, event, seriousness="life_threatening")
    assert event.state == "investigating"
    assert event.due_at is not None


def undo(db, event, staff, reason="wrong_person") -> None:
    reporting.mark_event_in_error(db, event_id=event.id, reason=reason, staff=staff, now=NOW)


def test_a_report_of_the_wrong_person_is_taken_back_stays_and_is_told_as_void(
    db, vault, nurse, case, line
):
    event = case(term="anaphylaxis", seriousness="life_threatening")
    assert [each.id for each in reactions.of_person(db, event.person_id)] == [event.id]
    with pytest.raises(BadInput):
        undo(db, event, nurse, "")
    undo(db, event, nurse)
    assert reactions.of_person(db, event.person_id) == []
    told = line(event)
    assert (told["state"], told["nullified"], told["missing"]) == (
        "entered_in_error", "wrong_person", "",
    )  # fmt: skip
    noted = db.scalars(select(AuditEvent).filter_by(act="adverse_event_marked_in_error")).one()
    assert (noted.details, noted.actor_id) == ({"reason": "wrong_person"}, nurse.id)
    with pytest.raises(WrongState):
        undo(db, event, nurse)
    with pytest.raises(WrongState):
        news(db, vault, nurse, event, outcome="recovered")


def test_a_site_takes_back_its_own_while_nobody_looks_into_it_and_an_inspector_any(db, nurse, case):
    event, inspector = case(), make.make_staff(db, role="inspector", site_id=None)
    with pytest.raises(NotFound):
        undo(db, event, make.make_staff(db))
    reporting.move_event(
        db, event_id=event.id, state="investigating", country=country("XX"), staff=inspector,
        now=NOW,
    )  # fmt: skip
    with pytest.raises(WrongState):
        undo(db, event, nurse)
    with pytest.raises(WrongState):  # that is a deed of its own
        reporting.move_event(
            db, event_id=event.id, state="entered_in_error", country=country("XX"),
            staff=inspector, now=NOW,
        )  # fmt: skip
    undo(db, event, inspector, "not_happened")
    assert event.error_reason == "not_happened"


def test_a_reaction_does_not_begin_before_its_dose_nor_after_one_of_another(db, case):
    with pytest.raises(BadInput, match="before_the_dose"):
        case(rule={}, onset_on=TODAY - timedelta(days=9))
    with pytest.raises(BadInput, match="before_the_dose"):
        case(onset_on=date(1900, 1, 1))
    with pytest.raises(BadInput, match="not_known"):
        case(dose_id=make.make_dose(db).id)
