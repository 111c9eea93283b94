"""What came to a shelf and left it, entry by entry, and what of it was set right."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Row, Select, and_, or_, select
from sqlalchemy.orm import Session, aliased

from healthcert.errors import there
from healthcert.models import Lot, Product, Site, Staff, Stock, StockMove
from healthcert.services.part import Part
from healthcert.services.stock import COUNTING

# What was written down, by whom, who counted as second, a transfer's other site; by ordinal, what
# it takes back, what it stands in place of, what took it back, what stands in its place.
_Columns = tuple[StockMove, str, str | None, dict[str, str] | None,
                 int | None, int | None, int | None, int | None]  # fmt: skip
Entry = Row[*_Columns]


def one_shelf(db: Session, *, site_id: UUID, lot_id: UUID) -> Row[Stock, Lot, Product, bool]:
    """Return a shelf of a site, also an empty one, and `stock.COUNTING`.

    Raises:
        NotFound: The site never had any of that lot.
    """
    query = select(Stock, Lot, Product, COUNTING).join(Lot, Lot.id == Stock.lot_id)
    query = query.join(Product, Product.id == Lot.product_id)
    query = query.where(Stock.site_id == site_id, Stock.lot_id == lot_id)
    return there(db.execute(query).one_or_none())


def listed(db: Session, *, site_id: UUID, lot_id: UUID, part: Part) -> Sequence[Entry]:
    """Return part of what came to a shelf and left it.

    Raises:
        NotFound: The site never had any of that lot.
    """
    one_shelf(db, site_id=site_id, lot_id=lot_id)
    query = _told().where(StockMove.site_id == site_id, StockMove.lot_id == lot_id)
    return db.execute(part.of(query, StockMove.ordinal)).all()


def one(db: Session, *, site_id: UUID, move_id: UUID) -> Entry:
    """Return one entry of a shelf of a site.

    Raises:
        NotFound: No such entry there.
    """
    query = _told().where(StockMove.site_id == site_id, StockMove.id == move_id)
    return there(db.execute(query).one_or_none())


def _told() -> Select[*_Columns]:
    second, own = aliased(Staff), StockMove.site_id
    back, right, answered, replaced, half = (aliased(StockMove) for _ in range(5))
    other_half = or_(half.id == StockMove.answers, half.answers == StockMove.id)
    return (
        select(
            StockMove, Staff.name.label("by"), second.name.label("second"),
            Site.names.label("other_site"), answered.ordinal.label("takes_back"),
            replaced.ordinal.label("in_place_of"), back.ordinal.label("taken_back_by"),
            right.ordinal.label("right_one"),
        )
        .join(Staff, Staff.id == StockMove.moved_by)
        .outerjoin(second, second.id == StockMove.confirmed_by)
        .outerjoin(answered, and_(answered.id == StockMove.answers, answered.site_id == own))
        .outerjoin(replaced, replaced.id == StockMove.replaces)
        .outerjoin(back, and_(back.answers == StockMove.id, back.site_id == own))
        .outerjoin(right, right.replaces == StockMove.id)
        .outerjoin(half, and_(other_half, half.site_id != own))
        .outerjoin(Site, Site.id == half.site_id)
    )  # fmt: skip
