"""What a doctor or a lawyer can review: value sets, vaccines, countries, as TOML files.

A new entry needs no Python. The files are read from the package, wherever it is installed.
"""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from healthcert.data.valueset import ValueSet, from_toml
from healthcert.hcert.vaccine_codes import Vaccine
from healthcert.i18n import Lazy


@cache
def value_sets() -> Mapping[str, Mapping[str, str]]:
    """Return the codes of each EU value set with English words, by the EU's name of the set.

    The names are those that acceptance rules use, such as ``vaccines-covid-19-names``. Codes
    withdrawn since are kept, because certificates hold them.
    """
    return {name: found.codes for name, found in value_set_files().items()}


def words(name: str, language: str) -> Mapping[str, str]:
    """Return the codes of a value set with their words in a language, in English where it has none.

    Names of vaccines, of their makers and of test kits are the same in every language; those of
    countries are in Babel.
    """
    found = value_set_files()[name]
    return {**found.codes, **found.words.get(language, {})}


@cache
def value_set_files() -> Mapping[str, ValueSet]:
    """Return the files of value sets that come with this version, by the EU's name of the set."""
    folder = files(__name__) / "valuesets"
    found = [from_toml(file.read_text("utf-8")) for file in folder.iterdir()]
    return {value_set.name: value_set for value_set in found}


@cache
def vaccines() -> Mapping[str, Vaccine]:
    """Return the codes that go with the code of a vaccine, as `hcert.vaccine_codes` checks them."""
    return {
        code: Vaccine(codes["ma"], tuple(codes["vp"]), codes.get("withdrawn", False))
        for code, codes in table("vaccine-codes").items()
    }


def labels(name: str) -> Mapping[str, Lazy]:
    """Return words for codes, a table of ``labels.toml``, in the language spoken when shown."""
    return {code: Lazy(words) for code, words in table("labels")[name].items()}


def tags(name: str) -> Mapping[str, tuple[Lazy, str]]:
    """Return words for codes as `labels`, each with the colour of its tag."""
    return {code: (Lazy(words), colour) for code, (words, colour) in table("labels")[name].items()}


@cache
def table(name: str) -> Mapping[str, Any]:
    """Return what a file of ours says, such as ``labels.toml``."""
    return tomllib.loads((files(__name__) / f"{name}.toml").read_text("utf-8"))
