"""Points for gift orders: spent, set aside, confirmed, released, given back.

Each function settles the account, adds what it books to the caller's `Call` and sends nothing: the app above
posts it together with its own rows, in one database transaction.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from config.kernel.errors import NotFound
from loyalty import chain, ledger
from loyalty.apply import Activity, Call
from loyalty.engine import calendar
from loyalty.gather import Holding
from loyalty.ledger import Account, Figures, Hold, Part, Posting, Source
from loyalty.records import EntryRow, entry_row


@dataclass(frozen=True, slots=True)
class Order:
    """A gift order as the ledger knows it; `salt` keeps its reference out of the chain's bytes.

    `grace_days` is how many whole days points live that come back to an expired lot; 0 = they expire at once.
    """

    id: UUID
    reference: str
    salt: bytes
    programme_id: int
    zone: ZoneInfo
    grace_days: int

    @property
    def source(self) -> Source:
        return Source(self.id, chain.commitment(self.salt, self.reference))

    def grace_until(self, at: datetime) -> datetime | None:
        """Start of the programme day after (the day of `at` + grace days)."""
        if not self.grace_days:
            return None
        day = calendar.local_day(at, self.zone) + timedelta(days=self.grace_days + 1)
        return calendar.start_of_day(self.zone, day)


@dataclass(frozen=True, slots=True)
class Moved:
    """What an order did to the account: its lots, its entry (None for holds) and the figures after it."""

    parts: tuple[Part, ...]
    entry: EntryRow | None
    figures: Figures


def points_redeem(call: Call, holding: Holding, order: Order, points: int) -> Moved:
    """Spend `points` (> 0) now; InsufficientPoints. `holding` has all open lots."""
    posting = _begin(call, holding, order)
    entry, parts = ledger.redeem(posting, points=points, occurred_at=posting.now, source=order.source)
    _burn(call, posting, order, points)
    return _post(call, posting, parts, entry)


def points_hold(call: Call, holding: Holding, order: Order, points: int, until: datetime) -> Moved:
    """Set `points` (> 0) aside until an instant ahead; InsufficientPoints. `holding` has all open lots."""
    posting = _begin(call, holding, order)
    grace_until = order.grace_until(until)
    held = ledger.hold(
        posting,
        id=order.id,
        reference=order.reference,
        points=points,
        expires_at=until,
        grace_until=grace_until,
    )
    return _post(call, posting, held.parts, None)


def points_confirm(call: Call, holding: Holding, order: Order) -> Moved:
    """Spend what the order's hold set aside; NotFound when it is no longer open."""
    posting = _begin(call, holding, order)
    held = _hold_of(posting, order)
    entry = ledger.confirm(posting, hold=held, occurred_at=posting.now, source=order.source)
    _burn(call, posting, order, held.points)
    return _post(call, posting, held.parts, entry)


def points_release(call: Call, holding: Holding, order: Order) -> Moved:
    """Give the points of the order's hold back to their lots; NotFound when it is no longer open."""
    posting = _begin(call, holding, order)
    held = _hold_of(posting, order)
    ledger.release(posting, hold=held, grace_until=order.grace_until(posting.now))
    return _post(call, posting, held.parts, None)


def points_give_back(call: Call, holding: Holding, order: Order, parts: tuple[Part, ...], kind: str) -> Moved:
    """Give spent points back to their lots; `kind` is redemption_cancelled or redemption_returned.

    `holding` has all open lots and those of `parts`.
    """
    posting = _begin(call, holding, order)
    entry = ledger.give_back(
        posting,
        kind=kind,
        parts=parts,
        occurred_at=posting.now,
        grace_until=order.grace_until(posting.now),
        source=order.source,
    )
    _burn(call, posting, order, -sum(part.points for part in parts))
    return _post(call, posting, parts, entry)


def account_settle(call: Call, holding: Holding, order: Order) -> Moved:
    """Book what became due on the account and nothing else, so that a hold that ran out ends."""
    return _post(call, _begin(call, holding, order), (), None)


def account_expect(call: Call, holding: Holding) -> None:
    """Book nothing on the account, but only if it still is as it was gathered."""
    if holding.account:
        call.expect(holding.account)


def _begin(call: Call, holding: Holding, order: Order) -> Posting:
    if holding.person is None:
        raise NotFound
    account = holding.account or Account(holding.person.id, order.programme_id, settled_at=call.now)
    return ledger.begin(account, holding.lots, call.now)


def _hold_of(posting: Posting, order: Order) -> Hold:
    for held in posting.account.holds:
        if held.id == order.id:
            return held
    raise NotFound


def _burn(call: Call, posting: Posting, order: Order, points: int) -> None:
    day = calendar.local_day(posting.now, order.zone)
    call.live(posting.account, day, Activity(burned=points))


def _post(call: Call, posting: Posting, parts: tuple[Part, ...], entry: ledger.Entry | None) -> Moved:
    call.post(posting)
    return Moved(parts, entry_row(entry), posting.account.figures)
