"""The tables of the audit tree hold what they must, whoever writes."""

from __future__ import annotations

import pytest

from healthcert.models import AuditLeaf, TreeHead, new_id
from tests.factories import NOW, add, make_event, make_head
from tests.models.refusals import refused

HASH = bytes(32)


@pytest.fixture
def sealed(db):
    make_head(db, make_event(db))
    return db


def head(size, **values):
    return TreeHead(size=size, sealed_at=NOW, edge=b"", note="", **{"root": HASH} | values)


def leaf(position, **values):
    return AuditLeaf(position=position, **{"event_id": new_id(), "hash": HASH} | values)


@pytest.mark.parametrize("size", [-1, 0, 1, 3])
def test_a_head_is_larger_than_the_last_and_ends_at_the_newest_leaf(sealed, size):
    add(sealed, leaf(1))
    with refused(sealed, "head_grows"):
        add(sealed, head(size))
    add(sealed, head(2))


def test_places_and_events_of_leaves_are_used_once(sealed):
    first = sealed.get_one(AuditLeaf, 0)
    sealed.expunge(first)
    with refused(sealed, "pk_audit_leaf"):
        add(sealed, leaf(0))
    with refused(sealed, "uq_audit_leaf_event_id"):
        add(sealed, leaf(1, event_id=first.event_id))
    with refused(sealed, "ck_audit_leaf_position"):
        add(sealed, leaf(-1))


def test_hashes_have_32_bytes(sealed):
    with refused(sealed, "ck_audit_leaf_hash"):
        add(sealed, leaf(1, hash=HASH[1:]))
    add(sealed, leaf(1))
    with refused(sealed, "ck_tree_head_root"):
        add(sealed, head(2, root=HASH + b"1"))
