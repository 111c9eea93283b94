"""Certificate text as a QR picture, and back."""

from __future__ import annotations

import io
import json
import re
import struct
from contextlib import suppress

import pytest
import zxingcpp
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image

from healthcert.errors import BadPicture, PictureTooLarge
from healthcert.hcert import pictures, qr
from tests.pictures import drawn, saved

TEXT = "HC1:NCFOXN%TS3DH3ZSUZK+.V0ETD%65NL-AH-R6IOOK.IR9B+9D" + "7ABC$%*+-./: " * 40
ALLOWED = st.text("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:", min_size=1, max_size=1200)


@settings(max_examples=25, deadline=None)
@given(ALLOWED)
@example("0" * 600)
def test_what_is_drawn_reads_back(text):
    assert qr.read(qr.png(text, scale=3)) == [qr.Code("QR", text)]
    assert qr.read(drawn(qr.svg(text))) == [qr.Code("QR", text)]


def test_the_code_has_error_correction_q_and_a_quiet_zone_of_four_modules():
    picture = Image.open(io.BytesIO(qr.png(TEXT, scale=1))).convert("L")
    (code,) = zxingcpp.read_barcodes(picture.resize([n * 4 for n in picture.size]))
    assert code.ec_level == "Q"
    box = picture.point(lambda value: 255 - value).getbbox()
    assert box == (4, 4, picture.width - 4, picture.height - 4)


def test_a_drawing_has_the_same_quiet_zone_as_a_picture():
    side = Image.open(io.BytesIO(qr.png(TEXT, scale=1))).width
    assert f'viewBox="0 0 {side} {side}"' in qr.svg(TEXT)
    assert f"M0 0h{side}v{side}H0z" in qr.svg(TEXT)


def test_alphanumeric_mode_makes_a_code_smaller_than_bytes_would():
    side = Image.open(io.BytesIO(qr.png("A" * 500, scale=1))).width - 8
    assert (side - 17) / 4 == 17  # 498 byte-mode characters would need version 23


def test_the_svg_scales_with_its_page_and_is_black_on_white():
    svg = qr.svg(TEXT)
    assert svg.startswith("<svg ")
    assert "width=" not in svg.partition(">")[0]
    assert set(re.findall(r'fill="([^"]*)"', svg)) == {"#fff"}


@pytest.mark.conformance
def test_every_public_picture_reads_as_its_country_says(conformance):
    kinds = {"QR Code": "QR", "Aztec": "Aztec"}
    for line in (conformance / "images.jsonl").read_text("utf-8").splitlines():
        row = json.loads(line)
        found = qr.read((conformance / "images" / row["file"]).read_bytes())
        assert found == [qr.Code(kinds[row["kind"]], row["text"])], row["file"]


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("PNG", {}),
        ("JPEG", {"quality": 80}),
        ("JPEG", {"progressive": True}),
        ("GIF", {}),
        ("WEBP", {"lossless": True}),
        ("WEBP", {"quality": 90}),
    ],
)
def test_each_kind_of_picture_is_read_and_measured(kind, options):
    picture = Image.open(io.BytesIO(qr.png(TEXT, scale=4))).convert("RGB")
    data = saved(picture, kind, **options)
    assert pictures.is_picture(data)
    assert pictures.size(data) == picture.size
    assert qr.read(data) == [qr.Code("QR", TEXT)]


def test_a_webp_with_transparency_is_measured_by_its_canvas():
    code = Image.open(io.BytesIO(qr.png(TEXT, scale=4))).convert("L")
    clear = Image.new("RGBA", code.size, "black")
    clear.putalpha(code.point(lambda value: 255 - value))
    data = saved(clear, "WEBP", quality=90)
    assert data[12:16] == b"VP8X"
    assert pictures.size(data) == code.size
    assert qr.read(data) == [qr.Code("QR", TEXT)]


@pytest.mark.parametrize("fill", [1, 2, 3])
def test_fill_bytes_before_the_frame_of_a_jpeg_are_passed_over(fill):
    picture = Image.new("L", (30, 20), 255)
    data = saved(picture, "JPEG").replace(b"\xff\xc0", fill * b"\xff" + b"\xff\xc0", 1)
    assert pictures.size(data) == (30, 20)


