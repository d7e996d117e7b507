"""Gather: one query for everything that a decision about a gift order needs to know."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from config.kernel.sql import rows
from loyalty.idempotency import Key
from loyalty.selectors import (
    HEAD,
    HEAD_END,
    LOT,
    MEMBER,
    MEMBER_SIZE,
    OPEN_LOTS_AND,
    EntryRow,
    Head,
    Holding,
    base_params,
    head_of,
    read_holding,
)
from rewards.lifecycle import UNDONE
from rewards.records import GiftRow, MoveRow, PoolCodeRow, RedemptionRow, VoucherRow

_UNDONE = ", ".join(f"'{status}'" for status in UNDONE)

_GIFT = """
    CASE WHEN r.id IS NOT NULL THEN jsonb_build_object(
        'id', r.id, 'code', r.code, 'kind', r.kind, 'state', r.state, 'stock', r.stock,
        'limit_per_member', r.limit_per_member, 'limit_per_period', r.limit_per_period, 'period', r.period,
        'version_id', v.id, 'name', v.name, 'points', v.points, 'face_value', v.face_value::text,
        'face_currency', v.face_currency, 'segments', v.segments, 'tiers', v.tiers,
        'voucher_days', v.voucher_days, 'has_balance', v.has_balance, 'is_returnable', v.is_returnable,
        'returns_points', v.returns_points, 'returns_stock', v.returns_stock,
        'pool_id', (SELECT q.id FROM rewards_codepool q WHERE q.reward_id = r.id),
        'prices', (SELECT jsonb_agg(jsonb_build_array(q.code, x.points))
                   FROM rewards_promotionalprice x JOIN loyalty_promotion q ON q.id = x.promotion_id
                   WHERE x.reward_id = r.id))::text END"""

_ORDER = f"""
    {_GIFT}, row_to_json(o)::text,
    (SELECT row_to_json(e)::text FROM loyalty_entry e WHERE e.account_id = o.member_id AND e.seq = o.entry_seq),
    (SELECT (to_jsonb(w) || jsonb_build_object('value', w.value::text, 'balance', w.balance::text))::text
     FROM rewards_voucher w WHERE w.redemption_id = o.id ORDER BY w.id DESC LIMIT 1),
    (SELECT row_to_json(c)::text FROM rewards_poolcode c WHERE c.redemption_id = o.id)"""

_HOLDER = f"{HEAD}, {MEMBER}, p.time_zone, p.grace_days"

_NEW = f"""
SELECT 1 AS ordinal, {_HOLDER},
    (SELECT jsonb_agg(jsonb_build_array({LOT}))::text FROM loyalty_lot l
     WHERE l.account_id = c.id AND l.remaining > 0),
    {_ORDER},
    (SELECT x.number FROM members_member x WHERE x.id = o.member_id),
    (SELECT x.code FROM rewards_reward x WHERE x.id = o.reward_id),
    (SELECT array_agg(s.code) FROM segments_membership g JOIN segments_segment s ON s.id = g.segment_id
     WHERE g.member_id = m.id AND g.valid_from <= %(now)s AND (g.valid_until IS NULL OR %(now)s < g.valid_until)),
    counted.ever, counted.lately,
    CASE WHEN r.stock < %(quantity)s OR r.kind = 'pool_voucher' THEN EXISTS (
        SELECT 1 FROM rewards_redemption x
        WHERE x.reward_id = r.id AND x.status = 'reserved' AND x.reserved_until <= %(now)s) END,
    CASE WHEN r.kind = 'pool_voucher' THEN EXISTS (
        SELECT 1 FROM rewards_codepool q JOIN rewards_poolcode f ON f.pool_id = q.id
        WHERE q.reward_id = r.id AND f.redemption_id IS NULL
            AND (f.valid_until IS NULL OR f.valid_until > %(now)s)) END
FROM members_programme p
LEFT JOIN loyalty_ruleshead h ON h.programme_id = p.id
LEFT JOIN members_member m ON m.programme_id = p.id AND m.number = %(number)s
LEFT JOIN loyalty_account c ON c.id = m.id
LEFT JOIN rewards_reward r ON r.programme_id = p.id AND r.code = %(gift)s
LEFT JOIN rewards_rewardversion v ON v.reward_id = r.id AND v.state = 'live' AND v.shown_from <= %(now)s
    AND (v.shown_until IS NULL OR %(now)s < v.shown_until)
