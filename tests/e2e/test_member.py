"""A member, identified by her shop, reads why a basket gave its points and looks for a gift."""

import gzip
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page, Response, expect

from members.models import Member, Programme
from members.services import language_add
from members.services.programmes import ENGLISH
from segments.models import Segment
from tests.e2e.looking import Look
from tests.factories import ApiClient, MemberFactory, ProgrammeFactory
from tests.loyalty.worlds import BASKET, adjust, choco_club, earn, reverse, silver_vip
from tests.rewards.catalogue import category, live_gift

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def shop(transactional_db: None) -> ApiClient:
    """The worked example's programme, with ada in it, a receipt, a return, a correction and three gifts."""
    programme: Programme = ProgrammeFactory(code="choco-club", name="Choco Club")
    language_add(programme=programme, language=ENGLISH, position=2)
    segment: Segment = choco_club(programme)
    ada: Member = MemberFactory(programme=programme, number="10042", first_name="Ada", language="en")
    silver_vip(ada, segment)
    Segment.objects.update(is_shown_to_members=True)
    shop = ApiClient(programme)
    now = timezone.now()
    earn(shop, "POS-1", **{**BASKET, "occurred_at": (now - timedelta(hours=2)).isoformat()})
    reverse(shop, "POS-1", "RET-1", lines=[{"line": "1", "quantity": "1"}])
    adjust(shop, "10042", 2510, reference="CRM-1", expires_at=(now + timedelta(days=20)).isoformat())
    category(programme, "sweets", name={"fr": "Douceurs", "en": "Sweets"})
    for code, points in (("MUG", 400), ("BOX", 1200), ("TRIP", 90000)):
        live_gift(programme, code, at=now - timedelta(days=1), points=points, categories=("sweets",))
    return shop


def come_in(page: Page, shop: ApiClient, live_server: Any) -> None:
    """Follow the one-use address that the shop was given."""
    login = shop.post_json("/api/v1/identifications", {"member": "10042"}).json()["login_url"]
    page.goto(login.replace("http://testserver", live_server.url))


def test_reading_ones_points(page: Page, shop: ApiClient, live_server: Any, look: Look) -> None:
    come_in(page, shop, live_server)
    expect(page.get_by_role("heading", name="Hello Ada")).to_be_visible()
    expect(page.locator(".figure")).to_contain_text("2,510")
    look.at("home")
    page.get_by_role("link", name="History").first.click()
    expect(page.get_by_text("Return of purchase POS-1", exact=True)).to_be_visible()
    look.at("history")
    page.get_by_role("link", name="Why these points? Purchase,").click()
    expect(page.get_by_role("heading", name="117 points, and why")).to_be_visible()
    expect(page.get_by_text("because you are in VIP Brussels")).to_be_visible()
    look.at("purchase")


def test_looking_for_a_gift(page: Page, shop: ApiClient, live_server: Any, look: Look) -> None:
    come_in(page, shop, live_server)
    page.get_by_role("link", name="Gifts").first.click()
    expect(page.locator("ul.gifts > li")).to_have_count(3)
    look.at("gifts")
    page.get_by_label("In reach now").check()
    page.get_by_role("button", name="Show").click()
    expect(page.locator("ul.gifts > li")).to_have_count(2)
    page.locator("ul.gifts > li").first.get_by_role("link").click()
    expect(page.get_by_text("in reach")).to_be_visible()
    look.at("gift")


def test_the_other_pages(page: Page, shop: ApiClient, live_server: Any, look: Look) -> None:
    page.goto("/my/choco-club/sign-in")
    look.at("sign-in")
    come_in(page, shop, live_server)
    for name in ("segments", "profile"):
        page.goto(f"/my/{name}")
        look.at(name)


@pytest.mark.parametrize("setting", [("desk", "light")], indirect=True, ids=["desk-light"])
def test_everything_by_keyboard(page: Page, shop: ApiClient, live_server: Any, look: Look) -> None:
    come_in(page, shop, live_server)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.innerText").strip() == "Skip to the content"
    look.reach_by_keyboard("History")
    page.keyboard.press("Enter")
    page.wait_for_url("**/my/history")
    look.reach_by_keyboard("Why these points?")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_be_visible()


@pytest.mark.parametrize("setting", [("hand", "light")], indirect=True, ids=["hand-light"])
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
