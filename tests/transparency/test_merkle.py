"""The tree gives the roots of RFC 6962, and its proofs hold for what is true and nothing else."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from healthcert.errors import BadProof
from healthcert.transparency.merkle import (
    EMPTY,
    Edge,
    check_consistency,
    check_inclusion,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
)

SIZES = range(1, 71)
LEAVES = [leaf_hash(bytes([number])) for number in SIZES]

# Entries of the tests of the first logs of this kind, and the root after each.
ENTRIES = [
    "",
    "00",
    "10",
    "2021",
    "3031",
    "40414243",
    "5051525354555657",
    bytes(range(96, 112)).hex(),
]
ROOTS = {
    1: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    2: "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    3: "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    8: "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
}


def plain_root(leaves):
    """The definition of RFC 6962 §2.1, written down as it stands."""
    if len(leaves) == 1:
        return leaves[0]
    half = 1
    while 2 * half < len(leaves):
        half *= 2
    return sha256(b"\1" + plain_root(leaves[:half]) + plain_root(leaves[half:])).digest()


def plain_path(leaves, index):
    """PATH of RFC 6962 §2.1.1."""
    if len(leaves) == 1:
        return []
    half = 1
    while 2 * half < len(leaves):
        half *= 2
    if index < half:
        return [*plain_path(leaves[:half], index), plain_root(leaves[half:])]
    return [*plain_path(leaves[half:], index - half), plain_root(leaves[:half])]


def plain_growth(leaves, old, *, known=True):
    """SUBPROOF of RFC 6962 §2.1.2."""
    if old == len(leaves):
        return [] if known else [plain_root(leaves)]
    half = 1
    while 2 * half < len(leaves):
        half *= 2
    if old <= half:
        return [*plain_growth(leaves[:half], old, known=known), plain_root(leaves[half:])]
    return [*plain_growth(leaves[half:], old - half, known=False), plain_root(leaves[:half])]


def root(size):
    return Edge().grown(LEAVES[:size]).root


def test_the_roots_are_those_that_others_published():
    leaves = [leaf_hash(bytes.fromhex(entry)) for entry in ENTRIES]
    assert Edge().root == EMPTY == sha256(b"").digest()
    for size, expected in ROOTS.items():
        assert Edge().grown(leaves[:size]).root.hex() == expected


def test_roots_and_proofs_of_every_size_are_those_of_the_definition():
    for size in SIZES:
        assert root(size) == plain_root(LEAVES[:size])
        for index in range(size):
            proof = inclusion_proof(LEAVES[:size], index)
            assert proof == plain_path(LEAVES[:size], index)
            check_inclusion(LEAVES[index], index, size, root(size), proof)
            edge = Edge().grown(LEAVES[:index])
            growth = consistency_proof(LEAVES[:size], index)
            assert growth == (plain_growth(LEAVES[:size], index) if index else [])
            check_consistency((index, edge.root), (size, root(size)), growth)


def test_no_leaf_is_proven_at_another_place_or_in_another_tree():
    for size in range(1, 33):
        for index in range(size):
            proof = inclusion_proof(LEAVES[:size], index)
            others = [(at, size, proof) for at in range(-1, size + 2) if at != index]
            others += [(index, size, [*proof, LEAVES[0]]), (index, size, proof[:-1])] * bool(proof)
            for at, of, told in others:
                with pytest.raises(BadProof):
                    check_inclusion(LEAVES[index], at, of, root(size), told)


@given(st.data())
def test_no_other_past_is_proven(data):
    size = data.draw(st.integers(2, 70))
    old = data.draw(st.integers(1, size - 1))
    changed = data.draw(st.integers(0, old - 1))
    other = [*LEAVES]
    other[changed] = leaf_hash(b"another")
    edge = Edge().grown(LEAVES[:old])
    new = Edge().grown(other[:size])
    honest = consistency_proof(other[:size], old)
    false = consistency_proof(LEAVES[:old] + other[old:size], old)
    for proof in (honest, false, [], honest[1:], [*honest, LEAVES[0]]):
        with pytest.raises(BadProof):
            check_consistency((old, edge.root), (size, new.root), proof)


@given(st.data())
def test_no_hash_of_a_proof_may_change(data):
    size = data.draw(st.integers(2, 70))
    old = data.draw(st.integers(1, size - 1))
    proof = consistency_proof(LEAVES[:size], old)
    place = data.draw(st.integers(0, len(proof) - 1))
    proof[place] = leaf_hash(b"another")
    with pytest.raises(BadProof):
        check_consistency((old, root(old)), (size, root(size)), proof)


def test_a_tree_is_consistent_with_itself_and_not_with_another_of_its_size():
    check_consistency((5, root(5)), (5, root(5)), [])
    for new, proof in (((5, LEAVES[0]), []), ((5, root(5)), [LEAVES[0]]), ((4, root(4)), [])):
        with pytest.raises(BadProof):
            check_consistency((5, root(5)), new, proof)


def test_an_edge_grows_by_pieces_as_by_one():
    edge = Edge()
    for start in range(0, 70, 7):
        edge = edge.grown(LEAVES[start : start + 7])
    assert edge == Edge().grown(LEAVES)
    assert len(edge.peaks) == (70).bit_count()
