"""Cases from the field about gifts: sold out meanwhile, refused alike everywhere, nobody writes around the services."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.contrib import admin
from django.contrib.auth.models import User
from django.test import Client
from django.urls import NoReverseMatch, reverse
from django.utils import timezone

from config.kernel.errors import NotFound
from loyalty.models import Draw, Entry, Hold, Lot
from members.models import Member, OutboxEvent, Programme
from rewards.models import Delivery, Move, PoolCode, Redemption, Reward, Voucher, VoucherUse
from rewards.selectors import voucher_pdf
from segments.models import Segment
from tests.factories import ApiClient
from tests.loyalty.worlds import adjust, balance
from tests.rewards.orders import POST, card, check, cinema, mug, order, use
from tests.rewards.test_member_orders import ADDRESS, MY_REFERENCE
from tests.rewards.test_member_pages import browser_of, text_of
from tests.rewards.test_order_admin import page, signed_in, step

pytestmark = pytest.mark.django_db

WRITTEN = (
    Entry,
    Lot,
    Draw,
    Hold,
    Redemption,
    Move,
    Delivery,
    PoolCode,
    Voucher,
    VoucherUse,
    OutboxEvent,
    Reward,
)
NOBODYS = (Redemption, Voucher, VoucherUse, Move, Delivery, PoolCode, Hold)
"""What only the services write."""


def everything() -> list[Any]:
    return [sorted(map(str, model.objects.values_list())) for model in WRITTEN]


@pytest.fixture
def rich(till: ApiClient, club: Segment, ada: Member) -> None:
    Member.objects.filter(pk=ada.pk).update(language="en")
    assert adjust(till, "10042", 5000, expires_at="2027-02-01T00:00:00+01:00").status_code == 201


@pytest.mark.usefixtures("rich")
def test_case_5_seen_then_sold_out(till: ApiClient, programme: Programme) -> None:
    mug(programme, stock=1)
    phone = browser_of(till)
    assert till.get("/api/v1/gifts/MUG").json()["stock"] != "out_of_stock"
    assert "It costs 300 points" in text_of(phone.get("/my/gifts/MUG/order"))
    assert order(till, mode="dry_run").status_code == 200
    assert order(till, reference="FIRST").status_code == 201
    before = everything()
    assert order(till).json()["code"] == "out_of_stock"
    assert phone.post("/my/gifts/MUG/order", {"reference": MY_REFERENCE, **ADDRESS}).status_code == 409
    assert everything() == before


@pytest.mark.usefixtures("rich")
def test_case_28_an_expired_voucher_is_refused_alike(
    till: ApiClient, programme: Programme, monday: time_machine.Traveller
) -> None:
    card(programme, voucher_days=10)
    code = order(till, "CARD", "W-1").json()["voucher"]["code"]
    ann = signed_in("ann", programme)
    assert code in browser_of(till).get("/my/orders/W-1").content.decode()
    monday.shift(timedelta(days=11))
    before = everything()
    for answer in (check(till, code), use(till, code), use(till, code, amount="1.00")):
        assert (answer.status_code, answer.json()["code"]) == (409, "voucher_not_usable")
    phone = browser_of(till)
    assert "cannot be used any more" in text_of(phone.get("/my/orders/W-1"))
    assert phone.get("/my/orders/W-1/voucher.pdf").status_code == 404
    with pytest.raises(NotFound):
        voucher_pdf(programme, "W-1", timezone.now(), shows_code=False)
    assert code not in page(ann, "W-1")
    assert [x for x in everything() if x not in before] == [], "looking and trying writes nothing"


@pytest.mark.usefixtures("rich")
def test_case_28_expired_points_are_refused_alike(
    till: ApiClient, programme: Programme, ada: Member, monday: time_machine.Traveller
) -> None:
    mug(programme)
    monday.move_to("2027-02-01T00:00:00+01:00")
    assert balance(till)["available"] == 0
    refused = order(till).json()
    assert (refused["code"], refused["available"]) == ("insufficient_points", 0)
    assert order(till, mode="hold").json()["code"] == "insufficient_points"
    phone = browser_of(till)
    assert "not enough points" in text_of(phone.get("/my/gifts/MUG/order"))
    assert phone.post("/my/gifts/MUG/order", {"reference": MY_REFERENCE, **ADDRESS}).status_code == 409
    account = signed_in("ann", programme).get(reverse("admin:loyalty_account_change", args=[ada.pk]))
    assert "No lot has points in it." in account.content.decode()
    assert not Redemption.objects.exists()


@pytest.fixture
def booked(rich: None, till: ApiClient, programme: Programme) -> None:
    mug(programme)
    card(programme)
    cinema(programme, ["KINO-1", "KINO-2"])
    order(till, "MUG", "W-1", delivery=POST)
    order(till, "CARD", "W-2")
    order(till, "CINEMA", "W-3")
    order(till, "MUG", "W-4", mode="hold")


@pytest.mark.usefixtures("booked")
@pytest.mark.parametrize("who", ["superuser", "staff"])
def test_case_34_nobody_writes_orders_in_the_back_office(programme: Programme, who: str) -> None:
    """Adding, changing, deleting, the list's own actions: for a superuser too."""
    root = User.objects.create_superuser("root", password="x" * 20)
    browser = Client()
    browser.force_login(root)
    browser = browser if who == "superuser" else signed_in("ann", programme)
    before = everything()
    forged = {"points": "1", "status": "delivered", "balance": "999", "value": "999", "actor": "nobody"}
    for model in NOBODYS:
        if model not in admin.site._registry:
            with pytest.raises(NoReverseMatch):
                reverse(f"admin:{model._meta.label_lower.replace('.', '_')}_add")
            continue
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        row = model.objects.first()
        assert browser.post(reverse(f"{name}_add"), forged).status_code == 403
        assert browser.post(reverse(f"{name}_change", args=[row.pk]), forged).status_code == 403
        assert browser.post(reverse(f"{name}_delete", args=[row.pk]), {"post": "yes"}).status_code == 403
        chosen = {"action": "delete_selected", "_selected_action": [str(row.pk)], "post": "yes"}
        browser.post(reverse(f"{name}_changelist"), chosen)
    assert everything() == before


