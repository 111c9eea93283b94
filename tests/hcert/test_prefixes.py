"""Many hashes in little room, and the way from one table of them to the next."""

from __future__ import annotations

import itertools
import random
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import cbor2
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from healthcert.errors import BadBundle
from healthcert.hcert.prefix_building import RATE, bits_for, build
from healthcert.hcert.prefix_changes import changed, changes
from healthcert.hcert.prefixes import HASH_BYTES, PrefixTable, packed, read_table

# Hashes of few different bytes, so that buckets, tags and whole addresses coincide.
CLOSE = st.lists(st.sampled_from(b"\x00\x01\x80\xff"), min_size=16, max_size=16).map(bytes)
HASHES = st.sets(st.one_of(CLOSE, st.binary(min_size=16, max_size=16)), max_size=80)
BITS = st.integers(4, 12)


def table_of(hashes, bits=4, good=()):
    return build(lambda: sorted(hashes), bits=bits, good=good)


def address(found, bits):
    return int.from_bytes(found[:4]) >> (32 - bits), found[4:7]


def many(count, seed=1):
    drawn = random.Random(seed).randbytes(count * HASH_BYTES)
    return {drawn[place : place + 16] for place in range(0, len(drawn), 16)}


@given(HASHES, HASHES, BITS)
def test_a_table_says_of_any_hash_whether_one_like_it_was_put_in(hashes, others, bits):
    table = table_of(hashes, bits)
    known = {address(found, bits) for found in hashes}
    assert list(table.addresses()) == sorted(known)
    for found in hashes | others:
        assert (found in table) == (address(found, bits) in known)


@given(HASHES, HASHES, BITS)
def test_no_good_hash_is_ever_taken_for_a_revoked_one(hashes, others, bits):
    good = others - hashes
    table = table_of(hashes, bits, good)
    assert not any(found in table for found in good)
    assert all(found in table for found in hashes)


@given(HASHES, BITS)
def test_a_part_file_reads_back_as_the_same_table(hashes, bits):
    table = table_of(hashes, bits, [bytes(16)])
    again = read_table(table.as_bytes())
    assert again == table
    assert again.as_bytes() == table.as_bytes()


@given(HASHES, HASHES, BITS)
def test_a_table_does_not_tell_in_which_order_or_how_often_it_was_made(hashes, others, bits):
    before = table_of(hashes | others, bits)
    assert table_of(hashes, bits) == table_of((hashes | others) - (others - hashes), bits)
    assert table_of(hashes | others, bits).as_bytes() == before.as_bytes()


@pytest.mark.walk
@given(HASHES, HASHES, HASHES, BITS)
@example({bytes(16)}, {b"\x00" * 6 + b"\x01" + bytes(9)}, set(), 4)
def test_changes_lead_to_the_very_file_that_was_built(hashes, more, less, bits):
    old = table_of(hashes | less, bits, good=[bytes(16)])
    new = table_of((hashes - less) | more, bits, good=[b"\xff" * 16])
    data = changes(old, new)
    if data is not None:
        assert changed(old, data).as_bytes() == new.as_bytes()
        assert len(data) < len(new.as_bytes())


def test_few_changes_are_a_small_file_and_can_be_taken_back():
    hashes = many(3_000)
    old, new = table_of(hashes, 13), table_of(hashes - set(list(hashes)[:2]) | many(3, 2), 13)
    there, back = changes(old, new), changes(new, old)
    assert len(there) < 50
    assert changed(changed(old, there), back) == old


@pytest.mark.walk
@given(st.lists(HASHES, min_size=2, max_size=6), BITS)
def test_changes_told_on_lead_from_each_table_between(sets, bits):
    tables = [table_of(hashes, bits) for hashes in sets]
    told, since = None, 0
    for place, (old, new) in enumerate(itertools.pairwise(tables)):
        told, single = changes(old, new, told), changes(old, new)
        since = place if told is None or told == single else since
        for earlier in tables[since : place + 1] if told else ():
            assert changed(earlier, told) == new


def test_changes_are_told_on_until_they_take_too_much_room():
    base = many(5_000)
    tables = [table_of(base | many(900 * step, 2), 14) for step in range(4)]
    first = changes(tables[0], tables[1])
    second = changes(tables[1], tables[2], first)
    third = changes(tables[2], tables[3], second)
    assert second == changes(tables[1], tables[2])
    assert third == changes(tables[2], tables[3])
    few = changes(tables[0], table_of(base | many(3, 2), 14))
    more = changes(table_of(base | many(3, 2), 14), table_of(base | many(9, 2), 14), few)
    assert changed(tables[0], more) == table_of(base | many(9, 2), 14)


def test_a_table_with_other_buckets_is_not_reached_by_changes():
    assert changes(table_of(many(100), 8), table_of(many(100), 9)) is None


def test_changes_that_are_no_smaller_than_the_table_are_not_made():
    assert changes(table_of(set()), table_of(many(3))) is None


def test_changes_that_do_not_fit_are_refused():
    old = table_of({bytes(16)})
    zero = bytes(7)
    broken = [
        b"",
        cbor2.dumps(1),
        cbor2.dumps([b"", b""]),
        cbor2.dumps([b"", zero + zero, b""]),
        cbor2.dumps([b"\xff" + zero[1:], b"", b""]),  # no such bucket
        cbor2.dumps([zero[1:], b"", b""]),
        cbor2.dumps([b"", b"", b"short"]),
        cbor2.dumps(["", 0, b""]),
    ]
    for data in broken:
        with pytest.raises(BadBundle):
            changed(old, data)


