"""Every page of a member looked at in every setting, also empty, refused, failed, and with orders in every status."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from config.demo.orders import orders_create
from members.models import Member, MemberSession, Programme
from rewards.models import Redemption
from rewards.pages.home import SegmentsPage
from segments.models import Membership
from tests.e2e.looking import Look
from tests.e2e.members import come_in
from tests.factories import ApiClient, MemberFactory
from tests.loyalty.worlds import adjust
from tests.rewards.orders import card

pytestmark = pytest.mark.django_db(transaction=True)


def test_pages_with_something_on_them(page: Page, shop: ApiClient, live_server: Any, look: Look) -> None:
    come_in(page, shop, live_server)
    for path in ("offers", "offers/PR-CHOC3X", "offers/PR-50EUR", "segments", "profile", "gifts/TRIP"):
        page.goto(f"/my/{path}")
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        look.at(path.replace("/", "-").lower())


def test_pages_with_nothing_on_them(page: Page, shop: ApiClient, live_server: Any, look: Look) -> None:
    Membership.objects.all().delete()
    come_in(page, shop, live_server, "10043")
    for path in ("", "history", "history?kind=expiry", "gifts?q=zzz", "gifts?reach=1", "orders", "segments"):
        page.goto(f"/my/{path}")
        if path:
            expect(page.locator(".empty")).to_be_visible()
        look.at(f"empty-{path.replace('?', '-').replace('=', '-') or 'home'}")


def test_orders_in_every_status(page: Page, shop: ApiClient, live_server: Any, look: Look) -> None:
    """The pages of each order; sending one back is asked for on a page of its own."""
    programme = shop.partner.programme
    MemberFactory(programme=programme, number="10044", first_name="Cleo", language="en")
    adjust(shop, "10044", 9000)
    card(programme, at=timezone.now() - timedelta(days=1))
    orders_create(programme, timezone.now(), "10044")
    assert set(Redemption.objects.values_list("status", flat=True)) == set(Redemption.Status.values)
    come_in(page, shop, live_server, "10044")
    for path in ("", "history", "orders"):
        page.goto(f"/my/{path}")
        look.at(f"much-{path or 'home'}")
    seen = set()
    for order in Redemption.objects.all():
        if order.status in seen:
            continue
        seen.add(order.status)
        page.goto(f"/my/orders/{order.reference}")
        look.at(f"order-{order.status}")
    arrived = Redemption.objects.get(reference="DEMO-arrived")
    page.goto(f"/my/orders/{arrived.reference}/return")
    expect(page.get_by_role("heading", name="Send this gift back?")).to_be_visible()
    look.at("send-back")


def test_refusals(
    page: Page, shop: ApiClient, live_server: Any, look: Look, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stranger, an expired session, an address that is over, nothing there, and a failure of ours."""
    page.goto("/my/")
    look.at("stranger", status=401)
    page.goto("/my/enter/nonsense")
    look.at("over", status=410)
    page.goto("/my/choco-club/sign-in")
    look.at("sign-in")
    expect(page.locator("label[for=id_email]")).to_have_text("E-mail address")
    page.get_by_label("E-mail address").fill("somebody@example.org")
    page.get_by_role("button", name="Send me a link").click()
    expect(page.get_by_role("heading", name="Look at your mail")).to_be_visible()
    look.at("sign-in-sent")
    come_in(page, shop, live_server)
    page.goto("/my/gifts/NOTHING")
    look.at("not-found", status=404)
    page.goto("/my/gifts/TRIP/order")
    expect(page.get_by_role("alert")).to_be_visible()
    look.at("confirm-refused")

    def fail(*args: Any, **kwargs: Any) -> Any:
        raise RuntimeError

    with monkeypatch.context() as broken:
        broken.setattr(SegmentsPage, "get_context_data", fail)
        page.goto("/my/segments")
        look.at("failed", status=500)
    MemberSession.objects.update(revoked_at=timezone.now())
    page.goto("/my/history")
    expect(page.get_by_role("heading", name="See your points")).to_be_visible()
    look.at("expired")


@pytest.mark.parametrize("setting", [("hand", "dark"), ("desk", "light")], indirect=True, ids="-".join)
@pytest.mark.parametrize("language", ["fr", "nl-BE"])
def test_other_languages(page: Page, shop: ApiClient, live_server: Any, look: Look, language: str) -> None:
    """Longer words fit where the English ones did."""
    Member.objects.filter(number="10042").update(language=language)
    come_in(page, shop, live_server)
    for path in ("", "history", "purchases/POS-1", "gifts", "offers/PR-CHOC3X", "gifts/BOX/order", "profile"):
        page.goto(f"/my/{path}")
        look.at(f"{language}-{path.replace('/', '-').lower() or 'home'}")


@pytest.mark.parametrize("setting", [("hand", "light")], indirect=True, ids="-".join)
def test_every_width_has_its_margins(page: Page, shop: ApiClient, live_server: Any, look: Look) -> None:
    """Small phones, tablets, and a desk's screen at twice the size; long names and addresses have room."""
    Programme.objects.update(name="The Club of Chocolate and Biscuits")
    Member.objects.filter(number="10042").update(
        email="adalovelace.and.her.whole.household@example.org", language="fr"
    )
    come_in(page, shop, live_server)
    for width in (320, 600, 720, 800, 1023):
        page.set_viewport_size({"width": width, "height": 800})
        for path in ("", "profile"):
            page.goto(f"/my/{path}")
            look.at(f"{width}-{path or 'home'}")
            left, right = page.locator("main > section").first.evaluate(
                "node => [node.getBoundingClientRect().left, innerWidth - node.getBoundingClientRect().right]"
            )
            assert min(left, right) >= 16, (width, path)
            brand, groups = page.locator(".brand").bounding_box(), page.get_by_text("Groupes").bounding_box()
            assert brand is not None
            assert groups is not None
            is_beside = brand["x"] + brand["width"] <= groups["x"]
            assert is_beside or brand["y"] + brand["height"] <= groups["y"], (width, "nothing on the name")
            hidden = page.locator("ul.main").evaluate("node => node.scrollWidth - node.clientWidth")
            assert hidden <= 0, (width, "all pages are in sight")
