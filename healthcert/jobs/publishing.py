"""Publish the offline bundle when what it says has changed, or is an hour old."""

from datetime import datetime, timedelta

from healthcert.data import value_sets
from healthcert.hcert.bundle import Bundle
from healthcert.hcert.trust import TrustList
from healthcert.parts import Parts
from healthcert.services import bundles, rules, sealing, signing_keys
from healthcert.services.bundles import Contents
from healthcert.services.keys import load_bundle_signer, read_secret

RENEW_AFTER = timedelta(hours=1)


def publish(parts: Parts, now: datetime) -> int:
    """Put a new bundle in place if there is need of one; return 1 if so, else 0.

    Raises:
        SignerUnavailable: The bundle key cannot be opened.
        BadBundle: There would be no key in it; the old one stays.
    """
    settings = parts.settings
    held, _ = bundles.held(settings.bundle, pins=parts.pins, whole=False)
    with parts.doors.reading() as db:
        revoked = bundles.revoked_count(db)
        trust = signing_keys.trusted(db, parts.trust, now)
    if held is not None and not _stale(held, parts, trust, revoked, now):
        return 0
    publish_now(parts, now)
    return 1


def publish_now(parts: Parts, now: datetime, *, full: bool | None = None) -> Bundle:
    """Return the new bundle that was put in place; the lists of other issuers are carried on.

    `full`: whether all revocation lists go into the same file; None: if they are small.

    Raises:
        SignerUnavailable: The bundle key cannot be opened.
        BadBundle: There would be no key in it; the old one stays.
    """
    settings = parts.settings
    held, _ = bundles.held(settings.bundle, pins=parts.pins, whole=False)
    with parts.doors.reading() as db:
        ours = bundles.revocations(db, country=parts.country)
        trust = signing_keys.trusted(db, parts.trust, now)
        head = sealing.newest(db)
        audit_head = head.note.encode() if head else None
    contents = Contents(
        trust=trust,
        revocation=held.revocation.with_issuer(parts.country.code, ours) if held else ours,
        rules=rules.held(settings.rules_dir, settings.country),
        value_sets=value_sets(),
        audit_head=audit_head,
    )
    signer = load_bundle_signer(settings.keys_dir / settings.env, read_secret(settings.secret_file))
    return bundles.publish(
        settings.bundle, contents, signer=signer, pins=parts.pins, now=now, full=full
    )


def _stale(held: Bundle, parts: Parts, trust: TrustList, revoked: int, now: datetime) -> bool:
    country = parts.country.code
    listed = held.revocation.lists.get(country)
    published = sum(part.entries for part in listed or ())
    return (
        now - held.issued >= RENEW_AFTER
        or held.rules != rules.held(parts.settings.rules_dir, country)
        or (listed is not None) != parts.country.revocation_published
        or (listed is not None and published != revoked)
        or {key.kid for key in held.trust} != {key.kid for key in trust}
    )
