"""Reads of rewards; the programme comes first."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Count, F, OuterRef, Q, QuerySet, Subquery

from config.kernel.dossier import Section
from config.kernel.erasure import Fate
from config.kernel.errors import NotFound
from config.kernel.sql import rows
from config.kernel.texts import chain_for, pick
from loyalty.selectors import (
    ORDER_KINDS,
    Filters,
    Holding,
    Movement,
    Snapshot,
    all_movements,
    holding_of,
    movements,
    settled,
    snapshot_of,
)
from members.models import Member, Programme
from members.selectors import default_language, partner_names
from rewards import answers, dossier, erasure
from rewards.eligibility import Taker
from rewards.gather import known_order
from rewards.history import HistoryItem, OrderShown, item
from rewards.letterhead import letterhead_of
from rewards.lifecycle import UNDONE, Status
from rewards.models import CodePool, Move, Redemption, VoucherIssuer
from rewards.offers import prices_open_to
from rewards.paper import Paper, voucher_page
from rewards.services.issuing import code_of
from rewards.shelf import shelf_of

HISTORY_CHUNK = 1000


def redemption_shown(programme_id: int, reference: str, now: datetime) -> dict[str, Any]:
    """A gift order as it is now, never with its voucher's code. NotFound."""
    context = known_order(programme_id=programme_id, reference=reference, now=now)
    if context is None:
        raise NotFound
    return answers.shown(context, now)


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


@dataclass(frozen=True, slots=True)
class OwnOrder:
    """A gift order as its member sees it: the API's body, the gift's name, and the voucher's code while it lives."""

    body: dict[str, Any]
    name: str
    code: str | None


def order_of_member(programme: Programme, member: Member, reference: str, now: datetime) -> OwnOrder | None:
    """A member's own order; None for one that is not there or another's."""
    context = known_order(programme_id=programme.pk, reference=reference, now=now)
    if context is None or context.booked.row.member_id != member.pk:
        return None
    body = answers.shown(context, now)
    is_usable = bool(body["voucher"]) and body["voucher"]["status"] == "active"
    name = pick(context.gift.name or {}, languages_for(programme, member, now))[0] or body["gift"]
    return OwnOrder(body, name, code_of(context.booked) if is_usable else None)


def orders_of_member(
    programme: Programme, member: Member, now: datetime, *, begin: int, limit: int
) -> list[dict[str, Any]]:
    """At most `limit` of a member's gift orders after the first `begin`, the newest first.

    Each with reference, name, quantity, points, status and when it was reached.
    """
    languages = languages_for(programme, member, now)
    found = Redemption.objects.filter(programme=programme, member=member).select_related("reward", "version")
    return [
        {
            "reference": row.reference,
            "name": pick(row.version.name, languages)[0] or row.reward.code,
            "quantity": row.quantity,
            "points": row.points,
            "status": Status.LAPSED if _has_lapsed(row, now) else Status(row.status),
            "at": row.status_at,
        }
        for row in found[begin : begin + limit]
    ]


def order_since(programme: Programme, member: Member, gift: str, since: datetime) -> str:
    """The reference of the member's last order of a gift, if it was placed since then and stands; "" for none."""
    placed = Redemption.objects.filter(programme=programme, member=member, recorded_at__gte=since)
    mine = placed.filter(reward__code=gift).exclude(status__in=sorted(UNDONE)).order_by("-recorded_at")
    return mine.values_list("reference", flat=True).first() or ""


def _has_lapsed(row: Redemption, now: datetime) -> bool:
    return row.status == Status.RESERVED and row.reserved_until is not None and row.reserved_until <= now


def languages_for(programme: Programme, member: Member, now: datetime) -> Sequence[str]:
    """The languages to look for a text in, the member's first."""
    return chain_for(member.language, shelf_of(programme.pk, now).languages)


