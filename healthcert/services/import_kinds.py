"""The kinds of tables that are taken in, by name, and a file of one as lines."""

from collections.abc import Mapping

from sqlalchemy.orm import Session

from healthcert.services import fhir_file, fhir_reading, import_doses, sheets
from healthcert.services.cells import Kind
from healthcert.services.import_lots import LOTS
from healthcert.services.import_people import PEOPLE
from healthcert.services.import_places import SITES, STAFF
from healthcert.services.sheets import Line

KINDS: Mapping[str, Kind] = {
    kind.name: kind for kind in (PEOPLE, SITES, STAFF, LOTS, import_doses.DOSES)
}


def lines_of(db: Session, kind: str, raw: bytes) -> list[Line]:
    """Return the lines of a file, a table or FHIR.

    Raises:
        BadInput: See `sheets.read` and `fhir_file.entries`.
    """
    if kind == "doses" and fhir_file.is_fhir(raw):
        return fhir_reading.read(raw, vaccines=import_doses.vaccines(db))
    return sheets.read(raw, columns=KINDS[kind].columns, required=KINDS[kind].required)
