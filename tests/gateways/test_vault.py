"""The vault opens what it sealed, in its own row, under its own keys, and nothing else."""

from __future__ import annotations

import secrets

import pytest

from healthcert.errors import NotReady
from healthcert.gateways.vault import Vault
from healthcert.models import new_id

MASTER, INDEX = bytes(range(32)), bytes(range(32, 64))
VALUE = {"family": "الخوري", "phones": ["+44 7700 900001"]}


@pytest.fixture
def vault() -> Vault:
    return Vault(MASTER, INDEX)


def test_what_was_sealed_opens_in_its_row(vault):
    key, row = vault.new_key(), new_id()
    assert vault.open(key, row, vault.seal(key, row, VALUE)) == VALUE


def test_another_process_with_the_same_keys_opens_it(vault):
    key, row = vault.new_key(), new_id()
    assert Vault(MASTER, INDEX).open(key, row, vault.seal(key, row, VALUE)) == VALUE


def test_sealing_twice_gives_different_bytes_without_the_words(vault):
    key, row = vault.new_key(), new_id()
    one, other = vault.seal(key, row, VALUE), vault.seal(key, row, VALUE)
    assert one != other
    assert VALUE["family"].encode() not in one


def test_a_value_moved_to_another_row_is_refused(vault):
    key, row = vault.new_key(), new_id()
    with pytest.raises(NotReady):
        vault.open(key, new_id(), vault.seal(key, row, VALUE))


def test_a_value_read_for_another_purpose_is_refused(vault):
    key, row = vault.new_key(), new_id()
    with pytest.raises(NotReady):
        vault.open(key, row, vault.seal(key, row, VALUE, purpose="message"))


def test_another_persons_key_is_refused(vault):
    row = new_id()
    with pytest.raises(NotReady):
        vault.open(vault.new_key(), row, vault.seal(vault.new_key(), row, VALUE))


def test_another_master_key_is_refused(vault):
    key, row = vault.new_key(), new_id()
    sealed = vault.seal(key, row, VALUE)
    with pytest.raises(NotReady):
        Vault(secrets.token_bytes(32), INDEX).open(key, row, sealed)


def test_every_changed_byte_is_seen(vault):
    key, row = vault.new_key(), new_id()
    sealed = vault.seal(key, row, {"a": 1})
    for place in range(len(sealed)):
        changed = sealed[:place] + bytes([sealed[place] ^ 1]) + sealed[place + 1 :]
        with pytest.raises(NotReady):
            vault.open(key, row, changed)


@pytest.mark.parametrize("sealed", [b"", b"\x01", b"\x01" + bytes(12)])
def test_too_few_bytes_are_refused(vault, sealed):
    with pytest.raises(NotReady):
        vault.open(vault.new_key(), new_id(), sealed)


def test_a_visit_opens_under_its_own_token_only(vault):
    sealed = vault.service_seal(b"one token", VALUE)
    assert vault.service_open(b"one token", sealed) == VALUE
    with pytest.raises(NotReady):
        vault.service_open(b"two token", sealed)


def test_a_person_key_does_not_open_what_the_service_sealed(vault):
    row = new_id()
    with pytest.raises(NotReady):
        vault.open(vault.new_key(), row, vault.service_seal(row.bytes, VALUE))


def test_equal_values_meet_blindly_and_different_ones_never(vault):
    found = vault.blind("identity", "passport", "XX", "A1")
    assert found == Vault(secrets.token_bytes(32), INDEX).blind("identity", "passport", "XX", "A1")
    assert len(found) == 32
    assert found != vault.blind("identity", "passport", "XXA", "1")
    assert found != vault.blind("phone", "passport", "XX", "A1")
    assert found != Vault(MASTER, secrets.token_bytes(32)).blind("identity", "passport", "XX", "A1")


@pytest.mark.parametrize(
    ("master", "index"),
    [(MASTER, b""), (b"x", INDEX), (MASTER, MASTER)],
    ids=["no index key", "a short master key", "one key twice"],
)
def test_keys_of_another_length_or_twice_the_same_are_refused(master, index):
    with pytest.raises(NotReady):
        Vault(master, index)
