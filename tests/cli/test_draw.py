"""`healthcert draw`: what is published is enough to compute a draw again, and a change shows."""

from __future__ import annotations

import json
import re
import shutil
import time
from datetime import UTC, datetime, timedelta

import pytest

from healthcert.db import Doors, make_engine
from healthcert.models import Draw, Programme, WaitEntry, new_id
from healthcert.services import knowledge
from tests.factories import NOW, TODAY, make_admin, make_person


@pytest.fixture
def drawn(run, sqlite_template, tmp_path):
    """The folder of a draw among 30 people, by the commands alone."""
    (tmp_path / "healthcert.db").write_bytes(sqlite_template.read_bytes())
    engine = make_engine(f"sqlite:///{tmp_path / 'healthcert.db'}")
    with Doors(engine).transaction() as db:
        knowledge.load(db, now=NOW)
        programme, staff = db.query(Programme).one(), make_admin(db).id
        for _ in range(30):
            db.add(
                WaitEntry(
                    id=new_id(), recorded_at=NOW, person_id=make_person(db).id, state="waiting",
                    programme_id=programme.id, turn_on=TODAY,
                )
            )  # fmt: skip
        code = programme.code
    closes = datetime.now(UTC) + timedelta(seconds=1)  # noqa: TID251 - the commands read the clock
    announced = run(
        "draw", "commit", "--programme", code, "--places", 9, "--closes", closes.isoformat(),
        "--source", "the lottery", "--reserve", "region:North", 20, "--staff", staff,
    )  # fmt: skip
    assert "HEALTHCERT_DATA_DIR" in announced.stderr  # no worker has looked into this folder
    told = re.fullmatch(r"announced (\S+) (\w{64}) 0 entrants\n", announced.stdout)
    draw_id, commitment = told.groups()
    looked = tmp_path / "room" / "looked"
    looked.parent.mkdir()
    looked.touch()
    time.sleep(1)
    for step, *value in (("close",), ("run", "7 12 19")):
        done = run("draw", step, draw_id, *value, "--staff", staff)
        assert (done.exit_code, done.stderr) == (0, ""), done.output
    assert "published" in done.stdout
    with Doors(engine).reading() as db:
        assert db.query(Draw).one().state == "published"
    engine.dispose()
    return tmp_path / "draws" / draw_id, commitment


def test_a_draw_is_computed_again_from_its_files_alone(run, drawn, tmp_path):
    folder, commitment = drawn
    alone = shutil.copytree(folder, tmp_path / "downloaded")
    (tmp_path / "healthcert.db").unlink()
    mine = (alone / "ranks.txt").read_text().splitlines()[6]
    done = run("draw", "verify", alone, "--commitment", commitment, "--token", mine)
    assert done.exit_code == 0
    assert done.stdout == "30 ranks are as the rules make them\nrank 7 is yours\n"


def test_every_difference_is_named(run, drawn):
    folder, _commitment = drawn
    told = json.loads((folder / "manifest.json").read_text())
    done = run("draw", "verify", folder, "--commitment", "0" * 64, "--token", "nobody")
    assert done.exit_code == 1
    assert done.stdout.splitlines() == [
        "this is not the commitment that you were told", "your token has no rank"
    ]  # fmt: skip
    (folder / "manifest.json").write_text(json.dumps(told | {"places": 10}))
    assert "not the one that was committed to" in run("draw", "verify", folder).stdout
    (folder / "manifest.json").write_text("[1]")
    assert "cannot be read" in run("draw", "verify", folder).stdout


def test_who_does_not_work_here_gives_no_draw_up(run, drawn):
    folder, _commitment = drawn
    done = run("draw", "give-up", folder.name, "--staff", new_id())
    assert done.exit_code == 1  # nobody of that name works here
