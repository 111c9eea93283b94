"""Pages: the language of each reader, direction, filters, the frame."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from flask import Flask

from healthcert.config import Settings
from healthcert.errors import NotReady
from healthcert.web import pages

EVENING = datetime(2026, 3, 11, 23, 40, tzinfo=UTC)


def language_of(answer):
    return answer.headers["Content-Language"]


def test_a_page_speaks_the_first_language_to_a_browser_that_asks_for_none(client):
    assert language_of(client.get("/styleguide")) == "en"


def test_a_page_speaks_the_language_the_browser_asks_for(client):
    answer = client.get("/styleguide", headers={"Accept-Language": "ar-MA, en;q=0.5"})
    assert language_of(answer) == "ar"
    assert '<html lang="ar" dir="rtl"' in answer.text


def test_a_choice_wins_over_the_browser_and_is_kept(client):
    asks = {"Accept-Language": "en"}
    assert language_of(client.get("/styleguide?lang=fr", headers=asks)) == "fr"
    assert language_of(client.get("/styleguide", headers=asks)) == "fr"


def test_a_language_that_is_not_enabled_is_neither_spoken_nor_kept(client):
    answer = client.get("/styleguide?lang=../../x")
    assert language_of(answer) == "en"
    assert "Set-Cookie" not in answer.headers


def test_the_choice_is_kept_for_our_requests_alone_and_over_https_only(make_app):
    client = make_app(base_url="https://example.org").test_client()
    cookie = client.get("/styleguide?lang=fr").headers["Set-Cookie"]
    assert {"Secure", "HttpOnly", "SameSite=Lax"} <= set(cookie.split("; "))


def test_caches_are_told_what_the_language_depends_on(client):
    assert {"Accept-Language", "Cookie"} <= set(client.get("/styleguide").vary)


def test_the_language_switch_keeps_the_page_and_what_it_shows(render):
    said = render("{{ languages[2].href }}", query="page=2&lang=fr&q=a%26b")
    assert said == "?page=2&amp;q=a%26b&amp;lang=ar"


def test_each_direction_has_its_sheet(client):
    assert "/static/front.rtl." in client.get("/styleguide?lang=ar").text
    assert "/static/front.rtl." not in client.get("/styleguide?lang=fr").text


def test_macros_know_the_language_without_being_given_it(render):
    said = render('{% from "_components/page.html" import back %}{{ back("/") }}', query="lang=fr")
    assert "Retour" in said


def test_two_requests_in_two_languages_do_not_share_words(client):
    french, arabic = (client.get(f"/styleguide?lang={code}").text for code in ("fr", "ar"))
    assert "Retour" in french
    assert "Retour" not in arabic


def test_a_value_is_isolated_and_escaped(render):
    said = render('{{ _("Hello %(who)s", who="<b>Amélie</b>"|bdi("hc-number")) }}')
    assert said == 'Hello <bdi class="hc-number">&lt;b&gt;Amélie&lt;/b&gt;</bdi>'


def test_plain_values_of_lists_and_tables_are_isolated_and_marked_ones_left_alone(render):
    said = render(
        '{% from "_components/data.html" import summary, table %}'
        '{{ summary([("Phone", "+33 6 12"), ("Name", "Amélie"|bdi("x"))]) }}'
        '{{ table("Caption", ["Phone"], [["+33 6 12"]]) }}'
    )
    assert said.count("<bdi>+33 6 12</bdi>") == 2
    assert '<bdi class="x">Amélie</bdi>' in said
    assert "<bdi><bdi" not in said


def test_a_moment_is_told_on_the_clock_of_the_place_and_for_programs(render):
    said = render('{{ at|datetime("Asia/Tokyo", length="long") }} {{ at|time }}', at=EVENING)
    assert said == (
        '<time datetime="2026-03-11T23:40:00+00:00" dir="auto">12 March 2026, 08:40</time> '
        '<time datetime="2026-03-11T23:40:00+00:00" dir="auto">00:40</time>'
    )


def test_a_day_stays_the_same_day_everywhere(render):
    said = render("{{ born|date }}", born=date(1971, 2, 27))
    assert said == '<time datetime="1971-02-27" dir="auto">27 February 1971</time>'


def test_a_number_is_written_as_the_language_writes_it(render):
    assert render("{{ 12345|number }}") == '<bdi class="hc-number">12,345</bdi>'


@pytest.mark.parametrize(
    ("env", "word"), [("development", "Demonstration"), ("training", "Training")]
)
def test_a_service_that_is_not_real_says_so_on_every_page(make_app, env, word):
    assert word in make_app(env=env).test_client().get("/styleguide").text


def test_the_real_service_does_not_call_itself_a_demonstration(make_app):
    text = make_app(env="production").test_client().get("/styleguide").text
    assert "hc-strip" not in text


def test_a_page_with_wrong_answers_says_so_in_its_title(client):
    assert "<title>Error: Styleguide" in client.get("/styleguide?state=wrong").text
    assert "<title>Styleguide" in client.get("/styleguide").text


def test_no_page_holds_anything_inline(client):
    for state in ("", "?state=wrong"):
        text = client.get(f"/styleguide{state}").text
        assert "<style" not in text
        assert " style=" not in text
        assert " onclick=" not in text
        assert text.count("<script") == text.count('<script type="module" src="/static/') == 1


def test_a_service_without_its_styles_does_not_start(monkeypatch, tmp_path):
    monkeypatch.setattr(pages, "files", lambda _package: tmp_path)
    with pytest.raises(NotReady, match="make front"):
        pages.init_pages(Flask("healthcert"), Settings.from_env({}))
