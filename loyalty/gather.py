"""Gather: one query for everything that a decision about one member, or many, needs to know."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import msgspec
from msgspec import structs

from config.kernel.sql import rows
from loyalty.engine.calendar import local_day
from loyalty.idempotency import Key, KeyRow
from loyalty.ledger import Account, Hold, Lot
from loyalty.records import AdjustmentRow, EntryRow, ReversalRow, TransactionRow
from loyalty.standings import Stands
from loyalty.tiers import Scheme

HEAD = """
    p.status, p.overdraw, p.backdating_days, p.approval_limit, p.on_unknown_member,
    coalesce(h.version, 0),
    (SELECT jsonb_build_object('fingerprint', k.fingerprint, 'status', k.status, 'body', k.body)::text
     FROM loyalty_idempotencykey k WHERE k.partner_id = %(partner)s AND k.key = %(key)s)"""

LOT = "l.seq, l.points, l.remaining, l.activates_at, l.expires_at, l.expired"

_HOLDS = f"""
    CASE WHEN c.held > 0 THEN
        (SELECT jsonb_agg(jsonb_build_array(
             jsonb_build_array(h.id, h.reference, h.points, h.expires_at, h.grace_until, h.parts),
             (SELECT jsonb_agg(jsonb_build_array({LOT})) FROM loyalty_lot l
              WHERE l.account_id = c.id AND l.seq IN
                  (SELECT (held.value->>0)::bigint FROM jsonb_array_elements(h.parts) held))
         ) ORDER BY h.id)::text
         FROM loyalty_hold h WHERE h.account_id = c.id AND h.status = 'open') END"""

MEMBER = f"""
    m.id, m.number, m.status, m.tier, m.birth_date, m.birth_date_changes::text, m.enrolled_at,
    c.version, c.seq, c.draws, c.available, c.pending, c.held, c.debt, c.transactions, c.head, c.settled_at,
    c.next_change_at, {_HOLDS}"""

# Open lots and some that may be used up, each by its own index: with OR every lot of the account would be read.
OPEN_LOTS_AND = """(
    SELECT x.* FROM loyalty_lot x WHERE x.account_id = c.id AND x.remaining > 0
    UNION ALL
    SELECT x.* FROM loyalty_lot x WHERE x.account_id = c.id AND x.remaining = 0 AND x.seq {which}
) l"""

LOTS = f"""
    CASE WHEN %(all_lots)s OR c.next_change_at <= %(now)s THEN
        (SELECT jsonb_agg(jsonb_build_array({LOT}))::text FROM loyalty_lot l
         WHERE l.account_id = c.id AND l.remaining > 0) END"""

# Qualifying points by day reach back to where the period of any decision may begin: the one that `{day}`
# ends, or the one at whose end the tier has to be looked at again.
TIERS = """
    CASE WHEN %(tiered)s AND {lead} THEN (
        SELECT jsonb_build_object(
            'standing', CASE WHEN s.member_id IS NOT NULL THEN jsonb_build_array(
                s.tier, s.since, s.confirmed_on, s.valid_until, s.granted, s.granted_at, s.granted_until) END,
            'days', (
                SELECT jsonb_agg(jsonb_build_array(v.day, v.qualifying)) FROM members_activity v
                WHERE v.member_id = m.id AND v.qualifying <> 0
                AND v.day >= (least({day}, %(today)s::date, s.valid_until, s.granted_until::date - 1)
                              - %(tier_interval)s::interval)::date
            ))::text
        FROM (SELECT 1) one LEFT JOIN loyalty_tierstanding s ON s.member_id = m.id) END"""

_ONE = """(
    SELECT %(number)s::text AS number, %(reference)s::text AS reference, %(instant)s::timestamptz AS at,
           %(day)s::date AS day, true AS lead, 1 AS ord
) a"""

_MANY = """unnest(%(numbers)s::text[], %(references)s::text[], %(instants)s::timestamptz[], %(days)s::date[],
            %(leads)s::bool[])
     WITH ORDINALITY AS a(number, reference, at, day, lead, ord)"""

_BASKETS = f"""
SELECT a.ord, {HEAD},
    CASE WHEN a.ord = 1 AND %(budgeted)s THEN
        (SELECT jsonb_agg(jsonb_build_array(b.promotion_id, b.points_used::text, b.uses_used))::text
         FROM loyalty_promotionbudget b JOIN loyalty_promotion q ON q.id = b.promotion_id
         WHERE q.programme_id = %(programme)s) END,
    CASE WHEN a.ord = 1 AND cardinality(%(skus)s::text[]) > 0 THEN
        (SELECT jsonb_object_agg(x.sku, jsonb_build_array(x.category, x.brand))::text FROM loyalty_product x
         WHERE x.programme_id = %(programme)s AND x.sku = ANY(%(skus)s::text[])) END,
    {MEMBER}, {LOTS},
    (SELECT array_agg(s.code) FROM segments_membership g JOIN segments_segment s ON s.id = g.segment_id
     WHERE g.member_id = m.id AND g.valid_from <= a.at AND (g.valid_until IS NULL OR a.at < g.valid_until)),
    CASE WHEN %(capped)s THEN
        (SELECT jsonb_agg(jsonb_build_array(u.promotion_id, u.total, u.uses, u.in_day, u.day_uses, u.in_month,
                                            u.month_uses))::text
         FROM (SELECT promotion_id,
                      sum(points)::text AS total, sum(uses) AS uses,
                      coalesce(sum(points) FILTER (WHERE day = a.day), 0)::text AS in_day,
                      coalesce(sum(uses) FILTER (WHERE day = a.day), 0) AS day_uses,
                      coalesce(sum(points) FILTER (WHERE date_trunc('month', day) = date_trunc('month', a.day)),
                               0)::text AS in_month,
                      coalesce(sum(uses) FILTER (WHERE date_trunc('month', day) = date_trunc('month', a.day)), 0)
                          AS month_uses
               FROM loyalty_promotionusage WHERE account_id = m.id GROUP BY promotion_id) u) END,
    {TIERS.format(lead="a.lead", day="a.day")},
    row_to_json(t)::text,
    (SELECT row_to_json(e)::text FROM loyalty_entry e WHERE e.account_id = t.account_id AND e.seq = t.entry_seq),
    CASE WHEN t.id IS NOT NULL THEN (SELECT o.number FROM members_member o WHERE o.id = t.account_id) END
