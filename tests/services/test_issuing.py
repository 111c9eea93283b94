"""Certificates: an intent outlives any crash, and only a counted dose is ever signed."""

from __future__ import annotations

from datetime import timedelta

import pytest

from healthcert.errors import NotFound, SignerUnavailable, WrongState
from healthcert.hcert import cose, cwt, payload, text
from healthcert.hcert.revocation import country_uvci_hash, signature_hash, uvci_hash
from healthcert.hcert.trust import from_certificate
from healthcert.models import Certificate, SigningKey, new_id
from healthcert.services import holding, issuing, signing_keys
from tests.factories import NOW, TODAY, day
from tests.services.clinic import details
from tests.threads import at_once


def by_kid(signers):
    return {each.kid: each for each in signers.values()}


def held(clinic, certificate) -> holding.Held:
    with clinic.doors.reading() as db:
        return holding.certificate_text(
            db,
            vault=clinic.vault,
            person_id=certificate.person_id,
            certificate_id=certificate.id,
        )


def read(barcode, signers) -> tuple[cwt.Claims, dict]:
    key = from_certificate(signers["v"].certificate)
    signed = cose.verify1(text.decode(barcode), keys={key.kid: [key.key]})
    claims = cwt.read_claims(signed)
    return claims, payload.dcc_of(claims)


def test_what_is_issued_states_the_dose_and_verifies(clinic, signers):
    clinic.lot()
    dose = clinic.vaccinated(day(-1), details())
    [certificate] = clinic.issue(signers)
    claims, dcc = read(held(clinic, certificate).text, signers)
    assert payload.schema_faults(dcc) == []
    assert dcc["nam"] == {"fn": "الكناري", "fnt": "KANARI", "gn": "كنارية", "gnt": "KANARIYA"}
    assert dcc["dob"] == "1980-05-17"
    [entry] = dcc["v"]
    assert (entry["dn"], entry["sd"], entry["dt"]) == (1, 2, dose.given_on.isoformat())
    assert (entry["co"], entry["ci"], claims.issuer) == ("XX", certificate.uvci, "XX")
    assert claims.issued_at == int(NOW.timestamp())


def test_the_hashes_kept_are_those_that_a_revocation_names(clinic, signers):
    clinic.lot()
    clinic.vaccinated(day(-1), details())
    [certificate] = clinic.issue(signers)
    signed = cose.parse(text.decode(held(clinic, certificate).text))
    assert certificate.signature_hash == signature_hash(signed)
    assert certificate.uvci_hash == uvci_hash(certificate.uvci)
    assert certificate.country_uvci_hash == country_uvci_hash("XX", certificate.uvci)
    assert certificate.kid == signed.kid


def test_a_name_without_latin_spelling_is_transliterated(clinic, signers):
    clinic.lot()
    clinic.vaccinated(day(-1), details(family_latin="", given_latin="", given=""))
    [certificate] = clinic.issue(signers)
    _, dcc = read(held(clinic, certificate).text, signers)
    assert dcc["nam"]["fnt"].isascii()
    assert dcc["nam"]["fnt"].isupper()
    assert "gn" not in dcc["nam"]
    assert "gnt" not in dcc["nam"]


def test_without_a_key_the_intent_stays_and_is_signed_later(clinic, signers):
    clinic.lot()
    dose = clinic.vaccinated(day(-1), details())
    for keys in ({}, {"t": signers["t"]}):
        with pytest.raises(SignerUnavailable):
            clinic.issue(keys)
    [certificate] = clinic.certificates(dose)
    assert certificate.state == "intended"
    with pytest.raises(WrongState):
        held(clinic, certificate)
    assert [each.state for each in clinic.issue(signers)] == ["issued"]


