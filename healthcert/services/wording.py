"""The words of messages, by template; short, since each letter of a text message costs."""

from collections.abc import Mapping
from datetime import date, datetime
from functools import lru_cache
from typing import NamedTuple

from healthcert.i18n import Lazy, format_date, format_datetime, gettext, lazy, use

_PLAIN = str.maketrans("\u202f\u00a0\u2019", "  '")


class Template(NamedTuple):
    """A message: what a mail is headed, and what is said."""

    subject: Lazy
    text: Lazy


TEMPLATES: Mapping[str, Template] = {
    "booked": Template(lazy("Your vaccination appointment"), lazy(
        "You are booked: %(when)s, %(place)s. Reference %(reference)s. Bring a document with your "
        "name if you have one."
    )),
    "moved": Template(lazy("Your vaccination appointment has moved"), lazy(
        "Your appointment is now: %(when)s, %(place)s. Your new reference is %(reference)s."
    )),
    "rebooked": Template(lazy("Your vaccination appointment has a new time"), lazy(
        "Your appointment cannot take place as planned. Your new one: %(when)s, %(place)s. "
        "Reference %(reference)s. You may choose another time."
    )),
    "unplaced": Template(lazy("Your vaccination appointment cannot take place"), lazy(
        "Your appointment %(reference)s cannot take place, and no other was free. We are sorry. "
        "Book another at any time."
    )),
    "cancelled": Template(lazy("Your vaccination appointment is cancelled"), lazy(
        "Your appointment %(reference)s is cancelled. You can book another at any time."
    )),
    "waiting": Template(lazy("You are on the waiting list"), lazy(
        "You are on the waiting list: %(programme)s. We write to you when a place is free."
    )),
    "waiting_left": Template(lazy("You have left the waiting list"), lazy(
        "You are no longer on the waiting list: %(programme)s."
    )),
    "waiting_lapsed": Template(lazy("You are no longer on the waiting list"), lazy(
        "We offered you two places and did not hear from you, so you are no longer on the waiting "
        "list: %(programme)s. You can join again at any time."
    )),
    "offer": Template(lazy("A place is free for you"), lazy(
        "A place is free for you: %(when)s, %(place)s. Answer by %(until)s: sign in at %(link)s "
        "with your reference or the number of your document."
    )),
    "offer_gone": Template(lazy("The place is taken"), lazy(
        "The place we offered you is taken or no longer there. You are still on the waiting list, "
        "where you were: %(programme)s."
    )),
    "replanned": Template(lazy("Your next vaccination has another time"), lazy(
        "Your next dose must be at another time than was planned. Your appointment is now: "
        "%(when)s, %(place)s. Your new reference is %(reference)s."
    )),
    "too_early": Template(lazy("Your next vaccination needs another time"), lazy(
        "Your appointment %(reference)s would be too early after your last dose, and no other was "
        "free. It is cancelled. Please book another."
    )),
    "put_off": Template(lazy("Your vaccination was put off"), lazy(
        "Your vaccination was put off: %(programme)s. You can be vaccinated from %(day)s on. "
        "Book an appointment for that day or later."
    )),
    "reminder": Template(lazy("Your vaccination is soon"), lazy(
        "Your vaccination: %(when)s, %(place)s. Reference %(reference)s. If you cannot come, "
        "please cancel, so that somebody else can have the place."
    )),
    "missed": Template(lazy("You missed your vaccination"), lazy(
        "We missed you on %(when)s at %(place)s. You can book another appointment at any time."
    )),
    "code": Template(lazy("Your code"), lazy(
        "Your code is %(code)s. It holds for 10 minutes. Tell it to nobody: we never ask for it."
    )),
    "carer_code": Template(lazy("Your code for somebody who helps you"), lazy(
        "Your code is %(code)s. Whoever you tell it to within 10 minutes may act for you, as you "
        "chose. Tell it to nobody else."
    )),
    "proxy_begun": Template(lazy("Somebody acts for another"), lazy(
        "%(proxy)s may act for %(name)s until %(when)s. Either can end it at any time."
    )),
    "proxy_ended": Template(lazy("Somebody no longer acts for another"), lazy(
        "%(proxy)s no longer acts for %(name)s."
    )),
    "dose_recorded": Template(lazy("Your vaccination is recorded"), lazy(
        "Your dose of %(product)s of %(when)s is recorded. See your record with reference "
        "%(reference)s."
    )),
    "dose_unbooked": Template(lazy("Your vaccination is recorded"), lazy(
        "Your dose of %(product)s of %(when)s is recorded. You see it in your record."
    )),
    "certificate_ready": Template(lazy("Your certificate is ready"), lazy(
        "Your certificate is ready. Open your record to see, save or print it."
    )),
    "certificate_revoked": Template(lazy("Your certificate no longer holds"), lazy(
        "A certificate of yours was withdrawn, because the record it rests on was corrected. A new "
        "one follows where the record still counts. If you think this is wrong, ask at the place "
        "that wrote it down."
    )),
    "certificate_key_lost": Template(lazy("Your certificate no longer holds"), lazy(
        "A certificate of yours was withdrawn, because the key that signed it was lost. Your "
        "record is unchanged. A new certificate follows; you need not do anything."
    )),
    "certificate_withdrawn": Template(lazy("Your certificate no longer holds"), lazy(
        "A certificate of yours was withdrawn, because there is doubt about how it came to be. "
        "Your record stays. If you were vaccinated or tested, appeal at any vaccination site with "
        "reference %(reference)s: you get a new one when that is confirmed."
    )),
    "certificate_replaced": Template(lazy("Your old certificate no longer holds"), lazy(
        "A certificate of yours was replaced, through no fault of yours. The new one is in your "
        "record. If it is not, appeal with reference %(reference)s."
    )),
    "dose_corrected": Template(lazy("Your record was corrected"), lazy(
        "A dose on your record was marked as entered in error. If you think this is wrong, ask at "
        "the place where you were vaccinated."
    )),
    "dose_subpotent": Template(lazy("A dose of yours does not count"), lazy(
        "A dose on your record does not count, because the vaccine may have lost its strength. It "
        "does no harm. Ask at the place where you were vaccinated for another."
    )),
    "finding_corrected": Template(lazy("Your record was corrected"), lazy(
        "A test or recovery on your record was marked as entered in error. If you think this is "
        "wrong, ask at the place that wrote it down."
    )),
    "lot_recalled": Template(lazy("A batch of vaccine was recalled"), lazy(
        "A batch of vaccine was recalled, and a dose of yours came from it. That dose does not "
        "count: ask where you were vaccinated, or book another. If you feel unwell, ask a doctor."
    )),
}  # fmt: skip


def words(
    template: str, language: str, fields: Mapping[str, object], time_zone: str
) -> tuple[str, str]:
    """Return subject and text of a message in a language.

    Of the fields that it names, days are written out, and moments on the clock of `time_zone`
    (IANA); a mapping is names by language. Spaces and apostrophes are plain: finer ones are not in
    the alphabet of 7 bits (3GPP TS 23.038), and one alone would halve what a text message holds.
    """
    chosen = TEMPLATES[template]
    with use(language):
        said = {name: _said(value, language, time_zone) for name, value in fields.items()}
        text = gettext(chosen.text.message, **said)
        return gettext(chosen.subject.message), text.translate(_PLAIN)


def _said(value: object, language: str, time_zone: str) -> object:
    if isinstance(value, datetime):
        return _moment(value, language, time_zone)
    if isinstance(value, date):
        return format_date(value)
    if isinstance(value, Mapping):
        return value.get(language) or next(iter(value.values()))
    return value


@lru_cache(maxsize=4096)  # all who come at one time are told the same
def _moment(value: datetime, _language: str, time_zone: str) -> str:
    return format_datetime(value, time_zone)
