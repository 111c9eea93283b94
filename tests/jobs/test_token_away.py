"""A hardware module that is away keeps no dose from being recorded; it is signed for later."""

from __future__ import annotations

import shutil
from datetime import timedelta

import pytest
from sqlalchemy import select

from healthcert import jobs
from healthcert.jobs import keys
from healthcert.models import Certificate, SigningKey
from healthcert.services import signing_keys
from healthcert.services.key_making import Chain, Wanted
from tests.factories import NOW, day
from tests.services.clinic import details
from tests.softhsm import make_token

pytestmark = pytest.mark.xdist_group("softhsm")  # one module a process, one environment
DAY = timedelta(days=1)


@pytest.fixture
def settings(settings, tmp_path):
    """The settings, with a copy of the development keys that a test may add to."""
    return settings.at(keys_dir=shutil.copytree(settings.keys_dir, tmp_path / "own-keys"))


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_a_dose_is_recorded_while_the_token_is_away_and_signed_when_it_is_back(
    parts, clinic, tmp_path
):
    hsm, folder = make_token(tmp_path / "hsm"), parts.settings.keys_dir / "development"
    above = Wanted("CSCA 2", tmp_path / "csca", NOW - 9 * DAY, b"opens")
    wanted = Wanted("DSC 2", folder / "v-2", NOW - 9 * DAY, b"", hsm.named("v-2"))
    Chain("XX", "Ministry", above, {"v": wanted}).make()
    keys.keep(parts, NOW - 3 * DAY)
    with parts.doors.transaction() as db:
        [kid] = db.scalars(select(SigningKey.kid).filter_by(state="pending"))
        for to, when in (("published", NOW - 3 * DAY), ("active", NOW - DAY)):
            signing_keys.move(db, kid=kid, to=to, now=when)
    clinic.lot()
    aside = hsm.objects.rename(tmp_path / "aside")
    dose = clinic.vaccinated(day(-1), details())
    clinic.tested(dose.person_id)
    jobs.run_once(parts, NOW)
    assert _found(parts) == {("t", "issued"), ("v", "intended")}
    aside.rename(hsm.objects)
    jobs.run_once(parts, NOW)
    assert _found(parts) == {("t", "issued"), ("v", "issued")}
    assert clinic.certificates(dose)[0].kid == kid


def _found(parts) -> set[tuple[str, str]]:
    with parts.doors.reading() as db:
        return {(each.kind, each.state) for each in db.scalars(select(Certificate))}
