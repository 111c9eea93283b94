"""Publish the offline bundle when what it says has changed, or is an hour old."""

from __future__ import annotations

from datetime import datetime, timedelta

from healthcert.hcert.bundle import Bundle
from healthcert.parts import Parts
from healthcert.services import bundles, publishing, rules
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
    held_rules = rules.held(settings.rules_dir, settings.country)
    with parts.doors.reading() as db:
        contents = publishing.contents(
            db, trust=parts.trust, country=parts.country, rules=held_rules
        )
    held, _ = bundles.held(settings.bundle, pins=parts.pins)
    if held is not None and not _stale(held, contents, now):
        return 0
    secret = read_secret(settings.secret_file)
    signer = load_bundle_signer(settings.keys_dir / settings.env, secret)
    bundles.publish(settings.bundle, contents, signer=signer, pins=parts.pins, now=now)
    return 1


def _stale(held: Bundle, contents: Contents, now: datetime) -> bool:
    return (
        now - held.issued >= RENEW_AFTER
        or held.revocation != contents.revocation
        or held.rules != contents.rules
        or {key.kid for key in held.trust} != {key.kid for key in contents.trust}
    )
