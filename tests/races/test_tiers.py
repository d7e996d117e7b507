"""The review of tiers twice at once, beside earns: every downgrade happens once."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from loyalty.models import TierChange
from loyalty.services import tier_create, tier_grant, tier_rules_set, tiers_review
from members.models import Member, Programme
from tests.factories import MemberFactory
from tests.races.crowd import WITHOUT_VERSIONS, at_once, broken_apply, check_ledger

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
