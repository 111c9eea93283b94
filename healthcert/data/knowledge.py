"""What medicine and law decide: vaccines, programmes and countries, read from files.

`data.checking` says what is wrong with a file before it is used. `content` is the file as it
stands, days as text, which is what the database keeps.
"""

import hashlib
import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, time, timedelta
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any, Literal

from healthcert.errors import BadKnowledge, BadSettings

Kind = Literal["vaccine", "programme", "country"]
FOLDERS = {"vaccine": "vaccines", "programme": "programmes", "country": "countries"}
_AS_WRITTEN = ("code", "names", "time_zone", "carer_days", "weeks_ahead")
_OF_CERTIFICATES = ("issuer", "uvci_issuer", "revocation_published", "test_days")


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
    """What a country decides: languages, places, and who issues its certificates."""

    code: str  # ISO 3166-1 alpha-2
    names: Mapping[str, str]  # by language
    languages: tuple[str, ...]  # ISO 639-1
    time_zone: str  # IANA
    of_age_years: int  # from when a person consents alone
    eid_number_claim: str  # claim of the eID that tells the national number, or empty
    carer_days: int  # how long somebody invited may act for another
    issuer: str  # ``is`` of its certificates
    uvci_issuer: str  # who issues, within a UVCI
    revocation_published: bool  # whether it publishes what it revokes
    test_days: int  # technical life of a test certificate
    recovery_days: tuple[int, int]  # from and until, after the first positive test
    recovery_tests: tuple[str, ...]  # value set ``covid-19-lab-test-type``
    towns: tuple[Place, ...]
    regions: Mapping[str, Mapping[str, str]]  # names by language, by code
    quiet_hours: tuple[time, time]  # from and until, on the clock of a site: the night
    release_hours: Mapping[str, int]  # before a slot, by pool: kept places nobody took open then
    serious_within: timedelta  # until a serious adverse event is to be assessed
    holidays: Mapping[date, Mapping[str, str]]  # names by language, by day; nothing is made then
    weeks_ahead: int  # how far ahead sessions are made
    deciders: tuple[Mapping[str, Any], ...]  # who may agree to a vaccination, see policy/consent


@cache
def sources(kind: Kind) -> tuple[Source, ...]:
    """Return the files of a kind that come with this version, by name."""
    return sources_in(files("healthcert").joinpath("data"), kind)


def sources_in(folder: Traversable, kind: Kind) -> tuple[Source, ...]:
    """Return the files of a kind in a folder laid out as ours; `BadKnowledge` if one is no TOML."""
    inner = folder.joinpath(FOLDERS[kind])
    entries = sorted(inner.iterdir(), key=lambda entry: entry.name) if inner.is_dir() else []
    return tuple(
        source_of(kind, entry.name.removesuffix(".toml"), entry.read_bytes())
        for entry in entries
        if entry.name.endswith(".toml")
    )


def source_of(kind: Kind, name: str, raw: bytes) -> Source:
    """Return a knowledge file, read; `BadKnowledge` if it is no TOML."""
    try:
        read = tomllib.loads(raw.decode())
    except ValueError as error:
        advice = "Look there for a missing quotation mark, bracket or equals sign."
        raise BadKnowledge(f"{name}.toml cannot be read: {error}. {advice}") from None
    content = json.loads(json.dumps(read, default=str))
    written = json.dumps([kind, content], sort_keys=True, ensure_ascii=False).encode()
    return Source(kind, name, content, hashlib.sha256(written).hexdigest())


def workflow(content: Mapping[str, Any], kind: str) -> Workflow:
    """Return how a country's file decides a kind of request; `KeyError` if it decides none."""
    told = content["workflows"][kind]
    steps = tuple((step["act"], step["role"]) for step in told["steps"])
    return Workflow(kind, told["hours"], tuple(told["reasons"]), steps)


@cache
def country(code: str) -> Country:
    """Return what we know of a country; `BadSettings` if no file tells of it."""
    for source in sources("country"):
        if source.content["code"] == code:
            return _country(source.content)
    raise BadSettings(f"HEALTHCERT_COUNTRY is {code}, of which no file in data/countries tells.")


def _country(content: Mapping[str, Any]) -> Country:
    certificates, quiet = content["certificates"], content["booking"]["quiet_hours"]
    return Country(
        **{name: content[name] for name in _AS_WRITTEN},
        **{name: certificates[name] for name in _OF_CERTIFICATES},
        languages=tuple(content["languages"]),
        of_age_years=content["consent_age_years"],
        eid_number_claim=content.get("eid_number_claim", ""),
        recovery_days=(certificates["recovery_from_day"], certificates["recovery_until_day"]),
        recovery_tests=tuple(certificates["recovery_tests"]),
        towns=tuple(Place(**town) for town in content["towns"]),
        regions={region["code"]: region["names"] for region in content["regions"]},
        quiet_hours=(time(quiet["from"]), time(quiet["until"])),
        release_hours=content["booking"]["release_hours"],
        serious_within=timedelta(hours=content["adverse_events"]["serious_hours"]),
        holidays={
            date.fromisoformat(each["on"]): each["names"] for each in content.get("holidays", ())
        },
        deciders=tuple(content["consent"]["deciders"]),
    )
