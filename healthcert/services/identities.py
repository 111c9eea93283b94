"""What somebody is known by, as it comes at the desk: a document later on, a card of ours."""

from dataclasses import asdict, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from healthcert.errors import AlreadyBooked, CannotWait
from healthcert.gateways.vault import Vault
from healthcert.models import Identity, Person, Request, Staff, WaitEntry
from healthcert.models.broken import broken_rule
from healthcert.models.person import OUR_KINDS
from healthcert.services import audit, booking, eligibility, enrolment, people, requests, waiting
from healthcert.services.people import Details, IdentityDetails, details_of, key_of, locked
from healthcert.services.places import new_reference
from healthcert.services.tidying import tidied, tidy_identity
from healthcert.services.tokens import identity_blinds


def add_document(
    db: Session, *, vault: Vault, person_id: UUID, told: IdentityDetails, staff: Staff,
    country: str, now: datetime,
) -> bool:  # fmt: skip
    """Add a document that staff saw, and say whether it is this person's alone.

    Where it is on record of somebody else, the two may be one: a request says so, which others
    decide. Nothing is merged.

    Raises:
        BadInput: The document cannot be used.
    """
    person = locked(db, person_id)
    tidy = tidied(replace(details_of(vault, person), identity=told), today=now.date())
    level = "low" if told.kind in people.UNFINDABLE else "substantial"
    try:
        with db.begin_nested():
            db.add(enrolment.identified(vault, person, tidy.identity, level=level, now=now))
            db.flush()
    except IntegrityError as error:
        theirs = Identity.blind.in_(identity_blinds(vault, tidy.identity))
        held = db.scalar(select(Identity).where(theirs))
        if held is None or broken_rule(error) != "uq_identity_blind":
            raise
        other = held.person_id
        if other != person_id and not _is_asked(db, vault, person, other, tidy.identity):
            requests.submit(
                db, vault=vault, country=country, kind="correction", person=person,
                asked={"document": asdict(tidy.identity)}, reason="duplicate", staff=staff,
                subject={"other": other, "document": held.id}, now=now,
            )  # fmt: skip
        return other == person_id
    person.sealed = vault.seal(key_of(person), person_id, asdict(tidy))
    audit.of_person(db, audit.Actor("staff", staff.id), "document_added", person_id, now)
    return True


def _is_asked(
    db: Session, vault: Vault, person: Person, other: UUID, told: IdentityDetails
) -> bool:
    """Say whether it waits already whose of two people that very document is."""
    return any(
        one.subject.get("other") == str(other) and document(vault, one, person) == told
        for one in requests.pending(db, person_id=person.id)
    )


def document(vault: Vault, request: Request, asking: Person) -> IdentityDetails | None:
    """Return what a request is about; None where who showed it was erased: their key is another."""
    if asking.erased_at is not None:
        return None
    asked = vault.open(key_of(asking), request.id, request.sealed, purpose="request")
    return IdentityDetails(**asked["document"])


def move_document(
    db: Session, *, vault: Vault, told: IdentityDetails, of: Person, to: Person, staff: Staff,
    now: datetime,
) -> bool:  # fmt: skip
    """Move a document between the records of two people, locked; say whether it was to be moved.

    It is not where one of them was erased, or where it is no longer on record of the one, who is
    known from now on by the newest document that is left to them.
    """
    if of.erased_at is not None or to.erased_at is not None:
        return False
    theirs = delete(Identity).where(Identity.person_id == of.id)
    theirs = theirs.where(Identity.blind.in_(identity_blinds(vault, told)))
    if not db.scalars(theirs.returning(Identity.id)).all():
        return False
    left = details_of(vault, of)
    if left.identity == told:
        kept = _newest(db, vault, of)
        if kept is None:
            kept = IdentityDetails("none", told.country)
            db.add(enrolment.identified(vault, of, kept, level="low", now=now))
        of.sealed = vault.seal(key_of(of), of.id, asdict(replace(left, identity=kept)))
    own = replace(details_of(vault, to), identity=told)
    to.sealed = vault.seal(key_of(to), to.id, asdict(own))
    db.add(enrolment.identified(vault, to, told, level="substantial", now=now))
    db.flush()
    by = audit.Actor("staff", staff.id)
    audit.of_person(db, by, "document_gone", of.id, now)
    audit.of_person(db, by, "document_added", to.id, now)
    return True


def _newest(db: Session, vault: Vault, person: Person) -> IdentityDetails | None:
    """Return what somebody brought last to say who they are; None where nothing is left."""
    brought = Identity.kind.not_in(("none", *OUR_KINDS)) & Identity.sealed.is_not(None)
    query = select(Identity).filter_by(person_id=person.id).where(brought)
    found = db.scalar(query.order_by(Identity.recorded_at.desc(), Identity.id.desc()).limit(1))
    return enrolment.said(vault, key_of(person), found) if found else None


def new_card(
    db: Session, *, vault: Vault, person_id: UUID, country: str, staff: Staff | None, now: datetime
) -> str:
    """Return the reference of a new card, by which the person is known; one before it is not.

    Without `staff` it is made for somebody just written down, who has nothing else to be known by.
    """
    person, number = locked(db, person_id), new_reference()
    db.execute(delete(Identity).filter_by(person_id=person_id, kind="card"))
    card = tidy_identity(IdentityDetails("card", country, number))
    db.add(enrolment.identified(vault, person, card, level="low", now=now))
    by = audit.Actor("staff", staff.id) if staff else audit.Actor("citizen", person_id)
    audit.of_person(db, by, "card_made", person_id, now)
    return number


def enter(  # noqa: PLR0913 - each says who waits for what, named at the call
    db: Session, *, vault: Vault, details: Details, programme_id: UUID, site_id: UUID | None,
    standby: bool, country: str, staff: Staff | None, now: datetime, within_km: int | None = None,
    told: eligibility.Told | None = None,
) -> tuple[WaitEntry, str]:  # fmt: skip
    """Put somebody who may be on no record on the waiting list, by themselves or `staff`.

    Who has no number is given the reference of a card, by which to answer what they are offered.
    Who is on record already is judged by what is `told` now alone: what they told before is theirs,
    and stays.

    Raises:
        BadInput: As `enrolment.enrol` and `waiting.join`.
        CannotWait: As `waiting.join`, or the details contradict what is on record.
        NotEligible: No phase admits them, now or later.
    """
    try:
        person = enrolment.enrol(db, vault=vault, details=details, now=now)
        actor = audit.Actor("staff", staff.id) if staff else audit.Actor("citizen", person.id)
        entry = waiting.join(
            db, vault=vault, person=person, programme_id=programme_id, site_id=site_id,
            actor=actor, standby=standby, within_km=within_km, now=now, told=told or {},
            typed=True,
        )  # fmt: skip
    except (AlreadyBooked, booking.NotDue):
        raise CannotWait from None  # no word of a record to who only told of somebody
    if details.identity.kind not in people.UNFINDABLE:
        return entry, ""
    return entry, new_card(db, vault=vault, person_id=person.id, country=country, staff=staff,
                           now=now)  # fmt: skip
