"""Reads of rewards; the programme comes first."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from config.kernel.errors import NotFound
from loyalty.selectors import Filters, Holding, Movement, all_movements, balance_shown, holding_of, movements
from members.models import Member, Programme
from members.selectors import member_by_number
from rewards import answers
from rewards.eligibility import Taker
from rewards.gather import known_order
from rewards.history import HistoryItem, item
from rewards.models import Category, Reward
from segments.selectors import segment_codes_at


def redemption_shown(programme_id: int, reference: str, now: datetime) -> dict[str, Any]:
    """A gift order as it is now, never with its voucher's code. NotFound."""
    context = known_order(programme_id=programme_id, reference=reference, now=now)
    if context is None:
        raise NotFound
    return answers.shown(context, now)


def history_page(
    programme: Programme, number: str, filters: Filters, now: datetime, *, limit: int, before: int | None
) -> tuple[list[HistoryItem], int | None]:
    """A page of a member's history, newest first, and the number to go on before, or None. NotFound."""
    holding = holding_of(programme.pk, number, now)
    found = movements(holding, filters, now, limit=limit + 1, before=before)
    page = list(_items(programme, holding, found[:limit]))
    return page, found[limit - 1].seq if len(found) > limit else None


def history_all(programme: Programme, number: str, filters: Filters, now: datetime) -> Iterator[HistoryItem]:
    """A member's whole history, newest first. NotFound."""
    holding = holding_of(programme.pk, number, now)
    return _items(programme, holding, all_movements(holding, filters, now))


def _items(programme: Programme, holding: Holding, found: Iterable[Movement]) -> Iterator[HistoryItem]:
    zone, account_id = ZoneInfo(programme.time_zone), holding.account.id if holding.account else 0
    return (item(account_id, movement, zone) for movement in found)


def taker_of(programme: Programme, number: str, now: datetime) -> Taker:
    """A member as offers see them. NotFound."""
    member = member_by_number(programme, number)
    return Taker(
        is_active=member.status == Member.Status.ACTIVE,
        tier=member.tier,
        segments=frozenset(segment_codes_at(programme, member, now)),
        available=balance_shown(programme, number, now)["available"],
    )


def reward_by_code(programme: Programme, code: str) -> Reward:
    """The programme's gift with this code, in whatever state. NotFound."""
    try:
        return Reward.objects.select_related("programme").get(programme=programme, code=code)
    except Reward.DoesNotExist:
        raise NotFound from None


def category_by_code(programme: Programme, code: str) -> Category:
    """The programme's category with this code. NotFound."""
    try:
        return Category.objects.select_related("programme").get(programme=programme, code=code)
    except Category.DoesNotExist:
        raise NotFound from None
