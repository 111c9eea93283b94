"""Keys in files, and what they sign."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID, ObjectIdentifier

from healthcert.errors import SignerUnavailable
from healthcert.gateways.signer import BundleSigner, Signer
from healthcert.hcert.cose import ES256, PS256, parse, sign1, verify1
from healthcert.hcert.cwt import read_claims
from healthcert.hcert.payload import dcc_of
from healthcert.hcert.text import decode
from healthcert.hcert.trust import from_certificate, key_identifier
from tests.certificates import NOW, make_dcc, make_text

PASSPHRASE = b"opens it"
VACCINATION, TEST = "1.3.6.1.4.1.1847.2021.1.2", "1.3.6.1.4.1.1847.2021.1.1"


@pytest.fixture
def make_files(tmp_path):
    """Return a maker of a key file and a certificate file."""

    def make(key, *usages, certified=None, passphrase=PASSPHRASE):
        locked = BestAvailableEncryption(passphrase)
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, locked)
        name = x509.Name([x509.NameAttribute(NameOID.COUNTRY_NAME, "XX")])
        unsigned = (
            x509.CertificateBuilder(name, name, (certified or key).public_key(), 1)
            .not_valid_before(NOW - timedelta(days=1))
            .not_valid_after(NOW + timedelta(days=365))
        )
        if usages:
            oids = [ObjectIdentifier(usage) for usage in usages]
            unsigned = unsigned.add_extension(x509.ExtendedKeyUsage(oids), critical=False)
        signed = unsigned.sign(key, SHA256())
        paths = tmp_path / "key.pem", tmp_path / "cert.pem"
        paths[0].write_bytes(pem)
        paths[0].chmod(0o600)
        paths[1].write_bytes(signed.public_bytes(Encoding.PEM))
        return paths

    return make


@pytest.mark.parametrize("kind", "vtr")
def test_what_is_issued_reads_back_under_the_signers_certificate(signers, kind):
    signer = signers[kind]
    message = decode(make_text(signer))
    key = from_certificate(signer.certificate)
    claims = read_claims(verify1(message, keys={key.kid: [key.key]}))
    assert dcc_of(claims) == make_dcc(kind)
    assert (claims.issuer, type(claims.issued_at), type(claims.expires_at)) == ("XX", int, int)


def test_algorithm_and_key_identifier_are_protected(signers):
    message = parse(decode(make_text(signers["v"])))
    assert (message.algorithm, message.kid) == (ES256, key_identifier(signers["v"].certificate))
    assert message.protected.endswith(message.kid)


def test_an_rsa_key_signs_with_ps256(make_files):
    paths = make_files(rsa.generate_private_key(65537, 2048), VACCINATION)
    signer = Signer.open(*paths, passphrase=PASSPHRASE)
    key = from_certificate(signer.certificate)
    message = sign1(b"payload", kid=signer.kid, algorithm=PS256, sign=signer.sign)
    assert verify1(message, keys={key.kid: [key.key]}) == b"payload"


def test_a_key_of_another_purpose_does_not_sign(signers):
    with pytest.raises(SignerUnavailable):
        make_text(signers["t"], make_dcc("v"))


@pytest.mark.parametrize(
    "life",
    [
        {"issued": NOW - timedelta(days=61)},
        {"expires": NOW + timedelta(days=2 * 365)},
        {"issued": NOW, "expires": NOW - timedelta(seconds=1)},
    ],
)
def test_a_certificate_outside_its_signers_life_is_not_signed(signers, life):
    with pytest.raises(SignerUnavailable):
        make_text(signers["v"], **life)


def test_a_payload_that_breaks_the_schema_is_not_signed(signers):
    with pytest.raises(ValueError, match=r"v\.0\.dn"):
        make_text(signers["v"], make_dcc("v", dn="two"))


def test_nothing_secret_is_shown(signers):
    assert "PrivateKey" not in repr(signers["v"])


@pytest.mark.parametrize(
    ("key", "usages"),
    [
        (ec.generate_private_key(ec.SECP256R1()), ()),
        (ec.generate_private_key(ec.SECP256R1()), (VACCINATION, TEST)),
        (ec.generate_private_key(ec.SECP384R1()), (VACCINATION,)),
        (rsa.generate_private_key(65537, 1024), (VACCINATION,)),
    ],
    ids=["no purpose", "two purposes", "P-384", "RSA 1024"],
)
def test_a_key_unfit_to_sign_is_not_opened(make_files, key, usages):
    paths = make_files(key, *usages)
    with pytest.raises(SignerUnavailable):
        Signer.open(*paths, passphrase=PASSPHRASE)


def test_a_certificate_of_another_key_is_refused(make_files):
    key, other = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    paths = make_files(key, VACCINATION, certified=other)
    with pytest.raises(SignerUnavailable):
        Signer.open(*paths, passphrase=PASSPHRASE)


def test_a_wrong_passphrase_or_a_missing_file_is_a_refusal(make_files, tmp_path):
    key, certificate = make_files(ec.generate_private_key(ec.SECP256R1()), VACCINATION)
    for paths, passphrase in [
        ((key, certificate), b"wrong"),
        ((tmp_path / "none.pem", certificate), PASSPHRASE),
        ((key, tmp_path / "none.pem"), PASSPHRASE),
        ((key, key), PASSPHRASE),
    ]:
        with pytest.raises(SignerUnavailable):
            Signer.open(*paths, passphrase=passphrase)


def test_a_bundle_key_is_an_ec_key(make_files):
    key, _ = make_files(rsa.generate_private_key(65537, 2048), VACCINATION)
    with pytest.raises(SignerUnavailable):
        BundleSigner.open(key, passphrase=PASSPHRASE)


class Failing:
    """A key whose hardware went wrong: what it signs, it cannot verify."""

    def __init__(self, key, other):
        """Show one key and sign with another."""
        self.public_key = key.public_key
        self.sign = other.sign


def test_a_signature_that_does_not_verify_never_leaves(signers):
    key, other = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    broken = replace(signers["v"], _key=Failing(key, other))
    with pytest.raises(SignerUnavailable):
        make_text(broken)
