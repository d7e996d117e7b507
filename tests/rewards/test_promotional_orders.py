"""Gifts that cost fewer points for whom a promotion is for: what an order pays."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine

from loyalty.models import Entry, Promotion
from loyalty.rules import PromotionRule
from loyalty.services import promotion_pause
from members.models import Member, Programme
from rewards.models import Redemption
from rewards.services import promotional_price_set
from segments.models import Segment
from segments.services import membership_remove
from tests.factories import ApiClient
from tests.loyalty.worlds import MONDAY, adjust, balance, publish
from tests.rewards.orders import act, mug, order, shown

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def offered(till: ApiClient, club: Segment, programme: Programme, bob: Member) -> None:
    """A mug of 300 points, 200 for the segment of PR-CHOC3X, in which ada is and bob is not; both have 1,000."""
    price(programme, "PR-CHOC3X", 200, reward=mug(programme, stock=9))
    for member in ("10042", bob.number):
        assert adjust(till, member, 1000).status_code == 201


def price(programme: Programme, promotion: str, points: int | None, reward: Any = None) -> None:
    promotional_price_set(
        reward=reward or programme.rewards.get(),
        promotion=Promotion.objects.get(programme=programme, code=promotion),
        points=points,
        now=MONDAY,
    )


def paid(client: ApiClient, **fields: Any) -> int:
    answer = order(client, **fields)
    assert answer.status_code in (200, 201), answer.content
    return int(answer.json()["points"])


def test_who_is_in_the_segment_pays_less(till: ApiClient, bob: Member) -> None:
    assert paid(till, reference="ADAS") == 200
    assert paid(till, reference="BOBS", member=bob.number) == 300
    assert (balance(till)["available"], balance(till, bob.number)["available"]) == (800, 700)
    stored = Redemption.objects.values_list("reference", "unit_points", "promotion").order_by("reference")
    assert list(stored) == [("ADAS", 200, "PR-CHOC3X"), ("BOBS", 300, "")]
    assert sorted(Entry.objects.filter(kind="redemption").values_list("points", flat=True)) == [-300, -200]


def test_each_of_several_pieces(till: ApiClient) -> None:
    assert paid(till, quantity=3) == 600


def test_a_dry_run_and_a_reservation_say_the_same(till: ApiClient) -> None:
    assert paid(till, mode="dry_run") == 200
    assert not Redemption.objects.exists()
    assert paid(till, reference="HELD", mode="hold") == 200
    assert balance(till) == {"available": 800, "pending": 0, "held": 200, "debt": 0}


def test_the_lowest_of_several_and_never_a_higher_one(till: ApiClient, programme: Programme) -> None:
    publish(programme, "PR-ALL", PromotionRule("fixed", "1"))
    price(programme, "PR-ALL", 150)
    assert paid(till) == 150
    price(programme, "PR-ALL", 250)
    assert paid(till) == 200
    price(programme, "PR-CHOC3X", 400)
    price(programme, "PR-ALL", None)
    assert paid(till) == 300, "a promotion never makes a gift dearer"


def test_points_must_do_for_the_lower_price_only(till: ApiClient, bob: Member) -> None:
    for member in ("10042", bob.number):
        adjust(till, member, -750)
    assert paid(till) == 200
    refused = order(till, member=bob.number).json()
    assert (refused["code"], refused["required"], refused["missing"]) == ("insufficient_points", 300, 50)


@pytest.mark.parametrize("how", ["paused", "left the segment", "over"])
def test_what_has_ended_is_the_normal_price(
    till: ApiClient,
    programme: Programme,
    club: Segment,
    ada: Member,
    monday: time_machine.Traveller,
    how: str,
) -> None:
    if how == "paused":
        promotion_pause(promotion=Promotion.objects.get(code="PR-CHOC3X"), now=MONDAY)
    elif how == "left the segment":
        membership_remove(segment=club, member=ada, now=MONDAY)
    else:
        price(programme, "PR-CHOC3X", None)
        publish(programme, "PR-DAY", PromotionRule("fixed", "1", ends_at=MONDAY + timedelta(days=1)))
        price(programme, "PR-DAY", 200)
        assert paid(till) == 200
        monday.shift(timedelta(days=1))
    assert paid(till) == paid(till, mode="dry_run") == 300


def test_a_reservation_keeps_its_price_when_the_promotion_ends(till: ApiClient) -> None:
    assert paid(till, reference="HELD", mode="hold") == 200
    promotion_pause(promotion=Promotion.objects.get(code="PR-CHOC3X"), now=MONDAY)
    assert act(till, "HELD", "confirm").json()["points"] == 200
    assert balance(till)["available"] == 800


def test_the_history_and_a_cancellation_tell_what_was_paid(till: ApiClient) -> None:
    paid(till, reference="WEB-1")
    assert shown(till, "WEB-1")["points"] == 200
    promotion_pause(promotion=Promotion.objects.get(code="PR-CHOC3X"), now=MONDAY)
    assert act(till, "WEB-1", "cancel").status_code == 200
    items = till.get("/api/v1/members/10042/history").json()["items"]
    assert [(x["kind"], x["points"], x["reference"]) for x in items[:2]] == [
        ("redemption_cancelled", 200, "WEB-1"),
        ("redemption", -200, "WEB-1"),
    ]
    assert balance(till)["available"] == 1000


def test_repetitions_answer_the_price_of_then(till: ApiClient) -> None:
    first = order(till, reference="WEB-1", key="k")
    promotion_pause(promotion=Promotion.objects.get(code="PR-CHOC3X"), now=MONDAY)
    for again in (order(till, reference="WEB-1", key="k"), order(till, reference="WEB-1")):
        assert again.json() == first.json()
    assert balance(till)["available"] == 800
