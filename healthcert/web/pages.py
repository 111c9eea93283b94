"""What every page is made with: templates, components, words, and the language of its reader.

In a template, without importing anything:

    {{ _("Your reference is %(ref)s", ref=reference|bdi("hc-reference")) }}
    {{ appointment.starts_at|datetime(site.zone) }}     {{ person.birth_date|birth }}
    {{ lang }}  {{ dir }}  {{ languages }}  {{ asset("front.css") }}

These are globals, not variables of one render, so macros see them without ``with context``.
"""

import json
from dataclasses import dataclass
from datetime import date, datetime
from importlib.resources import files
from urllib.parse import urlencode

from flask import Flask, Response, request
from jinja2 import ChoiceLoader, PackageLoader, PrefixLoader, Template
from jinja2.environment import TemplateModule
from markupsafe import Markup
from werkzeug.local import LocalProxy

from healthcert import i18n
from healthcert.config import Settings
from healthcert.errors import NotReady
from healthcert.web import forms, refusals

COOKIE = "healthcert_language"
_YEAR = 365 * 24 * 60 * 60


class _Page(Template):
    """A template with the globals of the environment and no others, as all of ours.

    Components import others each time they are called; to look whether globals differ there would
    take a sixth of what a page costs.
    """

    def _get_default_module(self, _ctx: object = None) -> TemplateModule:
        return super()._get_default_module()


@dataclass(frozen=True, slots=True)
class Choice:
    """One language of the switcher: the same page, spoken differently."""

    code: str  # the language, as in ``lang``
    name: str  # its name in itself
    href: str  # the page now shown, in it
    current: bool  # whether it is the one now spoken


def init_pages(app: Flask, settings: Settings, *, zone: str = "UTC") -> None:
    """Let an application render our pages in the languages it has enabled.

    Register this before anything that speaks, since it sets the language of each request.

    Args:
        app: The application.
        settings: Tells the enabled languages, and whether cookies need https.
        zone: The clock by which times are told where a page names no other.

    Raises:
        NotReady: Styles and scripts have not been built.
    """
    names = built()
    jinja = app.jinja_env
    jinja.loader = ChoiceLoader(
        [
            PackageLoader("healthcert"),
            PrefixLoader({"govuk_frontend_jinja": PackageLoader("govuk_frontend_jinja")}),
        ]
    )
    jinja.template_class = _Page
    jinja.add_extension("jinja2.ext.i18n")
    jinja.add_extension("jinja2.ext.do")
    jinja.install_gettext_callables(  # type: ignore[attr-defined]
        i18n.gettext, i18n.ngettext, newstyle=True
    )
    jinja.globals.update(
        asset=lambda name: f"/static/{names[name]}",
        lang=LocalProxy(i18n.language),
        dir=LocalProxy(i18n.direction),
        languages=LocalProxy(lambda: choices(settings.languages)),
        environment=settings.env,
        field_params=forms.field_params,
        option_params=forms.option_params,
        sent=refusals.sent,
    )
    jinja.filters.update(
        bdi=bdi,
        indent=lambda text, *_width: text,  # of components; for eyes alone, a sixth of some pages
        date=lambda value, zone=zone, length="long": _moment(
            value, i18n.format_date(value, zone, length=length)
        ),
        birth=lambda told, length="long": _moment(told, i18n.format_known(told, length=length)),
        time=lambda value, zone=zone: _moment(value, i18n.format_time(value, zone)),
        datetime=lambda value, zone=zone, length="full": _moment(
            value, i18n.format_datetime(value, zone, length=length)
        ),
        number=lambda value: bdi(i18n.format_number(value), "hc-number"),
    )
    app.before_request(lambda: _speak(settings.languages))
    app.after_request(lambda answer: _remember(answer, settings))


def built() -> dict[str, str]:
    """Return the names, with hash, of the built files by plain names; `NotReady` without any."""
    manifest = files("healthcert").joinpath("static", "manifest.json")
    if not manifest.is_file():
        raise NotReady("Styles and scripts are not built: run `make front`.")
    names: dict[str, str] = json.loads(manifest.read_text(encoding="utf-8"))
    return names


def choices(enabled: tuple[str, ...]) -> list[Choice]:
    """Return the languages to offer on the page now shown."""
    asked = [(name, value) for name, value in request.args.items(multi=True) if name != "lang"]
    return [
        Choice(code, name, f"?{urlencode([*asked, ('lang', code)])}", code == i18n.language())
        for code, name in i18n.names(enabled).items()
    ]


def bdi(value: object, classes: str = "") -> Markup:
    """Return a value isolated from the direction around it: numbers, codes, Latin names."""
    mark = Markup(' class="{}"').format(classes) if classes else ""
    return Markup("<bdi{}>{}</bdi>").format(mark, value)


def _moment(value: date | datetime | str, words: str) -> Markup:
    """Return a day or a moment for people and for programs, isolated like `bdi`."""
    told = value if isinstance(value, str) else value.isoformat()
    return Markup('<time datetime="{}" dir="auto">{}</time>').format(told, words)


def _speak(enabled: tuple[str, ...]) -> None:
    """Choose the language: asked for in the address, then the last choice, then the browser's.

    Programs say it in the header alone.
    """
    if not request.path.startswith("/api/v"):
        for wish in (request.args.get("lang"), request.cookies.get(COOKIE)):
            if wish in enabled:
                i18n.use(wish)
                return
    i18n.use(i18n.best(request.headers.get("Accept-Language"), enabled))


def _remember(answer: Response, settings: Settings) -> Response:
    """Keep an explicit choice, and tell caches and readers what the answer depends on."""
    if answer.mimetype != "text/html":
        return answer
    wish = request.args.get("lang")
    if wish in settings.languages:
        answer.set_cookie(
            COOKIE,
            wish,
            max_age=_YEAR,
            secure=settings.base_url.startswith("https:"),
            httponly=True,
            samesite="Lax",
        )
    answer.content_language.add(i18n.language())
    answer.vary.update(("Accept-Language", "Cookie"))
    return answer
