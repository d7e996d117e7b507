"""evaluate(basket, facts, ruleset): the one function that decides points."""

from loyalty.engine import awards, conditions
from loyalty.engine.model import Award, Basket, Evaluation, Facts, NotApplied
from loyalty.engine.numbers import RATE, Shares, rounded
from loyalty.engine.ruleset import Promotion, Ruleset

Candidate = tuple[Promotion, Award, list[int], list[int]]


def evaluate(basket: Basket, facts: Facts, ruleset: Ruleset) -> Evaluation:
    """Points of a basket, whole and by line, with what every promotion gave or why it did not.

    Evaluate, earn, batch, import and reversal all call this; the same arguments give the same answer for
    ever under one engine number.
    """
    terms, lines = ruleset.terms, basket.lines
    counting = [index for index, line in enumerate(lines) if line.counts]
    factor = terms.earn_rate * terms.tiers.get(facts.tier or "", RATE)
    shares = Shares([line.amount * factor if line.counts else 0 for line in lines])
    counting_amount = sum(lines[index].amount for index in counting)
    base = counting_amount * terms.earn_rate * RATE
    tier_share = counting_amount * factor - base

    applying, refused = _candidates(basket, facts, ruleset, counting)
    dropped = awards.losers([(promotion, award) for promotion, award, _, _ in applying])
    refused += [NotApplied(code, "lost_exclusivity") for code in sorted(dropped)]
    kept = [candidate for candidate in applying if candidate[1].promotion not in dropped]
    for _, award, indexes, weights in kept:
        shares.add(award.awarded, indexes, weights)

    granted = base + tier_share
    exact = granted + sum(award.awarded for _, award, _, _ in kept)
    wanted = granted + sum(award.wanted for _, award, _, _ in kept)
    qualifying = granted + sum(award.awarded for promotion, award, _, _ in kept if promotion.qualifying)
    points = rounded(exact, terms.rounding)
    return Evaluation(
        points=points,
        wanted=rounded(wanted, terms.rounding),
        qualifying=rounded(qualifying, terms.rounding),
        line_points=tuple(shares.apportion(points)),
        base=base,
        tier_share=tier_share,
        exact=exact,
        counting_amount=counting_amount,
        awards=tuple(award for _, award, _, _ in kept),
        not_applied=tuple(refused),
    )


def _candidates(
    basket: Basket, facts: Facts, ruleset: Ruleset, counting: list[int]
) -> tuple[list[Candidate], list[NotApplied]]:
    applying: list[Candidate] = []
    refused: list[NotApplied] = []
    for promotion in ruleset.promotions:
        code = conditions.refusal(promotion, basket, facts, ruleset.terms)
        if code:
            refused.append(NotApplied(promotion.code, code))
            continue
        indexes = conditions.matching(promotion, basket.lines, counting)
        if not indexes:
            refused.append(NotApplied(promotion.code, "no_matching_line"))
            continue
        lines = [basket.lines[index] for index in indexes]
        short = conditions.shortfall(promotion, lines)
        if short:
            refused.append(short._replace(would_add=awards.reached(promotion, lines, ruleset.terms)))
            continue
        wanted, weights = awards.effect(promotion, lines, ruleset.terms)
        applying.append((promotion, awards.capped(promotion, wanted, facts), indexes, weights))
    return applying, refused
