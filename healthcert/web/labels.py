"""Words for the codes that the record keeps, and names in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from healthcert.hcert.names import names_of
from healthcert.i18n import Lazy, format_date, language, names
from healthcert.i18n import lazy as _
from healthcert.models import Site
from healthcert.services.people import Details, holder_of

DOSES: Mapping[str, Lazy] = {
    "1": _("First dose"),
    "2": _("Second dose"),
    "3": _("Third dose or booster"),
}
WAYS: Mapping[str, Lazy] = {
    "phone": _("By telephone"),
    "walk_in": _("They stand here, without an appointment"),
}
HOURS: Mapping[str, Lazy] = {
    "": _("Any"),
    "morning": _("Morning"),
    "afternoon": _("Afternoon"),
    "evening": _("Evening"),
}
EXCEPTIONS: Mapping[str, Lazy] = {
    "medical_need": _("They need it for their health"),
    "contact_of_case": _("They were near somebody who is ill"),
    "end_of_day_dose": _("A dose would else be thrown away"),
    "carer": _("They care for somebody at risk"),
    "other": _("Another reason"),
}
ASKED: Mapping[str, Lazy] = {  # what a phase may ask for
    "age": _("age"),
    "doses": _("doses on record"),
    "region": _("region"),
    "district": _("district"),
    "occupation": _("occupation"),
    "risk": _("illness"),
    "pregnant": _("pregnancy"),
}
OUTLOOKS: Mapping[str, Lazy] = {
    "not_started": _("Nothing that counts was given yet."),
    "due": _("You need another dose."),
    "overdue": _("Your next dose is late. Book it as soon as you can."),
    "complete": _("You have had all doses of the series."),
    "booster_due": _("A booster is advised now."),
}
FACILITIES: Mapping[str, Lazy] = {
    "step_free": _("step-free"),
    "lift": _("lift"),
    "toilet": _("accessible toilet"),
    "hearing_loop": _("hearing loop"),
    "sign_language": _("sign language"),
    "female_vaccinator": _("a woman vaccinates you if you ask"),
}
SEX: Mapping[str, Lazy] = {
    "female": _("Female"),
    "male": _("Male"),
    "other": _("Other"),
    "unknown": _("Not stated"),
}
IDENTITIES: Mapping[str, Lazy] = {
    "none": _("None"),
    "national": _("National identity card"),
    "passport": _("Passport"),
    "refugee": _("Refugee card"),
    "municipal": _("Letter of the municipality"),
    "vouched": _("Somebody vouches for me"),
}
SCOPES: Mapping[str, Lazy] = {
    "book": _("Book and cancel appointments"),
    "consent": _("Agree to a vaccination"),
    "view": _("See the record and the certificates"),
}
PROXIES: Mapping[str, Lazy] = {
    "guardian": _("Parent or guardian"),
    "carer": _("Carer"),
    "operator": _("Somebody at a desk who helps"),
}
APPOINTMENTS: Mapping[str, tuple[Lazy, str]] = {  # words, and the colour of their tag
    "held": (_("Held"), "yellow"),
    "booked": (_("Booked"), ""),
    "arrived": (_("Arrived"), "purple"),
    "vaccinated": (_("Vaccinated"), "green"),
    "not_vaccinated": (_("Not vaccinated"), "orange"),
    "cancelled": (_("Cancelled"), "grey"),
    "rescheduled": (_("Moved"), "grey"),
    "no_show": (_("Did not come"), "orange"),
    "expired": (_("Lapsed"), "grey"),
}
DRAWS: Mapping[str, Lazy] = {
    "announced": _("Announced: the list is open"),
    "closed": _("The list is closed"),
    "drawn": _("Drawn: the ranks are being written"),
    "published": _("Drawn and published"),
    "void": _("Given up"),
}
COUNTS: Mapping[str, Lazy] = {
    "valid": _("Counts"),
    "too_early": _("Does not count: given too early"),
    "expired_lot": _("Does not count: the lot was past its date"),
    "recalled_lot": _("Does not count: the lot was recalled"),
    "wrong_product": _("Does not count: not a vaccine of this programme"),
    "duplicate": _("Does not count: recorded twice"),
    "outside_age": _("Does not count: outside the age of this vaccine"),
    "subpotent": _("Does not count: the vaccine had lost its strength"),
    "unknown": _("Not settled: the lot, the day or the proof of it is not known"),
    "entered_in_error": _("Entered in error"),
}
BODY_SITES: Mapping[str, Lazy] = {
    "LA": _("Left arm"),
    "RA": _("Right arm"),
    "LT": _("Left thigh"),
    "RT": _("Right thigh"),
    "other": _("Elsewhere"),
}
ROUTES: Mapping[str, Lazy] = {  # EDQM standard terms
    "20035000": _("Into the muscle"), "20066000": _("Under the skin"),
    "20030000": _("Into the skin"), "20053000": _("By mouth"), "20049000": _("Into the nose"),
}  # fmt: skip
CONSENTS: Mapping[str, Lazy] = {
    "given": _("Agreed"), "refused": _("Refused"), "withdrawn": _("No longer agreed"),
}  # fmt: skip
DECIDERS: Mapping[str, Lazy] = {
    "self": _("The person"), "parent": _("A parent"), "guardian": _("A guardian"),
    "carer": _("A carer"), "health_worker": _("A health worker"),
}  # fmt: skip
SCREENINGS: Mapping[str, Lazy] = {
    "go": _("Nothing stands against the dose"), "defer": _("Not today, later"),
    "ask_clinician": _("A nurse has to decide"), "refuse": _("Not to be vaccinated"),
}  # fmt: skip
TRIAGES: Mapping[str, Lazy] = {
    "history_clarified": _("The history was made clear"),
    "benefit_outweighs": _("The benefit outweighs the risk"),
    "specialist_advice": _("A specialist advised so"), "ill_today": _("Ill today"),
    "condition_passed": _("What stood against it has passed"),
    "contraindication": _("It must not be given to them"), "other": _("Something else"),
}  # fmt: skip
NOT_VACCINATED: Mapping[str, Lazy] = {
    "refused": _("They do not want it"), "unwell": _("They are unwell"),
    "contraindicated": _("It must not be given to them"),
    "already_had": _("They have had it already"), "no_consent": _("Nobody who may agree did"),
    "no_vaccine": _("There was no vaccine"), "left": _("They left before it"),
}  # fmt: skip
EVENTS: Mapping[str, Lazy] = {
    "local_reaction_severe": _("Severe local reaction"), "seizure_febrile": _("Seizure with fever"),
    "seizure_afebrile": _("Seizure without fever"), "abscess": _("Abscess"), "sepsis": _("Sepsis"),
    "encephalopathy": _("Encephalopathy"), "toxic_shock_syndrome": _("Toxic shock syndrome"),
    "thrombocytopenia": _("Thrombocytopenia"), "anaphylaxis": _("Anaphylaxis"),
    "fever_38": _("Fever of 38 °C or more"), "other": _("Something else"),
}  # fmt: skip
SERIOUSNESS: Mapping[str, Lazy] = {
    "not_serious": _("Not serious"), "death": _("Death"),
    "life_threatening": _("Life in danger"), "hospitalisation": _("In hospital"),
    "disability": _("Lasting disability"), "congenital_anomaly": _("Congenital anomaly"),
    "medically_important": _("Serious for another medical reason"),
}  # fmt: skip
PREGNANT: Mapping[str, Lazy] = {
    "": _("Not known"), "no": _("No"), "pregnant": _("Pregnant"),
    "breastfeeding": _("Breastfeeding"),
}  # fmt: skip
EVENT_OUTCOMES: Mapping[str, Lazy] = {
    "recovering": _("Recovering"), "recovered": _("Recovered"),
    "recovered_with_sequelae": _("Recovered, with lasting damage"),
    "not_recovered": _("Not recovered"), "died": _("Died"), "unknown": _("Not known"),
}  # fmt: skip
CASES: Mapping[str, tuple[Lazy, str]] = {
    "reported": (_("Reported"), "yellow"), "investigating": (_("Being looked into"), "purple"),
    "assessed": (_("Assessed"), "green"), "closed": (_("Closed"), "grey"),
}  # fmt: skip
CAUSES: Mapping[str, Lazy] = {  # WHO, causality assessment of an AEFI: A1 to D
    "vaccine_product": _("By the vaccine itself (A1)"),
    "vaccine_quality": _("By a defect of the vaccine (A2)"),
    "immunisation_error": _("By a mistake in giving it (A3)"),
    "immunisation_anxiety": _("By fear of the needle (A4)"),
    "indeterminate_temporal": _("Open: only the time fits (B1)"),
    "indeterminate_conflicting": _("Open: the signs contradict each other (B2)"),
    "coincidental": _("By something else (C)"), "unclassifiable": _("Cannot be judged (D)"),
}  # fmt: skip
EVIDENCE: Mapping[str, Lazy] = {
    "given_here": _("Done by us"), "verified": _("A certificate that was checked"),
    "seen": _("A paper that I have seen"), "stated": _("Their word"),
}  # fmt: skip
CERTIFICATES: Mapping[str, tuple[Lazy, str]] = {
    "intended": (_("Being signed"), "yellow"),
    "issued": (_("Valid"), "green"),
    "superseded": (_("Replaced by a newer one"), "grey"),
    "revoked": (_("Withdrawn"), "red"),
}
CERTIFICATE_KINDS: Mapping[str, Lazy] = {
    "v": _("Vaccination certificate"),
    "t": _("Test certificate"),
    "r": _("Recovery certificate"),
}
ERROR_REASONS: Mapping[str, Lazy] = {
    "wrong_person": _("It was somebody else"),
    "not_given": _("It was not given"),
    "given_twice_on_record": _("It is recorded twice"),
    "wrong_product": _("It was another vaccine"),
    "wrong_lot": _("It was another lot"),
    "wrong_day": _("It was another day"),
    "other": _("Something else"),
}
REVOKED: Mapping[str, Lazy] = {
    **ERROR_REASONS,
    "not_done": _("It was not done"),
    "wrong_result": _("It was another result"),
    "frozen": _("The vaccine had been frozen"),
    "too_warm": _("The vaccine had been too warm"),
    "open_too_long": _("The vial had been open too long"),
    "wrong_diluent": _("The vaccine was mixed wrongly"),
    "part_dose": _("It was only a part of a dose"),
    "details_corrected": _("Your details were corrected; a new certificate takes its place"),
    "renewed": _("A new certificate takes its place"),
    "dose_judged_anew": _("The dose it states was judged anew after a correction"),
    "holder_erased": _("Its holder was erased before it was signed"),
}
GONE: Mapping[str, Lazy] = {
    "contact": _("Your phone number and mail address"),
    "identities": _("The number of your document"),
    "finding": _("Whatever we could find you by"),
    "messages": _("The messages we sent you"),
    "codes": _("The codes you signed in with"),
    "appointments": _("Appointments that are still to come; they are cancelled"),
    "certificate_texts": _("Our copy of the text of your certificates"),
}
KEPT: Mapping[str, Lazy] = {
    "doses": _("Your name, date of birth and doses"),
    "certificates": _("The identifiers of your certificates; yours go on being valid"),
    "counting": _("Your year of birth and sex, without a name"),
    "audit": _("That something was done and when, without a name"),
}
BASES: Mapping[str, Lazy] = {
    "treatment_record": _(
        "Who treats people must keep the record of it (GDPR article 17, 3 b and c)."
    ),
    "withdrawal": _(
        "A certificate must be withdrawn when a dose turns out wrong (GDPR article 17, 3 c)."
    ),
    "statistics": _("Vaccinations are counted for public health (GDPR article 89)."),
    "accountability": _("Who did what must stay provable (GDPR articles 5, 2 and 32)."),
}
SEEN_BECAUSE: Mapping[str, Lazy] = {
    "care": _("To give you a dose or record it"),
    "registration": _("To register you or your appointment"),
    "correction": _("To correct your record"),
    "complaint": _("To answer a complaint"),
    "oversight": _("To check the work of the service"),
    "safety": _("For the safety of a vaccine"),
    "request": _("For something you asked for"),
    "for_them": _("To act for you"),
}
MESSAGES: Mapping[str, Lazy] = {
    "queued": _("Waiting"),
    "sent": _("Sent"),
    "failed": _("Failed"),
}
PURPOSES: Mapping[str, Lazy] = {
    "v": _("Key for vaccinations"),
    "t": _("Key for tests"),
    "r": _("Key for recoveries"),
}
ALARMS: Mapping[str, Lazy] = {  # the others are told by their code
    "cold_chain": _("A fridge was too warm or too cold"),
    "dose_set_aside": _("A dose was given from a lot that was set aside"),
    "certify.identity": _("One person writes down very many doses or tests"),
    "certify_on_probation.identity": _("A site that is not released yet is very busy"),
    "view_hour.identity": _("One person opens very many records"),
    "view_day.identity": _("One person opens very many records"),
    "staff_search.identity": _("One person searches very often"),
    "dose_refused": _("A dose was given against what had been decided"),
}
ALARMS_CLOSED: Mapping[str, Lazy] = {
    "explained": _("Close: explained"),
    "account_closed": _("Close: account closed"),
    "certificates_withdrawn": _("Close: certificates withdrawn"),
    "limit_too_low": _("Close: the limit is too low"),
}
ROLES: Mapping[str, Lazy] = {
    "clerk": _("Clerk"),
    "nurse": _("Nurse"),
    "lead": _("Head of the site"),
    "admin": _("Administrator"),
    "key_officer": _("Keeper of the keys"),
    "inspector": _("Inspector"),
}
LOOKED: Mapping[str, Lazy] = {**ROLES, **PROXIES}  # as what somebody saw a record


def in_words(told: Mapping[str, str]) -> str:
    """Return a name that is kept by language, in the reader's or else in any."""
    return told.get(language()) or told.get("en") or next(iter(told.values()), "")


def facts_of(site: Site) -> list[str]:
    """Return what is to be known of a place: how one gets about in it, and who speaks what."""
    codes = [name for name in ("step_free", "female_vaccinator") if getattr(site, name)]
    spoken = names(site.languages).values()
    return [str(FACILITIES[code]) for code in codes + site.facilities] + [*spoken]


def birth(told: str) -> str:
    """Return a date of birth as people write it; a partial one as it was told."""
    whole = len(told) == len("YYYY-MM-DD")
    return format_date(date.fromisoformat(told)) if whole else told


def machine_name(details: Details) -> str:
    """Return a name as its certificate spells it: family name, ``<<``, given names."""
    told = names_of(holder_of(details))
    return "<<".join(filter(None, (told["fnt"], told.get("gnt"))))
