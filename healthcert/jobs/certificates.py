"""Sign what a crash or a missing key left unsigned."""

from __future__ import annotations

import logging
from datetime import datetime
from functools import partial

from healthcert.errors import SignerUnavailable
from healthcert.parts import Parts
from healthcert.services import issuing

_AT_ONCE = 100
_LOG = logging.getLogger(__name__)


def sign_pending(parts: Parts, now: datetime) -> int:
    """Sign intended certificates, the oldest first; return how many were signed.

    One that cannot be signed, whatever its fault, does not keep the others back.

    Raises:
        SignerUnavailable: No key signs now; every intent stays.
    """
    with parts.doors.reading() as db:
        waiting = issuing.pending(db, limit=_AT_ONCE, today=now.date())
    signed = 0
    for certificate_id in waiting:
        issue = partial(
            issuing.issue,
            vault=parts.vault,
            signers=parts.signers,
            certificate_id=certificate_id,
            country=parts.country,
            now=now,
        )
        try:
            parts.doors.run(issue)
        except SignerUnavailable:
            raise
        except Exception:  # noqa: BLE001 - one that is broken must not keep the others back
            _LOG.exception("a certificate cannot be signed", extra={"job": "certificates"})
        else:
            signed += 1
    return signed
