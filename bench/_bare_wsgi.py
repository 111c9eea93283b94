"""The check of a certificate behind nothing but WSGI, and behind FastAPI where that is at hand.

For bench/http.py: it reads the bundle that the real server reads, by the same settings.
"""

from __future__ import annotations

import json
import os
from wsgiref.types import StartResponse, WSGIEnvironment

from healthcert.config import Settings
from healthcert.services.trusted import load_pins
from healthcert.services.verification import Verifier
from healthcert.web.moment import clock

_settings = Settings.from_env(os.environ)
verifier = Verifier(_settings.bundle, load_pins(_settings.pins_dir))


def app(environ: WSGIEnvironment, start: StartResponse) -> list[bytes]:
    """Answer any request as /api/v1/verify does."""
    asked = json.loads(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))
    answer = json.dumps(verifier.verdict(asked["barcode"], now=clock())).encode()
    start("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(answer)))])
    return [answer]
