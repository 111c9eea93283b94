"""Keys are renewed while people are booked and found; killed at any point, it goes on."""

from __future__ import annotations

import secrets

import pytest
from sqlalchemy import select

from healthcert.errors import NotReady, WrongKeys, WrongState
from healthcert.gateways.vault import Vault
from healthcert.models import Identity, Person, PersonToken
from healthcert.services import enrolment, finding, keys, rotation
from healthcert.services.people import details_of
from healthcert.services.tokens import indexed_by
from tests.factories import NOW, make_staff
from tests.services.clinic import details
from tests.threads import one_behind_the_other

OLD, NEW, OLD_INDEX, NEW_INDEX = (secrets.token_bytes(32) for _ in range(4))
BEFORE = Vault(OLD, OLD_INDEX)
BETWEEN = Vault(NEW, NEW_INDEX, other_masters=[OLD], other_indexes=[OLD_INDEX])
AFTER = Vault(NEW, NEW_INDEX)


@pytest.fixture
def people(doors):
    """Seven people under the old keys."""
    everybody = [details(birth_date=f"{1950 + 5 * n}-05-17") for n in range(7)]
    with doors.transaction() as db:
        for who in everybody:
            enrolment.enrol(db, vault=BEFORE, details=who, now=NOW)
    return everybody


def renew(doors, work, *, limit=3, vault=BETWEEN) -> int:
    return doors.run(lambda db: rotation.renew(db, vault=vault, work=work, limit=limit))


def left(doors) -> dict[str, int]:
    with doors.reading() as db:
        return {work: rotation.waiting(db, BETWEEN, work) for work in rotation.WORKS}


def refused_at_start(doors, vault) -> str:
    with doors.reading() as db:
        try:
            rotation.refuse_wrong_keys(db, vault)
        except NotReady as refusal:
            return refusal.code
    return ""


def found(doors, vault, who) -> tuple[bool, bool]:
    """Say whether somebody is found by name, and by document as the same person."""
    with doors.transaction() as db:
        asked = {"vault": vault, "staff": make_staff(db), "reason": "care", "now": NOW}
        by_name = finding.find(db, text="Canaria Kanary", born=who.birth_date, **asked)
        again = enrolment.enrol(db, vault=vault, details=who, now=NOW)
        return again.id in {each.person_id for each in by_name}, again.recorded_at == NOW


def test_everybody_comes_under_the_new_keys_in_batches(doors, people):
    for work in rotation.WORKS:
        assert [renew(doors, work) for _ in range(4)] == [3, 3, 1, 0]
    with doors.reading() as db:
        rows = db.scalars(select(Person)).all()
        assert {(row.wrapped_by, row.indexed_by) for row in rows} == {
            (AFTER.master_name, indexed_by(AFTER))
        }
        assert {details_of(AFTER, row).identity.value for row in rows} == {
            who.identity.value for who in people
        }
    assert refused_at_start(doors, AFTER) == ""
    assert refused_at_start(doors, BEFORE) == "wrong_keys"


@pytest.mark.parametrize("batches", [1, 2])
def test_between_the_batches_everybody_opens_and_is_found_once(doors, people, batches):
    for work in rotation.WORKS:
        for _ in range(batches):
            renew(doors, work)
    for who in people:
        assert found(doors, BETWEEN, who) == (True, True)
    with doors.reading() as db:
        assert len(db.scalars(select(Identity.id)).all()) == len(people)


def test_two_who_are_a_step_apart_enrol_one_identity_at_once_as_one_person(doors):
    who, behind = details(), Vault(OLD, OLD_INDEX, other_indexes=[NEW_INDEX])
    first, then = (
        lambda db, vault=vault: enrolment.enrol(db, vault=vault, details=who, now=NOW)
        for vault in (behind, Vault(OLD, NEW_INDEX, other_indexes=[OLD_INDEX]))
    )
    assert one_behind_the_other(doors, first, then) == []
    with doors.reading() as db:
        assert len(db.scalars(select(Person.id)).all()) == 1


def test_killed_inside_a_batch_nothing_of_it_stays_and_the_next_begins_there(doors, people):
    renew(doors, "wrapped")
    with pytest.raises(KeyboardInterrupt), doors.transaction() as db:  # noqa: PT012 - a kill
        rotation.renew(db, vault=BETWEEN, work="wrapped", limit=3)
        rotation.renew(db, vault=BETWEEN, work="indexed", limit=3)
        raise KeyboardInterrupt
    assert left(doors) == {"wrapped": 4, "indexed": 7}
    assert found(doors, BETWEEN, people[0]) == (True, True)
    while renew(doors, "wrapped") + renew(doors, "indexed"):
        pass
    assert left(doors) == {"wrapped": 0, "indexed": 0}


