"""Tiers, pure: from a member's standing and qualifying points by day to the standing of another instant.

An upgrade counts at once, a downgrade at the end of the time a tier is kept for; a grant by hand wins while it
lasts if it is the higher tier. Days are the programme's, points are qualifying points.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from loyalty.engine.calendar import add_months, local_day, start_of_day

EARNED, EXPIRED, GRANTED, GRANT_ENDED = "earned", "expired", "granted", "grant_ended"
CALENDAR = {"year": 12, "half_year": 6, "quarter": 3}
"""Months of each calendar period."""


class Standing(NamedTuple):
    """The tier a member earned ("" = none) and the one granted, each with its time.

    `tier` is kept until the start of the day `valid_until` (None: nothing can end it), as was last decided on the
    day `confirmed_on`. A grant ends at an instant.
    """

    tier: str = ""
    since: datetime | None = None
    confirmed_on: date | None = None
    valid_until: date | None = None
    granted: str = ""
    granted_at: datetime | None = None
    granted_until: datetime | None = None


class Change(NamedTuple):
    """Another tier was held from `at` on: why, and the qualifying points that were looked at."""

    before: str
    after: str
    at: datetime
    why: str
    qualifying: int


class Level(NamedTuple):
    """A tier; `threshold` in qualifying points of a period, None = by grant only; `labels` are names by language."""

    code: str
    name: str
    threshold: int | None
    labels: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class Scheme:
    """How a programme's tiers are reached: levels from the lowest up, and the period that is looked at.

    `period` is "days" or "months" (rolling, `length` of them) or a calendar period. A tier reached in a calendar
    period is kept to its end, with `keeps_following` to the end of the next one; in a rolling one for as long as
    the period is.
    """

    zone: ZoneInfo
    period: str
    length: int
    keeps_following: bool
    levels: tuple[Level, ...]

    def rank(self, code: str) -> int:
        """The place of a tier, from 1; 0 for none."""
        return next((place for place, level in enumerate(self.levels, 1) if level.code == code), 0)

    def held(self, standing: Standing) -> str:
        """The tier that counts: the granted one if it is higher."""
        if standing.granted and self.rank(standing.granted) > self.rank(standing.tier):
            return standing.granted
        return standing.tier

    def reached(self, points: int) -> str:
        """The highest tier that so many qualifying points of a period reach; "" for none."""
        reached = (x for x in reversed(self.levels) if x.threshold is not None and x.threshold <= points)
        return next((level.code for level in reached), "")

    def following(self, code: str) -> Level | None:
        """The next tier above `code` that points can reach."""
        higher = self.levels[self.rank(code) :]
        return next((level for level in higher if level.threshold is not None), None)

    @property
    def interval(self) -> str:
        """The length of a period as a PostgreSQL interval: no window of it begins earlier."""
        return f"{self.length} {self.period}" if self.period not in CALENDAR else f"{self._months} months"

    @property
    def _months(self) -> int:
        return CALENDAR[self.period]

    def window(self, day: date) -> date:
        """The first day that counts on `day`."""
        if self.period == "days":
            return day + timedelta(days=1 - self.length)
        if self.period == "months":
            return add_months(day + timedelta(days=1), -self.length)
        return date(day.year, (day.month - 1) // self._months * self._months + 1, 1)

    def points(self, days: Mapping[date, int], day: date) -> int:
        """Qualifying points of the period that `day` ends, or of the calendar period so far."""
        first = self.window(day)
        return sum(points for at, points in days.items() if first <= at <= day)

    def until(self, day: date, tier: str) -> date | None:
        """The day at whose start a tier reached on `day` may end; None if no points are needed for it."""
        if tier == self.reached(0):
            return None
        if self.period == "days":
            return day + timedelta(days=self.length)
        if self.period == "months":
            return add_months(day, self.length)
        return add_months(self.window(day), self._months * (2 if self.keeps_following else 1))

    def due_at(self, standing: Standing) -> datetime | None:
        """When the earned tier or the grant next has to be looked at."""
        ends = start_of_day(self.zone, standing.valid_until) if standing.valid_until else None
        return min((at for at in (ends, standing.granted_until) if at), default=None)


def review(
    standing: Standing, days: Mapping[date, int], scheme: Scheme, now: datetime
) -> tuple[Standing, list[Change]]:
    """The standing at `now` and how it came about: what ended since, in its order, then what is reached now."""
    changes: list[Change] = []
    while (at := scheme.due_at(standing)) is not None and at <= now:
        before, why = standing, EXPIRED
        if standing.granted_until == at:
            standing, why = ungranted(standing), GRANT_ENDED
            points = scheme.points(days, local_day(at, scheme.zone))
        else:
            standing, points = _ended(standing, days, scheme, at)
        changes += _changed(before, standing, scheme, at, why, points)
    before = standing
    today = max(local_day(now, scheme.zone), standing.confirmed_on or date.min)
    points = scheme.points(days, today)
    standing = _raised(standing, points, scheme, now, today)
    return standing, changes + _changed(before, standing, scheme, now, EARNED, points)


def _ended(
    standing: Standing, days: Mapping[date, int], scheme: Scheme, at: datetime
) -> tuple[Standing, int]:
    """What follows a tier whose time is over: confirmed or lower by the points of the period that ended."""
    day = standing.valid_until or date.max
    is_fresh = scheme.period in CALENDAR and not scheme.keeps_following
    points = scheme.points(days, day - timedelta(days=1))
    tier = scheme.reached(0 if is_fresh else points)
    until = scheme.until(day, tier)
    if until and scheme.period in CALENDAR:
        until = add_months(scheme.window(day), CALENDAR[scheme.period])
    since = standing.since if tier == standing.tier else at if tier else None
    return standing._replace(tier=tier, since=since, confirmed_on=day, valid_until=until), points


def _raised(standing: Standing, points: int, scheme: Scheme, now: datetime, today: date) -> Standing:
    """A higher tier if points reach it; the same one again is kept longer where periods are the calendar's."""
    tier = scheme.reached(points)
    until = scheme.until(today, tier)
    if scheme.rank(tier) > scheme.rank(standing.tier):
        return standing._replace(tier=tier, since=now, confirmed_on=today, valid_until=until)
    if standing.tier and standing.valid_until is None:
        return standing._replace(valid_until=scheme.until(today, standing.tier))
    is_again = tier == standing.tier and scheme.period in CALENDAR
    if is_again and until and standing.valid_until and until > standing.valid_until:
        return standing._replace(confirmed_on=today, valid_until=until)
    return standing


