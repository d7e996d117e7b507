"""Ordering a gift on the member's pages: confirm, receive, follow, cancel, send back."""

import re
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from members.models import Member, Programme
from rewards.models import Delivery, Redemption
from segments.models import Segment
from tests.factories import ApiClient
from tests.loyalty.worlds import adjust, balance
from tests.rewards.catalogue import revised, validated
from tests.rewards.orders import act, card, mug, order, use
from tests.rewards.test_member_pages import browser_of, text_of
from tests.statements import statements

pytestmark = pytest.mark.django_db

ADDRESS = {
    "name": "Ada L.",
    "street": "Rue Neuve 1",
    "postal_code": "1000",
    "city": "Bruxelles",
    "country": "Belgique",
}

MY_REFERENCE = "MY-01900000-0000-7000-8000-000000000001"


@pytest.fixture
def phone(till: ApiClient, club: Segment, ada: Member) -> Client:
    """Ada's browser; she has 2,000 points."""
    Member.objects.filter(pk=ada.pk).update(language="en", email="ada@example.org")
    adjust(till, "10042", 2000, reference="CRM-1")
    return browser_of(till)


def confirm(phone: Client, gift: str, **fields: Any) -> Any:
    """Send the form of the confirmation page."""
    return phone.post(f"/my/gifts/{gift}/order", {**promised(phone, gift), **fields})


def promised(phone: Client, gift: str) -> dict[str, str]:
    """What the confirmation page sends of itself: its reference and its price."""
    return said_along(phone.get(f"/my/gifts/{gift}/order").content.decode())


def said_along(page: str) -> dict[str, str]:
    found = dict(re.findall(r'name="(reference|points)"\s+value="([^"]+)"', page))
    assert found.keys() == {"reference", "points"}, page
    return found


def test_a_gift_by_post(till: ApiClient, phone: Client, programme: Programme) -> None:
    mug(programme, stock=3)
    page = text_of(phone.get("/my/gifts/MUG/order"))
    assert "It costs 300 points You keep 1,700 points" in page
    assert not Redemption.objects.exists(), "looking at the page orders nothing"
    answer = confirm(phone, "MUG", **ADDRESS)
    booked = Redemption.objects.get()
    assert answer.headers["Location"] == f"/my/orders/{booked.reference}"
    assert Delivery.objects.get().address["street"] == "Rue Neuve 1"
    assert balance(till)["available"] == 1700
    assert "Where it is ordered 23 November 2026, 10:15 in preparation on its way delivered" in text_of(
        phone.get(answer.headers["Location"])
    )
    assert booked.reference in phone.get("/my/orders").content.decode()


def test_a_voucher_with_code_and_picture(till: ApiClient, phone: Client, programme: Programme) -> None:
    card(programme)
    page = phone.get(confirm(phone, "CARD").headers["Location"]).content.decode()
    code = re.search(r"<code>([^<]+)</code>", page)
    assert code
    assert "<svg" in page
    checked = till.post_json("/api/v1/vouchers/check", {"code": code[1]})
    assert checked.status_code == 200, checked.content
    assert "Valid until 23 November 2027" in re.sub(r"\s+", " ", re.sub("<[^>]+>", " ", page)), "365 days"
    paper = phone.get(f"/my/orders/{Redemption.objects.get().reference}/voucher.pdf")
    assert (paper.status_code, paper.headers["Content-Type"]) == (200, "application/pdf")
    assert paper.content.startswith(b"%PDF-")
    assert paper.headers["Cache-Control"] == "no-store"


def test_sent_twice_it_is_one_order(till: ApiClient, phone: Client, programme: Programme) -> None:
    mug(programme, stock=3)
    page = phone.get("/my/gifts/MUG/order").content.decode()
    reference = re.search(r'name="reference" value="([^"]+)"', page)
    assert reference
    assert "a moment ago" not in page
    for _ in range(2):
        answer = phone.post("/my/gifts/MUG/order", {"reference": reference[1], **ADDRESS})
        assert answer.status_code == 302
    assert Redemption.objects.count() == 1
    assert balance(till)["available"] == 1700
    again = phone.get("/my/gifts/MUG/order").content.decode()
    assert "You ordered this a moment ago." in again
    assert f'href="/my/orders/{reference[1]}"' in again


