"""What to do about each fault of a table, by its code."""

from __future__ import annotations

from collections.abc import Mapping

ADVICE: Mapping[str, str] = {
    "missing": "fill it in",
    "unknown_column": "no such heading: correct it or take the column out",
    "twice": "the heading is there twice",
    "not_a_date": "write it as 2026-03-27; a birth date may be 1985 or 1985-03",
    "not_a_choice": "not one of the words it may be",
    "not_a_number": "not a number",
    "out_of_range": "too small or too large",
    "not_known": "we have none of that: take it in first, or correct it",
    "not_hours": "write them as Mo-Fr 08:30-12:30,13:30-16:00; Sa 09:00-12:00",
    "not_needed": "leave it empty",
    "not_a_phone_number": "write it with the country's code, such as +44 7700 900123",
    "not_a_mail_address": "write it as name@example.org",
    "not_latin": "use Latin letters, as in a passport",
    "contradicts_record": "the record says otherwise: correct the line, or ask for a correction",
    "before_release": "it ends before it was released",
    "several": "more than one fits: say which, with a code that is one product's or programme's",
    "too_long": "make it shorter",
    "too_deep": "no honest file nests so deep",
    "in_the_future": "it has not come yet",
    "not_a_country": "write it as two letters, such as FR",
    "wrong_type": "not of the kind that FHIR R4B gives it",
    "not_in_file": "it leads to nothing in this file: put it in",
    "not_a_resource": "no JSON object with a resource, or a field stands in it twice",
    "not_json": "neither a Bundle nor a resource a line",
    "not_fhir": "give a Bundle (collection, searchset, batch, transaction) or an Immunization",
    "not_text": "it holds a sign that is no text",
    "not_utf8": "save it as CSV in UTF-8",
    "not_a_table": "save it as CSV",
}
