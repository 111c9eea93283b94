"""The kinds of tables that are taken in, by name."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from healthcert.services.import_doses import DOSES
from healthcert.services.import_lots import LOTS
from healthcert.services.import_people import PEOPLE
from healthcert.services.import_places import SITES, STAFF
from healthcert.services.importing import Kind

KINDS: Mapping[str, Kind] = MappingProxyType(
    {kind.name: kind for kind in (PEOPLE, SITES, STAFF, LOTS, DOSES)}
)
