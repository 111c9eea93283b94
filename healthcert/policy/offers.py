"""How many freed places are offered at once, how long an offer holds, and never at night."""

from datetime import datetime, time, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

Quiet = tuple[time, time]  # from and until, on the clock of the place; it may pass midnight

RADII = (5, 10, 20, 50)  # kilometres around a site, for which somebody may wait
SHORT_NOTICE = timedelta(hours=3)  # sooner than that only those come who said that they can
_SHORTEST, _STANDBY, _LONGEST = timedelta(minutes=30), timedelta(minutes=45), timedelta(hours=24)
_SHARE = 8  # of the time until the place, one part is for the answer
_ON_THE_WAY = timedelta(minutes=15)
_PRIOR = 9, 10  # before anything was seen, nine of ten accept: so few are offered too many


def acceptance(accepted: int, ended: int) -> Fraction:
    """Return which part of offers is accepted, by those that ended and a careful guess before."""
    return Fraction(accepted + _PRIOR[0], ended + _PRIOR[1])


def room(places: int, still_open: int, rate: Fraction) -> int:
    """Return how many more offers may be made: those accepted are not expected to exceed places."""
    return max(0, places * rate.denominator // rate.numerator - still_open)


def until(now: datetime, starts_at: datetime, quiet: Quiet, zone: str) -> datetime | None:
    """Return when an offer made now ends; None where none can be made for that place.

    An eighth of the time there is, from 30 minutes to 24 hours; at short notice 45 minutes. The
    night does not count, and enough is left to get there.
    """
    if night(now, quiet, zone) is not None:
        return None
    lead = starts_at - now
    lasts = min(max(lead / _SHARE, _SHORTEST), _LONGEST) if lead >= SHORT_NOTICE else _STANDBY
    ends, evening = now + lasts, _next(now, quiet[0], zone)
    while ends > evening and quiet[0] != quiet[1]:
        morning = _next(evening, quiet[1], zone)
        ends, evening = ends + (morning - evening), _next(morning, quiet[0], zone)
    return ends if ends <= starts_at - _ON_THE_WAY else None


def night(moment: datetime, quiet: Quiet, zone: str) -> datetime | None:
    """Return when the night ends in which a moment lies; None by day."""
    begins, ends = quiet
    clock = moment.astimezone(ZoneInfo(zone)).time()
    inside = begins <= clock < ends if begins <= ends else clock >= begins or clock < ends
    return _next(moment, ends, zone) if inside else None


def _next(moment: datetime, clock: time, zone: str) -> datetime:
    """Return the first moment after another at which the clock of a zone shows a time."""
    today = moment.astimezone(ZoneInfo(zone)).date()
    days = (today + timedelta(days=count) for count in range(3))
    then = (datetime.combine(day, clock, ZoneInfo(zone)).astimezone(moment.tzinfo) for day in days)
    return next(each for each in then if each > moment)
