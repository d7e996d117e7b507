"""Promotional prices in the gifts a member is asked about."""

from datetime import timedelta
from typing import Any

import pytest

from loyalty.models import Promotion
from loyalty.rules import PromotionRule
from loyalty.services import promotion_pause
from members.models import Member, Programme
from rewards.services import promotional_price_set
from segments.models import Segment
from tests.factories import ApiClient
from tests.loyalty.worlds import MONDAY, adjust, publish
from tests.rewards.catalogue import live_gift
from tests.rewards.orders import POST, order
from tests.statements import statements

pytestmark = pytest.mark.django_db
TRAP = {"note": '"points":500,"points_before":null'}


def prices(client: ApiClient, query: str = "") -> dict[str, tuple[int, int | None]]:
    items = client.get(f"/api/v1/gifts{query}").json()["items"]
    return {item["code"]: (item["points"], item["points_before"]) for item in items}


@pytest.fixture
def offered(club: Segment, programme: Programme) -> dict[str, Promotion]:
    """Two gifts, one with prices of a promotion for the segment and of one for everybody."""
    trapped = live_gift(programme, "GFT-1", points=500, attributes=TRAP)
    live_gift(programme, "GFT-2", points=900)
    found = {code: Promotion.objects.get(code=code) for code in ("PR-CHOC3X", "PR-50EUR")}
    for code, points in (("PR-CHOC3X", 400), ("PR-50EUR", 450)):
        promotional_price_set(reward=trapped, promotion=found[code], points=points, now=MONDAY)
    return found


def test_the_lowest_open_price_is_shown(
    till: ApiClient, offered: dict[str, Promotion], ada: Member, bob: Member
) -> None:
    assert prices(till, "?member=10042") == {"GFT-1": (400, 500), "GFT-2": (900, None)}
    assert prices(till, f"?member={bob.number}") == {"GFT-1": (450, 500), "GFT-2": (900, None)}
    one = till.get("/api/v1/gifts/GFT-1?member=10042").json()
    assert (one["points"], one["points_before"]) == (400, 500)
    assert one["attributes"] == TRAP
    promotion_pause(promotion=offered["PR-CHOC3X"], now=MONDAY)
    assert prices(till, "?member=10042")["GFT-1"] == (450, 500)


def test_without_a_member_nothing_changes(till: ApiClient, offered: Any) -> None:
    assert prices(till) == {"GFT-1": (500, None), "GFT-2": (900, None)}
    held = till.get("/api/v1/gifts").headers["ETag"]
    till.get("/api/v1/gifts?member=10042")
    assert till.get("/api/v1/gifts", headers={"If-None-Match": held}).status_code == 304
    with statements() as sent:
        prices(till)
    assert len(sent) == 1


def test_what_is_shown_is_what_an_order_takes(till: ApiClient, offered: Any, ada: Member) -> None:
    adjust(till, "10042", 420)
    item = till.get("/api/v1/gifts/GFT-1?member=10042").json()
    assert item["for_member"] == {"available": True, "reasons": []}
    assert order(till, "GFT-1", delivery=POST).json()["points"] == item["points"] == 400


def test_a_price_that_an_order_does_not_find_is_not_shown(
    till: ApiClient, offered: Any, programme: Programme, ada: Member
) -> None:
    dear = live_gift(programme, "GFT-3", points=100)
    for code, rule, points in (
        ("PR-SHOP", PromotionRule("fixed", "1", channels=("shop",)), 1),
        ("PR-TUESDAY", PromotionRule("fixed", "1", weekdays=(2,)), 2),
        ("PR-LATER", PromotionRule("fixed", "1", starts_at=MONDAY + timedelta(days=1)), 3),
        ("PR-DEARER", PromotionRule("fixed", "1"), 120),
    ):
        publish(programme, code, rule)
        promotion = Promotion.objects.get(code=code)
        promotional_price_set(reward=dear, promotion=promotion, points=points, now=MONDAY)
    assert prices(till, "?member=10042")["GFT-3"] == (100, None)


def test_a_closed_price_is_a_missing_point(till: ApiClient, offered: Any, bob: Member) -> None:
    adjust(till, bob.number, 420)
    item = till.get(f"/api/v1/gifts/GFT-1?member={bob.number}").json()
    assert (item["points"], item["for_member"]["reasons"]) == (450, ["points"])
