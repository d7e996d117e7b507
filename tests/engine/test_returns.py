"""Returns in any split and order leave what the reference leaves, and points that only fall."""

from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loyalty.engine import Line, evaluate, returns
from loyalty.engine.numbers import QUANTITY, RATE, plain, scaled
from loyalty.engine.returns import Return, ReturnRefused, is_used_up, remaining_after
from loyalty.records import facts_from
from tests.engine.generated import Case, Maker, Part, case_of, engine_basket, ruleset
from tests.reference import engine as reference

many = settings(max_examples=1500, deadline=None, derandomize=True, database=None)
seeds = st.integers(0, 2**63)


def requests(random: Random, lines: list[Part], digits: int) -> list[Part]:
    """A return of some lines: a part, all, or now and then more than is left."""
    asked = []
    for line in random.sample(lines, random.randint(1, len(lines))):
        unit = random.choice(["quantity", "amount"])
        places = 3 if unit == "quantity" else digits
        left = int(scaled(line[unit], 10**places))
        number = random.choice([left, left, 1, random.randint(0, left + 1)])
        if number:
            asked.append({"line": line["line"], unit: plain(number, 10**places)})
    return asked


def by_engine(lines: tuple[Line, ...], asked: list[Part] | None, digits: int) -> tuple[Line, ...] | str:
    if asked is None:
        wanted = [
            Return(x.line, quantity=x.quantity) if x.quantity else Return(x.line, amount=x.amount)
            for x in lines
            if not is_used_up(x)
        ]
        if not wanted:
            return "refused"
    else:
        wanted = [
            Return(
                x["line"],
                scaled(x["quantity"], QUANTITY) if "quantity" in x else None,
                scaled(x["amount"], RATE) if "amount" in x else None,
            )
            for x in asked
        ]
    try:
        return remaining_after(lines, wanted, digits)
    except ReturnRefused:
        return "refused"


def by_reference(lines: list[Part], asked: list[Part] | None, digits: int) -> list[Part] | str:
    try:
        return reference.return_lines(lines, asked, digits)
    except reference.TooMuch:
        return "refused"


def check_same(seed: int) -> None:
    case, random = case_of(seed), Random(seed)
    digits, facts, rules = case.terms["digits"], facts_from(case.facts), ruleset(case)
    ours, theirs = engine_basket(case).lines, case.basket["lines"]
    ours_had = evaluate(engine_basket(case), facts, rules).points
    theirs_had = by_parts(case, theirs).points
    for turn in range(5):
        asked = None if turn == 4 else requests(random, theirs, digits)
        if asked == []:
            continue
        left, expected = by_engine(ours, asked, digits), by_reference(theirs, asked, digits)
        if isinstance(left, str) or isinstance(expected, str):
            assert left == expected, asked
            continue
        assert [(x.quantity, x.amount) for x in left] == [
            (scaled(x["quantity"], QUANTITY), scaled(x["amount"], RATE)) for x in expected
        ]
        ours, theirs = left, expected
        evaluated = evaluate(engine_basket(case)._replace(lines=ours), facts, rules)
        ours_had = min(ours_had, evaluated.points)
        theirs_had = reference.points_left(theirs_had, by_parts(case, theirs).points)
        assert ours_had == theirs_had
    assert not any(line.counts for line in ours)
    assert ours_had == 0


def by_parts(case: Case, lines: list[Part]) -> reference.Result:
    basket = {**case.basket, "lines": lines}
    return reference.evaluate(basket, case.facts, case.terms, case.promotions, case.links)


@many
@given(seeds)
def test_returns_equal_the_reference(seed: int) -> None:
    check_same(seed)


def truncating(line: Line, item: Return, digits: int, position: int) -> Line:
    """As the engine's, but the share of the amount is cut instead of rounded half up."""
    quantity, unit = item.quantity or 0, RATE // 10**digits
    if quantity > line.quantity:
        raise ReturnRefused("exceeds_remaining", position)
    share = line.amount * quantity // (line.quantity * unit) * unit
    return line._replace(quantity=line.quantity - quantity, amount=line.amount - share)


def keeping_emptied(before: Line, after: Line) -> bool:
    """As if a line whose amount is used up stayed in the basket with its quantity."""
    return False


@pytest.mark.parametrize(("name", "broken"), [("_by_quantity", truncating), ("_leaves", keeping_emptied)])
def test_it_would_find_broken_returns(name: str, broken: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(returns, name, broken)

    @settings(many, report_multiple_bugs=False)
    @given(seeds)
    def compare(seed: int) -> None:
        check_same(seed)

    with pytest.raises(AssertionError):
        compare()


@settings(many, max_examples=500)
@given(seeds)
def test_splitting_a_basket_gains_less_than_a_point_a_basket(seed: int) -> None:
    """odoo#111670: without fixed effects, caps per transaction, groups and minimums, one receipt or many
    earn the same but for the rounding of each."""
    case = Maker(seed).case()
    plain_rules = [
        {**rule, "caps": {}, "exclusivity_group": None, "minimum_amount": None, "minimum_quantity": None}
        for rule in case.promotions
        if rule["effect"]["type"] != "fixed"
    ]
    case = case._replace(promotions=plain_rules, facts={**case.facts, "room": {}})
    facts, rules, whole = facts_from(case.facts), ruleset(case), engine_basket(case)
    points = evaluate(whole, facts, rules).points
    apart = sum(evaluate(whole._replace(lines=(line,)), facts, rules).points for line in whole.lines)
    assert abs(apart - points) < len(whole.lines)