def test_a_crash_after_the_intent_loses_nothing_and_after_the_signature_doubles_nothing(
    clinic, signers
):
    clinic.lot()
    dose = clinic.vaccinated(day(-1), details())
    [intent] = clinic.certificates(dose)

    def crash(db) -> None:
        issuing.issue_all(
            db, vault=clinic.vault, signers=by_kid(signers), certificate_ids=[intent.id],
            country=clinic.country, now=NOW,
        )  # fmt: skip
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        clinic.doors.run(crash)
    assert [each.state for each in clinic.certificates(dose)] == ["intended"]
    [issued] = clinic.issue(signers)
    assert (issued.id, issued.uvci) == (intent.id, intent.uvci)
    assert clinic.issue(signers) == []


def test_eight_who_sign_the_same_intent_give_one_text(clinic, signers):
    clinic.lot()
    dose = clinic.vaccinated(day(-1), details())
    [intent] = clinic.certificates(dose)
    came_of_it = at_once(8, lambda _: clinic.signed(signers, [intent.id])[0].sealed)
    assert len(set(came_of_it)) == 1
    assert isinstance(came_of_it[0], bytes)


def key_of(db, signer) -> SigningKey:
    return db.get_one(SigningKey, signer.kid)


def test_a_certificate_never_outlives_its_signer(clinic, signers):
    with clinic.doors.reading() as db:
        end = key_of(db, signers["v"]).not_after
    late = end - timedelta(days=10)
    clinic.lot(expires_on=end.date())
    clinic.vaccinated(late.date() - timedelta(days=1), details())
    [certificate] = clinic.issue(signers, late)
    assert certificate.expires_at == end


@pytest.mark.parametrize("name", ["not_before", "signs_until"])
def test_a_key_outside_its_time_signs_nothing(clinic, signers, name):
    clinic.lot()
    clinic.vaccinated(day(-1), details())
    with clinic.doors.reading() as db:
        edge = getattr(key_of(db, signers["v"]), name)
    outside = edge - timedelta(seconds=1) if name == "not_before" else edge
    with pytest.raises(SignerUnavailable):
        clinic.issue(signers, outside)
    assert clinic.issue(signers)


@pytest.mark.parametrize("to", ["retired", "compromised"])
def test_a_key_that_is_not_active_signs_nothing_and_the_others_still_do(clinic, signers, to):
    clinic.lot()
    dose = clinic.vaccinated(day(-1), details())
    clinic.tested(dose.person_id)
    clinic.doors.run(lambda db: signing_keys.move(db, kid=signers["v"].kid, to=to, now=NOW))
    with clinic.doors.reading() as db:
        waiting = issuing.pending(db, limit=9, today=TODAY)
    signed = clinic.signed(signers, waiting)
    assert {each.kind: each.state for each in signed} == {"v": "intended", "t": "issued"}


def test_a_certificate_taken_back_before_it_was_signed_is_never_signed(clinic, signers):
    clinic.lot()
    dose = clinic.vaccinated(day(-1), details())
    [intent] = clinic.certificates(dose)
    clinic.mark_in_error(dose)
    [late] = clinic.signed(signers, [intent.id])
    assert (late.state, late.sealed) == ("revoked", None)


def test_nobody_holds_the_certificate_of_another(clinic, signers):
    clinic.lot()
    clinic.vaccinated(day(-1), details())
    [certificate] = clinic.issue(signers)
    for person_id, certificate_id in (
        (new_id(), certificate.id),
        (certificate.person_id, new_id()),
    ):
        with pytest.raises(NotFound), clinic.doors.reading() as db:
            holding.certificate_text(
                db, vault=clinic.vault, person_id=person_id, certificate_id=certificate_id
            )


def test_every_row_lies_sealed_under_its_own_identifier(clinic, signers):
    clinic.lot()
    who = details()
    clinic.vaccinated(day(-60), who)
    clinic.vaccinated(day(-30), who, dose_number=2)
    one, other = clinic.issue(signers)
    with clinic.doors.transaction() as db:
        db.get_one(Certificate, one.id).sealed = other.sealed
    with pytest.raises(Exception, match="does not open"):
        held(clinic, one)
