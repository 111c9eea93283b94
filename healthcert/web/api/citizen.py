"""For citizens: the people one acts for, appointments, certificates, the whole record, the list.

``Acting-For`` says whose record is meant; without it it is one's own.
"""

from typing import Any
from uuid import UUID

from healthcert.errors import AnothersTicket, BadCode, NotFound, Refusal
from healthcert.hcert import qr
from healthcert.models import EligibilityDecision, Offer, WaitEntry
from healthcert.models.proxy import SCOPES
from healthcert.policy.offers import RADII
from healthcert.services import (
    booking,
    erasure,
    holding,
    identities,
    looks,
    moving,
    my_record,
    offers,
    people,
    proxies,
    record,
    scenes,
    waiting,
)
from healthcert.services.access import Answer
from healthcert.web import in_hand, papers
from healthcert.web.about import known_by
from healthcert.web.api.asker import On
from healthcert.web.api.deeds import deed, get, post, raised
from healthcert.web.api.lists import Paging, Rows
from healthcert.web.api.programmes import Answers
from healthcert.web.api.shapes import File, Shape, Words, file, many, of, taken
from healthcert.web.api.words import word
from healthcert.web.appointments import move_in_turn
from healthcert.web.citizen import decided
from healthcert.web.family import oneself
from healthcert.web.here import parts

_OWN, _HELD = "/appointments/<uuid:appointment_id>", "/certificates/<uuid:certificate_id>"
Proxy = of("Proxy", "Somebody one acts for, or who acts for one.", proxies.Held, "*")
Appointment = of(
    "Appointment", "An appointment; its state is one of held, booked, arrived, vaccinated ...",
    record.HeldAppointment, "*",
)  # fmt: skip
_LIST = Rows(Appointment, "starts_at appointment_id")
Dose = of("HeldDose", "A dose on record, and what it is worth.", record.HeldDose, "*")
Certificate = of(
    "Certificate", "A certificate of one's own, without its text.", holding.HeldCertificate,
    "certificate_id kind state uvci dn sd product day issued_at expires_at revoked_reason",
)  # fmt: skip
Text = of("Text", "What a certificate's code says.", certificate_id=UUID, text=str)
Record = of(
    "Record", "Everything held about a person (`docs/howto/my-record.md`).", format=str,
    made_at=str, person_id=UUID, held=dict[str, list[dict[str, Any]]], seen=list[dict[str, Any]],
)  # fmt: skip
Look = of("Look", "A look at one's record by somebody else.", looks.Access, "at role site reason")
Looks = of("Looks", "Who looked at one's record, the newest look first.", items=many(Look))
Erased = of("Erased", "What an erasure took away and what the law keeps.", erasure.Erased, "*")
Offered = of(
    "Offered", "A place that is kept for somebody until they answer, or its time ends.", Offer,
    "id slot_id ends_at",
)  # fmt: skip
Entry = of("WaitEntry", "What somebody waits for.", WaitEntry,
           "id programme_id site_id within_km standby turn_on state")  # fmt: skip
Wait = of("Wait", "What is waited for, how many are before one, and what is offered now.",
          entry=Entry, before=int, offer=Offered | None, product=str | None)  # fmt: skip
Entered = of("Entered", "What somebody waits for, and by which reference: empty, with a number.",
             id=UUID, reference=str)  # fmt: skip
Decided = of("Decided", "Whether it is one's turn, why, and what groups are called, by code.",
             decision=of("Decision", "For a day.", EligibilityDecision, "programme_id day outcome "
                         "reasons decided_at"), groups=dict[str, Words])  # fmt: skip
_AROUND: dict[str, Any] = {"within_km": word(RADII) | None, "told": Answers | None}
CALENDAR = file("text/calendar; charset=utf-8")  # RFC 5545
PAPER, DRAWING, PICTURE = map(file, ("application/pdf", "image/svg+xml", "image/png"))


def _let(answer: Answer) -> Refusal | None:
    return None if answer.lets else BadCode()


_ONESELF = {"person_id": lambda _on: oneself()}
get("/people", proxies.held, fixed=_ONESELF, answer=Rows(Proxy, "proxy_id"), name="family_of")
post("/people/children", proxies.enrol_child)
post("/people/invitations", proxies.invite, fixed=_ONESELF, name="let_act",
     body={"scopes": many(word(SCOPES))})  # fmt: skip
post("/people/join", proxies.accept, name="begin_to_act", read=_let, refuses=(BadCode,),
     about="Begin to act for who gave one the code they were sent.")  # fmt: skip
post("/people/<uuid:proxy_id>/end", proxies.end, name="end_acting")


