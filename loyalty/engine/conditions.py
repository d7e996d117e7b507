"""Whether a promotion applies to a basket, and if not, why."""

from collections.abc import Callable

from loyalty.engine.model import Basket, Facts, Line, NotApplied
from loyalty.engine.ruleset import Promotion, Terms

Check = Callable[[Promotion, Basket, Facts, Terms], bool]


def _in_window(promotion: Promotion, basket: Basket, facts: Facts, terms: Terms) -> bool:
    at = basket.occurred_at
    return (promotion.start is None or promotion.start <= at) and (
        promotion.end is None or at < promotion.end
    )


def _on_schedule(promotion: Promotion, basket: Basket, facts: Facts, terms: Terms) -> bool:
    return promotion.schedule is None or promotion.schedule.covers(basket.occurred_at, terms.zone)


def _channel(promotion: Promotion, basket: Basket, facts: Facts, terms: Terms) -> bool:
    return not promotion.channels or basket.channel in promotion.channels


def _store(promotion: Promotion, basket: Basket, facts: Facts, terms: Terms) -> bool:
    return not promotion.stores or basket.store in promotion.stores


def _known(promotion: Promotion, basket: Basket, facts: Facts, terms: Terms) -> bool:
    asks = promotion.links.asks or promotion.tiers or promotion.first or promotion.birthday_days is not None
    return facts.member or not asks


def _not_excluded(promotion: Promotion, basket: Basket, facts: Facts, terms: Terms) -> bool:
    return not promotion.links.matching(facts.segments, basket.occurred_at, include=False)


def _included(promotion: Promotion, basket: Basket, facts: Facts, terms: Terms) -> bool:
    links = promotion.links
    return not links.asks or bool(links.matching(facts.segments, basket.occurred_at, include=True))


def _tier(promotion: Promotion, basket: Basket, facts: Facts, terms: Terms) -> bool:
    return not promotion.tiers or facts.tier in promotion.tiers


def _first(promotion: Promotion, basket: Basket, facts: Facts, terms: Terms) -> bool:
    return not promotion.first or facts.first


def _birthday(promotion: Promotion, basket: Basket, facts: Facts, terms: Terms) -> bool:
    allowed, days = promotion.birthday_days, facts.birthday_days
    return allowed is None or (days is not None and days <= allowed)


CHECKS: tuple[tuple[str, Check], ...] = (
    ("outside_window", _in_window),
    ("outside_schedule", _on_schedule),
    ("other_channel", _channel),
    ("other_store", _store),
    ("members_only", _known),
    ("excluded_segment", _not_excluded),
    ("not_in_segment", _included),
    ("other_tier", _tier),
    ("not_first_transaction", _first),
    ("not_birthday", _birthday),
)
"""In the order in which a reason is given: the first that fails names why a promotion does not apply."""


def refusal(promotion: Promotion, basket: Basket, facts: Facts, terms: Terms) -> str | None:
    """The code of the first condition on basket and member that fails, or None."""
    for code, check in CHECKS:
        if not check(promotion, basket, facts, terms):
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
