"""The reference against examples worked out by hand from the rules: baskets, promotions, rounding."""

from fractions import Fraction
from typing import Any

import pytest

from .baskets import (
    ADA,
    CHOC,
    CHOC3X,
    ENDED,
    EXCLUDE,
    GUEST,
    INCLUDE,
    MUG,
    PLAIN,
    basket,
    line,
    products,
    promotion,
    run,
)
from .engine import Award, Result, points_left, return_lines


def test_the_worked_example_earns_117() -> None:
    over50 = promotion("PR-50EUR", minimum_amount="50.00")
    weekend = promotion("PR-WEEKEND", weekdays=[6, 7])
    result = run(basket(CHOC, MUG), CHOC3X, over50, weekend, facts=ADA, links={"PR-CHOC3X": [INCLUDE]})
    assert result == Result(
        points=117,
        wanted=117,
        lines={"1": 87, "2": 30},
        qualifying=67,
        awards={"PR-CHOC3X": Award(Fraction(50), Fraction(50))},
        not_applied={"PR-50EUR": "minimum_amount", "PR-WEEKEND": "outside_schedule"},
        nearly={"PR-50EUR": Fraction("5.10")},
    )


def test_the_worked_example_keeps_73_after_one_box_comes_back() -> None:
    left = return_lines([CHOC, MUG], [{"line": "1", "quantity": "1"}], 2)
    result = run(basket(*left), CHOC3X, facts=ADA, links={"PR-CHOC3X": [INCLUDE]})
    assert [(row["quantity"], row["amount"]) for row in left] == [("1", "12.50"), ("1", "19.90")]
    assert points_left(117, result.points) == 73


@pytest.mark.parametrize(
    ("mode", "amount", "points"),
    [
        ("floor", "1.99", 1),
        ("half_up", "1.49", 1),
        ("half_up", "1.50", 2),
        ("half_up", "2.50", 3),
        ("ceil", "1.01", 2),
        ("ceil", "2.00", 2),
    ],
)
def test_rounding(mode: str, amount: str, points: int) -> None:
    assert run(basket(line("1", amount)), rounding=mode).points == points


def test_the_sum_is_rounded_once_and_ties_go_to_the_earlier_line() -> None:
    thirds = [line(number, "1.50") for number in ("b", "a", "c")]
    assert run(basket(*thirds)).lines == {"b": 2, "a": 1, "c": 1}
    uneven = [line("1", "0.40"), line("2", "0.70"), line("3", "0.90")]
    assert run(basket(*uneven)).lines == {"1": 0, "2": 1, "3": 1}


def test_lines_that_do_not_count_get_zero() -> None:
    card = line("2", "50.00", points_eligible=False)
    result = run(basket(line("1", "3"), card, line("3", "0", "0")), promotion())
    assert result.lines == {"1": 103, "2": 0, "3": 0}


@pytest.mark.parametrize(
    ("effect", "value", "awarded", "lines"),
    [
        ("multiplier", "3", "24", {"1": 30, "2": 6, "3": 0}),
        ("multiplier", "1", "0", {"1": 10, "2": 2, "3": 0}),
        ("rate", "0.5", "6", {"1": 15, "2": 3, "3": 0}),
        ("per_item", "5", "20", {"1": 15, "2": 7, "3": 10}),
        ("fixed", "6", "6", {"1": 15, "2": 3, "3": 0}),
    ],
)
def test_effects(effect: str, value: str, awarded: str, lines: dict[str, int]) -> None:
    bought = basket(line("1", "10", "1.9"), line("2", "2"), line("3", "0", "2"))
    result = run(bought, promotion(effect=effect, value=value))
    assert result.awards["P"] == Award(Fraction(awarded), Fraction(awarded))
    assert result.lines == lines


def test_fixed_points_are_spread_equally_over_free_lines() -> None:
    free = basket(line("1", "0"), line("2", "0", "7"), line("3", "0"))
    assert run(free, promotion(value="11")).lines == {"1": 4, "2": 4, "3": 3}


