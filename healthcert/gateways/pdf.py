"""Papers: Typst templates and words to tagged PDF (ISO 32000, PDF/UA-1 as ISO 14289-1).

The words come ready in the reader's language, as JSON; a template only sets them. A compiler
is kept by every thread, because starting one costs a hundred pages.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from importlib.resources import files
from pathlib import Path
from threading import local
from typing import Any, Literal

import typst

from healthcert.errors import NotReady

Template = Literal["certificate", "record"]

_MINE = local()


def paper(template: Template, told: Mapping[str, Any], *, made_at: datetime, qr: str = "") -> bytes:
    """Return a paper as PDF, its text selectable and read aloud in order.

    A name in a script that neither Noto Sans nor Amiri has is set in boxes; such a paper is
    tagged too, but does not call itself PDF/UA-1.

    `told` is what the template's head names, `qr` an SVG picture, where the template wants one.

    Raises:
        NotReady: The fonts have not been built.
    """
    source = _source(template)
    inputs = {"told": json.dumps(told, ensure_ascii=False), "qr": qr}
    try:
        return _written(source, inputs, made_at, "ua-1")
    except typst.TypstError:
        return _written(source, inputs, made_at, "1.7")


def _written(
    source: bytes, inputs: dict[str, str], made_at: datetime, standard: "typst.PDFStandard"
) -> bytes:
    made = _compiler().compile(
        source, format="pdf", sys_inputs=inputs, pdf_standards=[standard],
        timestamp=made_at.replace(microsecond=0),
    )  # fmt: skip
    if not isinstance(made, bytes):
        raise TypeError("Typst gave no PDF")
    return made


@cache
def _source(template: Template) -> bytes:
    return files("healthcert").joinpath("templates", template, f"{template}.typ").read_bytes()


def _compiler() -> typst.Compiler:
    if not hasattr(_MINE, "compiler"):
        _MINE.compiler = typst.Compiler(font_paths=_fonts(), ignore_system_fonts=True)
    kept: typst.Compiler = _MINE.compiler
    return kept


@cache
def _fonts() -> typst.Fonts:
    folder = Path(str(files("healthcert").joinpath("static", "fonts")))
    if not folder.is_dir():
        raise NotReady("Fonts are not built: run `make front`.")
    return typst.Fonts(
        include_system_fonts=False, include_embedded_fonts=False, font_paths=[folder]
    )
