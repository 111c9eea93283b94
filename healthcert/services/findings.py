"""Record test results and recoveries, and mark the ones entered in error.

They are facts like doses: their rows never change, and the database reckons what they are good
for. A negative test and a recovery earn a certificate; a positive test can found a recovery,
which falls with it.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple, TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from healthcert.data.knowledge import Country
from healthcert.errors import BadInput, NotFound, WrongState
from healthcert.gateways.vault import Vault
from healthcert.hcert.names import composed
from healthcert.models import Certificate, Person, Recovery, RecoveryStanding, Site, Staff, new_id
from healthcert.models.test_result import RESULTS, TEST_TYPES, TestResult, TestStanding
from healthcert.services import audit, elsewhere, facts, issuing, knowledge, people, revoking
from healthcert.services.elsewhere import Evidence
from healthcert.services.statement import diseases

ERROR_REASONS = (
    "wrong_person", "not_done", "given_twice_on_record", "wrong_result", "wrong_day", "other",
)  # fmt: skip
LONGEST_TEXT = 80  # EU DCC schema 1.3.3
_RAPID_ANTIGEN = TEST_TYPES[1]
F = TypeVar("F", TestResult, Recovery)


@dataclass(frozen=True, slots=True)
class ToldTest:
    """What is told of a test, in the codes of the EU value sets; `evidence` if not our own."""

    disease: str  # "tg"
    test_type: str  # "tt"
    result: str  # "tr"
    sampled_at: datetime  # "sc", aware
    centre: str = ""  # "tc"
    name: str = ""  # "nm"
    device: str = ""  # "ma" of a rapid antigen test, empty where nobody knows it
    evidence: Evidence | None = None


@dataclass(frozen=True, slots=True)
class ToldRecovery:
    """What is told of a recovery, and the test on record that founds it; `evidence` if not ours."""

    disease: str  # "tg"
    first_positive_on: date  # "fr"
    test_result_id: UUID | None = None
    evidence: Evidence | None = None


class Held(NamedTuple):
    """A test or a recovery on record, and what it is good for."""

    finding_id: UUID
    kind: str  # ``test`` or ``recovery``
    disease: str
    day: date  # of the sample, or of the first positive test
    counts: str
    site_id: UUID | None  # of whoever wrote it down


def record_test(
    db: Session, *, vault: Vault, person_id: UUID, told: ToldTest, staff: Staff, country: Country,
    now: datetime, replaces: UUID | None = None, reason: str = "",
) -> TestResult:  # fmt: skip
    """Write down what a test found; a negative result that is proved is certified.

    Where it `replaces` a wrong one, that is marked as entered in error for a `reason`.

    Raises:
        BadInput: By field of `ToldTest`, or ``reason``.
        NotFound: No such person; or no such test of theirs to correct.
        WrongState: What is corrected is marked already.
    """
    wrong = _wrong(told.disease, told.evidence, country) | _test_wrong(told, now)
    if wrong:
        raise BadInput(wrong)
    values = {
        "test_type": told.test_type, "result": told.result, "sampled_at": min(told.sampled_at, now),
        "centre": composed(told.centre), "name": composed(told.name), "device": told.device,
    }  # fmt: skip
    scene = _Scene(db, vault, people.locked(db, person_id), staff, country, now)
    return scene.record(TestResult, told.disease, told.evidence, values, replaces, reason)


def record_recovery(
    db: Session, *, vault: Vault, person_id: UUID, told: ToldRecovery, staff: Staff,
    country: Country, now: datetime, replaces: UUID | None = None, reason: str = "",
) -> Recovery:  # fmt: skip
    """Write down a recovery; one that is proved and not over is certified from its first day on.

    How long it holds, and which tests found one, the country's data say. Where it `replaces` a
    wrong one, that is marked as entered in error for a `reason`.

    Raises:
        BadInput: By field of `ToldRecovery`: ``test_result_id`` where that test is not positive,
            of another kind than the country takes, or marked, or where what was found here names
            none; ``first_positive_on`` where its
            sample is of another day; or ``reason``.
        NotFound: No such person; or no such recovery of theirs to correct.
        WrongState: What is corrected is marked already.
    """
    wrong = _wrong(told.disease, told.evidence, country)
    if told.first_positive_on > elsewhere.day_in(country, now):
        wrong["first_positive_on"] = "in_the_future"
    person = people.locked(db, person_id)
    site = db.get(Site, staff.site_id) if staff.site_id else None
    test = _founding(db, person_id, told, country) if told.test_result_id else None
    if told.test_result_id and test is None:
        wrong["test_result_id"] = "not_positive"
    elif test is None and told.evidence is None:
        wrong["test_result_id"] = "needs_test"
    elif test and _day_of(test, (site or country).time_zone) != told.first_positive_on:
        wrong["first_positive_on"] = "not_of_the_test"
    if wrong:
        raise BadInput(wrong)
    first, last = (told.first_positive_on + timedelta(days=n) for n in country.recovery_days)
    values = {
        "first_positive_on": told.first_positive_on, "test_result_id": told.test_result_id,
        "valid_from": first, "valid_until": last,
    }  # fmt: skip
    scene = _Scene(db, vault, person, staff, country, now)
    return scene.record(Recovery, told.disease, told.evidence, values, replaces, reason)


def mark_in_error(
    db: Session, *, vault: Vault, finding_id: UUID, reason: str, staff: Staff, country: Country,
    now: datetime,
) -> None:  # fmt: skip
    """Mark a test result or a recovery as entered in error: its certificates first, then it.

    A recovery that a marked test founded is marked with it.

    Raises:
        BadInput: The reason is none of `ERROR_REASONS`.
        NotFound: No such finding, written down at the site of this member of staff.
        WrongState: It is marked already.
    """
    finding = at_site(db, finding_id=finding_id, staff=staff)
    scene = _Scene(db, vault, people.locked(db, finding.person_id), staff, country, now)
    scene.mark(finding, reason)
    issuing.tell(db, vault, scene.person, "finding_corrected", country, now, site_id=staff.site_id)


def at_site(db: Session, *, finding_id: UUID, staff: Staff) -> TestResult | Recovery:
    """Return a finding that was written down at the site of a member of staff.

    Raises:
        NotFound: There is no such finding.
    """
    finding = db.get(TestResult, finding_id) or db.get(Recovery, finding_id)
    if finding is None or db.get_one(Staff, finding.recorded_by).site_id != staff.site_id:
        raise NotFound
    return finding


def held(db: Session, person_id: UUID, time_zone: str) -> list[Held]:
    """Return a person's tests and recoveries, the latest first, with days on a clock (IANA)."""
    tests = select(TestResult, TestStanding.counts, Staff.site_id)
    tests = tests.join(TestStanding, TestStanding.test_result_id == TestResult.id)
    tests = tests.join(Staff, Staff.id == TestResult.recorded_by)
    recovered = select(Recovery, RecoveryStanding.counts, Staff.site_id)
    recovered = recovered.join(RecoveryStanding, RecoveryStanding.recovery_id == Recovery.id)
    recovered = recovered.join(Staff, Staff.id == Recovery.recorded_by)
    found = [
        Held(one.id, "test", one.disease, _day_of(one, time_zone), counts, site_id)
        for one, counts, site_id in db.execute(tests.where(TestResult.person_id == person_id))
    ] + [
        Held(one.id, "recovery", one.disease, one.first_positive_on, counts, site_id)
        for one, counts, site_id in db.execute(recovered.where(Recovery.person_id == person_id))
    ]
    return sorted(found, key=lambda each: each.day, reverse=True)


