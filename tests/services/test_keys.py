"""Where keys lie, how they are made, and which ones production refuses."""

from __future__ import annotations

import shutil
import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from cryptography.x509.oid import NameOID

from healthcert.errors import BadSettings, NotReady, SignerUnavailable
from healthcert.gateways.note_keys import make_note_key
from healthcert.gateways.private_key import passphrase_of
from healthcert.gateways.trust_sources import gather, keep
from healthcert.hcert import trust_lists
from healthcert.hcert.cose import ES256, parse, sign1
from healthcert.services.development_keys import check_production_keys, make_development_keys
from healthcert.services.keys import (
    AUDIT_LOG,
    Keyring,
    load_audit_signer,
    load_bundle_signer,
    prepare_next,
    read_secret,
)
from healthcert.services.trusted import load_pins, load_trust
from healthcert.transparency.notes import LOG, Checkpoint, opened, signed
from tests.certificates import NOW
from tests.conftest import by_kind
from tests.hcert.barcodes import SIGNER

EDWARDS = Ed25519PrivateKey.generate().public_key()
PUBLIC = Encoding.PEM, PublicFormat.SubjectPublicKeyInfo


@pytest.fixture
def keys(keys_dir, tmp_path):
    """A copy of the development keys that a test may change."""
    return shutil.copytree(keys_dir, tmp_path / "keys")


@pytest.fixture
def production(keys):
    """Keys that are in order for production: the marked certificates are taken away."""
    (keys / "development").rename(keys / "production")
    for path in [*keys.rglob("*.cert.pem"), *keys.rglob("development-*"), keys / AUDIT_LOG]:
        path.unlink()
    return keys


def test_every_private_file_is_its_owners_alone(keys_dir):
    private = keys_dir / "development"
    assert stat.S_IMODE(private.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in private.iterdir()} == {0o600}


def test_nothing_private_lies_below_trust_and_no_key_is_unencrypted(keys_dir):
    for path in keys_dir.rglob("*.pem"):
        text = path.read_text()
        assert ("PRIVATE" in text) == path.name.endswith(".key.pem")
        assert "BEGIN PRIVATE KEY" not in text


def test_each_signer_has_one_purpose_is_linked_to_the_authority_and_says_development(keys_dir):
    private = keys_dir / "development"
    authority = x509.load_pem_x509_certificate((private / "csca.cert.pem").read_bytes())
    ski = authority.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    purposes = set()
    for name in ("vaccination", "test", "recovery"):
        found = x509.load_pem_x509_certificate((private / f"{name}.cert.pem").read_bytes())
        found.verify_directly_issued_by(authority)
        aki = found.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value
        assert aki.key_identifier == ski
        assert "DEVELOPMENT" in found.subject.rfc4514_string()
        assert found.subject.get_attributes_for_oid(NameOID.COUNTRY_NAME)[0].value == "XX"
        assert found.not_valid_before_utc < NOW < found.not_valid_after_utc
        assert found.not_valid_after_utc <= authority.not_valid_after_utc
        usage = found.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        purposes |= {oid.dotted_string for oid in usage}
    assert purposes == {f"1.3.6.1.4.1.1847.2021.1.{n}" for n in (1, 2, 3)}


def test_making_keys_again_changes_nothing(keys):
    before = {path: path.read_bytes() for path in keys.rglob("*") if path.is_file()}
    assert make_development_keys(keys, country="YY", now=NOW + timedelta(days=400)) == []
    assert {path: path.read_bytes() for path in keys.rglob("*") if path.is_file()} == before


def test_what_is_missing_is_made_and_published(keys):
    private = keys / "development"
    (private / "test.key.pem").unlink()
    made = make_development_keys(keys, country="XX", now=NOW)
    names = ["test.key.pem", "test.cert.pem", "development-test.pem"]
    assert [path.name for path in made] == names
    signer = by_kind(Keyring(private, read_secret(private / "secret")))["t"]
    assert load_trust(keys / "trust" / "certificates").find(signer.kid)


