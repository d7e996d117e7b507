"""medusa#16012: a promotion's budget over all members is never exceeded and never left over, and who got less
is told so."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.db.models import Sum

from loyalty.models import PromotionBudget, PromotionUsage
from loyalty.rules import Cap, PromotionRule
from members.models import Programme
from tests.factories import ApiClient, MemberFactory
from tests.ledger_checks import check_ledger
from tests.loyalty.worlds import earn, euros, publish
from tests.races.crowd import at_once, broken_apply, twin

pytestmark = pytest.mark.django_db(transaction=True)

NO_BUDGET_CHECK = (
    ("HAVING sum(a.points) > 0", "HAVING false AND sum(a.points) > 0"),
    ("OR sum(a.uses) > 0", "OR false AND sum(a.uses) > 0"),
)


def earns(programme: Programme, till: ApiClient, count: int) -> list[Callable[[], dict[str, Any]]]:
    """One earn of 1 base point by each of `count` members."""

    def one(number: int) -> Callable[[], dict[str, Any]]:
        client = twin(till)

        def call() -> dict[str, Any]:
            answer = earn(client, f"POS-{number}", member=f"M{number}", **euros("1.00"))
            assert answer.status_code == 201, answer.content
            return answer.json()

        return call

    for number in range(count):
        MemberFactory(programme=programme, number=f"M{number}")
    return [one(number) for number in range(count)]


def check_budget(answers: list[dict[str, Any]], budget: int, bonus: int) -> None:
    given = [answer["points"] - 1 for answer in answers]
    assert sum(given) == min(budget, bonus * len(answers))
    used = PromotionBudget.objects.get()
    assert used.points_used == sum(given)
    assert PromotionUsage.objects.aggregate(points=Sum("points"))["points"] == Decimal(sum(given))
    assert used.uses_used == sum(points > 0 for points in given)
    for answer, points in zip(answers, given, strict=True):
        assert answer["wanted"] == 1 + bonus
        (step,) = [step for step in answer["trace"] if step["step"] == "promotion"]
        assert (step.get("capped_by") == "budget") is (points < bonus)
    check_ledger()


@pytest.mark.parametrize(
    ("budget", "bonus", "count"), [(1000, 10, 200), (1000, 30, 60), (1000, 10, 50), (55, 10, 10)]
)
def test_the_budget_is_given_out_to_the_point(
    programme: Programme, till: ApiClient, gate: Callable[[int], None], budget: int, bonus: int, count: int
) -> None:
    rule = PromotionRule("fixed", str(bonus), caps={"budget": Cap(points=str(budget))})
    publish(programme, "PR-BUDGET", rule)
    calls = earns(programme, till, count)
    gate(10)
    check_budget(at_once(calls), budget, bonus)


def test_without_the_check_more_is_given(
    programme: Programme, till: ApiClient, gate: Callable[[int], None]
) -> None:
    publish(programme, "PR-BUDGET", PromotionRule("fixed", "10", caps={"budget": Cap(points="55")}))
    PromotionBudget.objects.update(points_limit=None)
    calls = earns(programme, till, 10)
    gate(10)
    with broken_apply(*NO_BUDGET_CHECK):
        answers = at_once(calls)
    with pytest.raises(AssertionError):
        check_budget(answers, 55, 10)
    assert sum(answer["points"] - 1 for answer in answers) > 55


def test_without_the_check_the_database_still_refuses(
    programme: Programme, till: ApiClient, gate: Callable[[int], None]
) -> None:
    """The counter's own limit is the second line of defence."""
    publish(programme, "PR-BUDGET", PromotionRule("fixed", "10", caps={"budget": Cap(points="55")}))
    clients = [twin(till) for _ in range(10)]
    earns(programme, till, 10)
    gate(10)
    with broken_apply(*NO_BUDGET_CHECK):
        at_once(
            [
                lambda number=number, client=client: (
                    earn(client, f"POS-{number}", member=f"M{number}", **euros("1.00")).status_code
                )
                for number, client in enumerate(clients)
            ]
        )
    assert PromotionBudget.objects.get().points_used <= 55


def test_uses_of_a_limited_promotion(
    programme: Programme, till: ApiClient, gate: Callable[[int], None]
) -> None:
    """woocommerce#13505: the counter equals the rows."""
    publish(programme, "PR-FIRST-400", PromotionRule("fixed", "10", caps={"budget": Cap(uses=400)}))
    calls = earns(programme, till, 1000)
    gate(10)
    answers = at_once(calls)
    assert sorted(answer["points"] for answer in answers) == [1] * 600 + [11] * 400
    assert PromotionBudget.objects.get().uses_used == PromotionUsage.objects.count() == 400
    check_ledger()
