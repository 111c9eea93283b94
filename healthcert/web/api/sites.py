"""What programs do about sites: those in reach, their hours, and the days they are closed."""

from datetime import date
from operator import itemgetter

from healthcert.services import cancelling, delegating, hours, new_hours, sites
from healthcert.services.import_places import SITES
from healthcert.web.api.anybody import Site
from healthcert.web.api.deeds import get, post
from healthcert.web.api.lists import Rows
from healthcert.web.api.shapes import Shape, many, of

Closures = of("Closures", "The days on which a site is closed.", days=list[date])
SiteHours = of(
    "SiteHours", "The hours of a site as they were, are and will be; empty where it is closed.",
    items=many(of("HoursSince", "Hours that hold from a day on.", since=date, hours=str)),
)  # fmt: skip
ByHours = of(
    "ChangedByHours", "What other hours change: sessions, places, and how many people are outside.",
    changed=int, cancelled=int, made=int, gone=int, come=int, booked=int,
)  # fmt: skip
Told = of("SiteTold", "A site in texts, as a line of a table tells it (`docs/howto/tables.md`).",
          base=Shape, **dict.fromkeys(SITES.columns, str))  # fmt: skip

get("/sites/<uuid:site_id>/closures", hours.closed_days, answer=Closures, name="closures",
    read="days")  # fmt: skip
post("/sites/<uuid:site_id>/closures", cancelling.close_day)
post("/sites/<uuid:site_id>/closures/open", cancelling.open_day)
_HOURS = "/sites/<uuid:site_id>/hours"
get(_HOURS, hours.versions, answer=SiteHours, name="site_hours", read="items")
post(f"{_HOURS}/preview", new_hours.foreseen, answer=ByHours, name="foresee_hours", changes=False)
post(_HOURS, new_hours.begin, answer=ByHours, name="begin_hours")

_SITES, _SITE = "/organisations/sites", "/organisations/sites/<uuid:site_id>"
get(_SITES, delegating.sites_of, answer=Rows(Site, "code"), name="kept_sites")
kept = get(_SITE, sites.one, answer=Told, read=itemgetter(1), name="kept_site")
post(_SITES, sites.keep, body={"told": Told}, fixed={"site_id": None}, status=201, name="make_site",
     about="Make a site.")  # fmt: skip
post(_SITE, sites.keep, body={"told": Told}, match=kept, name="change_site",
     about="Change a site: all of it is told anew, but its hours, which stay.")  # fmt: skip
