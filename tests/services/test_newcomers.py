"""An administrator whom another let in is nobody's second eyes for a day."""

from __future__ import annotations

from datetime import timedelta

import pytest

from healthcert.errors import NeedsAnother
from healthcert.models import SiteProbation
from healthcert.services import holds, invitations
from tests.factories import NOW, add, make_admin, make_site
from tests.services.clinic import PEPPER

SOON, LATER = NOW + timedelta(hours=23), NOW + timedelta(hours=24)


@pytest.fixture
def three(db):
    """The first administrator, one let in by the operator, and one let in by the first."""
    first, second, third = (make_admin(db) for _ in range(3))
    for staff, by in ((first, None), (second, None), (third, first.id)):
        invitations.invite(db, pepper=PEPPER, staff_id=staff.id, by=by, now=NOW)
    return first, second, third


def test_who_was_let_in_a_moment_ago_grants_no_recovery(db, three):
    first, second, third = three
    lost = make_admin(db)
    invitations.ask_recovery(db, staff_id=lost.id, by=first.id, now=SOON)
    told = {"pepper": PEPPER, "staff_id": lost.id}
    with pytest.raises(NeedsAnother):
        invitations.grant(db, by=third.id, now=SOON, **told)
    assert invitations.grant(db, by=third.id, now=LATER, **told)
    invitations.ask_recovery(db, staff_id=lost.id, by=first.id, now=NOW)
    assert invitations.grant(db, by=second.id, now=NOW, **told)


def test_who_was_let_in_a_moment_ago_does_not_release_a_site(db, three):
    first, _second, third = three
    site = make_site(db)
    add(db, SiteProbation(site_id=site.id, recorded_at=NOW))
    assert not holds.release_site(db, site_id=site.id, staff=first, now=NOW)
    with pytest.raises(NeedsAnother):
        holds.release_site(db, site_id=site.id, staff=third, now=SOON)
    assert holds.release_site(db, site_id=site.id, staff=third, now=LATER)
