"""A document that two records claim: decided step by step, moved or left, and told."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import delete, select, update

from healthcert.data.knowledge import country
from healthcert.errors import BadInput, NeedsAnother, NotFound, WrongState
from healthcert.models import (
    AuditEvent,
    Identity,
    Invitation,
    Message,
    Person,
    Request,
    Site,
    Staff,
)
from healthcert.services import contested, enrolment, erasure, identities, looks, people, requests
from healthcert.services.audit import Actor
from healthcert.services.people import IdentityDetails
from tests.factories import NOW, make_organisation, make_staff
from tests.services.test_identities import PASSPORT, desk, held, somebody


@pytest.fixture
def case(clinic):
    """Give the request, who decides, and the two people: a passport is shown for the second."""

    def made():
        one = somebody(clinic, identity=PASSPORT)
        other = somebody(clinic, identity=IdentityDetails("none"))
        with clinic.doors.transaction() as db:
            ours = make_organisation(db).id
            db.execute(update(Site).values(organisation_id=ours))
            staff = {
                name: make_staff(db, role=role, site_id=site, organisation_id=body).id
                for name, role, site, body in (
                    ("asked", "clerk", clinic.site.id, None),
                    ("clerk", "clerk", clinic.site.id, None),
                    ("chief", "admin", None, ours),
                    ("second", "admin", None, ours),
                    ("stranger", "admin", None, make_organisation(db).id),
                )
            }
            asked = db.get_one(people.Person, other)
            identities.add_document(
                db, vault=clinic.vault, person_id=asked.id, told=PASSPORT, country="XX", now=NOW,
                staff=db.get_one(Staff, staff["asked"]),
            )  # fmt: skip
            request = db.scalars(select(Request)).one().id
        return request, staff, one, other

    return made


def step(clinic, request, staff_id, act, reason=""):
    told = {"vault": clinic.vault, "country": country("XX"), "now": NOW}

    def work(db):
        staff = db.get_one(Staff, staff_id)
        contested.decide(db, request_id=request, act=act, reason=reason, staff=staff, **told)

    clinic.doors.run(work)


def look(clinic, request, staff_id):
    with clinic.doors.transaction() as db:
        staff = db.get_one(Staff, staff_id)
        return contested.one(db, vault=clinic.vault, request_id=request, staff=staff, now=NOW)


def listed(clinic, staff_id) -> dict[UUID, str]:
    with clinic.doors.reading() as db:
        found = contested.waiting(db, staff=db.get_one(Staff, staff_id), now=NOW)
        return {each.id: each.kind for each in found}


def carry_out(clinic, request, staff):
    step(clinic, request, staff["clerk"], "verify", "document_seen")
    step(clinic, request, staff["chief"], "approve", "document_seen")
    step(clinic, request, staff["second"], "carry_out")


def known_by(clinic, person_id) -> IdentityDetails:
    with clinic.doors.reading() as db:
        return people.details_of(clinic.vault, db.get_one(Person, person_id)).identity


def told(clinic, person_id):
    with clinic.doors.reading() as db:
        query = select(Message.template).filter_by(person_id=person_id).order_by(Message.id)
        return db.scalars(query).all()


def test_a_document_moves_after_four_people_and_both_are_told(clinic, case):
    request, staff, one, other = case()
    step(clinic, request, staff["clerk"], "verify", "document_seen")
    step(clinic, request, staff["chief"], "approve", "details_fit")
    with pytest.raises(NeedsAnother):
        step(clinic, request, staff["chief"], "carry_out")
    assert held(clinic, other) == [("none", "low")]
    with pytest.raises(WrongState):
        step(clinic, request, staff["second"], "reject", "one_person")
    step(clinic, request, staff["second"], "carry_out")
    assert held(clinic, one) == [("none", "low")]
    assert held(clinic, other) == [("none", "low"), ("passport", "substantial")]
    assert (told(clinic, one), told(clinic, other)) == (["document_gone"], ["document_moved"])
    assert [known_by(clinic, each).kind for each in (one, other)] == ["none", "passport"]
    with clinic.doors.reading() as db:
        acts = set(db.scalars(select(AuditEvent.act).filter_by(subject_kind="person")))
        assert {"document_gone", "document_added"} <= acts
    assert desk(clinic, identities.add_document, other, told=PASSPORT), "it is theirs alone now"


def test_whoever_asked_does_not_decide_nor_who_is_elsewhere_nor_out_of_turn(clinic, case):
    request, staff, *_ = case()
    for who, act, refusal in (
        ("asked", "verify", NeedsAnother), ("asked", "reject", NeedsAnother),
        ("chief", "approve", WrongState),
        ("clerk", "carry_out", WrongState), ("chief", "reject", WrongState),
        ("stranger", "verify", NotFound),
    ):  # fmt: skip
        reason = "one_person" if act == "reject" else "document_seen"
        with pytest.raises(refusal):
            step(clinic, request, staff[who], act, reason)
    for reason in ("", "because", "evidence_missing"):
        with pytest.raises(BadInput, match="reason"):
            step(clinic, request, staff["clerk"], "verify", reason)
    with pytest.raises(BadInput, match="act"):
        step(clinic, request, staff["clerk"], "ask", "evidence_missing")


def test_a_document_that_stays_is_told_to_who_showed_it(clinic, case):
    request, staff, one, other = case()
    step(clinic, request, staff["clerk"], "reject", "one_person")
    assert held(clinic, one) == [("passport", "low")]
    assert (told(clinic, one), told(clinic, other)) == ([], ["document_stays"])
    with pytest.raises(NotFound):
        step(clinic, request, staff["clerk"], "verify", "document_seen")


def test_both_records_are_seen_by_who_decides_now_alone_and_each_look_is_kept(clinic, case):
    request, staff, one, other = case()
    for who in ("asked", "chief"):
        shown = look(clinic, request, staff[who])
        assert (shown.asking, shown.holding, shown.ends_in) == (None, None, "")
    with pytest.raises(NotFound):
        look(clinic, request, staff["stranger"])
    shown = look(clinic, request, staff["clerk"])
    assert shown.waiting.mine
    assert (shown.kind, shown.ends_in, shown.holding.documents) == (
        "passport", "234", ["passport"],
    )  # fmt: skip
    with clinic.doors.reading() as db:
        for each in (one, other):
            [access] = looks.access_log(db, person_id=each)
            assert (access.reason, access.who) == ("correction", staff["clerk"])


def test_an_officer_who_is_new_here_neither_sees_the_records_nor_decides(clinic, case):
    request, staff, one, _other = case()
    step(clinic, request, staff["clerk"], "verify", "document_seen")
    with clinic.doors.transaction() as db:
        db.add(Invitation(
            staff_id=staff["chief"], kind="first", requested_by=staff["second"], recorded_at=NOW,
        ))  # fmt: skip
    with pytest.raises(NeedsAnother):
        look(clinic, request, staff["chief"])
    with pytest.raises(NeedsAnother):
        step(clinic, request, staff["chief"], "approve", "document_seen")
    with clinic.doors.reading() as db:
        assert looks.access_log(db, person_id=one) == []
    assert look(clinic, request, staff["second"]).holding


def test_the_same_document_shown_twice_waits_once(clinic, case):
    *_, other = case()
    assert not desk(clinic, identities.add_document, other, told=PASSPORT)
    with clinic.doors.reading() as db:
        assert len(db.scalars(select(Request)).all()) == 1


def test_another_document_of_the_same_two_is_asked_about_and_decided_by_itself(clinic, case):
    request, staff, one, other = case()
    card = IdentityDetails("national", "XX", "5566778")
    assert desk(clinic, identities.add_document, one, told=card)
    assert not desk(clinic, identities.add_document, other, told=card)
    assert not desk(clinic, identities.add_document, other, told=card), "once, though shown twice"
    with clinic.doors.reading() as db:
        [second] = db.scalars(select(Request.id).where(Request.id != request))
    assert look(clinic, second, staff["clerk"]).kind == "national"
    assert listed(clinic, staff["stranger"]) == {}
    assert listed(clinic, staff["asked"]) == {request: "passport", second: "national"}
    step(clinic, request, staff["clerk"], "reject", "one_person")
    carry_out(clinic, second, staff)
    assert held(clinic, one) == [("passport", "low")]
    assert held(clinic, other) == [("none", "low"), ("national", "substantial")]
    assert known_by(clinic, one).value == "AB1234", "what is left to them"


def test_of_a_request_from_before_or_a_document_that_has_gone_the_kind_is_not_said(clinic, case):
    request, staff, one, other = case()
    with clinic.doors.transaction() as db:
        before = requests.submit(
            db, vault=clinic.vault, country="XX", kind="correction", subject={"other": one},
            person=db.get_one(Person, other), asked={"document": asdict(PASSPORT)},
            reason="duplicate", staff=db.get_one(Staff, staff["asked"]), now=NOW,
        ).id  # fmt: skip
    assert listed(clinic, staff["asked"]) == {request: "passport", before: ""}
    assert look(clinic, before, staff["clerk"]).kind == "passport"
    with clinic.doors.transaction() as db:
        db.execute(delete(Identity).where(Identity.person_id == one))
    assert listed(clinic, staff["asked"]) == {request: "", before: ""}


def test_who_keeps_other_documents_is_known_by_the_newest_and_not_by_a_card_of_ours(clinic, case):
    request, staff, one, other = case()
    later = [IdentityDetails(kind, "XX", "K1") for kind in ("refugee", "municipal", "national")]
    for minutes, paper in enumerate(later):
        with clinic.doors.transaction() as db:
            identities.add_document(
                db, vault=clinic.vault, person_id=one, told=paper, staff=clinic.nurse,
                country="XX", now=NOW + timedelta(minutes=minutes),
            )  # fmt: skip
    desk(clinic, identities.new_card, one)
    assert not desk(clinic, identities.add_document, other, told=later[-1])
    with clinic.doors.reading() as db:
        [second] = db.scalars(select(Request.id).where(Request.id != request))
    carry_out(clinic, second, staff)
    assert known_by(clinic, one) == IdentityDetails("municipal", "XX", "K1")
    assert ("none", "low") not in held(clinic, one)
    with clinic.doors.reading() as db:
        assert enrolment.fits(clinic.vault, db.get_one(Person, one), later[1], "1980-05-17")


def test_a_document_of_before_that_lies_sealed_nowhere_leaves_them_without(clinic, case):
    request, staff, one, _other = case()
    with clinic.doors.transaction() as db:
        db.execute(update(Identity).where(Identity.person_id == one).values(sealed=None))
        db.add(Identity(
            person_id=one, kind="national", country="XX", level="low", blind=b"of before",
            recorded_at=NOW,
        ))  # fmt: skip
    carry_out(clinic, request, staff)
    assert known_by(clinic, one) == IdentityDetails("none", "XX")


@pytest.mark.parametrize("who", ["asking", "holding"])
def test_nothing_moves_to_or_from_who_was_erased_and_the_request_ends(clinic, case, who):
    request, staff, one, other = case()
    step(clinic, request, staff["clerk"], "verify", "document_seen")
    erased, left = (other, one) if who == "asking" else (one, other)
    with clinic.doors.transaction() as db:
        actor = Actor("citizen", erased)
        erasure.erase(
            db, vault=clinic.vault, person_id=erased, actor=actor, reason="asked", now=NOW
        )
    shown = look(clinic, request, staff["chief"])
    assert (shown.asking if who == "asking" else shown.holding).name == ""
    step(clinic, request, staff["chief"], "approve", "document_seen")
    step(clinic, request, staff["second"], "carry_out")
    assert held(clinic, left) == ([("passport", "low")] if left == one else [("none", "low")])


def test_a_document_that_has_gone_meanwhile_is_not_written_twice(clinic, case):
    request, staff, one, other = case()
    third = somebody(clinic)
    with clinic.doors.transaction() as db:
        db.execute(update(Identity).where(Identity.person_id == one).values(person_id=third))
    carry_out(clinic, request, staff)
    assert held(clinic, other) == [("none", "low")]
    assert told(clinic, other) == ["document_stays"]
