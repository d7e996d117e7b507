"""Where a member may be sent after signing in: the partner's addresses and what lies beneath, and nowhere else."""

from typing import Any

import pytest
from django.test import Client

from members.models import Member, MemberSession
from members.services import partner_update
from tests.factories import ApiClient

URL = "/api/v1/identifications"
SHOP = "https://shop.example/rewards"


@pytest.fixture
def shop(till: ApiClient, ada: Member) -> ApiClient:
    """The partner of ada's programme with an address to come back to."""
    partner_update(partner=till.partner, name="Shop", scopes=till.partner.allowed_scopes, return_urls=[SHOP])
    return till


def identify(shop: ApiClient, **body: Any) -> Any:
    return shop.post_json(URL, {"member": "10042", **body})


@pytest.mark.parametrize(
    "url", [SHOP, f"{SHOP}/", f"{SHOP}/a/b?x=1&y=2", f"{SHOP}?x=1", f"{SHOP}/..a/b..", f"{SHOP}/%20"]
)
def test_addresses_beneath_the_partners(shop: ApiClient, url: str) -> None:
    answer = identify(shop, return_url=url)
    assert answer.status_code == 201, answer.content
    assert Client().get(answer.json()["login_url"]).headers["Location"] == url


@pytest.mark.parametrize(
    "url",
    [
        f"{SHOP}x",
        f"{SHOP}/../admin",
        f"{SHOP}/.",
        f"{SHOP}/%2e%2e/admin",
        f"{SHOP}/%2E%2e",
        f"{SHOP}/a%2f..%2fb",
        f"{SHOP}/a#fragment",
        f"{SHOP}/a?x=1#fragment",
        f"{SHOP}/a\r\nSet-Cookie: x=1",
        f" {SHOP}",
        "/rewards",
        "javascript:alert(1)",
        "https://shop.example/",
        "https://evil.example/https://shop.example/rewards",
        "https://evil.example\\@shop.example/rewards",
        "//evil.example",
        "///evil.example/rewards",
        "\\\\evil.example",
        "/\\evil.example",
        "https:evil.example",
        "https:/shop.example/rewards",
        "https:\\\\shop.example\\rewards",
        "https://shop.example@evil.example/rewards",
        "https://user:secret@shop.example/rewards",
        "https://shop.example:443@evil.example/rewards",
        "https://shop.example:8443/rewards",
        "https://shop.example:443/rewards",
        "https://shop.example./rewards",
        "https://shop.example.evil.example/rewards",
        "https://evil.example/rewards",
        "https://evil.example?https://shop.example/rewards",
        "https://evil.example#https://shop.example/rewards",
        "http://shop.example/rewards",
        "ftp://shop.example/rewards",
        "data:text/html,x",
        "javascript://shop.example/rewards%0aalert(1)",
        "https://shop\u3002example/rewards",
        "https://sh\u043ep.example/rewards",
        "https://shop.example\uff0frewards",
        "https://shop.example/rewards\u2024\u2024/admin",
        "https://shop.example/reward\u017f",
        "https://shop.example/rewards/..%2f..%2fadmin",
        "https://shop.example/rewards/%252e%252e/admin",
        "https://shop.example/rewards/..;/admin",
        "https://shop.example/rewards\t/x",
        "https://shop.example/rewards\n",
        "https://shop.example/rewards/\r\nSet-Cookie:%20member=x",
        "https://[shop.example]/rewards",
    ],
)
def test_other_addresses(shop: ApiClient, url: str) -> None:
    """Refused, and nobody is identified."""
    answer = identify(shop, return_url=url)
    assert answer.status_code == 422, answer.content
    assert [(x["pointer"], x["code"]) for x in answer.json()["errors"]] == [("/return_url", "not_allowed")]
    assert not MemberSession.objects.exists()


def test_text_that_is_none(shop: ApiClient) -> None:
    assert identify(shop, return_url=f"\0{SHOP}").status_code == 400
    assert not MemberSession.objects.exists()


def test_the_login_address_itself_sends_nobody_elsewhere(shop: ApiClient) -> None:
    login = identify(shop).json()["login_url"]
    entered = Client().get(login, query_params={"next": SHOP, "return_url": SHOP})
    assert entered.headers["Location"] == "/my/"


def test_the_address_of_another_partner_is_foreign(shop: ApiClient, eve: ApiClient) -> None:
    scopes = ["members:identify"]
    partner_update(partner=eve.partner, name="Eve", scopes=scopes, return_urls=["https://eve.example"])
    assert identify(shop, return_url="https://eve.example").status_code == 422
