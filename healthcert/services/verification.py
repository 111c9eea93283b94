"""Verify certificates with nothing but a bundle: no database, no network.

The bundle file may change at any time under a running process; a good one that is held is
never given up for one that is worse.
"""

import logging
from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Lock
from typing import Any

import healthcert
from healthcert.data import value_sets
from healthcert.errors import BadBundle
from healthcert.gateways import bundle_files
from healthcert.hcert.bundle import Bundle, newer
from healthcert.hcert.cose import PublicKey
from healthcert.policy.entry import STALE_AFTER, judge
from healthcert.policy.rulebook import Journey, RuleBook
from healthcert.policy.verdict import Detail, Verdict

_LOG = logging.getLogger(__name__)
_PAUSE = timedelta(seconds=2)  # before a missing part is looked for again
_Stamp = tuple[int, int, int]


class Verifier:
    """The bundle of one file, re-read whenever the file changes; safe to share among threads."""

    def __init__(
        self, path: Path, pins: Collection[PublicKey], *, floor: datetime | None = None,
        stale_after: timedelta = STALE_AFTER,
    ) -> None:  # fmt: skip
        """Look at a bundle file, which need not be there yet.

        Args:
            path: The bundle file.
            pins: The public keys that may have signed it.
            floor: A moment that is surely past, such as `built`; the clock is not believed below.
            stale_after: Age from which a bundle no longer supports ``valid``.
        """
        self._path = path
        self._pins = tuple(pins)
        self._stale_after = stale_after
        self._lock = Lock()
        self._seen = floor or datetime.min.replace(tzinfo=UTC)
        self._stamp: _Stamp | None = None
        self._bundle: Bundle | None = None
        self._book = RuleBook.of(())
        self._look_again = self._seen

    def verdict(
        self, text: str, *, now: datetime, at: datetime | None = None, country: str | None = None,
        detail: Detail = "full",
    ) -> dict[str, Any]:  # fmt: skip
        """Return the JSON object of a verdict, see `judge`; ``minimal`` says not of whom."""
        return self.judge(text, now=now, at=at, country=country).as_json(detail)

    def judge(
        self, text: str, *, now: datetime, at: datetime | None = None, country: str | None = None,
        foresee: bool = False,
    ) -> Verdict:  # fmt: skip
        """Return the verdict on what a code says, for any text at all, with all that led to it.

        Args:
            text: What the bar code said.
            now: The clock, aware. Times seen earlier are its floor.
            at: Another moment to judge at, aware, given by hand; the floor does not hold for it.
            country: Country of arrival, two letters; None leaves the entry rules out.
            foresee: Whether `at` is a day to come, of which is told what would be said on it
                as far as is known now: the bundle's age is that of now.
        """
        bundle, book, floor = self._current(now)
        return judge(
            text, bundle=bundle, time=floor if at is None else at, simulated=at is not None,
            known_at=floor if foresee else None,
            journey=None if country is None else Journey(country, book),
            stale_after=self._stale_after,
        )  # fmt: skip

    def bundle(self, now: datetime) -> Bundle | None:
        """Return the bundle now held; None where there never was a good one."""
        return self._current(now)[0]

    def countries(self, now: datetime) -> frozenset[str]:
        """Return the countries of arrival whose entry rules the bundle holds."""
        return self._current(now)[1].countries

    def _current(self, now: datetime) -> tuple[Bundle | None, RuleBook, datetime]:
        """Return the bundle, its rules compiled, and the latest time seen by anybody."""
        with self._lock:
            self._seen = max(self._seen, now)
            stamp = self._stamp_of_file()
            if stamp is not None and stamp != self._stamp:
                self._stamp = stamp
                self._take_in()
            elif self._seen >= self._look_again:
                self._complete()
            return self._bundle, self._book, self._seen

    def _complete(self) -> None:
        """Look once more for parts that were named and not there: they may come after."""
        self._look_again = self._seen + _PAUSE
        if self._bundle and self._bundle.revocation.missing():
            self._bundle = bundle_files.complete(self._bundle, self._path.parent)

    def _take_in(self) -> None:
        """Hold the bundle in the file if it is better than the one held."""
        try:
            found, _ = bundle_files.load(self._path, pins=self._pins, held=self._bundle)
            self._bundle = newer(self._bundle, found, now=self._seen)
            self._book = RuleBook.of(found.rules, {**value_sets(), **found.value_sets})
        except BadBundle as refusal:
            _LOG.warning("bundle refused: %s", refusal.code)
        except OSError:
            self._stamp = None  # gone again, or not ours to read: look once more next time

    def _stamp_of_file(self) -> _Stamp | None:
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size, found.st_ino


def built() -> datetime:
    """Return when this program was built: no true clock is before it."""
    stamp = Path(healthcert.__file__).stat().st_mtime
    return datetime.fromtimestamp(stamp, UTC)
