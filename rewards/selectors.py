"""Reads of rewards; the programme comes first."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

from loyalty.selectors import Filters, Holding, Movement, all_movements, holding_of, movements
from members.models import Programme
from rewards.history import HistoryItem, item


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
