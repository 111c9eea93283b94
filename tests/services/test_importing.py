"""Tables are taken in wholly or not at all, known lines passed over, batches taken back."""

from __future__ import annotations

from dataclasses import dataclass, replace
from uuid import UUID

import pytest
from sqlalchemy import func, select, update

from healthcert.errors import BadInput, BadRows, NotAllowed, NotFound, WrongState
from healthcert.jobs.importing import take_in
from healthcert.models import (
    AuditEvent,
    ImportBatch,
    ImportLine,
    Lot,
    LotValidity,
    Person,
    PersonToken,
    Site,
    Staff,
    new_id,
)
from healthcert.services import exporting, importing, lots, sheets
from healthcert.services.cells import Setting
from healthcert.services.import_kinds import KINDS
from healthcert.services.importing import Report
from healthcert.services.people import IdentityDetails, details_of
from tests.factories import NOW, add, day, make_admin, make_organisation
from tests.models.refusals import refused
from tests.services.clinic import COMIRNATY, Clinic, details
from tests.services.test_my_record import erase
from tests.threads import at_once

PEOPLE = """family,given,family_latin,given_latin,birth_date,sex,phone,identity_kind,identity_value
الخوري,ليلى,Khoury,Layla,1980-05-17,female,+44 7700 900123,national,A-1
Haddad,Karim,,,1975,male,,passport,P2
Nasser,Rima,,,2001-02-03,,,none,
"""
SITES = """code;name_en;name_ar;address_en;region;latitude;longitude;step_free
nord;North clinic;عيادة الشمال;1 Quay;coast;33,9;35.5;yes
sud;South clinic;;2 Quay;valley;-33.1;35.6;
"""


@dataclass
class Table:
    """A way to look at tables, take them in and back, and give them out, each in a deed."""

    clinic: Clinic

    def setting(self, kind):
        staff = self.clinic.nurse if KINDS[kind].by_staff else None
        return Setting(self.clinic.vault, self.clinic.country, staff, NOW)

    def look(self, kind, text):
        with self.clinic.doors.reading() as db:
            return importing.look(
                db, setting=self.setting(kind), kind=KINDS[kind], lines=self.lines(kind, text)
            )

    def take(self, kind, text, **values):
        return take_in(
            self.clinic.doors, setting=self.setting(kind), kind=KINDS[kind],
            lines=self.lines(kind, text), raw=text.encode(), **values,
        )  # fmt: skip

    def back(self, kind, batch_id):
        with self.clinic.doors.transaction() as db:
            return importing.take_back(
                db, setting=self.setting(kind), kind=KINDS[kind], batch_id=batch_id
            )

    def out(self, kind):
        with self.clinic.doors.transaction() as db:
            return exporting.give_out(db, setting=self.setting(kind), kind=kind)

    def lines(self, kind, text):
        kind = KINDS[kind]
        return sheets.read(text.encode(), columns=kind.columns, required=kind.required)

    def count(self, model):
        with self.clinic.doors.reading() as db:
            return db.scalar(select(func.count()).select_from(model))


@pytest.fixture
def table(clinic):
    return Table(clinic)


def test_people_are_taken_in_as_they_are_enrolled(table, clinic):
    told = []
    report = table.take("people", PEOPLE, progress=told.append)
    assert (report.lines, report.new, report.known, report.twice) == (3, 3, [], {})
    assert sum(told) == 3
    with clinic.doors.reading() as db:
        told = [details_of(clinic.vault, person) for person in db.scalars(select(Person))]
    opened = sorted(told, key=lambda person: person.birth_date)
    assert [person.given_latin for person in opened] == ["", "Layla", ""]
    assert (opened[0].birth_date, opened[1].phone, opened[2].sex) == (
        "1975", "+447700900123", "unknown",
    )  # fmt: skip


def test_looking_writes_nothing(table):
    assert table.look("people", PEOPLE).new == 3
    assert table.count(Person) == table.count(ImportBatch) == 0


