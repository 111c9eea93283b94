"""Verdicts: every row of the table, which row weighs more, and what is shown."""

from __future__ import annotations

import zlib
from base64 import b64encode
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import cbor2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from healthcert import i18n
from healthcert.hcert.cose import ES256, parse, sign1
from healthcert.hcert.payload import OTHER_KINDS
from healthcert.hcert.revocation import (
    RevocationList,
    country_uvci_hash,
    signature_hash,
    uvci_hash,
)
from healthcert.hcert.text import b45encode, decode, encode
from healthcert.hcert.trust import TrustList
from healthcert.policy.entry import judge
from healthcert.policy.rulebook import Journey, RuleBook
from healthcert.policy.verdict import REASONS, VERDICT_OF, VERDICTS
from tests.certificates import NOW, UVCI, make_dcc, make_text
from tests.policy.test_rules import eu_rule

DAY = timedelta(days=1)


def judged(text, bundle, **asked):
    """Return the outcome and the reasons of a verdict at NOW, unless another time is asked for."""
    verdict = judge(text, bundle=bundle, **({"time": NOW} | asked))
    return verdict.outcome, list(verdict.reasons)


def signed_by(signer, payload):
    """Return the text of any payload under a good signature."""
    signed = sign1(payload, kid=signer.kid, algorithm=ES256, sign=signer.sign)
    return encode(signed)


def claims(dcc, **changes):
    """Return CWT claims in force at NOW; a change to None takes a claim away."""
    seconds = int(NOW.timestamp())
    found = {"iss": "XX", "exp": seconds + 3600, "iat": seconds - 3600, "hcert": {1: dcc}} | changes
    numbers = {"iss": 1, "exp": 4, "iat": 6, "hcert": -260}
    return cbor2.dumps({numbers[name]: value for name, value in found.items() if value is not None})


def trusting(bundle, **changes):
    """Return the bundle with every key changed."""
    return replace(bundle, trust=TrustList(replace(key, **changes) for key in bundle.trust))


def revoking(bundle, kind, found):
    return replace(bundle, revocation=RevocationList.of(["XX"], [("XX", kind, found)]))


@pytest.mark.parametrize("kind", "vtr")
def test_a_genuine_certificate_in_force_is_valid(signers, bundle, kind):
    assert judged(make_text(signers[kind]), bundle) == ("valid", [])


COMPRESSED = zlib.compress(b"\xd2\x84")
MALFORMED = {
    "not_a_certificate": "https://example.org/menu",
    "malformed_prefix": "HC2:6BF",
    "malformed_base45": "HC1:!!",
    "malformed_zlib": "HC1:" + b45encode(b"no zlib"),
    "malformed_cbor": "HC1:" + b45encode(COMPRESSED),
    "malformed_cose": "HC1:" + b45encode(zlib.compress(b"\x01")),
}


@pytest.mark.parametrize(("code", "text"), MALFORMED.items())
def test_what_cannot_be_read_is_invalid_with_or_without_a_bundle(bundle, code, text):
    for known in (bundle, None):
        assert judged(text, known) == ("invalid", [code])


def test_without_a_bundle_nobody_can_tell(signers):
    verdict = judge(make_text(signers["v"]), bundle=None, time=NOW)
    assert (verdict.outcome, verdict.reasons) == ("cannot_tell", ("no_bundle",))
    assert verdict.as_json()["bundle"] is None


def test_an_unknown_issuer_cannot_be_told(signers, bundle):
    stranger = replace(bundle, trust=TrustList())
    assert judged(make_text(signers["v"]), stranger) == ("cannot_tell", ["unknown_issuer"])


def test_a_changed_signature_is_invalid(signers, bundle):
    message = bytearray(decode(make_text(signers["v"])))
    message[-1] ^= 1
    text = encode(bytes(message))
    assert judged(text, bundle) == ("invalid", ["bad_signature"])
    shown = judge(text, bundle=bundle, time=NOW).as_json()
    assert shown["holder"] is shown["certificate"] is None
    assert shown["issuer"]["country"] == "XX"


def test_of_several_keys_with_one_identifier_the_one_that_fits_counts(signers, bundle):
    keys = list(bundle.trust)
    wrong = [replace(keys[0], key=other.key, name="wrong") for other in keys[1:]]
    text = make_text(next(signer for signer in signers.values() if signer.kid == keys[0].kid))
    verdict = judge(text, bundle=replace(bundle, trust=TrustList([*wrong, keys[0]])), time=NOW)
    assert verdict.outcome == "valid"
    assert verdict.issuer == keys[0]


