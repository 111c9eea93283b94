"""The addresses of the interface, its document, and the page that explains it to people."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, render_template

from healthcert.web.api import anybody, citizen, clinic, desk, parties, supply, waiting
from healthcert.web.api.deeds import PREFIX
from healthcert.web.api.document import document
from healthcert.web.api.frame import register

AUDIENCES = (anybody, parties, waiting, citizen, clinic, desk, supply)  # entered by importing

bp = Blueprint("v1", __name__, url_prefix=PREFIX)
register(bp)
about = Blueprint("about_api", __name__, url_prefix="/api")


@about.get("/openapi.json")
def openapi() -> Response:
    """Give the document."""
    return jsonify(document())


@about.get("/")
def page() -> str:
    """Show what programs can ask for."""
    return render_template("public/api.html", told=document())
