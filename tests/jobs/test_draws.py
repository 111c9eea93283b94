"""The worker closes a draw's list in time, writes its ranks and files, and goes on where it was."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from sqlalchemy import func, select

from healthcert import jobs
from healthcert.errors import WrongState
from healthcert.gateways import draw_files
from healthcert.jobs import draws as job
from healthcert.models import AuditEvent, Draw, Slot, WaitEntry
from healthcert.policy.draw import differences
from healthcert.services import draws, hours, offers, sessions
from tests.factories import NOW, day
from tests.services.test_draws import CLOSES, LATER, Lots
from tests.services.test_sessions import template
from tests.services.test_waiting import Line


@pytest.fixture
def lots(clinic):
    return Lots(clinic)


@pytest.fixture
def small(monkeypatch):
    """Pieces of two ranks, so that few entrants make several."""
    monkeypatch.setattr(job, "PIECE", 2)


class Killed(BaseException):
    """The process is gone: nothing of ours catches it."""


def folder_of(parts, draw):
    return parts.settings.draws_dir / str(draw.id)


def wrong_in(folder):
    lines, ranks = (draw_files.lines(folder, each) for each in (draw_files.LIST, draw_files.RANKS))
    return list(differences(draw_files.manifest(folder), lines, ranks))


def events(parts):
    with parts.doors.reading() as db:
        query = select(AuditEvent.act, AuditEvent.actor_kind).where(AuditEvent.act.like("draw%"))
        return [tuple(row) for row in db.execute(query.order_by(AuditEvent.id))]


def test_a_list_is_closed_by_the_worker_at_its_time_and_not_before(parts, lots):
    lots.wait(5)
    draw = lots.announced()
    assert job.keep(parts, NOW) == 1  # its manifest
    assert draw_files.there(folder_of(parts, draw)) == ["manifest.json"]
    assert job.keep(parts, CLOSES - timedelta(seconds=1)) == 0
    assert job.keep(parts, CLOSES) == 1
    told = draw_files.manifest(folder_of(parts, draw))
    assert (told["state"], told["entries"], "seed" in told) == ("closed", 5, False)
    assert wrong_in(folder_of(parts, draw)) == []
    assert job.keep(parts, LATER) == 0
    assert events(parts) == [("draw_announced", "staff"), ("draw_closed", "system")]


@pytest.mark.usefixtures("small")
def test_what_is_drawn_is_ranked_in_pieces_and_published(parts, lots, clinic):
    lots.wait(7)
    draw = lots.announced()
    job.keep(parts, CLOSES)
    lots.run(draw)
    assert jobs.run_once(parts, LATER)["draws"] == 1
    folder = folder_of(parts, draw)
    assert draw_files.manifest(folder)["state"] == "published"
    assert wrong_in(folder) == []
    with clinic.doors.reading() as db:
        ranks = select(WaitEntry.token).where(WaitEntry.draw_id == draw.id)
        held = [token.hex() for token in db.scalars(ranks.order_by(WaitEntry.rank))]
    assert held == draw_files.lines(folder, "ranks.txt")
    assert events(parts)[-1] == ("draw_published", "system")
    assert job.keep(parts, LATER) == 0


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("calls", range(8))
def test_killed_at_any_point_the_next_worker_goes_on(parts, lots, monkeypatch, calls):
    """Of seven entrants there are four pieces; then it is published, and its files written."""
    lots.wait(7)
    draw = lots.announced()
    job.keep(parts, CLOSES)
    lots.run(draw)
    begun, left = [], calls

    def dies(deed):
        def done(*given, **told):
            nonlocal left
            if left == 0:
                raise Killed
            left -= 1
            begun.append(deed.__name__)
            return deed(*given, **told)

        return done

    with monkeypatch.context() as patched:
        for module, name in ((draws, "rank"), (draws, "publish"), (draw_files, "write")):
            patched.setattr(module, name, dies(getattr(module, name)))
        try:
            job.keep(parts, LATER)
        except Killed:
            assert len(begun) == calls
    job.keep(parts, LATER)
    assert draw_files.manifest(folder_of(parts, draw))["state"] == "published"
    assert wrong_in(folder_of(parts, draw)) == []
    with parts.doors.reading() as db:
        ranked = select(func.count(), func.max(WaitEntry.rank)).where(WaitEntry.rank.is_not(None))
        assert tuple(db.execute(ranked).one()) == (7, 7)
    assert [act for act, _by in events(parts)].count("draw_published") == 1


@pytest.mark.usefixtures("small")
def test_two_workers_do_nothing_twice(parts, lots, monkeypatch):
    lots.wait(9)
    draw = lots.announced()
    written, barrier, rank = [], Barrier(2), draws.rank

    def told(db, **more):
        left = rank(db, **more)
        written.append(left)
        return left

    monkeypatch.setattr(draws, "rank", told)

    def work(now):
        barrier.wait()
        return job.keep(parts, now)

    with ThreadPoolExecutor(2) as workers:
        list(workers.map(work, [CLOSES] * 2))
        lots.run(draw)
        list(workers.map(work, [LATER] * 2))
    assert sorted({*written}) == [0, 1, 3, 5, 7]
    assert [left for left in written if left] == [7, 5, 3, 1], "a piece was written twice"
    acts = [act for act, _by in events(parts)]
    assert acts == ["draw_announced", "draw_closed", "draw_drawn", "draw_published"]
    assert wrong_in(folder_of(parts, draw)) == []


def test_files_that_are_missing_are_written_again(parts, lots):
    lots.wait(3)
    draw = lots.announced()
    job.keep(parts, CLOSES)
    lots.run(draw)
    job.keep(parts, LATER)
    folder = folder_of(parts, draw)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert before.keys() == {*draw_files.NAMES}
    for name in draw_files.NAMES:
        (folder / name).unlink()
        assert job.keep(parts, LATER) == 1
    (folder / "manifest.json").write_text(json.dumps({"state": "closed"}))
    assert job.keep(parts, LATER) == 1
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_what_goes_on_is_looked_at_each_second_and_what_is_over_once_a_minute(parts, lots):
    lots.wait(3)
    over = lots.announced()
    job.keep(parts, CLOSES)
    lots.run(over)
    job.keep(parts, LATER)
    goes_on = lots.announced(closes=LATER.isoformat())
    half_past = LATER + timedelta(seconds=30)
    job.keep(parts, half_past)
    manifests = [folder_of(parts, draw) / "manifest.json" for draw in (over, goes_on)]
    for each in manifests:
        each.unlink()
    assert job.keep(parts, half_past) == 1
    assert [each.exists() for each in manifests] == [False, True]
    assert job.keep(parts, LATER + timedelta(minutes=1)) == 1
    assert manifests[0].exists()


def test_of_a_draw_that_is_given_up_the_list_stays_as_it_was_closed(parts, lots):
    lots.wait(3)
    draw = lots.announced()
    job.keep(parts, CLOSES)
    lots.do(draws.give_up, draw_id=draw.id)
    assert job.keep(parts, LATER) == 1
    folder = folder_of(parts, draw)
    assert draw_files.manifest(folder)["state"] == "void"
    assert draw_files.there(folder) == ["manifest.json", "list.txt"]
    assert len(draw_files.lines(folder, "list.txt")) == 3
    assert wrong_in(folder) == []


def test_a_draw_that_is_given_up_meanwhile_is_not_closed(parts, lots, monkeypatch):
    draw = lots.announced()
    found = draws.unfinished

    def and_then_it_is_given_up(db):
        rows = found(db)
        lots.do(draws.give_up, draw_id=draw.id)
        return rows

    monkeypatch.setattr(draws, "unfinished", and_then_it_is_given_up)
    job.keep(parts, CLOSES)
    with parts.doors.reading() as db:
        assert db.get_one(Draw, draw.id).state == "void"
    assert draw_files.manifest(folder_of(parts, draw))["state"] == "void"
    with pytest.raises(WrongState):
        lots.do(draws.close, draw_id=draw.id)


@pytest.mark.usefixtures("small")
def test_a_list_is_entered_in_pieces_and_no_wait_is_held_longer_than_one(parts, lots, monkeypatch):
    """A million in one transaction kept who wants to leave waiting for minutes."""
    lots.wait(5)
    draw, sizes, enter = lots.announced(), [], draws.enter

    def told(db, **more):
        last = enter(db, **more)
        inside = select(func.count()).where(WaitEntry.draw_id == draw.id)
        sizes.append(db.scalar(inside))
        if len(sizes) == 2:
            raise Killed
        return last

    monkeypatch.setattr(draws, "enter", told)
    with pytest.raises(Killed):
        job.keep(parts, CLOSES)
    assert sizes == [2, 4]
    lots.wait(1)  # whose row is seen late
    job.keep(parts, CLOSES)
    assert sizes[2:] == [4, 6, 6]
    assert draw_files.manifest(folder_of(parts, draw))["entries"] == 6
    assert wrong_in(folder_of(parts, draw)) == []


def test_places_kept_for_who_waits_are_offered_by_rank_once_it_is_drawn(parts, lots, clinic):
    """By those who joined first before that, what was drawn would be given away."""
    with clinic.doors.transaction() as db:
        spans = hours.read("Mo-Su 09:00-09:30")
        hours.begin(db, site_id=clinic.site.id, spans=spans, closed=[], now=NOW)
        plan = template(
            clinic, weekdays=127, capacity=1, kept_phone=0, kept_walk_in=0, kept_waiting=1
        )
        plan = sessions.begin(db, plan, staff=clinic.nurse, now=NOW)
        its = {"template_id": plan.id, "country": clinic.country, "until": day(20)}
        sessions.make(db, now=NOW, **its)
    line = Line(clinic)
    waits = [line.join(within_km=None) for _ in range(5)]
    draw = lots.announced(places=2, reserves={})
    with clinic.doors.reading() as db:
        soon, *later = offers.due(db, now=NOW)
        assert [db.get_one(Slot, soon).starts_at < CLOSES, later] == [True, []]
    lots.do(draws.close, draw_id=draw.id)
    job.keep(parts, LATER)
    lots.run(draw)
    with clinic.doors.reading() as db:
        assert offers.due(db, now=LATER) == []
    job.keep(parts, LATER)
    with clinic.doors.reading() as db:
        first, second, *_others = offers.due(db, now=LATER)
        ranked = {one.rank: one.person_id for one in db.scalars(select(WaitEntry))}
        slots = [db.get_one(Slot, each) for each in (first, second)]
    assert len(ranked) == len(waits)
    assert [line.fill(slot, now=LATER) for slot in slots] == [1, 1]
    assert [one.person_id for one in line.open()] == [ranked[1], ranked[2]]
