"""A bundle and its parts in a folder."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256

import pytest

from healthcert.errors import BadBundle
from healthcert.gateways import bundle_files
from healthcert.gateways.bundle_files import complete, forget, load, part_path, store
from healthcert.hcert.bundle import write
from healthcert.hcert.revocation import RevocationList
from healthcert.services.keys import load_bundle_signer, read_secret
from healthcert.services.trusted import load_pins


def hashes(count):
    return [sha256(bytes([number])).digest()[:16] for number in range(count)]


def list_of(count, *more):
    """The list of XX with so many hashes; of other lengths the buckets may differ."""
    return RevocationList.of(["XX"], [("XX", "uvci", found) for found in [*hashes(count), *more]])


def bare(bundle, listed):
    """A bundle that names lists and has none of them at hand."""
    return replace(bundle, revocation=replace(listed, tables={}))


@pytest.fixture
def pins(keys_dir):
    return load_pins(keys_dir / "trust" / "bundle")


@pytest.fixture
def put(bundle, keys_dir, tmp_path):
    """Return what writes a bundle with some lists into a file."""
    private = keys_dir / "development"
    signer = load_bundle_signer(private, read_secret(private / "secret"))
    path = tmp_path / "bundle.hcb"

    def put(listed, *, full=False):
        made = replace(bundle, revocation=listed)
        path.write_bytes(write(made, kid=signer.kid, sign=signer.sign, full=full))
        return path

    return put


def test_parts_beside_a_bundle_are_found_by_their_hash(put, pins, tmp_path):
    listed = store(tmp_path, list_of(3), RevocationList())
    path = put(listed)
    found, digest = load(path, pins=pins)
    assert found.revocation.tables == listed.tables
    assert digest == sha256(path.read_bytes()).digest()


def test_a_part_that_is_not_there_or_another_stays_missing(put, pins, tmp_path):
    listed = store(tmp_path, list_of(3), RevocationList())
    part = part_path(tmp_path, listed.lists["XX"][0].file)
    whole = part.read_bytes()
    for wrong in (whole[:-1] + b"!", whole + b"!", b""):
        part.write_bytes(wrong)
        assert not load(put(listed), pins=pins)[0].revocation.holds("XX")
    part.unlink()
    assert not load(put(listed), pins=pins)[0].revocation.holds("XX")


def test_a_part_named_in_good_faith_that_is_no_table_stays_missing(bundle, tmp_path):
    listed = list_of(3)
    [part] = listed.lists["XX"]
    strange = replace(part, file=bundle_files.Named.of(b"no table"))
    part_path(tmp_path, strange.file).write_bytes(b"no table")
    named = bare(bundle, replace(listed, lists={"XX": (strange,)}))
    assert not complete(named, tmp_path).revocation.holds("XX")


def test_parts_held_already_are_not_read_again(bundle, tmp_path):
    listed = list_of(3)
    held = replace(bundle, revocation=listed)
    found = complete(bare(bundle, listed), tmp_path, held)
    assert found.revocation.tables == listed.tables


def test_what_changed_is_enough_for_whoever_holds_the_part_before(bundle, tmp_path):
    old = store(tmp_path, list_of(50), RevocationList())
    new = store(tmp_path, list_of(49, bytes(16)), old)
    [part] = new.lists["XX"]
    assert part.changes.size < part.file.size
    part_path(tmp_path, part.file).unlink()
    held = replace(bundle, revocation=old)
    assert complete(bare(bundle, new), tmp_path, held).revocation.tables == new.tables
    assert complete(bare(bundle, new), tmp_path).revocation.missing() == [part]
    part_path(tmp_path, part.changes).write_bytes(b"other")
    assert complete(bare(bundle, new), tmp_path, held).revocation.missing() == [part]
    part_path(tmp_path, part.changes).unlink()
    assert complete(bare(bundle, new), tmp_path, held).revocation.missing() == [part]


def test_changes_lead_from_any_of_the_last_parts(bundle, tmp_path):
    steps = [store(tmp_path, list_of(50), RevocationList())]
    for count in (49, 48, 50):
        steps.append(store(tmp_path, list_of(count, bytes(16)), steps[-1]))
    [part] = steps[-1].lists["XX"]
    part_path(tmp_path, part.file).unlink()
    for old in steps[:-1]:
        held = replace(bundle, revocation=old)
        assert complete(bare(bundle, steps[-1]), tmp_path, held).revocation.holds("XX")


def test_changes_for_another_part_leave_it_missing(bundle, tmp_path):
    old = store(tmp_path, list_of(50), RevocationList())
    new = store(tmp_path, list_of(49, bytes(16)), old)
    [part] = new.lists["XX"]
    part_path(tmp_path, part.file).unlink()
    for other in (list_of(40), RevocationList.of(["XX"], [("XX", "signature", bytes(16))])):
        held = replace(bundle, revocation=other)
        assert complete(bare(bundle, new), tmp_path, held).revocation.missing() == [part]


def test_an_unchanged_part_keeps_what_leads_to_it(tmp_path):
    old = store(tmp_path, list_of(50), RevocationList())
    new = store(tmp_path, list_of(49, bytes(16)), old)
    assert store(tmp_path, list_of(49, bytes(16)), new) == new


def test_from_a_part_that_is_not_at_hand_nothing_leads(tmp_path):
    old = store(tmp_path, list_of(50), RevocationList())
    new = store(tmp_path, list_of(49), replace(old, tables={}))
    assert new.lists["XX"][0].changes is None


def test_where_the_whole_part_is_smaller_nothing_leads_to_it(tmp_path):
    old = store(tmp_path, list_of(50), RevocationList())
    assert store(tmp_path, list_of(1), old).lists["XX"][0].changes is None


def test_a_list_that_is_only_named_stays_named(tmp_path):
    named = replace(list_of(3), tables={})
    assert store(tmp_path, named, RevocationList()) == named
    assert list(tmp_path.iterdir()) == []


def test_a_part_that_went_bad_is_written_anew(tmp_path):
    listed = store(tmp_path, list_of(3), RevocationList())
    path = part_path(tmp_path, listed.lists["XX"][0].file)
    good = path.read_bytes()
    path.write_bytes(b"bad")
    store(tmp_path, list_of(3), listed)
    assert path.read_bytes() == good


def test_parts_that_nobody_names_are_taken_away(tmp_path):
    first = store(tmp_path, list_of(50), RevocationList())
    second = store(tmp_path, list_of(49, bytes(16)), first)
    third = store(tmp_path, list_of(48), second)
    (tmp_path / "other").touch()
    forget(tmp_path, [second, third])
    kept = {path.stem for path in tmp_path.glob("*.part")}
    assert first.lists["XX"][0].file.sha256.hex() not in kept
    assert len(kept) == 4
    assert (tmp_path / "other").exists()


def test_a_file_larger_than_a_bundle_may_be_is_not_read(put, pins, monkeypatch):
    monkeypatch.setattr(bundle_files, "_LARGEST", 100)
    with pytest.raises(BadBundle):
        load(put(list_of(3)), pins=pins)
