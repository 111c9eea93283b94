"""Every refusal the service can give, as a tree of exceptions.

    Refusal                     refused
    ├── BadInput                bad_input            which fields, and what is wrong with each
    ├── BadRows                 bad_rows             which lines of a table, and what of each
    ├── NotFound                not_found
    ├── NotSignedIn             not_signed_in
    ├── NotAllowed              not_allowed
    ├── ProveAgain              prove_again          who it is was proved too long ago for this
    ├── PageExpired             page_expired         the form's protection token is gone or old
    ├── TooMany                 too_many             a limit is used up; says until when
    │   └── TooManyLooks        too_many_looks       at people who are not on today's list
    ├── MustWait                must_wait            it is not one's turn in the waiting room
    ├── AnothersTicket          anothers_ticket      nobody who is booked for was let in by it
    ├── BadCode                 bad_code
    ├── NotProved               not_proved           what was shown does not prove who it is
    ├── LastKey                 last_key
    ├── SlotFull                slot_full
    │   ├── HoldExpired         hold_expired         what was held is over and no longer free
    │   └── NextDoseFull        next_dose_full       the next dose would come too soon after it
    ├── AlreadyBooked           already_booked
    │   └── CannotWait          cannot_wait          the same word, for the waiting list
    ├── TimesOverlap            times_overlap
    ├── NotEligible             not_eligible
    ├── NotAgreed               not_agreed           to the vaccination, or no longer
    ├── WrongState              wrong_state          the thing has moved on
    ├── StillRunning            still_running        the first request of a key is not done yet
    ├── NeedsAnother            needs_another        a second person has to do this
    ├── RuleError               rule_error           a rule cannot be read or gives no answer
    ├── SignerUnavailable       signer_unavailable
    ├── NotReady                not_ready            database, keys or bundle are not usable yet
    │   └── WrongKeys           wrong_keys           rows lie under a vault key that is not here
    ├── ProviderAway            provider_away        the identity provider does not answer
    ├── BadSettings             bad_settings
    │   └── BadKnowledge        bad_knowledge
    ├── BadPicture              bad_picture
    │   └── PictureTooLarge     picture_too_large
    ├── BadProof                bad_proof            a seal, head or proof of the audit tree
    ├── BadTrustList            bad_trust_list       the list held stays in use
    ├── BadBundle               bad_bundle
    │   ├── OlderBundle         older_bundle
    │   └── ExpiredBundle       expired_bundle
    └── BadCertificate          bad_certificate
        ├── NotACertificate     not_a_certificate
        ├── MalformedPrefix     malformed_prefix
        ├── MalformedBase45     malformed_base45
        ├── MalformedZlib       malformed_zlib
        ├── MalformedCbor       malformed_cbor
        ├── MalformedCose       malformed_cose
        ├── UnknownIssuer       unknown_issuer
        ├── BadSignature        bad_signature
        ├── MalformedClaims     malformed_claims
        └── NotUnderstood       not_understood

A `Refusal` is an answer, not a fault: the request was understood and must not
be done. Each class names itself with a stable `code`, which is the key of its
translated words and of its HTTP status (`data/refusals.toml`).
"""

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import ClassVar, NamedTuple, TypeVar

T = TypeVar("T")


class Refusal(Exception):  # noqa: N818 - a refusal is an answer, not an error
    """The request was understood and must not be done."""

    code: ClassVar[str] = "refused"
    which: int = 0  # of several wished for together, the one refused
    instead: Sequence[Mapping[str, object]] = ()  # what there is instead

    def __init_subclass__(cls) -> None:
        """Name a class of this module by itself; a narrower one elsewhere keeps the name it has."""
        if cls.__module__ == __name__:
            cls.code = re.sub(r"\B(?=[A-Z])", "_", cls.__name__).lower()


class BadInput(Refusal):
    """Something given cannot be used; nothing was changed."""

    def __init__(self, fields: Mapping[str, str]) -> None:
        """Take what is wrong, by field: a stable code such as ``missing`` or ``not_a_date``."""
        super().__init__(", ".join(f"{name}: {wrong}" for name, wrong in fields.items()))
        self.fields = dict(fields)


class Fault(NamedTuple):
    """What is wrong in a table: line (the heading is 1), field, and a code as in `BadInput`."""

    line: int
    field: str
    wrong: str


class BadRows(Refusal):
    """Lines of a table cannot be used, by its `faults`; none of it was taken in."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        """Take what is wrong, line by line."""
        super().__init__(f"{len({fault.line for fault in faults})} lines cannot be used")
        self.faults = tuple(faults)


class NotFound(Refusal):
    """The thing named does not exist, or this person may not know that it does."""


def there(found: T | None) -> T:
    """Return what was looked for; `NotFound` if it is not there."""
    if found is None:
        raise NotFound
    return found


class NotSignedIn(Refusal):
    """This needs a signed-in person."""


class NotAllowed(Refusal):
    """The person signed in has no role that may do this."""


class ProveAgain(Refusal):
    """The deed is grave, and who it is was proved more than five minutes ago."""


class PageExpired(Refusal):
    """The form was open too long or came from elsewhere: its protection token does not fit."""


class TooMany(Refusal):
    """This was done too often for now."""

    def __init__(self, until: datetime) -> None:
        """Take from when on it can be tried again."""
        super().__init__(f"until {until:%Y-%m-%d %H:%M:%S%z}")
        self.until = until


class TooManyLooks(TooMany):
    """This member of staff has opened as many people beside today's list as they may."""


