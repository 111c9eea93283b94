"""Entry rules: read, chosen, judged."""

from datetime import UTC, date, datetime, timedelta

import pytest

from healthcert.errors import RuleError
from healthcert.policy.arrival import Selection, judge, select
from healthcert.policy.rules import read_rule

NOW = datetime(2026, 6, 15, 10, tzinfo=UTC)
FIRST_DOSE = "2026-06-10"


def eu_rule(**members):
    """Return a rule in EU form: a vaccination at least 14 days ago, unless told otherwise."""
    return {
        "Identifier": "VR-XX-0001",
        "Type": "Acceptance",
        "Country": "XX",
        "Version": "1.0.0",
        "SchemaVersion": "1.0.0",
        "Engine": "CERTLOGIC",
        "EngineVersion": "0.7.5",
        "CertificateType": "Vaccination",
        "Description": [
            {"lang": "en", "desc": "The last dose is at least 14 days old."},
            {"lang": "fr", "desc": "La dernière dose date d'au moins 14 jours."},
        ],
        "ValidFrom": "2026-01-01T00:00:00Z",
        "ValidTo": "2030-01-01T00:00:00Z",
        "AffectedFields": ["v.0", "v.0.dt"],
        "Logic": since("not-before", 14),
        **members,
    }


def since(order, days):
    return {
        order: [
            {"plusTime": [{"var": "external.validationClock"}, 0, "day"]},
            {"plusTime": [{"var": "payload.v.0.dt"}, days, "day"]},
        ]
    }


def rule(**members):
    return read_rule(eu_rule(**members))


def judged(of, at=NOW, language="en", external=None, dt=FIRST_DOSE):
    return judge([of], {"v": [{"dt": dt}]}, external or {}, at=at, language=language)[0]


def chosen(*rules, country="XX", issuer="YY", kind="v", at=NOW, region=""):
    return select(rules, country=country, issuer=issuer, kind=kind, at=at, region=region)


def test_a_rule_is_read_from_its_eu_form():
    read = rule(Region="NORTH", Version="1.12.3")
    assert (read.identifier, read.country, read.region) == ("VR-XX-0001", "XX", "NORTH")
    assert (read.version, read.engine, read.engine_version) == ((1, 12, 3), "CERTLOGIC", (0, 7, 5))
    assert (read.kind, read.certificate_type) == ("Acceptance", "Vaccination")
    assert read.valid_from == datetime(2026, 1, 1, tzinfo=UTC)
    assert read.affected_fields == ("v.0", "v.0.dt")
    assert "payload.v.0.dt" in read.logic.reads


WRONG = [
    ("Identifier", "VR-XX-1", "Identifier"),
    ("Identifier", 7, "Identifier"),
    ("Type", "Maybe", "Type"),
    ("Country", "xx", "Country"),
    ("Version", "1.0", "Version"),
    ("Version", "1.0." + "9" * 5_000, "Version"),
    ("SchemaVersion", "one", "SchemaVersion"),
    ("Engine", None, "Engine"),
    ("EngineVersion", "", "EngineVersion"),
    ("CertificateType", "Booster", "CertificateType"),
    ("ValidFrom", "2026-01-01", "ValidFrom"),
    ("ValidTo", "2026-19-39T00:00:00Z", "ValidTo is no time"),
    ("ValidTo", "2025-01-01T00:00:00Z", "before ValidFrom"),
    ("Region", "much too long", "Region"),
    ("AffectedFields", [], "AffectedFields"),
    ("AffectedFields", "v.0", "AffectedFields"),
    ("AffectedFields", [1], "AffectedFields"),
    ("Description", "text", "Description"),
    ("Description", ["text"], "Description"),
    ("Description", [], "English"),
    ("Description", [{"lang": "fr", "desc": "Assez long, mais en français."}], "English"),
    ("Description", [{"lang": "en", "desc": "Too short."}], "desc"),
    ("Description", [{"lang": "english", "desc": "Long enough to be a text."}], "lang"),
    ("Description", [{}], "lang"),
    ("Logic", True, "Logic"),
    ("Logic", {}, "Logic"),
    ("Logic", {"no": [1]}, "Logic"),
    ("Colour", "blue", "Colour"),
]


@pytest.mark.parametrize(("member", "value", "words"), WRONG)
def test_a_rule_with_a_wrong_member_is_refused_by_name(member, value, words):
    with pytest.raises(RuleError, match=words):
        read_rule(eu_rule(**{member: value}))