def test_a_wrong_address_loses_nothing_that_was_typed(phone: Client, programme: Programme) -> None:
    mug(programme)
    answer = confirm(phone, "MUG", **{**ADDRESS, "city": ""})
    assert answer.status_code == 422
    assert 'value="Rue Neuve 1"' in answer.content.decode()
    assert not Redemption.objects.exists()


@pytest.mark.parametrize(
    ("fields", "words"),
    [({"stock": 0}, "sold out"), ({"points": 2001}, "not enough points")],
)
def test_what_cannot_be_had(phone: Client, programme: Programme, fields: Any, words: str) -> None:
    """The page says why, and what is sent all the same is refused and changes nothing (seen, then sold out)."""
    mug(programme, **fields)
    page = phone.get("/my/gifts/MUG/order")
    assert words in text_of(page)
    assert 'name="reference"' not in page.content.decode()
    answer = phone.post("/my/gifts/MUG/order", {"reference": MY_REFERENCE, **ADDRESS})
    assert answer.status_code == 409
    assert words in answer.content.decode()
    assert not Redemption.objects.exists()


def test_nobody_pays_another_price_than_she_read(
    till: ApiClient, phone: Client, programme: Programme
) -> None:
    gift = mug(programme, stock=3)
    sent = {**promised(phone, "MUG"), **ADDRESS}
    revised(gift, points=350)
    validated(gift)
    answer = phone.post("/my/gifts/MUG/order", sent)
    assert answer.status_code == 409
    for words in ("It costs something else now.", "Order for 350 points"):
        assert words in answer.content.decode()
    assert 'value="Rue Neuve 1"' in answer.content.decode()
    assert not Redemption.objects.exists()
    again = said_along(answer.content.decode())
    assert phone.post("/my/gifts/MUG/order", {**ADDRESS, **again}).status_code == 302
    assert balance(till)["available"] == 1650


@pytest.mark.parametrize(
    "reference", ["WEB-992", "MY-1", "MY-dry-run", f"{MY_REFERENCE}0", f"x{MY_REFERENCE}"]
)
def test_members_take_no_reference_of_a_shop(phone: Client, programme: Programme, reference: str) -> None:
    mug(programme, stock=3)
    answer = phone.post("/my/gifts/MUG/order", {"reference": reference, **ADDRESS})
    assert answer.status_code == 422
    assert not Redemption.objects.exists()


def test_no_reference_of_others_keeps_a_member_from_ordering(
    till: ApiClient, phone: Client, programme: Programme
) -> None:
    mug(programme, stock=3)
    Member.objects.create(programme=programme, number="7", enrolled_at=timezone.now())
    adjust(till, "7", 2000)
    for reference in ("MY-dry-run", "dry-run"):
        assert order(till, "MUG", reference, member="7").status_code == 201
    assert confirm(phone, "MUG", **ADDRESS).status_code == 302


def test_what_is_paid_on_top(phone: Client, programme: Programme) -> None:
    """On the card, the gift's page and where it is confirmed."""
    mug(programme, stock=3, cash_amount=Decimal("4.50"))
    for page in ("/my/gifts", "/my/gifts/MUG", "/my/gifts/MUG/order"):
        assert "300 points + 4.50 EUR" in text_of(phone.get(page)), page


def test_a_voucher_used_in_part(till: ApiClient, phone: Client, programme: Programme) -> None:
    card(programme, has_balance=True)
    where = confirm(phone, "CARD").headers["Location"]
    assert "Left on it" not in text_of(phone.get(where))
    code = re.search(r"<code>([^<]+)</code>", phone.get(where).content.decode())
    assert code
    assert use(till, code[1], "POS-1", amount="10.00").status_code == 200
    assert "Worth 25.00 EUR Left on it 15.00 EUR" in text_of(phone.get(where))


