"""An opening day under attack, on a clock that is simulated and code that is not.

Tickets, the room's files, the worker's job, the limits and the places are the service's own, on a
database of their own; only the people are made up. They come by four ways: the web, the web over
a line that takes three seconds for each answer, text messages that take half a minute each, and
the telephone, with its own places. Bots have identities of their own, as many as somebody could
buy; they ask a hundred times a second in all, before and after the opening, follow the line
without a pause, book within a second, and try with tickets of each other.
"""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from heapq import heappop, heappush, nsmallest
from random import Random
from typing import NamedTuple
from uuid import UUID

from healthcert.errors import SlotFull, TooMany
from healthcert.gateways import room_files
from healthcert.gateways.room_files import LINE, Opening
from healthcert.jobs import room
from healthcert.models import Slot
from healthcert.parts import Parts
from healthcert.policy import admission, tickets
from healthcert.policy.admission import Standing
from healthcert.policy.tickets import Ticket
from healthcert.services import limits, places
from healthcert.services.keys import read_secret
from tests import factories
from tests.certificates import NOW

OPENS = NOW + timedelta(hours=1)
REQUESTS_A_BOT = 0.01  # a second: 100 in all of 10,000
_A_SLOT = 50


class Way(NamedTuple):
    """How somebody comes: seconds of each message, between two looks, and for thinking."""

    answer: float
    looks_every: float
    thinks: tuple[float, float]
    messages: int


WAYS = {
    "bot": Way(0.05, 0, (0, 1), 6),
    "web": Way(0.3, 15, (60, 300), 6),
    "slow": Way(3, 15, (60, 300), 6),
    "text": Way(30, 60, (30, 120), 4),
}


@dataclass
class Day:
    """What came of an opening day."""

    people: Counter[str]
    won: Counter[str] = field(default_factory=Counter)
    drawn: Counter[str] = field(default_factory=Counter)  # of the first in line, as many as places
    refused: Counter[str] = field(default_factory=Counter)

    def share(self, kind: str) -> float:
        """Return what part of all places a kind won, beside its part of all people."""
        return _part(self.won, kind) / _part(self.people, kind)

    def kept(self, kind: str) -> float:
        """Return how many places a kind won for each of it that was drawn: no lot is in it."""
        return self.won[kind] / self.drawn[kind]


def _part(some: Counter[str], kind: str) -> float:
    return some[kind] / some.total()


