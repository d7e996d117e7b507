"""The engine and the independent reference compute the same points from whatever baskets and promotions."""

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from loyalty.engine import Evaluation, awards, explain
from loyalty.engine.numbers import POINT, QUANTITY, RATE
from loyalty.records import facts_from
from tests.engine.generated import Case, by_engine, by_reference, cases, engine_basket, ruleset
from tests.reference import engine as reference

SAME_REASON = {
    "other_channel": "channel",
    "other_store": "store",
    "excluded_segment": "segment",
    "not_in_segment": "segment",
    "other_tier": "tier",
    "not_first_transaction": "first",
    "not_birthday": "birthday",
    "below_minimum_amount": "minimum_amount",
    "below_minimum_quantity": "minimum_quantity",
    "lost_exclusivity": "exclusivity",
}
ASKS_FOR_A_MEMBER = {"segment", "tier", "first", "birthday"}

many = settings(
    max_examples=5000,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def figures_of_engine(found: Evaluation, case: Case) -> dict[str, Any]:
    return {
        "points": found.points,
        "wanted": found.wanted,
        "qualifying": found.qualifying,
        "lines": dict(zip((x["line"] for x in case.basket["lines"]), found.line_points, strict=True)),
        "awards": {
            award.promotion: (Fraction(award.wanted, POINT), Fraction(award.awarded, POINT))
            for award in found.awards
        },
        "nearly": {
            x.promotion: Fraction(x.missing[1], RATE if x.missing[0] == "amount" else QUANTITY)
            for x in found.not_applied
            if x.missing
        },
    }


def figures_of_reference(found: reference.Result) -> dict[str, Any]:
    return {
        "points": found.points,
        "wanted": found.wanted,
        "qualifying": found.qualifying,
        "lines": found.lines,
        "awards": {
            code: (award.wanted, award.awarded)
            for code, award in found.awards.items()
            if found.not_applied.get(code) != "exclusivity"
        },
        "nearly": found.nearly,
    }


def check_same(case: Case) -> None:
    ours, theirs = by_engine(case), by_reference(case)
    assert figures_of_engine(ours, case) == figures_of_reference(theirs)
    reasons = {x.promotion: SAME_REASON.get(x.code, x.code) for x in ours.not_applied}
    assert reasons.keys() == theirs.not_applied.keys()
    for code, reason in reasons.items():
        allowed = ASKS_FOR_A_MEMBER if reason == "members_only" else {reason}
        assert theirs.not_applied[code] in allowed


@many
@given(cases)
def test_the_engine_equals_the_reference(case: Case) -> None:
    check_same(case)


@settings(many, max_examples=1000)
@given(cases)
def test_line_points_and_trace_add_up(case: Case) -> None:
    found = by_engine(case)
    shown = explain(engine_basket(case), facts_from(case.facts), ruleset(case), found)
    assert sum(Fraction(step["points"]) for step in shown["trace"]) == found.points
    assert sum(found.line_points) == found.points
    assert min(found.line_points) >= 0
    assert found.points <= found.wanted


def uncapped(promotion: Any, wanted: int, facts: Any) -> Any:
    return awards.Award(promotion.code, wanted, wanted, None)


def late_by_one(promotion: Any, wanted: int, facts: Any) -> Any:
    found = capped(promotion, wanted, facts)
    return found._replace(awarded=found.awarded + 1) if found.capped_by else found


capped = awards.capped


@pytest.mark.parametrize("broken", [uncapped, late_by_one])
def test_it_would_find_an_engine_that_forgets_caps(broken: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The negative control: the same comparison against a broken engine must fail."""
    monkeypatch.setattr(awards, "capped", broken)

    @settings(many, max_examples=1000, report_multiple_bugs=False)
    @given(cases)
    def compare(case: Case) -> None:
        check_same(case)

    with pytest.raises(AssertionError):
        compare()


def test_it_would_find_an_engine_that_forgets_exclusivity(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(awards, "losers", lambda candidates: set())

    @settings(many, max_examples=1000, report_multiple_bugs=False)
    @given(cases)
    def compare(case: Case) -> None:
        check_same(case)

    with pytest.raises(AssertionError):
        compare()


def test_generated_promotions_do_apply() -> None:
    """Guards the generator: what is compared must not be empty baskets that nothing applies to."""
    seen: set[str] = set()

    @settings(many, max_examples=1000)
    @given(cases)
    def look(case: Case) -> None:
        found = by_engine(case)
        rules = {rule["code"]: rule for rule in case.promotions}
        for award in found.awards:
            seen.update({"applied", rules[award.promotion]["effect"]["type"]})
            if award.capped_by:
                seen.add(award.capped_by)
        seen.update(x.code for x in found.not_applied)

    look()
    assert {"applied", "multiplier", "rate", "per_item", "fixed"} <= seen
    assert {"transaction", "total", "day", "month", "budget"} <= seen
    assert (
        set(SAME_REASON) | {"outside_window", "outside_schedule", "members_only", "no_matching_line"} <= seen
    )
