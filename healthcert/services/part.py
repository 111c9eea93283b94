"""Part of a list: what follows a key, and no more than is shown; the database reads no other."""

from typing import Any, NamedTuple, TypeVarTuple

from sqlalchemy import Select, tuple_
from sqlalchemy.orm import InstrumentedAttribute

Ts = TypeVarTuple("Ts")


class Part(NamedTuple):
    """Which rows of a list are wanted: those that come after a key, and at most so many.

    Of a list with the `newest` first, these have a lower key.
    """

    after: tuple[Any, ...]
    most: int
    newest: bool = False

    def of(self, query: Select[*Ts], *key: InstrumentedAttribute[Any]) -> Select[*Ts]:
        """Return the query of this part, in the order of a key that is of one row each.

        An index has it: then a list of a million costs as much as one of fifty.
        """
        if self.after:
            place = tuple_(*key)
            query = query.where(place < self.after if self.newest else place > self.after)
        order = [column.desc() if self.newest else column for column in key]
        return query.order_by(None).order_by(*order).limit(self.most)
