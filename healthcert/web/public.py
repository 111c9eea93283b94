"""The front door: what anybody can do here."""

from __future__ import annotations

from flask import Blueprint, render_template

bp = Blueprint("public", __name__)


@bp.get("/")
def home() -> str:
    """Show the ways in."""
    return render_template("public/home.html")
