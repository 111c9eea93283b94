"""What medicine and law decide: vaccines, programmes and countries, read from files.

A file that is wrong is our own mistake, so a `KeyError` or `ValueError` may stop the start;
`content` is the file as it stands, which is what the database keeps.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal

from healthcert.errors import BadSettings
from healthcert.policy.schedule import Series

Kind = Literal["vaccine", "programme", "country"]
_FOLDERS: Mapping[Kind, str] = {
    "vaccine": "vaccines",
    "programme": "programmes",
    "country": "countries",
}


@dataclass(frozen=True, slots=True)
class Source:
    """One knowledge file: what it is, its name, its content and the hash of that content."""

    kind: Kind
    name: str
    content: dict[str, Any]
    sha256: str


@dataclass(frozen=True, slots=True)
class Place:
    """A town: code, region, position in degrees (WGS 84), names by language."""

    code: str
    region: str
    latitude: float
    longitude: float
    names: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Workflow:
    """How a kind of request is decided: (act, role) in order, the reasons there are, and hours."""

    kind: str
    hours: int
    reasons: tuple[str, ...]
    steps: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Country:
    """What a country decides: languages, places, and who issues its certificates.

    Attributes:
        code: ISO 3166-1 alpha-2.
        names: Of the country, by language.
        languages: Its languages, ISO 639-1.
        time_zone: IANA name.
        calling_code: Digits without the plus sign, put before numbers that begin with a nought.
        issuer: ``is`` of its certificates.
        uvci_issuer: Who issues, within a UVCI.
        revocation_published: Whether it publishes what it revokes.
        towns: Where people look for a place to go.
        regions: Names by language, by code.
    """

    code: str
    names: Mapping[str, str]
    languages: tuple[str, ...]
    time_zone: str
    calling_code: str
    issuer: str
    uvci_issuer: str
    revocation_published: bool
    towns: tuple[Place, ...]
    regions: Mapping[str, Mapping[str, str]]


@cache
def sources(kind: Kind) -> tuple[Source, ...]:
    """Return the files of a kind that come with this version, by name."""
    folder = files("healthcert").joinpath("data", _FOLDERS[kind])
    found = sorted((entry.name, entry.read_text("utf-8")) for entry in folder.iterdir())
    return tuple(
        _source(kind, name.removesuffix(".toml"), tomllib.loads(text))
        for name, text in found
        if name.endswith(".toml")
    )


def workflow(content: Mapping[str, Any], kind: str) -> Workflow:
    """Return how a country decides a kind of request, from the content of its file.

    Raises:
        KeyError: It decides none of that kind.
    """
    told = content["workflows"][kind]
    steps = tuple((step["act"], step["role"]) for step in told["steps"])
    return Workflow(kind, told["hours"], tuple(told["reasons"]), steps)


@cache
def country(code: str) -> Country:
    """Return what we know of a country.

    Raises:
        BadSettings: No file tells of it.
    """
    for source in sources("country"):
        if source.content["code"] == code:
            return _country(source.content)
    raise BadSettings(f"HEALTHCERT_COUNTRY is {code}, of which no file in data/countries tells.")


def series(content: Mapping[str, Any]) -> Series:
    """Return the rule of a product, from the content of its vaccine file."""
    rule = content["series"]
    return Series(
        doses=rule["doses"],
        min_interval=rule["min_interval_days"],
        target_interval=rule["target_interval_days"],
        booster_interval=rule["booster_interval_days"],
        grace=rule["grace_days"],
        min_age=rule["min_age_years"],
        booster_total=rule["booster_total"],
    )


def _source(kind: Kind, name: str, content: dict[str, Any]) -> Source:
    written = json.dumps([kind, content], sort_keys=True, ensure_ascii=False).encode()
    return Source(kind, name, content, hashlib.sha256(written).hexdigest())


def _country(content: Mapping[str, Any]) -> Country:
    certificates = content["certificates"]
    return Country(
        code=content["code"],
        names=content["names"],
        languages=tuple(content["languages"]),
        time_zone=content["time_zone"],
        calling_code=content["calling_code"],
        issuer=certificates["issuer"],
        uvci_issuer=certificates["uvci_issuer"],
        revocation_published=certificates["revocation_published"],
        towns=tuple(Place(**town) for town in content["towns"]),
        regions={region["code"]: region["names"] for region in content["regions"]},
    )