_TAKEN = """
SELECT x.reward_id, sum(x.quantity)::bigint, coalesce(sum(x.quantity) FILTER (
    WHERE x.recorded_at >= date_trunc(r.period, %(now)s AT TIME ZONE p.time_zone) AT TIME ZONE p.time_zone),
    0)::bigint
FROM rewards_redemption x
JOIN rewards_reward r ON r.id = x.reward_id
JOIN members_programme p ON p.id = x.programme_id
WHERE x.member_id = %(member)s::bigint AND x.status <> ALL (%(undone)s)
    AND NOT (x.status = 'reserved' AND x.reserved_until <= %(now)s)
GROUP BY x.reward_id
"""


def taker_of(programme: Programme, number: str, now: datetime) -> Taker:
    """A member as offers see them. NotFound."""
    return taker_in(snapshot_of(programme.pk, number, now))


def taker_in(member: Snapshot) -> Taker:
    """As `taker_of`, from what was read of the member already."""
    person, now = member.person, member.now
    taken = rows(_TAKEN, {"member": person.id, "now": now, "undone": sorted(UNDONE)})
    return Taker(
        is_active=person.status == Member.Status.ACTIVE,
        tier=person.tier or "",
        segments=member.segments,
        available=settled(member.holding, member.programme_id, now).available,
        taken={reward: ever for reward, ever, _ in taken},
        taken_in_period={reward: lately for reward, _, lately in taken},
        prices=prices_open_to(member),
    )


def voucher_pdf(programme: Programme, reference: str, now: datetime, *, shows_code: bool) -> bytes:
    """An order's usable voucher to print, in the language of the order or else of the member.

    `shows_code` is for the member alone. NotFound for an order that has no usable voucher.
    """
    context = known_order(programme_id=programme.pk, reference=reference, now=now)
    voucher = context.booked.voucher if context else None
    if context is None or voucher is None or not voucher.is_usable(now):
        raise NotFound
    row, names = context.booked.row, context.gift.name or {}
    language = row.language or Member.objects.get(pk=row.member_id).language or default_language(programme)
    languages = chain_for(language, shelf_of(programme.pk, now).languages)
    issuer = VoucherIssuer.objects.filter(programme=programme).first()
    value = answers.money(voucher.balance, voucher.currency)
    return voucher_page(
        Paper(
            language=language,
            gift=pick(names, languages)[0] or context.gift.code,
            value=_spoken_money(value, language),
            code=code_of(context.booked) if shows_code else None,
            reference=row.reference,
            valid_until=voucher.valid_until,
            zone=context.place.zone,
            issuer=issuer.name if issuer else programme.name,
            address=issuer.address.replace("\n", ", ") if issuer else "",
            company_number=issuer.company_number if issuer else "",
            conditions=pick(issuer.conditions, languages)[0] if issuer else "",
        ),
        letterhead_of(programme),
    )


def _spoken_money(value: dict[str, str] | None, language: str) -> str:
    """An amount as the language writes it; "" for none."""
    if value is None:
        return ""
    amount = value["amount"].replace(".", ",") if language[:2].lower() in {"fr", "nl"} else value["amount"]
    return f"{amount} {value['currency']}"


def pools_low(programme: Programme, now: datetime) -> QuerySet[CodePool]:
    """The programme's pools with fewer codes left to give than staff want to be warned of."""
    usable = Q(codes__redemption_id=None) & (Q(codes__valid_until=None) | Q(codes__valid_until__gt=now))
    pools = CodePool.objects.filter(programme=programme)
    return pools.annotate(free=Count("codes", filter=usable)).filter(free__lt=F("low_stock"))


def dossier_of(member: Member, now: datetime, *, shows_codes: bool) -> Iterator[Section]:
    """All that is held of the member here, read as it is asked for; `shows_codes` is for the member alone."""
    return dossier.sections(member, partner_names(member.programme), now, shows_codes=shows_codes)


def erasure_of(member: Member) -> Iterator[Fate]:
    """What erasing makes of what is held of the member here."""
    return erasure.fates(member)


def orders_under_way(member: Member) -> list[str]:
    """References of the orders that somebody still has to do something for: the member cannot be erased yet."""
    return erasure.under_way(member)