@pytest.mark.usefixtures("people")
@pytest.mark.parametrize(
    "vault",
    [
        Vault(NEW, NEW_INDEX, other_indexes=[OLD_INDEX]),
        Vault(NEW, NEW_INDEX, other_masters=[OLD]),
    ],
    ids=["the master", "the index key"],
)
def test_an_old_key_taken_away_too_early_is_refused_by_name(doors, vault):
    renew(doors, "wrapped")
    renew(doors, "indexed")
    assert refused_at_start(doors, vault) == "wrong_keys"
    with doors.reading() as db, pytest.raises(WrongKeys, match="which is not here"):
        rotation.refuse_wrong_keys(db, vault)


@pytest.mark.usefixtures("people")
def test_a_row_under_a_key_that_is_not_here_says_so_when_it_is_opened(doors):
    with doors.reading() as db, pytest.raises(WrongKeys, match=BEFORE.master_name):
        details_of(AFTER, db.scalars(select(Person)).first())
    with pytest.raises(WrongKeys):
        renew(doors, "wrapped", vault=Vault(NEW, OLD_INDEX))


def test_an_empty_database_suits_every_vault(doors):
    assert refused_at_start(doors, AFTER) == ""


def test_people_from_before_keys_had_names_are_taken_along(doors, people):
    with doors.transaction() as db:
        for person in db.scalars(select(Person)):
            person.wrapped_key = unnamed(person.wrapped_key)
            person.wrapped_by = person.indexed_by = ""
        for token in db.scalars(select(PersonToken).where(PersonToken.kind == "name")):
            db.delete(token)
    assert refused_at_start(doors, BETWEEN) == ""
    assert refused_at_start(doors, AFTER) == "not_ready"
    while renew(doors, "wrapped") + renew(doors, "indexed"):
        pass
    assert found(doors, AFTER, people[0]) == (True, True)


def unnamed(wrapped: bytes) -> bytes:
    """Return a person's key as the first version of the vault wrapped it."""
    plain = BEFORE._unwrapped(wrapped)  # noqa: SLF001 - no other way back to the old form
    old, nonce = BEFORE._wrapping[wrapped[1:5]], bytes(12)  # noqa: SLF001
    return b"\x01" + nonce + old.encrypt(nonce, plain, b"\x01person key")


def test_another_scheme_of_codes_stops_no_start_and_is_caught_up_with(doors, people):
    with doors.transaction() as db:
        for person in db.scalars(select(Person)):
            person.indexed_by = f"{BEFORE.index_name}00"
    assert refused_at_start(doors, BEFORE) == ""
    assert renew(doors, "indexed", vault=BEFORE, limit=100) == len(people)
    assert renew(doors, "indexed", vault=BEFORE) == 0


def test_a_visit_sealed_under_the_old_master_opens_until_it_is_over():
    sealed = BEFORE.service_seal(b"token", {"role": "nurse"})
    assert BETWEEN.service_open(b"token", sealed) == {"role": "nurse"}
    with pytest.raises(NotReady):
        AFTER.service_open(b"token", sealed)


@pytest.fixture
def folder(tmp_path):
    for name, key in (("vault", OLD), ("blind-index", OLD_INDEX)):
        (tmp_path / f"{name}.key").write_bytes(key)
    return tmp_path


def test_next_keys_open_before_they_wrap(folder):
    made = keys.prepare_next(folder)
    assert [path.name for path in made] == ["vault-2.next", "blind-index-2.next"]
    assert {path.stat().st_mode & 0o777 for path in made} == {0o600}
    waiting = keys.load_vault(folder)
    assert (waiting.master_name, len(waiting.masters)) == (BEFORE.master_name, 2)
    assert [path.name for path in keys.use_next(folder)] == [
        "blind-index-2.key", "vault-2.key",
    ]  # fmt: skip
    used = keys.load_vault(folder)
    assert used.masters == waiting.masters[::-1]
    assert used.indexes == waiting.indexes[::-1]
    key = waiting.new_key()
    assert used.rewrapped(key)[1:5].hex() == used.master_name


def test_the_tenth_key_follows_the_ninth(folder):
    for _ in range(10):
        keys.prepare_next(folder)
        keys.use_next(folder)
    loaded = keys.load_vault(folder)
    newest = (folder / "vault-11.key").read_bytes()
    assert loaded.master_name == Vault(newest, OLD_INDEX).master_name
    assert len(loaded.masters) == 11


def test_next_keys_are_made_once_and_used_once(folder):
    with pytest.raises(WrongState):
        keys.use_next(folder)
    keys.prepare_next(folder)
    with pytest.raises(WrongState):
        keys.prepare_next(folder)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("vault-2.key", b"short"),
        ("vault-2.key", OLD),
        ("vault-2.next", OLD_INDEX),
        ("blind-index-2.key", b""),
    ],
)
def test_a_wrong_key_file_beside_the_right_ones_is_refused(folder, name, content):
    (folder / name).write_bytes(content)
    with pytest.raises(NotReady):
        keys.load_vault(folder)


@pytest.mark.parametrize("name", ["vault.key", "blind-index.key"])
def test_a_missing_key_file_is_refused(folder, name):
    (folder / name).unlink()
    with pytest.raises(NotReady, match=name):
        keys.load_vault(folder)
