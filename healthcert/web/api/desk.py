"""For clinics: people on no list, what was found of them, reactions, and the end of the day."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from healthcert.models import AdverseEvent, ClinicSession, Lot
from healthcert.models.adverse_event import (
    CAUSALITY,
    ERROR_REASONS,
    EVENT_OUTCOMES,
    SERIOUSNESS,
    TRANSITIONS,
)
from healthcert.services import (
    closing,
    finding,
    findings,
    finishing,
    identities,
    offers,
    reactions,
    reporting,
)
from healthcert.web.api.asker import On
from healthcert.web.api.clinic import FACT
from healthcert.web.api.deeds import deed, get, post
from healthcert.web.api.lists import Rows
from healthcert.web.api.shapes import BirthDate, Shape, called, many, number, of
from healthcert.web.api.words import word
from healthcert.web.here import parts
from healthcert.web.moment import now

_WHO = "/clinic/people/<uuid:person_id>"
Candidate = of("Candidate", "Somebody who may be meant.", finding.Candidate, "*")
Candidates = of("Candidates", "Who may be meant, the likeliest first.", items=many(Candidate))
Alone = of("Alone", "Whether a document is of nobody else: if it is, others decide.", alone=bool)
Card = of("Card", "The reference of a card, by which somebody is known from now on.", reference=str)
Case = of(
    "Case", "A reaction after a dose, by its codes; what was told in words is with the one case.",
    AdverseEvent, "id number term onset_on seriousness outcome state causality due_at "
    "error_reason",
)  # fmt: skip
_WORDS = (
    "patient_place history vaccine other_vaccines batch diluent_lot reporter_name "
    "reporter_place reporter_position reporter_mail reporter_phone comments vaccine_code pregnant "
    "causality nullified"
)
_CODES = (
    "country worldwide_number patient patient_sex event outcome seriousness reporter state missing"
)
_TEXTS: dict[str, Any] = dict.fromkeys(_WORDS.split(), str | None)
_TEXTS |= dict.fromkeys(_CODES.split(), str)
Line = of(
    "ReactionLine", "A case by the WHO's core variables (`docs/reactions.md`); ``on_file``: it was "
    "told in words, which stay in the case.", case=UUID, report_received=date, reported=date,
    patient_birth_year=int, dose_number=int | None, serious=bool, onset=date | str,
    vaccinated=datetime | date | str | None, **_TEXTS,
)  # fmt: skip
WholeCase = of("WholeCase", "A case, and what was told in words.", case=Case, told=dict[str, Any])
Counted = of("Counted", "``open`` until a second person counts; then ``confirmed``, or ``dropped``:"
             " they differ.", state=str)  # fmt: skip
LotSum = of(
    "LotSum", "What became of a lot at a site on a day, in doses; ``waits``: a second count. What "
    "it began with and what remains is told once two have counted, and nothing moved since.",
    lot=of("OfALot", "A lot.", Lot, "id number state"), product=str, began=int | None,
    today=dict[str, int], remaining=int | None, recorded=int, waits=UUID | None, counted=bool,
)  # fmt: skip
Sums = of("Sums", "What a day comes to.", day=date, lots=many(LotSum))
Open = of("Open", "A session of today that still takes people.", ClinicSession,
          "id programme_id product_id state")  # fmt: skip

post("/clinic/people/search", finding.find, changes=False, answer=Candidates,
     fixed={"reason": "registration"}, body={"born": called("birth_date", BirthDate)},
     read="items")  # fmt: skip
post(f"{_WHO}/test-results", findings.record_test, **FACT)
post(f"{_WHO}/recoveries", findings.record_recovery, **FACT)
post(f"{_WHO}/reactions", reporting.report_event, status=201)
_OURS: dict[str, Any] = {"fixed": {"country": lambda _on: parts().settings.country}}
post(f"{_WHO}/documents", identities.add_document, answer=Alone, **_OURS, read="alone")
post(f"{_WHO}/cards", identities.new_card, answer=Card, **_OURS, read="reference")

get("/reactions", reactions.cases, answer=Rows(Case), name="cases",
    read=lambda found: [one.event for one in found])  # fmt: skip
get(
    "/reactions/export",
    reactions.exported,
    answer=Rows(Line, "case"),
    name="export_cases",
    about="List the cases as the committee has them, in the order in which they were reported.",
)
get("/reactions/<uuid:event_id>", reactions.case, answer=WholeCase, looks=True,
    read=lambda found: {"case": found[0].event, "told": found[1]})  # fmt: skip
post("/reactions/<uuid:event_id>/more", reporting.tell_more,
     body={"told": dict[word(reactions.TOLD), str],  # type: ignore[misc]
           "seriousness": word(SERIOUSNESS) | None,
           "outcome": word(EVENT_OUTCOMES) | None})  # fmt: skip
post("/reactions/<uuid:event_id>/in-error", reporting.mark_event_in_error, name="reaction_in_error",
     body={"reason": word(ERROR_REASONS)})  # fmt: skip
post("/reactions/<uuid:event_id>/step", reporting.move_event, name="assess", body={
    "state": word(TRANSITIONS), "causality": word(CAUSALITY) | None,
    "outcome": word(EVENT_OUTCOMES) | None, "seriousness": word(SERIOUSNESS) | None,
})  # fmt: skip

get("/clinic/standby", offers.sessions_today, answer=Rows(Open), name="open_today")
post("/clinic/standby", offers.standby, status=201,
     body={"doses": number(1, 100)})  # fmt: skip


@deed("GET", "/clinic/closing", gives=Sums)
def sums(on: On) -> Shape:
    """Show what the day comes to at one's site."""
    day = on.today
    lots, _sessions = closing.sums(on.db, site=on.site, day=day, now=now())
    return Sums.model_validate({"day": day, "lots": [_blind(each) for each in lots]})


def _blind(told: closing.LotSum) -> dict[str, Any]:
    """Return what became of a lot, without what a count is to find."""
    seen = told.counted
    known = {"began": told.began if seen else None, "remaining": told.remaining if seen else None}
    return told._asdict() | known


post("/clinic/closing/lots/<uuid:lot_id>/count", closing.count, answer=Counted,
     body={"found": number(0, 999_999)}, read="state")  # fmt: skip
post("/clinic/sessions/<uuid:session_id>/close", finishing.close, name="close_session")
post("/clinic/sessions/<uuid:session_id>/open", finishing.open_again, name="open_session")