def test_many_who_make_keys_at_once_make_one_set(tmp_path):
    folder = tmp_path / "keys"
    with ThreadPoolExecutor(8) as pool:
        made = list(
            pool.map(lambda _: make_development_keys(folder, country="XX", now=NOW), range(8))
        )
    assert sum(map(bool, made)) == 1
    assert len(Keyring(folder / "development", read_secret(folder / "development/secret"))) == 3


def test_a_lost_secret_is_not_papered_over(keys):
    (keys / "development" / "secret").unlink()
    with pytest.raises(NotReady, match="secret"):
        make_development_keys(keys, country="XX", now=NOW)


def test_the_pins_are_the_public_halves_of_the_bundle_keys(keys_dir):
    private = keys_dir / "development"
    secret = read_secret(private / "secret")
    current, following = load_pins(keys_dir / "trust" / "bundle")
    assert current != following
    for which, pin in (("current", current), ("next", following)):
        signer = load_bundle_signer(private, secret, which=which)
        message = sign1(b"data", kid=signer.kid, algorithm=ES256, sign=signer.sign)
        assert parse(message).fits(pin)


def test_another_secret_opens_nothing(keys_dir):
    with pytest.raises(SignerUnavailable):
        Keyring(keys_dir / "development", b"another secret")


def test_an_authority_with_another_kind_of_key_signs_nobody(keys):
    private = keys / "development"
    locked = BestAvailableEncryption(passphrase_of(read_secret(private / "secret")))
    key = Ed25519PrivateKey.generate()
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, locked)
    (private / "csca.key.pem").write_bytes(pem)
    (private / "test.key.pem").unlink()
    with pytest.raises(SignerUnavailable, match="neither EC"):
        make_development_keys(keys, country="XX", now=NOW)


def test_a_purpose_without_a_key_is_left_out(keys):
    (keys / "development" / "recovery.key.pem").unlink()
    private = keys / "development"
    assert set(by_kind(Keyring(private, read_secret(private / "secret")))) == {"v", "t"}


def test_certificates_are_trusted_in_pem_and_in_der_and_training_ones_apart(keys):
    folder = keys / "trust" / "certificates"
    pem = folder / "development-test.pem"
    der = x509.load_pem_x509_certificate(pem.read_bytes()).public_bytes(Encoding.DER)
    (folder / "training").mkdir()
    (folder / "training" / "test.der").write_bytes(der)
    pem.unlink()
    found = {("".join(key.usages), key.training) for key in load_trust(folder)}
    assert found == {("v", False), ("r", False), ("t", True)}


def test_a_list_in_the_folder_is_trusted_too_and_says_where_it_is_from(keys):
    folder = keys / "trust" / "certificates"
    keep(folder / "training" / "list.json", gather([folder / "development-test.pem"]))
    (folder / "development-test.pem").unlink()
    assert ("development-test.pem", True) in {
        (key.source, key.training) for key in load_trust(folder)
    }


