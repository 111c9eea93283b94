"""People with and without papers: vouched for, known by a card, a document that comes later."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from healthcert.errors import BadInput
from healthcert.models import AccessCode, AuditEvent, Identity, Request
from healthcert.services import access, enrolment, identities, people, rotation
from healthcert.services.people import IdentityDetails
from tests.factories import NOW
from tests.services.clinic import PEPPER, details

BORN = "1980-05-17"
PASSPORT = IdentityDetails("passport", "XX", "ab 12-34")


def somebody(clinic, **changes):
    told = details(**changes)
    return clinic.doors.run(
        lambda db: enrolment.enrol(db, vault=clinic.vault, details=told, now=NOW)
    ).id


def desk(clinic, work, person_id, **more):
    """Let the nurse do something for somebody."""
    deed = {"vault": clinic.vault, "staff": clinic.nurse, "country": "XX", "now": NOW}
    return clinic.doors.run(lambda db: work(db, person_id=person_id, **deed, **more))


def is_sent(clinic, claim) -> bool:
    """Say whether a code goes to the person of whom that is known."""
    with clinic.doors.transaction() as db:
        access.request_code(db, vault=clinic.vault, pepper=PEPPER, claim=claim, now=NOW)
        sent = db.scalar(select(AccessCode.id)) is not None
        db.rollback()
    return sent


def held(clinic, person_id) -> list[tuple[str, str]]:
    with clinic.doors.reading() as db:
        rows = db.scalars(select(Identity).filter_by(person_id=person_id).order_by(Identity.id))
        return [(row.kind, row.level) for row in rows]


@pytest.mark.parametrize("kind", access.DOCUMENTS)
def test_a_documents_number_with_the_birth_date_is_known(clinic, kind):
    somebody(clinic, identity=IdentityDetails(kind, "XX", "AB1234"))
    assert is_sent(clinic, access.Claim("ab-12 34", BORN, kind))
    for wrong in (
        access.Claim("ab1234", "1980-05-18", kind),
        access.Claim("ab1235", BORN, kind),
        access.Claim("ab1234", BORN, "refugee" if kind == "passport" else "passport"),
        access.Claim("ab1234", BORN, kind, country="FR"),
    ):
        assert not is_sent(clinic, wrong)


@pytest.mark.parametrize("kind", ["none", "vouched", "card", "subject", "phone", ""])
def test_nothing_else_is_taken_for_a_document(clinic, kind):
    with pytest.raises(BadInput, match="not_a_choice"):
        is_sent(clinic, access.Claim("+447700900001", BORN, kind))


def test_a_document_without_a_number_is_named(clinic):
    with pytest.raises(BadInput, match="missing"):
        is_sent(clinic, access.Claim(" ", BORN, "passport"))


def test_a_card_is_known_however_it_is_read_out_until_there_is_another(clinic):
    who = somebody(clinic, identity=IdentityDetails("none"))
    first = desk(clinic, identities.new_card, who)
    assert is_sent(clinic, access.Claim(first.lower().replace("-", " "), BORN))
    second = desk(clinic, identities.new_card, who)
    assert not is_sent(clinic, access.Claim(first, BORN))
    assert is_sent(clinic, access.Claim(second, BORN))
    assert held(clinic, who) == [("none", "low"), ("card", "low")]


def test_who_is_vouched_for_names_who_vouches(clinic):
    who = somebody(clinic, identity=IdentityDetails("vouched", value=" Kanari  the Imam "))
    with clinic.doors.reading() as db:
        told = people.details_of(clinic.vault, db.get_one(people.Person, who))
    assert told.identity.value == "Kanari the Imam"
    assert held(clinic, who) == [("vouched", "low")]
    with pytest.raises(BadInput, match="missing"):
        somebody(clinic, identity=IdentityDetails("vouched"))


def test_a_document_that_comes_later_is_known_beside_what_was_before(clinic):
    who = somebody(clinic, identity=IdentityDetails("municipal", "XX", "M1"))
    assert desk(clinic, identities.add_document, who, told=PASSPORT)
    assert desk(clinic, identities.add_document, who, told=PASSPORT)
    assert held(clinic, who) == [("municipal", "low"), ("passport", "substantial")]
    assert is_sent(clinic, access.Claim("AB1234", BORN, "passport"))
    assert is_sent(clinic, access.Claim("m1", BORN, "municipal"))


def test_all_documents_are_indexed_anew(clinic):
    who = somebody(clinic, identity=IdentityDetails("municipal", "XX", "M1"))
    desk(clinic, identities.add_document, who, told=PASSPORT)
    card = desk(clinic, identities.new_card, who)
    with clinic.doors.transaction() as db:
        for row in db.scalars(select(Identity)):
            row.blind = row.id.bytes  # as if under a key that is gone
        db.flush()
        person = db.get_one(people.Person, who)
        person.indexed_by = "0000000001"[:8]
        enrolment.index(db, vault=clinic.vault, people=[person])
        assert rotation.waiting(db, clinic.vault, "indexed") == 0
    for claim in (
        access.Claim("M1", BORN, "municipal"),
        access.Claim("AB1234", BORN, "passport"),
        access.Claim(card, BORN),
    ):
        assert is_sent(clinic, claim)


def test_a_document_of_somebody_else_is_reported_and_nothing_is_merged(clinic):
    one = somebody(clinic, identity=PASSPORT)
    other = somebody(clinic, identity=IdentityDetails("none"))
    assert not desk(clinic, identities.add_document, other, told=PASSPORT)
    assert held(clinic, other) == [("none", "low")]
    with clinic.doors.reading() as db:
        [request] = db.scalars(select(Request))
        assert (request.kind, request.person_id, request.state) == (
            "correction", other, "submitted",
        )  # fmt: skip
        document = db.scalars(select(Identity.id).filter_by(person_id=one)).one()
        assert request.subject == {"other": str(one), "document": str(document)}
        assert "document_added" not in db.scalars(select(AuditEvent.act)).all()
