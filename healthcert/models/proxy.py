"""Who may act for whom."""

import uuid
from datetime import datetime
from itertools import combinations

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from healthcert.models.base import Row, one_of, unique_where
from healthcert.models.triggers.stated import stated

PROXY_KINDS = ("guardian", "carer", "operator")
SCOPES = ("book", "consent", "view")
SCOPE_SETS = tuple(
    " ".join(each) for count in range(1, len(SCOPES) + 1) for each in combinations(SCOPES, count)
)


class Proxy(Row):
    """One scope in which a guardian, a carer or an operator acts for a person, until a day.

    The proxy is another person of ours, or a member of staff who assists for a day at most. Of
    a row only its end can be brought forward, once (the trigger `proxy_fixed`).
    """

    __tablename__ = "proxy"
    __table_args__ = (
        one_of("kind", PROXY_KINDS),
        one_of("scope", SCOPES),
        CheckConstraint("(proxy_person_id IS NULL) <> (staff_id IS NULL)", name="one_proxy"),
        CheckConstraint("(kind = 'operator') = (staff_id IS NOT NULL)", name="operators_are_staff"),
        CheckConstraint("proxy_person_id <> person_id", name="for_another"),
        CheckConstraint("ends_at > recorded_at", name="ends_after_start"),
        CheckConstraint("revoked_at >= recorded_at", name="revoked_after_start"),
        unique_where(
            "one_proxy_in_force", "person_id", "proxy_person_id", "scope",
            where="revoked_at IS NULL AND proxy_person_id IS NOT NULL",
        ),
        stated(never_deleted=True),
    )  # fmt: skip

    person_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("person.id"), index=True)
    proxy_person_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("person.id"), index=True)
    staff_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("staff.id"), index=True)
    kind: Mapped[str]
    scope: Mapped[str]
    ends_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
