"""A draw among those who wait: announced, closed, drawn in pieces, published; or given up."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import select, update

from healthcert.errors import BadInput, NotFound, WrongState
from healthcert.models import AuditEvent, Draw, Site, WaitEntry, new_id
from healthcert.models.waiting import IN_ORDER
from healthcert.policy.draw import Rules, differences
from healthcert.policy.offers import RADII
from healthcert.services import draws, waiting
from tests.factories import NOW, day, make_admin, make_person, make_site
from tests.services.test_eligibility import publish

CLOSES = NOW + timedelta(days=1)
LATER = CLOSES + timedelta(hours=1)
VALUE = "7 12 19 23 41"


@pytest.fixture
def lots(clinic):
    return Lots(clinic)


class Lots:
    """A programme with people who wait, half of them in the north, and who answers for draws."""

    def __init__(self, clinic):
        """Take the clinic."""
        self.clinic = clinic
        with clinic.doors.transaction() as db:
            self.by = make_admin(db)
            self.sites = [make_site(db, region=region).id for region in ("South", "North")]

    def wait(self, count, **values):
        with self.clinic.doors.transaction() as db:
            people = [make_person(db) for _ in range(count)]
            made = [
                WaitEntry(
                    id=new_id(), recorded_at=NOW, person_id=each.id,
                    programme_id=self.clinic.programme.id,
                    **{"turn_on": day(-3), "phase": "everybody", "state": "waiting",
                       "site_id": self.sites[n % 2], "within_km": RADII[0]} | values,
                )
                for n, each in enumerate(people)
            ]  # fmt: skip
            db.add_all(made)
            return made

    def do(self, deed, now=LATER, **more):
        return self.clinic.doors.run(partial(deed, staff=self.by, now=now, **more))

    def announced(self, now=NOW, **changes):
        told = {
            "programme": self.clinic.programme.code, "source": "the lottery of the day after",
            "closes": CLOSES.isoformat(), "places": 6, "reserves": {"region:North": 50},
        }  # fmt: skip
        rules = Rules(**told | changes)
        return self.do(draws.announce, now=now, vault=self.clinic.vault, rules=rules)

    def run(self, draw, value=VALUE):
        return self.do(
            draws.run, draw_id=draw.id, vault=self.clinic.vault, public_value=value
        )  # fmt: skip

    def listed(self, draw):
        with self.clinic.doors.reading() as db:
            return draws.listed(db, draw)


def test_a_draw_is_announced_closed_drawn_in_pieces_and_published(lots, clinic):
    draw = lots.announced()
    assert draws.manifest(draw).keys() == {
        "id", "state", *Rules.__slots__, "commitment"
    }  # fmt: skip
    lots.wait(11)
    draw = lots.do(draws.close, draw_id=draw.id)
    lots.wait(1)  # too late
    lines = lots.listed(draw)
    assert (draw.entries, len(lines)) == (11, 11)
    assert sorted(line[33:] for line in lines) == [""] * 6 + ["region:North"] * 5
    assert "seed" not in draws.manifest(draw)
    draw = lots.run(draw)
    tokens = draws.ranked(draw, lines)
    for left in (7, 3, 0, 0):
        with clinic.doors.transaction() as db:
            assert draws.rank(db, draw_id=draw.id, tokens=tokens, most=4) == left
        if left == 3:
            with pytest.raises(WrongState):
                lots.do(draws.publish, draw_id=draw.id)
    draw = lots.do(draws.publish, draw_id=draw.id)
    with clinic.doors.transaction() as db, pytest.raises(WrongState):
        draws.rank(db, draw_id=draw.id, tokens=tokens, most=4)
    assert list(differences(draws.manifest(draw), lines, tokens)) == []
    with clinic.doors.reading() as db:
        query = select(WaitEntry.token).where(WaitEntry.draw_id == draw.id)
        held = [token.hex() for token in db.scalars(query.order_by(WaitEntry.rank))]
        told = {event.act: event.details for event in db.scalars(select(AuditEvent))}
        entry = db.scalars(select(WaitEntry).where(WaitEntry.rank == 4)).one()
        assert waiting.before(db, entry) == 3
    assert held == tokens
    assert told["draw_announced"] == {"commitment": draw.commitment.hex()}
    assert told["draw_drawn"] == {"seed": draw.seed.hex()}


def test_the_list_has_whom_a_phase_admits_by_then_and_who_waits(lots):
    [mine] = lots.wait(1, phase="carers")
    lots.wait(1, turn_on=day(2))
    lots.wait(1, state="left")
    draw = lots.announced(reserves={"phase:carers": 10, "region:South": 10})
    draw = lots.do(draws.close, draw_id=draw.id)
    assert lots.listed(draw) == [f"{mine.token.hex()} phase:carers"]  # the first rule that fits


def test_a_list_stays_open_until_its_time_and_no_step_is_left_out(lots):
    draw = lots.announced()
    with pytest.raises(WrongState):
        lots.do(draws.close, draw_id=draw.id, now=CLOSES - timedelta(seconds=1))
    with pytest.raises(WrongState):
        lots.run(draw)
    lots.do(draws.close, draw_id=draw.id)
    with pytest.raises(WrongState):
        lots.do(draws.close, draw_id=draw.id)
    with pytest.raises(WrongState):
        lots.do(draws.publish, draw_id=draw.id)
    for wrong in ("", "7\n12", "7\0", "7" * 501):
        with pytest.raises(BadInput):
            lots.run(draw, wrong)
    lots.run(draw)
    assert lots.run(draw).state == "drawn"
    with pytest.raises(WrongState):
        lots.run(draw, "another")
    with pytest.raises(WrongState):
        lots.do(draws.give_up, draw_id=draw.id)
    with pytest.raises(NotFound):
        lots.do(draws.give_up, draw_id=lots.by.id)


def test_a_draw_that_is_given_up_lets_its_entrants_go_into_the_next(lots, clinic):
    lots.wait(3)
    draw = lots.announced()
    lots.do(draws.close, draw_id=draw.id)
    lots.do(draws.give_up, draw_id=draw.id)
    other = lots.do(draws.close, draw_id=lots.announced().id)
    assert other.entries == 3
    with clinic.doors.reading() as db:
        states = [found.state for found, _names in draws.every(db)]
    assert states == ["closed", "void"]


@pytest.mark.parametrize(
    "wrong", [{"programme": "none"}, {"closes": "tomorrow"}, {"closes": "2026-03-03"},
              {"closes": NOW.isoformat()}],
)  # fmt: skip
def test_what_cannot_be_drawn_is_refused(lots, wrong):
    with pytest.raises(BadInput):
        lots.announced(**wrong)


def test_of_a_country_only_its_regions_and_the_programmes_phases_are_reserved_for(lots, clinic):
    with clinic.doors.reading() as db:
        known = draws.groups(db, clinic.programme, clinic.country)
    assert {"region:coast", "phase:everybody"} <= known.keys()
    told = {"source": "the lottery", "closes": CLOSES.isoformat(), "places": 9}
    told["programme"] = clinic.programme.code
    for group, is_known in {**dict.fromkeys(known, True), "region:moon": False}.items():
        deed = partial(draws.announce, vault=clinic.vault, country=clinic.country)
        rules = Rules(**told, reserves={group: 10})
        if is_known:
            assert lots.do(deed, now=NOW, rules=rules).state == "announced"
        else:
            with pytest.raises(BadInput, match="reserves: not_known"):
                lots.do(deed, now=NOW, rules=rules)


def test_the_seed_lies_sealed_until_it_is_shown(lots, clinic):
    draw = lots.announced()
    with clinic.doors.reading() as db:
        held = db.get_one(Draw, draw.id)
        seed = bytes.fromhex(clinic.vault.service_open(draw.id.bytes, held.sealed)["seed"])
        assert seed not in held.sealed
    assert Rules(**draw.rules).commitment(seed) == draw.commitment
    lots.do(draws.close, draw_id=draw.id)
    drawn = lots.run(draw)
    assert (drawn.seed, drawn.sealed) == (seed, None)


def test_who_waits_for_any_site_is_in_no_regions_group(lots):
    lots.wait(1, site_id=None, within_km=None)
    draw = lots.do(draws.close, draw_id=lots.announced().id)
    assert [line[33:] for line in lots.listed(draw)] == [""]


def test_where_a_site_lies_later_changes_no_list(lots, clinic):
    lots.wait(4)
    draw = lots.do(draws.close, draw_id=lots.announced().id)
    before = lots.listed(draw)
    with clinic.doors.transaction() as db:
        db.execute(update(Site).values(region="North"))
    assert lots.listed(draw) == before


def test_who_has_a_place_is_asked_before_all_others_whenever_their_phase_opened(lots, clinic):
    """Six places, half of them reserved for those whose phase opened last."""
    lots.wait(8, phase="carers", turn_on=day(-9))
    late = lots.wait(8, turn_on=day(-1))
    draw = lots.announced(reserves={"phase:everybody": 50})
    lots.do(draws.close, draw_id=draw.id)
    lines = lots.listed(lots.run(draw))
    tokens = draws.ranked(lots.run(draw), lines)
    with clinic.doors.transaction() as db:
        while draws.rank(db, draw_id=draw.id, tokens=tokens, most=4):
            pass
    line = select(WaitEntry).order_by(*IN_ORDER.clauses)
    with clinic.doors.reading() as db:
        order = list(db.scalars(line))
        assert [one.token.hex() for one in order[:6]] == tokens[:6]
        assert [waiting.before(db, one) for one in order[:6]] == [0, 1, 2, 3, 4, 5]
    assert sum(one.token in {each.token for each in late} for one in order[:6]) >= 3
    assert [one.phase for one in order[6:]] == sorted(one.phase for one in order[6:])


def ranked(lots, clinic, **told):
    """Return the tokens by rank of a draw that was held among those who wait."""
    draw = lots.announced(**told)
    lots.do(draws.close, draw_id=draw.id)
    tokens = draws.ranked(lots.run(draw), lots.listed(draw))
    with clinic.doors.transaction() as db:
        assert not draws.rank(db, draw_id=draw.id, tokens=tokens, most=99)
    lots.do(draws.publish, draw_id=draw.id)
    return tokens


def test_who_has_a_place_is_asked_before_whoever_comes_later_and_whom_a_draw_passed_over(
    lots, clinic
):
    """Those of an earlier phase who join only now, and those with a better rank elsewhere."""
    opens = day(-9)
    publish(clinic, {"code": "nurses", "opens_on": str(opens), "admits": {}},
            {"code": "everybody", "opens_on": str(day(-3)), "admits": {}})  # fmt: skip
    lots.wait(5)
    before = ranked(lots, clinic, places=1, reserves={})
    lots.wait(9)
    now = ranked(lots, clinic, places=6, reserves={})
    lots.wait(1, phase="nurses", turn_on=opens)
    with clinic.doors.reading() as db:
        order = [
            one.token.hex() for one in db.scalars(select(WaitEntry).order_by(*IN_ORDER.clauses))
        ]
    assert {*order[:7]} == {before[0], *now[:6]}
    assert [one for one in order[:7] if one in now] == now[:6]


def test_a_phase_that_opens_on_the_day_of_the_list_is_in_it_by_the_clock_that_was_announced(lots):
    lots.wait(1, turn_on=day(1))
    early = f"{day(1)}T00:30:00+02:00"  # the day before, in UTC
    draw = lots.do(draws.close, draw_id=lots.announced(closes=early).id)
    assert draw.entries == 1