def jpeg(*segments):
    """A JPEG's head: markers, each with its contents behind a length."""
    parts = (bytes((0xFF, mark)) + struct.pack(">H", len(c) + 2) + c for mark, c in segments)
    return b"\xff\xd8" + b"".join(parts)


FRAME = b"\x08" + struct.pack(">HH", 20, 30)  # precision, height, width
NO_FRAME = b"\x08" + struct.pack(">HH", 99, 99)


@pytest.mark.parametrize("mark", [0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC9, 0xCF])
@pytest.mark.parametrize("table", [0xC4, 0xC8, 0xCC, 0xD0, 0xDB, 0xE0])
def test_a_table_of_a_jpeg_is_not_its_frame(mark, table):
    assert pictures.size(jpeg((table, NO_FRAME), (mark, FRAME))) == (30, 20)


def test_the_frame_of_a_jpeg_is_among_its_first_thousand_segments():
    before = [(0xE0, b"")] * 999
    assert pictures.size(jpeg(*before, (0xC0, FRAME))) == (30, 20)
    with pytest.raises(BadPicture):
        pictures.size(jpeg(*before, (0xE0, b""), (0xC0, FRAME)))


@pytest.mark.parametrize("start", [b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"RIFF"])
def test_four_bytes_are_enough_to_look_like_a_picture(start):
    assert pictures.begins_like_a_picture(start)
    assert not pictures.begins_like_a_picture(start[:-1])
    assert not pictures.begins_like_a_picture(b"HC1:" + start)


def test_an_endless_header_is_refused_soon():
    with pytest.raises(BadPicture):
        pictures.size(b"\xff\xd8" + b"\xff" * 1_000_000)


def test_several_codes_of_one_picture_are_all_found():
    left, right = (
        Image.open(io.BytesIO(qr.png(text, scale=4))).convert("L") for text in ("ONE", "TWO")
    )
    both = Image.new("L", (left.width + right.width, left.height), 255)
    both.paste(left, (0, 0))
    both.paste(right, (left.width, 0))
    assert {code.text for code in qr.read(saved(both))} == {"ONE", "TWO"}


def test_a_picture_without_a_code_has_none():
    assert qr.read(saved(Image.new("L", (200, 200), 255))) == []


@pytest.mark.parametrize("sides", [(4001, 4000), (16_000_001, 1)])
def test_a_huge_picture_is_refused_from_its_header(sides):
    data = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + struct.pack(">II", *sides)
    with pytest.raises(PictureTooLarge):
        qr.read(data)


def test_sixteen_megapixels_and_ten_megabytes_are_not_too_large():
    data = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + struct.pack(">II", 4000, 4000)
    with pytest.raises(BadPicture) as refused:
        qr.read(data.ljust(10_000_000, b"\0"))
    assert refused.type is BadPicture


def test_a_file_over_ten_megabytes_is_refused():
    with pytest.raises(PictureTooLarge):
        qr.read(bytes(qr.MOST_BYTES + 1))


def test_a_picture_whose_frame_is_larger_than_it_said_is_refused():
    data = bytearray(saved(Image.new("P", (5000, 4000)), "GIF"))
    data[6:10] = struct.pack("<HH", 10, 10)
    with pytest.raises(BadPicture):
        qr.read(bytes(data))


@settings(deadline=None)
@given(st.data())
def test_a_broken_picture_is_refused_or_read_and_nothing_else(data):
    kind = data.draw(st.sampled_from(["PNG", "JPEG", "GIF", "WEBP"]))
    whole = bytearray(saved(Image.new("RGB", (40, 40), "white"), kind))
    place = data.draw(st.integers(0, len(whole) - 1))
    whole[place] = data.draw(st.integers(0, 255))
    end = data.draw(st.integers(1, len(whole)))
    with suppress(BadPicture):
        assert qr.read(bytes(whole[:end])) == []


JPEG = b"\xff\xd8\xff\xe0\x00\x02" + bytes(20)  # no marker after the first segment


@pytest.mark.parametrize(
    "data", [b"", b"%PDF-1.7", b"BM" + bytes(60), b"\xff\xd8\xff\xe0\x00", JPEG]
)
def test_what_is_no_such_picture_is_refused(data):
    with pytest.raises(BadPicture):
        qr.read(data)
