"""Who a program comes for, told by its token; and what its deeds are done with."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date
from operator import attrgetter
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import request

from healthcert.errors import NotSignedIn, WrongState
from healthcert.models import Site, Staff
from healthcert.policy.roles import Role, has
from healthcert.services import api_tokens, clinic, delegating, people, prompting, proxies, roster
from healthcert.services.audit import STRANGER, Actor
from healthcert.web.acts import ACTS
from healthcert.web.clinic import own_site, scene_at
from healthcert.web.family import oneself
from healthcert.web.guards import Visitor, program, visitor
from healthcert.web.here import parts
from healthcert.web.moment import now
from healthcert.web.staff import employed


def bearer() -> Visitor | None:
    """Return for whom the request's token was made; None where it carries none.

    Raises:
        NotSignedIn: The token is none, or holds no longer.
    """
    told = request.headers.get("Authorization")
    if told is None:
        return None
    kind, _blank, token = told.partition(" ")
    at = now()
    with parts().doors.reading() as db:
        found = api_tokens.find(db, token=token.strip(), now=at)
        if kind.lower() != "bearer" or found is None:
            raise NotSignedIn
        whose, proved_at = found.staff_id, found.recorded_at
        own = employed(db, whose, proved_at) if whose else _citizen(found)
    if own is None:
        raise NotSignedIn
    if api_tokens.is_due(found, at):
        parts().doors.run(lambda db: api_tokens.seen(db, token_hash=found.token_hash, now=at))
    acts = frozenset(found.acts.split())
    return replace(own, acts=acts or None, reads_only=found.reads_only, token=found.token_hash)


def _citizen(token: Any) -> Visitor:  # noqa: ANN401
    whose = token.person_id
    return Visitor(Role.CITIZEN, whose, proved_at=token.recorded_at, person_id=whose)


class On(NamedTuple):
    """What a deed is done with: the transaction, and whoever asks for it."""

    db: Any  # views know no SQL

    @property
    def kit(self) -> dict[str, Any]:
        """What most services want: the vault and the time."""
        return {"vault": parts().vault, "now": now()}

    @property
    def actor(self) -> Actor:
        """Who does it."""
        who = program()
        if who is None:
            return STRANGER
        return Actor("staff" if who.works_here else "citizen", who.id)

    @property
    def staff(self) -> Staff:
        """The member of staff who does it, who still works here."""
        return roster.present(self.db, staff_id=visitor().id)

    @property
    def site(self) -> Site:
        """The site where one works."""
        return roster.site(self.db, site_id=own_site())

    @property
    def today(self) -> date:
        """The day there."""
        return now().astimezone(ZoneInfo(self.site.time_zone)).date()

    @property
    def sites(self) -> Sequence[Site]:
        """The sites that one's act reaches."""
        act = ACTS[str(request.endpoint)]
        return delegating.sites(self.db, staff=self.staff, act=act, now=now())

    def whose(self, scope: str) -> UUID:
        """Return whose record is meant: one's own, or that of ``Acting-For``.

        Raises:
            NotFound: One may not do that for them.
        """
        whose = visitor().person_id or UUID(int=0)
        return proxies.admit(self.db, actor=self.actor, person_id=whose, scope=scope, now=now())

    def told(
        self, names: Collection[str], address: Mapping[str, Any], scope: str
    ) -> dict[str, Any]:
        """Return what a service is given, by the names of its arguments.

        Raises:
            NotFound: It is about somebody who is not in reach.
            WrongState: What it decides on has not been asked.
        """
        known = dict(address)
        if scope:
            known["person_id"] = self.whose(scope)
            if "person" in names:
                known["person"] = people.locked(self.db, known["person_id"])
        elif address.keys() & {"appointment_id", "programme_id"} and _OF_A_PATIENT & set(names):
            known |= self._of_a_patient(address, names)
        else:
            self._look_for(address)
        return {name: known[name] if name in known else _GIVES[name](self) for name in names}

    def _of_a_patient(self, address: Mapping[str, Any], names: Collection[str]) -> dict[str, Any]:
        at = scene_at(self.db, _why(), **address)
        line = at.patient.expected
        asked = prompting.newest_screening(self.db, prompting.visit_of(line, now()))
        if asked is None and "screening_id" in names:
            raise WrongState  # nobody was asked yet
        return {
            "patient": at.patient, "known": at.known, "day": at.day, "person_id": line.person_id,
            "screening_id": asked,
        }  # fmt: skip

    def _look_for(self, address: Mapping[str, Any]) -> None:
        """Refuse a person whom, or a site which, is not in one's reach."""
        if "person_id" in address:
            whom = {"person_id": address["person_id"], "staff": self.staff, "reason": _why()}
            clinic.known(self.db, **whom, **self.kit)
        elif "site_id" in address and not has(None, ACTS[str(request.endpoint)]):
            self.reach(address["site_id"])

    def reach(self, site_id: UUID) -> None:
        """Refuse a site that one's act does not reach."""
        act = ACTS[str(request.endpoint)]
        delegating.site(self.db, staff=self.staff, act=act, site_id=site_id, now=now())


def _why() -> str:
    asked_for = {"help_in_person", "book_for_someone"}
    return "request" if ACTS[str(request.endpoint)] in asked_for else "care"


_OF_A_PATIENT = {"patient", "known", "day", "screening_id", "person_id"}
_GIVES: Mapping[str, Callable[[On], Any]] = {
    "vault": lambda _on: parts().vault,
    "now": lambda _on: now(),
    "country": lambda _on: parts().country,
    "pepper": lambda _on: parts().pepper,
    "channels": lambda _on: parts().channels,
    "data_dir": lambda _on: parts().settings.data_dir,
    "site_id": lambda _on: own_site(),
    **dict.fromkeys(("by", "guardian_id", "carer_id"), lambda _on: oneself()),
    "staff_id": lambda on: on.staff.id,
    **{name: attrgetter(name) for name in ("actor", "staff", "today", "site")},
    "site_ids": lambda on: [site.id for site in on.sites],
    "reach": lambda on: delegating.within(
        on.db, staff=on.staff, act=ACTS[str(request.endpoint)], now=now()
    ),
}


def given_at(path: str, scope: str) -> set[str]:
    """Return the names of what a service at an address is given, and nobody is asked for."""
    named = {part.rpartition(":")[2].strip(">") for part in path.split("/") if "<" in part}
    if scope:  # a citizen's: which site is theirs to say
        return {*_GIVES, *named, "person_id", "person"} - {"site_id"}
    at_desk = named & {"appointment_id", "programme_id"}
    return {*_GIVES, *named, *(_OF_A_PATIENT if at_desk else ())}
