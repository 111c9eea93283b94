"""Publishing the next bundle."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256

import pytest

from healthcert.errors import BadBundle
from healthcert.hcert.bundle import read
from healthcert.hcert.revocation import RevocationList
from healthcert.hcert.trust import TrustList
from healthcert.services import bundles
from healthcert.services.bundles import LIFE, Contents, held, publish
from healthcert.services.keys import load_bundle_signer, read_secret
from healthcert.services.trusted import load_pins, load_trust
from tests.certificates import NOW


@pytest.fixture
def pins(keys_dir):
    return load_pins(keys_dir / "trust" / "bundle")


@pytest.fixture
def contents(keys_dir):
    trust = load_trust(keys_dir / "trust" / "certificates")
    return Contents(trust, RevocationList.of(["XX"], []))


@pytest.fixture
def publishing(keys_dir, pins, tmp_path):
    """Return what publishes into one file, which need not be there."""
    private = keys_dir / "development"
    signer = load_bundle_signer(private, read_secret(private / "secret"))
    path = tmp_path / "var" / "bundle.hcb"

    def publishing(contents, *, now=NOW, pins=pins, full=None):
        return path, publish(path, contents, signer=signer, pins=pins, now=now, full=full)

    return publishing


def test_what_is_published_is_what_is_held(publishing, contents, pins):
    path, made = publishing(contents, now=NOW.replace(microsecond=5))
    found, digest = held(path, pins=pins)
    assert (found.version, found.issued, found.expires) == (made.version, NOW, NOW + LIFE)
    assert digest == sha256(path.read_bytes()).digest()
    assert found.previous == b""


def test_each_bundle_follows_the_one_before_even_within_a_second(publishing, contents):
    path, first = publishing(contents)
    before = sha256(path.read_bytes()).digest()
    _, second = publishing(contents)
    assert second.version == first.version + 1
    assert second.previous == before


def test_after_an_emptied_folder_the_version_still_grows(publishing, contents):
    path, first = publishing(contents)
    path.unlink()
    _, second = publishing(contents, now=NOW + timedelta(seconds=1))
    assert second.version > first.version


def test_a_file_that_is_no_bundle_is_replaced(publishing, contents, pins):
    path, _ = publishing(contents)
    path.write_bytes(b"broken")
    publishing(contents)
    assert held(path, pins=pins)[0] is not None


def test_a_list_without_real_keys_never_replaces_a_good_one(publishing, contents, pins):
    path, made = publishing(contents)
    practice = TrustList(replace(key, training=True) for key in contents.trust)
    for trust in (TrustList(), practice):
        with pytest.raises(BadBundle):
            publishing(replace(contents, trust=trust))
    assert held(path, pins=pins)[0].version == made.version


def test_a_bundle_nobody_could_read_is_not_put_in_place(publishing, contents, pins):
    path, _ = publishing(contents)
    before = path.read_bytes()
    with pytest.raises(BadBundle):
        publishing(contents, pins=pins[1:])
    assert path.read_bytes() == before


def test_those_who_publish_at_once_follow_each_other_and_leave_nothing_behind(publishing, contents):
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda _: publishing(contents)[1].version, range(8)))
    assert len(set(made)) == 8
    path, _ = publishing(contents)
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


REVOKED = RevocationList.of(["XX"], [("XX", "uvci", bytes(16))])


def alone(path, pins):
    """Return the bundle in a file as one sees it who was given that file only."""
    return read(path.read_bytes(), pinned=pins)


@pytest.mark.parametrize(("full", "packed"), [(None, True), (True, True), (False, False)])
def test_lists_lie_beside_the_bundle_and_behind_it_if_wished_or_small(
    publishing, contents, pins, full, packed
):
    path, _ = publishing(replace(contents, revocation=REVOKED), full=full)
    assert alone(path, pins).revocation.holds("XX") == packed
    assert held(path, pins=pins)[0].revocation.holds("XX")
    assert len(list(path.parent.glob("*.part"))) == 1


def test_a_bundle_may_be_looked_at_without_its_lists(publishing, contents, pins):
    path, made = publishing(replace(contents, revocation=REVOKED), full=False)
    found, _ = held(path, pins=pins, whole=False)
    assert found.revocation == made.revocation
    assert not found.revocation.holds("XX")
    _, again = publishing(replace(contents, revocation=found.revocation))
    assert again.revocation.holds("XX")


def test_large_lists_are_left_beside(publishing, contents, pins, monkeypatch):
    monkeypatch.setattr(bundles, "PACKED_UP_TO", 11)
    path, _ = publishing(replace(contents, revocation=REVOKED))
    assert not alone(path, pins).revocation.holds("XX")


def test_a_list_of_which_only_the_name_is_known_is_carried_on_but_not_packed(publishing, contents):
    named = replace(contents, revocation=replace(REVOKED, tables={}))
    path, made = publishing(named)
    assert made.revocation == REVOKED
    before = path.read_bytes()
    with pytest.raises(BadBundle):
        publishing(named, full=True)
    assert path.read_bytes() == before


def test_parts_of_the_bundle_before_stay_for_those_who_are_fetching_them(publishing, contents):
    path, _ = publishing(replace(contents, revocation=REVOKED))
    [part] = path.parent.glob("*.part")
    publishing(contents)
    assert part.exists()
    publishing(contents)
    assert not part.exists()