FROM {{asked}}
JOIN members_programme p ON p.id = %(programme)s
LEFT JOIN loyalty_ruleshead h ON h.programme_id = p.id
LEFT JOIN members_member m ON m.programme_id = p.id AND m.number = a.number
LEFT JOIN loyalty_account c ON c.id = m.id
LEFT JOIN loyalty_transaction t ON t.programme_id = p.id AND t.reference = a.reference
ORDER BY a.ord
"""

# One basket has a statement of its own: PostgreSQL cannot know that an array holds one element, and would plan
# for more.
ONE_BASKET = _BASKETS.format(asked=_ONE)
MANY_BASKETS = _BASKETS.format(asked=_MANY)

_REVERSAL = f"""
SELECT 1, {HEAD}, {MEMBER},
    (SELECT jsonb_agg(jsonb_build_array({LOT}))::text FROM {OPEN_LOTS_AND.format(which="= t.entry_seq")}),
    {TIERS.format(lead="true", day="t.day")},
    row_to_json(t)::text, row_to_json(r)::text,
    (SELECT row_to_json(e)::text FROM loyalty_entry e WHERE e.account_id = r.account_id AND e.seq = r.entry_seq),
    (SELECT o.reference FROM loyalty_transaction o WHERE o.id = r.transaction_id)
FROM members_programme p
LEFT JOIN loyalty_ruleshead h ON h.programme_id = p.id
LEFT JOIN loyalty_transaction t ON t.programme_id = p.id AND t.reference = %(transaction)s
LEFT JOIN members_member m ON m.id = t.account_id
LEFT JOIN loyalty_account c ON c.id = t.account_id
LEFT JOIN loyalty_reversal r ON r.programme_id = p.id AND r.reference = %(reference)s
WHERE p.id = %(programme)s
"""

_ADJUSTMENT = f"""
SELECT 1, {HEAD}, {MEMBER}, {LOTS}, row_to_json(j)::text,
    (SELECT row_to_json(e)::text FROM loyalty_entry e WHERE e.account_id = j.account_id AND e.seq = j.entry_seq),
    (SELECT o.number FROM members_member o WHERE o.id = j.account_id)
