"""What scripts add to the member's pages: filters and page turns in place, never worse than the whole page."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from config.people import DOWNLOADS
from members.models import Member, MemberSession
from tests.e2e.looking import DESK, HAND, Look
from tests.e2e.members import come_in
from tests.factories import ApiClient
from tests.loyalty.worlds import adjust
from tests.rewards.catalogue import live_gift
from tests.rewards.orders import POST, order

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def whole_pages(page: Page) -> list[str]:
    """Addresses of the whole pages that were loaded, as they come."""
    loaded: list[str] = []
    page.on("request", lambda it: loaded.append(it.url) if it.is_navigation_request() else None)
    return loaded


def test_history_is_narrowed_in_place(
    page: Page, shop: ApiClient, live_server: Any, look: Look, whole_pages: list[str]
) -> None:
    for number in range(30):
        adjust(shop, "10042", number + 1, reference=f"MORE-{number}")
    come_in(page, shop, live_server)
    page.goto("/my/history")
    expect(page.locator(".title")).to_have_count(25)
    whole_pages.clear()
    page.get_by_role("link", name="Corrections").click()
    page.wait_for_url("**/my/history?kind=adjustment")
    expect(page.get_by_role("link", name="Corrections")).to_have_attribute("aria-current", "true")
    expect(page.get_by_role("link", name="Corrections")).to_be_focused()
    page.get_by_role("button", name="Older").click()
    page.wait_for_url("**before=**")
    expect(page.locator(".title")).to_have_count(6)
    expect(page.locator("#found")).to_be_focused()
    look.at("history-older")
    page.get_by_role("button", name="Back to the start").click()
    expect(page.locator(".title")).to_have_count(25)
    page.get_by_text("Status and days").click()
    page.get_by_label("Status").select_option("Expired")
    expect(page.get_by_text("Nothing was found.")).to_be_visible()
    assert "kind=adjustment" in page.url, "the filters add up"
    look.at("history-nothing")
    assert whole_pages == []


def test_a_slip_in_the_days_is_a_page_that_says_so(
    page: Page, shop: ApiClient, live_server: Any, look: Look
) -> None:
    come_in(page, shop, live_server)
    page.goto("/my/history?kind=earn")
    page.get_by_text("Status and days").click()
    page.get_by_label("From").fill("2026-11-02")
    page.get_by_label("Until").fill("2026-11-01")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_text("The last day is before the first.")).to_be_visible()
    expect(page.get_by_label("Until")).to_have_attribute("aria-invalid", "true")
    look.broken.clear()
    look.complaints.clear()
    page.reload()
    look.at("history-slip", status=422)
    page.get_by_label("Until").fill("2036-11-01")
    page.get_by_label("From").fill("2016-11-01")
    page.get_by_role("button", name="Show").click()
    expect(page.locator(".title")).to_have_count(1)


@DESK
def test_gifts_are_found_while_one_types(
    page: Page, shop: ApiClient, live_server: Any, whole_pages: list[str]
) -> None:
    come_in(page, shop, live_server)
    page.goto("/my/gifts")
    whole_pages.clear()
    search = page.get_by_role("searchbox")
    search.press_sequentially("zzz", delay=20)
    expect(page.get_by_role("status")).to_have_text("0 gifts")
    expect(search).to_be_focused()
    search.fill("")
    expect(page.get_by_role("status")).to_have_text("3 gifts")
    page.get_by_label("In reach now").check()
    expect(page.get_by_role("status")).to_have_text("2 gifts")
    page.wait_for_url("**reach=1**")
    assert whole_pages == []
    page.locator("ul.gifts a").first.click()
    page.go_back()
    expect(page.get_by_role("status")).to_have_text("2 gifts")
    expect(page.get_by_label("In reach now")).to_be_checked()


@DESK
def test_more_gifts(page: Page, shop: ApiClient, live_server: Any, whole_pages: list[str]) -> None:
    at = timezone.now() - timedelta(days=1)
    for number in range(24):
        live_gift(shop.partner.programme, f"MORE-{number:02}", at=at, points=10 + number)
    come_in(page, shop, live_server)
    page.goto("/my/gifts")
    whole_pages.clear()
    page.get_by_role("button", name="More gifts").focus()
    page.keyboard.press("Enter")
    expect(page.locator("ul.gifts > li")).to_have_count(3)
    expect(page.get_by_role("status")).to_have_text("27 gifts")
    page.get_by_role("button", name="Back to the start").click()
    expect(page.locator("ul.gifts > li")).to_have_count(24)
    assert whole_pages == []


@HAND
def test_orders_are_turned(page: Page, shop: ApiClient, live_server: Any, look: Look) -> None:
    adjust(shop, "10042", 20000, reference="CRM-2")
    for number in range(27):
        assert order(shop, "MUG", f"WEB-{number}", delivery=POST).status_code == 201
    come_in(page, shop, live_server)
    page.goto("/my/orders")
    page.get_by_role("button", name="Older").click()
    expect(page.locator("#found li")).to_have_count(2)
    look.at("orders-older")


@DESK
def test_who_was_signed_out_meanwhile_is_asked_in(page: Page, shop: ApiClient, live_server: Any) -> None:
    come_in(page, shop, live_server)
    page.goto("/my/history")
    MemberSession.objects.update(revoked_at=timezone.now())
    page.get_by_role("link", name="Corrections").click()
    expect(page.get_by_role("heading", name="See your points")).to_be_visible()
    assert page.locator("header.site-header").count() == 1, "no page within a page"


@DESK
def test_a_failure_is_told(page: Page, shop: ApiClient, live_server: Any, monkeypatch: Any) -> None:
    come_in(page, shop, live_server)
    page.goto("/my/history")
    page.route("**/my/history?kind=**", lambda route: route.fulfill(status=503, body="<h1>Too much at once</h1>",
                                                                    content_type="text/html"))  # fmt: skip
    page.get_by_role("link", name="Corrections").click()
    expect(page.get_by_role("heading", name="Too much at once")).to_be_visible()


@DESK
def test_nothing_of_a_page_stays_in_the_browser(page: Page, shop: ApiClient, live_server: Any) -> None:
    """Whoever uses the browser next finds no history in its stores."""
    come_in(page, shop, live_server)
    page.goto("/my/history")
    page.get_by_role("link", name="Corrections").click()
    page.wait_for_url("**kind=adjustment")
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="You are signed out")).to_be_visible()
    kept = page.evaluate("[JSON.stringify({...localStorage}), JSON.stringify({...sessionStorage})]")
    assert "Correction" not in "".join(kept)
    page.go_back()
    expect(page.get_by_text("Correction: test")).to_have_count(0)


def test_pages_in_another_language(page: Page, shop: ApiClient, live_server: Any, look: Look) -> None:
    come_in(page, shop, live_server)
    page.goto("/my/history?kind=earn")
    page.get_by_role("button", name="Français").click()
    page.wait_for_url("**/my/history?kind=earn")
    expect(page.get_by_role("heading", name="Historique")).to_be_visible()
    assert Member.objects.get(number="10042").language == "fr"
    look.at("history-french")
    page.get_by_role("button", name="Se déconnecter").click()
    page.goto("/my/choco-club/sign-in")
    page.get_by_role("link", name="Nederlands").click()
    expect(page.locator("html")).to_have_attribute("lang", "nl")
    expect(page.get_by_role("link", name="Nederlands")).to_have_attribute("aria-current", "true")
    look.at("sign-in-dutch")


def test_the_members_data_as_a_file(page: Page, shop: ApiClient, live_server: Any, look: Look) -> None:
    """One file, as often as that is reasonable; then a page says until when."""
    come_in(page, shop, live_server)
    page.goto("/my/profile")
    button = page.get_by_role("button", name="Download my data")
    with page.expect_download() as started:
        button.click()
    assert started.value.suggested_filename == "data-10042.json"
    document = json.loads(Path(started.value.path()).read_text())
    assert document["profile"]["first_name"] == "Ada"
    for _ in range(DOWNLOADS.limit - 1):
        with page.expect_download():
            button.click()
    button.click()
    page.wait_for_url("**/my/profile/data")
    look.at("data-again", status=429)
