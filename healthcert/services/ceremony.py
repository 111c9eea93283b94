"""A key ceremony: one reviewed file says which keys are made; what was made is written down.

    country = "LB"
    organisation = "Ministry of Public Health"
    people = ["A. Khoury", "M. Haddad"]   # who hold it: two at least
    [authority]                           # made if it is missing; signs signers for a year
    name = "CSCA Lebanon 1"
    begins = 2026-12-01T00:00:00Z
    file = "offline/csca"
    secret_file = "offline/secret"        # opens its file, as that of the service opens its own
    [vaccination]                         # and so [test], [recovery]; each may be left out
    token = { module = "/usr/lib/libhsm.so", token = "dsc", key = "v1", pin_file = "pin" }
    ...

Paths begin at the file's own folder (`pin_file` at the key's); keys without `token` lie in files.
"""

import json
import tomllib
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, Self

from cryptography.hazmat.primitives.serialization import Encoding

from healthcert.errors import BadInput, NotReady, WrongState
from healthcert.gateways.files import OWNER_ONLY, write_whole
from healthcert.gateways.private_key import passphrase_of
from healthcert.hcert.trust import key_identifier
from healthcert.services.key_making import MARK, YEAR, Chain, Wanted
from healthcert.services.keys import PURPOSES, read_secret

_PEOPLE = 2


@dataclass(frozen=True, slots=True)
class Ceremony:
    """What a reviewed file asks for."""

    chain: Chain
    people: frozenset[str]

    @classmethod
    def read(cls, path: Path) -> Self:
        """Return the ceremony that a file describes.

        Raises:
            BadInput: It cannot be read, or asks for what is not allowed; the message says what.
        """
        try:
            told, at = tomllib.loads(path.read_text(encoding="utf-8")), path.parent
            signers = {kind: _wanted(at, told[n]) for kind, n in PURPOSES.items() if n in told}
            above = _wanted(at, told["authority"])
            chain = Chain(told["country"], told["organisation"], above, signers)
            found = cls(chain, frozenset(told["people"]))
        except (OSError, ValueError, KeyError, TypeError, AttributeError, NotReady) as error:
            raise BadInput({"input": f"{type(error).__name__} {error}"}) from None
        found._refuse_unfit()
        return found

    def plan(self) -> list[dict[str, object]]:
        """Return what would be made, a key each; what is there already is left out."""
        chain = self.chain
        return [
            {
                "kind": kind, "country": chain.country, "organisation": chain.organisation,
                "name": each.name, "begins": each.begins.isoformat(), "file": str(each.key_file),
                "token": each.token,
            }
            for kind, each in {"authority": chain.authority, **chain.signers}.items()
            if not each.is_made
        ]  # fmt: skip

    def plan_hash(self) -> str:
        """Return the SHA-256 of the plan, in hexadecimal: what the people compare."""
        return sha256(json.dumps(self.plan(), sort_keys=True).encode()).hexdigest()

    def hold(self, *, now: datetime) -> Path:
        """Make the keys and return the transcript, which lies beside them.

        Raises:
            WrongState: There is nothing to make.
            SignerUnavailable: The authority's key does not open, or a token refuses.
        """
        new = [each for each in self.chain.signers.values() if not each.is_made]
        if not new:
            raise WrongState("every key of this ceremony is there")
        plan = self.plan_hash()
        self.chain.make()
        made = {each.name: each.certificate().public_bytes(Encoding.DER) for each in new}
        kids = {name: key_identifier(der).hex() for name, der in made.items()}
        said = {"plan": plan, "held": now.isoformat(), "people": [*self.people], "made": kids}
        path = new[0].stem.with_name(f"ceremony-{now:%Y%m%dT%H%M%S}.json")
        write_whole(path, json.dumps(said, indent=1).encode() + b"\n", mode=OWNER_ONLY)
        return path

    def _refuse_unfit(self) -> None:
        """Refuse what a ceremony must not make."""
        chain = self.chain
        if len(self.people) < _PEOPLE or MARK in f"{chain.organisation} {chain.authority.name}":
            raise BadInput({"people": "two_at_least, and none for development"})
        above = chain.authority
        first = above.certificate().not_valid_before_utc if above.is_made else above.begins
        for each in chain.signers.values():
            if not first <= each.begins <= first + YEAR:  # and so it ends before the authority
                raise BadInput({each.name: "begins_outside_the_authoritys_first_year"})
            if each.key_file.exists() != each.certificate_file.exists():
                raise BadInput({each.name: "half_of_it_is_there"})


def _wanted(folder: Path, told: dict[str, Any]) -> Wanted:
    if told["begins"].tzinfo is None:
        raise ValueError("begins has no zone")
    secret = passphrase_of(read_secret(folder / told["secret_file"]))
    return Wanted(told["name"], folder / told["file"], told["begins"], secret, told.get("token"))