@deed("GET", "/appointments", gives=_LIST.paged)
def appointments(on: On, query: Paging) -> Shape:
    """List a person's appointments, by time."""
    whose = on.whose("view")
    return _LIST.page(record.appointments_of(on.db, whose)[whose], query)


@deed("GET", _OWN, gives=Appointment)
def appointment(on: On, appointment_id: UUID) -> Shape:
    """Show an appointment; its ETag is asked for where it is changed."""
    return _own(on, on.whose("view"), appointment_id)


def _as_it_stands(on: On, appointment_id: UUID) -> Shape:
    """Return an appointment that nobody else changes meanwhile."""
    whose = on.whose("book")
    people.locked(on.db, whose)
    return _own(on, whose, appointment_id)


def _own(on: On, whose: UUID, appointment_id: UUID) -> Shape:
    for each in record.appointments_of(on.db, whose)[whose]:
        if each.appointment_id == appointment_id:
            return Appointment.model_validate(each)
    raise NotFound


post(f"{_OWN}/cancel", booking.cancel, whose="book", match=_as_it_stands)
post(f"{_OWN}/move", move_in_turn, whose="book", match=_as_it_stands,
     about="Exchange a person's appointment, booked or held.",
     fixed={"template": "moved"}, refuses=(*raised(moving.move), AnothersTicket))  # fmt: skip


@deed("GET", f"{_OWN}/calendar.ics", gives=CALENDAR)
def calendar(on: On, appointment_id: UUID) -> File:
    """Give an appointment for a calendar; it names no vaccine."""
    own = booking.own(on.db, appointment_id=appointment_id, person_id=on.whose("view"))
    place = scenes.place_of(on.db, own.slot_id, states=None)
    return CALENDAR(in_hand.calendar([(own.reference, place)]).get_data())


get("/certificates", holding.overview, whose="view", answer=Rows(Certificate, "certificate_id"),
    read=lambda held: held.certificates, name="certificates",
    about="List a person's certificates: those in force, replaced and withdrawn.")  # fmt: skip
get(_HELD, holding.certificate_text, whose="view", answer=Text, name="certificate",
    read=lambda held: {"certificate_id": held.certificate.certificate_id, "text": held.text},
)  # fmt: skip
get(f"{_HELD}/code.svg", holding.certificate_text, name="code",
    whose="view", answer=DRAWING, read=lambda held: qr.svg(held.text).encode(),
    about="Draw the code of a certificate, as lines.")  # fmt: skip
get(f"{_HELD}/code.png", holding.certificate_text, name="picture", whose="view", answer=PICTURE,
    about="Draw the code of a certificate, as a picture.",
    read=lambda held: qr.png(held.text))  # fmt: skip
get(f"{_HELD}/certificate.pdf", holding.certificate_text, name="paper", whose="view", answer=PAPER,
    read=papers.certificate, about="Give a certificate on paper.")  # fmt: skip
get("/doses", record.doses_of, whose="view", answer=Rows(Dose, "dose_id disease"), name="doses")
get("/record", my_record.export, whose="view", answer=Record, name="whole_record",
    read=lambda whole: whole.as_json())  # fmt: skip
get("/record.pdf", my_record.export, whose="view", answer=PAPER, name="on_paper",
    read=papers.record, about="Give everything held about a person on paper.")  # fmt: skip
get("/eligibility", decided, whose="view", answer=Rows(Decided, "decision.programme_id"),
    read=lambda found: [{"decision": one, "groups": names} for _programme, one, names in found],
    name="decisions")  # fmt: skip
get("/record/seen", looks.access_log, whose="view", answer=Looks, name="seen", read="items")
get("/record/erase", erasure.foreseen, whose="self", answer=Erased, name="foresee_erasure")
post("/record/erase", erasure.erase, whose="self", fixed={"reason": "asked"}, answer=Erased)
get("/waiting", waiting.of_person, whose="view", answer=Rows(Wait, "entry.id"), name="waits")
post("/waiting", waiting.join, whose="book", status=201, body=_AROUND, fixed={"typed": False})
post("/waiting/newcomers", identities.enter, status=201,
     body={"site_id": UUID | None, **_AROUND},
     answer=Entered, read=lambda found: {"id": found[0].id, "reference": found[1]},
     spends=lambda body: ("book", known_by(taken(body.details))),
     fixed={"staff": lambda on: on.staff if on.actor.kind == "staff" else None,
            "country": lambda _on: parts().settings.country})  # fmt: skip
post("/waiting/<uuid:entry_id>/leave", waiting.leave, whose="book")
post("/offers/<uuid:offer_id>/accept", offers.accept, whose="book", fixed={"source": "web"})
post("/offers/<uuid:offer_id>/decline", offers.decline, whose="book")