class Simulation:
    """One opening day with some bots, some honest people, and places for some of them."""

    def __init__(self, parts: Parts, code: str, *, bots: int, honest: int, places: int) -> None:
        """Announce the opening, open the slots, and think of the people."""
        self.parts, self.chance, self.now = parts, Random(code), OPENS
        some = {"bot": bots, "slow": honest // 5, "text": honest // 10, "phone": honest // 10}
        self.day = Day(Counter(some, web=bots + honest - sum(some.values())))
        self.code, opening = code, Opening(code, code, OPENS)
        self.key = tickets.key_of(read_secret(parts.settings.secret_file), opening.name)
        self.seed = tickets.seed_of(self.key)
        kept = places * some["phone"] // (bots + honest)
        slots, self.places, self.open_places = self._slots(places, kept), places, places - kept
        self.slots = {source: [*slots] for source in ("web", "phone")}  # that may have a place
        parts.settings.data_dir.mkdir(parents=True, exist_ok=True)
        room_files.announce(parts.settings.data_dir, opening)
        self.tickets: dict[str, str] = {}  # the first of each person
        self.booked: set[str] = set()

    def _slots(self, number: int, kept: int) -> list[UUID]:
        with self.parts.doors.transaction() as db:
            programme = factories.make_programme(db, code=self.code)
            session = factories.make_session(db, programme=programme)
            slots = []
            for first in range(0, number, _A_SLOT):
                capacity = min(_A_SLOT, number - first)
                phone = min(capacity, kept)
                starts, kept = NOW + timedelta(days=1, minutes=first), kept - phone
                made = factories.make_slot(
                    db, session=session, starts_at=starts, capacity=capacity, kept_phone=phone
                )
                slots.append(made.id)
        return slots

    def run(self) -> Day:
        """Let the day pass, five seconds at a time, until nothing is left; return what came."""
        line, turns = self._everybody_comes(), list[tuple[float, str]]()
        self.day.drawn.update(who.partition("-")[0] for who in line[-self.open_places :])
        while self.day.won.total() < self.places and self.now < OPENS + timedelta(hours=6):
            room.keep(self.parts, self.now, probe=lambda _settings: 0.0)
            while line and self._standing(self.tickets[line[-1]])[1].state == "go":
                heappush(turns, (self._done_in(line[-1]), line.pop()))
            self._bots_ask_again()
            self._calls_are_taken()
            while turns and turns[0][0] <= self.now.timestamp() + room.STEP:
                self._book(turns[0][1], self.tickets[heappop(turns)[1]])
            self.now += timedelta(seconds=room.STEP)
        return self.day

    def lots(self, openings: int) -> dict[str, float]:
        """Return what part of its heads' share each kind is drawn, on average of other openings.

        The same people come before each of them; only its code differs, and so its seed.
        """
        secret, drawn = read_secret(self.parts.settings.secret_file), Counter[str]()
        for number in range(openings):
            key = tickets.key_of(secret, f"{self.code} {number}")
            seed = tickets.seed_of(key)
            coming = (
                (tickets.place(Ticket(tickets.who(key, who), -1), seed), who)
                for who in self.tickets
            )
            drawn.update(who.partition("-")[0] for _, who in nsmallest(self.open_places, coming))
        heads = Counter(who.partition("-")[0] for who in self.tickets)
        return {kind: _part(drawn, kind) / _part(heads, kind) for kind in heads}

    def _everybody_comes(self) -> list[str]:
        """Hand out the tickets of the hour before; return the line, its first one last."""
        for way in WAYS:
            for one in range(self.day.people[way]):
                seconds = self.chance.uniform(1, 3590)
                who = f"{way}-{one}"
                self.tickets[who] = self._ask(who, NOW + timedelta(seconds=seconds))
        for again in range(int(self._asks_a_second() * 600)):
            who = self._some_bot()
            assert self._place(self._ask(who, OPENS - timedelta(seconds=1 + again % 600))) == (
                self._place(self.tickets[who])
            )
        return sorted(self.tickets, key=lambda who: -self._place(self.tickets[who]))

    def _asks_a_second(self) -> float:
        return self.day.people["bot"] * REQUESTS_A_BOT

    def _some_bot(self) -> str:
        return f"bot-{self.chance.randrange(self.day.people['bot'])}"

    def _ask(self, identity: str, now: datetime) -> str:
        text = tickets.issue(self.key, tickets.who(self.key, identity), opens_at=OPENS, now=now)
        room_files.note(self.parts.settings.room_dir, self.code, tickets.read(self.key, text))
        return text

    def _place(self, text: str) -> int:
        return tickets.place(tickets.read(self.key, text), self.seed)

    def _standing(self, text: str) -> tuple[Ticket, Standing]:
        line = room_files.held(self.parts.settings.room_dir / LINE)
        ticket = tickets.read(self.key, text)
        return ticket, admission.standing(ticket, line)

    def _done_in(self, who: str) -> float:
        """Return when somebody whose turn has come will have booked."""
        way = WAYS[who.partition("-")[0]]
        looked = self.chance.uniform(0, way.looks_every)
        took = way.messages * way.answer + self.chance.uniform(*way.thinks)
        return self.now.timestamp() + looked + took

    def _bots_ask_again(self) -> None:
        """Ask for more tickets, and try out of turn or with the ticket of another."""
        for _ in range(round(self._asks_a_second() * room.STEP)):
            one, other = self._some_bot(), self._some_bot()
            deed = self.chance.randrange(3)
            if deed == 0:
                self._ask(one, self.now)
            else:
                self._book(one, self.tickets[one if deed == 1 else other])

    def _calls_are_taken(self) -> None:
        """Take calls, five minutes each: twenty clerks, as long as their own places last."""
        done = 20 * ((self.now - OPENS).total_seconds() // 300)
        while self.day.won["phone"] < min(self.places - self.open_places, done):
            self.day.won["phone"] += self._take("phone")

    def _book(self, identity: str, text: str) -> None:
        """Book as the pages do: the gate, one identity, the limits, a place."""
        ticket, standing = self._standing(text)
        if standing.state != "go":
            self.day.refused[f"turn {standing.state}"] += 1
        elif tickets.who(self.key, identity) != ticket.who:
            self.day.refused["the ticket of another"] += 1
        elif identity in self.booked:
            self.day.refused["booked already"] += 1
        else:
            self._spend_and_take(identity, ticket.who)

    def _spend_and_take(self, identity: str, whose: bytes) -> None:
        try:
            with self.parts.doors.transaction() as db:
                limits.spend(
                    db, name="book", pepper=b"p", identity=identity, address=whose.hex(),
                    now=self.now,
                )  # fmt: skip
        except TooMany:
            self.day.refused["too often"] += 1
            return
        if self._take("web"):
            self.booked.add(identity)
            self.day.won[identity.partition("-")[0]] += 1
        else:
            self.day.refused["no place"] += 1

    def _take(self, source: str) -> bool:
        """Take a place in the first slot that has one; of those without nobody is shown more."""
        left = self.slots[source]
        with self.parts.doors.transaction() as db:
            while left:
                slot = db.get_one(Slot, left[0])
                with suppress(SlotFull):
                    places.take_place(db, slot, places.pools_of(source, 1), now=self.now)
                    return True
                left.pop(0)
        return False