def test_a_rule_lacking_members_is_refused_by_name():
    whole = eu_rule()
    del whole["Logic"], whole["Country"]
    with pytest.raises(RuleError, match="Country, Logic"):
        read_rule(whole)


@pytest.mark.parametrize("entry", [{"lang": "en"}, {"desc": "A rule without its language."}])
def test_a_text_has_a_language_and_words(entry):
    with pytest.raises(RuleError):
        rule(Description=[eu_rule()["Description"][0], entry])


def test_what_is_no_object_is_no_rule():
    with pytest.raises(RuleError, match="object"):
        read_rule(["rule"])


def test_the_text_is_in_the_readers_language_or_english():
    assert rule().text("fr").startswith("La dernière")
    assert rule().text("fr-BE").startswith("La dernière")
    assert rule().text("ar").startswith("The last")


def test_the_country_of_arrival_accepts_and_the_issuer_invalidates():
    mine = rule()
    theirs = rule(Identifier="IR-YY-0001", Type="Invalidation", Country="YY")
    not_asked = (
        rule(Country="YY"),
        rule(Identifier="IR-XX-0001", Type="Invalidation"),
        rule(Identifier="VR-ZZ-0001", Country="ZZ"),
    )
    assert chosen(*not_asked, theirs, mine).rules == (mine, theirs)
    assert chosen(*not_asked, mine, theirs, issuer=None).rules == (mine,)


def test_a_region_of_the_issuer_is_not_the_region_of_arrival():
    regional = rule(Identifier="IR-YY-0001", Type="Invalidation", Country="YY", Region="NORTH")
    assert chosen(regional, region="NORTH").rules == ()


def test_rules_are_of_the_kind_or_general():
    general = rule(Identifier="GR-XX-0001", CertificateType="General")
    vaccination, test, recovery = (
        rule(Identifier=f"{kind[0]}R-XX-0001", CertificateType=kind)
        for kind in ("Vaccination", "Test", "Recovery")
    )
    every = (general, vaccination, test, recovery)
    assert chosen(*every, kind="v").rules == (general, vaccination)
    assert chosen(*every, kind="t").rules == (general, test)
    assert chosen(*every, kind="r").rules == (general, recovery)


def test_the_newest_version_in_force_holds():
    old, new = rule(Version="1.9.0"), rule(Version="1.10.0")
    coming = rule(Version="2.0.0", ValidFrom="2026-07-01T00:00:00Z")
    assert chosen(new, old, coming).rules == (new,)
    assert chosen(new, old, coming, at=datetime(2026, 7, 1, tzinfo=UTC)).rules == (coming,)


def test_both_ends_of_a_rules_time_belong_to_it():
    mine = rule()
    for at in (mine.valid_from, mine.valid_to):
        assert chosen(mine, at=at).rules == (mine,)
    for at in (mine.valid_from - timedelta(seconds=1), mine.valid_to + timedelta(seconds=1)):
        assert chosen(mine, at=at) == Selection((), no_requirement=True)


def test_a_region_has_the_countrys_rules_and_its_own_instead():
    country, other = rule(Version="3.0.0"), rule(Identifier="VR-XX-0002")
    north, south = rule(Region="NORTH"), rule(Region="SOUTH")
    every = (south, north, other, country)
    assert chosen(*every).rules == (country, other)
    assert chosen(*every, region="NORTH").rules == (north, other)
    assert chosen(*every, region="WEST").rules == (country, other)


def test_no_requirement_is_an_answer_of_its_own():
    of_others = rule(Country="YY")
    issuers = rule(Identifier="IR-YY-0001", Type="Invalidation", Country="YY")
    assert chosen(of_others, issuers) == Selection((issuers,), no_requirement=True)
    assert chosen(rule(), kind="t") == Selection((), no_requirement=False)


def test_a_rule_passes_and_says_what_it_looked_at():
    found = judged(rule(), dt="2026-06-01")
    assert (found.identifier, found.result, found.passes_on) == ("VR-XX-0001", "passed", None)
    assert found.looked_at == {"v.0": {"dt": "2026-06-01"}, "v.0.dt": "2026-06-01"}
    assert judged(rule(), language="fr").text.startswith("La dernière")


@pytest.mark.parametrize("group", ["é" * 80, "é" * 81, "K" * 9_000, 5, None, [], {}])
def test_what_a_rule_should_look_at_need_not_be_there(group):
    [found] = judge([rule(AffectedFields=["v.0.dt", "v.0.0"])], {"v": group}, {}, at=NOW)
    assert found.result in {"failed", "open"}
    assert set(found.looked_at) == {"v.0.dt", "v.0.0"}
    assert found.looked_at["v.0.dt"] is None