@dataclass(frozen=True, slots=True)
class _Scene:
    """Who does a deed to whose record; the person is locked."""

    db: Session
    vault: Vault
    person: Person
    staff: Staff
    country: Country
    now: datetime

    def record(
        self, model: type[F], disease: str, evidence: Evidence | None, values: dict[str, Any],
        replaces: UUID | None, reason: str,
    ) -> F:  # fmt: skip
        """Write a finding down, in the place of another if so told, and intend its certificate."""
        if replaces:
            wrong = self.db.get(model, replaces)
            if wrong is None or wrong.person_id != self.person.id:
                raise NotFound
            self.mark(wrong, reason)
        id_ = new_id()
        finding = model(
            id=id_, recorded_at=self.now, person_id=self.person.id, disease=disease,
            country=evidence and evidence.country,
            evidence=evidence.kind if evidence else "given_here",
            sealed=evidence and elsewhere.sealed_note(self.vault, self.person, id_, evidence),
            recorded_on=elsewhere.day_in(self.country, self.now), recorded_by=self.staff.id,
            replaces=replaces, **values,
        )  # fmt: skip
        self.db.add(finding)
        self.db.flush()
        counts = {"counts": finding.counts}
        audit.done(self.db, "finding_recorded", finding, counts, by=self.staff, now=self.now)
        over = isinstance(finding, Recovery) and finding.valid_until < finding.recorded_on
        if finding.counts == "valid" and not over:
            issuing.intend(
                self.db, fact=finding, disease=disease, country=self.country, now=self.now,
                knowledge_id=knowledge.country_version(self.db, self.country),
            )  # fmt: skip
        return finding

    def mark(self, finding: TestResult | Recovery, reason: str) -> None:
        """Mark a finding and what is founded on it; certificates let go first."""
        if reason not in ERROR_REASONS:
            raise BadInput({"reason": "not_a_choice" if reason else "missing"})
        if isinstance(finding, TestResult):
            founded = select(Recovery).join(
                RecoveryStanding, RecoveryStanding.recovery_id == Recovery.id
            )
            stands = founded.where(RecoveryStanding.counts != "entered_in_error")
            on_it = stands.where(Recovery.test_result_id == finding.id)
            for recovery in self.db.scalars(on_it).all():
                self.mark(recovery, reason)
        kind = TestStanding if isinstance(finding, TestResult) else RecoveryStanding
        standing = self.db.get_one(kind, finding.id, populate_existing=True)
        if standing.counts == "entered_in_error":
            raise WrongState
        self._revoke(finding, reason)
        standing.counts, standing.reason = "entered_in_error", reason
        standing.marked_at, standing.marked_by = self.now, self.staff.id
        if isinstance(standing, RecoveryStanding):
            standing.test_counts = None
        self.db.flush()
        told = {"reason": reason}
        audit.done(self.db, "finding_marked_in_error", finding, told, by=self.staff, now=self.now)

    def _revoke(self, finding: TestResult | Recovery, reason: str) -> None:
        test = isinstance(finding, TestResult)
        column = Certificate.test_result_id if test else Certificate.recovery_id
        query = (
            select(Certificate)
            .where(column == finding.id, Certificate.state != "revoked")
            .with_for_update(key_share=True)  # one may be signed at this moment
            .execution_options(populate_existing=True)
        )
        for certificate in self.db.scalars(query).all():
            revoking.revoke(
                self.db, vault=self.vault, person=self.person, certificate=certificate,
                reason=reason, country=self.country, now=self.now,
            )  # fmt: skip


