"""For anybody: the programmes there are, what each asks people to tell, and what is told."""

from collections import defaultdict
from typing import Annotated
from uuid import UUID

from pydantic import Field

from healthcert import models
from healthcert.services import desk, eligibility, knowledge
from healthcert.web.api.asker import On
from healthcert.web.api.deeds import deed
from healthcert.web.api.lists import Paging, Rows
from healthcert.web.api.shapes import Shape, Words, many, of
from healthcert.web.here import parts
from healthcert.web.moment import now

Answers = Annotated[dict[str, list[str]], Field(description=(
    "Codes by field, of what the programme `asks`. Null is what was told last, but nothing where "
    "`details` say who it is."
))]  # fmt: skip
Vaccine = of(
    "Vaccine", 'A product that is given, by its code (EU value set "mp").', models.Product,
    "id code name series_doses min_age_years",
)  # fmt: skip
Programme = of(
    "Programme", 'A vaccination programme against one disease (SNOMED CT, EU value set "tg").',
    models.Programme, "id code disease names", products=many(Vaccine),
    asks=Annotated[dict[str, dict[str, Words]], Field(description=(
        "What its groups ask people to tell: the words of each code, by field; `yes` has none."
    ))],
)  # fmt: skip
_PROGRAMMES = Rows(Programme, "code")


@deed("GET", "/programmes", gives=_PROGRAMMES.paged)
def programmes(on: On, query: Paging) -> Shape:
    """Show the programmes by code: what each gives, and what it asks people to tell."""
    day, country = now().date(), parts().country
    given: dict[UUID, list[models.Product]] = defaultdict(list)
    for programme, product in knowledge.offered(on.db):
        given[programme.id].append(product)
    found = [
        {
            "id": each.id, "code": each.code, "disease": each.disease, "names": each.names,
            "products": given[each.id],
            "asks": eligibility.asks(on.db, each, day=day, country=country),
        }
        for each in desk.programmes(on.db)
    ]  # fmt: skip
    return _PROGRAMMES.page(found, query)
