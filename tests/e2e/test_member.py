"""A member, identified by her shop, reads why a basket gave its points, orders a gift, and sees where it is."""

import gzip
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, Page, Response, expect

from rewards.models import Redemption
from tests.e2e.looking import DESK, HAND, Look
from tests.e2e.members import ADDRESS, come_in
from tests.factories import ApiClient
from tests.loyalty.worlds import balance
from tests.rewards.orders import card

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_journey(page: Page, shop: ApiClient, live_server: Any, look: Look) -> None:
    """Identified, signed in, a basket explained, a voucher redeemed, its order seen."""
    name = {"fr": "Bon de 25 euros", "en": "25 euro voucher"}
    card(shop.partner.programme, at=timezone.now() - timedelta(days=1), name=name)
    come_in(page, shop, live_server)
    expect(page.get_by_role("heading", name="Hello Ada")).to_be_visible()
    expect(page.locator(".figure")).to_contain_text("2,510")
    look.at("home")
    page.get_by_role("link", name="History").first.click()
    expect(page.get_by_text("Return of purchase POS-1", exact=True)).to_be_visible()
    look.at("history")
    page.get_by_role("link", name="Why these points? Purchase,").click()
    expect(page.get_by_role("heading", name="117 points, and why")).to_be_visible()
    line = page.locator("li", has_text="2 × CHOC-1")
    expect(line).to_contain_text("Pr-Choc3X: Points × 3, because you are in VIP Brussels")
    page.get_by_text("How what you kept adds up").click()
    look.at("purchase")
    page.get_by_role("link", name="Gifts", exact=True).click()
    page.get_by_role("link", name="25 euro voucher").click()
    look.at("my-gift")
    page.get_by_role("button", name="Order").click()
    expect(page.get_by_text("You keep")).to_be_visible()
    look.at("confirm-voucher")
    page.get_by_role("button", name="Order for 1,000 points").click()
    expect(page.get_by_role("heading", name="Your voucher")).to_be_visible()
    assert len(page.locator(".voucher code").inner_text().replace("-", "")) == 17
    look.at("voucher")
    page.get_by_role("link", name="Orders", exact=True).click()
    look.at("my-orders")
    page.get_by_role("link", name="25 euro voucher").click()
    expect(page.get_by_text("delivered").first).to_be_visible()
    page.get_by_role("link", name="Points", exact=True).click()
    expect(page.locator(".figure")).to_contain_text("1,510")


def test_a_gift_by_post_is_ordered_once_and_cancelled(
    page: Page, shop: ApiClient, live_server: Any, look: Look
) -> None:
    """A double click and a reload order nothing more; who goes back is told that it is ordered."""
    come_in(page, shop, live_server)
    page.goto("/my/gifts/MUG/order")
    page.get_by_role("button", name="Order for 400 points").click()
    expect(page.get_by_text("This field is required.").first).to_be_visible()
    look.at("confirm-post-refused", status=422)
    page.goto("/my/gifts/MUG/order")
    look.at("confirm-post")
    for label, text in ADDRESS.items():
        page.get_by_label(label, exact=True).fill(text)
    page.get_by_role("button", name="Order for 400 points").dblclick()
    expect(page.get_by_role("heading", name="Where it is")).to_be_visible()
    where = page.url
    page.reload()
    page.go_back()
    expect(page.get_by_text("You ordered this a moment ago.")).to_be_visible()
    look.at("confirm-again")
    assert (Redemption.objects.count(), balance(shop)["available"]) == (1, 2110)
    page.get_by_role("link", name="See that order").click()
    page.wait_for_url(where)
    page.get_by_role("button", name="Cancel the order").click()
    expect(page.get_by_role("heading", name="Cancel this order?")).to_be_visible()
    look.at("cancel")
    page.get_by_role("button", name="Cancel the order").click()
    expect(page.get_by_text("Done.")).to_be_visible()
    look.at("cancelled")
    assert balance(shop)["available"] == 2510


def test_looking_for_a_gift(page: Page, shop: ApiClient, live_server: Any, look: Look) -> None:
    come_in(page, shop, live_server)
    page.get_by_role("link", name="Gifts", exact=True).click()
    expect(page.locator("ul.gifts > li")).to_have_count(3)
    look.at("my-gifts")
    page.get_by_label("In reach now").check()
    page.get_by_role("button", name="Show").click()
    expect(page.locator("ul.gifts > li")).to_have_count(2)
    page.locator("ul.gifts > li").first.get_by_role("link").click()
    expect(page.get_by_text("in reach")).to_be_visible()


@DESK
def test_everything_by_keyboard(page: Page, shop: ApiClient, live_server: Any, look: Look) -> None:
    """From the address bar to the order, with Tab, Enter and text."""
    come_in(page, shop, live_server)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.innerText").strip() == "Skip to the content"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"
    look.reach_by_keyboard("Gifts in reach")
    page.keyboard.press("Enter")
    page.wait_for_url("**/my/gifts?reach=1")
    look.reach_by_keyboard("Boîte de pralines")
    page.keyboard.press("Enter")
    page.wait_for_url("**/my/gifts/MUG")
    look.reach_by_keyboard("Order", exact=True)
    page.keyboard.press("Enter")
    page.wait_for_url("**/order")
    for label, text in ADDRESS.items():
        page.get_by_label(label, exact=True).focus()
        page.keyboard.type(text)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Where it is")).to_be_visible()


@DESK
def test_tab_goes_through_a_page_and_out(page: Page, shop: ApiClient, live_server: Any, look: Look) -> None:
    """Every link and field once, in the order of the page, each with a focus that shows: no trap."""
    come_in(page, shop, live_server)
    for path in ("", "history", "purchases/POS-1", "gifts", "orders", "offers", "segments", "profile"):
        page.goto(f"/my/{path}")
        look.goes_through()


def test_without_scripts(browser: Browser, shop: ApiClient, live_server: Any) -> None:
    context = browser.new_context(java_script_enabled=False, base_url=live_server.url, locale="en-GB")
    page = context.new_page()
    come_in(page, shop, live_server)
    page.goto("/my/gifts")
    page.get_by_role("searchbox").fill("pralines")
    page.get_by_role("button", name="Show").click()
    page.goto("/my/gifts/MUG")
    page.get_by_role("button", name="Order").click()
    for label, text in ADDRESS.items():
        page.get_by_label(label, exact=True).fill(text)
    page.get_by_role("button", name="Order for 400 points").click()
    page.get_by_role("button", name="Cancel the order").click()
    page.get_by_role("button", name="Cancel the order").click()
    expect(page.get_by_text("Done.")).to_be_visible()
    page.goto("/my/profile")
    page.get_by_label("Language").select_option("fr")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("html")).to_have_attribute("lang", "fr")
    context.close()


@HAND
def test_home_is_light(page: Page, shop: ApiClient, live_server: Any) -> None:
    """Under 100 KB transferred, nothing kept from before; assets count as production's storage compresses them."""
    responses: list[Response] = []
    page.on("response", lambda response: responses.append(response))
    come_in(page, shop, live_server)
    page.wait_for_load_state("networkidle")
    bodies = [(response.url, response.body()) for response in responses if response.status == 200]
    assert len(bodies) >= 4
    sent = [len(gzip.compress(body)) if "/static/" in url else len(body) for url, body in bodies]
    assert sum(sent) < 100_000
