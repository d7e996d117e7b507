"""A member's movements of points, newest first, as they are now or as they were recorded at an instant."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from config.kernel.sql import rows
from loyalty import ledger
from loyalty.gather import Holding
from loyalty.ledger import Entry

_MOVEMENTS = """
SELECT * FROM (
    SELECT e.seq, e.kind, e.points, e.balance_after, e.occurred_at, e.recorded_at,
        coalesce(t.reference, r.reference, j.reference, v.reference, w.reference) AS reference,
        nullif(coalesce(t.store, ''), '') AS store, j.reason, coalesce(o.reference, vo.reference) AS reverses,
        coalesce((SELECT array_agg(x.reference ORDER BY x.recorded_at) FROM loyalty_reversal x
                  WHERE x.transaction_id = t.id AND x.recorded_at <= %(at)s),
                 CASE WHEN vw.id IS NOT NULL THEN ARRAY[vw.reference] END, '{}')
            AS reversed_by,
        CASE
            WHEN e.counterpart = 'redemption' THEN 'order'
            WHEN t.id IS NOT NULL AND s.transaction_status IS NOT NULL THEN s.transaction_status
            WHEN vw.id IS NOT NULL THEN 'reversed'
            WHEN l.activates_at > %(at)s THEN 'pending'
            WHEN l.expires_at <= %(at)s AND l.expired + l.remaining > 0 THEN 'expired'
            ELSE 'posted'
        END AS status, e.source, y.name AS event, y.labels::json AS event_labels
    FROM loyalty_entry e
    LEFT JOIN loyalty_transaction t ON e.kind = 'earn' AND t.id = e.source
    LEFT JOIN loyalty_reversal r ON e.kind = 'reversal' AND r.id = e.source
    LEFT JOIN loyalty_transaction o ON o.id = r.transaction_id
    LEFT JOIN loyalty_adjustment j ON e.kind = 'adjustment' AND j.id = e.source
    LEFT JOIN loyalty_event v ON e.kind = 'event' AND v.id = e.source
    LEFT JOIN loyalty_eventreversal vw ON vw.event_id = v.id AND vw.recorded_at <= %(at)s
    LEFT JOIN loyalty_eventreversal w ON e.kind = 'reversal' AND w.id = e.source
    LEFT JOIN loyalty_event vo ON vo.id = w.event_id
    LEFT JOIN loyalty_eventtype y ON y.id = coalesce(v.type_id, vo.type_id)
    LEFT JOIN loyalty_lot l ON l.account_id = e.account_id AND l.seq = e.seq
    LEFT JOIN LATERAL (
        SELECT x.transaction_status FROM loyalty_reversal x
        WHERE x.transaction_id = t.id AND x.recorded_at <= %(at)s ORDER BY x.recorded_at DESC, x.id DESC LIMIT 1
    ) s ON true
    WHERE e.account_id = %(account)s AND e.recorded_at <= %(at)s
        AND (%(before)s::bigint IS NULL OR e.seq < %(before)s)
        AND (%(since)s::timestamptz IS NULL OR e.occurred_at >= %(since)s)
        AND (%(until)s::timestamptz IS NULL OR e.occurred_at < %(until)s)
        AND (cardinality(%(kinds)s::text[]) = 0 OR e.kind = ANY(%(kinds)s))
) movement
WHERE cardinality(%(statuses)s::text[]) = 0 OR status = ANY(%(statuses)s)
    OR (status = 'order' AND source = ANY(%(orders)s::uuid[]))
ORDER BY seq DESC LIMIT %(limit)s
"""

ORDER_KINDS = ("redemption", "redemption_cancelled", "redemption_returned")
KINDS = ("earn", "event", "reversal", "adjustment", "expiry", "give_back", *ORDER_KINDS)
STATUSES = ("posted", "pending", "expired", "partially_reversed", "reversed")


class Movement(NamedTuple):
    """One entry with what it books; `reason` is an adjustment's, `reverses` the transaction or event a return
    is of, `event` the name of an event's type and `event_labels` its names by language.

    The status of what a gift order moved is "order": rewards knows the order, by its id `source`.
    """

    seq: int
    kind: str
    points: int
    balance_after: int
    occurred_at: datetime
    recorded_at: datetime
    reference: str | None
    store: str | None
    reason: str | None
    reverses: str | None
    reversed_by: list[str]
    status: str
    source: UUID | None = None
    event: str | None = None
    event_labels: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Filters:
    """Which movements: occurred from `since` (inclusive) until `until` (exclusive), of kinds and statuses
    (none = all), as recorded at `as_of`. With statuses, movements of `orders` are shown too."""

    since: datetime | None = None
    until: datetime | None = None
    kinds: tuple[str, ...] = ()
    statuses: tuple[str, ...] = ()
    orders: tuple[UUID, ...] = ()
    as_of: datetime | None = None

    def holds(self, movement: Movement) -> bool:
        """Whether a movement that is not written yet belongs to the list."""
        return (
            (self.since is None or movement.occurred_at >= self.since)
            and (self.until is None or movement.occurred_at < self.until)
            and (not self.kinds or movement.kind in self.kinds)
            and (not self.statuses or movement.status in self.statuses)
        )


def movements(
    holding: Holding, filters: Filters, now: datetime, *, limit: int, before: int | None
) -> list[Movement]:
    """At most `limit` movements with a number below `before`, newest first, in one query.

    Expiries that are due and not written yet are shown as they will be, so that the newest
    `balance_after` always is the balance.
    """
    if holding.account is None:
        return []
    at = filters.as_of or now
    coming = [x for x in _due(holding, now) if filters.holds(x)] if filters.as_of is None else []
    shown = [x for x in coming if before is None or x.seq < before][:limit]
    if len(shown) == limit:
        return shown
    params = {
        "account": holding.account.id,
        "at": at,
        "before": before,
        "since": filters.since,
        "until": filters.until,
        "kinds": list(filters.kinds),
        "statuses": list(filters.statuses),
        "orders": list(filters.orders),
        "limit": limit - len(shown),
    }
    return shown + [Movement(*row) for row in rows(_MOVEMENTS, params)]


def all_movements(holding: Holding, filters: Filters, now: datetime, size: int = 1000) -> Iterator[Movement]:
    """Every movement, read in pages of `size`."""
    before = None
    while True:
        page = movements(holding, filters, now, limit=size, before=before)
        yield from page
        if len(page) < size:
            return
        before = page[-1].seq


def _due(holding: Holding, now: datetime) -> list[Movement]:
    if holding.account is None or not ledger.is_due(holding.account, now):
        return []
    posting = ledger.begin(holding.account, holding.lots, now)
    return [_unwritten(entry) for entry in reversed(posting.entries)]


def _unwritten(entry: Entry) -> Movement:
    return Movement(
        entry.seq,
        entry.kind,
        entry.points,
        entry.figures.balance,
        entry.occurred_at,
        entry.recorded_at,
        None,
        None,
        None,
        None,
        [],
        "posted",
    )
