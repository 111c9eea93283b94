"""A QR code as PNG, beside `qrcode` as most people call it: `python -m bench.qr`.

It draws all eight masks and scores them, where we take one; so it is also measured with one. Every
picture is read back, by zxing-cpp and, where the program is there, by zbarimg.
"""

from __future__ import annotations

import io
import shutil
import subprocess
import sys

import qrcode
from qrcode.constants import ERROR_CORRECT_Q

from bench._certificate import issue, signer
from bench._turns import microseconds, ratio, row, turns
from healthcert.hcert import qr

_FASTER, _MOST_MS, _PICTURES = 8.0, 5.0, 20


def main() -> int:
    """Return 1 if a picture does not read back, or takes too long."""
    texts = [issue(signer()) for _ in range(_PICTURES)]
    unread = [text for text in texts if not _reads(qr.png(text), text)]
    if unread:
        print(f"qr: {len(unread)} of {_PICTURES} pictures do not read back")
        return 1
    text = texts[0]
    times = turns(
        {
            "ours": lambda: qr.png(text),
            "qrcode.make": lambda: _theirs(text, None),
            "qrcode, one mask": lambda: _theirs(text, 0),
        },
        rounds=8,
        calls=2,
    )
    held = True
    for name in ("qrcode.make", "qrcode, one mask"):
        faster = ratio(times[name], times["ours"])
        figures = (microseconds(times["ours"]), name, microseconds(times[name]))
        row("QR code as PNG", *figures, faster, f"at least {_FASTER:.2f}, at most {_MOST_MS} ms")
        held = held and faster >= _FASTER and min(times["ours"]) <= _MOST_MS * 1000
    return int(not held)


def _theirs(text: str, mask: int | None) -> bytes:
    code = qrcode.QRCode(error_correction=ERROR_CORRECT_Q, mask_pattern=mask)
    code.add_data(text)
    written = io.BytesIO()
    code.make_image().save(written)
    return written.getvalue()


def _reads(picture: bytes, text: str) -> bool:
    if [code.text for code in qr.read(picture)] != [text]:
        return False
    if not (program := shutil.which("zbarimg")):
        return True
    command = [program, "--quiet", "--raw", "-"]
    found = subprocess.run(command, input=picture, capture_output=True, check=False)
    return found.stdout.decode().removesuffix("\n") == text


if __name__ == "__main__":
    if not shutil.which("zbarimg"):
        print("qr: zbarimg is not there: the pictures are read back by zxing-cpp alone")
    sys.exit(main())
