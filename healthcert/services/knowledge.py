"""Make the knowledge files rows: each content once, never changed, pointed at by what used it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from healthcert.data import knowledge as files
from healthcert.errors import NotFound
from healthcert.models import Knowledge, Product, ProductTarget, Programme
from healthcert.policy.schedule import Series


@dataclass(frozen=True, slots=True)
class Rule:
    """A product and the rule it is given by."""

    product: Product
    series: Series
    knowledge_id: UUID


def load(db: Session, *, now: datetime) -> int:
    """Bring the rows to what the files of this version say; return how many contents were new.

    Earlier contents stay, since doses and certificates point at what they were judged under.
    Programmes and products move on to the newest.
    """
    new = 0
    for kind in ("vaccine", "programme", "country"):
        for source in files.sources(kind):
            row = db.scalar(select(Knowledge).where(Knowledge.sha256 == source.sha256))
            if row is None:
                row = _row(source, now)
                db.add(row)
                db.flush()
                new += 1
            if kind == "vaccine":
                _product(db, row, now)
            elif kind == "programme":
                _programme(db, row, now)
    db.flush()
    return new


def rule_of(db: Session, product_id: UUID) -> Rule:
    """Return a product with the rule it is given by now.

    Raises:
        NotFound: No such product.
    """
    found = db.execute(
        select(Product, Knowledge)
        .join(Knowledge, Knowledge.id == Product.knowledge_id)
        .where(Product.id == product_id)
    ).one_or_none()
    if found is None:
        raise NotFound
    product, row = found
    return Rule(product, files.series(row.content), row.id)


def programme_content(db: Session, programme_id: UUID) -> Mapping[str, Any]:
    """Return what the file of a programme says."""
    query = (
        select(Knowledge.content)
        .join(Programme, Programme.knowledge_id == Knowledge.id)
        .where(Programme.id == programme_id)
    )
    content: Mapping[str, Any] = db.scalars(query).one()
    return content


def country_version(db: Session, country: files.Country) -> UUID:
    """Return the version of a country's file that this version of the service works by.

    Raises:
        NotFound: It was not loaded.
    """
    told = next(each for each in files.sources("country") if each.content["code"] == country.code)
    found = db.scalar(select(Knowledge.id).where(Knowledge.sha256 == told.sha256))
    if found is None:
        raise NotFound
    return found


def programmes(db: Session) -> list[Programme]:
    """Return the programmes, by code."""
    return list(db.scalars(select(Programme).order_by(Programme.code)))


def _row(source: files.Source, now: datetime) -> Knowledge:
    return Knowledge(
        recorded_at=now,
        kind=source.kind,
        name=source.name,
        sha256=source.sha256,
        content=source.content,
    )


def _product(db: Session, row: Knowledge, now: datetime) -> None:
    content, rule = row.content, files.series(row.content)
    product = db.scalar(select(Product).where(Product.code == content["code"]))
    if product is None:
        product = Product(code=content["code"], recorded_at=now)
        db.add(product)
    if product.knowledge_id == row.id:
        return
    product.name, product.vp, product.ma = content["name"], content["vp"], content["ma"]
    product.series_doses, product.min_age_years = rule.doses, rule.min_age
    product.min_interval_days = rule.min_interval
    product.target_interval_days = rule.target_interval
    product.knowledge_id = row.id
    db.flush()
    known = set(
        db.scalars(select(ProductTarget.disease).where(ProductTarget.product_id == product.id))
    )
    db.add_all(
        ProductTarget(product_id=product.id, disease=disease)
        for disease in content["targets"]
        if disease not in known
    )


def _programme(db: Session, row: Knowledge, now: datetime) -> None:
    content = row.content
    programme = db.scalar(select(Programme).where(Programme.code == content["code"]))
    if programme is None:
        programme = Programme(code=content["code"], recorded_at=now)
        db.add(programme)
    programme.disease, programme.names = content["disease"], content["names"]
    programme.knowledge_id = row.id
