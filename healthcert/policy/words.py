"""The words of every verdict and of every reason for one, for the officer who reads them."""

from collections.abc import Mapping

from healthcert.i18n import Lazy, lazy

VERDICTS: Mapping[str, Lazy] = {
    "valid": lazy("Valid"),
    "expired": lazy("Genuine, but out of date"),
    "invalid": lazy("Not valid"),
    "check": lazy("Genuine, more to check"),
    "cannot_tell": lazy("Cannot tell"),
}

REASONS: Mapping[str, Lazy] = {
    "not_a_certificate": lazy("This code is not a health certificate."),
    "malformed_prefix": lazy("This certificate does not begin as a certificate must."),
    "malformed_base45": lazy("This certificate has characters that do not belong in it."),
    "malformed_zlib": lazy("This certificate cannot be unpacked. It may be damaged."),
    "malformed_cbor": lazy("The contents of this certificate cannot be read."),
    "malformed_cose": lazy("This certificate does not have the form of a signed message."),
    "no_bundle": lazy(
        "There is no trust list on this device yet. Connect to the network and try again."
    ),
    "unknown_issuer": lazy(
        "We do not know the key that signed this certificate. Update the trust list or ask for "
        "another document."
    ),
    "bad_signature": lazy("The signature does not match. This certificate was changed or forged."),
    "malformed_claims": lazy("The signed contents are not those of a health certificate."),
    "schema": lazy("The signed contents break the rules for a health certificate."),
    "wrong_key_usage": lazy("The key that signed this may not sign certificates of this kind."),
    "training": lazy("This certificate was made for practice."),
    "revoked": lazy("The issuer has revoked this certificate."),
    "not_understood": lazy("This is a signed document of a kind that we cannot read yet."),
    "expired": lazy("This certificate is genuine, but its time has run out."),
    "not_yet_valid": lazy("This certificate is genuine, but its time has not begun."),
    "revocation_missing": lazy(
        "We cannot see whether this certificate was revoked: the issuer's list is missing."
    ),
    "stale_bundle": lazy("The trust list is too old to rely on. Connect to the network."),
    "rules_failed": lazy("An entry rule is not met."),
    "rules_open": lazy("An entry rule could not be checked."),
    "revocation_not_published": lazy("This issuer does not publish which certificates it revoked."),
    "no_requirement": lazy("No entry requirement is in force for this country."),
    "simulated": lazy("Checked for a time given by hand, not for now."),
}


def message(code: str) -> str:
    """Return the sentence of a reason in the language now spoken."""
    return str(REASONS[code])
