"""A transaction as its member reads it: what each line took part in, and what each return left."""

from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Any

from loyalty.engine import Basket, Evaluation, Facts, Line, Promotion, Ruleset, conditions, evaluate, explain
from loyalty.engine.awards import effect
from loyalty.engine.explain import because_of
from loyalty.engine.numbers import QUANTITY, RATE, plain
from loyalty.records import ReversalRow, TransactionRow, facts_from, left


def promotions_by_line(row: TransactionRow, ruleset: Ruleset) -> dict[str, list[dict[str, Any]]]:
    """For each line the promotions that gave points for it: code, effect, and what about the member let them."""
    basket, facts = row.basket(), facts_from(row.facts)
    found: dict[str, list[dict[str, Any]]] = {line.line: [] for line in basket.lines}
    for promotion in _awarding(ruleset, evaluate(basket, facts, ruleset)):
        told = {
            "rule": promotion.code,
            "effect": {"type": promotion.effect, "value": plain(promotion.value, RATE)},
            "because": because_of(promotion, basket.occurred_at, facts),
        }
        for line in _shared_by(promotion, basket.lines, ruleset):
            found[line.line].append(told)
    return found


def _awarding(ruleset: Ruleset, evaluation: Evaluation) -> Iterator[Promotion]:
    promotions = {promotion.code: promotion for promotion in ruleset.promotions}
    return (promotions[award.promotion] for award in evaluation.awards if award.awarded)


def _shared_by(promotion: Promotion, lines: tuple[Line, ...], ruleset: Ruleset) -> Iterator[Line]:
    """The lines over which the promotion's award is spread."""
    counting = [index for index, line in enumerate(lines) if line.counts]
    matching = [lines[index] for index in conditions.matching(promotion, lines, counting)]
    _, weights = effect(promotion, matching, ruleset.terms)
    return (line for line, weight in zip(matching, weights, strict=True) if weight)


def returns(row: TransactionRow, reversals: Iterable[ReversalRow], ruleset: Ruleset) -> list[dict[str, Any]]:
    """For each return what came back and how the points of the rest add up."""
    basket, facts = row.basket(), facts_from(row.facts)
    reversals = list(reversals)
    states = [basket.lines, *(left(basket.lines, reversal.remaining_lines) for reversal in reversals)]
    return [
        {
            "reference": reversal.reference,
            "returned": list(_returned(before, after, ruleset)),
            "trace": _trace(basket._replace(lines=after), facts, ruleset)
            if reversal.remaining_points
            else [],
        }
        for reversal, (before, after) in zip(reversals, pairwise(states), strict=True)
    ]


def _returned(
    before: tuple[Line, ...], after: tuple[Line, ...], ruleset: Ruleset
) -> Iterator[dict[str, Any]]:
    for had, has in zip(before, after, strict=True):
        if had != has:
            yield {
                "line": had.line,
                "sku": had.sku,
                "quantity": plain(had.quantity - has.quantity, QUANTITY),
                "amount": plain(had.amount - has.amount, RATE, ruleset.terms.digits),
            }


def _trace(basket: Basket, facts: Facts, ruleset: Ruleset) -> list[dict[str, Any]]:
    trace: list[dict[str, Any]] = explain(basket, facts, ruleset, evaluate(basket, facts, ruleset))["trace"]
    return trace