def _wrong(disease: str, evidence: Evidence | None, country: Country) -> dict[str, str]:
    wrong = elsewhere.evidence_wrong(evidence, country) if evidence else {}
    return wrong if disease in diseases() else wrong | {"disease": "not_a_choice"}


def _test_wrong(told: ToldTest, now: datetime) -> dict[str, str]:
    wrong = {}
    if told.test_type not in TEST_TYPES:
        wrong["test_type"] = "not_a_choice"
    if told.result not in RESULTS:
        wrong["result"] = "not_a_choice"
    if told.sampled_at > now + facts.CLOCK_SLACK:
        wrong["sampled_at"] = "in_the_future"
    if told.device and told.test_type != _RAPID_ANTIGEN:
        wrong["device"] = "not_needed"
    for field in ("centre", "name", "device"):
        if len(getattr(told, field)) > LONGEST_TEXT:
            wrong[field] = "too_long"
    return wrong


def _day_of(test: TestResult, time_zone: str) -> date:
    return test.sampled_at.astimezone(ZoneInfo(time_zone)).date()


def _founding(
    db: Session, person_id: UUID, told: ToldRecovery, country: Country
) -> TestResult | None:
    """Return the test that a recovery is said to rest on, if it can."""
    that = (TestResult.id == told.test_result_id, TestResult.disease == told.disease)
    taken = TestResult.test_type.in_(country.recovery_tests)
    query = select(TestResult).where(TestResult.person_id == person_id, *that, taken)
    query = query.join(TestStanding, TestStanding.test_result_id == TestResult.id)
    return db.scalar(query.where(TestStanding.counts == "positive"))
