"""Gather for evaluate and earn: one query for one basket or many."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import msgspec
from msgspec import structs

from config.kernel.sql import rows
from loyalty.gather.columns import (
    HEAD,
    HEAD_END,
    LOTS,
    MEMBER,
    MEMBER_SIZE,
    NOTIERS,
    TIERS,
    Head,
    Holding,
    TierAsk,
    base_params,
    head_of,
    holding_of,
    stands_decoder,
)
from loyalty.idempotency import Key
from loyalty.records import EntryRow, TransactionRow
from loyalty.standings import Stands

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


class Ask(msgspec.Struct, frozen=True):
    """What to gather for one basket: member number (None = guest), reference (None = none), when."""

    number: str | None
    reference: str | None
    at: datetime
    day: date


_used = msgspec.json.Decoder(list[Used])
_spent = msgspec.json.Decoder(list[Spent])
_products = msgspec.json.Decoder(dict[str, tuple[str, str]])
_transaction = msgspec.json.Decoder(TransactionRow)
_entry = msgspec.json.Decoder(EntryRow)


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
