"""The public check with a country of arrival: its rules, what they looked at, when they are met."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from healthcert.hcert.bundle import write
from healthcert.hcert.cose import ES256, sign1
from healthcert.hcert.cwt import write_claims
from healthcert.hcert.text import encode
from healthcert.services.keys import load_bundle_signer, read_secret
from healthcert.services.rules import held
from healthcert.verifier import create_verifier_app
from tests.certificates import NOW, make_dcc, make_text
from tests.policy.test_rules import eu_rule
from tests.web.conftest import WholeAnswers


@pytest.fixture
def visitor(settings, bundle, tmp_path):
    """Return what opens the verifier over a bundle of these rules, by default the demo's."""
    private = settings.keys_dir / settings.env
    signer = load_bundle_signer(private, read_secret(private / "secret"))

    def visitor(*rules):
        ruled = replace(bundle, rules=rules or held(tmp_path / "none", "XX"))
        settings.bundle.parent.mkdir(exist_ok=True)
        settings.bundle.write_bytes(write(ruled, kid=signer.kid, sign=signer.sign))
        app = create_verifier_app(settings, clock=lambda: NOW, floor=lambda: NOW)
        app.test_client_class = WholeAnswers
        return app.test_client()

    return visitor


@pytest.fixture
def recent(signers):
    """Return a certificate of a second dose five days ago."""
    return make_text(signers["v"], make_dcc(dt="2026-02-25"))


def day(value):
    return {"day": [str(value.day), str(value.month), str(value.year)]}


def check(client, text, language="en", **asked):
    return client.post(f"/verify?lang={language}", data={"barcode": text} | asked)


def test_the_countries_whose_rules_we_have_are_offered_by_name(visitor):
    client = visitor(eu_rule(), eu_rule(Identifier="VR-FR-0001", Country="FR"))
    page = client.get("/verify?lang=fr").text
    assert '<option value="FR">France</option>' in page
    assert '<option value="XX">Pays de démonstration</option>' in page
    assert "Allemagne" not in page
    assert "فرنسا" in client.get("/verify?lang=ar").text


def test_without_a_country_nothing_is_said_of_rules(visitor, recent):
    answer = check(visitor(), recent, country="")
    assert "Entry rules" not in answer.text
    assert "Valid" in answer.text


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", ("Entry rules: Demonstration country", "Not met", "11 March 2026", "Given on")),
        ("fr", ("Pays de démonstration", "Non remplie", "11 mars 2026", "Toutes les doses")),
        ("ar", ("البلد التجريبي", "غير مستوفاة", "مارس", "أُعطيت جميع جرعات")),
    ],
)
def test_a_rule_is_told_with_what_it_looked_at_and_when_it_is_met(visitor, recent, language, words):
    answer = check(visitor(), recent, language, country="xx")
    assert answer.status_code == 200
    for word in (*words, "2026-02-25", "VR-XX-0001"):
        assert word in answer.text


def test_would_it_be_accepted_on_a_later_day(visitor, recent):
    client = visitor()
    met = NOW + timedelta(days=9)
    assert "Not met" in check(client, recent, country="XX", **day(met - timedelta(days=1))).text
    answer = check(client, recent, country="XX", **day(met))
    assert "Not met" not in answer.text
    assert "genuine and in force" in answer.text
    assert "given by hand" in answer.text


def test_a_bundle_too_old_by_now_foresees_nothing(visitor, recent, settings):
    visitor()
    late = NOW + timedelta(days=4)
    client = create_verifier_app(settings, clock=lambda: late, floor=lambda: late).test_client()
    asked = {"barcode": recent, "country": "XX"} | day(NOW)
    assert "too old" in client.post("/verify?lang=en", data=asked).text


def test_what_is_in_no_rule_and_what_is_not_stated_are_told_too(visitor, signers):
    rule = eu_rule(AffectedFields=["dob", "v.0", "v.0.nm", "v.0.xx", "nam.fnt", "v.0.tg", "v.0.mp"])
    text = make_text(signers["v"])
    page = check(visitor(rule), text, country="XX").text
    for words in ("Met", "Date of birth", "Not stated", "nam.fnt", "COVID-19", "Comirnaty"):
        assert words in page
    assert "v.0.xx" not in page


def test_a_rule_that_cannot_be_read_or_is_never_met_is_told_so(visitor, recent):
    never = eu_rule(Logic={"===": [{"var": "payload.v.0.sd"}, 7]})
    page = check(visitor({"Country": "XX"}, never), recent, country="XX").text
    for words in ("Could not be checked", "Ask somebody", "No day is near", "An entry rule is not"):
        assert words in page


def test_a_kind_that_no_rule_is_about_and_a_country_without_rules_are_told(visitor, signers):
    client = visitor(eu_rule())
    test = make_text(signers["t"])
    for country in ("XX", "FR"):
        assert "No rule asks anything" in check(client, test, country=country).text
    assert "No entry requirement is in force" in check(client, test, country="FR").text


@pytest.mark.parametrize("kind", "tr")
def test_tests_and_recoveries_are_shown_in_words(visitor, signers, kind):
    page = check(visitor(), make_text(signers[kind])).text
    words = {"t": ("Nucleic acid test", "Not detected"), "r": ("First positive test", "2026-01-01")}
    for word in words[kind]:
        assert word in page


@pytest.mark.parametrize(("speaks", "word"), [("fr", "Non détecté"), ("ar", "لم يتم الكشف عنه")])
def test_the_words_of_codes_are_in_the_language_of_the_page(visitor, signers, speaks, word):
    asked = {"barcode": make_text(signers["t"])}
    assert word in visitor().post(f"/verify?lang={speaks}", data=asked).text


def test_what_a_certificate_leaves_out_or_states_wrongly_is_no_obstacle(visitor, signers):
    dcc = make_dcc("t", tc=None, tr=["260415000"], tt={})
    seconds = int(NOW.timestamp())
    times = {"issued_at": seconds, "expires_at": seconds}
    payload = write_claims(issuer="XX", dcc=dcc, **times)
    signer = signers["t"]
    text = encode(sign1(payload, kid=signer.kid, algorithm=ES256, sign=signer.sign))
    page = check(visitor(), text, country="XX").text
    assert "Not valid" in page
    assert "Test centre" not in page


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"country": "France"}, "Country of arrival: choose a country"),
        ({"day": ["30", "2", "2026"]}, "There is no such day"),
    ],
)
def test_what_cannot_be_meant_is_asked_again_and_the_text_is_kept(visitor, recent, asked, words):
    answer = check(visitor(), recent, **asked)
    assert answer.status_code == 400
    assert words in answer.text
    assert recent[:20] in answer.text


def test_programs_get_the_rules_as_agreed(visitor, recent):
    asked = {"barcode": recent, "country": "XX"}
    client = visitor()
    answer = client.post("/api/v1/verify", json=asked, headers={"Accept-Language": "fr"}).json
    assert answer["verdict"] == "check"
    (rule,) = answer["rules"]
    assert rule.pop("text").startswith("Toutes les doses de la série")
    assert rule == {"id": "VR-XX-0001", "result": "failed", "passes_on": "2026-03-11"}
    later = client.post("/api/v1/verify", json=asked | {"at": "2026-03-11T12:00:00Z"}).json
    assert [rule["result"] for rule in later["rules"]] == ["passed"]
