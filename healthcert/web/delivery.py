"""How answers travel: built files as they lie on the disk, pages made small on the way.

The budget is a whole booking within 60 KB on a weak phone, so pages are compressed here and
not left to a proxy that may not be there.
"""

import gzip
import re
from importlib.resources import files
from pathlib import Path

from flask import Flask, Response, request
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
    ready = not answer.is_streamed and "Content-Encoding" not in answer.headers
    if ready and request.accept_encodings["gzip"] > 0:
        plain = answer.get_data()
        if len(plain) >= _LEAST:
            answer.set_data(gzip.compress(plain, compresslevel=6, mtime=0))
            answer.content_encoding = "gzip"
    return answer