def test_a_gift_that_gives_no_points_back(till: ApiClient, phone: Client, programme: Programme) -> None:
    for code, gives in (("MUG", True), ("CUP", False)):
        mug(programme, code, stock=3, is_returnable=True, returns_points=gives)
        reference = confirm(phone, code, **ADDRESS).headers["Location"].rpartition("/")[2]
        for step in ("in_preparation", "in_delivery", "delivered"):
            assert act(till, reference, "status", status=step).status_code == 200, step
        page = text_of(phone.get(f"/my/orders/{reference}/return"))
        assert ("Your points come back" in page, "gives no points back" in page) == (gives, not gives)


def test_cancelling(till: ApiClient, phone: Client, programme: Programme) -> None:
    mug(programme, stock=3)
    where = confirm(phone, "MUG", **ADDRESS).headers["Location"]
    assert "Cancel the order" in text_of(phone.get(where))
    asked = text_of(phone.get(f"{where}/cancel"))
    assert "Cancel this order? 300 points come back to you" in asked
    assert balance(till)["available"] == 1700, "being asked cancels nothing"
    assert phone.post(f"{where}/cancel").status_code == 302
    assert balance(till)["available"] == 2000
    assert "Cancel the order" not in text_of(phone.get(where))
    assert phone.get(f"{where}/cancel").headers["Location"] == where
    again = phone.post(f"{where}/cancel", follow=True)
    assert "no longer possible" in again.content.decode()
    assert balance(till)["available"] == 2000


def test_sending_back(till: ApiClient, phone: Client, programme: Programme) -> None:
    mug(programme, is_returnable=True)
    where = confirm(phone, "MUG", **ADDRESS).headers["Location"]
    reference = where.rsplit("/", 1)[1]
    assert "Send it back" not in text_of(phone.get(where))
    for status in ("in_preparation", "in_delivery", "delivered"):
        assert act(till, reference, "status", status=status).status_code == 200
    assert "Send this gift back?" in text_of(phone.get(f"{where}/return"))
    phone.post(f"{where}/return")
    assert Redemption.objects.get().status == "return_requested"
    assert "return asked for" in text_of(phone.get(where))


def test_orders_of_others_are_not_found(
    till: ApiClient, phone: Client, programme: Programme, bob: Member
) -> None:
    mug(programme)
    adjust(till, "10043", 2000, reference="CRM-2")
    assert order(till, reference="BOBS", member="10043").status_code == 201
    for path in ("BOBS", "NOBODYS"):
        assert phone.get(f"/my/orders/{path}").status_code == 404
        assert phone.get(f"/my/orders/{path}/voucher.pdf").status_code == 404
        assert phone.get(f"/my/orders/{path}/cancel").status_code == 404
        assert phone.post(f"/my/orders/{path}/cancel").status_code == 404
    assert Redemption.objects.get().status == "exchanged"
    assert "BOBS" not in phone.get("/my/orders").content.decode()


def test_the_history_leads_to_the_order(phone: Client, programme: Programme) -> None:
    mug(programme)
    where = confirm(phone, "MUG", **ADDRESS).headers["Location"]
    page = phone.get("/my/history").content.decode()
    assert f'href="{where}"' in page


def test_queries_do_not_grow_with_the_orders(till: ApiClient, phone: Client, programme: Programme) -> None:
    mug(programme)
    order(till, reference="WEB-0")
    phone.get("/my/orders")
    with statements() as few:
        phone.get("/my/orders")
    for number in range(1, 6):
        order(till, reference=f"WEB-{number}")
    with statements() as many:
        phone.get("/my/orders")
    assert len(many) == len(few) <= 5


def test_strangers(till: ApiClient, club: Segment, programme: Programme) -> None:
    mug(programme)
    for path in ("/my/orders", "/my/orders/X", "/my/gifts", "/my/gifts/MUG", "/my/gifts/MUG/order"):
        assert Client().get(path).status_code == 401
    assert Client().post("/my/gifts/MUG/order", {"reference": "X", **ADDRESS}).status_code == 401
    assert not Redemption.objects.exists()