class MustWait(Refusal):
    """Booking goes through the waiting room, and it is not this asker's turn."""


class AnothersTicket(Refusal):
    """The ticket of the waiting room is of nobody who is to be booked for."""


class BadCode(Refusal):
    """The one-time code is wrong, used or out of date."""


class NotProved(Refusal):
    """What was shown does not prove who somebody is; it says nothing of what was wrong."""


class LastKey(Refusal):
    """The only key of somebody stays: without it they could not come in again."""


class SlotFull(Refusal):
    """Every place of the slot is taken, whose identifier is its argument, if known."""


class HoldExpired(SlotFull):
    """The time for which a place was held is over, and it is taken by now, or has begun."""


class NextDoseFull(SlotFull):
    """The next dose that is booked would come too soon after this one, and fits nowhere else."""


class AlreadyBooked(Refusal):
    """These details cannot be booked: an appointment exists, or they contradict earlier ones.

    Both cases share one code, so that a stranger cannot learn who is booked.
    """


class CannotWait(AlreadyBooked):
    """These details cannot wait: they do, or are booked, or need no dose, or contradict others."""


class TimesOverlap(Refusal):
    """The person has another appointment at that time."""


class NotEligible(Refusal):
    """The programme is not open for this person on that day."""

    def __init__(
        self, *, opens_on: date | None = None, group: Mapping[str, str] | None = None,
        by_phase: bool = False,
    ) -> None:  # fmt: skip
        """Take from when, if ever, and as which group (names by language) they would be admitted.

        `by_phase`: phases refuse, rather than the product's age.
        """
        super().__init__(f"from {opens_on}" if opens_on else "")
        self.opens_on, self.group, self.by_phase = opens_on, group or {}, by_phase


class NotAgreed(Refusal):
    """Who may decide does not agree to the vaccination, or no longer; nothing is given so."""


class WrongState(Refusal):
    """The thing has moved on: this step no longer, or not yet, fits."""


class StillRunning(Refusal):
    """The first request with this idempotency key is not done yet."""


class NeedsAnother(Refusal):
    """This person has acted on the request before: the next step is for somebody else."""


class RuleError(Refusal):
    """A rule cannot be read, is too large, or gives no answer for this certificate: not passed."""


class SignerUnavailable(Refusal):
    """No usable key signs this purpose now; the work is kept and tried again."""


class NotReady(Refusal):
    """The database, the keys or the bundle cannot be used yet; the message says which."""


class WrongKeys(NotReady):
    """Rows lie under a vault key that is not among the key files; the message names it."""


class ProviderAway(Refusal):
    """The identity provider does not answer, or not as one; the message says how."""


class BadSettings(Refusal):
    """A setting is missing, unreadable or unsafe for its environment; the message names it."""


class BadKnowledge(BadSettings):
    """A knowledge file is wrong; the message names file and field, and says what to do."""


class BadPicture(Refusal):
    """The file is not a PNG, JPEG, GIF or WebP picture, or is a broken one."""


class PictureTooLarge(BadPicture):
    """The picture is over 10 MB, or its header promises over 16 megapixels."""

    def __init__(self) -> None:
        """Say the limits: they are the same for all."""
        super().__init__("a picture may have 10 MB and 16 megapixels")


class BadProof(Refusal):
    """A note, seal or proof of the audit tree is none, or does not hold."""


class BadTrustList(Refusal):
    """What should replace a list of trusted signers is none, is empty, or is half of it at most."""


class BadBundle(Refusal):
    """The offline bundle is not one, or no pinned key signed it."""


class OlderBundle(BadBundle):
    """A newer bundle is already held."""


class ExpiredBundle(BadBundle):
    """The bundle is past its end."""


class BadCertificate(Refusal):
    """The text is not a certificate we can trust; subclasses say which step failed."""


class NotACertificate(BadCertificate):
    """The text is not a health certificate at all."""


class MalformedPrefix(BadCertificate):
    """It looks like a certificate, but does not begin with ``HC1:``."""


class MalformedBase45(BadCertificate):
    """The text after the prefix is not base45 (RFC 9285)."""


class MalformedZlib(BadCertificate):
    """The bytes are not one complete zlib stream of at most 16 KiB."""


class MalformedCbor(BadCertificate):
    """The bytes are not CBOR as the guard allows it."""


class MalformedCose(BadCertificate):
    """The CBOR is not a COSE_Sign1 with a known algorithm."""


class UnknownIssuer(BadCertificate):
    """No key of the trust list has the key identifier of the certificate."""


class BadSignature(BadCertificate):
    """The signature does not match the key it names."""


class MalformedClaims(BadCertificate):
    """The signed payload is not a CWT claims set with a health certificate in it."""


class NotUnderstood(BadCertificate):
    """The payload is signed and of a kind this version does not read."""
