"""The members' side of a programme for the browser: who shops there, what she has, and how she comes in."""

from datetime import timedelta
from typing import Any

from django.utils import timezone
from playwright.sync_api import Page

from members.models import Member, Programme
from members.services import language_add
from members.services.programmes import ENGLISH
from segments.models import Segment
from tests.factories import ApiClient, MemberFactory, ProgrammeFactory
from tests.loyalty.worlds import BASKET, adjust, choco_club, earn, reverse, silver_vip
from tests.rewards.catalogue import category, live_gift

ADDRESS = {
    "Name": "Ada L.",
    "Street and number": "Rue Neuve 1",
    "Postal code": "1000",
    "Place": "Bruxelles",
    "Country": "Belgique",
}


def choco_shop() -> ApiClient:
    """The worked example's programme, with ada in it, a receipt, a return, a correction and three gifts; and bob,
    to whom nothing happened yet."""
    programme: Programme = ProgrammeFactory(code="choco-club", name="Choco Club")
    language_add(programme=programme, language=ENGLISH, position=2)
    segment: Segment = choco_club(programme)
    ada: Member = MemberFactory(programme=programme, number="10042", first_name="Ada", language="en")
    MemberFactory(programme=programme, number="10043", first_name="Bob", language="en")
    silver_vip(ada, segment)
    Segment.objects.update(is_shown_to_members=True)
    shop = ApiClient(programme)
    now = timezone.now()
    earn(shop, "POS-1", **{**BASKET, "occurred_at": (now - timedelta(hours=2)).isoformat()})
    reverse(shop, "POS-1", "RET-1", lines=[{"line": "1", "quantity": "1"}])
    adjust(shop, "10042", 2510, reference="CRM-1", expires_at=(now + timedelta(days=20)).isoformat())
    category(programme, "sweets", name={"fr": "Douceurs", "en": "Sweets"})
    for code, points in (("MUG", 400), ("BOX", 1200), ("TRIP", 90000)):
        live_gift(
            programme,
            code,
            at=now - timedelta(days=1),
            points=points,
            categories=("sweets",),
            is_returnable=True,
        )
    return shop


def come_in(page: Page, shop: ApiClient, live_server: Any, number: str = "10042") -> None:
    """Follow the one-use address that the shop was given."""
    login = shop.post_json("/api/v1/identifications", {"member": number}).json()["login_url"]
    page.goto(login.replace("http://testserver", live_server.url))
