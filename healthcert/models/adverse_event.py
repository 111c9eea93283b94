"""Adverse events following immunisation, in the WHO's core variables."""

import uuid
from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from healthcert.models.base import Row, one_of, points_at
from healthcert.models.triggers.stated import stated

STATES = ("reported", "investigating", "assessed", "closed", "entered_in_error")
TRANSITIONS = {
    "reported": ("investigating", "closed", "entered_in_error"),
    "investigating": ("assessed", "entered_in_error"),
    "assessed": ("investigating", "closed", "entered_in_error"),  # new facts are looked at again
    "closed": ("investigating", "entered_in_error"),
}
ERROR_REASONS = ("wrong_person", "not_happened", "reported_twice", "wrong_details", "other")
# The list of the WHO's standard reporting form; then what it watches for after COVID-19 vaccines
# beside that (its Global Advisory Committee on Vaccine Safety, statements of 2021).
TERMS = (
    "local_reaction_severe", "seizure_febrile", "seizure_afebrile", "abscess", "sepsis",
    "encephalopathy", "toxic_shock_syndrome", "thrombocytopenia", "anaphylaxis", "fever_38",
    "myocarditis", "pericarditis", "thrombosis_with_thrombocytopenia", "capillary_leak_syndrome",
    "guillain_barre_syndrome", "other",
)  # fmt: skip
# ICH E2A, II.B: any of them makes an event serious.
SERIOUSNESS = (
    "not_serious", "death", "life_threatening", "hospitalisation", "disability",
    "congenital_anomaly", "medically_important",
)  # fmt: skip
EVENT_OUTCOMES = (
    "recovering", "recovered", "recovered_with_sequelae", "not_recovered", "died", "unknown",
)  # fmt: skip
# WHO, causality assessment of an AEFI, 2nd edition: categories A1-A4, B1, B2, C, D.
CAUSALITY = (
    "vaccine_product", "vaccine_quality", "immunisation_error", "immunisation_anxiety",
    "indeterminate_temporal", "indeterminate_conflicting", "coincidental", "unclassifiable",
)  # fmt: skip
REPORTERS = ("self", "parent", "guardian", "carer", "health_worker")


class AdverseEvent(Row):
    """What happened to a person after a dose; age, sex, product and lot follow from the rows.

    In the clear is what is counted; what was told in words, and who told it, is sealed.
    One that is grave by a death says that they died (trigger `death_died`; older rows may not).
    """

    __tablename__ = "adverse_event"
    __table_args__ = (
        points_at("dose", "dose_id person_id", "id person_id"),
        one_of("state", STATES),
        one_of("term", TERMS),
        one_of("seriousness", SERIOUSNESS),
        one_of("outcome", EVENT_OUTCOMES),
        one_of("causality", CAUSALITY),
        one_of("reporter", REPORTERS),
        CheckConstraint("(seriousness = 'not_serious') = (due_at IS NULL)", name="clock"),
        CheckConstraint("seriousness <> 'not_serious' OR outcome <> 'died'", name="death"),
        CheckConstraint("due_at >= recorded_at", name="due_after_report"),
        CheckConstraint("state <> 'assessed' OR causality IS NOT NULL", name="assessed"),
        CheckConstraint(
            "state <> 'closed' OR seriousness = 'not_serious' OR causality IS NOT NULL",
            name="serious_is_assessed",
        ),
        one_of("error_reason", ERROR_REASONS),
        CheckConstraint(
            "(state = 'entered_in_error') = (error_reason IS NOT NULL)", name="error_has_reason"
        ),
        Index("ix_adverse_event_person_id", "person_id"),
        Index("ix_adverse_event_state_due_at", "state", "due_at"),
        Index("uq_adverse_event_person", "id", "person_id", unique=True),  # what entries point at
        stated(never_deleted=True, transitions=TRANSITIONS),
    )

    number: Mapped[str] = mapped_column(unique=True)  # worldwide: country, then the row
    country: Mapped[str]
    person_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("person.id"))
    dose_id: Mapped[uuid.UUID | None]  # None where the dose is not on our record
    site_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("site.id"))
    term: Mapped[str]
    onset_on: Mapped[date]
    reporter: Mapped[str]
    reported_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("staff.id"))
    sealed: Mapped[bytes]
    seriousness: Mapped[str]
    outcome: Mapped[str]
    state: Mapped[str] = mapped_column(default="reported")
    causality: Mapped[str | None]
    due_at: Mapped[datetime | None]  # until when a serious case is to be assessed
    error_reason: Mapped[str | None]  # why it was taken back


class AdverseEventEntry(Row):
    """What was told of a case after its report; nothing told before it changes."""

    __tablename__ = "adverse_event_entry"
    __table_args__ = (
        points_at("adverse_event", "event_id person_id", "id person_id"),
        Index("ix_adverse_event_entry_event_id", "event_id"),
        Index("ix_adverse_event_entry_person_id", "person_id"),
        stated(append_only=True),
    )

    event_id: Mapped[uuid.UUID]
    person_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("person.id"))
    told_by: Mapped[uuid.UUID] = mapped_column(ForeignKey("staff.id"))
    sealed: Mapped[bytes]