@pytest.mark.usefixtures("booked")
@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_case_34_nobody_writes_orders_over_http(till: ApiClient, method: str) -> None:
    before = everything()
    for path in (
        "redemptions",
        "redemptions/W-1",
        "redemptions/W-4",
        "vouchers",
        "vouchers/check",
        "members/10042/balance",
    ):
        answer = getattr(till, method)(f"/api/v1/{path}", {"points": 1}, content_type="application/json")
        assert answer.status_code in (404, 405)
    assert everything() == before


@pytest.mark.usefixtures("rich")
@pytest.mark.parametrize(
    "field", ["points", "unit_points", "status", "lots", "voucher", "price", "actor", "balance"]
)
def test_case_34_an_order_says_nothing_of_its_price_or_state(
    till: ApiClient, programme: Programme, field: str
) -> None:
    mug(programme)
    before = everything()
    answer = order(till, reference="W-1", **{field: 1})
    assert (answer.status_code, answer.json()["code"]) == (422, "validation_error")
    assert answer.json()["errors"][0]["pointer"] == f"/{field}"
    assert everything() == before


@pytest.mark.usefixtures("rich")
@pytest.mark.parametrize("amount", [5, 5.0, "5", "1e1", "-5.00", "0.00", "5.001", "25.01", True, None])
def test_case_38_money_is_money(till: ApiClient, programme: Programme, amount: Any) -> None:
    """A use takes a decimal text within the value, and points, numbers and other notations never pass for it."""
    card(programme)
    code = order(till, "CARD", "W-1").json()["voucher"]["code"]
    answer = use(till, code, "U-1", amount=amount)
    taken = VoucherUse.objects.values_list("amount", flat=True).first()
    if amount in ("5", None) and not isinstance(amount, bool):
        assert (answer.status_code, taken) == (200, 5 if amount else 25)
    else:
        assert (answer.status_code, taken) == (422, None)


@pytest.mark.usefixtures("rich")
@pytest.mark.parametrize("quantity", [0, -1, 1.5, "1", 2**31, 10**15, True])
def test_case_38_no_absurd_quantity(till: ApiClient, programme: Programme, quantity: Any) -> None:
    mug(programme)
    before = everything()
    answer = order(till, quantity=quantity)
    assert answer.status_code in (409, 422), answer.content
    assert everything() == before


@pytest.mark.usefixtures("booked")
def test_case_40_staff_act_by_name_with_a_reason_and_the_member_sees_it(
    till: ApiClient, programme: Programme
) -> None:
    """Staff order nothing for a member; what they do to an order bears their name, and the member reads it."""
    ann, before = signed_in("ann", programme), balance(till)["available"]
    step(ann, "W-1", "cancel", note="Asked for on the telephone")
    move = Move.objects.get(redemption__reference="W-1", status="cancelled")
    assert (move.actor, move.note) == ("staff:ann", "Asked for on the telephone")
    assert ">ann<" in page(ann, "W-1")
    assert balance(till)["available"] == before + 300
    newest = till.get("/api/v1/members/10042/history").json()["items"][0]
    assert (newest["kind"], newest["order"]["status"]) == ("redemption_cancelled", "cancelled")
    assert "Gift cancelled" in text_of(browser_of(till).get("/my/history"))
    step(ann, "W-4", "confirm", note="At the counter")
    assert Move.objects.get(redemption__reference="W-4", status="exchanged").actor == "staff:ann"
    assert Redemption.objects.exclude(moves__actor="").distinct().count() == 4