def test_one_bad_line_keeps_all_of_it_out_and_each_fault_is_named(table):
    text = PEOPLE + "Saad,Rami,,,1985-13-01,male,12,national,\n,Sami,,,1990,boy,,passport,P9\n"
    with pytest.raises(BadRows) as caught:
        table.take("people", text)
    assert set(caught.value.faults) == {
        (5, "birth_date", "not_a_date"), (5, "phone", "not_a_phone_number"),
        (5, "identity_value", "missing"), (6, "family", "missing"),
    }  # fmt: skip
    assert table.count(Person) == table.count(ImportBatch) == 0


def test_who_is_on_record_or_in_the_table_twice_is_passed_over_and_reported(table):
    table.take("people", PEOPLE)
    again = PEOPLE + PEOPLE.splitlines()[2] + "\nNew,One,,,1999,,,passport,P7\n"
    report = table.take("people", again)
    assert (report.new, report.known, report.twice) == (2, [2, 3], {5: 3})
    # Who has no number cannot be known again: the third line is another person of that name.
    assert table.count(Person) == 5


def test_a_line_that_contradicts_the_record_is_a_fault(table):
    table.take("people", PEOPLE)
    report = table.look("people", PEOPLE.replace("1975", "1976"))
    assert report.faults == [(3, "birth_date", "contradicts_record")]


def test_a_file_that_is_in_is_not_taken_in_twice(table):
    table.take("people", PEOPLE)
    with pytest.raises(WrongState):
        table.take("people", PEOPLE)
    assert table.count(Person) == 3


def test_a_batch_is_taken_back_but_for_what_something_leans_on(table, clinic):
    batch = table.take("people", PEOPLE).batch_id
    with clinic.doors.reading() as db:
        told = [details_of(clinic.vault, each) for each in db.scalars(select(Person))]
    [known] = [each for each in told if each.identity.kind == "passport"]
    clinic.book(clinic.slot(), replace(known, phone="+447700900999"))
    assert table.back("people", batch) == (2, 1)
    assert table.count(Person) == 1
    with clinic.doors.reading() as db:  # and nobody is found any more who is not there
        owners = set(db.scalars(select(PersonToken.person_id)))
        assert owners == set(db.scalars(select(Person.id)))
    with pytest.raises(WrongState):
        table.back("people", batch)
    with pytest.raises(NotFound):
        table.back("sites", batch)
    assert table.take("people", PEOPLE).new == 2  # it may come in again


@pytest.fixture
def killed(table, monkeypatch):
    """The first of three pieces of a table are in: then the power went."""
    monkeypatch.setattr(importing, "PIECE", 1)
    told = []

    def progress(lines):
        told.append(lines)
        if len(told) == 2:  # after what was passed over, and the first piece
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        table.take("people", PEOPLE, progress=progress)
    with table.clinic.doors.reading() as db:
        return db.scalars(select(ImportBatch)).one()


def test_killed_between_two_pieces_it_goes_on_there_and_nobody_is_written_twice(table, killed):
    assert (killed.state, table.count(Person), table.count(ImportLine)) == ("taking", 1, 1)
    told = []
    report = table.take("people", PEOPLE, progress=told.append)
    assert (report.new, report.known, report.batch_id, told) == (3, [], killed.id, [1, 1, 1])
    assert table.count(Person) == table.count(ImportLine) == 3
    with table.clinic.doors.reading() as db:
        assert db.get_one(ImportBatch, killed.id).state == "in"
        acts = db.scalars(select(AuditEvent.act)).all()
    assert acts.count("import_taken_in") == 1
    with pytest.raises(WrongState):
        table.take("people", PEOPLE)


def test_a_batch_that_was_killed_is_taken_back_as_a_whole(table, killed):
    assert table.back("people", killed.id) == (1, 0)
    assert table.count(Person) == 0
    assert table.take("people", PEOPLE).batch_id != killed.id


def test_two_who_take_one_file_in_at_once_write_it_once(table, killed):
    reports = at_once(2, lambda _turn: table.take("people", PEOPLE))
    assert {report.batch_id for report in reports if isinstance(report, Report)} == {killed.id}
    assert table.count(Person) == table.count(ImportLine) == 3


def test_two_who_begin_with_one_file_at_once_write_it_once(table):
    for told in at_once(2, lambda _turn: table.take("people", PEOPLE)):
        assert isinstance(told, (Report, WrongState)), told
    assert (table.count(Person), table.count(ImportBatch)) == (3, 1)