@pytest.mark.parametrize(
    "payload",
    [
        cbor2.dumps([1, 2]),
        cbor2.dumps({1: "XX", 4: "tomorrow", 6: 0, -260: {1: {}}}),
        claims(b"bytes"),
        claims(make_dcc(), exp=None),
    ],
    ids=["no map", "a time in words", "a certificate in bytes", "no end"],
)
def test_signed_contents_that_are_no_claims_are_invalid(signers, bundle, payload):
    assert judged(signed_by(signers["v"], payload), bundle) == ("invalid", ["malformed_claims"])


@pytest.mark.parametrize("dcc", [make_dcc(dn="two"), make_dcc() | {"v": []}, {"ver": "1.3.3"}, {}])
def test_signed_contents_that_break_the_schema_are_invalid_and_shown(signers, bundle, dcc):
    text = signed_by(signers["v"], claims(dcc))
    assert judged(text, bundle) == ("invalid", ["schema"])
    assert judge(text, bundle=bundle, time=NOW).as_json()["certificate"] == dcc


def test_a_key_for_tests_does_not_make_a_vaccination_valid(signers, bundle):
    text = signed_by(signers["t"], claims(make_dcc("v")))
    assert judged(text, bundle) == ("invalid", ["wrong_key_usage"])


def test_each_group_of_a_certificate_that_has_several_must_be_allowed(signers, bundle):
    text = signed_by(signers["v"], claims(make_dcc("v") | make_dcc("t")))
    assert judged(text, bundle) == ("invalid", ["schema", "wrong_key_usage"])


def test_a_key_without_a_stated_purpose_may_sign_any_kind(signers, bundle):
    text = signed_by(signers["t"], claims(make_dcc("v")))
    assert judged(text, trusting(bundle, usages=frozenset())) == ("valid", [])


def test_a_practice_certificate_is_never_valid(signers, bundle):
    assert judged(make_text(signers["v"]), trusting(bundle, training=True)) == (
        "invalid",
        ["training"],
    )


def test_each_kind_of_hash_revokes(signers, bundle):
    text = make_text(signers["v"])
    for kind, found in (
        ("uvci", uvci_hash(UVCI)),
        ("country_uvci", country_uvci_hash("XX", UVCI)),
        ("signature", signature_hash(parse(decode(text)))),
    ):
        assert judged(text, revoking(bundle, kind, found)) == ("invalid", ["revoked"])


def test_a_second_entry_is_looked_up_too(signers, bundle):
    dcc = make_dcc(ci="URN:UVCI:01:XX:FIRST") | {"ver": "1.0.0"}
    dcc["v"] = [dcc["v"][0], *make_dcc()["v"]]
    text = signed_by(signers["v"], claims(dcc))
    assert judged(text, bundle) == ("valid", [])
    assert judged(text, revoking(bundle, "uvci", uvci_hash(UVCI))) == ("invalid", ["revoked"])


def test_a_signed_document_of_another_kind_is_not_understood(signers, bundle):
    text = signed_by(signers["v"], claims(None, hcert={2: {}}))
    assert judged(text, bundle) == ("cannot_tell", ["not_understood"])


@pytest.mark.parametrize("number", sorted(OTHER_KINDS))
def test_what_the_who_adds_beside_the_eus_certificate_is_signed_but_not_understood(
    signers, bundle, number
):
    text = signed_by(signers["v"], claims(None, hcert={number: {"name": "Zoë"}}))
    assert judged(text, bundle) == ("cannot_tell", ["not_understood"])
    shown = judge(text, bundle=bundle, time=NOW).as_json()
    assert shown["holder"] is shown["certificate"] is None
    assert shown["issuer"]["country"] == "XX"
    both = signed_by(signers["v"], claims(None, hcert={number: {}, 1: make_dcc()}))
    assert judged(both, bundle) == ("valid", [])


def test_a_document_of_another_kind_that_is_out_of_date_is_told_to_be_so(signers, bundle):
    text = signed_by(signers["v"], claims(None, hcert={3: {}}))
    late = judged(text, bundle, time=NOW + DAY)
    assert late == ("cannot_tell", ["not_understood", "expired"])


