"""The explanation of an evaluation as partners and members read it: steps, what did not apply, what is near."""

from datetime import datetime
from typing import Any

from loyalty.engine import conditions
from loyalty.engine.model import Award, Basket, Evaluation, Facts, NotApplied
from loyalty.engine.numbers import POINT, QUANTITY, RATE, plain
from loyalty.engine.ruleset import Promotion, Ruleset, Terms


def explain(basket: Basket, facts: Facts, ruleset: Ruleset, evaluation: Evaluation) -> dict[str, Any]:
    """`{"trace": [...], "not_applied": [...], "nearly": [...]}`; the steps' points sum to the points."""
    promotions = {promotion.code: promotion for promotion in ruleset.promotions}
    trace = [
        _base_step(evaluation, ruleset.terms),
        *_tier_step(evaluation, facts, ruleset.terms),
        *(
            _award_step(promotions[award.promotion], award, basket, facts, ruleset.terms)
            for award in evaluation.awards
        ),
        {
            "step": "rounding",
            "rule": ruleset.terms.rounding,
            "points": plain(evaluation.points * POINT - evaluation.exact, POINT, 2),
        },
    ]
    return {
        "trace": trace,
        "not_applied": [
            {"rule": x.promotion, "code": x.code} for x in evaluation.not_applied if not x.missing
        ],
        "nearly": [_nearly(x, ruleset.terms) for x in evaluation.not_applied if x.missing],
    }


def _points(exact: int) -> str:
    return plain(exact, POINT, 2)


def _base_step(evaluation: Evaluation, terms: Terms) -> dict[str, Any]:
    amount, rate = plain(evaluation.counting_amount, RATE, terms.digits), plain(terms.earn_rate, RATE)
    return {
        "step": "base",
        "rule": "BASE",
        "formula": f"{amount} × {rate}",
        "points": _points(evaluation.base),
    }


def _tier_step(evaluation: Evaluation, facts: Facts, terms: Terms) -> list[dict[str, Any]]:
    multiplier = terms.tiers.get(facts.tier or "")
    if multiplier is None:
        return []
    formula = f"{_points(evaluation.base)} × {plain(multiplier - RATE, RATE)}"
    return [
        {"step": "tier", "rule": facts.tier, "formula": formula, "points": _points(evaluation.tier_share)}
    ]


def _formula(promotion: Promotion, basket: Basket, terms: Terms) -> str:
    counting = [index for index, line in enumerate(basket.lines) if line.counts]
    lines = [basket.lines[index] for index in conditions.matching(promotion, basket.lines, counting)]
    amount = sum(line.amount for line in lines)
    if promotion.effect == "fixed":
        return plain(promotion.value, RATE)
    if promotion.effect == "per_item":
        return f"{sum(line.quantity // QUANTITY for line in lines)} × {plain(promotion.value, RATE)}"
    if promotion.effect == "rate":
        return f"{plain(amount, RATE, terms.digits)} × {plain(promotion.value, RATE)}"
    base = plain(amount * terms.earn_rate, RATE * RATE, terms.digits)
    return f"{base} × {plain(promotion.value - RATE, RATE)}"


def because_of(promotion: Promotion, at: datetime, facts: Facts) -> list[str]:
    """What about the member let a promotion apply at `at`; nothing for one that is for everyone."""
    segments = promotion.links.matching(facts.segments, at, include=True)
    reasons = [f"segment:{code}" for code in dict.fromkeys(segments)]
    if promotion.tiers:
        reasons.append(f"tier:{facts.tier}")
    if promotion.first:
        reasons.append("first_transaction")
    if promotion.birthday_days is not None:
        reasons.append("birthday")
    return reasons


def _award_step(
    promotion: Promotion, award: Award, basket: Basket, facts: Facts, terms: Terms
) -> dict[str, Any]:
    step: dict[str, Any] = {
        "step": "promotion",
        "rule": promotion.code,
        "formula": _formula(promotion, basket, terms),
        "points": _points(award.awarded),
    }
    because = because_of(promotion, basket.occurred_at, facts)
    if because:
        step["because"] = because
    if award.awarded != award.wanted:
        step |= {
            "wanted": _points(award.wanted),
            "awarded": _points(award.awarded),
            "capped_by": award.capped_by,
        }
    return step


def _nearly(refused: NotApplied, terms: Terms) -> dict[str, Any]:
    unit, missing = refused.missing or ("amount", 0)
    text = plain(missing, RATE, terms.digits) if unit == "amount" else plain(missing, QUANTITY)
    return {"rule": refused.promotion, "missing": {unit: text}, "would_add": refused.would_add // POINT}
