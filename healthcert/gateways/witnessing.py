"""A witness's memory of a log: it never cosigns what did not grow out of what it holds.

state/
├── cosigned.seals          every head it cosigned, and the leaves it was shown: evidence
└── edge.json               the edge of the newest tree, so that it need not be built anew
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from healthcert.errors import BadProof
from healthcert.gateways import seal_files
from healthcert.gateways.files import alone, write_whole
from healthcert.gateways.note_keys import NoteSigner
from healthcert.transparency.merkle import Edge
from healthcert.transparency.notes import Checkpoint, Verifier, base64, opened, parts, unbase64
from healthcert.transparency.seals import Seal, judge_request, judge_seals

COSIGNED = "cosigned.seals"


@dataclass(frozen=True, slots=True)
class Witness:
    """A witness of one log, with its memory.

    Attributes:
        state: Folder of its own.
        log: Whose heads it cosigns.
        signer: Its key.
    """

    state: Path
    log: Verifier
    signer: NoteSigner

    def cosign(self, request: str, now: datetime) -> str:
        """Return the cosignature of the head in a request; it is remembered first.

        Raises:
            BadProof: See `judge_request`; the memory stays as it was.
        """
        with alone(self.state):
            _, note = judge_request(request, log=self.log, held=self._held())
            return self._remember([Seal(note)], None, now)

    def cosign_seals(self, seals: Iterable[Seal], now: datetime) -> str:
        """Return the cosignature of the last of the seals, each checked leaf by leaf.

        Raises:
            BadProof: See `judge_seals`, or nothing is new; the memory stays as it was.
        """
        taken: list[Seal] = []
        with alone(self.state):
            edge = judge_seals(seals, log=self.log, edge=self._edge(), witnessed=taken.append)
            if not taken:
                raise BadProof(f"nothing is new: this witness holds size {edge.size}")
            return self._remember(taken, edge, now)

    def _held(self) -> Checkpoint | None:
        seal = seal_files.newest(self.state)
        return opened(seal.note, self.log) if seal else None

    def _edge(self) -> Edge:
        held, path = self._held(), self.state / "edge.json"
        if held is None:
            return Edge()
        if path.exists():
            size, peaks = json.loads(path.read_text(encoding="utf-8"))
            edge = Edge(size, tuple(map(unbase64, peaks)))
            if (edge.size, edge.root) == (held.size, held.root):
                return edge
        seals = seal_files.read(self.state)
        return judge_seals(seals, log=self.log, edge=Edge(), witnessed=lambda _: None)

    def _remember(self, seals: list[Seal], edge: Edge | None, now: datetime) -> str:
        at = int(now.timestamp())
        lines = [self.signer.cosign(parts(seal.note)[0], at) for seal in seals]
        cosigned = (
            replace(seal, note=seal.note + line) for seal, line in zip(seals, lines, strict=True)
        )
        seal_files.append(self.state / COSIGNED, cosigned)
        if edge:
            told = json.dumps([edge.size, list(map(base64, edge.peaks))])
            write_whole(self.state / "edge.json", told.encode())
        return lines[-1]
