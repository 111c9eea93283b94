"""Keys in a token of SoftHSM: what they sign, from many threads, after a fork, and when away."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pkcs11
import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_der_x509_certificate

from healthcert.errors import SignerUnavailable
from healthcert.gateways.pkcs11_signer import Pkcs11Signer, Token, TokenKey
from healthcert.hcert.cose import ES256, sign1, verify1
from healthcert.hcert.trust import from_certificate
from healthcert.services.key_making import Chain, Wanted
from tests.certificates import NOW, make_text
from tests.softhsm import MODULE, PIN, make_token

pytestmark = pytest.mark.xdist_group("softhsm")  # one module a process, one environment

_MADE = 400  # signatures of eight threads


@pytest.fixture(scope="module")
def hsm(tmp_path_factory):
    return make_token(tmp_path_factory.mktemp("hsm"))


@pytest.fixture(scope="module")
def chain(hsm):
    """An authority and a signer of vaccinations, both in the token."""
    begins = NOW - timedelta(days=3)
    csca, dsc = (
        Wanted(name, hsm.folder / name, begins, b"", hsm.named(name)) for name in ("csca", "dsc")
    )
    made = Chain("XX", "Ministry", csca, {"v": dsc})
    assert len(made.make()) == 4
    return made


@pytest.fixture
def signer(chain):
    wanted = chain.signers["v"]
    return Pkcs11Signer.of(wanted.key_file, wanted.certificate_file)


def signs(signer) -> bool:
    key = from_certificate(signer.certificate)
    message = sign1(b"payload", kid=signer.kid, algorithm=ES256, sign=signer.sign)
    return verify1(message, keys={key.kid: [key.key]}) == b"payload"


def test_a_key_in_a_token_signs_what_verifiers_accept(signer, chain):
    chain.signers["v"].certificate().verify_directly_issued_by(chain.authority.certificate())
    assert (signs(signer), len(signer.sign(b"data")), signer.purpose) == (True, 64, "v")
    assert make_text(signer).startswith("HC1:")


def test_a_key_in_a_token_cannot_be_read(signer):
    def read(library, session):
        key = session.get_key(library.ObjectClass.PRIVATE_KEY, label="dsc")
        assert not key[library.Attribute.EXTRACTABLE]
        with pytest.raises(pkcs11.AttributeSensitive):
            key[library.Attribute.VALUE]
        return True

    assert signer._key.token.use(read)  # noqa: SLF001 - to try what a thief would
    assert "PrivateKey" not in repr(signer)


def test_eight_threads_share_one_session(signer):
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda n: signer.sign(b"%d" % n), range(_MADE)))
    assert len(set(made)) == _MADE


@pytest.mark.filterwarnings("ignore:This process.*is multi-threaded:DeprecationWarning")
def test_a_child_of_a_fork_opens_its_own_session_and_the_parents_goes_on(signer):
    assert signs(signer)
    child = os.fork()
    if not child:
        done = 1
        try:
            done = 0 if signs(signer) else 2
        finally:
            os._exit(done)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert signs(signer)


def test_a_token_that_is_away_refuses_and_signs_again_when_it_is_back(signer, hsm):
    assert signs(signer)
    aside = hsm.objects.rename(hsm.folder / "aside")
    for _ in range(2):
        with pytest.raises(SignerUnavailable, match="token dsc"):
            signer.sign(b"data")
    aside.rename(hsm.objects)
    assert signs(signer)


@pytest.mark.parametrize(("pin", "mode", "why"), [("0000", 0o600, "Pin"), (PIN, 0o644, "others")])
def test_a_wrong_or_open_pin_file_opens_nothing(signer, tmp_path, pin, mode, why):
    assert signs(signer)
    (tmp_path / "pin").write_text(pin)
    (tmp_path / "pin").chmod(mode)
    Token.begin_anew()  # else it is logged in
    token = Token(MODULE, "dsc", tmp_path / "pin")
    with pytest.raises(SignerUnavailable, match=why):
        TokenKey(token, "dsc").sign(b"data")
    assert signs(signer)


def test_what_names_no_key_is_refused(hsm, tmp_path, signer, chain):
    assert signs(signer)
    for text in ("", "module = 1", "no toml"):
        (tmp_path / "bad.token.toml").write_text(text)
        with pytest.raises(SignerUnavailable, match="names no key"):
            TokenKey.read(tmp_path / "bad.token.toml")
    with pytest.raises(SignerUnavailable, match="NoSuchKey"):
        TokenKey(signer._key.token, "none").sign(b"data")  # noqa: SLF001 - its token, another key
    with pytest.raises(SignerUnavailable, match="has a key"):
        TokenKey.read(chain.signers["v"].key_file).make()
    with pytest.raises(SignerUnavailable, match="missing"):
        TokenKey(Token(f"{MODULE}.missing", "dsc", hsm.folder / "pin"), "dsc").sign(b"data")


def test_a_certificate_of_another_key_lets_nothing_out(chain, tmp_path, signers):
    other = tmp_path / "other.pem"
    certificate = load_der_x509_certificate(signers["v"].certificate)
    other.write_bytes(certificate.public_bytes(Encoding.PEM))
    with pytest.raises(SignerUnavailable, match="does not verify"):
        Pkcs11Signer.of(chain.signers["v"].key_file, other).sign(b"data")
