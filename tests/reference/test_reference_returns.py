"""The reference's returns: what is left of each line, in any split."""

from itertools import permutations
from typing import Any

import pytest

from .baskets import CHOC3X, basket, line, products, promotion, run
from .engine import Invalid, TooMuch, points_left, return_lines


def left(remaining: list[dict[str, Any]], request: list[dict[str, Any]] | None) -> list[tuple[str, str]]:
    return [(row["quantity"], row["amount"]) for row in return_lines(remaining, request, 2)]


def test_three_for_ten_come_back_one_by_one() -> None:
    rows, amounts = [line("1", "10.00", "3")], []
    for _ in range(3):
        rows = return_lines(rows, [{"line": "1", "quantity": "1"}], 2)
        amounts.append(rows[0]["amount"])
    assert amounts == ["6.67", "3.33", "0.00"]  # 3.33, then 3.335 half up to 3.34, then the rest
    with pytest.raises(TooMuch):
        return_lines(rows, [{"line": "1", "quantity": "1"}], 2)


def test_the_last_unit_takes_all_that_is_left() -> None:
    assert left([line("1", "10.005")], [{"line": "1", "quantity": "1"}]) == [("0", "0.00")]


def test_weights_and_currencies_without_digits() -> None:
    assert left([line("1", "9.99", "1.234")], [{"line": "1", "quantity": "0.5"}]) == [("0.734", "5.94")]
    assert return_lines([line("1", "1000", "3")], [{"line": "1", "quantity": "2"}], 0)[0]["amount"] == "333"


def test_by_amount_leaves_the_quantity_until_the_amount_is_used_up() -> None:
    rows = return_lines([line("1", "10.00", "3")], [{"line": "1", "amount": "4"}], 2)
    assert left(rows, [{"line": "1", "quantity": "1"}]) == [("2", "4.00")]
    assert left(rows, [{"line": "1", "amount": "6.00"}]) == [("0", "0.00")]


def test_a_line_whose_amount_is_rounded_away_leaves_with_its_quantity() -> None:
    assert left([line("1", "0.01", "3")], [{"line": "1", "quantity": "2"}]) == [("0", "0.00")]


def test_a_free_line_leaves_with_its_last_unit() -> None:
    rows = return_lines([line("1", "0", "2")], [{"line": "1", "quantity": "1"}], 2)
    assert left(rows, None) == [("0", "0.00")]
    assert left(rows, [{"line": "1", "quantity": "1"}]) == [("0", "0.00")]
    assert rows[0]["quantity"] == "1"
    with pytest.raises(TooMuch):
        return_lines(rows, [{"line": "1", "amount": "0.01"}], 2)


def test_a_line_of_quantity_zero_is_returned_by_amount_or_whole() -> None:
    fuel = [line("1", "30.00", "0")]
    assert left(fuel, [{"line": "1", "amount": "10.00"}]) == [("0", "20.00")]
    assert left(fuel, None) == [("0", "0.00")]
    with pytest.raises(TooMuch):
        return_lines(fuel, [{"line": "1", "quantity": "1"}], 2)


@pytest.mark.parametrize(
    ("request_lines", "error"),
    [
        ([], Invalid),
        ([{"line": "1"}], Invalid),
        ([{"line": "1", "quantity": "1", "amount": "1"}], Invalid),
        ([{"line": "1", "quantity": "0"}], Invalid),
        ([{"line": "1", "amount": "-1"}], Invalid),
        ([{"line": "1", "amount": "1.001"}], Invalid),
        ([{"line": "1", "quantity": "one"}], Invalid),
        ([{"line": "9", "quantity": "1"}], Invalid),
        ([{"line": "1", "quantity": "1"}, {"line": "1", "quantity": "1"}], Invalid),
        ([{"line": "1", "quantity": "2.001"}], TooMuch),
        ([{"line": "1", "amount": "10.01"}], TooMuch),
    ],
)
def test_refusals_leave_the_lines_alone(request_lines: list[dict[str, Any]], error: type[Exception]) -> None:
    rows = [line("1", "10.00", "2")]
    with pytest.raises(error):
        return_lines(rows, request_lines, 2)
    assert rows == [line("1", "10.00", "2")]


def test_everything_can_be_returned_once() -> None:
    rows = return_lines([line("1", "10.00", "2"), line("2", "0", "1")], None, 2)
    assert run(basket(*rows), promotion()).points == 0
    with pytest.raises(TooMuch):
        return_lines(rows, None, 2)


def test_any_order_of_returns_ends_at_zero_and_never_gains() -> None:
    steps = [{"quantity": "1"}, {"amount": "2.17"}, {"quantity": "0.5"}, {"amount": "0.03"}]
    bought = [line("1", "10.01", "3", category="chocolate"), line("2", "4.99")]
    over_ten = promotion("OVER", minimum_amount="10.00", exclusivity_group="X")
    cheap = promotion(
        "ODD", "rate", "7.3333", exclusivity_group="X", products=products(categories=["chocolate"])
    )
    for sequence in permutations(steps):
        rows, had = bought, run(basket(*bought), CHOC3X, over_ten, cheap).points
        for step in [*([{"line": "1", **step}] for step in sequence), None]:
            rows = return_lines(rows, step, 2)
            still = points_left(had, run(basket(*rows), CHOC3X, over_ten, cheap).points)
            assert 0 <= still <= had
            had = still
        assert had == 0


def test_thresholds_lost_are_lost() -> None:
    bought = [line("1", "60.00", "2"), line("2", "10.00")]
    bonus = promotion(minimum_amount="50.00")
    rows = return_lines(bought, [{"line": "1", "quantity": "1"}], 2)
    assert run(basket(*bought), bonus).points == 170
    assert run(basket(*rows), bonus).points == 40
