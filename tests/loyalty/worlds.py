"""The programme of the API page's worked example, and calls a till makes in it."""

from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from zoneinfo import ZoneInfo

from django.http import HttpResponse
from django.utils import timezone
from uuid_utils.compat import uuid7

from loyalty.apply import Call, send
from loyalty.models import EventType
from loyalty.rules import ProductSetRule, PromotionRule, TermsRule
from loyalty.selectors import holding_of
from loyalty.services import (
    EventRule,
    Order,
    event_type_save,
    points_hold,
    promotion_link,
    promotion_publish,
    terms_set,
    tier_create,
)
from members.models import Member, Programme
from segments.models import Segment
from segments.services import membership_add, segment_create
from tests.factories import LONG_AGO, ApiClient

MONDAY = datetime(2026, 11, 23, 9, 15, 2, tzinfo=UTC)
"""A moment after the worked example's receipt."""

BASKET: dict[str, Any] = {
    "member": "10042",
    "occurred_at": "2026-11-23T10:15:00+01:00",
    "channel": "web",
    "store": "BXL-01",
    "currency": "EUR",
    "lines": [
        {
            "line": "1",
            "sku": "CHOC-1",
            "category": "chocolate",
            "brand": "Neuhaus",
            "quantity": "2",
            "amount": "25.00",
        },
        {"line": "2", "sku": "MUG-7", "category": "home", "quantity": "1", "amount": "19.90"},
    ],
}

_numbers = count(1)


def choco_club(programme: Programme) -> Segment:
    """The rules of the worked example; returns the segment vip-bxl, empty."""
    tier_create(programme=programme, code="SILVER", name="Silver", rank=1)
    terms = TermsRule(delay_days=14, lifetime_months=12, lifetime_end="year", tiers={"SILVER": "1.5"})
    terms_set(programme=programme, terms=terms, now=LONG_AGO)
    segment = segment_create(programme=programme, code="vip-bxl", name="VIP Brussels")
    chocolate = PromotionRule("multiplier", "3", products=ProductSetRule(categories=("chocolate",)))
    triple = publish(programme, "PR-CHOC3X", chocolate)
    promotion_link(promotion=triple, segment=segment, mode="include", valid_from=LONG_AGO)
    publish(programme, "PR-WEEKEND", PromotionRule("fixed", "50", weekdays=(6, 7)))
    publish(programme, "PR-50EUR", PromotionRule("fixed", "100", minimum_amount="50.00"))
    return segment


def silver_vip(member: Member, segment: Segment) -> None:
    """Tier Silver and a member of the segment, for long."""
    Member.objects.filter(pk=member.pk).update(tier="SILVER")
    membership_add(segment=segment, member=member, now=LONG_AGO, valid_from=LONG_AGO, source="staff")


def publish(programme: Programme, code: str, rule: PromotionRule) -> Any:
    return promotion_publish(programme=programme, code=code, name=code.title(), rule=rule, now=LONG_AGO)


def simple_terms(programme: Programme, **terms: Any) -> None:
    """One point a euro, at once and for ever, unless `terms` say otherwise."""
    terms_set(programme=programme, terms=TermsRule(**terms), now=LONG_AGO)


def key() -> str:
    """An Idempotency-Key nobody used yet."""
    return f"key-{next(_numbers)}"


def call(client: ApiClient, path: str, body: Any, **extra: Any) -> HttpResponse:
    """POST with a key of its own unless one is given (`key=`)."""
    return client.post_json(
        f"/api/v1{path}", body, headers={"Idempotency-Key": extra.pop("key", None) or key()}
    )


def earn(client: ApiClient, reference: str, **changes: Any) -> HttpResponse:
    """POST /transactions with the worked example's basket, changed where `changes` say so."""
    used = changes.pop("key", None)
    return call(client, "/transactions", {"reference": reference, **BASKET, **changes}, key=used)


def euros(amount: str, **more: Any) -> dict[str, Any]:
    """A basket of one line."""
    return {"lines": [{"line": "1", "quantity": "1", "amount": amount, **more}]}


def reverse(client: ApiClient, transaction: str, reference: str, **body: Any) -> HttpResponse:
    """POST a reversal; no lines = everything."""
    used = body.pop("key", None)
    return call(client, f"/transactions/{transaction}/reversals", {"reference": reference, **body}, key=used)


def adjust(client: ApiClient, member: str, points: int, reference: str = "", **more: Any) -> HttpResponse:
    """POST an adjustment."""
    body = {"reference": reference or f"ADJ-{next(_numbers)}", "points": points, "reason": "test", **more}
    return call(client, f"/members/{member}/adjustments", body)


def balance(client: ApiClient, member: str = "10042") -> dict[str, int]:
    """The four figures over HTTP."""
    body = client.get(f"/api/v1/members/{member}/balance").json()
    return {name: body[name] for name in ("available", "pending", "held", "debt")}


def order_of(programme: Programme, reference: str) -> Order:
    """A gift order of the programme as the ledger knows it."""
    zone = ZoneInfo(programme.time_zone)
    return Order(uuid7(), reference, bytes(16), programme.pk, zone, programme.grace_days)


def set_aside(programme: Programme, member: str, points: int, minutes: int = 15) -> Order:
    """Hold points for a gift order that nobody made."""
    now, order = timezone.now(), order_of(programme, f"HOLD-{next(_numbers)}")
    call = Call(now)
    holding = holding_of(programme.pk, member, now)
    points_hold(call, holding, order, points, now + timedelta(minutes=minutes))
    send(call)
    return order


def event_type(programme: Programme, code: str = "review_written", **rule: Any) -> EventType:
    """An event type of 50 points without attributes, unless `rule` says otherwise."""
    given = {"points": 50} if "attribute" not in rule else {}
    return event_type_save(
        programme=programme,
        code=code,
        name=code.replace("_", " ").capitalize(),
        rule=EventRule(**{**given, **rule}),
        now=LONG_AGO,
    )


def event(client: ApiClient, reference: str, **changes: Any) -> HttpResponse:
    """POST /events: ada's review of a moment ago, changed where `changes` say so."""
    used = changes.pop("key", None)
    body = {
        "reference": reference,
        "type": "review_written",
        "member": "10042",
        "occurred_at": BASKET["occurred_at"],
        **changes,
    }
    return call(client, "/events", body, key=used)


def take_back(client: ApiClient, event: str, reference: str, **body: Any) -> HttpResponse:
    """POST a reversal of an event."""
    used = body.pop("key", None)
    return call(client, f"/events/{event}/reversals", {"reference": reference, **body}, key=used)
