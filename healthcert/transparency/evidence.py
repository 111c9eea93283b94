"""What is known of a log from one place, and what can be found by it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal
from uuid import UUID

from healthcert.errors import BadProof
from healthcert.transparency.notes import Verifier, cosigned_at, opened
from healthcert.transparency.seals import Leaf, Seal

Kind = Literal[
    "edited", "removed", "inserted", "reordered", "forked", "back_dated", "unsealed", "unsigned"
]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it was signed.

    Attributes:
        kind: What was done.
        says: The same for a person.
        source: What it was found by.
        events: The event; or, where only heads are known, those it must be among (100 at most).
    """

    kind: Kind
    says: str
    source: str
    events: tuple[UUID, ...] = ()


@dataclass(frozen=True, slots=True)
class Sealed:
    """An event of the record: its leaf, and what the event itself hashes to now.

    Attributes:
        leaf: As it was sealed.
        now: Hash of the event as it stands; None where there is no such event.
        recorded_at: When it says that it was written down, aware.
    """

    leaf: Leaf
    now: bytes | None
    recorded_at: datetime | None


@dataclass(slots=True)
class Source:
    """Heads, and where they are kept leaves, from one place.

    Attributes:
        name: For the findings.
        heads: Root by size.
        times: When a head was made, by size.
        leaves: By position.
        faults: Seals that count for nothing.
    """

    name: str
    heads: dict[int, bytes] = field(default_factory=dict)
    times: dict[int, datetime] = field(default_factory=dict)
    leaves: dict[int, Leaf] = field(default_factory=dict)
    faults: list[Finding] = field(default_factory=list)

    @classmethod
    def of(
        cls, name: str, seals: Iterable[Seal], *, log: Verifier, witness: Verifier | None = None
    ) -> Source:
        """Return the source of a row of seals, those that are not signed as faults.

        Args:
            name: For the findings.
            seals: In any order.
            log: Who must have signed each head.
            witness: Who must have cosigned it too.
        """
        source = cls(name)
        for seal in seals:
            source._take(seal, log, witness)
        return source

    def _take(self, seal: Seal, log: Verifier, witness: Verifier | None) -> None:
        try:
            head = opened(seal.note, log)
            seen = witness is None or cosigned_at(seal.note, witness) is not None
        except BadProof as refusal:
            self.faults.append(Finding("unsigned", str(refusal), self.name))
            return
        if not seen:
            says = f"the head of {head.size} events is not cosigned"
            self.faults.append(Finding("unsigned", says, self.name))
            return
        known = self.heads.setdefault(head.size, head.root)
        if known != head.root:
            says = f"two heads of size {head.size} were signed"
            self.faults.append(Finding("forked", says, self.name))
        if seal.at:
            self.times.setdefault(head.size, seal.at)
        first = head.size - len(seal.leaves)
        self.leaves.update(enumerate(seal.leaves, start=first))
