"""What a promotion that applies gives: its effect on the matching lines, its caps, its exclusivity group."""

from loyalty.engine.model import Award, Facts, Line
from loyalty.engine.numbers import QUANTITY, RATE, RATE_TO_POINT
from loyalty.engine.ruleset import SCOPES, Promotion, Terms


def effect(promotion: Promotion, lines: list[Line], terms: Terms) -> tuple[int, list[int]]:
    """The exact points wanted and the weights by which they spread over `lines`."""
    value = promotion.value
    if promotion.effect == "fixed":
        amounts = [line.amount for line in lines]
        return value * RATE_TO_POINT, amounts if any(amounts) else [1] * len(lines)
    if promotion.effect == "per_item":
        weights = [value * (line.quantity // QUANTITY) * RATE_TO_POINT for line in lines]
    else:
        factor = terms.earn_rate * (value - RATE) if promotion.effect == "multiplier" else value * RATE
        weights = [line.amount * factor for line in lines]
    return sum(weights), weights


def reached(promotion: Promotion, lines: list[Line], terms: Terms) -> int:
    """What the promotion would add if its minimum were just reached: the matching lines made up to it."""
    amount = max(sum(line.amount for line in lines), promotion.minimum_amount)
    quantity = max(sum(line.quantity for line in lines), promotion.minimum_quantity)
    return effect(promotion, [Line("", None, None, None, quantity, amount)], terms)[0]


def capped(promotion: Promotion, wanted: int, facts: Facts) -> Award:
    """The award after the caps per transaction, per member and over all members; the tightest is named."""
    awarded, by = wanted, None
    for scope in SCOPES:
        if scope not in promotion.caps:
            continue
        room = promotion.room(scope, facts)
        if room.uses is not None and room.uses <= 0 and awarded > 0:
            awarded, by = 0, scope
        if room.points is not None and room.points < awarded:
            awarded, by = max(room.points, 0), scope
    return Award(promotion.code, wanted, awarded, by)


def losers(candidates: list[tuple[Promotion, Award]]) -> set[str]:
    """Promotions that an exclusivity group drops: all but the largest award after caps.

    `candidates` are in order of (priority, code), so the first of equals wins.
    """
    best: dict[str, Award] = {}
    for promotion, award in candidates:
        if promotion.group and (promotion.group not in best or award.awarded > best[promotion.group].awarded):
            best[promotion.group] = award
    return {
        award.promotion
        for promotion, award in candidates
        if promotion.group and best[promotion.group] != award
    }