def test_a_practice_or_revoked_document_of_another_kind_is_invalid(signers, bundle):
    text = signed_by(signers["v"], claims(None, hcert={2: {}}))
    assert judged(text, trusting(bundle, training=True))[1] == ["training", "not_understood"]
    taken_back = revoking(bundle, "signature", signature_hash(parse(decode(text))))
    assert judged(text, taken_back) == ("invalid", ["revoked", "not_understood"])


def test_both_ends_of_its_time_belong_to_it(signers, bundle):
    fresh = replace(bundle, issued=NOW - DAY)
    text = make_text(signers["v"], issued=NOW, expires=NOW + DAY)
    second = timedelta(seconds=1)
    assert judged(text, fresh, time=NOW - second) == ("check", ["not_yet_valid"])
    assert judged(text, fresh, time=NOW) == ("valid", [])
    assert judged(text, fresh, time=NOW + DAY) == ("valid", [])
    assert judged(text, fresh, time=NOW + DAY + second) == ("expired", ["expired"])


def test_a_time_in_fractions_is_read_and_a_missing_begin_is_no_fault(signers, bundle):
    seconds = NOW.timestamp()
    later = signed_by(signers["v"], claims(make_dcc(), iat=seconds + 0.5))
    assert judged(later, bundle)[0] == "check"
    assert judged(later, bundle, time=NOW + timedelta(seconds=0.5))[0] == "valid"
    assert judged(signed_by(signers["v"], claims(make_dcc(), iat=None)), bundle)[0] == "valid"


def test_a_clock_that_was_set_back_does_not_bring_an_expired_certificate_back(signers, bundle):
    text = make_text(signers["v"], issued=NOW - 3 * DAY, expires=NOW - DAY)
    assert judged(text, bundle, time=NOW - 2 * DAY) == ("expired", ["expired"])
    assert judged(text, bundle, time=NOW - 2 * DAY, simulated=True) == ("valid", ["simulated"])


def test_an_issuer_whose_list_is_missing_cannot_be_told(signers, bundle):
    unknown = replace(bundle, revocation=RevocationList(frozenset(["XX"]), {}))
    assert judged(make_text(signers["v"]), unknown) == ("cannot_tell", ["revocation_missing"])


def test_an_issuer_that_publishes_nothing_is_named_and_still_valid(signers, bundle):
    silent = replace(bundle, revocation=RevocationList())
    assert judged(make_text(signers["v"]), silent) == ("valid", ["revocation_not_published"])


def test_a_bundle_supports_valid_for_72_hours(signers, bundle):
    text, last = make_text(signers["v"]), NOW + timedelta(hours=72)
    assert judged(text, bundle, time=last) == ("valid", [])
    late = last + timedelta(seconds=1)
    assert judged(text, bundle, time=late) == ("cannot_tell", ["stale_bundle"])
    assert judged(text, bundle, time=late, stale_after=4 * DAY) == ("valid", [])


def to(country, *rules):
    """Return a journey to a country under the rules given in EU form."""
    return Journey(country, RuleBook.of(rules))


def test_no_rule_of_a_country_means_no_requirement(signers, bundle):
    text = make_text(signers["v"])
    assert judged(text, bundle, journey=to("FR")) == ("valid", ["no_requirement"])
    assert judge(text, bundle=bundle, time=NOW, journey=to("FR")).as_json()["rules"] == []


def test_a_rule_that_is_met_leaves_a_certificate_valid_and_is_told(signers, bundle):
    text = make_text(signers["v"])  # its dose was given on 1 February, 29 days before
    journey = to("XX", eu_rule())
    assert judged(text, bundle, journey=journey) == ("valid", [])
    with i18n.use("fr"):
        shown = judge(text, bundle=bundle, time=NOW, journey=journey).as_json()["rules"]
    assert shown == [
        {
            "id": "VR-XX-0001",
            "result": "passed",
            "text": "La dernière dose date d'au moins 14 jours.",
            "passes_on": None,
        }
    ]


def test_a_rule_that_is_not_met_says_from_which_day_on_it_would_be(signers, bundle):
    text = make_text(signers["v"], make_dcc(dt="2026-02-27"))
    verdict = judge(text, bundle=bundle, time=NOW, journey=to("XX", eu_rule()))
    assert (verdict.outcome, verdict.reasons) == ("check", ("rules_failed",))
    assert verdict.as_json()["rules"][0]["passes_on"] == "2026-03-13"
    assert verdict.rules[0].looked_at["v.0.dt"] == "2026-02-27"
    later = judge(
        text,
        bundle=bundle,
        time=NOW + 11 * DAY,
        simulated=True,
        journey=to("XX", eu_rule()),
        stale_after=30 * DAY,
    )
    assert (later.outcome, later.reasons) == ("valid", ("simulated",))


