"""Sign what a crash or a missing key left unsigned; take back what was decided."""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from healthcert.errors import SignerUnavailable
from healthcert.parts import Parts
from healthcert.services import issuing, mass_revoking

AT_ONCE = 100
_GOES_ON = timedelta(days=30)
_A_LOOK = 5  # seconds in which some round begins
_LOG = logging.getLogger(__name__)


def sign_pending(parts: Parts, now: datetime) -> int:
    """Sign intended certificates, the oldest first; return how many were signed.

    Each kind goes in a transaction of its own, so that one whose key is away waits alone. Where
    that fails nothing of it is kept, and each half goes alone: one that cannot be signed, whatever
    its fault, does not keep the others back.

    Raises:
        SignerUnavailable: Nothing was signed, since keys are away; every intent stays.
    """
    done, away = 0, None
    for kind in issuing.KINDS:
        with parts.doors.reading() as db:
            waiting = issuing.pending(db, limit=AT_ONCE, today=now.date(), kinds=[kind])
        try:
            done += _sign(parts, waiting, now) if waiting else 0
        except SignerUnavailable as refusal:
            away = refusal
    if away is not None and not done:
        raise away
    return done


def take_back(parts: Parts, now: datetime) -> int:
    """Go on with withdrawals that were decided, once a minute; return how many certificates.

    Those that get another one first end when that is signed.
    """
    if now.second > _A_LOOK:
        return 0
    with parts.doors.reading() as db:
        decided = mass_revoking.decided(db, since=now - _GOES_ON)
    return sum(take_back_all(parts, reference, now) for reference in decided)


def take_back_all(parts: Parts, reference: str, now: datetime) -> int:
    """Carry a decided withdrawal out, batch by batch; return how many certificates it was."""
    batch = partial(
        mass_revoking.carry_out, vault=parts.vault, reference=reference, country=parts.country,
        now=now,
    )  # fmt: skip
    return sum(iter(lambda: parts.doors.run(batch), 0))


def _sign(parts: Parts, waiting: Sequence[UUID], now: datetime) -> int:
    issue = partial(
        issuing.issue_all, vault=parts.vault, signers=parts.signers, certificate_ids=waiting,
        country=parts.country, now=now,
    )  # fmt: skip
    try:
        return parts.doors.run(issue)
    except SignerUnavailable:
        raise
    except Exception:  # noqa: BLE001 - one that is broken must not keep the others back
        if len(waiting) <= 1:
            _LOG.exception("a certificate cannot be signed", extra={"job": "certificates"})
            return 0
    half = len(waiting) // 2
    return _sign(parts, waiting[:half], now) + _sign(parts, waiting[half:], now)
