"""Random histories of facts, judgements, errors, corrections and signatures: the sums come out."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test
from sqlalchemy import select

from healthcert import models
from healthcert.errors import Refusal
from healthcert.models import Certificate, DoseStanding, RecoveryStanding, Slot
from healthcert.services import findings, vaccination
from healthcert.services.elsewhere import Elsewhere, Evidence
from healthcert.services.facts import Told
from healthcert.services.reconciling import differences
from tests.factories import NEGATIVE, NOW, POSITIVE, day
from tests.services.clinic import COMIRNATY, JCOVDEN, Clinic, details

EXAMPLES, STEPS = 10, 20
EARLY = NOW - timedelta(days=3)
PICK = st.integers(0, 2**16)  # which of the facts so far
DAYS = st.integers(-400, -1)
KINDS = st.sampled_from(["verified", "seen", "stated"])


class History(RuleBasedStateMachine):
    """One person, and everything that may be written down of them, in any order."""

    clinic: Clinic
    slot: Slot
    signers: dict
    done: Counter[str]

    @initialize()
    def somebody(self) -> None:
        given = self.clinic.record(self.clinic.book(self.slot, details(), now=EARLY), now=NOW)
        self.person_id = given.person_id
        self.doses: list = [given]
        self.findings: list = []

    def tried(self, name, deed):
        """Do a deed; a refusal is an answer, anything else a mistake."""
        try:
            found = deed()
        except Refusal as refusal:
            self.done[f"{name}: {refusal.code}"] += 1
            return None
        self.done[name] += 1
        return found

    @rule(on=DAYS, kind=KINDS, product=st.sampled_from([COMIRNATY, JCOVDEN]), part=st.booleans())
    def given_elsewhere(self, on, kind, product, part) -> None:
        told = day(on).isoformat()[: 7 if part and on % 5 == 0 else 10]
        evidence = Evidence(kind, "FR" if on % 2 else "XX")
        dose = self.tried(
            "elsewhere",
            lambda: self.clinic.elsewhere(self.person_id, told, product=product, evidence=evidence),
        )
        self.doses += [dose] if dose else []

    @rule(pick=PICK, what=st.sampled_from(list(vaccination.FINDINGS)))
    def judged_by_hand(self, pick, what) -> None:
        if self.doses:
            dose = self.doses[pick % len(self.doses)]
            found = {"found": what, "reason": vaccination.FINDINGS[what][0]}
            self.tried(
                f"by hand {what}",
                lambda: self.clinic.doors.run(
                    lambda db: vaccination.judge_by_hand(
                        db, dose_id=dose.id, **found, **self.clinic.deed()
                    )
                ),
            )

    @rule(pick=PICK, on=DAYS, kind=KINDS)
    def corrected(self, pick, on, kind) -> None:
        if self.doses:
            dose = self.doses[pick % len(self.doses)]
            here = dose.source == "point_of_care"
            given_at = NOW + timedelta(days=on)
            elsewhere = Elsewhere(day(on).isoformat(), Evidence(kind, "IT"))
            told = Told("GOOD", "RA", given_at) if here else elsewhere
            right = self.tried(
                "corrected",
                lambda: self.clinic.doors.run(
                    lambda db: vaccination.correct(
                        db, dose_id=dose.id, product_id=dose.product_id, told=told,
                        reason="wrong_day", **self.clinic.deed(),
                    )
                ),
            )  # fmt: skip
            self.doses += [right] if right else []

    @rule(result=st.sampled_from([NEGATIVE, POSITIVE]), known=st.booleans(), pick=PICK)
    def tested(self, result, known, pick) -> None:
        again = self._replaced(pick, "test_result")
        rapid = {} if known else {"test_type": "LP217198-3"}
        test = self.tried(
            "tested", lambda: self.clinic.tested(self.person_id, result, **again, **rapid)
        )
        self.findings += [test] if test else []

    @rule(on=DAYS, pick=PICK, founded=st.booleans())
    def recovered(self, on, pick, founded) -> None:
        again = self._replaced(pick, "recovery")
        tests = [each for each in self.findings if each.__tablename__ == "test_result"]
        on_test = {"test_result_id": tests[pick % len(tests)].id} if tests and founded else {}
        recovery = self.tried(
            "recovered",
            lambda: self.clinic.recovered(self.person_id, day(on), **again, **on_test),
        )
        self.findings += [recovery] if recovery else []

    @rule(pick=PICK)
    def marked(self, pick) -> None:
        if self.findings:
            finding = self.findings[pick % len(self.findings)]
            self.tried(
                "marked",
                lambda: self.clinic.doors.run(
                    lambda db: findings.mark_in_error(
                        db, finding_id=finding.id, reason="other",
                        **self.clinic.deed(),
                    )
                ),
            )  # fmt: skip

    @rule()
    def signed(self) -> None:
        self.done["signed"] += len(self.clinic.issue(self.signers))

    def teardown(self) -> None:
        with self.clinic.doors.reading() as db:
            assert differences(db) == []
            live = select(Certificate).where(Certificate.state.in_(("intended", "issued")))
            for certificate in db.scalars(live):
                keys = {
                    (DoseStanding, (certificate.dose_id, certificate.disease)),
                    (models.TestStanding, certificate.test_result_id),
                    (RecoveryStanding, certificate.recovery_id),
                }
                [counts] = [db.get_one(*key).counts for key in keys if _named(key[1])]
                assert counts == "valid"

    def _replaced(self, pick, table) -> dict:
        mine = [each for each in self.findings if each.__tablename__ == table]
        if not mine or pick % 2:
            return {}
        return {"replaces": mine[pick % len(mine)].id, "reason": "other"}


def _named(key) -> bool:
    return key is not None and (not isinstance(key, tuple) or key[0] is not None)


@pytest.mark.walk
def test_whatever_is_written_down_the_sums_come_out(clinic, signers, say):
    clinic.lot()
    clinic.lot("ONE", product=JCOVDEN)
    done: Counter[str] = Counter()
    scene = {"clinic": clinic, "signers": signers, "done": done}
    scene["slot"] = clinic.slot(day(-2), capacity=EXAMPLES + 1)
    machine = type("OneHistory", (History,), scene)
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=EXAMPLES, stateful_step_count=STEPS, deadline=None, derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )  # fmt: skip
    say(f"{EXAMPLES} histories of up to {STEPS} deeds: {dict(sorted(done.items()))}")
    assert done["signed"] >= EXAMPLES