def granted(
    standing: Standing, days: Mapping[date, int], scheme: Scheme, tier: str, until: datetime, now: datetime
) -> tuple[Standing, Change]:
    """The standing with a tier granted by hand, in place of any grant before."""
    after = standing._replace(granted=tier, granted_at=now, granted_until=until)
    points = scheme.points(days, local_day(now, scheme.zone))
    return after, Change(scheme.held(standing), scheme.held(after), now, GRANTED, points)


def ungranted(standing: Standing) -> Standing:
    """The standing without its grant."""
    return standing._replace(granted="", granted_at=None, granted_until=None)


def _changed(
    before: Standing, after: Standing, scheme: Scheme, at: datetime, why: str, points: int
) -> list[Change]:
    held = scheme.held(before), scheme.held(after)
    if held[0] == held[1]:
        return []
    if why == EXPIRED and scheme.rank(held[1]) > scheme.rank(held[0]):
        why = EARNED
    return [Change(*held, at, why, points)]


class Progress(NamedTuple):
    """A member's tier while baskets are decided one after the other; `changes` are those not booked yet."""

    scheme: Scheme
    standing: Standing
    days: Mapping[date, int]
    changes: tuple[Change, ...] = ()

    @property
    def tier(self) -> str | None:
        """The code of the tier held, None for none."""
        return self.scheme.held(self.standing) or None

    def at(self, now: datetime) -> "Progress":
        """As of `now`, which never lies before what was decided last."""
        standing, changes = review(self.standing, self.days, self.scheme, now)
        return self._replace(standing=standing, changes=(*self.changes, *changes))

    def counting(self, day: date, points: int) -> "Progress":
        """With qualifying points added to (or, negative, taken off) a day."""
        return self._replace(days={**self.days, day: self.days.get(day, 0) + points}) if points else self
