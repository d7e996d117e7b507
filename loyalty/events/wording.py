"""Event types and their limits in plain words, as staff read them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

EVENT_LIMITS = {
    "total": "{} in all",
    "month": "{} a month",
    "week": "{} a week",
    "day": "{} a day",
    "device_total": "{} a device in all",
    "device_day": "{} a device and day",
}


def event_gives_text(part: Mapping[str, Any]) -> str:
    """What an event type gives: "50 points", "score × 5 points", and whether staff decide."""
    points = part["points"]
    fixed = points["type"] == "fixed"
    text = f"{points['value']} points" if fixed else f"{points['attribute']} × {points['rate']} points"
    return f"{text}, once staff approve" if part["review"] else text


def event_limits_text(part: Mapping[str, Any]) -> str:
    """How often events of a type count; "" for as often as they like."""
    caps = part["caps"] | {f"device_{scope}": most for scope, most in part["device"].items()}
    words = [EVENT_LIMITS[scope].format(times(most)) for scope, most in sorted(caps.items(), reverse=True)]
    if cooldown := part["cooldown"]:
        words.append(f"{cooldown['amount']} {cooldown['unit']} apart")
    return ", ".join(words)


def times(number: int) -> str:
    """ "once", or "3 times"."""
    return "once" if number == 1 else f"{number} times"


def event_state(is_active: bool, part: Mapping[str, Any], now: datetime) -> str:
    """Where an event type stands: On, Off, Scheduled or Over."""
    start, end = (
        datetime.fromisoformat(text) if (text := part["window"][name]) else None for name in ("from", "until")
    )
    if not is_active:
        return "Off"
    if end and end <= now:
        return "Over"
    return "Scheduled" if start and now < start else "On"


def event_limit_text(name: str, most: int) -> str:
    """The limit that an event met."""
    if name == "cooldown":
        return "too soon after another one"
    return EVENT_LIMITS[name].format(f"at most {times(most)}")