FROM members_programme p
LEFT JOIN loyalty_ruleshead h ON h.programme_id = p.id
LEFT JOIN members_member m ON m.programme_id = p.id AND m.number = %(number)s
LEFT JOIN loyalty_account c ON c.id = m.id
LEFT JOIN loyalty_adjustment j ON j.programme_id = p.id AND j.reference = %(reference)s
WHERE p.id = %(programme)s
"""

_DUE = f"""
SELECT c.programme_id, {MEMBER}, {LOTS}
FROM loyalty_account c JOIN members_member m ON m.id = c.id
WHERE c.next_change_at <= %(now)s AND c.id <> ALL(%(passed)s::bigint[])
ORDER BY c.next_change_at LIMIT """

TRANSACTION = """
SELECT row_to_json(t)::text,
    (SELECT row_to_json(e)::text FROM loyalty_entry e WHERE e.account_id = t.account_id AND e.seq = t.entry_seq),
    (SELECT m.number FROM members_member m WHERE m.id = t.account_id),
    (SELECT json_agg(row_to_json(r) ORDER BY r.recorded_at, r.id)::text FROM loyalty_reversal r
     WHERE r.programme_id = t.programme_id AND r.transaction_id = t.id)
FROM loyalty_transaction t WHERE t.programme_id = %(programme)s AND t.reference = %(reference)s
"""


@dataclass(frozen=True, slots=True)
class Head:
    """What is known of the programme and the request's key."""

    programme_id: int
    status: str
    overdraw: str
    backdating_days: int
    approval_limit: int | None
    on_unknown_member: str
    rules_version: int
    key: KeyRow | None


@dataclass(frozen=True, slots=True)
class Person:
    """A member, as far as points depend on it."""

    id: int
    number: str
    status: str
    tier: str | None
    birth_date: date | None
    birth_date_changes: list[tuple[datetime, date | None]]
    enrolled_at: datetime


class Used(msgspec.Struct, array_like=True):
    """What a promotion gave a member so far: exact points and uses in total, on the day and in the month."""

    promotion_id: int
    total: str
    uses: int
    in_day: str
    day_uses: int
    in_month: str
    month_uses: int


class Spent(msgspec.Struct, array_like=True):
    """What of a promotion's budget is used."""

    promotion_id: int
    points: str
    uses: int


@dataclass(slots=True)
class Holding:
    """A member with account and lots; `account` is None before the first posting."""

    person: Person | None
    account: Account | None
    lots: list[Lot]


@dataclass(slots=True)
class Booked:
    """A transaction that exists under the reference asked for, its entry and its member's number."""

    row: TransactionRow
    entry: EntryRow | None
    member: str


@dataclass(slots=True)
class BasketContext:
    """What is known for one basket."""

    holding: Holding
    segments: frozenset[str]
    used: list[Used]
    booked: Booked | None
    stands: Stands | None = None


@dataclass(slots=True)
class Gathered:
    """What is known for a list of baskets, in their order."""

    head: Head
    spent: list[Spent]
    products: Mapping[str, tuple[str, str]]
    contexts: list[BasketContext]


@dataclass(slots=True)
class ReversalContext:
    """What is known for a return: the transaction, its holder, and a reversal booked under that reference."""

    head: Head
    holding: Holding
    transaction: TransactionRow | None
    booked: ReversalRow | None
    entry: EntryRow | None
    booked_transaction: str | None
    stands: Stands | None = None


@dataclass(slots=True)
class AdjustmentContext:
    """What is known for an adjustment, and one booked under that reference."""

    head: Head
    holding: Holding
    booked: AdjustmentRow | None
    entry: EntryRow | None
    booked_member: str | None


