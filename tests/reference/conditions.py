"""When a promotion applies to a basket, and what it lacks.

Decisions
- The hours of a promotion are compared with the programme's wall clock: the second 02:15 of an autumn
  night is 02:15; a schedule inside the missing hour of a spring night does not happen that night. The end
  is exclusive; equal start and end mean 24 hours that belong to the weekday they began on.
- An include link asks for membership whatever its dates are (ended, running or still to come); it lets
  members in only while it runs, and an exclude link keeps them out only while it runs.
- A promotion with exclude links only is open to guests; channel and store lists never match a null.
- An empty product set (three empty lists) matches no line.
- A minimum is nearly reached when it is the only thing that is missing, however far away; what is missing
  is an amount or a quantity. With both minimums missing nothing is nearly reached.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any

from .clock import local, utc


def fact(facts: dict[str, Any], name: str) -> Any:
    """A fact about the member; a guest has none."""
    return facts.get(name) if facts["member"] else None


def counts(line: dict[str, Any]) -> bool:
    """Whether a line counts."""
    eligible = line.get("points_eligible", True) is not False
    return eligible and (Fraction(line["amount"]) > 0 or Fraction(line["quantity"]) > 0)


def why_not(
    promotion: dict[str, Any],
    basket: dict[str, Any],
    facts: dict[str, Any],
    terms: dict[str, Any],
    links: list[dict[str, Any]],
) -> str | None:
    """The first condition on occasion or member that fails, or None."""
    since = fact(facts, "birthday_days")
    conditions = {
        "outside_window": in_window(promotion["window"], basket["occurred_at"]),
        "outside_schedule": in_schedule(promotion, local(basket["occurred_at"], terms["time_zone"])),
        "channel": not promotion["channels"] or basket.get("channel") in promotion["channels"],
        "store": not promotion["stores"] or basket.get("store") in promotion["stores"],
        "segment": linked(links, fact(facts, "segments") or [], basket["occurred_at"]),
        "tier": not promotion["tiers"] or fact(facts, "tier") in promotion["tiers"],
        "first": not promotion["first"] or bool(fact(facts, "first")),
        "birthday": promotion["birthday_days"] is None
        or (since is not None and 0 <= since <= promotion["birthday_days"]),
    }
    return next((reason for reason, holds in conditions.items() if not holds), None)


def why_not_lines(promotion: dict[str, Any], matching: list[dict[str, Any]]) -> str | None:
    """The first condition on the matching lines that fails, or None."""
    if not matching:
        return "no_matching_line"
    lacking = [unit for unit in ("amount", "quantity") if missing(promotion, matching, unit)]
    return f"minimum_{lacking[0]}" if lacking else None


def missing(promotion: dict[str, Any], matching: list[dict[str, Any]], unit: str) -> Fraction:
    """What the matching lines lack of the minimum amount or quantity."""
    minimum = Fraction(promotion[f"minimum_{unit}"] or 0)
    return max(minimum - sum(Fraction(line[unit]) for line in matching), Fraction(0))


def nearly_reached(promotion: dict[str, Any], matching: list[dict[str, Any]]) -> dict[str, Fraction]:
    """The one minimum that is missing."""
    lacks = [missing(promotion, matching, unit) for unit in ("amount", "quantity")]
    return {promotion["code"]: max(lacks)} if min(lacks) == 0 else {}


def in_window(window: dict[str, Any], occurred_at: datetime) -> bool:
    """Start inclusive, end exclusive; null is open."""
    start, end, at = window["from"], window["until"], utc(occurred_at)
    return (start is None or utc(start) <= at) and (end is None or at < utc(end))


def in_schedule(promotion: dict[str, Any], at: datetime) -> bool:
    """Whether weekday and hours match; `at` is the programme's wall clock."""
    began_on = at.date()
    if promotion["hours"] is not None:
        minute = at.hour * 60 + at.minute
        start, end = (minute_of(promotion["hours"][edge]) for edge in ("from", "until"))
        if start < end and not start <= minute < end:
            return False
        if end <= start and end <= minute < start:
            return False
        if end <= start and minute < start:
            began_on -= timedelta(days=1)
    return not promotion["weekdays"] or began_on.isoweekday() in promotion["weekdays"]


def minute_of(clock: str) -> int:
    """Minutes since midnight of "HH:MM"."""
    hours, minutes = clock.split(":")
    return int(hours) * 60 + int(minutes)


def linked(links: list[dict[str, Any]], segments: Iterable[str], occurred_at: datetime) -> bool:
    """Whether the segment links let the member in; exclude wins."""
    member_of = {
        link["mode"] for link in links if link["segment"] in set(segments) and in_window(link, occurred_at)
    }
    asks_for_segment = any(link["mode"] == "include" for link in links)
    return "exclude" not in member_of and ("include" in member_of or not asks_for_segment)


def in_product_set(line: dict[str, Any], products: dict[str, Any] | None) -> bool:
    """SKU or category or brand; no set matches all."""
    if products is None:
        return True
    return any(
        line.get(field) is not None and line[field] in products[names]
        for field, names in (("sku", "skus"), ("category", "categories"), ("brand", "brands"))
    )