def test_a_failed_rule_says_on_which_day_it_would_pass():
    found = judged(rule())
    assert (found.result, found.passes_on) == ("failed", date(2026, 6, 24))


def test_a_window_that_opens_later_is_found():
    window = {"and": [since("not-before", 380), since("not-after", 380)]}
    first = datetime(2026, 6, 10, tzinfo=UTC) + timedelta(days=380)
    assert judged(rule(Logic=window), at=NOW.replace(hour=0)).passes_on == first.date()


def test_a_rule_may_pass_tomorrow_and_in_400_days_and_no_later():
    midnight = NOW.replace(hour=0)
    for days, answer in [(1, 1), (399, 399), (400, 400), (401, None)]:
        since_then = (midnight - timedelta(days=1)).date().isoformat()
        found = judged(rule(Logic=since("not-before", days + 1)), at=midnight, dt=since_then)
        assert found.passes_on == (answer and (midnight + timedelta(days=answer)).date())


@pytest.mark.parametrize(("path", "inner"), [("", "external."), ("external", "")])
def test_the_clock_may_be_read_within_a_larger_part(path, inner):
    today = {"plusTime": [{"var": f"current.{inner}validationClock"}, 0, "day"]}
    late = {"not-before": [today, {"plusTime": [FIRST_DOSE, 14, "day"]}]}
    found = judged(rule(Logic={"reduce": [[{"var": path}], late, False]}))
    assert (found.result, found.passes_on) == ("failed", date(2026, 6, 24))


def test_a_rule_for_the_newest_versions_known_is_understood():
    newest = rule(EngineVersion="1.3.3", SchemaVersion="1.3.3")
    assert judged(newest, dt="2026-06-01").result == "passed"
    for newer in ({"EngineVersion": "1.3.4"}, {"SchemaVersion": "1.3.4"}):
        assert judged(rule(**newer), dt="2026-06-01").result == "open"


def test_what_never_passes_has_no_day():
    assert judged(rule(Logic=since("not-after", 1))).passes_on is None
    assert judged(rule(Logic=since("not-before", 500))).passes_on is None
    assert judged(rule(Logic={"===": [{"var": "payload.v.0.dt"}, "x"]})).passes_on is None


def test_a_rule_that_ends_before_it_would_pass_has_no_day():
    assert judged(rule(ValidTo="2026-06-20T00:00:00Z")).passes_on is None


def test_the_end_of_the_calendar_is_no_obstacle():
    last = datetime(9999, 12, 31, 23, tzinfo=UTC)
    found = judged(rule(ValidTo="9999-12-31T23:59:59Z"), at=last, dt="9999-12-30")
    assert (found.result, found.passes_on) == ("failed", None)


def test_the_search_for_a_day_is_bounded_in_steps():
    turns = {"reduce": [{"var": "external.list"}, {"+": [{"var": "accumulator"}, 1]}, 0]}
    late = since("not-before", 300)
    logic = {"and": [{"if": [turns, True, False]}, late]}
    assert judged(rule(Logic=logic), external={"list": [1]}).passes_on is not None
    assert judged(rule(Logic=logic), external={"list": [1] * 5_000}).passes_on is None


@pytest.mark.parametrize("path", ["", "external", "external.validationClock.x"])
def test_whoever_reads_the_clock_in_any_way_may_pass_later(path):
    logic = {"and": [{"if": [{"var": path}, True, True]}, since("not-before", 14)]}
    assert judged(rule(Logic=logic)).passes_on == date(2026, 6, 24)


def test_an_error_leaves_a_rule_open():
    found = judged(rule(), dt=5)
    assert (found.result, found.passes_on) == ("open", None)


def test_what_is_not_true_has_not_passed():
    assert judged(rule(Logic={"and": [True, 1]})).result == "failed"


@pytest.mark.parametrize(
    "members",
    [{"Engine": "OTHER"}, {"EngineVersion": "1.4.0"}, {"SchemaVersion": "2.0.0"}],
)
def test_a_rule_we_do_not_understand_stays_open(members):
    found = judged(rule(**members), dt="2026-06-01")
    assert (found.result, found.passes_on) == ("open", None)


def test_rules_read_value_sets_and_the_clock_given():
    logic = {"in": [{"var": "external.validationClock"}, {"var": "external.valueSets.clocks"}]}
    external = {"valueSets": {"clocks": ["2026-06-15T10:00:00.000Z"]}, "validationClock": "x"}
    assert judged(rule(Logic=logic), external=external).result == "passed"
