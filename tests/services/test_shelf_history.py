"""Any history of two shelves, with every mistake set right, adds up; none holds fewer than none."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test
from sqlalchemy import select

from healthcert.errors import Refusal
from healthcert.models import StockMove
from healthcert.services import correcting, stock
from healthcert.services.reconciling import differences
from healthcert.services.stock import Shelf
from tests import factories as make
from tests.factories import NOW
from tests.services.clinic import Clinic

SITE, WHO, DOSES = st.integers(0, 1), st.integers(0, 2), st.integers(1, 9)
KIND = st.sampled_from(["received", "received", "overfill", "wasted", "returned"])


class History(RuleBasedStateMachine):
    """Two sites, three at each, and everything that comes, goes, is counted and corrected."""

    clinic: Clinic
    done: Counter[str]

    @initialize()
    def open(self) -> None:
        with self.clinic.doors.transaction() as db:
            lot = make.make_good_lot(db)
            sites = [make.make_site(db) for _ in range(2)]
            self.shelves = [Shelf(site.id, lot.id) for site in sites]
            self.staff = [
                [make.make_staff(db, site_id=site.id) for _ in range(3)] for site in sites
            ]

    def tried(self, name: str, work, **deed) -> None:
        """Do a deed; a refusal is an answer, anything else a mistake. Each time the sums hold."""
        try:
            self.clinic.doors.run(lambda db: work(db, now=NOW, **deed))
            self.done[name] += 1
        except Refusal as refusal:
            self.done[f"{name}: {refusal.code}"] += 1
        with self.clinic.doors.reading() as db:
            assert differences(db) == []

    @rule(at=SITE, who=WHO, quantity=DOSES, kind=KIND)
    def moved(self, at: int, who: int, quantity: int, kind: str) -> None:
        reason = "broken" if kind == "wasted" else None
        self.tried(kind, stock.move, shelf=self.shelves[at], kind=kind, quantity=quantity,
                   reason=reason, staff=self.staff[at][who])  # fmt: skip

    @rule(at=SITE, who=WHO, quantity=DOSES)
    def sent(self, at: int, who: int, quantity: int) -> None:
        self.tried("sent", stock.transfer, shelf=self.shelves[at], quantity=quantity,
                   to=self.shelves[1 - at].site_id, staff=self.staff[at][who])  # fmt: skip

    @rule(at=SITE, found=st.integers(20, 40))
    def counted(self, at: int, found: int) -> None:
        one, other, _third = self.staff[at]
        self.tried("counted", stock.count_again, shelf=self.shelves[at], found=found, staff=one,
                   confirmed_by=other)  # fmt: skip

    @rule(at=SITE, who=WHO, kind=KIND, quantity=DOSES, right=st.integers(0, 12))
    def slipped(self, at: int, who: int, kind: str, quantity: int, right: int) -> None:
        self.moved(at, who, quantity, kind)
        self.corrected(at, (who + 1) % 3, 0, right)

    @rule(at=SITE, who=WHO, which=st.integers(0, 5), quantity=st.integers(0, 12))
    def corrected(self, at: int, who: int, which: int, quantity: int) -> None:
        with self.clinic.doors.reading() as db:
            query = select(StockMove).filter_by(site_id=self.shelves[at].site_id)
            query = query.where(StockMove.kind.in_((*correcting.CORRECTED, "counted")))
            made = db.scalars(query.order_by(StockMove.ordinal.desc())).all()
        if made:
            deed = {"move_id": made[which % len(made)].id, "quantity": quantity, "why": "twice"}
            self.tried("corrected", correcting.correct, staff=self.staff[at][who], **deed)


@pytest.mark.walk
def test_any_history_of_two_shelves_adds_up(clinic, say):
    class Machine(History):
        pass

    Machine.clinic, Machine.done = clinic, Counter()
    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=8, stateful_step_count=25, deadline=None, derandomize=True, database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )  # fmt: skip
    say("; ".join(f"{name} {count}" for name, count in sorted(Machine.done.items())))
    assert Machine.done["corrected"] > 10
