"""The codec's known answers: they come out here, and a wrong one is noticed."""

from __future__ import annotations

import pytest

from healthcert.errors import NotReady
from healthcert.hcert import self_test, selftest


def test_every_known_answer_comes_out():
    self_test()


@pytest.mark.parametrize(
    ("name", "wrong", "said"),
    [
        ("_PAYLOAD", b"another answer", "signature"),
        ("_BASE45", {b"AB": "BB9"}, "base45"),
        ("_TAG_35", b"\x01", "guard"),
        ("_BARCODE", "HC1:", "malformed_zlib"),
        ("_KID", bytes(8), "unknown_issuer"),
    ],
)
def test_a_wrong_answer_is_noticed_and_named(monkeypatch, name, wrong, said):
    monkeypatch.setattr(selftest, name, wrong)
    with pytest.raises(NotReady, match=f"self-test: {said}$"):
        self_test()
