"""`healthcert lots`: what comes in is in quarantine until somebody else releases it."""

from __future__ import annotations

import json
from datetime import date

import pytest

from healthcert.db import Doors, make_engine
from healthcert.models import Lot, LotValidity
from healthcert.services import knowledge, lots
from tests.factories import NOW, TODAY, day, make_admin, make_dose, make_product, make_site

NOBODY = "019a7d3e-6a41-7b5c-9c1e-5a0f0b7a2d11"


@pytest.fixture
def doors(sqlite_template, tmp_path):
    (tmp_path / "healthcert.db").write_bytes(sqlite_template.read_bytes())
    engine = make_engine(f"sqlite:///{tmp_path / 'healthcert.db'}")
    yield Doors(engine)
    engine.dispose()


@pytest.fixture
def lot(doors, run):
    """A lot in quarantine, who received it, and who may release it."""
    assert run
    with doors.transaction() as db:
        knowledge.load(db, now=NOW)
        keeper, other = make_admin(db), make_admin(db)
        product = make_product(db)
        made = lots.enter(
            db, product_id=product.id, number="CM1", expires_on=day(300), since=TODAY,
            staff=keeper, now=NOW,
        )  # fmt: skip
        return made.id, keeper.id, other.id


def listed(run, *more):
    done = run("lots", "list", "--json", *more)
    assert done.exit_code == 0
    return [(told["number"], told["state"]) for told in map(json.loads, done.stdout.splitlines())]


def test_a_lot_is_listed_released_and_recalled(run, lot, doors):
    lot_id, keeper, other = lot
    assert listed(run) == [("CM1", "quarantined")]
    done = run("lots", "release", lot_id, "--staff", keeper)
    assert done.exit_code == 1  # who received it
    done = run("lots", "release", lot_id, "--staff", other, "--since", TODAY)
    assert (done.exit_code, done.stdout) == (0, f"released {lot_id}\n")
    assert listed(run, "--state", "released") == [("CM1", "released")]
    assert listed(run, "--state", "quarantined") == []
    done = run("lots", "recall", lot_id, "--staff", keeper, "--reason", "producer")
    assert done.exit_code == 0
    assert f"{lot_id} recalled" in run("lots", "list").stdout
    assert run("lots", "release", lot_id, "--staff", other).exit_code == 1
    with doors.reading() as db:
        assert db.get_one(Lot, lot_id).state == "recalled"
        newest = db.query(LotValidity).order_by(LotValidity.ordinal.desc()).first()
        assert (newest.reason, newest.since, newest.ordered_by) == ("producer", date.min, keeper)


def test_a_recall_counts_the_people_it_reaches_by_site_and_names_nobody(run, lot, doors):
    lot_id, keeper, _other = lot
    with doors.transaction() as db:
        sites = [make_site(db, code=name) for name in ("Harbour", "Hill")]
        here = db.get_one(Lot, lot_id)
        for site in (*sites, sites[0]):
            make_dose(db, lot=here, site_id=site.id)
    recall = ("lots", "recall", lot_id, "--staff", keeper, "--reason", "regulator")
    done = run(*recall, "--json")
    assert done.exit_code == 0, done.stderr
    told = json.loads(done.stdout)
    assert told.pop("seconds") >= 0
    assert told == {
        "lot": str(lot_id), "state": "recalled", "people": {"Harbour": 2, "Hill": 1}, "untold": 3,
    }  # fmt: skip
    assert done.stderr.startswith("3 people, 3 left no way to be told, ")
    assert "     2 Harbour" in run(*recall).stdout


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("release", "{lot}", "--staff", NOBODY), 1),
        (("release", NOBODY, "--staff", "{staff}"), 1),
        (("release", "{lot}"), 2),
        (("release", "CM1", "--staff", "{staff}"), 2),
        (("recall", "{lot}", "--staff", "{staff}", "--reason", "he said so"), 2),
        (("recall", "{lot}", "--staff", "{staff}"), 2),  # without a reason
        (("recall", "{lot}", "--staff", "{staff}", "--reason", "producer", "--since", "soon"), 2),
        (("list", "--state", "lost"), 2),
    ],
)
def test_what_is_not_there_is_refused_and_misuse_is_told(run, lot, words, code):
    words = [word.format(lot=lot[0], staff=lot[2]) for word in words]
    assert run("lots", *words).exit_code == code
    assert listed(run) == [("CM1", "quarantined")]


@pytest.mark.parametrize("verb", ["list", "release", "recall"])
def test_each_command_shows_an_example(run, verb):
    assert f"healthcert lots {verb}" in run("lots", verb, "--help").stdout
