"""Addresses and forms that no page of ours makes: answered or refused, never an error of ours."""

from typing import Any

import pytest
from django.test import Client

from members.models import Member, Programme
from tests.factories import ApiClient
from tests.loyalty.worlds import adjust, earn
from tests.rewards.orders import mug, order
from tests.rewards.test_member_pages import browser_of

pytestmark = pytest.mark.django_db

PAGES = (
    *("/my/", "/my/history", "/my/history.csv", "/my/history.pdf", "/my/purchases/POS-1", "/my/offers"),
    *("/my/offers/PR-CHOC3X", "/my/gifts", "/my/gifts/MUG", "/my/gifts/MUG/order", "/my/orders"),
    *(
        "/my/orders/W-1",
        "/my/orders/W-1/voucher.pdf",
        "/my/segments",
        "/my/profile",
        "/my/choco-club/sign-in",
    ),
)
NAMES = ["kind", "status", "from", "to", "before", "page", "q", "category", "reach", "lang", "cursor", "next"]
VALUES = (
    *("", "x", "-1", "0", "1.5", "9" * 400, "%00", "%FF%FE", "%ED%A0%80", "%F0%9F%8D%AB", "null", "[]"),
    *("0000-00-00", "9999-12-31", "0001-01-01", "2026-02-30", "2026-11-23T10:00", "'%22%3E%3Cscript%3E"),
)
FORMS = (
    *("/my/gifts/MUG/order", "/my/orders/W-1/cancel", "/my/orders/W-1/return", "/my/profile", "/my/language"),
    *("/my/profile/consents", "/my/choco-club/sign-in"),
    "/my/profile/sessions/00000000-0000-0000-0000-000000000000/end",
)
FIELDS = (
    *("quantity", "token", "name", "street", "postal_code", "city", "country", "email", "phone", "language"),
    *("code", "value", "wording", "reason", "next", "since", "points"),
)
TYPED = (
    b"",
    b"\x00",
    b"\xff",
    b"\xed\xa0\x80",
    b"-1",
    b"9" * 400,
    b"x" * 100_000,
    b"//evil.example",
    b"true",
)


@pytest.fixture
def phone(till: ApiClient, programme: Programme, ada: Member) -> Client:
    """A member's browser; she has a receipt, points and an ordered mug."""
    mug(programme, stock=10)
    earn(till, "POS-1")
    adjust(till, "10042", 1000)
    order(till, "MUG", "W-1")
    client = browser_of(till)
    client.raise_request_exception = False
    return client


@pytest.mark.parametrize("page", PAGES)
def test_queries(phone: Client, page: str) -> None:
    """Each name with each value, twice: a page, the same in another language, or a refusal; nothing runs."""
    odd = {}
    for query in (f"{name}={value}&{name}={value}" for name in NAMES for value in VALUES):
        answer: Any = phone.get(f"{page}?{query}")
        if answer.status_code not in {200, 302, 404, 422}:
            odd[query] = answer.status_code
        elif not answer.streaming and b"<script>" in answer.content:
            odd[query] = "a script"
        elif answer.headers.get("Location", "/my/")[:4] != "/my/":
            odd[query] = answer.headers["Location"]
    assert odd == {}


@pytest.mark.parametrize("page", FORMS)
def test_forms(phone: Client, page: str) -> None:
    odd = {}
    for typed in TYPED:
        answer: Any = phone.post(page, dict.fromkeys(FIELDS, typed))
        if answer.status_code >= 500 or b"evil" in answer.headers.get("Location", "").encode():
            odd[typed[:9]] = answer.status_code
    assert odd == {}
