"""Papers: a record and a certificate as PDF, in the reader's words, on the country's clock."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from markupsafe import Markup

from healthcert import i18n
from healthcert.gateways import pdf
from healthcert.hcert import qr
from healthcert.i18n import gettext as _
from healthcert.services.holding import Held, HeldCertificate
from healthcert.services.looks import Access
from healthcert.services.my_record import Record
from healthcert.web import facts, labels
from healthcert.web.here import parts
from healthcert.web.labels import in_words
from healthcert.web.moment import now

_Line = tuple[str, str]
_Told = dict[str, Any]
_APART = "\N{FIRST STRONG ISOLATE}%s\N{POP DIRECTIONAL ISOLATE}"


def certificate(held: Held) -> bytes:
    """Return a certificate on paper, with its code."""
    found, details = held.certificate, held.details
    told = _paper(str(labels.CERTIFICATE_KINDS[found.kind])) | {
        "name": f"{details.given} {details.family}".strip(),
        "machine_name": _APART % labels.machine_name(details),
        "alt": _("The code of your certificate"),
        "rows": _lines(
            (_("Date of birth"), i18n.format_known(details.birth_date)),
            *_stated(found, parts().country.time_zone),
            (_("Identifier"), found.uvci),
        ),
        "lead": [_("Show this code together with your photo ID.")],
    }
    return pdf.paper("certificate", told, made_at=now(), qr=qr.svg(held.text))


def _stated(found: HeldCertificate, zone: str) -> list[_Line]:
    """Return what a certificate states, beside who holds it."""
    until = _("Valid until"), i18n.format_date(found.expires_at) if found.expires_at else ""
    if found.kind == "v":
        doses = _("%(dn)s of %(sd)s", dn=found.dn, sd=found.sd)
        given = _("Given on"), i18n.format_date(found.day)
        return [(_("Dose"), doses), (_("Vaccine"), found.product), given, until]
    said = facts.stated(found.told, zone)
    lines = [(str(name), Markup(str(value)).striptags()) for name, value in said]  # noqa: S704 - our own words
    return lines if found.kind == "r" else [*lines, until]


def record(told: Record) -> bytes:
    """Return a record on paper."""
    held, zone = told.held, parts().country.time_zone
    made = i18n.format_datetime(told.made_at, zone)
    lead = _("Everything we hold about you, as of %(when)s.", when=made)
    more = _("The file for programs holds the same and the inner numbers of every row.")
    said = _paper(_("My record")) | {
        "lead": [lead, more],
        "parts": [
            _part(_("Your details"), [_person(row) for row in held["person"]]),
            _part(_("Appointments"), [_appointment(row) for row in held["appointment"]]),
            _part(_("Doses on record"), [_dose(row) for row in held["dose"]]),
            _part(_("Certificates"), [_certificate(row) for row in held["certificate"]]),
            _part(_("Messages"), [_message(row, zone) for row in held["message"]]),
            _part(_("Who looked at my record"), [_seen(one, zone) for one in told.seen]),
        ],
    }
    return pdf.paper("record", said, made_at=now())


def _paper(title: str) -> _Told:
    return {
        "lang": i18n.language(),
        "dir": i18n.direction(),
        "service": _("Vaccination service"),
        "title": title,
    }


def _part(heading: str, rows: list[list[_Line]]) -> _Told:
    return {"heading": heading, "empty": _("Nothing."), "rows": rows}


def _lines(*lines: _Line) -> list[_Line]:
    """Return the lines that say something, each value kept apart from the direction around it."""
    return [(key, _APART % value) for key, value in lines if value]


def _person(row: Mapping[str, Any]) -> list[_Line]:
    identity = row["identity"]
    return _lines(
        (_("Name"), _joined(row["given"], row["family"])),
        (_("Name in Latin letters"), _joined(row["given_latin"], row["family_latin"])),
        (_("Date of birth"), i18n.format_known(row["birth_date"])),
        (_("Sex"), str(labels.SEX[row["sex"]])),
        (_("Phone number"), row["phone"]),
        (_("Mail address"), row["mail"]),
        (_("Kind of document"), str(labels.IDENTITIES[identity["kind"]])),
        (_("Number of the document"), identity["value"]),
    )


def _appointment(row: Mapping[str, Any]) -> list[_Line]:
    return _lines(
        (_("Appointment"), _moment(row["starts_at"], row["time_zone"])),
        (_("Place"), in_words(row["place"])),
        (_("Dose"), str(row["dose_number"])),
        (_("State"), str(labels.APPOINTMENTS[row["state"]][0])),
        (_("Reference"), row["reference"]),
    )


def _dose(row: Mapping[str, Any]) -> list[_Line]:
    return _lines(
        (_("Given on"), i18n.format_known(row["day"])),
        (_("Vaccine"), row["product"]),
        (_("Lot"), row["lot"]),
        (_("Place"), in_words(row["place"])),
        (_("What it counts as"), str(labels.COUNTS[row["counts"]])),
    )


def _certificate(row: Mapping[str, Any]) -> list[_Line]:
    return _lines(
        (_("Identifier"), row["uvci"]),
        (_("State"), str(labels.CERTIFICATES[row["state"]][0])),
        (_("Dose"), _("%(dn)s of %(sd)s", dn=row["dn"], sd=row["sd"]) if row["dn"] else ""),
    )


def _message(row: Mapping[str, Any], zone: str) -> list[_Line]:
    return _lines(
        (_("Sent"), _moment(row["due_at"], zone)),
        (_("To"), row.get("to", "")),
        (_("Text"), row.get("text", "") or _("Deleted")),
    )


def _seen(one: Access, zone: str) -> list[_Line]:
    return _lines(
        (_("When"), i18n.format_datetime(one.at, zone)),
        (_("Role"), str(labels.LOOKED[one.role])),
        (_("Place"), in_words(one.site)),
        (_("Why"), str(labels.SEEN_BECAUSE[one.reason])),
    )


def _moment(told: str, zone: str) -> str:
    return i18n.format_datetime(datetime.fromisoformat(told), zone)


def _joined(*parts: str) -> str:
    return " ".join(filter(None, parts))
