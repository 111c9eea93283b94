"""Who cannot be written to is called: for what bears on them, by whose people they are."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from healthcert.errors import NotFound, WrongState
from healthcert.models import AuditEvent, Message, Site
from healthcert.services import (
    calls,
    cancelling,
    desk,
    enrolment,
    findings,
    messages,
    moving,
    rebooking,
    sweeping,
)
from healthcert.services.looks import access_log
from healthcert.services.offers import decline
from healthcert.services.part import Part
from tests import factories as make
from tests.factories import NOW, day
from tests.services.clinic import details
from tests.services.test_lots import judge_again, order
from tests.services.test_waiting import Line
from tests.statements import sent

NOBODY = {"phone": "", "mail": ""}
CLOSED, NEXT = day(3), day(5)


def closed(clinic, *who):
    """Book people on a day, close it and book them anew; return what they had."""
    shut = clinic.slot(CLOSED, capacity=len(who))
    had = [clinic.book(shut, one) for one in who]
    of = {"site_id": clinic.site.id, "day": CLOSED, "staff": clinic.nurse, "now": NOW}
    clinic.doors.run(lambda db: cancelling.close_day(db, **of))
    for one in had:
        told = {"vault": clinic.vault, "appointment_id": one.id, "slots": [], "now": NOW}
        clinic.doors.run(lambda db, told=told: rebooking.rebook(db, **told))
    return had


def to_call(clinic, staff=None, now=NOW, channels=("sms", "mail"), after=(), most=50):
    of = {"vault": clinic.vault, "channels": channels, "now": now, "part": Part(after, most)}
    return clinic.doors.run(lambda db: calls.waiting(db, staff=staff or clinic.nurse, **of))


def do(clinic, deed, call, staff=None, now=NOW):
    of = {"message_id": call.id, "channels": ("sms", "mail"), "now": now}
    clinic.doors.run(lambda db: deed(db, staff=staff or clinic.nurse, **of))


def states(clinic):
    with clinic.doors.reading() as db:
        rows = db.execute(
            select(Message.channel, Message.state).where(Message.template != "booked")
        )
        return sorted(map(tuple, rows))


def test_who_left_no_address_is_called_after_a_closure_with_the_words_of_the_message(clinic):
    slot = clinic.slot(NEXT)
    [old] = closed(clinic, details(language="fr", **NOBODY))
    [call] = to_call(clinic)
    assert call.person_id == old.person_id
    assert (call.name, call.phone, call.language, call.tried) == ("كنارية الكناري", "", "fr", 0)
    assert call.birth_date == "1980-05-17"
    assert call.until == slot.starts_at
    assert "Votre rendez-vous ne peut pas" in call.text
    with clinic.doors.reading() as db:  # no worker is to send it
        assert (desk.waiting(db).queued, desk.waiting(db).oldest) == (0, None)


def test_who_can_be_written_to_is_not_called_until_every_attempt_failed(clinic):
    clinic.slot(NEXT)
    closed(clinic, details())
    assert to_call(clinic) == []
    now = NOW
    for _ in range(messages.MOST_ATTEMPTS + 1):
        of = {"vault": clinic.vault, "channels": ["sms"], "now": now, "limit": 9}
        clinic.doors.run(lambda db, of=of: messages.claim(db, **of))
        now += timedelta(minutes=200)
    [call] = to_call(clinic, now=now)
    assert call.phone.startswith("+4477")
    assert (states(clinic), call.tried) == ([("call", "queued")], 0)
    with clinic.doors.reading() as db:  # that somebody booked themselves, they know
        assert db.scalars(select(Message.state).filter_by(template="booked")).all() == ["failed"]


def test_who_has_an_address_for_which_there_is_no_channel_is_called(clinic):
    clinic.slot(NEXT)
    closed(clinic, details())
    assert len(to_call(clinic, channels=("mail",))) == 1
    assert states(clinic) == [("sms", "queued")]


def test_what_is_over_first_is_told_first_page_by_page(clinic):
    late, soon = clinic.slot(day(9), capacity=1), clinic.slot(NEXT, capacity=1)
    closed(clinic, *(details(**NOBODY) for _ in range(3)))
    found = to_call(clinic)
    # Who got no place is told of it before they would have come in vain.
    assert [call.until.date() for call in found] == [CLOSED, NEXT, late.starts_at.date()]
    assert found[1].until == soon.starts_at
    [first, second] = to_call(clinic, most=2)
    rest = to_call(clinic, after=(first.until, first.id))
    assert [first, *rest] == found
    assert rest[0] == second


def test_who_was_told_leaves_the_list_and_nobody_tells_them_again(clinic):
    clinic.slot(NEXT)
    closed(clinic, details(**NOBODY))
    [call] = to_call(clinic)
    do(clinic, calls.told, call)
    assert to_call(clinic) == []
    assert states(clinic) == [("call", "sent")]
    for deed in (calls.told, calls.not_reached):
        with pytest.raises(WrongState):
            do(clinic, deed, call)
    with clinic.doors.reading() as db:
        [event] = db.scalars(select(AuditEvent).filter_by(act="call_told"))
        assert (event.actor_id, event.subject_id) == (clinic.nurse.id, call.id)


def test_who_is_not_reached_stays_with_the_last_tries(clinic):
    clinic.slot(NEXT)
    closed(clinic, details(**NOBODY))
    [call] = to_call(clinic)
    times = [NOW + timedelta(hours=hour) for hour in range(5)]
    for at in times:
        do(clinic, calls.not_reached, call, now=at)
    [call] = to_call(clinic, now=times[-1])
    assert (call.tried, call.tries) == (5, times[:1:-1])


def test_what_is_over_leaves_the_list_by_itself(clinic):
    slot = clinic.slot(NEXT)
    closed(clinic, details(**NOBODY))
    [call] = to_call(clinic, now=slot.starts_at - timedelta(seconds=1))
    assert to_call(clinic, now=slot.starts_at) == []
    with pytest.raises(WrongState):
        do(clinic, calls.told, call, now=slot.starts_at)
    clinic.doors.run(lambda db: sweeping.sweep(db, now=slot.starts_at))
    assert states(clinic) == [("call", "failed")]


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_what_waits_for_another_channel_is_not_read_to_end_the_calls(clinic):
    with clinic.doors.transaction() as db:
        with sent(db.get_bind()) as asked:
            calls.end(db, now=NOW)
        [sql] = [each for each in asked if "UPDATE message" in each]
        plan = db.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", ("",) * sql.count("?"))
        read = [step for *_ids, step in plan if " message " in f"{step} "]
    assert read == ["SEARCH message USING INDEX ix_message_channel_until (channel=? AND until<?)"]


def test_who_chose_another_time_meanwhile_needs_no_call(clinic):
    clinic.slot(NEXT)
    [old] = closed(clinic, details(**NOBODY))
    assert len(to_call(clinic)) == 1
    other = clinic.slot(day(6))
    with clinic.doors.reading() as db:
        query = select(Message.about_id).filter_by(channel="call")
        new = db.scalars(query).one()
    of = {"appointment_id": new, "person_id": old.person_id, "slot_id": other.id, "now": NOW}
    clinic.doors.run(lambda db: moving.move(db, vault=clinic.vault, **of))
    assert to_call(clinic) == []


def test_an_offer_is_told_while_it_is_open(clinic):
    line = Line(clinic)
    line.join(details(**NOBODY))
    line.fill(line.freed())
    [offer] = line.open()
    [call] = to_call(clinic)
    assert call.until == offer.ends_at
    assert to_call(clinic, now=offer.ends_at) == []
    line.answer(offer, deed=decline)
    assert to_call(clinic) == []


def test_who_never_heard_of_two_offers_is_told_that_they_wait_no_more(clinic):
    line = Line(clinic)
    line.join(details(**NOBODY))
    now = NOW
    for on in (3, 4):
        line.fill(line.freed(day(on)), now)
        now = line.open()[0].ends_at
        line.close(now)
    [call] = to_call(clinic, now=now)
    assert call.until == now + timedelta(days=14)


def test_a_recall_and_a_wrong_result_are_told_where_the_person_was(clinic):
    lot = clinic.lot()
    had = clinic.vaccinated(day(-8), details(**NOBODY))
    order(clinic, lot.id, "recalled", None)
    judge_again(clinic, lot.id)
    assert [call.person_id for call in to_call(clinic)] == [had.person_id]
    test = clinic.tested(clinic.book(clinic.slot(), details(**NOBODY)).person_id)
    of = {"finding_id": test.id, "reason": "wrong_person"} | clinic.deed()
    clinic.doors.run(lambda db: findings.mark_in_error(db, **of))
    assert {call.person_id for call in to_call(clinic)} == {had.person_id, test.person_id}


def test_a_site_calls_its_own_people_and_an_administrator_those_of_every_site_below(clinic):
    clinic.slot(NEXT)
    closed(clinic, details(**NOBODY))
    with clinic.doors.transaction() as db:
        body = make.make_organisation(db)
        db.get_one(Site, clinic.site.id).organisation_id = body.id
        above = make.make_staff(db, role="admin", site_id=None, organisation_id=body.id)
        aside = make.make_organisation(db)
        strangers = [
            make.make_staff(db, role="admin", site_id=None, organisation_id=aside.id),
            make.make_staff(db, site_id=make.make_site(db).id),
        ]
    [call] = to_call(clinic, above)
    for stranger in strangers:
        assert to_call(clinic, stranger) == []
        with pytest.raises(NotFound):
            do(clinic, calls.told, call, stranger)
    do(clinic, calls.told, call, above)
    assert to_call(clinic) == []


def test_each_look_is_told_to_the_person_once_in_half_an_hour(clinic):
    clinic.slot(NEXT)
    [old] = closed(clinic, details(**NOBODY))
    for minutes in (0, 29, 31):
        to_call(clinic, now=NOW + timedelta(minutes=minutes))
    with clinic.doors.reading() as db:
        looks = access_log(db, person_id=old.person_id)
    assert [look.reason for look in looks] == ["call", "call"]


def test_who_has_no_site_to_call_them_gets_no_call(clinic):
    of = {"vault": clinic.vault, "template": "lot_recalled", "fields": {}, "time_zone": "UTC"}
    with clinic.doors.transaction() as db:
        person = enrolment.enrol(db, vault=clinic.vault, details=details(**NOBODY), now=NOW)
        messages.queue(db, person=person, due_at=NOW, now=NOW, **of)
        assert db.scalars(select(Message)).all() == []
