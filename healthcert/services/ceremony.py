"""A key ceremony: one reviewed file says which keys are made; what was made is written down.

    country = "LB"                      organisation = "Ministry of Public Health"
    people = ["A. Khoury", "M. Haddad"] # who hold it: two at least
    secret_file = "production/secret"   # opens the signers' files, as the service does
    [authority]                         # made if it is missing; it signs signers for a year
    name = "CSCA Lebanon 1"             file = "offline/csca"
    begins = 2026-12-01T00:00:00Z       secret_file = "offline/secret"
    [vaccination]                       # so too [test] and [recovery]; each may be left out
    name = "DSC vaccination 1"          file = "production/vaccination"
    begins = 2026-12-01T00:00:00Z
    token = { module = "/usr/lib/libhsm.so", token = "dsc", key = "v1", pin_file = "pin" }

Paths begin at the file's own folder (`pin_file` at the key's), keys without `token` lie in files.
"""

from __future__ import annotations

import json
import tomllib
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from healthcert.errors import BadInput, WrongState
from healthcert.gateways.files import OWNER_ONLY, write_whole
from healthcert.gateways.private_key import passphrase_of
from healthcert.hcert.trust import key_identifier
from healthcert.services.key_making import MARK, YEAR, Chain, Wanted
from healthcert.services.keys import PURPOSES, read_secret

_USED_FOR = timedelta(days=183)
_LEAST_PEOPLE = 2


@dataclass(frozen=True, slots=True)
class Ceremony:
    """What a reviewed file asks for."""

    chain: Chain
    people: tuple[str, ...]
    secret_files: tuple[Path, Path]  # the signers' and the authority's

    @classmethod
    def read(cls, path: Path) -> Ceremony:
        """Return the ceremony that a file describes.

        Raises:
            BadInput: It cannot be read, or asks for what is not allowed; the message says what.
        """
        try:
            told = tomllib.loads(path.read_text(encoding="utf-8"))
            authority, folder = told["authority"], path.parent
            signers = {k: _wanted(folder, told[n]) for k, n in PURPOSES.items() if n in told}
            above = _wanted(folder, authority)
            found = cls(
                Chain(told["country"], told["organisation"], above, signers, _USED_FOR),
                tuple(told["people"]),
                (folder / told["secret_file"], folder / authority["secret_file"]),
            )
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise BadInput({"input": f"{type(error).__name__} {error}"}) from None
        found._refuse_unfit()
        return found

    def plan(self) -> list[dict[str, str]]:
        """Return what would be made, a key each; what is there already is left out."""
        all_kinds = {"authority": self.chain.authority, **self.chain.signers}
        return [
            {
                "kind": kind, "country": self.chain.country, "name": wanted.name,
                "organisation": self.chain.organisation, "begins": f"{wanted.begins:%FT%TZ}",
                "key": str(wanted.key_file), **{f"token_{n}": v for n, v in wanted.token.items()},
            }
            for kind, wanted in all_kinds.items()
            if not wanted.is_made
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
        if not self.plan():
            raise WrongState("every key of this ceremony is there")
        planned, beside = self.plan_hash(), next(iter(self.chain.signers.values())).stem
        made = self.chain.make(*(passphrase_of(read_secret(path)) for path in self.secret_files))
        certificates = [path for path in made if path.name.endswith(".cert.pem")]
        said = {
            "plan": planned, "held_at": now.isoformat(), "people": self.people,
            "certificates": {path.name: _said(path) for path in certificates},
        }  # fmt: skip
        path = beside.with_name(f"ceremony-{now:%Y%m%dT%H%M%S}.json")
        write_whole(path, json.dumps(said, indent=1).encode() + b"\n", mode=OWNER_ONLY)
        return path

    def _refuse_unfit(self) -> None:
        """Refuse what a ceremony must not make."""
        chain = self.chain
        if len(set(self.people)) < _LEAST_PEOPLE:
            raise BadInput({"people": "two_at_least"})
        if not chain.signers or MARK in f"{chain.organisation}{chain.authority.name}":
            raise BadInput({"input": "no_signers" if not chain.signers else "marked"})
        above = chain.authority.begins
        if chain.authority.is_made:
            above = chain.certificate().not_valid_before_utc
        for kind, wanted in chain.signers.items():
            if not above <= wanted.begins <= above + YEAR:  # and so it ends before the authority
                raise BadInput({kind: "begins_outside_the_authoritys_first_year"})
            if wanted.key_file.exists() != wanted.file("cert.pem").exists():
                raise BadInput({kind: "half_of_it_is_there"})


def _wanted(folder: Path, told: dict[str, Any]) -> Wanted:
    if told["begins"].tzinfo is None:
        raise ValueError("begins without a zone")
    return Wanted(told["name"], folder / told["file"], told["begins"], told.get("token", {}))


def _said(path: Path) -> dict[str, str]:
    found = x509.load_pem_x509_certificate(path.read_bytes())
    return {
        "subject": found.subject.rfc4514_string(),
        "kid": key_identifier(found.public_bytes(Encoding.DER)).hex(),
        "until": f"{found.not_valid_after_utc:%FT%TZ}",
    }
