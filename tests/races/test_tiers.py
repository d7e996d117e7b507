"""The review of tiers twice at once, beside earns: every downgrade happens once."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from loyalty.models import TierChange
from loyalty.rules import TermsRule
from loyalty.services import terms_set, tier_create, tier_grant, tier_rules_set, tiers_review
from members.models import Member, Programme
from tests.factories import ApiClient, MemberFactory
from tests.ledger_checks import check_ledger
from tests.loyalty.worlds import earn, euros
from tests.races.crowd import WITHOUT_VERSIONS, at_once, broken_apply, twin

pytestmark = [pytest.mark.django_db(transaction=True)]

NOW = datetime(2026, 11, 23, 9, 15, tzinfo=UTC)


@pytest.fixture
def granted(programme: Programme, ada: Member) -> None:
    """Ada and Bob are Gold by hand for a day."""
    tier = tier_create(programme=programme, code="GOLD", name="Gold", rank=1, threshold=100)
    tier_rules_set(programme=programme, period="year", now=NOW)
    for member in (ada, MemberFactory(programme=programme)):
        grant = {"reason": "test", "actor": "staff:x", "until": NOW + timedelta(days=1)}
        tier_grant(member=member, tier=tier, now=NOW, **grant)


def review_eight_times() -> int:
    return sum(at_once([lambda: tiers_review(now=NOW + timedelta(days=2))] * 8, threads=8))


def check_ended_once(done: int) -> None:
    assert done == 2
    assert TierChange.objects.filter(why="grant_ended").count() == 2
    assert set(Member.objects.values_list("tier", flat=True)) == {""}
    check_ledger()


@pytest.mark.usefixtures("granted")
def test_reviews_at_once_end_each_grant_once(gate: Callable[[int], None]) -> None:
    gate(8)
    check_ended_once(review_eight_times())


@pytest.mark.usefixtures("granted")
def test_without_versions_a_grant_ends_again(gate: Callable[[int], None]) -> None:
    gate(8)
    with broken_apply(*WITHOUT_VERSIONS):
        done = review_eight_times()
    with pytest.raises(AssertionError):
        check_ended_once(done)


@pytest.fixture
def golden(programme: Programme, ada: Member, till: ApiClient, monday: time_machine.Traveller) -> None:
    """Ada became Gold (×2) last year, which is over and nobody looked."""
    tier_create(programme=programme, code="GOLD", name="Gold", rank=1, threshold=100)
    terms_set(programme=programme, terms=TermsRule(tiers={"GOLD": "2"}), now=NOW - timedelta(days=1))
    tier_rules_set(programme=programme, period="year", now=NOW)
    assert earn(till, "POS-0", **euros("100.00")).json()["points"] == 100
    monday.move_to(datetime(2027, 1, 2, tzinfo=UTC))


def earns_and_reviews(till: ApiClient) -> list[int]:
    """Six receipts of 30 euros and two reviews at once; the receipts' points."""

    def receipt(number: int) -> Callable[[], int]:
        client, basket = twin(till), {"occurred_at": "2027-01-02T00:59:00+01:00", **euros("30.00")}
        return lambda: int(earn(client, f"POS-{number}", **basket).json()["points"])

    def review() -> int:
        tiers_review(now=datetime(2027, 1, 2, tzinfo=UTC))
        return 0

    calls = [*(receipt(number) for number in range(1, 7)), review, review]
    return sorted(at_once(calls, threads=8))[2:]


def check_one_after_the_other(points: list[int]) -> None:
    """Gold ends once, four receipts reach it again, and the two after them count twice."""
    assert points == [30, 30, 30, 30, 60, 60]
    changes = TierChange.objects.order_by("recorded_at", "id").values_list("before", "after", "why")
    assert sorted(changes) == [("", "GOLD", "earned"), ("", "GOLD", "earned"), ("GOLD", "", "expired")]
    assert Member.objects.get(number="10042").tier == "GOLD"
    check_ledger()


@pytest.mark.usefixtures("golden")
def test_earns_beside_reviews_are_decided_one_after_the_other(
    till: ApiClient, gate: Callable[[int], None]
) -> None:
    gate(8)
    check_one_after_the_other(earns_and_reviews(till))


@pytest.mark.usefixtures("golden")
def test_without_versions_gold_ends_again_beside_earns(till: ApiClient, gate: Callable[[int], None]) -> None:
    gate(8)
    with broken_apply(*WITHOUT_VERSIONS):
        points = earns_and_reviews(till)
    with pytest.raises(AssertionError):
        check_one_after_the_other(points)
