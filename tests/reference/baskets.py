"""Short ways to write baskets, promotions and terms for the reference's tests."""

from datetime import datetime
from typing import Any

from .engine import Result, evaluate

TERMS: dict[str, Any] = {
    "kind": "terms",
    "currency": "EUR",
    "digits": 2,
    "time_zone": "Europe/Brussels",
    "earn_rate": "1",
    "rounding": "floor",
    "delay_days": 14,
    "lifetime": {"months": 12, "end": "year"},
    "tiers": {"SILVER": "1.5"},
}
GUEST: dict[str, Any] = {"member": False, "segments": [], "tier": None, "first": False, "birthday_days": None}
ADA: dict[str, Any] = {
    "member": True,
    "segments": ["vip-bxl"],
    "tier": "SILVER",
    "first": False,
    "birthday_days": None,
    "room": {},
}
PLAIN = ADA | {"tier": None}
INCLUDE = {"segment": "vip-bxl", "mode": "include", "from": "2026-01-01T00:00:00Z", "until": None}
EXCLUDE = INCLUDE | {"mode": "exclude"}
ENDED = {"until": "2026-06-01T00:00:00Z"}


def line(number: str, amount: str, quantity: str = "1", **other: Any) -> dict[str, Any]:
    unnamed = {"sku": None, "category": None, "brand": None, "points_eligible": True}
    return {"line": number, "quantity": quantity, "amount": amount, **unnamed, **other}


def basket(*lines: dict[str, Any], at: str = "2026-11-23T10:15:00+01:00", **other: Any) -> dict[str, Any]:
    where = {"channel": "web", "store": "BXL-01", "currency": "EUR"}
    return {"occurred_at": datetime.fromisoformat(at), **where, "lines": list(lines), **other}


def promotion(code: str = "P", effect: str = "fixed", value: str = "100", **other: Any) -> dict[str, Any]:
    return {
        "kind": "promotion",
        "code": code,
        "priority": 100,
        "window": {"from": None, "until": None},
        "weekdays": [],
        "hours": None,
        "channels": [],
        "stores": [],
        "tiers": [],
        "first": False,
        "birthday_days": None,
        "products": None,
        "minimum_amount": None,
        "minimum_quantity": None,
        "effect": {"type": effect, "value": value},
        "caps": {},
        "exclusivity_group": None,
        "qualifying": False,
        **other,
    }


def products(**sets: list[str]) -> dict[str, Any]:
    return {"kind": "products", "skus": [], "categories": [], "brands": [], **sets}


def run(
    bought: dict[str, Any],
    *promotions: dict[str, Any],
    facts: dict[str, Any] = PLAIN,
    links: dict[str, list[dict[str, Any]]] | None = None,
    **terms: Any,
) -> Result:
    return evaluate(bought, facts, TERMS | terms, list(promotions), links or {})


CHOC = line("1", "25.00", "2", sku="CHOC-1", category="chocolate", brand="Neuhaus")
MUG = line("2", "19.90", sku="MUG-7", category="home")
CHOC3X = promotion("PR-CHOC3X", "multiplier", "3", products=products(categories=["chocolate"]))
