"""Sign what a crash or a missing key left unsigned."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from uuid import UUID

from healthcert.errors import SignerUnavailable
from healthcert.parts import Parts
from healthcert.services import issuing

AT_ONCE = 100
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


def _sign(parts: Parts, waiting: Sequence[UUID], now: datetime) -> int:
    issue = partial(
        issuing.issue_all,
        vault=parts.vault,
        signers=parts.signers,
        certificate_ids=waiting,
        country=parts.country,
        now=now,
    )
    try:
        return len(parts.doors.run(issue))
    except SignerUnavailable:
        raise
    except Exception:  # noqa: BLE001 - one that is broken must not keep the others back
        if len(waiting) <= 1:
            _LOG.exception("a certificate cannot be signed", extra={"job": "certificates"})
            return 0
    half = len(waiting) // 2
    return _sign(parts, waiting[:half], now) + _sign(parts, waiting[half:], now)
