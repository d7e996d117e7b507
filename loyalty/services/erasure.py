"""The person is taken out of the ledger, for good: texts go, points end, what was booked still verifies."""

import secrets
from datetime import datetime
from uuid import uuid4
from zoneinfo import ZoneInfo

from django.db import transaction as db_transaction
from uuid_utils.compat import uuid7

from config.kernel.sql import hex_text
from loyalty import chain, gather, ledger
from loyalty.apply import Activity, Call, send
from loyalty.engine import calendar
from loyalty.erasure import FORGOTTEN, FORGOTTEN_BY_MEMBER
from loyalty.ledger import ADJUSTMENT, Posting, Source
from loyalty.models import Account, Adjustment, Event, IdempotencyKey, TierStanding
from loyalty.records import AdjustmentRow, figures_row
from members.models import Member

WRITTEN_OFF = "Debt of a person who was erased"


def account_lock(*, member: Member, now: datetime) -> None:
    """Hold the member's account, made if there is none, until the database transaction ends.

    Every writer of points holds it before it looks at the member, so it comes first.
    """
    empty = Account(pk=member.pk, programme_id=member.programme_id, settled_at=now)
    Account.objects.bulk_create([empty], ignore_conflicts=True)
    Account.objects.select_for_update(of=("self",)).get(pk=member.pk)


@db_transaction.atomic
def member_erase(*, member: Member, actor: str, now: datetime) -> None:
    """Empty the texts of an erased member's documents, refuse what waits, forfeit points and write debt off.

    The account's version moves, so that whatever was decided before is decided again. `actor` is
    `staff:<username>`. Part of `config.people.person_erase`, which locks the account first.
    """
    account = member.pk
    IdempotencyKey.objects.filter(account_id=account).delete()
    TierStanding.objects.filter(member_id=account).delete()
    for model, nothing in FORGOTTEN.items():
        model._default_manager.filter(account_id=account).update(**nothing)
    for model, nothing in FORGOTTEN_BY_MEMBER.items():
        model._default_manager.filter(member_id=account).update(**nothing)
    Adjustment.objects.filter(account_id=account, status=Adjustment.Status.WAITING).update(
        status=Adjustment.Status.REFUSED, approved_by=actor
    )
    Event.objects.filter(account_id=account, status=Event.Status.IN_REVIEW).update(
        status=Event.Status.REFUSED, decided_by=actor, decided_at=now
    )
    _end_points(member, actor, now)


def _end_points(member: Member, actor: str, now: datetime) -> None:
    holding = gather.adjustment(
        programme_id=member.programme_id, number=member.number, reference="", now=now, key=None
    ).holding
    if holding.account is None:
        raise RuntimeError("The account is made and locked before.")
    call, posting = Call(now), ledger.begin(holding.account, holding.lots, now)
    ledger.forfeit(posting)
    if posting.account.debt:
        _write_off(call, posting, ZoneInfo(member.programme.time_zone), actor)
    call.post(posting)
    send(call)


def _write_off(call: Call, posting: Posting, zone: ZoneInfo, actor: str) -> None:
    """An adjustment of as many points as are owed, which they pay."""
    salt, reference, points = secrets.token_bytes(16), f"erased-{uuid4().hex}", posting.account.debt
    row = AdjustmentRow(
        id=uuid7(),
        programme_id=posting.account.programme_id,
        account_id=posting.account.id,
        reference=reference,
        points=points,
        reason=WRITTEN_OFF,
        actor=actor,
        status=Adjustment.Status.POSTED.value,
        content=hex_text(bytes(32)),
        salt=hex_text(salt),
        recorded_at=posting.now,
        posted_at=posting.now,
        activates_at=posting.now,
    )
    entry = ledger.earn(
        posting,
        kind="adjustment",
        counterpart=ADJUSTMENT,
        points=points,
        occurred_at=posting.now,
        activates_at=posting.now,
        expires_at=None,
        source=Source(row.id, chain.commitment(salt, reference, WRITTEN_OFF)),
    )
    row.entry_seq = entry.seq if entry else None
    row.balance = figures_row(posting.account.figures)
    call.add("adjustments", row)
    call.live(posting.account, calendar.local_day(posting.now, zone), Activity(earned=points))
    call.tell(posting.account, "points.adjusted", {"adjustment": row.id, "points": points})
