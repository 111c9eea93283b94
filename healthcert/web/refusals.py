"""The one table of what each refusal is over HTTP: status, what happened, what to do."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus

from healthcert import errors
from healthcert.i18n import Lazy
from healthcert.i18n import lazy as _


@dataclass(frozen=True, slots=True)
class Answer:
    """What a refusal is over HTTP: its status, what happened, and what the reader can do."""

    status: HTTPStatus
    title: Lazy
    advice: Lazy


_S = HTTPStatus
TRY_LATER = _("Wait a few minutes, then try again. Nothing you did is lost.")

ANSWERS: dict[type[errors.Refusal], Answer] = {
    errors.Refusal: Answer(
        _S.BAD_REQUEST, _("This cannot be done"), _("Go back and try another way.")
    ),
    errors.BadInput: Answer(
        _S.BAD_REQUEST,
        _("Something you entered cannot be used"),
        _("Go back, correct what is marked, and send it again."),
    ),
    errors.StillRunning: Answer(
        _S.CONFLICT,
        _("The first request with this key is still running"),
        _("Wait a moment, then send the same request again."),
    ),
    errors.BadRows: Answer(
        _S.BAD_REQUEST,
        _("Lines of this table cannot be used"),
        _("Correct the lines that are named, and send the whole table again. None was taken in."),
    ),
    errors.NotFound: Answer(
        _S.NOT_FOUND,
        _("Page not found"),
        _("Check the address. If you followed a link, start again from the first page."),
    ),
    errors.NotSignedIn: Answer(
        _S.UNAUTHORIZED, _("Sign in first"), _("This part is for people who are signed in.")
    ),
    errors.NotAllowed: Answer(
        _S.FORBIDDEN,
        _("You may not do this"),
        _("Your role does not include this. Ask your administrator if it should."),
    ),
    errors.ProveAgain: Answer(
        _S.FORBIDDEN,
        _("Show again who you are"),
        _("This is a grave step: sign in again, then repeat it within five minutes."),
    ),
    errors.PageExpired: Answer(
        _S.BAD_REQUEST,
        _("This page has expired"),
        _("Go back, reload the page, and send it again. What you typed may still be there."),
    ),
    errors.TooMany: Answer(
        _S.TOO_MANY_REQUESTS,
        _("This was tried too often"),
        _("Nothing is lost. Wait a while, then try again."),
    ),
    errors.TooManyLooks: Answer(
        _S.TOO_MANY_REQUESTS,
        _("You have opened too many records for now"),
        _("Ask your administrator, who has been told. People who are expected today still open."),
    ),
    errors.MustWait: Answer(
        _S.SERVICE_UNAVAILABLE,
        _("It is not your turn yet"),
        _("Many people want to book just now. Get a ticket in the waiting room."),
    ),
    errors.AnothersTicket: Answer(
        _S.FORBIDDEN,
        _("This ticket is for somebody else"),
        _("Book with the document or phone number it was taken with, or get one of your own."),
    ),
    errors.BadCode: Answer(
        _S.FORBIDDEN,
        _("That code does not work"),
        _("Check the newest message you got, or ask for a new code."),
    ),
    errors.SlotFull: Answer(
        _S.CONFLICT,
        _("This time has just been taken"),
        _("Choose another time. You do not have to type anything again."),
    ),
    errors.AlreadyBooked: Answer(
        _S.CONFLICT,
        _("We cannot book with these details"),
        _("If you already have an appointment, use its reference to see or change it."),
    ),
    errors.TimesOverlap: Answer(
        _S.CONFLICT,
        _("You have another appointment at that time"),
        _("Choose another time."),
    ),
    errors.NotEligible: Answer(
        _S.CONFLICT,
        _("This vaccination is not open to you yet"),
        _("Look again later, or ask at a vaccination site."),
    ),
    errors.WrongState: Answer(
        _S.CONFLICT,
        _("This has changed in the meantime"),
        _("Load the page again to see how it stands now."),
    ),
    errors.NeedsAnother: Answer(
        _S.CONFLICT,
        _("Somebody else has to do this step"),
        _("You have acted on this request before. Ask a colleague to decide it."),
    ),
    errors.SignerUnavailable: Answer(
        _S.SERVICE_UNAVAILABLE,
        _("The certificate is not signed yet"),
        _("It will be signed as soon as possible. Nothing is lost."),
    ),
    errors.NotProved: Answer(
        _S.FORBIDDEN,
        _("That did not prove who you are"),
        _("Go back and try again, or use another way to sign in."),
    ),
    errors.LastKey: Answer(
        _S.CONFLICT,
        _("This is your only passkey"),
        _("Add another one first: without any you could not sign in again."),
    ),
    errors.ProviderAway: Answer(
        _S.SERVICE_UNAVAILABLE,
        _("The identity provider does not answer"),
        _("Wait a few minutes, then try again, or use another way to sign in."),
    ),
    errors.NotReady: Answer(
        _S.SERVICE_UNAVAILABLE, _("The service is not available just now"), TRY_LATER
    ),
    errors.BadSettings: Answer(
        _S.INTERNAL_SERVER_ERROR, _("The service is not set up correctly"), TRY_LATER
    ),
    errors.BadPicture: Answer(
        _S.UNSUPPORTED_MEDIA_TYPE,
        _("That kind of file cannot be read"),
        _("Send a picture as PNG or JPEG."),
    ),
    errors.PictureTooLarge: Answer(
        _S.REQUEST_ENTITY_TOO_LARGE,
        _("That is too large"),
        _("Send a picture of at most 10 MB and 16 megapixels."),
    ),
    errors.RuleError: Answer(
        _S.UNPROCESSABLE_ENTITY,
        _("This rule cannot be evaluated"),
        _("Tell whoever publishes the rules."),
    ),
    **dict.fromkeys(
        (errors.BadBundle, errors.BadTrustList, errors.BadProof),
        Answer(_S.SERVICE_UNAVAILABLE, _("The list of trusted issuers cannot be used"), TRY_LATER),
    ),
    errors.BadCertificate: Answer(
        _S.UNPROCESSABLE_ENTITY,
        _("This is not a certificate we can trust"),
        _("Check that the whole code was scanned or copied."),
    ),
}


def answer_to(kind: type[errors.Refusal]) -> Answer:
    """Return the answer to a kind of refusal: its own, or its nearest parent's."""
    return next(ANSWERS[parent] for parent in kind.__mro__ if parent in ANSWERS)
