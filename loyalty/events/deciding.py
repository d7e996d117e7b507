"""The decision about one event, pure: its points, or the limit that leaves it without.

Limits count events, all or nothing, by the programme's days, weeks (from Monday) and months; a cooldown counts from
one event to the next, whichever is booked first.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from loyalty.engine import calendar
from loyalty.engine.numbers import POINT, plain, rounded
from loyalty.engine.ruleset import Terms
from loyalty.events.rules import CAPS, DEVICE_CAPS, Cooldown, EventRule


class Counted(NamedTuple):
    """A member's events of the type that count: ever, and in the day, week and month of the event asked
    about; the last one until it and the first one after it."""

    total: int = 0
    month: int = 0
    week: int = 0
    day: int = 0
    before: datetime | None = None
    after: datetime | None = None


class DeviceCounted(NamedTuple):
    """Events of the type that count for a device, over all members."""

    total: int = 0
    day: int = 0


class Limit(NamedTuple):
    """A limit that is reached: its name, how many events it allows, and when one counts again (None = never)."""

    name: str
    most: int
    until: datetime | None


class Decision(NamedTuple):
    """`points` are given now, `wanted` without limit and review; `exact` is wanted before rounding (1/10**12)."""

    status: str
    points: int
    wanted: int
    exact: int
    limit: Limit | None


def decide(
    rule: EventRule,
    *,
    occurred_at: datetime,
    attributes: Mapping[str, Any],
    counted: Counted,
    on_device: DeviceCounted,
    terms: Terms,
    approval_limit: int | None,
) -> Decision:
    """What the event gives. AttributeRefused where the points cannot be told.

    Of several limits that are reached the one that lasts longest is named. What is more than the programme's
    approval limit waits for staff, as everything of a type with review does.
    """
    exact = rule.exact_points(attributes)
    wanted = rounded(exact, terms.rounding)
    limit = longest(reached(rule, occurred_at, counted, on_device, terms.zone))
    if limit:
        return Decision("limit_reached", 0, wanted, exact, limit)
    if rule.review or (approval_limit is not None and wanted > approval_limit):
        return Decision("in_review", 0, wanted, exact, None)
    return Decision("posted", wanted, wanted, exact, None)


def longest(limits: Iterator[Limit]) -> Limit | None:
    """The limit that lasts longest, never-ending first; of equals the first."""
    return max(limits, key=lambda limit: limit.until or datetime.max.replace(tzinfo=UTC), default=None)


def reached(
    rule: EventRule, at: datetime, counted: Counted, on_device: DeviceCounted, zone: ZoneInfo
) -> Iterator[Limit]:
    """Every limit that leaves an event at `at` without points."""
    day = calendar.local_day(at, zone)
    for scope in CAPS:
        if scope in rule.caps and getattr(counted, scope) >= rule.caps[scope]:
            yield Limit(scope, rule.caps[scope], next_bucket(scope, day, zone))
    for scope in DEVICE_CAPS:
        if scope in rule.device_caps and getattr(on_device, scope) >= rule.device_caps[scope]:
            yield Limit(f"device_{scope}", rule.device_caps[scope], next_bucket(scope, day, zone))
    if rule.cooldown:
        yield from _cooling(rule.cooldown, at, counted, zone)


def _cooling(cooldown: Cooldown, at: datetime, counted: Counted, zone: ZoneInfo) -> Iterator[Limit]:
    if counted.after is not None and cooldown.ends(at, zone) > counted.after:
        yield Limit("cooldown", 1, cooldown.ends(counted.after, zone))
    elif counted.before is not None and cooldown.ends(counted.before, zone) > at:
        yield Limit("cooldown", 1, cooldown.ends(counted.before, zone))


def next_bucket(scope: str, day: date, zone: ZoneInfo) -> datetime | None:
    """When the next day, week or month after `day` begins; None for what never ends."""
    if scope == "total":
        return None
    if scope == "month":
        return calendar.start_of_day(zone, calendar.add_months(day.replace(day=1), 1))
    days = 1 if scope == "day" else 7 - day.weekday()
    return calendar.start_of_day(zone, day + timedelta(days=days))


def trace(
    rule: EventRule, code: str, attributes: Mapping[str, Any], terms: Terms, limit: str | None, waits: bool
) -> list[dict[str, Any]]:
    """The steps whose points sum to what was given at first: 0 where a limit was reached or staff decide."""
    exact = rule.exact_points(attributes)
    wanted = rounded(exact, terms.rounding)
    steps = [
        {
            "step": "event",
            "rule": code,
            "formula": rule.formula(attributes),
            "points": plain(exact, POINT, 2),
        },
        {"step": "rounding", "rule": terms.rounding, "points": plain(wanted * POINT - exact, POINT, 2)},
    ]
    if limit:
        steps.append({"step": "limit", "rule": limit, "points": plain(-wanted * POINT, POINT, 2)})
    elif waits:
        steps.append({"step": "review", "rule": "staff", "points": plain(-wanted * POINT, POINT, 2)})
    return steps
