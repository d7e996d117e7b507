"""Rules and decisions in plain words, as staff read them."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from members.models import Programme

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
SCOPES = {
    "transaction": "per transaction",
    "day": "per member and day",
    "month": "per member and month",
    "total": "per member in total",
    "budget": "over all members",
}
ROUNDINGS = {"floor": "down", "half_up": "to the nearest, halves up", "ceil": "up"}
REASONS = {
    "outside_window": "The promotion did not run at that time.",
    "outside_schedule": "Not on this weekday or at this hour.",
    "other_channel": "Not in this channel.",
    "other_store": "Not in this store.",
    "members_only": "Only for members.",
    "excluded_segment": "The member is in a segment it excludes.",
    "not_in_segment": "The member is in none of its segments.",
    "other_tier": "The member has another tier.",
    "not_first_transaction": "Not the member's first transaction.",
    "not_birthday": "Not around the member's birthday.",
    "no_matching_line": "No line has the products it is about.",
    "below_minimum_amount": "The products it is about cost less than its minimum.",
    "below_minimum_quantity": "There are fewer products than its minimum.",
    "lost_exclusivity": "Another promotion of its group gave more.",
}
"""Why a promotion gave nothing, by the engine's code."""


STATUS_NAMES = {
    "draft": "Draft",
    "scheduled": "Scheduled",
    "active": "Active",
    "paused": "Paused",
    "ended": "Ended",
}
"""Where a promotion stands (loyalty.promotions.lifecycle), as staff read it."""


def moment(at: datetime | None, zone: ZoneInfo) -> str:
    """An instant on the programme's clock; "" for none."""
    return f"{at.astimezone(zone):%-d %b %Y %H:%M}" if at else ""


def span(start: datetime | None, end: datetime | None, zone: ZoneInfo) -> str:
    """From when until when, both open at will."""
    if start and end:
        return f"{moment(start, zone)} until {moment(end, zone)}"
    if start:
        return f"from {moment(start, zone)}"
    return f"until {moment(end, zone)}" if end else "always"


def _listed(words: Iterable[str], most: int = 5) -> str:
    words = list(words)
    rest = len(words) - most
    return ", ".join(words[:most]) + (f" and {rest} more" if rest > 0 else "")


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def window_text(window: Mapping[str, Any], zone: ZoneInfo) -> str:
    """A promotion's window on the programme's clock."""
    return span(_instant(window["from"]), _instant(window["until"]), zone)


def effect_text(effect: Mapping[str, Any], currency: str) -> str:
    """What a promotion gives, e.g. "base points × 3"."""
    value = effect["value"]
    return {
        "multiplier": f"base points × {value}",
        "rate": f"{value} extra points per {currency}",
        "per_item": f"{value} extra points per item",
        "fixed": f"{value} extra points",
    }[effect["type"]]


def promotion_steps(
    part: Mapping[str, Any], products: Mapping[str, Any] | None, programme: Programme
) -> list[tuple[str, str]]:
    """A promotion part as (step, sentence) pairs: when, for whom, on what, what they get, limits.

    Segment links are not of the part. Parts that ask for nothing leave their step out.
    """
    steps = (
        ("When", _when(part, ZoneInfo(programme.time_zone))),
        ("For whom", _for_whom(part)),
        ("On what", _on_what(part, products, programme.currency)),
        ("Gets", [effect_text(part["effect"], programme.currency), *(_counts(part))]),
        ("Limits", _limits(part)),
    )
    return [(name, "; ".join(words)) for name, words in steps if words]


def promotion_summary(
    part: Mapping[str, Any],
    products: Mapping[str, Any] | None,
    programme: Programme,
    links: Mapping[str, Iterable[str]] | None = None,
) -> str:
    """The whole rule in one or two sentences. `links` has segment codes under include and exclude."""
    zone, currency = ZoneInfo(programme.time_zone), programme.currency
    who = _who(part, links or {})
    more = [*_where_and_minima(part, currency), *(word for word in _when(part, zone) if word != "always")]
    sentence = f"{who} get {effect_text(part['effect'], currency)}"
    if what := _products(products):
        sentence += f" on {what}"
    sentence = ", ".join([sentence, *more])
    rest = [*_limits(part), *_counts(part)]
    return f"{sentence}." + (f" {_first_up('; '.join(rest))}." if rest else "")


def _first_up(text: str) -> str:
    return text[:1].upper() + text[1:]


