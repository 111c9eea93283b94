"""What is stored: one module a noun, constraints beside the columns they guard.

What no constraint can say stands in `triggers/`, in force wherever the tables are made.
"""

from sqlalchemy import Connection, MetaData, event

from healthcert.models import triggers
from healthcert.models.adverse_event import AdverseEvent, AdverseEventEntry
from healthcert.models.appointment import Appointment
from healthcert.models.audit import AuditLeaf, TreeHead
from healthcert.models.base import (
    Base,
    Instant,
    Row,
    as_read,
    narrow,
    new_id,
    plain,
    upsert,
    upsert_on,
)
from healthcert.models.case import Case, CaseEntry
from healthcert.models.certificate import Certificate
from healthcert.models.cold_chain import ColdReading, Fridge, Vial
from healthcert.models.consent import Consent, Screening, Triage
from healthcert.models.dose import Dose, DoseJudgement, DoseStanding
from healthcert.models.hours import Holiday, SiteClosure, SiteHours
from healthcert.models.importing import ImportBatch, ImportLine
from healthcert.models.interface import ApiAnswer, ApiToken
from healthcert.models.journal import AuditEvent, Message
from healthcert.models.limit import Alarm, CertificateHold, LimitCounter, SiteProbation
from healthcert.models.observation import Observation
from healthcert.models.organisation import Delegation, Device, Organisation
from healthcert.models.person import AccessCode, Identity, Person, PersonToken
from healthcert.models.place import (
    ClinicSession,
    SessionTemplate,
    Site,
    Slot,
)
from healthcert.models.programme import EligibilityDecision, Phase
from healthcert.models.proxy import Proxy
from healthcert.models.recovery import Recovery, RecoveryStanding
from healthcert.models.request import Request, RequestStep
from healthcert.models.signing_key import SigningKey
from healthcert.models.sqlite_types import check_types
from healthcert.models.staff import Invitation, Passkey, Password, Staff, StaffLink, Visit
from healthcert.models.stock import Stock, StockCount, StockMove
from healthcert.models.supply import Knowledge, Lot, LotValidity, Product, ProductTarget, Programme
from healthcert.models.test_result import TestResult, TestStanding
from healthcert.models.waiting import Draw, Offer, WaitEntry

check_types(Base.metadata)


@event.listens_for(Base.metadata, "after_create")
def _install_triggers(_target: MetaData, connection: Connection, **_options: object) -> None:
    triggers.install(connection)


__all__ = [
    "AccessCode", "AdverseEvent", "AdverseEventEntry", "Alarm", "ApiAnswer", "ApiToken",
    "Appointment", "AuditEvent", "AuditLeaf", "Base", "Case", "CaseEntry", "Certificate",
    "CertificateHold", "ClinicSession", "ColdReading", "Consent", "Delegation", "Device", "Dose",
    "DoseJudgement", "DoseStanding", "Draw", "EligibilityDecision", "Fridge", "Holiday", "Identity",
    "ImportBatch", "ImportLine", "Instant", "Invitation", "Knowledge", "LimitCounter", "Lot",
    "LotValidity", "Message", "Observation", "Offer", "Organisation", "Passkey", "Password",
    "Person", "PersonToken", "Phase", "Product", "ProductTarget", "Programme", "Proxy", "Recovery",
    "RecoveryStanding", "Request", "RequestStep", "Row", "Screening", "SessionTemplate",
    "SigningKey", "Site", "SiteClosure", "SiteHours", "SiteProbation", "Slot", "Staff", "StaffLink",
    "Stock", "StockCount", "StockMove", "TestResult", "TestStanding", "TreeHead", "Triage", "Vial",
    "Visit", "WaitEntry", "as_read", "narrow", "new_id", "plain", "upsert", "upsert_on",
]  # fmt: skip
