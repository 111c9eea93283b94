"""A process that records a dose and signs for it, and is killed at one point of the way.

It is the real way, in a real process: what stands at the point is a subclass or a wrapped call
that kills, and does nothing else.
"""

from __future__ import annotations

import os
import signal
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from healthcert.config import Settings
from healthcert.gateways.signer import Signer
from healthcert.jobs import certificates, outbox
from healthcert.parts import Parts, open_parts
from healthcert.services import issuing
from tests.factories import NOW, day
from tests.services.clinic import Clinic, details

POINTS = ("intended", "signed", "verified", "stored", "delivered")


def die() -> None:
    """Leave as a power cut does: nothing after this runs."""
    os.kill(os.getpid(), signal.SIGKILL)


class Noting(Signer):
    """A signer that writes down each signature it makes, as the outside world would know it."""

    __slots__ = ()
    made: Path
    deadly = False

    def sign(self, to_be_signed: bytes) -> bytes:
        """Sign, write down, and at one of the points die."""
        signature = super().sign(to_be_signed)
        with Noting.made.open("a", encoding="ascii") as file:
            file.write(f"{signature.hex()}\n")
            file.flush()
            os.fsync(file.fileno())
        if Noting.deadly:
            die()
        return signature


def noting(parts: Parts, made: Path) -> Parts:
    """Return the parts with signers that write down what they sign."""
    Noting.made = made
    known = {
        each.kid: Noting(each.kid, each.certificate, each.purpose, each._key)  # noqa: SLF001 - itself
        for each in parts.signers.values()
    }
    return replace(parts, signers=known)


def main(point: str, made: Path) -> None:
    """Record a dose, sign for it and deliver the word of it; die at the point."""
    parts = noting(open_parts(Settings.from_env(os.environ)), made)
    clinic = Clinic.opened(parts.doors, parts.vault, parts.country, parts.signers.values())
    clinic.lot()
    clinic.vaccinated(day(-1), details())
    if point == "intended":
        die()
    Noting.deadly = point == "signed"
    if point == "verified":
        telling = issuing.tell

        def tell(*words: object, **more: object) -> None:
            telling(*words, **more)
            die()

        issuing.tell = tell
    certificates.sign_pending(parts, NOW)
    if point == "stored":
        die()
    parts.channels["mail"] = parts.channels["sms"] = lambda *_words, **_more: die()  # type: ignore[index]
    outbox.send_due(parts, NOW + timedelta(minutes=1))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
