"""Send mail through a relay, or keep it at home.

`Keep` is the offline twin: it takes a message and lets nothing leave, so that development and
training show what was said on the outbox page and no real person is ever written to.
"""

import smtplib
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from email.message import EmailMessage
from urllib.parse import unquote, urlsplit

from healthcert.errors import BadSettings

Send = Callable[[str, str, str], None]
_TIMEOUT = 20.0  # seconds
_PORTS = {"smtp": 25, "smtps": 465}


class RelayError(OSError):
    """The relay did not take a message; it may be offered again."""


def keep(to: str, subject: str, text: str) -> None:
    """Take a message and let nothing leave."""
    del to, subject, text


@dataclass(frozen=True, slots=True)
class MailRelay:
    """A relay that speaks SMTP (RFC 5321), with TLS wherever it offers it (RFC 3207)."""

    url: str  # ``smtp://`` or ``smtps://``, perhaps with user and password, host and port
    sender: str  # the address that messages come from

    def __post_init__(self) -> None:
        """Refuse (`BadSettings`) what is not ``smtp://host:port`` or ``smtps://host:port``."""
        parts = urlsplit(self.url)
        if parts.scheme not in _PORTS or not parts.hostname:
            raise BadSettings("HEALTHCERT_MAIL_URL must look like smtp://relay.example.org:25")

    def send(self, to: str, subject: str, text: str) -> None:
        """Hand one message to the relay; `RelayError`, which quotes no address, if not."""
        message = EmailMessage()
        try:
            message["From"], message["To"], message["Subject"] = self.sender, to, subject
            message.set_content(text)
            with self._connected() as relay:
                relay.send_message(message)
        except (OSError, smtplib.SMTPException, ValueError) as error:  # the last: no address
            raise RelayError(type(error).__name__) from None

    def _connected(self) -> smtplib.SMTP:
        parts = urlsplit(self.url)
        host, port = parts.hostname or "", parts.port or _PORTS[parts.scheme]
        tls = ssl.create_default_context()
        if parts.scheme == "smtps":
            relay: smtplib.SMTP = smtplib.SMTP_SSL(host, port, timeout=_TIMEOUT, context=tls)
        else:
            relay = smtplib.SMTP(host, port, timeout=_TIMEOUT)
            relay.ehlo()
            if relay.has_extn("starttls"):
                relay.starttls(context=tls)
        if parts.username:
            relay.login(unquote(parts.username), unquote(parts.password or ""))
        return relay