class TierAsk(msgspec.Struct, frozen=True):
    """Whether tiers are gathered, the programme's day, and how far back a period may begin (an interval)."""

    tiered: bool = False
    today: date = date.max
    tier_interval: str = "1 day"

    @classmethod
    def of(cls, scheme: Scheme | None, now: datetime) -> "TierAsk":
        """For a programme's tier rules, or none."""
        return cls(True, local_day(now, scheme.zone), scheme.interval) if scheme else NOTIERS


NOTIERS = TierAsk()


class Ask(msgspec.Struct, frozen=True):
    """What to gather for one basket: member number (None = guest), reference (None = none), when."""

    number: str | None
    reference: str | None
    at: datetime
    day: date


_changes = msgspec.json.Decoder(list[dict[str, Any]])
_LotRow = tuple[int, int, int, datetime, datetime | None, int]
_lots = msgspec.json.Decoder(list[_LotRow])
_holds = msgspec.json.Decoder(list[tuple[Hold, list[_LotRow]]])
_used = msgspec.json.Decoder(list[Used])
_spent = msgspec.json.Decoder(list[Spent])
_products = msgspec.json.Decoder(dict[str, tuple[str, str]])
_key = msgspec.json.Decoder(KeyRow)
_transaction = msgspec.json.Decoder(TransactionRow)
_reversal = msgspec.json.Decoder(ReversalRow)
_adjustment = msgspec.json.Decoder(AdjustmentRow)
_entry = msgspec.json.Decoder(EntryRow)
stands_decoder = msgspec.json.Decoder(Stands)

HEAD_END = 1 + 7
MEMBER_SIZE = 19


def baskets(
    *,
    programme_id: int,
    asks: Sequence[Ask],
    skus: Sequence[str],
    now: datetime,
    key: Key | None = None,
    capped: bool = True,
    budgeted: bool = True,
    tiers: TierAsk = NOTIERS,
    all_lots: bool = False,
) -> Gathered:
    """One round trip for one basket or many. `capped` and `budgeted` say whether any promotion needs usage.
    `all_lots` reads the open lots also of an account in which nothing is due.

    Baskets of one member share what is known of the tier, which is read with the first of them.
    """
    params = {
        **base_params(programme_id, now, key),
        **structs.asdict(tiers),
        "all_lots": all_lots,
        "capped": capped,
        "budgeted": budgeted,
        "skus": list(skus),
    }
    answer = (
        rows(ONE_BASKET, params | _one(asks[0]))
        if len(asks) == 1
        else rows(MANY_BASKETS, params | _many(asks))
    )
    first = answer[0]
    spent, products = first[HEAD_END], first[HEAD_END + 1]
    return Gathered(
        head=head_of(programme_id, first),
        spent=_spent.decode(spent) if spent else [],
        products=_products.decode(products) if products else {},
        contexts=_sharing_tiers([_basket_context(programme_id, row) for row in answer]),
    )


def _sharing_tiers(contexts: list[BasketContext]) -> list[BasketContext]:
    known: dict[int, Stands] = {}
    for context in contexts:
        if context.holding.person:
            if context.stands:
                known[context.holding.person.id] = context.stands
            context.stands = known.get(context.holding.person.id)
    return contexts


def _one(ask: Ask) -> dict[str, Any]:
    return {"number": ask.number, "reference": ask.reference, "instant": ask.at, "day": ask.day}


def _many(asks: Sequence[Ask]) -> dict[str, Any]:
    return {
        "numbers": [ask.number for ask in asks],
        "references": [ask.reference for ask in asks],
        "instants": [ask.at for ask in asks],
        "days": [ask.day for ask in asks],
        "leads": _firsts([ask.number for ask in asks]),
    }


def _firsts(numbers: Sequence[str | None]) -> list[bool]:
    """Of each number whether it is the first of its like."""
    seen: set[str | None] = set()
    return [not (number in seen or seen.add(number)) for number in numbers]  # type: ignore[func-returns-value]


def _basket_context(programme_id: int, row: tuple[Any, ...]) -> BasketContext:
    start = HEAD_END + 2
    end = start + MEMBER_SIZE
    lots, segments, used, stands, transaction, entry, member = row[end:]
    booked = None
    if transaction:
        booked = Booked(_transaction.decode(transaction), _entry.decode(entry) if entry else None, member)
    return BasketContext(
        holding_of(programme_id, row[start:end], lots),
        frozenset(segments or ()),
        _used.decode(used) if used else [],
        booked,
        stands_decoder.decode(stands) if stands else None,
    )


