"""Supply: sessions, closures, lots; what waits for an administrator."""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from operator import itemgetter
from typing import Any
from uuid import UUID

from healthcert import models
from healthcert.models.limit import HOLDS
from healthcert.models.place import CANCELLABLE
from healthcert.policy.roles import Role, delegable
from healthcert.services import (
    alarms,
    cancelling,
    delegating,
    holds,
    judging_again,
    lots,
    planning,
    sessions,
)
from healthcert.web.api.asker import On
from healthcert.web.api.deeds import deed, get, post, raised
from healthcert.web.api.lists import Rows, first_of
from healthcert.web.api.shapes import Day, Moment, Shape, many, number, of
from healthcert.web.api.words import word
from healthcert.web.here import parts
from healthcert.web.moment import now

_ORDER = {
    "state": word(("released", "quarantined", "recalled")),
    "reason": word(("released", "extended", *lots.RECALLS)),
}
_TEMPLATE = (
    "site_id programme_id product_id weekdays first_day last_day minutes capacity kept_phone "
    "kept_walk_in kept_second_dose"
)
KnownLot = of("KnownLot", "A lot as it was ordered last.", models.Lot, "id number state",
              product=str, product_code=str, expires_on=date)  # fmt: skip
Reached = of("Reached", "How many people had a dose of a lot, by site; none is elsewhere. Of them "
             "are `untold` who left neither a telephone nor an address.",
             site_id=UUID | None, people=int, untold=int)  # fmt: skip
Recall = of("Recall", "Whom a recall reaches, and how many doses are still to be judged anew.",
            reached=many(Reached), left=int)  # fmt: skip
Session = of("Session", "A session, how full it is, and who lost a place, by reference.",
             models.ClinicSession, "id site_id programme_id product_id day state", places=int,
             booked=int, lost=str | None)  # fmt: skip
Template = of("Template", "From what sessions are made; of `weekdays`, 1 is Monday, 2 Tuesday …",
              models.SessionTemplate,
              f"id {_TEMPLATE} kept_waiting made_until ended_from")  # fmt: skip
Held = of("Held", "What one release lets go: as `holds` has it, the oldest 200 of each reason.",
          holds.Held, "*")  # fmt: skip
Organisation = of("Organisation", "One of the tree, below its parent.", models.Organisation,
                  "id code names kind region parent_id level")  # fmt: skip
Handed = of("Handed", "An act that one organisation lets another below it do in its place.",
            models.Delegation, "id giver_id taker_id act ends_at")  # fmt: skip
Foreseen = of("Foreseen", "A day on which a template would make a session.", day=date,
              slots=int, starts_at=Moment, ends_at=Moment)  # fmt: skip
Preview = of("Preview", "What a template would make.", items=many(Foreseen))
Cancelled = of("CancelEffect", "How many sessions would be cancelled, and who is booked there.",
               sessions=int, people=int)  # fmt: skip
OnDay = of("OnDay", "A day.", base=Shape, day=Day)
Since = of("SinceDay", "The first day.", base=Shape, since=Day)
Begun = of("Begun", "A template, and the days on which it made sessions.", id=UUID, days=list[date])
Raised = of("Raised", "What somebody should look at.", models.Alarm,
            "id recorded_at kind state subject_kind subject_id")  # fmt: skip


class _Kept(Shape):
    """What programs that were written before it leave out."""

    kept_waiting: int = 0


Wanted = of("TemplateSent", "A template to be.", models.SessionTemplate, _TEMPLATE, base=_Kept)

_LOT = "/lots/<uuid:lot_id>"
_MANY = 10_000  # more sessions no site has on a day


def _lots(rows: Sequence[Any]) -> list[dict[str, Any]]:
    told = ("id", "number", "state", "expires_on")
    return [
        {name: getattr(each, name) for name in told}
        | {"product": each.name, "product_code": each.product}
        for each in rows
    ]


get("/lots", lots.known, answer=Rows(KnownLot), fixed={"lot_id": None}, name="known_lots",
    read=_lots, about="List the lots as they were ordered last.")  # fmt: skip
lot = get(_LOT, lots.known, answer=KnownLot, read=lambda rows: first_of(_lots(rows)), name="lot",
          about="Show a lot; its ETag is asked for where it is ordered about.")  # fmt: skip
post(f"{_LOT}/orders", lots.order, name="order_lot", match=lot, body=_ORDER)
post(f"{_LOT}/used-up", lots.exhaust, match=lot)


@deed("GET", f"{_LOT}/recall", gives=Recall)
def recall(on: On, lot_id: UUID) -> Shape:
    """Show whom a recall reaches; after it, how far it has come."""
    first_of(lots.known(on.db, lot_id=lot_id))
    rows = lots.reached(on.db, lot_id=lot_id)
    reached = [
        {"site_id": site and site.id, "people": people, "untold": untold}
        for site, people, untold in rows
    ]
    return Recall.model_validate(
        {"reached": reached, "left": judging_again.left(on.db, lot_id=lot_id)}
    )


get("/sessions", planning.listed, answer=Rows(Session, "site_id day product_id id"),
    name="sessions", fixed={"first": lambda _on: now().date(), "session_ids": None},
    about="List the sessions of one's sites from today on, site by site.")  # fmt: skip
