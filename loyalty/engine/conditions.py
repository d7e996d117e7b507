"""Whether a promotion applies to a basket, and if not, why."""

from collections.abc import Callable
from datetime import datetime
from functools import lru_cache

from loyalty.engine.model import Basket, Facts, Line, NotApplied
from loyalty.engine.ruleset import Promotion, Terms

Asks = Callable[[Promotion], bool]
Check = Callable[[Promotion, Basket, Facts, Terms], bool]


def _in_window(promotion: Promotion, basket: Basket, facts: Facts, terms: Terms) -> bool:
    at = basket.occurred_at
    return (promotion.start is None or promotion.start <= at) and (
        promotion.end is None or at < promotion.end
    )


def _on_schedule(promotion: Promotion, basket: Basket, facts: Facts, terms: Terms) -> bool:
    return promotion.schedule is not None and promotion.schedule.covers(basket.occurred_at, terms.zone)


def _channel(promotion: Promotion, basket: Basket, facts: Facts, terms: Terms) -> bool:
    return basket.channel in promotion.channels


def _store(promotion: Promotion, basket: Basket, facts: Facts, terms: Terms) -> bool:
    return basket.store in promotion.stores


def _asks_for_member(promotion: Promotion) -> bool:
    return bool(
        promotion.links.asks or promotion.tiers or promotion.first or promotion.birthday_days is not None
    )


def _known(promotion: Promotion, basket: Basket, facts: Facts, terms: Terms) -> bool:
    return facts.member


def _not_excluded(promotion: Promotion, basket: Basket, facts: Facts, terms: Terms) -> bool:
    return not promotion.links.matching(facts.segments, basket.occurred_at, include=False)


def _included(promotion: Promotion, basket: Basket, facts: Facts, terms: Terms) -> bool:
    return bool(promotion.links.matching(facts.segments, basket.occurred_at, include=True))


def _tier(promotion: Promotion, basket: Basket, facts: Facts, terms: Terms) -> bool:
    return facts.tier in promotion.tiers


def _first(promotion: Promotion, basket: Basket, facts: Facts, terms: Terms) -> bool:
    return facts.first


def _birthday(promotion: Promotion, basket: Basket, facts: Facts, terms: Terms) -> bool:
    allowed, days = promotion.birthday_days, facts.birthday_days
    return allowed is not None and days is not None and days <= allowed


CHECKS: tuple[tuple[str, Asks, Check], ...] = (
    ("outside_window", lambda x: x.start is not None or x.end is not None, _in_window),
    ("outside_schedule", lambda x: x.schedule is not None, _on_schedule),
    ("other_channel", lambda x: bool(x.channels), _channel),
    ("other_store", lambda x: bool(x.stores), _store),
    ("members_only", _asks_for_member, _known),
    ("excluded_segment", lambda x: bool(x.links.links), _not_excluded),
    ("not_in_segment", lambda x: x.links.asks, _included),
    ("other_tier", lambda x: bool(x.tiers), _tier),
    ("not_first_transaction", lambda x: x.first, _first),
    ("not_birthday", lambda x: x.birthday_days is not None, _birthday),
)
"""Reason, whether a promotion asks at all, and the check, in the order in which a reason is given."""


@lru_cache(maxsize=10_000)
def asked(promotion: Promotion) -> tuple[tuple[str, Check], ...]:
    """The checks a promotion asks for, with their reasons: most ask for few."""
    return tuple((code, check) for code, asks, check in CHECKS if asks(promotion))


def refusal(promotion: Promotion, basket: Basket, facts: Facts, terms: Terms) -> str | None:
    """The code of the first condition on basket and member that fails, or None."""
    for code, check in asked(promotion):
        if not check(promotion, basket, facts, terms):
            return code
    return None


_ABOUT_THE_MEMBER = frozenset(
    {
        "outside_window",
        "members_only",
        "excluded_segment",
        "not_in_segment",
        "other_tier",
        "not_first_transaction",
        "not_birthday",
    }
)


def member_refusal(promotion: Promotion, at: datetime, facts: Facts, terms: Terms) -> str | None:
    """The code of the first condition on time and member that fails at `at`, or None; weekday, hours, channel,
    store and basket are not asked."""
    basket = Basket(at, None, None, ())
    for code, check in asked(promotion):
        if code in _ABOUT_THE_MEMBER and not check(promotion, basket, facts, terms):
            return code
    return None


def matching(promotion: Promotion, lines: tuple[Line, ...], counting: list[int]) -> list[int]:
    """Indexes of the counting lines in the promotion's product set (no set = all)."""
    products = promotion.products
    return counting if products is None else [i for i in counting if products.holds(lines[i])]


def shortfall(promotion: Promotion, lines: list[Line]) -> NotApplied | None:
    """The minimum the matching lines do not reach, or None; `missing` when it is the only one."""
    amount = max(promotion.minimum_amount - sum(line.amount for line in lines), 0)
    quantity = max(promotion.minimum_quantity - sum(line.quantity for line in lines), 0)
    if not amount and not quantity:
        return None
    code = "below_minimum_amount" if amount else "below_minimum_quantity"
    if amount and quantity:
        return NotApplied(promotion.code, code)
    return NotApplied(promotion.code, code, ("amount", amount) if amount else ("quantity", quantity))
