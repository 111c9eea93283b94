"""People: what counting and deciding need in the clear, everything else sealed."""

import uuid
from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from healthcert.models.base import Base, Row, one_of, unique_where
from healthcert.models.proxy import SCOPE_SETS

SEXES = ("male", "female", "other", "unknown")  # FHIR AdministrativeGender
NATIONALITY_GROUPS = ("national", "foreign", "refugee", "stateless", "unknown")
IDENTITY_KINDS = ("national", "passport", "refugee", "municipal", "vouched", "none")
OUR_KINDS = ("card", "subject")  # a reference on paper; whom a national sign-in names
SIGN_IN = "sign_in"
LEVELS = ("low", "substantial", "high")  # Regulation (EU) 910/2014, article 8


class Person(Row):
    """Someone who is, was or will be vaccinated.

    Names, full birth date, contact points, addresses and identity values lie in `sealed`:
    one AES-GCM blob bound to this row, under the person's own key, which is itself wrapped
    by a master key (`healthcert.gateways.vault`). Which keys a row lies under stands beside it,
    empty where nobody knows: renewing a key works through the rows that name another one.

    Erasure has two steps. At `erased_at` all goes but what the law keeps until `kept_until`,
    sealed anew under another key; on `key_gone_on`, never before, that key goes as well. What
    nobody needs to keep goes in one. The trigger `erased_for_good` holds that nothing comes back.
    """

    __tablename__ = "person"
    __table_args__ = (
        CheckConstraint("birth_year BETWEEN 1850 AND 2200", name="birth_year"),
        one_of("sex", SEXES),
        one_of("nationality_group", NATIONALITY_GROUPS),
        CheckConstraint(
            "(key_gone_on IS NULL) = (wrapped_key IS NOT NULL)"
            " AND (wrapped_key IS NULL) = (sealed IS NULL)",
            name="key_with_seal",
        ),
        CheckConstraint(
            "erased_at IS NOT NULL OR (kept_until IS NULL AND key_gone_on IS NULL)",
            name="erased_first",
        ),
        CheckConstraint(
            "kept_until IS NULL OR key_gone_on IS NULL OR key_gone_on >= kept_until",
            name="kept_its_time",
        ),
        CheckConstraint(
            "erased_at IS NULL OR (region IS NULL AND nationality_group = 'unknown')",
            name="erased_is_bare",
        ),
        Index("ix_person_kept_until", "kept_until"),  # the night shift asks whose time is over
        Index("ix_person_wrapped_by_id", "wrapped_by", "id"),
        Index("ix_person_indexed_by_id", "indexed_by", "id"),
    )

    wrapped_key: Mapped[bytes | None]
    wrapped_by: Mapped[str] = mapped_column(String(8), server_default="")
    sealed: Mapped[bytes | None]
    indexed_by: Mapped[str] = mapped_column(String(8), server_default="")
    birth_year: Mapped[int]
    sex: Mapped[str]
    nationality_group: Mapped[str] = mapped_column(default="unknown")
    region: Mapped[str | None]
    language: Mapped[str] = mapped_column(String(2))
    erased_at: Mapped[datetime | None]
    kept_until: Mapped[date | None]
    key_gone_on: Mapped[date | None]


class Identity(Row):
    """A document or voucher that says who a person is, findable by its blind index alone.

    What it says is sealed beside it, so that it can be indexed anew; rows from before that have
    it among the person's details.
    """

    __tablename__ = "identity"
    __table_args__ = (
        one_of("kind", IDENTITY_KINDS + OUR_KINDS),
        one_of("level", LEVELS),
        CheckConstraint(
            "(kind IN ('vouched', 'none')) = (blind IS NULL)", name="blind_where_valued"
        ),
        CheckConstraint(
            "CASE kind WHEN 'subject' THEN level <> 'low' WHEN 'vouched' THEN level = 'low'"
            " WHEN 'none' THEN level = 'low' WHEN 'card' THEN level = 'low' ELSE 1 = 1 END",
            name="level_of_kind",
        ),
        unique_where("one_of_ours", "person_id", "kind", where="kind IN ('card', 'subject')"),
    )

    person_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("person.id"), index=True)
    kind: Mapped[str]
    country: Mapped[str] = mapped_column(String(2))
    level: Mapped[str]
    blind: Mapped[bytes | None] = mapped_column(unique=True)
    sealed: Mapped[bytes | None]  # kind, country and value, under the person's key


class PersonToken(Base):
    """A blind index entry: phone, mail, or a phonetic name token with the birth year."""

    __tablename__ = "person_token"
    __table_args__ = (
        one_of("kind", ("phone", "mail", "name")),
        Index("ix_person_token_kind_blind", "kind", "blind"),
    )

    person_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("person.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    blind: Mapped[bytes] = mapped_column(primary_key=True)


class AccessCode(Row):
    """A one-time code sent to a person's contact point: ten minutes, five tries, one use."""

    __tablename__ = "access_code"
    __table_args__ = (
        CheckConstraint("tries BETWEEN 0 AND 5", name="five_tries"),
        CheckConstraint("expires_at > recorded_at", name="ends_after_start"),
        one_of("lets", (SIGN_IN, *SCOPE_SETS)),
    )

    person_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("person.id"), index=True)
    digest: Mapped[bytes]  # HMAC-SHA256 of id and code under the pepper
    expires_at: Mapped[datetime]
    tries: Mapped[int] = mapped_column(default=0)
    used_at: Mapped[datetime | None]
    # Its person in, or, as the scopes a blank apart, somebody act for them.
    lets: Mapped[str] = mapped_column(default=SIGN_IN, server_default=SIGN_IN)
