"""Make the knowledge files rows: each content once, never changed, pointed at by what used it."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, true
from sqlalchemy.orm import Session

from healthcert.data import checking
from healthcert.data import knowledge as files
from healthcert.data.knowledge import Source
from healthcert.data.series import series
from healthcert.errors import BadKnowledge, there
from healthcert.models import Knowledge, Phase, Product, ProductTarget, Programme
from healthcert.policy.schedule import Series

# A version never changes (`append_only`): a process reads each of them once.
_CONTENTS: dict[UUID, Mapping[str, Any]] = {}
_SERIES: dict[UUID, Series] = {}


@dataclass(frozen=True, slots=True)
class Rule:
    """A product, the rule it is given by, and what `policy.prompts` asks before it is given."""

    product: Product
    series: Series
    questions: Sequence[Mapping[str, Any]]
    knowledge_id: UUID
    content: Mapping[str, Any]  # the file, with what the desk is told


def load(
    db: Session, *, now: datetime, more: Iterable[Source] = (), country: str = "",
    languages: Collection[str] = ("en",),
) -> int:  # fmt: skip
    """Bring the rows to what files say; return how many contents were new.

    Earlier contents stay, since doses and certificates point at what they were judged under.
    Programmes and products move on to the newest, and its phases are published with it; who waits
    follows (`waiting.follow`). `more` are
    files beside those of this version; one of the same kind and name takes its place. Every text
    must stand in all `languages`, and a region that a phase asks for lie in the `country`.

    Raises:
        BadKnowledge: A file is wrong; nothing is written.
    """
    sources = together(more)
    wrong = checking.faults(sources, languages, country)
    if wrong:
        raise BadKnowledge("\n".join(map(str, wrong)))
    new = 0
    for source in sources:
        row = db.scalar(select(Knowledge).filter_by(sha256=source.sha256))
        if row is None:
            row = Knowledge(recorded_at=now, **asdict(source))
            db.add(row)
            db.flush()
            new += 1
        if source.kind == "vaccine":
            _product(db, row, now)
        elif source.kind == "programme":
            _programme(db, row, now)
    db.flush()
    return new


def together(more: Iterable[Source]) -> list[Source]:
    """Return the files of this version with others in their place or beside them."""
    ours = [source for kind in files.FOLDERS for source in files.sources(kind)]
    found = {(source.kind, source.name): source for source in [*ours, *more]}
    return [source for kind in files.FOLDERS for source in found.values() if source.kind == kind]


def rule_of(db: Session, product_id: UUID) -> Rule:
    """Return a product with the rule it is given by now; `NotFound` if there is none."""
    product = there(db.get(Product, product_id))
    rule, content = series_of(db, product.knowledge_id), _content(db, product.knowledge_id)
    return Rule(product, rule, content.get("questions", ()), product.knowledge_id, content)


def series_of(db: Session, knowledge_id: UUID) -> Series:
    """Return the rule that a version of a product's file says."""
    if knowledge_id not in _SERIES:
        _SERIES[knowledge_id] = series(_content(db, knowledge_id))
    return _SERIES[knowledge_id]


def offered(db: Session) -> list[tuple[Programme, Product]]:
    """Return each programme with each product that it gives."""
    told = (  # a few of each, at once
        select(Programme, Knowledge, Product).join_from(Programme, Knowledge).join(Product, true())
    )
    rows = db.execute(told.order_by(Programme.code)).all()
    products = {product.code: product for _one, _row, product in rows}
    each = {one: row.content["products"] for one, row, _product in rows}
    return [(one, products[code]) for one, codes in each.items() for code in codes]


def first_of(db: Session, programme: Programme) -> Product | None:
    """Return the product that a programme's file names first."""
    codes = _content(db, programme.knowledge_id)["products"]
    return db.scalar(select(Product).where(Product.code.in_(codes[:1])))


def programme_content(db: Session, programme_id: UUID) -> Mapping[str, Any]:
    """Return what the file of a programme says."""
    return _content(db, db.get_one(Programme, programme_id).knowledge_id)


def _content(db: Session, knowledge_id: UUID) -> Mapping[str, Any]:
    if knowledge_id not in _CONTENTS:
        _CONTENTS[knowledge_id] = db.get_one(Knowledge, knowledge_id).content
    return _CONTENTS[knowledge_id]


def country_version(db: Session, country: files.Country) -> UUID:
    """Return the version of a country's file that we work by; `NotFound` if it was not loaded."""
    told = next(each for each in files.sources("country") if each.content["code"] == country.code)
    return there(db.scalar(select(Knowledge.id).filter_by(sha256=told.sha256)))


def _product(db: Session, row: Knowledge, now: datetime) -> None:
    content, rule = row.content, series(row.content)
    product = db.scalar(select(Product).filter_by(code=content["code"]))
    if product is None:
        product = Product(code=content["code"], recorded_at=now)
        db.add(product)
    if product.knowledge_id == row.id:
        return
    product.name = content["name"]
    product.vp, product.ma = content.get("vp", ""), content.get("ma", "")
    product.series_doses, product.min_age_years = rule.doses, rule.min_age_months // 12
    product.min_interval_days = rule.min_interval
    product.target_interval_days = rule.target_interval
    product.knowledge_id = row.id
    db.flush()
    known = db.scalars(select(ProductTarget.disease).filter_by(product_id=product.id)).all()
    new = set(content["targets"]) - set(known)
    db.add_all(ProductTarget(product_id=product.id, disease=disease) for disease in sorted(new))


def _programme(db: Session, row: Knowledge, now: datetime) -> None:
    content = row.content
    programme = db.scalar(select(Programme).filter_by(code=content["code"]))
    if programme is None:
        programme = Programme(code=content["code"], recorded_at=now)
        db.add(programme)
    programme.disease, programme.names = content["disease"], content["names"]
    if programme.knowledge_id == row.id:
        return
    programme.knowledge_id = row.id
    published = select(Phase.id).where(Phase.knowledge_id == row.id).limit(1)
    if db.scalar(published) is None:  # files that go back to an earlier content find its phases
        db.add_all(_phase(phase, programme, now) for phase in content["phases"])


def _phase(told: Mapping[str, Any], programme: Programme, now: datetime) -> Phase:
    return Phase(
        recorded_at=now, programme_id=programme.id, knowledge_id=programme.knowledge_id,
        code=told["code"], names=told["names"], admits=told["admits"],
        opens_on=date.fromisoformat(told["opens_on"]),
        closes_on=date.fromisoformat(told["closes_on"]) if "closes_on" in told else None,
        published_at=now,
    )  # fmt: skip
