"""Notes, checkpoints and cosignatures are read and written as C2SP says."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from healthcert.errors import BadProof
from healthcert.transparency.notes import (
    LOG,
    WITNESS,
    Checkpoint,
    Verifier,
    cosigned_at,
    cosigned_message,
    line,
    opened,
    parts,
    signed,
    unbase64,
)

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = KEY.public_key().public_bytes_raw()
LOG_KEY = Verifier("example.org/log", LOG, PUBLIC)
WITNESS_KEY = Verifier("witness.example/w", WITNESS, PUBLIC)
HEAD = Checkpoint("example.org/log", 7, bytes(32))
NOTE = signed(HEAD.text, [line(LOG_KEY, KEY.sign(HEAD.text.encode()))])

# A verifier key and a note in the documentation of another implementation of the format.
STRANGER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
STRANGERS_NOTE = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n\n"
    "\u2014 PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNI"
    "uGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)


def cosignature(at=1_700_000_000, text=HEAD.text):
    return line(WITNESS_KEY, at.to_bytes(8, "big") + KEY.sign(cosigned_message(text, at)))


def test_a_note_of_another_implementation_is_believed():
    with pytest.raises(BadProof, match="not a checkpoint of PeterNeumann"):
        opened(STRANGERS_NOTE, Verifier.parse(STRANGER))
    with pytest.raises(BadProof, match="is false"):
        opened(STRANGERS_NOTE.replace("cryptography", "cartography"), Verifier.parse(STRANGER))


def test_a_verifier_key_comes_back_as_it_was():
    assert str(Verifier.parse(STRANGER)) == STRANGER
    assert Verifier.parse(f"{WITNESS_KEY}\n") == WITNESS_KEY
    assert LOG_KEY.id != WITNESS_KEY.id


@pytest.mark.parametrize(
    "told",
    ["", "a+b", "a b+00000000+AQ==", STRANGER.replace("c74f", "c74e"), STRANGER[:-4],
     STRANGER.replace("+AR", "+BR"), STRANGER.replace("Peter", "Pet er"), STRANGER + "=" ],
)  # fmt: skip
def test_what_is_no_verifier_key_is_refused(told):
    with pytest.raises(BadProof):
        Verifier.parse(told)


def test_a_checkpoint_has_three_lines():
    assert HEAD.text == f"example.org/log\n7\n{'A' * 43}=\n"
    assert opened(NOTE, LOG_KEY) == HEAD


def test_lines_that_a_log_adds_are_signed_and_passed_over():
    text = HEAD.text + "more\n"
    assert opened(signed(text, [line(LOG_KEY, KEY.sign(text.encode()))]), LOG_KEY) == HEAD


def test_signatures_of_strangers_change_nothing():
    strange = "\u2014 example.org/log AAAAAAAA\n\u2014 another AAAAAAAA\n"
    assert opened(NOTE + strange, LOG_KEY) == HEAD


@pytest.mark.parametrize(
    "text",
    ["example.org/log\n07\n" + "A" * 43 + "=\n", "example.org/log\n7\nAAAA\n",
     "another.org/log\n7\n" + "A" * 43 + "=\n", "example.org/log\n-7\n" + "A" * 43 + "=\n",
     "example.org/log\n7\n", "example.org/log\n"],
)  # fmt: skip
def test_a_signed_text_that_is_no_checkpoint_is_refused(text):
    with pytest.raises(BadProof):
        opened(signed(text, [line(LOG_KEY, KEY.sign(text.encode()))]), LOG_KEY)


@pytest.mark.parametrize(
    "note",
    ["", HEAD.text, NOTE[:-1], NOTE.replace("\n\n", "\n"), NOTE + "word\n",
     NOTE.replace("7", "\t7"), NOTE.replace("\u2014", "-"), HEAD.text + "\n",
     NOTE + "\n", NOTE * 300],
)  # fmt: skip
def test_what_is_no_note_is_refused(note):
    with pytest.raises(BadProof):
        opened(note, LOG_KEY)


def test_the_text_may_have_empty_lines_and_the_last_divides():
    assert parts("a\n\nb\n\n\u2014 c AAAA\n") == ("a\n\nb\n", ["\u2014 c AAAA\n"])


def test_a_cosignature_tells_its_time():
    assert cosigned_at(NOTE + cosignature(), WITNESS_KEY) == 1_700_000_000
    assert cosigned_at(NOTE, WITNESS_KEY) is None
    assert cosigned_message(HEAD.text, 5) == f"cosignature/v1\ntime 5\n{HEAD.text}".encode()


def test_a_cosignature_of_another_head_or_time_is_refused():
    other = Checkpoint("example.org/log", 8, bytes(32)).text
    for false in (cosignature(text=other), line(WITNESS_KEY, bytes(8)), line(WITNESS_KEY, b"")):
        with pytest.raises(BadProof):
            cosigned_at(NOTE + false, WITNESS_KEY)


def test_base64_has_one_form():
    assert unbase64("AAA=") == bytes(2)
    for other in ("AAB=", "AAA", "A A=", "AAA=\n", "\u00e9"):
        with pytest.raises(BadProof):
            unbase64(other)
