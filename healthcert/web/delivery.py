"""How answers travel: built files as they lie on the disk, pages made small on the way.

The budget is a whole booking within 60 KB on a weak phone, so pages are compressed here and
not left to a proxy that may not be there.
"""

import gzip
import re
from importlib.resources import files
from pathlib import Path

from flask import Flask, Response, request
from werkzeug.http import parse_accept_header
from whitenoise import WhiteNoise

_HASHED = re.compile(r"\.[0-9a-f]{10}\.\w+$")
_WORDS = ("text/html", "application/json", "application/problem+json", "text/csv", "image/svg+xml")
_LEAST = 500  # bytes; below, the frame of gzip costs more than it saves


def init_delivery(app: Flask) -> None:
    """Serve the built files under ``/static/`` for ever, and compress pages where it helps."""
    app.wsgi_app = WhiteNoise(  # type: ignore[method-assign]
        app.wsgi_app,
        root=str(files("healthcert").joinpath("static")),
        prefix="static/",
        allow_all_origins=False,
        immutable_file_test=lambda path, _url: bool(_HASHED.search(Path(path).name)),
    )
    app.after_request(_compress)


def _compress(answer: Response) -> Response:
    """Return the answer, compressed if it is words and the browser can read it so.

    A page that carries secrets and repeats what is typed must not be measurable by a stranger
    (BREACH): our cookies are not sent on requests that other sites start in the background.
    """
    if answer.mimetype not in _WORDS:
        return answer
    answer.vary.add("Accept-Encoding")
    if not answer.is_streamed and "Content-Encoding" not in answer.headers:
        plain = answer.get_data()
        small = packed(plain, request.headers.get("Accept-Encoding", ""))
        if small is not plain:
            answer.set_data(small)
            answer.content_encoding = "gzip"
    return answer


def packed(plain: bytes, accepted: str) -> bytes:
    """Return words as gzip; as they are where that saves little or ``Accept-Encoding`` has none."""
    if len(plain) < _LEAST or not parse_accept_header(accepted)["gzip"] > 0:
        return plain
    return gzip.compress(plain, compresslevel=6, mtime=0)
