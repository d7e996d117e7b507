"""A member's points at an instant: the account settled, its figures, what changes when."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from config.kernel.errors import NotFound
from loyalty import answers, gather, ledger
from loyalty.gather import (
    Holding,
)
from loyalty.ledger import Account
from members.models import Programme

EXPIRING_SOON = timedelta(days=60)


def balance_shown(programme: Programme, number: str, now: datetime) -> dict[str, Any]:
    """The four figures of a member as they are at `now`. NotFound."""
    holding = holding_of(programme.pk, number, now)
    account = settled(holding, programme.pk, now)
    return answers.balance(account.figures, account.settled_at, ZoneInfo(programme.time_zone))


def holding_of(programme_id: int, number: str, now: datetime) -> Holding:
    """A member with account and open lots. NotFound."""
    context = gather.adjustment(programme_id=programme_id, number=number, reference="", now=now, key=None)
    if context.holding.person is None:
        raise NotFound
    return context.holding


def settled(holding: Holding, programme_id: int, now: datetime) -> Account:
    """The account as it is at `now`: activations and expiries that nobody wrote yet are seen, not written."""
    return _settled_posting(holding, programme_id, now).account


def _settled_posting(holding: Holding, programme_id: int, now: datetime) -> ledger.Posting:
    if holding.person is None:
        raise NotFound
    account = holding.account or Account(holding.person.id, programme_id, settled_at=now)
    return ledger.begin(account, holding.lots, now)


@dataclass(frozen=True, slots=True)
class Points:
    """A member's points at an instant: the four figures as the API shows them, and what changes when.

    `expiring` is what of the available points expires soon, `pending` what becomes available; one row for each
    instant, the soonest first.
    """

    balance: dict[str, Any]
    expiring: list[tuple[datetime, int]]
    pending: list[tuple[datetime, int]]


def points_of(programme: Programme, number: str, now: datetime, within: timedelta = EXPIRING_SOON) -> Points:
    """A member's points at `now`; expiring are those that do `within` that time. NotFound."""
    return points_in(programme, holding_of(programme.pk, number, now), now, within)


def points_in(
    programme: Programme, holding: Holding, now: datetime, within: timedelta = EXPIRING_SOON
) -> Points:
    """As `points_of`, from what was read of the member already."""
    posting = _settled_posting(holding, programme.pk, now)
    expiring, pending = Counter[datetime](), Counter[datetime]()
    for lot in posting.lots:
        if lot.remaining and posting.is_pending(lot):
            pending[lot.activates_at] += lot.remaining
        elif lot.remaining and lot.expires_at is not None and lot.expires_at <= now + within:
            expiring[lot.expires_at] += lot.remaining
    zone = ZoneInfo(programme.time_zone)
    balance = answers.balance(posting.account.figures, posting.account.settled_at, zone)
    return Points(balance, sorted(expiring.items()), sorted(pending.items()))


def adjustment_shown(programme: Programme, number: str, reference: str, now: datetime) -> dict[str, Any]:
    """An adjustment of a member by its reference. NotFound."""
    context = gather.adjustment(
        programme_id=programme.pk, number=number, reference=reference, now=now, key=None
    )
    if context.holding.person is None or context.booked is None or context.booked_member != number:
        raise NotFound
    return answers.adjusted(context.booked, context.entry, number, ZoneInfo(programme.time_zone))