def reversal(
    *,
    programme_id: int,
    transaction: str,
    reference: str,
    now: datetime,
    key: Key | None,
    tiers: TierAsk = NOTIERS,
) -> ReversalContext:
    """Everything for a return of the transaction, with all open lots and its own."""
    params = base_params(programme_id, now, key) | {"transaction": transaction, "reference": reference}
    params |= structs.asdict(tiers)
    (row,) = rows(_REVERSAL, params)
    end = HEAD_END + MEMBER_SIZE
    lots, stands, found, booked, entry, booked_transaction = row[end:]
    return ReversalContext(
        head_of(programme_id, row),
        holding_of(programme_id, row[HEAD_END:end], lots),
        _transaction.decode(found) if found else None,
        _reversal.decode(booked) if booked else None,
        _entry.decode(entry) if entry else None,
        booked_transaction,
        stands_decoder.decode(stands) if stands else None,
    )


def adjustment(
    *, programme_id: int, number: str, reference: str, now: datetime, key: Key | None
) -> AdjustmentContext:
    """Everything for an adjustment of the member's points, with all open lots."""
    params = base_params(programme_id, now, key) | {
        "number": number,
        "reference": reference,
        "all_lots": True,
    }
    (row,) = rows(_ADJUSTMENT, params)
    end = HEAD_END + MEMBER_SIZE
    lots, booked, entry, member = row[end:]
    return AdjustmentContext(
        head_of(programme_id, row),
        holding_of(programme_id, row[HEAD_END:end], lots),
        _adjustment.decode(booked) if booked else None,
        _entry.decode(entry) if entry else None,
        member,
    )


def due(*, now: datetime, size: int, passed: Collection[int]) -> list[Holding]:
    """At most `size` accounts of any programme with a change that is due, without those `passed` (ids)."""
    params = {"now": now, "passed": list(passed), "all_lots": True}
    # The number stands in the text: PostgreSQL does not look into parameters, and would plan for a tenth of all.
    return [holding_of(row[0], row[1:-1], row[-1]) for row in rows(f"{_DUE}{size:d}", params)]


def base_params(programme_id: int, now: datetime, key: Key | None) -> dict[str, Any]:
    return {
        "programme": programme_id,
        "now": now,
        "partner": key.partner_id if key else None,
        "key": key.text if key else None,
    }


def head_of(programme_id: int, row: tuple[Any, ...]) -> Head:
    status, overdraw, backdating_days, approval_limit, on_unknown_member, version, key = row[1:HEAD_END]
    stored = _key.decode(key) if key else None
    return Head(
        programme_id, status, overdraw, backdating_days, approval_limit, on_unknown_member, version, stored
    )


def holding_of(programme_id: int, row: tuple[Any, ...], lots: str | None) -> Holding:
    member_id, number, status, tier, birth_date, changes, enrolled_at, version, *state = row
    if member_id is None:
        return Holding(None, None, [])
    births = [(datetime.fromisoformat(x["at"]), _date(x["was"])) for x in _changes.decode(changes)]
    person = Person(member_id, number, status, tier or None, birth_date, births, enrolled_at)
    if version is None:
        return Holding(person, None, [])
    seq, draws, available, pending, held, debt, transactions, head, settled_at, next_change_at, holding = (
        state
    )
    holds = _holds.decode(holding) if holding else []
    account = Account(
        id=member_id, programme_id=programme_id, version=version, seq=seq, draws=draws,
        available=available, pending=pending, held=held, debt=debt, transactions=transactions,
        head=bytes(head), settled_at=settled_at, next_change_at=next_change_at,
        holds=[hold for hold, _ in holds],
    )  # fmt: skip
    known = [*(_lots.decode(lots) if lots else []), *(lot for _, held in holds for lot in held)]
    return Holding(person, account, [Lot(*lot) for lot in {lot[0]: lot for lot in known}.values()])


def _date(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None
