"""Whether an authority that we know certified a signer.

The chain has two links: a country's authority (CSCA, or SCA in the WHO's network) and its signer.
Sources: EU gateway, checks at the upload of a signer certificate; RFC 5280 §6.1.3.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.x509 import (
    BasicConstraints,
    Certificate,
    ExtensionNotFound,
    NameOID,
    load_der_x509_certificate,
)

from healthcert.errors import BadInput


@dataclass(frozen=True, slots=True)
class Authorities:
    """The authorities that we know.

    Attributes:
        certificates: Theirs.
        now: The moment to judge at, aware.
        pinned: Whether somebody chose these: then those that a list brings along do not count,
            and a signer that none of them certified is refused. Else a country's signers need
            one only where we know an authority of that country.
    """

    certificates: tuple[Certificate, ...]
    now: datetime
    pinned: bool = False

    @classmethod
    def of(cls, ders: Iterable[bytes], *, now: datetime, pinned: bool = False) -> Authorities:
        """Those of these certificates that may certify others; the rest is passed over."""
        found = (_loaded(der) for der in ders)
        return cls(tuple(one for one in found if one and _may_certify(one)), now, pinned)

    def and_those_of(self, ders: Iterable[bytes]) -> Authorities:
        """Return these and the ones a list brings along, which count unless these are pinned."""
        if self.pinned:
            return self
        brought = Authorities.of(ders, now=self.now)
        return replace(self, certificates=(*self.certificates, *brought.certificates))

    def judge(self, der: bytes, *, country: str) -> None:
        """Accept a signer, or say by a code why not.

        Args:
            der: Its certificate.
            country: Whose signer it is.

        Raises:
            BadInput: ``wrong_authority``: none of its issuer's name; ``forged_signature``: none of
                those signed it; ``other_country``; ``expired_authority``: not in force now, or not
                yet when the signer's life began.
        """
        signer = _loaded(der)
        if not self.pinned and country not in map(_country, self.certificates):
            return
        named = [one for one in self.certificates if signer and one.subject == signer.issuer]
        signed = [one for one in named if signer and _signed(signer, one)]
        of_country = [one for one in signed if _country(one) == country]
        in_force = [
            one
            for one in of_country
            if signer
            and one.not_valid_before_utc <= signer.not_valid_before_utc
            and self.now <= one.not_valid_after_utc
        ]
        steps = {
            "wrong_authority": named,
            "forged_signature": signed,
            "other_country": of_country,
            "expired_authority": in_force,
        }
        for code, left in steps.items():
            if not left:
                raise BadInput({"certificate": code})


def is_authority(der: bytes) -> bool:
    """Whether a certificate says that it may certify others."""
    found = _loaded(der)
    return found is not None and _may_certify(found)


def _loaded(der: bytes) -> Certificate | None:
    """Return a certificate; None where the strict parser cannot read it: it proves nothing."""
    try:
        return load_der_x509_certificate(der)
    except ValueError:
        return None


def _may_certify(certificate: Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(BasicConstraints).value.ca
    except (ExtensionNotFound, ValueError):
        return False


def _signed(signer: Certificate, authority: Certificate) -> bool:
    try:
        signer.verify_directly_issued_by(authority)
    except (InvalidSignature, UnsupportedAlgorithm, TypeError, ValueError):
        return False
    return True


def _country(authority: Certificate) -> str:
    found = authority.subject.get_attributes_for_oid(NameOID.COUNTRY_NAME)
    return str(found[0].value) if found else ""
