"""One real household of the sample with everything a member's pages can show: returns, events, orders in every status.

It is the one with most receipts. The sample has neither returns nor gifts, so these happen when the demo is prepared.
"""

from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count

from config.demo.happenings import TYPES
from config.demo.orders import orders_create
from config.demo.texts import LETTER
from loyalty.models import Transaction
from loyalty.services import (
    AdjustmentCommand,
    EventCommand,
    ReversalCommand,
    Write,
    adjustment_post,
    event_post,
    event_type_save,
    transaction_reverse,
)
from members.models import Member, Programme
from members.services import consent_purpose_save

OLD_CARD = 4000
"""Points brought along, so that an order can stand at every stage."""
EVENTS: tuple[tuple[str, int, dict[str, Any]], ...] = (
    ("survey_completed", 3, {"score": 9}),
    ("social_share", 2, {}),
    ("review_written", 1, {"stars": 4}),
)
"""Type, days ago and attributes; a review waits for staff."""


def household_of(programme: Programme) -> Member:
    """The member with most receipts."""
    receipts = (
        Transaction.objects.filter(programme=programme).values("account_id").annotate(count=Count("pk"))
    )
    found = receipts.order_by("-count", "account_id")[0]
    return Member.objects.get(programme=programme, pk=found["account_id"])


def household_create(programme: Programme, now: datetime) -> int:
    """What happened to the household besides buying; how many gift orders. Done once."""
    member = household_of(programme)
    write = Write(programme.pk, now - timedelta(minutes=30))
    card = AdjustmentCommand(
        member.number, f"OLD-CARD-{member.number}", OLD_CARD, "Points of the old card", "staff:demo"
    )
    if adjustment_post(write=write, command=card).replayed:
        return 0
    names, texts = LETTER
    consent_purpose_save(programme=programme, code="newsletter", names=names, texts=texts, now=now)
    _returns(member, write)
    _events(member, write)
    return orders_create(programme, now, member.number)


def _returns(member: Member, write: Write) -> None:
    """The last purchase came back whole, the first line of the one before alone."""
    last, before = Transaction.objects.filter(account_id=member.pk, points__gt=9).order_by("-occurred_at")[:2]
    line = before.lines[0]
    part = ({"line": line[0], "quantity": line[1]},)
    for transaction, lines in ((last, None), (before, part)):
        back = ReversalCommand(
            transaction=transaction.reference,
            reference=f"RET-{transaction.reference}",
            lines=lines,
            reason="item_return",
        )
        transaction_reverse(write=write, command=back)


def _events(member: Member, write: Write) -> None:
    programme = member.programme
    for code, days, attributes in EVENTS:
        name, labels, rule = TYPES[code]
        opened = write.now - timedelta(days=400)
        event_type_save(
            programme=programme, code=code, name=name, rule=rule, labels={"en": name} | labels, now=opened
        )
        at = write.now - timedelta(days=days)
        event = EventCommand(f"{code}:{member.number}", code, member.number, at, dict(attributes))
        event_post(write=write, command=event)
