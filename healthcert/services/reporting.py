"""After the needle: what happened to somebody is reported, told anew, moved on, taken back."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy.orm import Session

from healthcert.data.knowledge import Country
from healthcert.errors import BadInput, NotFound, WrongState, there
from healthcert.gateways.vault import Vault
from healthcert.models import AdverseEvent, Dose, Staff, new_id
from healthcert.models.adverse_event import ERROR_REASONS, AdverseEventEntry
from healthcert.models.broken import refusing
from healthcert.services import audit, elsewhere, people

_STEPS = (
    "adverse_event_transition", "ck_adverse_event_assessed", "ck_adverse_event_serious_is_assessed",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Reaction:
    """What is reported of an adverse event; the codes are those of `models.adverse_event`.

    `told` is sealed: of `reactions.TOLD` what is known. The rest follows by `tell_more`.
    """

    term: str
    onset_on: date
    seriousness: str
    outcome: str
    reporter: str
    told: Mapping[str, str]
    dose_id: UUID | None = None


def report_event(
    db: Session, *, vault: Vault, person_id: UUID, reaction: Reaction, country: Country,
    site_id: UUID | None, staff: Staff | None, now: datetime,
) -> AdverseEvent:  # fmt: skip
    """Report what happened to a person after a dose; a serious case is to be assessed in time.

    Raises:
        BadInput: It began in the future or before its dose, that dose is not theirs, or how grave
            it is and how they are contradict: they died of what is not serious, or of a death not.
        NotFound: No such person.
    """
    person, row_id = people.locked(db, person_id), new_id()
    dose = db.get(Dose, reaction.dose_id) if reaction.dose_id else None
    if reaction.dose_id and (dose is None or dose.person_id != person_id):
        raise BadInput({"dose_id": "not_known"})
    if reaction.onset_on > elsewhere.day_in(country, now):
        raise BadInput({"onset_on": "in_the_future"})
    if reaction.onset_on < (dose.given_on if dose else date(person.birth_year, 1, 1)):
        raise BadInput({"onset_on": "before_the_dose"})
    _refuse_contradiction(reaction.seriousness, reaction.outcome)
    clear, serious = asdict(reaction), reaction.seriousness != "not_serious"
    told = clear.pop("told")
    if staff and reaction.reporter == "health_worker":  # who is known is not asked for
        told = {"reporter_name": staff.name, "reporter_position": staff.role} | told
    sealed = vault.seal(people.key_of(person), row_id, told, purpose="adverse_event")
    event = AdverseEvent(
        id=row_id, recorded_at=now, number=f"{country.code}-{row_id.hex.upper()}",
        country=country.code, person_id=person_id, site_id=site_id, sealed=sealed,
        reported_by=staff and staff.id,
        due_at=now + country.serious_within if serious else None, **clear,
    )  # fmt: skip
    db.add(event)
    _note(db, "adverse_event_reported", row_id, staff, now, serious=serious)
    return event


def _refuse_contradiction(seriousness: str, outcome: str) -> None:
    if (outcome, seriousness) == ("died", "not_serious"):
        raise BadInput({"seriousness": "not_serious"})
    if seriousness == "death" and outcome != "died":
        raise BadInput({"seriousness": "not_died", "outcome": "not_died"})


def tell_more(
    db: Session, *, vault: Vault, event_id: UUID, told: Mapping[str, str], country: Country,
    staff: Staff, now: datetime, seriousness: str | None = None, outcome: str | None = None,
) -> None:  # fmt: skip
    """Add to a case of one's site what was learned after its report, of `reactions.TOLD`.

    How grave it is and how they are may be told anew: one that proves to be serious gets its clock,
    and is looked into again where that was over. That it is not serious others find.

    Raises:
        BadInput: It is told to be not serious, though it is; or the two contradict, as of a report.
        NotFound: No such case there.
        WrongState: It was taken back.
    """
    event = db.get(AdverseEvent, event_id, with_for_update=True, populate_existing=True)
    if event is None or event.site_id != staff.site_id:
        raise NotFound
    if event.state == "entered_in_error":
        raise WrongState
    graver, now_is = seriousness or event.seriousness, outcome or event.outcome
    if graver == "not_serious" != event.seriousness:
        raise BadInput({"seriousness": "not_a_choice"})
    if seriousness or outcome:  # a case of before may contradict: words are added to it as well
        _refuse_contradiction(graver, now_is)
    person, row_id = people.locked(db, event.person_id), new_id()
    if told:
        sealed = vault.seal(people.key_of(person), row_id, told, purpose="adverse_event")
        of = {"event_id": event_id, "person_id": person.id, "told_by": staff.id}
        db.add(AdverseEventEntry(id=row_id, recorded_at=now, sealed=sealed, **of))
    if graver != event.seriousness and event.state in ("assessed", "closed"):
        event.state = "investigating"
    event.seriousness, event.outcome = graver, now_is
    if graver != "not_serious":
        event.due_at = event.due_at or now + country.serious_within
    names: dict[str, audit.Detail] = dict.fromkeys(told, True)
    news = {"seriousness": seriousness, "outcome": outcome}
    names |= {name: value for name, value in news.items() if value}
    _note(db, "adverse_event_told_more", event_id, staff, now, **names)


def mark_event_in_error(
    db: Session, *, event_id: UUID, reason: str, staff: Staff, now: datetime
) -> None:
    """Take a report of a reaction back: it stays on record, and counts and alarms no more.

    A site takes its own back while nobody looks into it; then whoever does.

    Raises:
        BadInput: The reason is none of `ERROR_REASONS`.
        NotFound: No such case in one's reach.
        WrongState: It was taken back before, or is looked into already.
    """
    if reason not in ERROR_REASONS:
        raise BadInput({"reason": "not_a_choice" if reason else "missing"})
    event = db.get(AdverseEvent, event_id, with_for_update=True, populate_existing=True)
    if event is None or staff.site_id not in (None, event.site_id):
        raise NotFound
    if event.state == "entered_in_error" or (staff.site_id and event.state != "reported"):
        raise WrongState
    event.state, event.error_reason = "entered_in_error", reason
    _note(db, "adverse_event_marked_in_error", event_id, staff, now, reason=reason)


def move_event(
    db: Session, *, event_id: UUID, state: str, country: Country, staff: Staff, now: datetime,
    causality: str | None = None, outcome: str | None = None, seriousness: str | None = None,
) -> AdverseEvent:  # fmt: skip
    """Move a case on, with what was found.

    The clock of a case that turns out to be serious starts now; one that runs goes on.

    Raises:
        BadInput: How grave it is and how they are contradict, as of a report.
        NotFound: No such case.
        WrongState: This step does not follow, or the causality that it needs is missing.
    """
    event = there(db.get(AdverseEvent, event_id, with_for_update=True, populate_existing=True))
    found = {"causality": causality, "outcome": outcome, "seriousness": seriousness}
    if state == "entered_in_error":
        raise WrongState  # that is a deed of its own, with a reason
    if seriousness or outcome:
        _refuse_contradiction(seriousness or event.seriousness, outcome or event.outcome)
    with refusing(db, dict.fromkeys(_STEPS, WrongState)):
        for name, value in {"state": state, **found}.items():
            setattr(event, name, value or getattr(event, name))
        serious = event.seriousness != "not_serious"
        event.due_at = (event.due_at or now + country.serious_within) if serious else None
    _note(db, f"adverse_event_{state}", event_id, staff, now, **found)
    return event


def _note(
    db: Session, act: str, event_id: UUID, staff: Staff | None, now: datetime,
    **details: audit.Detail,
) -> None:  # fmt: skip
    db.flush()  # the row comes first: the database may refuse it
    actor = audit.Actor("staff", staff.id) if staff else audit.STRANGER
    subject = audit.Subject("adverse_event", event_id)
    audit.note(db, actor=actor, act=act, subject=subject, details=details, now=now)
