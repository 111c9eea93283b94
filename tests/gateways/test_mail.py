"""Mail goes to a relay that speaks SMTP, or stays at home."""

from __future__ import annotations

import socketserver
import threading
from email import message_from_bytes, policy

import pytest

from healthcert.errors import BadSettings
from healthcert.gateways.mail import MailRelay, RelayError, keep


class Relay(socketserver.StreamRequestHandler):
    """The least of RFC 5321 that takes a message, or refuses its recipient."""

    def handle(self) -> None:
        """Speak until QUIT."""
        self.say("220 relay.example.org")
        for line in self.rfile:
            word = line[:4].upper()
            if word == b"DATA":
                self.say("354 go on")
                self.take()
            elif word == b"RCPT" and b"refused" in line:
                self.say("550 nobody of that name")
            else:
                self.say("221 bye" if word == b"QUIT" else "250 fine")
            if word == b"QUIT":
                return

    def take(self) -> None:
        """Read a message up to its lone dot."""
        lines = (line.removeprefix(b".") for line in iter(self.rfile.readline, b".\r\n"))
        self.server.taken.append(message_from_bytes(b"".join(lines), policy=policy.default))
        self.say("250 taken")

    def say(self, line: str) -> None:
        """Answer."""
        self.wfile.write(f"{line}\r\n".encode())


@pytest.fixture
def relay():
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Relay) as server:
        server.daemon_threads, server.taken = True, []
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def url(relay) -> str:
    return f"smtp://127.0.0.1:{relay.server_address[1]}"


def test_a_message_reaches_the_relay_whole(relay):
    MailRelay(url(relay), "no-reply@example.org").send("a@example.org", "موعدك", "نصّ قصير\n.\n")
    [taken] = relay.taken
    assert (taken["From"], taken["To"]) == ("no-reply@example.org", "a@example.org")
    assert taken["Subject"] == "موعدك"
    assert taken.get_content().replace("\r\n", "\n") == "نصّ قصير\n.\n"


def test_a_refused_recipient_is_not_sent_and_not_named(relay):
    with pytest.raises(RelayError) as refused:
        MailRelay(url(relay), "no-reply@example.org").send("refused@example.org", "s", "t")
    assert "refused@" not in str(refused.value)
    assert relay.taken == []


def test_a_relay_that_is_down_is_said_so():
    with pytest.raises(RelayError):
        MailRelay("smtp://127.0.0.1:1", "no-reply@example.org").send("a@example.org", "s", "t")


def test_a_line_in_an_address_cannot_make_a_header(relay):
    with pytest.raises(RelayError):
        MailRelay(url(relay), "no-reply@example.org").send("a@example.org\nBcc: b@x.org", "s", "t")
    assert relay.taken == []


@pytest.mark.parametrize("address", ["http://relay", "smtp://", "relay:25"])
def test_an_address_of_another_kind_is_refused(address):
    with pytest.raises(BadSettings):
        MailRelay(address, "no-reply@example.org")


def test_the_twin_at_home_lets_nothing_leave():
    assert keep("a@example.org", "s", "t") is None
