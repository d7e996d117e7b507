"""Days, hours and months of a programme: activation, expiry and birthdays.

Instants are returned in UTC, because Python compares two times of one time zone by their wall clock.

Decisions
- A day starts at its first midnight; where midnight is missing, at the first instant after the gap.
- "never after now" speaks of a programme without delay: such points are active at
  min(occurred_at, now).
- Lifetime: the day of activation plus the months (clamped to the month's end) is moved to the end of its
  month or year, and the points expire at the start of the day after *that*. A lot whose last day is
  31 December therefore expires on 1 January, also with "end of year".
- A change of the birth date counts from the instant it was made on: a date changed exactly at the start
  of 1 January is the one known on 1 January.
- Only month and day of a birth date count, never its year.
- A birthday before enrolment still is a birthday; the birth date that counts is the one told at enrolment.
- Where the birth date known this year and the one known last year put the last birthday more than 366
  days back, there is none (None).
"""

import calendar
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo


def utc(instant: datetime | str) -> datetime:
    """The same instant in UTC; ISO text is read, an instant without offset is refused."""
    read = datetime.fromisoformat(instant) if isinstance(instant, str) else instant
    if read.tzinfo is None:
        raise ValueError(f"{instant} has no offset")
    return read.astimezone(UTC)


def local(instant: datetime | str, zone: str | ZoneInfo) -> datetime:
    """Wall clock of the programme at an instant."""
    return utc(instant).astimezone(ZoneInfo(str(zone)))


def start_of_day(day: date, zone: str | ZoneInfo) -> datetime:
    """First instant of a programme day, in UTC."""
    return datetime.combine(day, time(0), ZoneInfo(str(zone))).astimezone(UTC)


def activates_at(occurred_at: datetime, now: datetime, terms: dict[str, Any]) -> datetime:
    """When points of a transaction become available, in UTC."""
    if not terms["delay_days"]:
        return min(utc(occurred_at), utc(now))
    day = local(occurred_at, terms["time_zone"]).date()
    return start_of_day(day + timedelta(days=terms["delay_days"]), terms["time_zone"])


def expires_at(activates_at: datetime, terms: dict[str, Any]) -> datetime | None:
    """When points expire (the first instant at which they are gone), in UTC; None is never."""
    lifetime = terms["lifetime"]
    if lifetime is None:
        return None
    activation_day = local(activates_at, terms["time_zone"]).date()
    last_day = end_of(add_months(activation_day, lifetime["months"]), lifetime.get("end"))
    return start_of_day(last_day + timedelta(days=1), terms["time_zone"])


def add_months(day: date, months: int) -> date:
    """The same day some months later, clamped to the end of that month."""
    count = day.year * 12 + (day.month - 1) + months
    year, month = count // 12, count % 12 + 1
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))


def end_of(day: date, period: str | None) -> date:
    """Last day of the day's month or year, or the day itself."""
    if period == "year":
        return date(day.year, 12, 31)
    if period == "month":
        return date(day.year, day.month, calendar.monthrange(day.year, day.month)[1])
    return day


def birthday_days(
    day: date,
    birth_date: date | None,
    changes: Sequence[dict[str, Any]],
    enrolled_at: datetime,
    zone: str | ZoneInfo,
) -> int | None:
    """Programme days from the last birthday to `day` (0 = today, at most 366), or None.

    `birth_date` is the one known today, `changes` what it was before: {"at": instant, "was": date or None}.
    """
    for year in (day.year, day.year - 1):
        known_at = max(start_of_day(date(year, 1, 1), zone), utc(enrolled_at))
        known = birth_date_at(known_at, birth_date, changes)
        if known is None:
            continue
        birthday = birthday_in(year, known)
        if birthday <= day:
            days = (day - birthday).days
            return days if days <= 366 else None
    return None


def birth_date_at(instant: datetime, current: date | None, changes: Sequence[dict[str, Any]]) -> date | None:
    """The birth date known at an instant: what it was before the first change that came later."""
    later = [change for change in changes if utc(change["at"]) > instant]
    if not later:
        return current
    was = min(later, key=lambda change: utc(change["at"]))["was"]
    return date.fromisoformat(was) if isinstance(was, str) else was


def birthday_in(year: int, birth_date: date) -> date:
    """The birthday in a year; 29 February counts as 28 February in other years."""
    if (birth_date.month, birth_date.day) == (2, 29) and not calendar.isleap(year):
        return date(year, 2, 28)
    return birth_date.replace(year=year)