def _who(part: Mapping[str, Any], links: Mapping[str, Iterable[str]]) -> str:
    include, exclude = list(links.get("include", ())), list(links.get("exclude", ()))
    asks = include or part["tiers"] or part["first"] or part["birthday_days"] is not None
    words = ["Members" if asks else "All customers"]
    if part["tiers"]:
        words.append(f"of tier {_listed(part['tiers'])}")
    if include:
        words.append(f"in segment {_listed(include)}")
    if exclude:
        words.append(f"not in segment {_listed(exclude)}")
    if part["first"]:
        words.append("with their first transaction")
    if part["birthday_days"] is not None:
        days = part["birthday_days"]
        words.append(f"on their birthday and {days} days after" if days else "on their birthday")
    return " ".join(words)


def _counts(part: Mapping[str, Any]) -> list[str]:
    return ["counts for the tier"] if part["qualifying"] else []


def _when(part: Mapping[str, Any], zone: ZoneInfo) -> list[str]:
    hours = part["hours"]
    words = [window_text(part["window"], zone)]
    if part["weekdays"]:
        words.append(" ".join(DAYS[day - 1] for day in part["weekdays"]))
    if hours:
        words.append(f"{hours['from']}–{hours['until']}")
    return words


def _for_whom(part: Mapping[str, Any]) -> list[str]:
    words = []
    if part["tiers"]:
        words.append(f"tier {_listed(part['tiers'])}")
    if part["first"]:
        words.append("first transaction")
    if part["birthday_days"] is not None:
        days = part["birthday_days"]
        words.append(f"birthday and {days} days after" if days else "on the birthday")
    return words


def _products(products: Mapping[str, Any] | None) -> str:
    return " or ".join(
        f"{label} {_listed(products[name])}"
        for name, label in (("skus", "SKU"), ("categories", "category"), ("brands", "brand"))
        if products and products[name]
    )


def _where_and_minima(part: Mapping[str, Any], currency: str) -> list[str]:
    words = [
        f"{label} {_listed(part[name])}"
        for name, label in (("channels", "channel"), ("stores", "store"))
        if part[name]
    ]
    if part["minimum_amount"]:
        words.append(f"for at least {part['minimum_amount']} {currency}")
    if part["minimum_quantity"]:
        words.append(f"at least {part['minimum_quantity']} items")
    return words


def _on_what(part: Mapping[str, Any], products: Mapping[str, Any] | None, currency: str) -> list[str]:
    return [*filter(None, [_products(products)]), *_where_and_minima(part, currency)]


def _limits(part: Mapping[str, Any]) -> list[str]:
    words = []
    for scope, cap in part["caps"].items():
        most = [f"{cap['points']} points"] if "points" in cap else []
        most += [f"{cap['uses']} times"] if "uses" in cap else []
        words.append(f"at most {' and '.join(most)} {SCOPES[scope]}")
    if part["exclusivity_group"]:
        words.append(f"only the best of group {part['exclusivity_group']}")
    return words


def delay_text(days: int) -> str:
    """When points become available."""
    return f"after {days} days" if days else "at once"


def multipliers_text(tiers: Mapping[str, str]) -> str:
    """Tier multipliers; "" for none."""
    return ", ".join(f"{code} × {multiplier}" for code, multiplier in tiers.items())


def lifetime_text(lifetime: Mapping[str, Any] | None) -> str:
    """How long points live."""
    if lifetime is None:
        return "never"
    end = f", at the end of the {lifetime['end']}" if lifetime["end"] else ""
    return f"after {lifetime['months']} months{end}"


def refusal_text(code: str) -> str:
    """Why a promotion gave nothing."""
    return REASONS.get(code, code.replace("_", " "))


def step_name(step: Mapping[str, Any]) -> str:
    """The first words of a step of a trace."""
    names = {
        "base": "Base points",
        "rounding": "Rounding",
        "event": "Event",
        "limit": "Limit",
        "review": "Review",
        "tier": f"Tier {step['rule']}",
    }
    return names.get(step["step"], str(step["rule"]))


def step_reason(step: Mapping[str, Any]) -> str:
    """Why a step of a trace gave its points: "for segment vip-bxl; 120 wanted, limited by month"."""
    if step["step"] == "rounding":
        return ROUNDINGS[step["rule"]]
    words = []
    if step.get("because"):
        words.append("for " + ", ".join(because_text(reason) for reason in step["because"]))
    if "capped_by" in step:
        words.append(f"{step['wanted']} wanted, capped {SCOPES.get(step['capped_by'], step['capped_by'])}")
    return "; ".join(words)


def because_text(reason: str) -> str:
    """ "segment:vip-bxl" as "segment vip-bxl"."""
    return reason.replace(":", " ", 1).replace("_", " ")


def taken_text(taken: Mapping[str, int]) -> str:
    """Where a return took its points from."""
    return ", ".join(f"{points} {name}" for name, points in taken.items() if points) or "nothing"