def test_a_line_that_contradicts_the_record_by_now_keeps_the_batch_open(table, killed):
    changed = details(birth_date="1999", identity=IdentityDetails("passport", "XX", "P2"))
    table.clinic.book(table.clinic.slot(), changed)
    with pytest.raises(BadRows):
        table.take("people", PEOPLE)
    assert table.back("people", killed.id) == (1, 0)


def test_sites_are_taken_in_and_back(table, clinic):
    report = table.take("sites", SITES)
    with clinic.doors.reading() as db:
        north, south = db.scalars(select(Site).where(Site.code != clinic.site.code))
    assert (north.latitude, north.step_free, south.step_free) == (33.9, True, False)
    assert north.names == {"en": "North clinic", "fr": "North clinic", "ar": "عيادة الشمال"}
    assert table.back("sites", report.batch_id) == (2, 0)


FULL = """code,name_en,address_en,region,latitude,longitude,time_zone,step_free,facilities,\
languages,female_vaccinator,hours,closed_on,organisation
nord,North,1 Quay,coast,33.9,35.5,Asia/Beirut,yes,lift toilet,ar fr,yes,\
"Mo-Tu 08:00-12:00,13:00-16:00",2026-12-25 2027-01-01,NORTH
"""


def test_what_is_told_of_a_site_comes_in_and_goes_out_again(table, clinic):
    with pytest.raises(BadRows) as told:
        table.take("sites", FULL)
    assert told.value.faults == ((2, "organisation", "not_known"),)
    with clinic.doors.transaction() as db:
        north = make_organisation(db, code="NORTH").id
    report = table.take("sites", FULL)
    with clinic.doors.reading() as db:
        site = db.scalars(select(Site).where(Site.code == "nord")).one()
        assert (site.facilities, site.languages) == (["lift", "toilet"], ["ar", "fr"])
        assert site.female_vaccinator
        assert site.organisation_id == north
    out = table.out("sites")
    assert "Mo-Tu 08:00-12:00,13:00-16:00" in out
    assert "2026-12-25 2027-01-01" in out
    assert table.back("sites", report.batch_id) == (1, 0)
    [line] = [line for line in out.splitlines() if line.startswith("nord")]
    assert table.take("sites", "\n".join([out.splitlines()[0], line])).new == 1
    assert line in table.out("sites")


@pytest.mark.parametrize(
    ("before", "after", "fault"),
    [
        ("lift toilet", "lift throne", ("facilities", "not_a_choice")),
        ("ar fr", "ar klingon", ("languages", "not_known")),
        (',yes,"', ',perhaps,"', ("female_vaccinator", "not_a_choice")),
        ("Mo-Tu", "Mo-Xx", ("hours", "not_hours")),
        ("2027-01-01", "1.1.2027", ("closed_on", "not_a_date")),
    ],
)
def test_what_is_wrong_with_the_facts_of_a_site_is_named(table, before, after, fault):
    assert table.look("sites", FULL.replace(before, after)).faults == [(2, *fault)]


@pytest.mark.parametrize(
    ("before", "after", "fault"),
    [
        ("33,9", "north", ("latitude", "not_degrees")),
        ("33,9", "91", ("latitude", "out_of_range")),
        ("coast", "moon", ("region", "not_known")),
        (";yes", ";perhaps", ("step_free", "not_a_choice")),
    ],
)
def test_what_is_wrong_with_a_site_is_named(table, before, after, fault):
    assert table.look("sites", SITES.replace(before, after)).faults == [(2, *fault)]


def test_a_zone_that_nobody_keeps_is_refused(table):
    text = "code,name_en,address_en,region,latitude,longitude,time_zone\na,A,B,coast,1,2,Mars/One\n"
    assert table.look("sites", text).faults == [(2, "time_zone", "not_known")]


