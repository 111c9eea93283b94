"""Limits that the database counts: so often within so long, and then wait.

A take is one statement, so no crowd of requests gets one more than there are. What is refused is
not counted: whoever waits out a window begins a new one, however hard others knocked meanwhile.
The caller takes in a transaction of its own, before the work, so that work which fails counts too.
"""

import hmac
from datetime import datetime, timedelta
from functools import cache
from ipaddress import ip_address, ip_network
from uuid import UUID

from sqlalchemy import bindparam, case, delete, literal_column, or_, select
from sqlalchemy.orm import Session

from healthcert.data.limits import limits
from healthcert.errors import TooMany
from healthcert.models import Base, LimitCounter, upsert_on
from healthcert.models.straight import Straight
from healthcert.services import alarms


def take(db: Session, *, name: str, key: bytes, most: int, within: timedelta, now: datetime) -> int:
    """Count one of `name` for `key` and return how many it were in this window.

    `key` is 32 bytes that say for whom, such as of `key_of`; a window holds `most`, lasts `within`
    and begins with its first.

    Raises:
        TooMany: The window is full; it says when it ends. Nothing was counted.
    """
    told = {"name": name, "key": key, "most": most, "ends_at": now + within, "now": now}
    found = _counting(db.get_bind().dialect.name).rows(db, **told)
    if not found:
        ends_at = select(LimitCounter.ends_at).filter_by(name=name, key=key)
        raise TooMany(db.scalar(ends_at) or now + within)
    return int(found[0][0])


@cache
def _counting(engine: str) -> Straight:
    """Return the statement that counts one more, or gives no row where the window is full."""
    row, insert = Base.metadata.tables["limit_counter"].c, upsert_on(engine, "limit_counter")
    over, ends_at = row.ends_at <= bindparam("now"), insert.excluded.ends_at
    first = insert.values(
        name=bindparam("name"), key=bindparam("key"), ends_at=bindparam("ends_at"),
        count=literal_column("1"),
    )  # fmt: skip
    counted = first.on_conflict_do_update(
        index_elements=["name", "key"],
        set_={
            "count": case((over, 1), else_=row.count + 1),
            "ends_at": case((over, ends_at), else_=row.ends_at),
        },
        where=or_(over, row.count < bindparam("most")),
    )
    return Straight(counted.returning(row.count))


def spend(
    db: Session, *, name: str, now: datetime, pepper: bytes = b"", identity: str = "",
    address: str = "", about: tuple[str, UUID] = alarms.SERVICE,
) -> None:  # fmt: skip
    """Take one of a deed of `limits.toml`, for each scope that it is limited in.

    `identity` is who is asked about or who asks, in one spelling, `address` where the request came
    from; only the identifier of a row needs no pepper. When a count reaches its mark, before
    anybody is refused, an alarm is raised `about` a row.

    Raises:
        TooMany: One of the windows is full.
    """
    who = {"identity": identity, "network": network_of(address), "service": ""}
    for scope, limit in limits()[name].items():
        key, kind = key_of(pepper, f"{name} {scope} {who[scope]}"), f"{name}.{scope}"
        within = timedelta(seconds=limit.within)
        if take(db, name=kind, key=key, most=limit.most, within=within, now=now) == limit.alarm:
            alarms.sound(db, kind=kind, about=about, now=now)


def key_of(pepper: bytes, text: str) -> bytes:
    """Return HMAC-SHA256 of a text: without the pepper nobody can try texts out."""
    return hmac.digest(pepper, b"limit\x00" + text.encode(), "sha256")


def network_of(address: str) -> str:
    """Return the network that an address is counted in: IPv4 /24, IPv6 /48; else the text."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    found = getattr(found, "ipv4_mapped", None) or found
    return str(ip_network((found, 24 if found.version == 4 else 48), strict=False))  # noqa: PLR2004


def sweep(db: Session, *, now: datetime) -> int:
    """Delete counters whose window is over; return how many."""
    gone = delete(LimitCounter).where(LimitCounter.ends_at <= now)
    return len(db.execute(gone.returning(LimitCounter.name)).all())
