"""Sign in by the national eID: whom its provider names is linked to a person once."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from healthcert.data.knowledge import Country
from healthcert.errors import NotProved
from healthcert.gateways.oidc import Claims
from healthcert.gateways.vault import Vault
from healthcert.models import Person
from healthcert.services import audit, enrolment
from healthcert.services.people import IdentityDetails, details_of
from healthcert.services.tidying import tidy_identity
from healthcert.services.tokens import identity_blinds


def enter(
    db: Session, *, vault: Vault, seen: Claims, country: Country, now: datetime
) -> UUID | None:
    """Return the person that the provider has seen; None where nobody is linked to them yet.

    They are linked where the provider tells the number of a national document and the birth date
    that are on record of one person.

    Raises:
        NotProved: The provider is not sure enough who it is.
    """
    _level(seen)
    person = enrolment.holder(db, identity_blinds(vault, _subject(seen, country)))
    if person is None:
        number = str(seen.claims.get(country.eid_number_claim, ""))
        told = tidy_identity(IdentityDetails("national", country.code, number))
        person = enrolment.holder(db, identity_blinds(vault, told)) if told.value else None
        if person is None or details_of(vault, person).birth_date != seen.claims.get("birthdate"):
            return None
        link(db, vault=vault, person_id=person.id, seen=seen, country=country, now=now)
    audit.of_person(db, audit.Actor("citizen", person.id), "signed_in", person.id, now)
    return person.id


def link(
    db: Session, *, vault: Vault, person_id: UUID, seen: Claims, country: Country, now: datetime
) -> None:
    """Link whom the provider has seen to a person who has just proved who they are.

    Raises:
        NotProved: The provider is not sure enough, or either is linked already.
    """
    person, level = db.get_one(Person, person_id), _level(seen)
    row = enrolment.identified(vault, person, _subject(seen, country), level=level, now=now)
    try:
        with db.begin_nested():
            db.add(row)
            db.flush()
    except IntegrityError as error:
        raise NotProved from error
    audit.of_person(
        db, audit.Actor("citizen", person_id), "national_sign_in_linked", person_id, now
    )


def _level(seen: Claims) -> str:
    """Return the level of assurance, the last part of the eIDAS address that `acr` is."""
    level = seen.acr.rpartition("/")[2]
    if level not in ("substantial", "high"):
        raise NotProved
    return level


def _subject(seen: Claims, country: Country) -> IdentityDetails:
    return IdentityDetails("subject", country.code, f"{seen.issuer} {seen.sub}")