def test_staff_are_taken_in_and_those_who_did_something_only_stop_working(table, clinic):
    site = clinic.site.code
    text = f"name,role,site\nNoor,nurse,{site}\nAda,admin,\n"
    report = table.take("staff", text)
    with clinic.doors.transaction() as db:
        noor = db.scalars(select(Staff).where(Staff.name == "Noor")).one()
        add(
            db,
            ImportBatch(
                recorded_at=NOW, kind="sites", sha256="0" * 64, lines=0, state="in",
                staff_id=noor.id,
            ),
        )  # fmt: skip
    assert table.take("staff", text + "\n").known == [2, 3]
    assert table.back("staff", report.batch_id) == (1, 1)
    with clinic.doors.reading() as db:
        assert not db.get_one(Staff, noor.id).active


def test_what_is_wrong_with_staff_is_named(table, clinic):
    text = f"name,role,site\nA,nurse,\nB,admin,{clinic.site.code}\nC,chief,\nD,clerk,moon\n"
    text += f"{'x' * 101},admin,\n"
    assert table.look("staff", text).faults == [
        (2, "site", "missing"), (3, "site", "not_needed"), (4, "role", "not_a_choice"),
        (5, "site", "not_known"), (6, "name", "too_long"),
    ]  # fmt: skip


LOTS = f"product,number,expires_on\n{COMIRNATY},ab 12,2026-12-31\n"


def ordered(clinic, state, reason="checked"):
    """Order the only lot to a state, by somebody else than who imported it."""
    with clinic.doors.transaction() as db:
        lots.order(
            db, lot_id=db.scalars(select(Lot.id)).one(), state=state, since=None, reason=reason,
            staff=make_admin(db), country=clinic.country, now=NOW,
        )  # fmt: skip


def lot_state(clinic):
    with clinic.doors.reading() as db:
        lot = db.scalars(select(Lot)).one()
        newest = select(LotValidity.reason).order_by(LotValidity.ordinal.desc())
        return lot.number, lot.state, db.scalars(newest.limit(1)).one()


def test_a_lot_comes_into_quarantine_and_counts_once_another_released_it(table, clinic):
    table.take("lots", LOTS)
    assert lot_state(clinic) == ("AB12", "quarantined", "received")
    waits = clinic.record(clinic.book(clinic.slot()), lot="AB12")
    assert clinic.counts(waits) == ("unknown", None)
    ordered(clinic, "released")
    given = clinic.record(clinic.book(clinic.slot(day(2))), lot="AB12")
    assert clinic.counts(given) == ("valid", 1)


def test_who_took_a_lot_in_does_not_release_it(table, clinic):
    table.take("lots", LOTS)
    with clinic.doors.transaction() as db, pytest.raises(NotAllowed):
        lots.order(
            db, lot_id=db.scalars(select(Lot.id)).one(), state="released", since=None,
            reason="checked", staff=clinic.nurse, country=clinic.country, now=NOW,
        )  # fmt: skip


def test_a_lot_taken_back_is_out_of_use_though_it_was_released(table, clinic):
    batch = table.take("lots", LOTS).batch_id
    ordered(clinic, "released")
    assert table.back("lots", batch) == (1, 0)
    assert lot_state(clinic) == ("AB12", "quarantined", "import_taken_back")
    assert table.look("lots", LOTS).known == [2]


def test_a_lot_that_was_given_stays(table, clinic):
    batch = table.take("lots", LOTS).batch_id
    ordered(clinic, "released")
    clinic.record(clinic.book(clinic.slot()), lot="AB12")
    assert table.back("lots", batch) == (0, 1)
    assert lot_state(clinic) == ("AB12", "released", "checked")
    again = table.take("lots", LOTS + f"{COMIRNATY},CD34,2026-12-31\n")
    assert again.known == [2]


@pytest.mark.parametrize("kind", ["lots", "doses"])
def test_somebody_answers_for_lots_and_doses(clinic, kind):
    nobody = Setting(clinic.vault, clinic.country, None, NOW)
    asked = {"setting": nobody, "kind": KINDS[kind]}
    with pytest.raises(BadInput, match="staff"):
        take_in(clinic.doors, lines=[], raw=b"", **asked)
    with pytest.raises(BadInput, match="staff"), clinic.doors.transaction() as db:
        importing.take_back(db, batch_id=new_id(), **asked)