LEFT JOIN rewards_redemption o ON o.programme_id = p.id AND o.reference = %(reference)s
LEFT JOIN LATERAL (
    SELECT coalesce(sum(x.quantity), 0)::bigint AS ever, coalesce(sum(x.quantity) FILTER (
        WHERE x.recorded_at >= date_trunc(r.period, %(now)s AT TIME ZONE p.time_zone) AT TIME ZONE p.time_zone),
        0)::bigint AS lately
    FROM rewards_redemption x
    WHERE x.member_id = m.id AND x.reward_id = r.id AND x.status NOT IN ({_UNDONE})
        AND NOT (x.status = 'reserved' AND x.reserved_until <= %(now)s)
) counted ON true
WHERE p.id = %(programme)s
"""

_KNOWN = f"""
SELECT 1, {_HOLDER},
    (SELECT jsonb_agg(jsonb_build_array({LOT}))::text
     FROM {OPEN_LOTS_AND.format(which="= ANY(ARRAY(SELECT (p->>0)::bigint FROM jsonb_array_elements(o.parts) p))")}),
    {_ORDER}, m.number,
    (SELECT json_agg(row_to_json(x) ORDER BY x.id)::text FROM rewards_move x WHERE x.redemption_id = o.id),
    (SELECT d.method FROM rewards_delivery d WHERE d.redemption_id = o.id),
    EXISTS (SELECT 1 FROM rewards_voucheruse u JOIN rewards_voucher w ON w.id = u.voucher_id
            WHERE w.redemption_id = o.id)
FROM members_programme p
LEFT JOIN loyalty_ruleshead h ON h.programme_id = p.id
LEFT JOIN rewards_redemption o ON o.programme_id = p.id AND o.reference = %(reference)s
LEFT JOIN members_member m ON m.id = o.member_id
LEFT JOIN loyalty_account c ON c.id = m.id
LEFT JOIN rewards_reward r ON r.id = o.reward_id
LEFT JOIN rewards_rewardversion v ON v.id = o.version_id
WHERE p.id = %(programme)s
"""


@dataclass(slots=True)
class Place:
    """What is known of the programme and the member: `holding` has all open lots, and those of the order."""

    head: Head
    holding: Holding
    zone: ZoneInfo
    grace_days: int


@dataclass(slots=True)
class Booked:
    """An order with its gift, entry and last voucher; `pool_code` is the uploaded code it took."""

    row: RedemptionRow
    gift_code: str
    member: str
    entry: EntryRow | None
    voucher: VoucherRow | None
    pool_code: PoolCodeRow | None


@dataclass(slots=True)
class NewContext:
    """What is known for a new order; `ever` and `lately` are pieces the member had, in all and in the period.

    `has_lapsed` says that reservations ran out whose pieces are not back yet.
    """

    place: Place
    gift: GiftRow | None
    segments: frozenset[str]
    ever: int
    lately: int
    has_lapsed: bool
    has_code: bool
    booked: Booked | None


@dataclass(slots=True)
class KnownContext:
    """What is known of an order that exists: its gift as ordered, its steps, and whether its voucher was used."""

    place: Place
    gift: GiftRow
    booked: Booked
    moves: list[MoveRow]
    delivery: str | None
    is_used: bool


_gift = msgspec.json.Decoder(GiftRow)
_redemption = msgspec.json.Decoder(RedemptionRow)
_entry = msgspec.json.Decoder(EntryRow)
_voucher = msgspec.json.Decoder(VoucherRow)
_pool_code = msgspec.json.Decoder(PoolCodeRow)
_moves = msgspec.json.Decoder(list[MoveRow])

_HOLDER_END = HEAD_END + MEMBER_SIZE


def new_order(
    *,
    programme_id: int,
    number: str,
    gift: str,
    quantity: int,
    reference: str,
    now: datetime,
    key: Key | None,
) -> NewContext:
    """Everything for a new order, and one that is booked under that reference."""
    params = {"number": number, "gift": gift, "quantity": quantity, "reference": reference}
    (row,) = rows(_NEW, base_params(programme_id, now, key) | params)
    lots, gift_row, order, entry, voucher, code, member, ordered, segments, ever, lately, lapsed, free = row[
        _HOLDER_END + 2 :
    ]
    return NewContext(
        _place(programme_id, row, lots),
        _gift.decode(gift_row) if gift_row else None,
        frozenset(segments or ()),
        ever,
        lately,
        bool(lapsed),
        bool(free),
        _booked(order, entry, voucher, code, ordered, member) if order else None,
    )


def known_order(
    *, programme_id: int, reference: str, now: datetime, key: Key | None = None
) -> KnownContext | None:
    """Everything for the next step of an order; None where there is none of that reference."""
    (row,) = rows(_KNOWN, base_params(programme_id, now, key) | {"reference": reference})
    lots, gift_row, order, entry, voucher, code, member, moves, delivery, is_used = row[_HOLDER_END + 2 :]
    if order is None:
        return None
    gift = _gift.decode(gift_row)
    return KnownContext(
        _place(programme_id, row, lots),
        gift,
        _booked(order, entry, voucher, code, gift.code, member),
        _moves.decode(moves or "[]"),
        delivery,
        is_used,
    )


def _place(programme_id: int, row: tuple[Any, ...], lots: str | None) -> Place:
    zone, grace_days = row[_HOLDER_END : _HOLDER_END + 2]
    holding = read_holding(programme_id, row[HEAD_END:_HOLDER_END], lots)
    return Place(head_of(programme_id, row), holding, ZoneInfo(zone), grace_days)


def _booked(
    order: str, entry: str | None, voucher: str | None, code: str | None, gift: str, member: str
) -> Booked:
    return Booked(
        _redemption.decode(order),
        gift,
        member,
        _entry.decode(entry) if entry else None,
        _voucher.decode(voucher) if voucher else None,
        _pool_code.decode(code) if code else None,
    )