def test_effects_add_up_and_only_matching_lines_take_part() -> None:
    by_sku = promotion("A", "multiplier", "3", products=products(skus=["MUG-7"]))
    by_brand = promotion("B", "multiplier", "2", products=products(brands=["Neuhaus"]))
    none = promotion("C", products=products())
    result = run(basket(CHOC, MUG), by_sku, by_brand, none)
    assert result.points == 109  # 25 x 2 + 19.90 x 3
    assert result.not_applied == {"C": "no_matching_line"}


def test_minimums_are_sums_over_matching_lines() -> None:
    chocolate = products(categories=["chocolate"])
    reached = promotion("A", products=chocolate, minimum_amount="25.00", minimum_quantity="2")
    amount = promotion("B", products=chocolate, minimum_amount="44.90")
    quantity = promotion("C", minimum_quantity="5")
    both = promotion("D", minimum_amount="100", minimum_quantity="5")
    result = run(basket(CHOC, MUG), reached, amount, quantity, both)
    assert set(result.awards) == {"A"}
    assert result.nearly == {"B": Fraction("19.90"), "C": Fraction(2)}
    assert result.not_applied["D"] == "minimum_amount"


# Caps


@pytest.mark.parametrize("scope", ["transaction", "total", "day", "month", "budget"])
@pytest.mark.parametrize(("room", "awarded"), [("12.5", "12.5"), ("0", "0"), ("500", "100"), ("-3", "0")])
def test_points_caps(scope: str, room: str, awarded: str) -> None:
    cap = {scope: {"points": room if scope == "transaction" else "1000"}}
    facts = PLAIN | {"room": {"P": {scope: {"points": room}}}}
    result = run(basket(line("1", "30"), line("2", "10")), promotion(caps=cap), facts=facts)
    assert result.awards == {"P": Award(Fraction(100), Fraction(awarded))}
    assert (result.points, result.wanted) == (40 + int(Fraction(awarded)), 140)


@pytest.mark.parametrize("scope", ["total", "day", "month", "budget"])
@pytest.mark.parametrize(("left", "awarded"), [(0, 0), (1, 100)])
def test_uses_caps(scope: str, left: int, awarded: int) -> None:
    facts = PLAIN | {"room": {"P": {scope: {"uses": left}}}}
    result = run(basket(line("1", "30")), promotion(caps={scope: {"uses": 3}}), facts=facts)
    assert result.points == 30 + awarded


def test_a_capped_award_shrinks_in_proportion_and_the_tightest_cap_counts() -> None:
    caps = {"transaction": {"points": "40"}, "month": {"points": "100", "uses": 5}}
    facts = PLAIN | {
        "room": {
            "P": {
                "month": {"points": "20", "uses": 1},
                "transaction": {"points": "0"},
                "day": {"points": "0"},
            }
        }
    }
    result = run(basket(line("1", "30"), line("2", "10")), promotion(caps=caps), facts=facts)
    assert result.lines == {"1": 45, "2": 15}


def test_room_that_is_not_named_is_the_whole_cap() -> None:
    capped = promotion(caps={"total": {"points": "7"}})
    assert run(basket(line("1", "30")), capped, facts=GUEST).points == 37


# Exclusivity and qualifying points


def test_the_largest_award_after_caps_wins_its_group() -> None:
    big = promotion("BIG", value="500", exclusivity_group="X", caps={"transaction": {"points": "10"}})
    small = promotion("SMALL", value="20", exclusivity_group="X")
    other = promotion("OTHER", value="1", exclusivity_group="Y")
    result = run(basket(line("1", "30")), big, small, other)
    assert result.points == result.wanted == 51
    assert result.awards["BIG"] == Award(Fraction(500), Fraction(0))
    assert result.not_applied == {"BIG": "exclusivity"}


