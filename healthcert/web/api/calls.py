"""Calls: who could not be written to and is to be told something, and what came of trying."""

from healthcert.services import calls
from healthcert.web.api.deeds import get, post
from healthcert.web.api.lists import Rows
from healthcert.web.api.shapes import of

Call = of("Call", "Somebody to call, and the words to tell them, until when.", calls.Call, "*")
_ONE = "/calls/<uuid:message_id>"

get("/calls", calls.waiting, answer=Rows(Call, "until id"), name="calls", looks=True)
post(f"{_ONE}/told", calls.told, name="told_by_call")
post(f"{_ONE}/not-reached", calls.not_reached)
