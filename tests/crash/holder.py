"""A process that holds two places and confirms them, and is killed at a point it is told."""

from __future__ import annotations

import os
import signal
import sys
from uuid import UUID

from healthcert.db import Doors, make_engine
from healthcert.gateways.vault import Vault
from healthcert.models import Person
from healthcert.services import parties
from healthcert.services.audit import STRANGER
from healthcert.services.parties import Wish
from tests.factories import NOW

POINTS = ("holding", "held", "confirming", "confirmed")


def main(url: str, point: str, keys: str, *wishes: str) -> None:
    """Hold a place for each ``person:slot``, then confirm; the party goes to standard output."""
    master, index = (bytes.fromhex(key) for key in keys.split(":"))
    doors, deed = Doors(make_engine(url)), {"vault": Vault(master, index), "now": NOW}

    def reach(here: str) -> None:
        if here == point:
            os.kill(os.getpid(), signal.SIGKILL)

    with doors.transaction() as db:
        named = [[UUID(each) for each in wish.split(":")] for wish in wishes]
        wanted = [Wish(db.get_one(Person, who), slot, 1) for who, slot in named]
        party = parties.hold(db, wishes=wanted, source="web", actor=STRANGER, **deed)
        sys.stdout.write(str(party.id))
        sys.stdout.flush()
        reach("holding")
    reach("held")
    with doors.transaction() as db:
        parties.confirm(db, party_id=party.id, actor=STRANGER, **deed)
        reach("confirming")
    reach("confirmed")


if __name__ == "__main__":
    main(*sys.argv[1:])
