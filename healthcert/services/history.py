"""Read a person's doses with everything their worth rests on."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from healthcert.models import (
    Dose,
    DoseStanding,
    LotValidity,
    Product,
    ProductTarget,
    Programme,
    Recovery,
    RecoveryStanding,
)
from healthcert.policy import schedule, worth
from healthcert.policy.schedule import Outlook, Series
from healthcert.policy.worth import Found, Given, LotRecord
from healthcert.services import facts, knowledge


@dataclass(frozen=True, slots=True)
class Past:
    """A recorded dose with what its worth rests on."""

    dose: Dose
    product: Product  # what was given
    series: Series  # the rule of the product
    knowledge_id: UUID  # the version that rule stands in
    validity: LotValidity | None  # of its lot, in force that day; None: lot not known then
    standing: DoseStanding | None  # None before it was first judged
    in_programme: bool  # whether its programme gives this product

    @property
    def counts(self) -> str:
        """What it is worth now; empty before its first judgement."""
        return self.standing.counts if self.standing else ""

    def counted(self, birth_date: str) -> tuple[date, Series]:
        """Return its day, and its rule for the age of that day."""
        return self.dose.given_on, self.series.at(birth_date, self.dose.given_on)

    @property
    def doubt(self) -> str:
        """Why it is not proved: a code, or empty."""
        if self.dose.evidence == "stated":
            return "no_evidence"
        return "" if self.dose.day_precision == "day" else "day_unknown"

    def as_given(self, found: Found | None = None) -> Given:
        """Return it as the rules take it, with what a person finds of it now."""
        dose, lot = self.dose, self.validity
        kept = Found(self.counts if self.counts in worth.KEPT else "", "")
        return Given(
            dose_id=dose.id,
            given_on=dose.given_on,
            order=(dose.given_at is None, dose.given_at, dose.id.int),
            series=self.series,
            in_programme=self.in_programme,
            lot=LotRecord(lot.state, lot.released_on, lot.expires_on) if lot else None,
            needs_lot=dose.source == "point_of_care",
            found=kept if found is None else found,
            doubt=self.doubt,
        )


def past_doses(
    db: Session, *, person_ids: Collection[UUID], disease: str
) -> dict[UUID, list[Past]]:
    """Return by person their doses of products that protect from a disease, in the order given."""
    on_standing = (DoseStanding.dose_id == Dose.id) & (DoseStanding.disease == disease)
    query = (
        select(Dose, DoseStanding)
        .join(ProductTarget, ProductTarget.product_id == Dose.product_id)
        .outerjoin(DoseStanding, on_standing)
        .where(Dose.person_id.in_(person_ids), ProductTarget.disease == disease)
        .order_by(Dose.given_on, Dose.given_at, Dose.id)
        .execution_options(populate_existing=True)
    )
    rules: dict[UUID, knowledge.Rule] = {}
    products: dict[UUID, list[str]] = {}
    found: dict[UUID, list[Past]] = {person_id: [] for person_id in person_ids}
    rows = db.execute(query).all()
    validities = _validities(db, [dose for dose, _ in rows])
    for dose, standing in rows:
        if dose.product_id not in rules:
            rules[dose.product_id] = knowledge.rule_of(db, dose.product_id)
        if dose.programme_id not in products:
            content = knowledge.programme_content(db, dose.programme_id)
            products[dose.programme_id] = content["products"]
        rule = rules[dose.product_id]
        found[dose.person_id].append(
            Past(
                dose, rule.product, rule.series, rule.knowledge_id,
                validity=validities.get(dose.id), standing=standing,
                in_programme=rule.product.code in products[dose.programme_id],
            )
        )  # fmt: skip
    return found


def recoveries(db: Session, *, person_id: UUID, disease: str) -> list[date]:
    """Return the days of the first positive test of a person's recoveries that stand, in order."""
    query = (
        select(Recovery.first_positive_on)
        .join(RecoveryStanding, RecoveryStanding.recovery_id == Recovery.id)
        .where(Recovery.person_id == person_id, Recovery.disease == disease)
        .where(RecoveryStanding.counts == "valid")
    )
    return sorted(db.scalars(query))


def _validities(db: Session, doses: Sequence[Dose]) -> dict[UUID, LotValidity]:
    """Return by dose the validity of its lot in force on its day.

    Of a lot that our books learned of later, a recall alone: what counts rests on a lot it names.
    """
    early = [(each.product_id, each.lot_text) for each in doses if not each.lot_id]
    known = facts.known_lots(db, early) if any(text for _, text in early) else {}
    lots = {
        each.id: each.lot_id or known.get((each.product_id, each.lot_text), {}).get("lot_id")
        for each in doses
    }
    every: dict[UUID | None, list[LotValidity]] = {lot_id: [] for lot_id in lots.values()}
    query = select(LotValidity).where(LotValidity.lot_id.in_(every))
    for validity in db.scalars(query.order_by(LotValidity.ordinal)) if any(every) else ():
        every[validity.lot_id].append(validity)
    found = dict[UUID, LotValidity]()
    for dose in doses:
        in_force = [each for each in every[lots[dose.id]] if each.since <= dose.given_on]
        if in_force and (dose.lot_id or in_force[-1].state == "recalled"):
            found[dose.id] = in_force[-1]
    return found


def outlook(
    db: Session,
    *,
    person_id: UUID,
    birth_date: str,
    programme_id: UUID,
    today: date,
    product_id: UUID | None = None,
) -> Outlook:
    """Return where a person stands in a programme, and which dose is due when.

    Without a product that would be given next, it is the last one that counted, or the first of
    the programme.
    """
    disease = db.get_one(Programme, programme_id).disease
    past = past_doses(db, person_ids=[person_id], disease=disease)[person_id]
    if product_id is None:
        code = knowledge.programme_content(db, programme_id)["products"][0]
        first = select(Product.id).where(Product.code == code)
        counted = [dose for dose in past if dose.counts == "valid"]
        product_id = counted[-1].product.id if counted else db.scalars(first).one()
    offered = knowledge.rule_of(db, product_id).series
    return outlook_of(past, offered, birth_date, today)


def outlook_of(past: Sequence[Past], offered: Series, birth_date: str, today: date) -> Outlook:
    """Return where somebody with these doses stands, were the next one that of a product."""
    taken = [dose.counted(birth_date) for dose in past if dose.counts == "valid"]
    return schedule.outlook(taken, offered, birth_date, today)
