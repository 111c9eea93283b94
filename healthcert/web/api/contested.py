"""Documents that two records claim: what waits for a decision, and each step of it."""

from healthcert.services import contested, requests
from healthcert.web.api.deeds import get, post
from healthcert.web.api.lists import Rows
from healthcert.web.api.shapes import of
from healthcert.web.api.words import word

WaitingRequest = of("WaitingRequest", "A request, its `next` step, and whether it is `mine`.",
                    contested.Waiting, "*")  # fmt: skip
Claimant = of("Claimant", "One of two records, as far as the decision needs it.",
              contested.Claimant, "*")  # fmt: skip
Contested = of(
    "ContestedDocument", "A document that two records claim: where it was shown, and where it is; "
    "both are null for who does not decide it now.",
    contested.Contested, "kind country ends_in", waiting=WaitingRequest, asking=Claimant | None,
    holding=Claimant | None,
)  # fmt: skip
_ONE = "/requests/<uuid:request_id>"

get("/requests", contested.waiting, answer=Rows(WaitingRequest, "due_at id"), name="requests",
    fixed={"request_id": None}, about="List what waits for a decision in one's reach.")  # fmt: skip
request = get(_ONE, contested.one, answer=Contested, name="request", looks=True)
post(f"{_ONE}/steps", contested.decide, name="decide_request", body={
    "act": word(contested.STEPS),
    "reason": word(("", *contested.GROUNDS, *requests.REASONS)),
})  # fmt: skip
