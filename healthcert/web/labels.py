"""Words for the codes that the record keeps, and names in the reader's language."""

from collections.abc import Mapping

from healthcert.data import labels, tags
from healthcert.hcert.names import names_of
from healthcert.i18n import format_number, gettext, language, names
from healthcert.models import Site
from healthcert.services.people import Details, holder_of

DOSES = labels("doses")
WAYS = labels("ways")
HOURS = labels("hours")
EXCEPTIONS = labels("exceptions")
ASKED = labels("asked")
OUTLOOKS = labels("outlooks")
FACILITIES = labels("facilities")
SEX = labels("sex")
IDENTITIES = labels("identities")
SCOPES = labels("scopes")
PROXIES = labels("proxies")
APPOINTMENTS = tags("appointments")
DRAWS = labels("draws")
ROOMS = tags("rooms")
COUNTS = labels("counts")
BODY_SITES = labels("body_sites")
ROUTES = labels("routes")
CONSENTS = labels("consents")
DECIDERS = labels("deciders")
SCREENINGS = labels("screenings")
TRIAGES = labels("triages")
NOT_VACCINATED = labels("not_vaccinated")
EVENTS = labels("events")
SERIOUSNESS = labels("seriousness")
PREGNANT = labels("pregnant")
EVENT_OUTCOMES = labels("event_outcomes")
CASES = tags("cases")
EVENTS_IN_ERROR = labels("events_in_error")
CAUSES = labels("causes")
EVIDENCE = labels("evidence")
CERTIFICATES = tags("certificates")
CERTIFICATE_KINDS = labels("certificate_kinds")
ERROR_REASONS = labels("error_reasons")
FINDINGS = labels("findings")
REVOKED = {**ERROR_REASONS, **labels("revoked")}
GONE = labels("gone")
KEPT = labels("kept")
BASES = labels("bases")
SEEN_BECAUSE = labels("seen_because")
MESSAGES = labels("messages")
PURPOSES = labels("purposes")
MOVES = labels("moves")
WASTED = labels("wasted")
WRONG_BECAUSE = labels("wrong_because")
ALARMS = labels("alarms")
ALARMS_CLOSED = labels("alarms_closed")
ROLES = labels("roles")
REQUEST_STEPS = labels("request_steps")
REQUEST_REASONS = labels("request_reasons")
LOOKED = {**ROLES, **PROXIES}  # as what somebody saw a record


def in_words(told: Mapping[str, str]) -> str:
    """Return a name that is kept by language, in the reader's or else in any."""
    return told.get(language()) or told.get("en") or next(iter(told.values()), "")


def dose(number: int) -> str:
    """Return what a dose is called by its number, such as "Second dose"."""
    called = DOSES.get(str(number))
    return str(called) if called else gettext("Dose %(number)s", number=number)


def reserved(rules: Mapping[str, int], known: Mapping[str, Mapping[str, str]]) -> list[str]:
    """Return in words for whom how many percent of the places of a draw are kept."""
    return [
        gettext("%(group)s: %(share)s percent", group=in_words(known.get(group, {"": group})),
                share=share)
        for group, share in rules.items()
    ]  # fmt: skip


def volume(told: str) -> str:
    """Return how much is given, such as ``0.3 mL``, as the reader's language writes it."""
    number, _space, unit = told.partition(" ")
    if unit != "mL":
        return told
    return gettext("%(number)s mL", number=format_number(float(number)))


def facts_of(site: Site) -> list[str]:
    """Return what is to be known of a place: how one gets about in it, and who speaks what."""
    codes = [name for name in ("step_free", "female_vaccinator") if getattr(site, name)]
    spoken = names(site.languages).values()
    return [str(FACILITIES[code]) for code in codes + site.facilities] + [*spoken]


def machine_name(details: Details) -> str:
    """Return a name as its certificate spells it: family name, ``<<``, given names."""
    told = names_of(holder_of(details))
    return "<<".join(filter(None, (told["fnt"], told.get("gnt"))))
