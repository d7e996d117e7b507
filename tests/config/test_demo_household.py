"""The household of the demo whose pages show everything: returns, events, orders in every status."""

from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from django.utils import timezone

from config.demo.household import household_create, household_of
from loyalty.models import Entry, Event
from members.models import Programme
from members.services import language_add
from members.services.programmes import ENGLISH
from rewards.models import Redemption
from tests.factories import ApiClient, MemberFactory, ProgrammeFactory
from tests.ledger_checks import check_ledger
from tests.loyalty.worlds import BASKET, earn, simple_terms
from tests.rewards.orders import card, mug


@pytest.mark.django_db
def test_a_household_with_everything() -> None:
    """Every kind of movement but an expiry, every status of an order; all its pages open; done once."""
    programme: Programme = ProgrammeFactory()
    language_add(programme=programme, language=ENGLISH, position=2)
    simple_terms(programme)
    till, now = ApiClient(programme), timezone.now()
    for number, receipts in (("7", 1), ("9", 3)):
        MemberFactory(programme=programme, number=number)
        for receipt in range(receipts):
            at = (now - timedelta(days=20 + receipt)).isoformat()
            body = {**BASKET, "member": number, "occurred_at": at}
            assert earn(till, f"POS-{number}-{receipt}", **body).status_code == 201
    mug(programme, stock=20, at=datetime(2026, 1, 5, tzinfo=UTC), points=390)
    card(programme, at=datetime(2026, 1, 5, tzinfo=UTC), points=500)
    later = timezone.now() + timedelta(hours=1)
    member = household_of(programme)
    assert member.number == "9"
    assert household_create(programme, later) == 12
    assert household_create(programme, later) == 0
    orders = Redemption.objects.values_list("member__number", "status")
    assert {number for number, _ in orders} == {"9"}
    assert {status for _, status in orders} == set(Redemption.Status.values)
    assert set(Event.objects.values_list("status", flat=True)) == {"posted", "in_review"}
    kinds = set(Entry.objects.filter(account_id=member.pk).values_list("kind", flat=True))
    assert kinds >= {"earn", "reversal", "adjustment", "event", "redemption"}
    check_ledger()
    check_pages(till)


def check_pages(till: ApiClient) -> None:
    """What was made is shown without a failure."""
    phone = Client()
    phone.get(till.post_json("/api/v1/identifications", {"member": "9"}).json()["login_url"])
    orders = [f"orders/{reference}" for reference in Redemption.objects.values_list("reference", flat=True)]
    for path in (
        "",
        "history",
        "purchases/POS-9-0",
        "purchases/POS-9-1",
        "orders",
        "gifts",
        "offers",
        *orders,
    ):
        assert phone.get(f"/my/{path}").status_code == 200, path
