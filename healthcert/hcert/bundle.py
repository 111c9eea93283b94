"""The offline bundle: all that a verifier needs, in one signed file.

`docs/bundle.md` writes the format down as CDDL. A bundle is a COSE_Sign1 whose payload is read
only once a pinned key has been found to fit; then it is ours, and a fault in it is our own. It
names the lists of revocations by their hash; they may be packed behind it, or come later.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import cbor2

from healthcert.errors import BadBundle, BadCertificate, ExpiredBundle, OlderBundle
from healthcert.hcert import bundled_lists
from healthcert.hcert.bundled_keys import plain, trusted
from healthcert.hcert.cose import ES256, PublicKey, parse, sign1
from healthcert.hcert.revocation import RevocationList
from healthcert.hcert.safe_cbor import dumps, split
from healthcert.hcert.trust import TrustList

FORMAT = 2

_NOT_A_BUNDLE = (
    cbor2.CBORDecodeError,
    LookupError,
    TypeError,
    ValueError,
    AttributeError,
    OverflowError,
    OSError,  # what a time too large for the platform gives
)


@dataclass(frozen=True, slots=True)
class Bundle:
    """What a verifier knows.

    Attributes:
        version: Grows with every bundle; the seconds since 1970 of its making, or more.
        issued: When it was made, aware, whole seconds.
        expires: After this it must not be taken in any more, aware, whole seconds.
        previous: SHA-256 of the bundle before, 32 bytes; empty in the first.
        trust: The keys whose certificates count, those for training marked.
        revocation: What was taken back, and who says so at all.
        rules: Entry rules in the EU's form, any country's.
        value_sets: By name: each code and its words.
        audit_head: Newest signed head of the audit tree; None if there is none.
    """

    version: int
    issued: datetime
    expires: datetime
    previous: bytes
    trust: TrustList
    revocation: RevocationList
    rules: Sequence[Mapping[str, Any]] = ()
    value_sets: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    audit_head: bytes | None = None


def write(
    bundle: Bundle, *, kid: bytes, sign: Callable[[bytes], bytes], full: bool = True
) -> bytes:
    """Return a bundle as a signed file.

    Args:
        bundle: What is to be in it.
        kid: Key identifier of the bundle key, 8 bytes.
        sign: Its ES256, as `gateways.signer.BundleSigner.sign`.
        full: Whether the revocation lists at hand are packed behind it.
    """
    contents = {
        "format": FORMAT,
        "version": bundle.version,
        "issued": int(bundle.issued.timestamp()),
        "expires": int(bundle.expires.timestamp()),
        "previous": bundle.previous,
        "keys": [plain(key) for key in bundle.trust if not key.training],
        "training_keys": [plain(key) for key in bundle.trust if key.training],
        "rules": [dict(rule) for rule in bundle.rules],
        "value_sets": {name: dict(codes) for name, codes in bundle.value_sets.items()},
        "revocation": bundled_lists.plain(bundle.revocation),
        "audit_head": bundle.audit_head,
    }
    signed = sign1(dumps(contents), kid=kid, algorithm=ES256, sign=sign)
    return signed + bundled_lists.packed(bundle.revocation) if full else signed


def read(data: bytes, *, pinned: Collection[PublicKey]) -> Bundle:
    """Return a bundle that a pinned key signed; its age is not judged, see `newer`.

    Args:
        data: The whole file.
        pinned: The keys that may sign bundles.

    Returns:
        The bundle; at hand are the revocation lists that were packed behind it.

    Raises:
        BadBundle: It is not a bundle, none of these keys signed it, or behind it lies something
            that it does not name.
    """
    try:
        signed, *behind = split(data, most=1 + bundled_lists.MOST_PARTS) or [b""]
        message = parse(signed)
    except BadCertificate as refusal:
        raise BadBundle(f"not a signed bundle: {refusal}") from None
    if not any(message.fits(key) for key in pinned):
        raise BadBundle("no pinned key signed this bundle")
    try:
        bundle = _bundle(cbor2.loads(message.payload))
    except _NOT_A_BUNDLE:
        raise BadBundle("what is signed is not a bundle of this version") from None
    return replace(bundle, revocation=bundled_lists.unpacked(behind, bundle.revocation))


def newer(old: Bundle | None, new: Bundle, *, now: datetime) -> Bundle:
    """Return the new bundle if it may take the place of the old one.

    Args:
        old: What is held; None at the start.
        new: What is offered.
        now: Aware.

    Raises:
        OlderBundle: Its version is lower, or it is the same and was made earlier.
        ExpiredBundle: It is past its end.
    """
    if old and (new.version, new.issued) < (old.version, old.issued):
        raise OlderBundle(f"version {new.version} after version {old.version}")
    if now > new.expires:
        raise ExpiredBundle(f"this bundle ended at {new.expires:%Y-%m-%d %H:%M} UTC")
    return new


def _bundle(contents: Mapping[str, Any]) -> Bundle:
    if contents["format"] != FORMAT:
        raise ValueError("a bundle of another format")
    real = [trusted(key, training=False) for key in contents["keys"]]
    practice = [trusted(key, training=True) for key in contents["training_keys"]]
    return Bundle(
        version=int(contents["version"]),
        issued=datetime.fromtimestamp(contents["issued"], UTC),
        expires=datetime.fromtimestamp(contents["expires"], UTC),
        previous=bytes(contents["previous"]),
        trust=TrustList(real + practice),
        revocation=bundled_lists.manifest(contents["revocation"]),
        rules=tuple(dict(rule) for rule in contents["rules"]),
        value_sets={name: dict(codes) for name, codes in contents["value_sets"].items()},
        audit_head=contents["audit_head"],
    )
