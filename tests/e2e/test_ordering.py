"""A member orders a gift and sees where it is; the other gift is a voucher with its code."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from tests.e2e.looking import Look
from tests.e2e.test_member import come_in, shop  # noqa: F401
from tests.factories import ApiClient
from tests.rewards.orders import card

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_voucher(page: Page, shop: ApiClient, live_server: Any, look: Look) -> None:  # noqa: F811
    """Identified by the shop, signed in, the gift chosen, its code read, its order found again."""
    name = {"fr": "Bon de 25 euros", "en": "25 euro voucher"}
    card(shop.partner.programme, at=timezone.now() - timedelta(days=1), name=name)
    come_in(page, shop, live_server)
    page.get_by_role("link", name="Gifts").first.click()
    page.get_by_role("link", name="25 euro voucher").click()
    page.get_by_role("button", name="Order").click()
    expect(page.get_by_text("You keep")).to_be_visible()
    look.at("confirm-voucher")
    page.get_by_role("button", name="Order for 1,000 points").click()
    expect(page.get_by_role("heading", name="Your voucher")).to_be_visible()
    assert len(page.locator(".voucher code").inner_text().replace("-", "")) == 17
    look.at("voucher")
    page.get_by_role("link", name="Orders").first.click()
    look.at("orders")
    page.get_by_role("link", name="25 euro voucher").click()
    expect(page.get_by_text("delivered").first).to_be_visible()


def test_a_gift_by_post(page: Page, shop: ApiClient, live_server: Any, look: Look) -> None:  # noqa: F811
    come_in(page, shop, live_server)
    page.goto("/my/gifts/MUG/order")
    look.at("confirm-post")
    for label, text in {
        "Name": "Ada L.",
        "Street and number": "Rue Neuve 1",
        "Postal code": "1000",
        "Place": "Bruxelles",
        "Country": "Belgique",
    }.items():
        page.get_by_label(label, exact=True).fill(text)
    page.get_by_role("button", name="Order for 400 points").click()
    expect(page.get_by_role("heading", name="Where it is")).to_be_visible()
    page.get_by_role("button", name="Cancel the order").click()
    expect(page.get_by_text("Done.")).to_be_visible()
    look.at("cancelled")
