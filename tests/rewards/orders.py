"""Gift orders for tests: calls a shop makes, and gifts it may order."""

from datetime import datetime
from decimal import Decimal
from itertools import count
from typing import Any

from django.http import HttpResponse

from members.models import Programme
from rewards.models import Redemption, Reward
from rewards.services import pool_upload
from tests.factories import ApiClient
from tests.loyalty.worlds import call
from tests.rewards.catalogue import NOW, live_gift

_numbers = count(1)
POST = {
    "method": "post",
    "address": {"name": "Ada", "street": "Rue Neuve 1", "postal_code": "1000", "city": "Bruxelles"},
}


def mug(programme: Programme, code: str = "MUG", **fields: Any) -> Reward:
    """A physical gift for 300 points that may come back."""
    return live_gift(programme, code, **{"points": 300, "is_returnable": True, **fields})


def card(programme: Programme, code: str = "CARD", **fields: Any) -> Reward:
    """A digital voucher of 25 euros for 1,000 points, used in parts, valid for a year."""
    fields = {"points": 1000, "face_value": Decimal(25), "face_currency": "EUR", "voucher_days": 365,
              "has_balance": True, "is_returnable": True} | fields  # fmt: skip
    return live_gift(programme, code, kind="digital_voucher", **fields)


def cinema(programme: Programme, codes: list[str], code: str = "CINEMA", **fields: Any) -> Reward:
    """A ticket for 200 points whose codes a cinema issued."""
    reward = live_gift(
        programme, code, kind="pool_voucher", **{"points": 200, "is_returnable": True, **fields}
    )
    if codes:
        pool_upload(reward=reward, texts=codes, valid_until=None, now=NOW)
    return reward


def order(client: ApiClient, gift: str = "MUG", reference: str = "", **more: Any) -> HttpResponse:
    """POST /redemptions for ada."""
    used = more.pop("key", None)
    body = {"reference": reference or f"AUTO-{next(_numbers)}", "member": "10042", "gift": gift, **more}
    return call(client, "/redemptions", body, key=used)


def act(client: ApiClient, reference: str, what: str, **body: Any) -> HttpResponse:
    """POST confirm, cancel or status of an order."""
    used = body.pop("key", None)
    return call(client, f"/redemptions/{reference}/{what}", body, key=used)


def shown(client: ApiClient, reference: str) -> dict[str, Any]:
    return client.get(f"/api/v1/redemptions/{reference}").json()


def use(client: ApiClient, code: str, reference: str = "", **more: Any) -> HttpResponse:
    used = more.pop("key", None)
    body = {"code": code, "reference": reference or f"AUTO-{next(_numbers)}", **more}
    return call(client, "/vouchers/use", body, key=used)


def check(client: ApiClient, code: str) -> HttpResponse:
    return client.post_json("/api/v1/vouchers/check", {"code": code})


def statuses(reference: str) -> list[str]:
    """The steps an order took."""
    return [move.status for move in Redemption.objects.get(reference=reference).moves.all()]


def local(text: str) -> datetime:
    return datetime.fromisoformat(text)