def test_a_rule_that_cannot_be_read_is_open_and_never_passed_over(signers, bundle):
    journey = to("FR", {"Identifier": "GR-FR-0001", "Country": "FR"})
    text = make_text(signers["v"])
    verdict = judge(text, bundle=bundle, time=NOW, journey=journey)
    assert (verdict.outcome, verdict.reasons) == ("check", ("rules_open",))
    assert verdict.as_json()["rules"] == [
        {"id": "GR-FR-0001", "result": "open", "text": "", "passes_on": None}
    ]
    elsewhere = replace(journey, country="DE")
    assert judged(text, bundle, journey=elsewhere) == ("valid", ["no_requirement"])


def test_a_failed_rule_weighs_more_than_an_open_one(signers, bundle):
    text = make_text(signers["v"], make_dcc(dt="2026-02-27"))
    journey = to("XX", {"Country": "XX"}, eu_rule())
    assert judged(text, bundle, journey=journey) == ("check", ["rules_failed", "rules_open"])


def test_the_issuer_of_a_certificate_may_invalidate_it_in_any_country(signers, bundle):
    only_ones = {"===": [{"var": "payload.v.0.sd"}, 1]}
    rule = eu_rule(Identifier="IR-XX-0001", Type="Invalidation", Logic=only_ones)
    text, journey = make_text(signers["v"]), to("FR", rule)
    assert judged(text, bundle, journey=journey)[1] == ["rules_failed", "no_requirement"]
    nameless = trusting(bundle, country="")  # then the issuer that was signed counts
    codes = judged(text, nameless, journey=journey)[1]
    assert codes == ["rules_failed", "revocation_not_published", "no_requirement"]


def test_no_rule_is_asked_about_what_nobody_can_read_or_vouch_for(signers, bundle):
    journey = to("XX", eu_rule())
    signed = signed_by(signers["v"], claims({"ver": "1.3.3"}))
    for text in ("HC1:", make_text(signers["v"])[:-3], signed):
        assert judge(text, bundle=bundle, time=NOW, journey=journey).rules == ()
    another = signed_by(signers["v"], claims(None, hcert={3: {}}))
    verdict = judge(another, bundle=bundle, time=NOW, journey=journey)
    assert (verdict.outcome, verdict.rules) == ("cannot_tell", ())


def test_the_weightiest_fact_decides_and_the_others_follow_it(signers, bundle):
    text = make_text(signers["v"], issued=NOW - 2 * DAY, expires=NOW - DAY)
    found = uvci_hash(UVCI)
    late = NOW + 4 * DAY
    assert judged(text, revoking(bundle, "uvci", found)) == ("invalid", ["revoked", "expired"])
    assert judged(text, bundle, time=late) == ("expired", ["expired", "stale_bundle"])
    practice = trusting(revoking(bundle, "uvci", found), training=True)
    assert judged(text, practice)[1] == ["training", "revoked", "expired"]
    wrong = trusting(bundle, usages=frozenset("t"), training=True)
    assert judged(text, wrong)[1] == ["wrong_key_usage", "training", "expired"]


def test_a_stale_bundle_is_told_even_where_the_issuer_is_unknown(signers, bundle):
    stranger = replace(bundle, trust=TrustList())
    late = NOW + 4 * DAY
    text = make_text(signers["v"])
    assert judged(text, stranger, time=late)[1] == ["unknown_issuer", "stale_bundle"]
    assert judged("no certificate", stranger, time=late)[1] == ["not_a_certificate"]


def test_not_yet_valid_weighs_more_than_what_is_missing(signers, bundle):
    text = make_text(signers["v"], issued=NOW + DAY)
    unknown = replace(bundle, revocation=RevocationList(frozenset(["XX"]), {}))
    assert judged(text, unknown) == ("check", ["not_yet_valid", "revocation_missing"])


