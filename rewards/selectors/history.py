"""A member's movements and history, with the gift orders behind them; they write nothing."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import OuterRef, Subquery

from loyalty.selectors import ORDER_KINDS, Filters, Holding, Movement, all_movements, holding_of, movements
from members.models import Programme
from members.selectors import default_language
from rewards.history import HistoryItem, OrderShown, item
from rewards.lifecycle import Status
from rewards.models import Move, Redemption

HISTORY_CHUNK = 1000

Told = tuple[Movement, OrderShown | None]
"""A movement with the gift order that moved its points."""


@dataclass(frozen=True, slots=True)
class MovementsPage:
    """Movements of an account, newest first; `after` is the number to go on before, None at the end."""

    account_id: int
    told: list[Told]
    after: int | None


def movements_page(
    programme: Programme, holding: Holding, filters: Filters, now: datetime, *, limit: int, before: int | None
) -> MovementsPage:
    """A page of a member's movements, before the one with the number `before` (None = the newest)."""
    filters = _with_orders(holding, filters)
    found = movements(holding, filters, now, limit=limit + 1, before=before)
    told = _told(programme, found[:limit], filters.as_of)
    return MovementsPage(_account_id(holding), told, found[limit - 1].seq if len(found) > limit else None)


def history_page(
    programme: Programme, number: str, filters: Filters, now: datetime, *, limit: int, before: int | None
) -> tuple[list[HistoryItem], int | None]:
    """A page of a member's history as partners read it, as `movements_page` finds it. NotFound."""
    holding = holding_of(programme.pk, number, now)
    page = movements_page(programme, holding, filters, now, limit=limit, before=before)
    return list(_items(programme, page.account_id, page.told)), page.after


def history_all(programme: Programme, number: str, filters: Filters, now: datetime) -> Iterator[HistoryItem]:
    """A member's whole history, newest first. NotFound."""
    holding = holding_of(programme.pk, number, now)
    return _items(programme, _account_id(holding), _all_told(programme, holding, filters, now))


def movements_told(programme: Programme, number: str, filters: Filters, now: datetime) -> Iterator[Told]:
    """All of a member's movements with their gift orders, newest first. NotFound."""
    return _all_told(programme, holding_of(programme.pk, number, now), filters, now)


def _all_told(programme: Programme, holding: Holding, filters: Filters, now: datetime) -> Iterator[Told]:
    filters = _with_orders(holding, filters)
    found = all_movements(holding, filters, now)
    while page := list(islice(found, HISTORY_CHUNK)):
        yield from _told(programme, page, filters.as_of)


def _items(programme: Programme, account_id: int, told: Iterable[Told]) -> Iterator[HistoryItem]:
    zone = ZoneInfo(programme.time_zone)
    return (item(account_id, movement, zone, order) for movement, order in told)


def _account_id(holding: Holding) -> int:
    return holding.account.id if holding.account else 0


def _told(programme: Programme, found: Sequence[Movement], as_of: datetime | None) -> list[Told]:
    orders = orders_of(programme, [x.source for x in found if x.kind in ORDER_KINDS and x.source], as_of)
    return [(x, orders.get(x.source) if x.source else None) for x in found]


def _with_orders(holding: Holding, filters: Filters) -> Filters:
    """The filters with the member's gift orders that stand (at `as_of`) where they ask for."""
    wanted = set(filters.statuses) & set(Status)
    if not wanted or holding.person is None:
        return filters
    last = Move.objects.filter(redemption=OuterRef("pk")).order_by("-id")
    if filters.as_of:
        last = last.filter(at__lte=filters.as_of)
    orders = Redemption.objects.filter(member_id=holding.person.id)
    standing = orders.annotate(stood=Subquery(last.values("status")[:1])).filter(stood__in=wanted)
    return replace(filters, orders=tuple(standing.values_list("pk", flat=True)))


def orders_of(programme: Programme, ids: Sequence[UUID], as_of: datetime | None) -> dict[UUID, OrderShown]:
    """Gift orders by id, with their steps until `as_of` (None = all), in at most two queries."""
    if not ids:
        return {}
    language = default_language(programme)
    rows = Redemption.objects.filter(programme=programme, pk__in=ids).select_related("reward", "version")
    found = {
        row.pk: OrderShown(
            reference=row.reference,
            gift=row.reward.code,
            name=row.version.name.get(language) or row.reward.code,
            names=row.version.name,
        )
        for row in rows
    }
    moves = Move.objects.filter(programme=programme, redemption_id__in=found)
    for move in moves.filter(at__lte=as_of) if as_of else moves:
        found[move.redemption_id].steps.append((Status(move.status), move.at))
    return found
