"""Under what a person is found without being read: blind tokens of contacts, names, identity.

A name token is the birth year, as it stands beside the person, and an HMAC of how one part of a
name sounds with that year, cut to two bytes: several names share each, so that a stolen table
shows neither a rare name nor a family (ADR 12).
"""

from collections.abc import Iterable

from healthcert.gateways.vault import Vault
from healthcert.policy import likeness
from healthcert.services.people import UNFINDABLE, Details, IdentityDetails

_NAME_BYTES = 2
_SCHEME = 2  # of tokens and of `likeness.codes`; another number has everybody indexed anew


def indexed_by(vault: Vault) -> str:
    """Return what `Person.indexed_by` says of tokens written now: the key's name and a scheme."""
    return f"{vault.index_name}{_SCHEME:02}"


def tokens(vault: Vault, details: Details) -> set[tuple[str, bytes]]:
    """Return kind and blind of everything but the identity by which a person can be found."""
    spoken = likeness.parts(
        details.family, details.given, details.family_latin, details.given_latin
    )
    year = int(details.birth_date[:4])
    found = {("name", blind[0]) for blind in _name_blinds(vault, spoken, [year])}
    contacts = {"phone": details.phone, "mail": details.mail.lower()}
    return found | {(kind, vault.blind(kind, value)) for kind, value in contacts.items() if value}


def name_blinds(vault: Vault, spoken: Iterable[str], years: Iterable[int]) -> set[bytes]:
    """Return what people of these years may be found by whose names sound like these parts."""
    return {blind for blinds in _name_blinds(vault, spoken, years) for blind in blinds}


def identity_blinds(vault: Vault, identity: IdentityDetails) -> list[bytes]:
    """Return all under which an identity may lie, the newest first; none without a number."""
    if identity.kind in UNFINDABLE:
        return []
    return vault.blinds("identity", identity.kind, identity.country, identity.value)


def _name_blinds(
    vault: Vault, spoken: Iterable[str], years: Iterable[int]
) -> Iterable[list[bytes]]:
    heard = {code for part in spoken for code in likeness.codes(part)}
    return [
        [
            abs(year).to_bytes(2) + blind[:_NAME_BYTES]
            for blind in vault.blinds("name", str(year), code)
        ]
        for year in years
        for code in heard
    ]
