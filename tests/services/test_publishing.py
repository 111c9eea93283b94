"""What this country took back, as it is published."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import count

import pytest

from healthcert.hcert.batches import read_batch, write_batch
from healthcert.hcert.revocation import RevocationList
from healthcert.services import bundles
from tests.factories import NOW, day
from tests.services.clinic import details

REVOKED, LIKE_IT = bytes(16), bytes(15) + b"\1"
END = NOW + timedelta(days=90)


@pytest.fixture
def signed(clinic):
    """Return what makes a dose whose certificate is out, with a hash of our choice."""
    clinic.lot()
    days = count(1)

    def signed(found, *, kid=b"eightbyt", expires_at=END):
        dose = clinic.vaccinated(day(-next(days)), details())
        with clinic.doors.transaction() as db:
            [certificate] = [db.merge(one, load=False) for one in clinic.certificates(dose)]
            certificate.state, certificate.uvci_hash = "issued", found
            certificate.kid, certificate.sealed = kid, b"sealed"
            certificate.issued_at, certificate.expires_at = NOW, expires_at
        return dose

    return signed


def revocations(clinic, **changes):
    with clinic.doors.reading() as db:
        return bundles.revocations(db, country=replace(clinic.country, **changes))


def batches(clinic, now=NOW):
    with clinic.doors.reading() as db:
        return list(bundles.batches(db, country=clinic.country, now=now))


def test_nothing_revoked_is_a_list_that_is_held_and_empty(clinic, signed):
    signed(REVOKED)
    assert revocations(clinic) == RevocationList.of(["XX"], [])


def test_a_country_that_publishes_nothing_has_no_list(clinic, signed):
    clinic.mark_in_error(signed(REVOKED))
    assert revocations(clinic, revocation_published=False) == RevocationList()


def test_what_was_taken_back_is_listed(clinic, signed):
    clinic.mark_in_error(signed(REVOKED))
    signed(b"g" * 16)
    assert revocations(clinic) == RevocationList.of(["XX"], [("XX", "uvci", REVOKED)])


def test_a_good_certificate_is_never_taken_for_one_of_the_revoked(clinic, signed):
    clinic.mark_in_error(signed(REVOKED))
    signed(LIKE_IT)
    [table] = revocations(clinic).tables.values()
    assert (REVOKED in table, LIKE_IT in table) == (True, False)
    assert table.whole == REVOKED


def test_batches_are_of_one_signer_and_end_with_the_last_certificate(clinic, signed):
    longer = END + timedelta(days=1)
    clinic.mark_in_error(signed(b"b" * 16))
    clinic.mark_in_error(signed(b"a" * 16, expires_at=longer))
    clinic.mark_in_error(signed(b"c" * 16, kid=b"otherkid"))
    signed(b"g" * 16)
    first, second = batches(clinic)
    assert (first.kid, first.expires, first.hashes) == (
        b"eightbyt",
        longer,
        (b"a" * 16, b"b" * 16),
    )
    assert (second.kid, second.country, second.kind) == (b"otherkid", "XX", "uvci")
    assert read_batch(write_batch(first)).hashes == first.hashes
    assert [batch.hashes for batch in batches(clinic, longer)] == [(b"a" * 16,)]
