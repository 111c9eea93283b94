"""What a doctor or a lawyer can review: value sets, vaccines, countries, as TOML files.

A new entry needs no Python. The files are read from the package, wherever it is installed.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from healthcert.hcert.writing import Vaccine


@cache
def value_sets() -> Mapping[str, Mapping[str, str]]:
    """Return the codes of each EU value set with English words, by the EU's name of the set.

    The names are those that acceptance rules use, such as ``vaccines-covid-19-names``. Codes
    withdrawn since are kept, because certificates hold them.
    """
    tables = {}
    for file in (files(__name__) / "valuesets").iterdir():
        table = tomllib.loads(file.read_text("utf-8"))
        tables[table["id"]] = table["codes"]
    return tables


@cache
def vaccines() -> Mapping[str, Vaccine]:
    """Return the codes that go with the code of a vaccine, as `hcert.writing` checks them."""
    table = tomllib.loads((files(__name__) / "vaccine-codes.toml").read_text("utf-8"))
    return {
        code: Vaccine(codes["ma"], tuple(codes["vp"]), codes.get("withdrawn", False))
        for code, codes in table.items()
    }