@pytest.mark.parametrize(
    ("reader", "name", "content"),
    [
        (load_pins, "current.pem", b"no key"),
        (load_pins, "current.pem", EDWARDS.public_bytes(*PUBLIC)),
        (load_pins, "none", b""),
        (load_trust, "bad.crt", b"no certificate"),
        (load_trust, "empty.json", b"[]"),
    ],
)
def test_a_folder_that_cannot_be_read_is_not_ready(tmp_path, reader, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(NotReady):
        reader(tmp_path)


@pytest.mark.parametrize("content", [None, b" \n"])
def test_a_missing_or_empty_secret_is_not_ready(tmp_path, content):
    if content is not None:
        (tmp_path / "secret").write_bytes(content)
    with pytest.raises(NotReady):
        read_secret(tmp_path / "secret")


def refuse_or_run(keys) -> None:
    check_production_keys(keys, keys / "production" / "secret")


def test_production_runs_on_private_encrypted_unmarked_keys(production):
    refuse_or_run(production)


def test_production_refuses_to_run_without_keys(tmp_path):
    with pytest.raises(BadSettings, match="no keys"):
        refuse_or_run(tmp_path)


@pytest.mark.parametrize("where", ["production/vaccination.cert.pem", "trust/certificates/x.pem"])
def test_production_refuses_a_development_certificate(production, keys_dir, where):
    shutil.copy(keys_dir / "development" / "vaccination.cert.pem", production / where)
    with pytest.raises(BadSettings, match="development certificate"):
        refuse_or_run(production)


def test_production_trusts_lists_of_other_signers(production):
    keep(production / "trust" / "certificates" / "list.json", trust_lists.read(SIGNER))
    refuse_or_run(production)


def test_production_refuses_a_development_certificate_in_a_list(production, keys_dir):
    listed = gather([keys_dir / "development" / "vaccination.cert.pem"])
    keep(production / "trust" / "certificates" / "list.json", listed)
    with pytest.raises(BadSettings, match="development certificate"):
        refuse_or_run(production)


def test_production_refuses_a_development_log(production, keys_dir):
    shutil.copy(keys_dir / AUDIT_LOG, production / AUDIT_LOG)
    with pytest.raises(BadSettings, match="development key"):
        refuse_or_run(production)


def test_the_key_of_the_audit_fits_its_log_and_no_other(keys):
    secret = read_secret(keys / "development" / "secret")
    signer = load_audit_signer(keys, "development", secret)
    text = Checkpoint(signer.verifier.name, 0, bytes(32)).text
    assert opened(signed(text, [signer.sign(text)]), signer.verifier).size == 0
    with pytest.raises(SignerUnavailable, match="no witness"):
        signer.cosign(text, 0)
    make_note_key(keys / "development" / "audit.key.pem", "other", LOG, passphrase=b"words")
    with pytest.raises(SignerUnavailable):
        load_audit_signer(keys, "development", secret)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620])
@pytest.mark.parametrize("name", ["vault.key", "vault-2.next"])
def test_production_refuses_a_file_that_others_can_read_or_change(production, mode, name):
    prepare_next(production / "production")
    refuse_or_run(production)
    (production / "production" / name).chmod(mode)
    with pytest.raises(BadSettings, match="others"):
        refuse_or_run(production)


@pytest.mark.parametrize("form", [PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL])
def test_production_refuses_an_unencrypted_key(production, form):
    key = ec.generate_private_key(ec.SECP256R1())
    path = production / "production" / "vaccination.key.pem"
    path.write_bytes(path.read_bytes() + key.private_bytes(Encoding.PEM, form, NoEncryption()))
    with pytest.raises(BadSettings, match="not encrypted"):
        refuse_or_run(production)


def test_production_overlooks_a_public_key_among_the_certificates(production):
    key = ec.generate_private_key(ec.SECP256R1()).public_key()
    pem = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (production / "trust" / "certificates" / "pin.pem").write_bytes(pem)
    refuse_or_run(production)


def test_production_refuses_a_secret_elsewhere_that_others_can_read(production, tmp_path):
    elsewhere = tmp_path / "secret"
    (production / "production" / "secret").rename(elsewhere)
    check_production_keys(production, elsewhere)
    elsewhere.chmod(0o640)
    with pytest.raises(BadSettings, match="others"):
        check_production_keys(production, elsewhere)


@pytest.mark.parametrize("name", ["secret", "vault.key", "blind-index.key"])
@pytest.mark.parametrize("secret", [b"", b"changeme", bytes(32), b"secret" * 9, b"0123456" * 9])
def test_production_refuses_a_short_or_plain_secret(production, name, secret):
    (production / "production" / name).write_bytes(secret)
    with pytest.raises(BadSettings, match="no secret"):
        refuse_or_run(production)


@pytest.mark.parametrize("name", ["secret", "vault.key", "blind-index.key"])
def test_production_refuses_a_secret_of_development(production, keys_dir, name):
    (production / "development").mkdir()
    for folder in ("development", "production"):
        shutil.copy(keys_dir / "development" / name, production / folder / name)
    with pytest.raises(BadSettings, match="no secret"):
        refuse_or_run(production)
