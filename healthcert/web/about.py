"""Who somebody is: asked, understood, and told back in words."""

from collections.abc import Mapping
from typing import Any

from wtforms import BooleanField

from healthcert.errors import BadInput
from healthcert.i18n import format_known, language
from healthcert.i18n import lazy as _
from healthcert.i18n import names as language_names
from healthcert.models.person import SEXES
from healthcert.services.access import DOCUMENTS, Claim
from healthcert.services.people import Details, IdentityDetails
from healthcert.services.tidying import tidied, tidy_identity, tidy_phone
from healthcert.web.answers import Answers, BirthField, Choice, Line, Radios, needed, options
from healthcert.web.here import parts
from healthcert.web.labels import IDENTITIES, SEX, machine_name
from healthcert.web.moment import now
from healthcert.web.pages import bdi


class About(Answers):
    """Who is to be vaccinated."""

    family = Line(_("Family name"))
    given = Line(_("Given names"))
    family_latin = Line(_("Family name in Latin letters"))
    given_latin = Line(_("Given names in Latin letters"))
    birth_date = BirthField(_("Date of birth"), [needed])
    sex = Radios(_("Sex"), choices=options({sex: SEX[sex] for sex in SEXES}), default="unknown")
    identity_kind = Choice(_("Kind of document"), choices=options(IDENTITIES), default="none")
    identity_value = Line(_("Number of the document, or who vouches"))
    phone = Line(_("Phone number"))
    mail = Line(_("Mail address"))
    language = Choice(_("Language for messages"))


class Known(Answers):
    """What only the person knows: a reference or the number of a document, and the birth date."""

    kind = Radios(
        _("What do you have at hand?"),
        choices=options(
            {"reference": _("A reference"), **{one: IDENTITIES[one] for one in DOCUMENTS}}
        ),
        default="reference",
    )
    reference = Line(_("Reference or number"), [needed])
    birth_date = BirthField(_("Date of birth"), [needed])

    @property
    def asking(self) -> dict[str, str]:
        """Return it as a session keeps it; `claim` reads it."""
        return {name: self[name].data for name in ("kind", "reference", "birth_date")}


class Code(Answers):
    """The code we have sent."""

    code = Line(_("Code"), [needed])
    eid = BooleanField(_("From now on, let me in by the eID I have just used as well"))


def claim(asking: Mapping[str, str]) -> Claim:
    """Return what somebody says to know; documents are those of our own country."""
    return Claim(country=parts().settings.country, **asking)


def about(typed: Any) -> About:  # noqa: ANN401 - a MultiDict of any kind
    """Return the form with what was typed so far, or nothing."""
    form = About(typed, language=language())
    form.language.choices = options(language_names(parts().settings.languages))
    return form


def accepted(form: About) -> bool:
    """Say whether the record would take these details; what it would not stands beside them."""
    try:
        tidied(details_in(form), today=now().date())
    except BadInput as wrong:
        form.take(wrong.fields)
        return False
    return True


def details_in(form: About) -> Details:
    """Return what was told of a person."""
    told = form.data
    identity = IdentityDetails(
        told.pop("identity_kind"), parts().settings.country, told.pop("identity_value")
    )
    return Details(identity=identity, **told)


def known_by(told: Details) -> str:
    """Return what tells one person who asks from another, in one spelling."""
    number = tidy_identity(told.identity).value or tidy_phone(told.phone) or told.mail
    return number or f"{name_of(told)} {told.birth_date}"


def name_of(told: Details) -> str:
    """Return what somebody is called here."""
    return " ".join(filter(None, (told.given, told.family)))


def told_back(told: Details) -> list[tuple[object, object, str]]:
    """Return what was told, in words, each with the question by which it can be changed."""
    document = f"{IDENTITIES[told.identity.kind]} " + bdi(told.identity.value)
    return [
        (_("Name"), name_of(told), "name"),
        (_("Name on the certificate"), machine_name(told), "name"),
        (_("Date of birth"), format_known(told.birth_date), "birth"),
        (_("Sex"), SEX[told.sex], "birth"),
        (_("Document"), document, "document"),
        (_("Contact"), ", ".join(filter(None, (told.phone, told.mail))), "contact"),
    ]
