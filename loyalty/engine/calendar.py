"""Days, months and hours of a programme: when points activate and expire, schedules and birthdays.

A day that would begin in a repeated hour begins with its first, in a missing one with the first instant
after it (RFC 5545 section 3.3.5 reads a local time the same way). Schedules go by the wall clock, so that
both passes of a repeated hour count alike.
"""

import calendar
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

LONGEST_YEAR = 366


class Lifetime(NamedTuple):
    """How long points live after activation: months, optionally to the end of the "month" or "year"."""

    months: int
    end: str | None = None


@lru_cache(maxsize=65_536)
def start_of_day(zone: ZoneInfo, day: date) -> datetime:
    """The UTC instant at which `day` begins on the programme's wall clock."""
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)


def local_day(at: datetime, zone: ZoneInfo) -> date:
    """The programme's day that holds the instant `at`."""
    return at.astimezone(zone).date()


def add_months(day: date, months: int) -> date:
    """`day` moved by `months`, clamped to the end of the month it lands in."""
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def activates_at(occurred_at: datetime, now: datetime, zone: ZoneInfo, delay_days: int) -> datetime:
    """Start of the programme day of `occurred_at` plus the delay; without delay at once, never after now."""
    if not delay_days:
        return min(occurred_at, now)
    return start_of_day(zone, local_day(occurred_at, zone) + timedelta(days=delay_days))


def expires_at(activation: datetime, zone: ZoneInfo, lifetime: Lifetime | None) -> datetime | None:
    """Start of the day after the last day on which points activated at `activation` can be spent."""
    if lifetime is None:
        return None
    day = add_months(local_day(activation, zone), lifetime.months)
    if lifetime.end == "month":
        day = day.replace(day=calendar.monthrange(day.year, day.month)[1])
    elif lifetime.end == "year":
        day = day.replace(month=12, day=31)
    return start_of_day(zone, day + timedelta(days=1))


class Schedule(NamedTuple):
    """Weekdays (Monday = 1; empty = all) and hours in minutes of the day; end <= start passes midnight."""

    weekdays: frozenset[int]
    start: int | None
    end: int | None

    def covers(self, at: datetime, zone: ZoneInfo) -> bool:
        """Whether `at` is inside; hours past midnight belong to the weekday they began."""
        local = at.astimezone(zone)
        weekday = local.isoweekday()
        if self.start is None or self.end is None:
            return self._on(weekday)
        minute = local.hour * 60 + local.minute
        if self.start < self.end:
            return self._on(weekday) and self.start <= minute < self.end
        yesterday = weekday - 1 or 7
        return (self._on(weekday) and minute >= self.start) or (self._on(yesterday) and minute < self.end)

    def _on(self, weekday: int) -> bool:
        return not self.weekdays or weekday in self.weekdays


def birthday_in(year: int, birth: date) -> date:
    """The birthday in `year`; 29 February counts as 28 in other years."""
    if birth.month == 2 and birth.day == 29 and not calendar.isleap(year):
        return date(year, 2, 28)
    return birth.replace(year=year)


def birthday_days(
    day: date,
    birth: date | None,
    changes: list[tuple[datetime, date | None]],
    enrolled_at: datetime,
    zone: ZoneInfo,
) -> int | None:
    """Days from the last birthday to `day`, or None where no birth date counts.

    The birth date that counts for a birthday is the one known on 1 January of its year, or at enrolment
    if that came later, so that changing it re-arms nothing. `changes` lists (instant, value before it).
    """
    for year in (day.year, day.year - 1):
        known_from = max(start_of_day(zone, date(year, 1, 1)), enrolled_at)
        known = next((was for at, was in changes if at > known_from), birth)
        if known is not None and birthday_in(year, known) <= day:
            days = (day - birthday_in(year, known)).days
            return days if days <= LONGEST_YEAR else None
    return None
