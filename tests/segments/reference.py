"""Who a criteria tree means, in plain Python, one member at a time: what the query is tested against."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from operator import eq, ge, gt, le, lt
from typing import Any
from zoneinfo import ZoneInfo

COMPARE = {"more_than": gt, "at_least": ge, "equals": eq, "at_most": le, "less_than": lt}


@dataclass
class Person:
    """A member with what they did: day -> (transactions, spend, earned, burned)."""

    birth_date: date | None
    language: str
    tier: str
    status: str
    enrolled_at: datetime
    attributes: dict[str, Any]
    activity: dict[date, tuple[int, Decimal, int, int]] = field(default_factory=dict)


def means(tree: dict[str, Any], person: Person, now: datetime, zone: ZoneInfo) -> bool:
    """Whether the tree means this person; only active ones unless it asks for the status."""
    if "status" not in fields_of(tree) and person.status != "active":
        return False
    return holds(tree, person, now.astimezone(zone).date(), zone)


def fields_of(tree: dict[str, Any]) -> set[str]:
    if "field" in tree:
        return {tree["field"]}
    inside = [tree["not"]] if "not" in tree else tree.get("all") or tree["any"]
    return set().union(*map(fields_of, inside))


def holds(tree: dict[str, Any], person: Person, today: date, zone: ZoneInfo) -> bool:
    if "all" in tree:
        return all(holds(item, person, today, zone) for item in tree["all"])
    if "any" in tree:
        return any(holds(item, person, today, zone) for item in tree["any"])
    if "not" in tree:
        return not holds(tree["not"], person, today, zone)
    return fits(tree, person, today, zone)


def fits(tree: dict[str, Any], person: Person, today: date, zone: ZoneInfo) -> bool:
    """One condition."""
    name, op, value = tree["field"], tree["op"], tree.get("value")
    if name in {"spend", "transactions", "earned", "burned"}:
        return bool(COMPARE[op](summed(tree, person, today), Decimal(str(value))))
    if name == "last_transaction":
        days = [day for day, did in person.activity.items() if did[0] > 0]
        if op == "never" or not days:
            return op == "never" and not days
        ago = (today - max(days)).days
        return ago <= value if op == "within_days" else ago > value
    if name == "age":
        return person.birth_date is not None and bool(COMPARE[op](age(person.birth_date, today), value))
    if name == "enrolled":
        day = person.enrolled_at.astimezone(zone).date()
        if op == "within_days":
            return (today - day).days <= value
        return day < date.fromisoformat(value) if op == "before" else day >= date.fromisoformat(value)
    if name == "attribute":
        return attribute(person.attributes.get(tree["name"]), op, value)
    own = getattr(person, name)
    return own == "" if op == "none" else own in value


def summed(tree: dict[str, Any], person: Person, today: date) -> Decimal:
    first, last = date.min, date.max
    if "days" in tree:
        first, last = today - timedelta(days=tree["days"] - 1), today
    if "first_day" in tree:
        first, last = date.fromisoformat(tree["first_day"]), date.fromisoformat(tree["last_day"])
    column = ["transactions", "spend", "earned", "burned"].index(tree["field"])
    return sum(
        (Decimal(did[column]) for day, did in person.activity.items() if first <= day <= last), Decimal()
    )


def age(born: date, today: date) -> int:
    """29 February counts as the 28th in other years."""
    years = today.year - born.year
    try:
        birthday = born.replace(year=today.year)
    except ValueError:
        birthday = date(today.year, 2, 28)
    return years - (today < birthday)


def attribute(own: Any, op: str, value: Any) -> bool:
    if own is None:
        return False
    if op == "exists":
        return True
    text = str(own).lower() if isinstance(own, bool) else str(own)
    if op == "equals":
        return text == value
    if op == "in":
        return text in value
    if isinstance(own, bool | str):
        return False
    return bool(COMPARE[op](Decimal(str(own)), Decimal(value)))
