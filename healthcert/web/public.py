"""The front door: what anybody can do here, and the draws, for anybody to compute again."""

from uuid import UUID

from flask import Blueprint, Response, render_template, send_file

from healthcert.errors import NotFound
from healthcert.gateways import draw_files
from healthcert.services import desk
from healthcert.services import draws as service
from healthcert.web.here import parts

bp = Blueprint("public", __name__)


@bp.get("/")
def home() -> str:
    """Show the ways in."""
    return render_template("public/home.html")


@bp.get("/draws", defaults={"draw_id": None})
@bp.get("/draws/<uuid:draw_id>")
def draws(draw_id: UUID | None) -> str:
    """Show the draws, or one, with its rules and its files."""
    with parts().doors.reading() as db:
        found = service.every(db, draw_id=draw_id)
        its = {draw.programme_id for draw, _names in found}
        groups = {
            one.id: service.groups(db, one, parts().country)
            for one in (desk.programmes(db) if its else ()) if one.id in its
        }  # fmt: skip
    if draw_id and not found:
        raise NotFound
    folder = parts().settings.draws_dir
    files = {draw.id: draw_files.there(folder / str(draw.id)) for draw, _names in found}
    return render_template(
        "public/draws.html", draws=found, files=files, moment=service.moment, groups=groups
    )


@bp.get("/draws/<uuid:draw_id>/<any('manifest.json', 'list.txt', 'ranks.txt'):name>")
def draw_file(draw_id: UUID, name: str) -> Response:
    """Give a public file of a draw."""
    path = parts().settings.draws_dir / str(draw_id) / name
    if not path.is_file():
        raise NotFound
    return send_file(path, as_attachment=True, conditional=True, max_age=60)
