"""What others publish, in folders."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from healthcert.errors import BadInput, NotReady
from healthcert.gateways.batch_files import lists_in, put_batches
from healthcert.hcert.batches import Batch
from healthcert.hcert.revocation import RevocationList
from tests.certificates import NOW

BATCH = Batch("FR", NOW, None, "uvci", (bytes(16),))


@pytest.fixture
def folder(tmp_path):
    for country in ("FR", "DE"):
        (tmp_path / country).mkdir()
    return tmp_path


def test_the_batches_of_each_country_are_its_list(folder):
    more = replace(BATCH, kind="signature", hashes=(b"s" * 16,))
    assert put_batches(folder / "FR", [BATCH, more]) == ["FR-0001.json", "FR-0002.json"]
    assert lists_in(folder, now=NOW) == RevocationList.of(
        ["DE", "FR"], [("FR", "uvci", bytes(16)), ("FR", "signature", b"s" * 16)]
    )


def test_a_batch_past_its_end_or_deleted_counts_no_more(folder):
    put_batches(folder / "FR", [BATCH])
    nothing = RevocationList.of(["DE", "FR"], [])
    assert lists_in(folder, now=NOW) != nothing
    assert lists_in(folder, now=NOW + timedelta(seconds=1)) == nothing
    (folder / "FR" / "FR-0001.json").unlink()
    assert lists_in(folder, now=NOW) == nothing


def test_a_batch_of_another_country_is_refused(folder):
    put_batches(folder / "DE", [BATCH])
    with pytest.raises(BadInput) as refused:
        lists_in(folder, now=NOW)
    assert refused.value.fields == {"DE/FR-0001.json country": "not_DE"}


def test_a_bad_batch_is_named_with_its_entry(folder):
    put_batches(folder / "FR", [BATCH])
    path = folder / "FR" / "FR-0001.json"
    path.write_text(path.read_text().replace("AAAA==", "AAAA"))
    with pytest.raises(BadInput) as refused:
        lists_in(folder, now=NOW)
    assert refused.value.fields == {
        "FR/FR-0001.json entries[0].hash": "not_16_bytes_in_base64",
    }


def test_a_batch_that_cannot_be_read_is_said_so(folder):
    (folder / "FR" / "x.json").mkdir()
    with pytest.raises(NotReady):
        lists_in(folder, now=NOW)