def test_what_is_wrong_with_a_lot_is_named(table):
    table.take("lots", LOTS)
    for before, after, fault in (
        ("2026-12-31", "2027-12-31", ("expires_on", "contradicts_record")),
        ("2026-12-31", "December", ("expires_on", "not_a_date")),
        ("ab 12", "x" * 21, ("number", "too_long")),
        (COMIRNATY, "EU/9/99", ("product", "not_known")),
    ):
        assert table.look("lots", LOTS.replace(before, after)).faults == [(2, *fault)]


@pytest.mark.parametrize(
    ("kind", "text"), [("people", PEOPLE), ("sites", SITES), ("staff", None), ("lots", LOTS)]
)
def test_what_is_given_out_is_known_when_it_comes_back(table, clinic, kind, text):
    table.take(kind, text or f"name,role,site\nNoor,nurse,{clinic.site.code}\n")
    report = table.look(kind, table.out(kind).replace("North,48.0", "coast,48.0"))
    assert report.faults == []
    assert (report.new, len(report.known)) == (0, report.lines)


def test_who_has_no_number_is_known_by_our_own_reference_and_never_by_a_name(table, clinic):
    table.take("people", PEOPLE)
    out = table.out("people")
    # Who was written in one millisecond comes out in any order.
    [(line, ours)] = [
        (number, text.rpartition(",")[2])
        for number, text in enumerate(out.splitlines(), 1)
        if "2001-02-03" in text
    ]
    for text, fault in (
        (out.replace("2001-02-03", "2001-02-04"), (line, "person", "contradicts_record")),
        (out.replace(ours, "somebody"), (line, "person", "not_known")),
    ):
        assert table.look("people", text).faults == [fault]
    nameless = out.replace(ours, "")
    assert table.look("people", nameless).new == 1
    erase(clinic, UUID(ours))
    assert table.look("people", out).faults == [(line, "person", "contradicts_record")]


def test_people_without_a_number_keep_their_reference_in_another_country_s_books(table, clinic):
    ours = "019a7d3e-6a41-7b5c-9c1e-5a0f0b7a2d11"
    head, *lines = PEOPLE.splitlines()
    text = "\n".join([f"{head},person", *(f"{each}," for each in lines[:2]), lines[2] + f",{ours}"])
    assert table.take("people", text).new == 3
    assert table.look("people", text + "\n").known == [2, 3, 4]
    with clinic.doors.reading() as db:
        assert details_of(clinic.vault, db.get_one(Person, UUID(ours))).family == "Nasser"


def test_what_was_done_is_audited_without_anything_personal(table, clinic):
    batch = table.take("people", PEOPLE).batch_id
    table.out("people")
    table.back("people", batch)
    with clinic.doors.reading() as db:
        events = db.execute(
            select(AuditEvent.act, AuditEvent.details)
            .where(AuditEvent.act.like("%port_%"))
            .order_by(AuditEvent.id)
        ).all()
    assert [tuple(event) for event in events] == [
        ("import_taken_in", {"kind": "people", "lines": 3, "new": 3}),
        ("export_given_out", {"lines": 3}),
        ("import_taken_back", {"kind": "people", "gone": 3, "stayed": 0}),
    ]


def test_the_database_keeps_one_batch_of_a_file_and_its_lines(db):
    told = {"recorded_at": NOW, "kind": "lots", "sha256": "0" * 64, "lines": 1}
    batch = add(db, ImportBatch(state="taking", **told))
    for state in ("taking", "in"):
        with refused(db, "one_batch_in"):
            add(db, ImportBatch(state=state, **told))
    db.execute(update(ImportBatch).values(state="in"))
    with refused(db, "import_batch_transition"):
        db.execute(update(ImportBatch).values(state="taking"))
    with refused(db, "ck_import_batch_ended"):
        db.execute(update(ImportBatch).values(state="taken_back"))
    line = {"recorded_at": NOW, "batch_id": batch.id, "subject_id": batch.id}
    add(db, ImportLine(number=2, **line))
    for number, rule in ((1, "ck_import_line_number"), (2, "uq_import_line_batch_id_number")):
        with refused(db, rule):
            add(db, ImportLine(number=number, **line))
    db.execute(update(ImportBatch).values(state="taken_back", ended_at=NOW))
    with refused(db, "import_batch_transition"):
        db.execute(update(ImportBatch).values(state="in", ended_at=None))
