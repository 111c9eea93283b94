"""The check of a certificate behind FastAPI, as its manual writes it; for bench/http.py."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel

from bench._bare_wsgi import verifier
from healthcert.web.moment import clock

app = FastAPI()


class Question(BaseModel):
    """What is asked."""

    barcode: str


@app.post("/")
def verify(asked: Question) -> dict[str, Any]:
    """Answer as /api/v1/verify does."""
    return verifier.verdict(asked.barcode, now=clock())
