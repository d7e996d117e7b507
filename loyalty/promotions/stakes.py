"""How many points a promotion may give at once, before anybody buys anything."""

from decimal import Decimal
from typing import Any

from loyalty.rules import PromotionRule

RECEIPT_AMOUNT = Decimal(100)
RECEIPT_ITEMS = Decimal(10)
"""The receipt that a promotion is weighed by: so much money, so many items."""

_CAPS = ("transaction", "day", "month", "total", "budget")


def points_at_stake(rule: PromotionRule, terms: dict[str, Any]) -> Decimal:
    """Extra points for one receipt of 100 in the programme's currency, or of 10 items, after the rule's caps."""
    value = Decimal(rule.value)
    wanted = {
        "fixed": value,
        "per_item": value * RECEIPT_ITEMS,
        "rate": value * RECEIPT_AMOUNT,
        "multiplier": (value - 1) * Decimal(terms["earn_rate"]) * RECEIPT_AMOUNT,
    }[rule.effect]
    caps = [rule.caps[scope].points for scope in _CAPS if scope in rule.caps]
    return min([wanted, *(Decimal(points) for points in caps if points is not None)])
