"""Our Jinja macros and the style sheets speak of the same components: every example agrees.

GOV.UK Frontend ships, for each component, examples and the HTML they must give. The macros
are another project's; a pair of versions that do not fit breaks forms silently.
"""

from __future__ import annotations

import html
import json
import re
from pathlib import Path

import pytest
from jinja2 import Environment, PackageLoader, PrefixLoader

MODULES = Path(__file__).resolve().parents[2] / "node_modules"
COMPONENTS = MODULES / "govuk-frontend" / "dist" / "govuk" / "components"
EXAMPLES = 657

pytestmark = pytest.mark.skipif(
    not COMPONENTS.is_dir(), reason=f"{EXAMPLES} examples NOT compared: run `make front` first"
)


def macro(component):
    name = "govuk" + "".join(word.capitalize() for word in component.split("-"))
    return (
        f'{{% from "govuk_frontend_jinja/components/{component}/macro.html" import {name} %}}'
        f"{{{{ {name}(params) }}}}"
    )


def plain(text):
    """Leave out what a browser does not see: spaces between tags, and how a sign is written."""
    text = re.sub(r"\s*(/?)>\s*", r"\1>", html.unescape(text))
    return re.sub(r"\s+", " ", re.sub(r"\s+<", "<", text)).strip()


def examples():
    for file in sorted(COMPONENTS.glob("*/fixtures.json")):
        told = json.loads(file.read_text(encoding="utf-8"))
        for example in told["fixtures"]:
            yield told["component"], example


def test_every_example_of_every_component_renders_the_same():
    loader = PrefixLoader({"govuk_frontend_jinja": PackageLoader("govuk_frontend_jinja")})
    jinja = Environment(loader=loader, autoescape=True)
    compared, different = 0, []
    for component, example in examples():
        made = jinja.from_string(macro(component)).render(params=example["options"])
        compared += 1
        if plain(made) != plain(example["html"]):
            different.append(f"{component}: {example['name']}")
    assert different == []
    assert compared == EXAMPLES


def test_the_versions_are_the_pair_that_was_compared():
    package = json.loads((MODULES / "govuk-frontend" / "package.json").read_text(encoding="utf-8"))
    assert package["version"] == "6.3.0"
