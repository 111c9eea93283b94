"""Limits that the database counts: so often within so long, and then wait.

A take is one statement, so no crowd of requests gets one more than there are. What is refused is
not counted: whoever waits out a window begins a new one, however hard others knocked meanwhile.
The caller takes in a transaction of its own, before the work, so that work which fails counts too.
"""

import hmac
from datetime import datetime, timedelta
from ipaddress import ip_address, ip_network
from uuid import UUID

from sqlalchemy import case, delete, or_, select
from sqlalchemy.orm import Session

from healthcert.data.limits import limits
from healthcert.errors import TooMany
from healthcert.models import LimitCounter, upsert
from healthcert.services import alarms


def take(db: Session, *, name: str, key: bytes, most: int, within: timedelta, now: datetime) -> int:
    """Count one of `name` for `key` and return how many it were in this window.

    `key` is 32 bytes that say for whom, such as of `key_of`; a window holds `most`, lasts `within`
    and begins with its first.

    Raises:
        TooMany: The window is full; it says when it ends. Nothing was counted.
    """
    row, over = LimitCounter, LimitCounter.ends_at <= now
    first = upsert(db, "limit_counter").values(name=name, key=key, ends_at=now + within, count=1)
    counted = first.on_conflict_do_update(
        index_elements=["name", "key"],
        set_={
            "count": case((over, 1), else_=row.count + 1),
            "ends_at": case((over, now + within), else_=row.ends_at),
        },
        where=or_(over, row.count < most),
    )
    count = db.scalar(counted.returning(row.count))
    if count is None:
        ends_at = select(row.ends_at).where(row.name == name, row.key == key)
        raise TooMany(db.scalar(ends_at) or now + within)
    return int(count)


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
