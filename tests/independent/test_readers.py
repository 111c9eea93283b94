"""What we write is read by others: python-cwt, an npm COSE library, zxing-cpp and zbar."""

from __future__ import annotations

import io
import json
import os
import subprocess
from base64 import b64encode
from functools import partial
from pathlib import Path

import pytest
import zxingcpp
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_der_x509_certificate
from PIL import Image

from healthcert.hcert import from_certificate, qr
from tests.certificates import NOW, make_text
from tests.people import people
from tests.pictures import drawn
from tools import peers

HERE = Path(__file__).parent
COUNT = 50
ISSUED = int(NOW.timestamp()) - 3600
EXPIRES = int(NOW.timestamp()) + 180 * 86_400

pytestmark = pytest.mark.xdist_group("independent")


@pytest.fixture(scope="module")
def written(signers):
    """Fifty people's certificates: (what is certified, its text, its signer)."""
    return [
        (person.certificate, make_text(signer, person.certificate), signer)
        for person in people(COUNT)
        for signer in [signers[person.kind]]
    ]


def asked(text, signer):
    """A question that either reader understands."""
    point = from_certificate(signer.certificate).key.public_numbers()
    return {
        "text": text,
        "kid": b64encode(signer.kid).decode(),
        "pem": load_der_x509_certificate(signer.certificate).public_bytes(Encoding.PEM).decode(),
        "x": b64encode(point.x.to_bytes(32)).decode(),
        "y": b64encode(point.y.to_bytes(32)).decode(),
    }


def python_cwt(questions):
    return _answers([str(peers.PYTHON), str(HERE / "read_cwt.py")], questions)


def cose_js(questions):
    reader = HERE / "read_cose.mjs"
    return _answers(["node", str(reader), str(peers.NODE_MODULES)], questions)


def _answers(command, questions):
    done = subprocess.run(
        command,
        input="".join(json.dumps(question) + "\n" for question in questions),
        capture_output=True,
        check=False,
        text=True,
        timeout=120,
        env={"PATH": os.environ["PATH"], "PYTHONIOENCODING": "utf-8"},
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.usefixtures("readers")
@pytest.mark.parametrize("reader", [python_cwt, cose_js])
def test_others_read_what_we_certify(written, reader):
    answers = reader([asked(text, signer) for _, text, signer in written])
    expected = [
        {"dcc": certificate, "claims": ["XX", EXPIRES, ISSUED]} for certificate, _, _ in written
    ]
    assert answers == expected


@pytest.mark.usefixtures("readers")
@pytest.mark.parametrize("reader", [python_cwt, cose_js])
def test_others_refuse_what_another_key_signed(signers, reader):
    text = make_text(signers["v"])
    stranger = asked(text, signers["t"]) | {"kid": asked(text, signers["v"])["kid"]}
    [genuine, forged] = reader([asked(text, signers["v"]), stranger])
    assert "dcc" in genuine
    assert set(forged) == {"error"}


def test_another_decoder_reads_every_code(written):
    for _, text, _ in written:
        picture = Image.open(io.BytesIO(qr.png(text)))
        [code] = zxingcpp.read_barcodes(picture, formats=zxingcpp.BarcodeFormat.QRCode)
        assert (code.text, code.format) == (text, zxingcpp.BarcodeFormat.QRCode)
        assert code.ec_level == "Q"


KINDS_OF_PICTURE = {
    "png": qr.png,
    "png, three pixels a module": partial(qr.png, scale=3),
    "svg": lambda text: drawn(qr.svg(text)),
}


@pytest.mark.parametrize("picture", KINDS_OF_PICTURE.values(), ids=KINDS_OF_PICTURE)
def test_zbar_reads_every_kind_of_picture_that_we_make(written, zbar, tmp_path, picture):
    texts = [text for _, text, _ in written]
    paths = [tmp_path / f"{number:02}.png" for number in range(len(texts))]
    for path, text in zip(paths, texts, strict=True):
        path.write_bytes(picture(text))
    only_qr = ["-Sdisable", "-Sqrcode.enable", "--nodbus"]
    done = subprocess.run(
        [zbar, "--quiet", "--raw", *only_qr, *paths], capture_output=True, check=True, timeout=120
    )
    assert done.stdout.decode("ascii").splitlines() == texts
