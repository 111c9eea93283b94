"""Send the messages that are due."""

import logging
from datetime import datetime

from healthcert.gateways.mail import RelayError
from healthcert.parts import Parts
from healthcert.policy.offers import night
from healthcert.services import messages

_AT_ONCE = 50
_LOG = logging.getLogger(__name__)


def send_due(parts: Parts, now: datetime) -> int:
    """Send due messages by the channels there are; return how many were taken.

    What a channel does not take stays in the outbox and is offered again, later each time.
    """
    morning = night(now, parts.country.quiet_hours, parts.country.time_zone)
    with parts.doors.transaction() as db:
        claimed = messages.claim(
            db, vault=parts.vault, channels=list(parts.channels), now=now, limit=_AT_ONCE,
            morning=morning,
        )  # fmt: skip
    sent = []
    for message in claimed:
        try:
            parts.channels[message.channel](message.to, message.subject, message.text)
        except RelayError:
            _LOG.warning("a message was not taken", extra={"job": "messages"})
        else:
            sent.append(message.id)
    with parts.doors.transaction() as db:
        messages.settle(db, sent=sent, now=now)
    return len(sent)
