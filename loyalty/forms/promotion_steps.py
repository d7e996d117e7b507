"""The steps of a promotion's form, and how what is typed there becomes a rule and back."""

from dataclasses import asdict
from typing import Any

from loyalty.engine.ruleset import SCOPES
from loyalty.forms.fields import plain_text
from loyalty.rules import Cap, ProductSetRule, PromotionRule

EFFECTS = [
    ("multiplier", "Multiply the base points"),
    ("rate", "Extra points per unit of money"),
    ("per_item", "Extra points per item"),
    ("fixed", "Extra points, once a transaction"),
]
WEEKDAYS = [
    (day, name)
    for day, name in enumerate(
        ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"), start=1
    )
]
PROMOTION_STEPS: list[tuple[str, dict[str, Any]]] = [
    ("Name", {"fields": [("code", "name"), "started_from"]}),
    ("When", {"fields": [("starts_at", "ends_at"), "weekdays", ("hours_from", "hours_until")]}),
    ("For whom", {"fields": [("include_segments", "exclude_segments"), "tiers", ("first", "birthday_days")]}),
    (
        "On what",
        {
            "fields": [
                ("pick_categories", "pick_brands"),
                ("categories", "brands"),
                ("skus", "sku_file"),
                ("channels", "stores"),
                ("minimum_amount", "minimum_quantity"),
            ]
        },
    ),
    ("What they get", {"fields": [("effect", "value"), "qualifying"]}),
    (
        "Limits",
        {
            "fields": [
                ("cap_transaction_points", "cap_transaction_uses"),
                ("cap_day_points", "cap_day_uses"),
                ("cap_month_points", "cap_month_uses"),
                ("cap_total_points", "cap_total_uses"),
                ("cap_budget_points", "cap_budget_uses"),
                ("exclusivity_group", "priority"),
            ]
        },
    ),
]
POINTER_FIELDS = {
    "/effect/type": "effect",
    "/effect/value": "value",
    "/window/until": "ends_at",
    "/hours": "hours_from",
}
POINTER_FIELDS |= {
    f"/caps/{scope}/{unit}": f"cap_{scope}_{unit}" for scope in SCOPES for unit in ("points", "uses")
}


def rule_of(given: dict[str, Any]) -> PromotionRule:
    """The rule of a form's cleaned fields. What is missing, because it is wrong or not typed yet, asks nothing."""
    hours = (given.get("hours_from") or "", given.get("hours_until") or "")
    caps = {
        scope: Cap(plain_text(given.get(f"cap_{scope}_points")), given.get(f"cap_{scope}_uses"))
        for scope in SCOPES
    }
    value = given.get("value")
    return PromotionRule(
        effect=given.get("effect") or "fixed",
        value="0" if value is None else plain_text(value) or "",
        priority=given["priority"] if given.get("priority") is not None else 100,
        starts_at=given.get("starts_at"),
        ends_at=given.get("ends_at"),
        weekdays=tuple(given.get("weekdays") or ()),
        hours=hours if any(hours) else None,
        channels=given.get("channels") or (),
        stores=given.get("stores") or (),
        tiers=tuple(given.get("tiers") or ()),
        first=bool(given.get("first")),
        birthday_days=given.get("birthday_days"),
        products=products_of(given),
        minimum_amount=plain_text(given.get("minimum_amount")),
        minimum_quantity=plain_text(given.get("minimum_quantity")),
        caps={scope: cap for scope, cap in caps.items() if cap != Cap()},
        exclusivity_group=given.get("exclusivity_group") or None,
        qualifying=bool(given.get("qualifying")),
    )


def products_of(given: dict[str, Any]) -> ProductSetRule | None:
    """SKUs as typed; categories and brands as typed and as chosen. None when nothing was said."""

    def words(*names: str) -> tuple[str, ...]:
        return tuple(dict.fromkeys(word for name in names for word in given.get(name) or ()))

    products = ProductSetRule(
        words("skus"), words("pick_categories", "categories"), words("pick_brands", "brands")
    )
    return products if products != ProductSetRule() else None


def initial_of(rule: PromotionRule, listed: dict[str, list[str]]) -> dict[str, Any]:
    """What the form starts from. Categories and brands that the product list knows (`listed`) are chosen, others
    typed."""
    given = asdict(rule)
    initial = {name: given[name] for name in given if name not in ("products", "caps", "hours")}
    products = rule.products or ProductSetRule()
    initial["skus"] = products.skus
    for name, words in (("categories", products.categories), ("brands", products.brands)):
        known = set(listed[name])
        initial[f"pick_{name}"] = [word for word in words if word in known]
        initial[name] = tuple(word for word in words if word not in known)
    if rule.hours:
        initial["hours_from"], initial["hours_until"] = rule.hours
    for scope, cap in rule.caps.items():
        initial |= {f"cap_{scope}_points": cap.points, f"cap_{scope}_uses": cap.uses}
    return initial
