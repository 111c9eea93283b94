"""Files that are wholly there or not at all."""

from __future__ import annotations

import stat

import pytest

from healthcert.gateways.files import OWNER_ONLY, write_whole


def test_a_file_is_replaced_with_its_mode_and_nothing_stays_beside_it(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"old")
    write_whole(path, b"new", mode=OWNER_ONLY)
    assert path.read_bytes() == b"new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_where_a_file_cannot_be_put_nothing_is_left(tmp_path):
    (tmp_path / "taken").mkdir()
    with pytest.raises(OSError, match="taken"):
        write_whole(tmp_path / "taken", b"data")
    assert [path.name for path in tmp_path.iterdir()] == ["taken"]