post("/sessions/<uuid:session_id>/capacity", planning.resize, name="resize")


@deed("POST", "/sites/<uuid:site_id>/closures/preview", changes=False,
      types={"body": OnDay}, gives=Cancelled)  # fmt: skip
def foresee_closure(on: On, site_id: UUID, body: Any) -> Shape:  # noqa: ANN401 - made above
    """Show what closing a site for a day cancels, before it is closed."""
    on.reach(site_id)
    cancelling.still_to_come(on.db.get_one(models.Site, site_id), "day", body.day, now())
    rows = planning.listed(on.db, site_ids=[site_id], first=body.day, limit=_MANY)
    return _cancelled(row for row in rows if row[0].day == body.day)


@deed("POST", "/sessions/<uuid:session_id>/cancel/preview", changes=False, gives=Cancelled)
def foresee_cancel(on: On, session_id: UUID) -> Shape:
    """Show how many people are booked in a session, before it is cancelled."""
    rows = _sessions_of(on, now().date() - timedelta(days=1), [session_id])  # as `cancel` does
    first_of(rows)
    return _cancelled(rows)


@deed("POST", "/sessions/templates/<uuid:template_id>/end/preview", raised(cancelling.end),
      changes=False, types={"body": Since}, gives=Cancelled)  # fmt: skip
def foresee_end(on: On, template_id: UUID, body: Any) -> Shape:  # noqa: ANN401 - made above
    """Show what ending a template from a day on cancels, before it ends."""
    here, since = [site.id for site in on.sites], body.since
    _plan, its = cancelling.ending(
        on.db, template_id=template_id, site_ids=here, since=since, now=now()
    )
    return _cancelled(_sessions_of(on, since, its))


def _sessions_of(on: On, first: date, its: Sequence[UUID]) -> Sequence[Any]:
    here = [site.id for site in on.sites]
    return planning.listed(on.db, site_ids=here, first=first, limit=len(its), session_ids=its)


def _cancelled(rows: Iterable[Any]) -> Shape:
    its = [row for row in rows if row[0].state in CANCELLABLE]
    people = sum(row.booked for row in its)
    return Cancelled.model_validate({"sessions": len(its), "people": people})


post("/sessions/<uuid:session_id>/cancel", cancelling.cancel, name="cancel_session")
post("/sessions/templates/<uuid:template_id>/end", cancelling.end, name="end_template")
get("/sessions/templates", sessions.templates, answer=Rows(Template))


@deed("POST", "/sessions/templates/preview", changes=False,
      types={"body": Wanted}, gives=Preview)  # fmt: skip
def preview(on: On, body: Shape) -> Shape:
    """Show which sessions a template would make, before it is kept."""
    wanted = _template(on, body)
    sessions.refuse_wrong(on.db, wanted)
    found = sessions.foreseen(on.db, wanted, country=parts().country, until=wanted.last_day)
    return Preview.model_validate({"items": [
        {"day": day, "slots": len(slots), "starts_at": slots[0][0], "ends_at": slots[-1][1]}
        for day, slots in found.items()
    ]})  # fmt: skip


@deed("POST", "/sessions/templates", status=201,
      types={"body": Wanted}, gives=Begun)  # fmt: skip
def make(on: On, body: Shape) -> Shape:
    """Keep a template, and publish its sessions as far ahead as the country has them made."""
    country, at = parts().country, now()
    template = sessions.begin(on.db, _template(on, body), staff=on.staff, now=at)
    until = sessions.horizon(country, at.date())
    days = sessions.make(on.db, template_id=template.id, country=country, until=until, now=at)
    return Begun.model_validate({"id": template.id, "days": days})


def _template(on: On, told: Shape) -> models.SessionTemplate:
    wanted = models.SessionTemplate(**told.model_dump(), recorded_at=now())
    on.reach(wanted.site_id)
    return wanted


get("/alarms", alarms.still_open, answer=Rows(Raised), name="alarms")
post("/alarms/<uuid:alarm_id>", alarms.settle, name="settle_alarm",
     body={"reason": word(("", *alarms.REASONS))},
     about="Note that one has seen an alarm or, with a `reason`, close it for good.")  # fmt: skip

get("/held", holds.waiting, answer=Rows(Held, "why of"), name="held",
    fixed={"of": None, "uvci": ""}, about="List what waits to be released.")  # fmt: skip
post("/held/<uuid:of>/release", holds.let_go, name="release", body={"why": word(HOLDS)})
get("/organisations", delegating.overview, answer=Rows(Organisation, "code"), name="organisations",
    read=itemgetter(0), about="List the organisations in one's reach.")  # fmt: skip
get("/delegations", delegating.overview, answer=Rows(Handed), name="delegations",
    read=itemgetter(2), about="List what is handed on now.")  # fmt: skip
post("/delegations", delegating.delegate, status=201,
     body={"act": word(delegable(Role.ADMIN)), "days": number(1, delegating.LONGEST)})  # fmt: skip
post("/delegations/<uuid:delegation_id>/revoke", delegating.revoke)