def test_ties_go_to_the_lower_priority_number_then_code() -> None:
    ten = {"value": "10", "exclusivity_group": "X"}
    first = run(basket(line("1", "1")), promotion("A", **ten), promotion("Z", **ten, priority=5))
    assert first.not_applied == {"A": "exclusivity"}
    second = run(basket(line("1", "1")), promotion("a", **ten), promotion("Z", **ten))
    assert second.not_applied == {"a": "exclusivity"}


def test_qualifying_is_base_tier_share_and_marked_awards_rounded_once() -> None:
    marked = promotion("A", value="0.3", qualifying=True)
    result = run(basket(line("1", "1.20")), marked, promotion("B", value="50"), facts=ADA, rounding="half_up")
    assert (result.qualifying, result.points) == (2, 52)  # 1.2 + 0.6 + 0.3 = 2.1


# Conditions


@pytest.mark.parametrize(
    ("conditions", "reason"),
    [
        ({"window": {"from": "2026-11-23T09:15:01Z", "until": None}}, "outside_window"),
        ({"window": {"from": None, "until": "2026-11-23T09:15:00Z"}}, "outside_window"),
        ({"window": {"from": "2026-11-23T09:15:00Z", "until": "2026-11-23T09:15:01Z"}}, None),
        ({"weekdays": [2, 3, 4, 5, 6, 7]}, "outside_schedule"),
        ({"hours": {"from": "10:15", "until": "10:16"}}, None),
        ({"hours": {"from": "09:00", "until": "10:15"}}, "outside_schedule"),
        ({"channels": ["store"]}, "channel"),
        ({"stores": ["BXL-01", "GNT-02"]}, None),
        ({"stores": ["GNT-02"]}, "store"),
        ({"tiers": ["GOLD"]}, "tier"),
        ({"tiers": ["SILVER"]}, None),
        ({"first": True}, "first"),
        ({"birthday_days": 7}, "birthday"),
    ],
)
def test_conditions(conditions: dict[str, Any], reason: str | None) -> None:
    result = run(basket(MUG), promotion(**conditions), facts=ADA)
    assert result.not_applied.get("P") == reason


@pytest.mark.parametrize(("since", "applies"), [(0, True), (7, True), (8, False), (None, False)])
def test_birthday_promotions_run_until_day_n(since: int | None, applies: bool) -> None:
    result = run(basket(MUG), promotion(birthday_days=7), facts=PLAIN | {"birthday_days": since})
    assert ("P" in result.awards) is applies


def test_a_guest_gets_base_and_public_promotions_only() -> None:
    asking: list[dict[str, Any]] = [
        promotion("A", tiers=["SILVER"]),
        promotion("B", first=True),
        promotion("C", birthday_days=366),
        promotion("D"),
        promotion("E"),
        promotion("F"),
    ]
    claims = GUEST | {"segments": ["vip-bxl"], "tier": "SILVER", "first": True, "birthday_days": 0}
    result = run(basket(MUG), *asking, facts=claims, links={"D": [INCLUDE], "E": [EXCLUDE]})
    assert set(result.awards) == {"E", "F"}
    assert result.points == 219


@pytest.mark.parametrize(
    ("links", "applies"),
    [
        ([], True),
        ([INCLUDE], True),
        ([INCLUDE | ENDED], False),
        ([INCLUDE | {"from": "2027-01-01T00:00:00Z"}], False),
        ([INCLUDE | {"segment": "other"}], False),
        ([INCLUDE, INCLUDE | {"segment": "other"}], True),
        ([EXCLUDE], False),
        ([EXCLUDE | ENDED], True),
        ([INCLUDE, EXCLUDE], False),
        ([INCLUDE, EXCLUDE | ENDED], True),
        ([EXCLUDE | {"segment": "other"}], True),
    ],
)
def test_links(links: list[dict[str, Any]], applies: bool) -> None:
    result = run(basket(MUG), promotion(), links={"P": links})
    assert ("P" in result.awards) is applies