def test_every_member_of_the_answer_is_there(signers, bundle):
    signer = signers["v"]
    whole = judge(make_text(signer), bundle=bundle, time=NOW + DAY).as_json()
    assert whole == {
        "verdict": "valid",
        "reasons": [],
        "holder": {
            "name": "Zoë Müller",
            "standard_name": "MUELLER<<ZOE",
            "birth_date": "1990-05-17",
        },
        "certificate": make_dcc(),
        "issuer": {
            "country": "XX",
            "kid": b64encode(signer.kid).decode(),
            "name": "DEVELOPMENT signer, vaccination",
        },
        "rules": [],
        "bundle": {"version": 1, "issued": "2026-03-02T12:00:00Z", "age_hours": 24.0},
    }
    nothing = judge("nothing", bundle=None, time=NOW).as_json()
    assert nothing.keys() == whole.keys()
    assert [nothing[name] for name in ("holder", "certificate", "issuer", "bundle")] == [None] * 4


def test_a_reason_is_a_code_and_words_and_an_age_has_two_decimals(bundle):
    told = judge("nothing", bundle=None, time=NOW).as_json()
    [reason] = told["reasons"]
    assert reason.keys() == {"code", "message"}
    assert reason["code"] == "not_a_certificate"
    later = judge("nothing", bundle=bundle, time=NOW + timedelta(seconds=1_000)).as_json()
    assert later["bundle"]["age_hours"] == 0.28


def test_a_minimal_answer_leaves_the_person_out(signers, bundle):
    verdict = judge(make_text(signers["v"]), bundle=bundle, time=NOW)
    whole, minimal = verdict.as_json(), verdict.as_json("minimal")
    assert minimal == whole | {"holder": None, "certificate": None}


@pytest.mark.parametrize(
    ("names", "shown"),
    [
        ({"fnt": "TAN"}, ("TAN", "TAN")),
        ({"fnt": "TAN", "gnt": "CHEN"}, ("CHEN TAN", "TAN<<CHEN")),
        ({"fn": "Tan", "fnt": "TAN"}, ("Tan", "TAN")),
        ({"gn": None, "fn": "Tan", "fnt": "TAN"}, ("Tan", "TAN")),
    ],
)
def test_a_holder_with_one_name_is_shown_as_well(signers, bundle, names, shown):
    text = signed_by(signers["v"], claims(make_dcc() | {"nam": names}))
    holder = judge(text, bundle=bundle, time=NOW).as_json()["holder"]
    assert (holder["name"], holder["standard_name"]) == shown


def test_a_certificate_without_a_person_has_no_holder(signers, bundle):
    text = signed_by(signers["v"], claims({"ver": "1.3.3"}))
    assert judge(text, bundle=bundle, time=NOW).as_json()["holder"] is None


def test_every_reason_has_words_and_every_verdict_too():
    informing = {"revocation_not_published", "no_requirement", "simulated"}
    assert REASONS.keys() - VERDICT_OF.keys() == informing
    assert VERDICT_OF.keys() <= REASONS.keys()
    assert VERDICTS.keys() == {"valid", *VERDICT_OF.values()}
    with i18n.use("en"):
        sentences = [str(words) for words in REASONS.values()]
    assert all(sentence.endswith(".") for sentence in sentences)
    assert len(set(sentences)) == len(sentences)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(
    text=st.one_of(
        st.text(max_size=200),
        st.binary(max_size=200).map(lambda data: "HC1:" + b45encode(data)),
        st.binary(max_size=200).map(lambda data: "HC1:" + b45encode(zlib.compress(data))),
    )
)
def test_any_text_gets_a_verdict_and_a_strangers_is_never_valid(bundle, text):
    outcome, reasons = judged(text, bundle)
    assert outcome in {"invalid", "cannot_tell"}
    assert reasons


CBOR = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=12,
)


@pytest.mark.walk
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
@given(hcert=CBOR, exp=CBOR, member=st.sampled_from(["nam", "dob", "ver", "v"]))
def test_whatever_a_trusted_signer_signs_gets_a_verdict(signers, bundle, hcert, exp, member):
    for payload in (
        claims(None, hcert=hcert, exp=exp),
        claims(hcert),
        claims(make_dcc() | {member: hcert}),
    ):
        verdict = judge(signed_by(signers["v"], payload), bundle=bundle, time=NOW)
        assert verdict.as_json()["verdict"] in VERDICTS


def test_the_time_may_be_given_in_any_zone(signers, bundle):
    zone = datetime(2026, 3, 2, 20, tzinfo=UTC).astimezone()
    assert judged(make_text(signers["v"]), bundle, time=zone)[0] == "valid"
