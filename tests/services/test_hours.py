"""When sites are open: read, written, and asked for a day."""

from __future__ import annotations

from datetime import date, time

import pytest

from healthcert.errors import BadInput
from healthcert.services import hours
from tests.factories import NOW, make_site

WEEK = "Mo-Fr 08:30-12:30,13:30-16:00; Sa 09:00-12:00"


def test_hours_are_read_and_written_back():
    spans = hours.read(WEEK)
    assert len(spans) == 11
    assert spans[1] == (1, time(13, 30), time(16))
    assert hours.written(spans) == WEEK
    assert hours.written(hours.read("Sa-Su 08:00-09:00; Mo-Tu 08:00-09:00")) == (
        "Mo-Tu 08:00-09:00; Sa-Su 08:00-09:00"
    )
    assert hours.read("") == []


@pytest.mark.parametrize(
    "text",
    [
        "always", "Mo", "Mo 8-12", "Mo 08:30", "Mo 12:00-08:00", "Mo 08:00-08:00", "Xx 08:00-09:00",
        "Mo 08:00-12:00,11:00-13:00", "Mo-Fr 08:00-12:00; We 09:00-10:00", "Mo 08:00-24:00",
        "Mo 08:00:30-09:00", "Mo 08:00-09:00Z", "Mo 08:00-09:00-10:00", "Mo 08:00-09:00 Tu",
    ],
)  # fmt: skip
def test_what_says_no_hours_is_refused(text):
    with pytest.raises(BadInput) as caught:
        hours.read(text)
    assert caught.value.fields == {"hours": "not_hours"}


def test_a_site_keeps_its_hours_and_the_days_it_is_closed(db):
    site_id, holiday = make_site(db).id, date(2026, 3, 9)
    hours.begin(db, site_id=site_id, spans=hours.read(WEEK), closed=[holiday], now=NOW)

    spans = hours.of(db, site_id, NOW.date())
    assert hours.written(spans[:2]) == "Mo 08:30-12:30,13:30-16:00"
    assert hours.closed_days(db, site_id) == [holiday]


def test_hours_hold_from_their_day_until_newer_ones_begin(db):
    site_id = make_site(db).id
    assert hours.of(db, site_id, NOW.date()) == ()

    def begin(text, since):
        hours.begin(db, site_id=site_id, spans=hours.read(text), since=since, now=NOW)

    first, second = date(2026, 3, 9), date(2026, 4, 1)
    begin(WEEK, first)
    begin("", second)
    begin("Mo 08:00-09:00", hours.ALWAYS)
    held = [(first.replace(day=8), "Mo 08:00-09:00"), (first, WEEK), (second, "")]
    assert [hours.written(hours.of(db, site_id, day)) for day, _told in held] == [
        told for _day, told in held
    ]
    begin("Tu 08:00-09:00", first)
    known = hours.versions(db, site_id=site_id)
    assert [(one.since, one.hours) for one in known] == [
        (hours.ALWAYS, "Mo 08:00-09:00"), (first, "Tu 08:00-09:00"), (second, ""),
    ]  # fmt: skip
