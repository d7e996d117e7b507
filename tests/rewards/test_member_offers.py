"""Offers on the member's pages: what gives more, on which products, to whom, and gifts that cost fewer points."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from loyalty.engine.conditions import CHECKS
from loyalty.models import Promotion
from loyalty.rules import Cap, ProductSetRule, PromotionRule
from loyalty.services import ProductRow, products_put
from members.models import Member, Programme
from rewards.pages import words
from rewards.services import promotional_price_set
from segments.models import Segment
from tests.factories import ApiClient
from tests.loyalty.worlds import MONDAY, adjust, earn, publish, reverse
from tests.rewards.catalogue import live_gift
from tests.rewards.test_member_pages import browser_of, text_of
from tests.statements import statements

pytestmark = pytest.mark.django_db


@pytest.fixture
def phone(till: ApiClient, club: Segment, ada: Member) -> Client:
    Member.objects.filter(pk=ada.pk).update(language="en")
    return browser_of(till)


def test_offers(phone: Client) -> None:
    page = text_of(phone.get("/my/offers"))
    assert "Pr-50Eur for everybody · from 50.00 EUR 100 extra points" in page
    assert "Pr-Weekend for everybody · Saturday, Sunday 50 extra points" in page


def test_an_offer_says_what_it_asks_and_what_is_left_of_it(phone: Client, programme: Programme) -> None:
    rule = PromotionRule(
        "rate", "0.5", hours=("21:30", "02:00"), channels=("web",), stores=("BXL-01",), minimum_quantity="3",
        ends_at=MONDAY + timedelta(days=2), caps={"day": Cap(points="30.5"), "total": Cap(uses=2)},
    )  # fmt: skip
    publish(programme, "PR-NIGHT", rule)
    page = text_of(phone.get("/my/offers/PR-NIGHT"))
    assert "0.5 extra points per EUR" in page
    assert "from 3 pieces · from 21:30 to 02:00 · online · in the shops BXL-01" in page
    assert "points left for today: 30.5 · times left for you: 2" in page
    assert "Until 25 November 2026" in page
    assert "On everything you buy." in page


def test_an_offer_says_why_she_has_it_and_no_end_that_there_is_not(phone: Client) -> None:
    page = text_of(phone.get("/my/offers/PR-CHOC3X"))
    assert "Why you because you were chosen for it On what" in page
    assert "For whom for everybody" in text_of(phone.get("/my/offers/PR-50EUR"))


def test_products_of_an_offer_by_name_in_pages(phone: Client, programme: Programme) -> None:
    """Categories and brands first, then articles: by their names, as many queries however many there are."""
    skus = [f"TEA-{number:03}" for number in range(120)]
    products_put(
        programme=programme, products=[ProductRow(sku, f"Tea no. {sku[4:]}") for sku in skus], now=MONDAY
    )
    for code, chosen in (("PR-TEA", skus), ("PR-CUP", skus[:1])):
        products = ProductSetRule(skus=tuple(chosen), brands=("Royal",))
        publish(programme, code, PromotionRule("multiplier", "2", products=products))
    first, last = text_of(phone.get("/my/offers/PR-TEA")), text_of(phone.get("/my/offers/PR-TEA?page=3"))
    assert "On what Royal Tea no. 000 Tea no. 001" in first
    assert (first.count("Tea no."), last.count("Tea no.")) == (49, 21)
    assert "More products" in first
    assert "More products" not in last
    assert "on 121 products" in text_of(phone.get("/my/offers"))
    for wrong in ("0", "4", "x", "-1", "9" * 9):
        assert phone.get(f"/my/offers/PR-TEA?page={wrong}").status_code == 404
    counts = []
    for code in ("PR-CUP", "PR-TEA"):
        with statements() as sent:
            phone.get(f"/my/offers/{code}")
        counts.append(len(sent))
    assert counts[0] == counts[1] <= 6


def test_what_is_for_others_is_not_found(phone: Client, club: Segment, ada: Member) -> None:
    assert phone.get("/my/offers/PR-CHOC3X").status_code == 200
    ada.memberships.all().delete()
    assert phone.get("/my/offers/PR-CHOC3X").status_code == 404
    assert phone.get("/my/offers/NOTHING").status_code == 404
    assert "Pr-Choc3X" not in text_of(phone.get("/my/offers"))


def test_gifts_for_fewer_points(till: ApiClient, phone: Client, programme: Programme) -> None:
    """The price is hers everywhere; gifts are sorted by what they cost her."""
    adjust(till, "10042", 250)
    mug = live_gift(programme, "MUG", at=MONDAY - timedelta(days=1), name={"fr": "Blue mug"}, points=300)
    live_gift(programme, "TEA", at=MONDAY - timedelta(days=1), name={"fr": "Teapot"}, points=250)
    promotional_price_set(
        reward=mug, promotion=Promotion.objects.get(code="PR-CHOC3X"), points=200, now=MONDAY
    )
    page = text_of(phone.get("/my/offers"))
    assert "Gifts for fewer points Blue mug 200 points instead of 300 in reach" in page
    assert "Teapot" not in page
    listed = text_of(phone.get("/my/gifts"))
    assert listed.index("Blue mug 200") < listed.index("Teapot 250")


def test_every_reason_of_the_engine_has_words() -> None:
    engine = {code for code, _asks, _check in CHECKS}
    engine |= {"no_matching_line", "lost_exclusivity", "below_minimum_amount", "below_minimum_quantity"}
    assert {code for code in engine if not str(words.REASONS.get(code, ""))} == set()


def test_both_minima_missed_is_a_reason(till: ApiClient, phone: Client, programme: Programme) -> None:
    rule = PromotionRule("fixed", "10", minimum_amount="500.00", minimum_quantity="90")
    publish(programme, "PR-LOTS", rule)
    earn(till, "POS-1")
    page = text_of(phone.get("/my/purchases/POS-1"))
    assert "Pr-Lots You bought too little of what it is about." in page


def test_a_return_says_what_came_back_and_what_the_rest_is_worth(till: ApiClient, phone: Client) -> None:
    earn(till, "POS-1")
    first = reverse(till, "POS-1", "RET-1", lines=[{"line": "1", "quantity": "1"}]).json()
    reverse(till, "POS-1", "RET-2")
    page = text_of(phone.get("/my/purchases/POS-1"))
    assert "Returned on 23 November 2026 1 × CHOC-1 12.50 EUR Points taken back" in page
    rest = page.split("How what you kept adds up")[1].split("Returned on")[0]
    for step in first["trace"]:
        if step["step"] != "rounding":
            assert step["points"] in rest
    assert f"Points {first['remaining_points']}" in rest
    assert "1 × CHOC-1 12.50 EUR 1 × MUG-7 19.90 EUR Points taken back" in page
    assert page.count("How what you kept adds up") == 1, "nothing was kept the second time"


@pytest.mark.parametrize("path", ["/my/offers", "/my/offers/PR-CHOC3X"])
def test_strangers(club: Segment, path: str) -> None:
    answer: Any = Client().get(path)
    assert answer.status_code == 401
    assert "Choc3X" not in answer.content.decode()
