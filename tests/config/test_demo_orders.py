"""The demo's gift orders: every status, from points that are there."""

from collections import Counter
from datetime import UTC, datetime

import pytest
from django.utils import timezone

from config.demo.orders import orders_create
from loyalty.models import Account
from members.models import Programme
from rewards.models import Redemption
from tests.factories import ApiClient, MemberFactory, ProgrammeFactory
from tests.ledger_checks import check_ledger
from tests.loyalty.worlds import adjust, simple_terms
from tests.rewards.orders import card, mug


@pytest.mark.django_db
def test_orders_at_every_stage() -> None:
    programme: Programme = ProgrammeFactory()
    simple_terms(programme)
    till = ApiClient(programme)
    for number in range(13):
        member = MemberFactory(programme=programme, number=f"M-{number}")
        assert adjust(till, member.number, 1500).status_code == 201
    opened = datetime(2026, 1, 5, tzinfo=UTC)
    mug(programme, stock=20, at=opened)
    card(programme, at=opened)
    assert orders_create(programme, timezone.now()) == 12
    statuses = Counter(Redemption.objects.values_list("status", flat=True))
    assert statuses == {
        "exchanged": 1, "in_preparation": 1, "in_delivery": 1, "delivered": 3, "return_requested": 1,
        "returned": 1, "cancelled": 1, "reserved": 1, "released": 1, "lapsed": 1,
    }  # fmt: skip
    assert Account.objects.filter(held__gt=0).count() == 1
    assert orders_create(programme, timezone.now()) == 0
    check_ledger()


@pytest.mark.django_db
def test_three_members_are_enough() -> None:
    """The points of choco-club's members: every status but a second confirmed voucher."""
    programme: Programme = ProgrammeFactory()
    simple_terms(programme)
    till = ApiClient(programme)
    for number, points in enumerate((955, 893, 1428, 64)):
        member = MemberFactory(programme=programme, number=f"M-{number}")
        assert adjust(till, member.number, points).status_code == 201
    opened = datetime(2026, 1, 5, tzinfo=UTC)
    mug(programme, stock=20, at=opened, points=390)
    card(programme, at=opened, points=500)
    assert orders_create(programme, timezone.now()) == 11
    statuses = Counter(Redemption.objects.values_list("status", flat=True))
    assert set(statuses) == set(Redemption.Status.values)
    check_ledger()
