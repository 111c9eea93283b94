"""The few words that are taken where a service takes a text: programs read which."""

from collections.abc import Iterable, Mapping
from typing import Any, Literal

from healthcert import i18n
from healthcert.models.adverse_event import EVENT_OUTCOMES, REPORTERS, SERIOUSNESS, TERMS
from healthcert.models.dose import BODY_SITES, EVIDENCE, ROUTES
from healthcert.models.person import IDENTITY_KINDS, SEXES
from healthcert.models.test_result import RESULTS, TEST_TYPES
from healthcert.services import reactions
from healthcert.services.access import DOCUMENTS


def word(values: Iterable[str | int]) -> Any:  # noqa: ANN401 - a type that is made here
    """Return the type of what is one of a few words, or of a few numbers."""
    return Literal[tuple(values)]


Language = word(i18n.spoken())
_BODY_SITE, _ROUTE = word(("", *BODY_SITES)), word(("", *ROUTES))
TAKEN: Mapping[str, Any] = {  # of fields that services take as texts
    "Claim.kind": word(("reference", *DOCUMENTS)),
    "Details.language": Language,
    "Details.sex": word(SEXES),
    "IdentityDetails.kind": word(IDENTITY_KINDS),
    "Told.body_site": _BODY_SITE,
    "Told.route": _ROUTE,
    "Elsewhere.body_site": _BODY_SITE,
    "Elsewhere.route": _ROUTE,
    "Evidence.kind": word(EVIDENCE[1:]),
    "ToldTest.test_type": word(TEST_TYPES),
    "ToldTest.result": word(RESULTS),
    "Reaction.term": word(TERMS),
    "Reaction.seriousness": word(SERIOUSNESS),
    "Reaction.outcome": word(EVENT_OUTCOMES),
    "Reaction.reporter": word(REPORTERS),
    "Reaction.told": dict[word(reactions.TOLD), str],  # type: ignore[misc]
}