@given(HASHES, st.binary(max_size=28), st.binary(max_size=28), st.binary(max_size=32))
def test_strange_changes_are_refused_or_give_a_table_that_reads_back(hashes, here, gone, whole):
    try:
        found = changed(table_of(hashes), cbor2.dumps([here, gone, whole]))
    except BadBundle:
        return
    assert read_table(found.as_bytes()) == found


@given(st.integers(1, 10**8))
def test_the_chance_of_a_wrong_hit_keeps_to_its_bound(count):
    bits = bits_for(count)
    assert count / 2 ** (bits + 24) <= RATE
    assert bits == 4 or count / 2 ** (bits + 23) > RATE


def test_buckets_stay_within_what_a_hash_can_name():
    assert (bits_for(0), bits_for(1), bits_for(10**7), bits_for(10**12)) == (4, 4, 24, 32)


def test_a_hash_takes_about_twenty_seven_bits():
    table = table_of(many(20_000), bits_for(20_000))
    assert 8 * len(table.as_bytes()) / 20_000 < 28


def test_hashes_that_do_not_rise_are_refused():
    for hashes in ([b"b" * 16, b"a" * 16], [b"a" * 16, b"a" * 16]):
        with pytest.raises(ValueError, match="rise"):
            build(lambda hashes=hashes: hashes, bits=4)


def test_a_crowd_in_one_bucket_finds_room():
    crowd = {bytes(4) + number.to_bytes(3) + bytes(9) for number in range(500)}
    assert all(found in table_of(crowd) for found in crowd)


def broken_tables():
    good = table_of({bytes(16), b"\xff" * 16})
    member = [good.bits, good.count, good.high, good.low, good.whole]
    yield b""
    yield cbor2.dumps(member[:4])
    yield cbor2.dumps(7)
    for place, wrong in (
        (0, 3),
        (0, 33),
        (0, 32),
        (0, True),
        (1, 1),
        (1, -2),
        (1, 1 << 70),
        (2, b""),
        (2, good.high + b"\0"),
        (2, packed("1" + "0" * 17)),  # one too few
        (2, packed("1" * 3 + "0" * 15)),  # one too many
        (2, packed("1" + "0" * 16 + "1")),  # a tag behind the last bucket
        (2, good.high[:-1] + bytes([good.high[-1] | 1])),  # something in what fills it up
        (3, good.low + b"\0"),
        (3, "tag" * 2),
        (4, bytes(15)),
    ):
        yield cbor2.dumps([wrong if at == place else one for at, one in enumerate(member)])


@pytest.mark.parametrize("data", list(broken_tables()))
def test_a_part_of_another_shape_is_refused(data):
    with pytest.raises(BadBundle):
        read_table(data)


@given(st.binary(max_size=100))
def test_any_other_bytes_are_no_part(data):
    with pytest.raises(BadBundle):
        read_table(data)


def test_a_hash_listed_whole_is_found_and_its_address_is_free():
    revoked, like_it = bytes(16), bytes(15) + b"\1"
    table = table_of({revoked}, good=[like_it])
    assert (revoked in table, like_it in table) == (True, False)
    assert (table.count, table.whole) == (0, revoked)
    assert revoked not in replace(table, whole=b"")
    assert table != PrefixTable(table.bits, 0, table.high, b"")


def test_a_small_measurement_holds_to_all_but_time():
    script = Path(__file__).parents[2] / "bench" / "revocation.py"
    done = subprocess.run(
        [sys.executable, script, "30000"],
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONPATH": str(script.parents[1])},
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "good ones taken for revoked: 0" in done.stdout


def test_a_tag_is_found_behind_bytes_that_begin_like_it():
    tags = (b"\x00\x00\xff", b"\xff\xff\xff")  # joined, the second stands in them one byte early
    hashes = [bytes(4) + tag + bytes(9) for tag in tags]
    table = table_of(hashes)
    assert all(found in table for found in hashes)
    assert bytes(4) + b"\x00\xff\xff" + bytes(9) not in table


@pytest.mark.parametrize("seed", range(30))
def test_every_address_near_is_told_apart(seed):
    chance = random.Random(seed)
    tags = [b"\0\0\0", b"\0\0\1", b"\0\1\0", b"\1\0\0"]
    near = [
        (bucket << 27).to_bytes(4) + tag + bytes(9) for bucket in range(32) for tag in tags
    ]  # two groups of buckets, some empty
    hashes = chance.sample(near, chance.randrange(len(near)))
    table = table_of(hashes, bits=5)
    assert [found for found in near if found in table] == sorted(hashes)


def test_changes_as_large_as_the_table_are_not_made():
    hashes = sorted(many(40, seed=0))
    old, new = table_of(hashes[:1]), table_of(hashes[:3])
    both = {*old.addresses()} ^ {*new.addresses()}
    here = b"".join(bucket.to_bytes(4) + tag for bucket, tag in sorted(both))
    assert len(cbor2.dumps([here, b"", b""])) == len(new.as_bytes())
    assert changes(old, new) is None
