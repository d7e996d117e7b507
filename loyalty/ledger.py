"""The ledger, pure: what a posting does to one account and its lots at one instant.

`begin` settles the account and opens a Posting; `earn`, `reverse`, `take` and, for gifts, `redeem`, `hold`,
`confirm`, `release` and `give_back` add to it. A Posting is plain rows and a new account state;
`loyalty.apply` is what writes it, if nothing moved meanwhile.
Points are whole, `available` excludes held ones, and debt and available are never both above zero.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from loyalty import chain
from loyalty.errors import InsufficientPoints

ISSUANCE, BREAKAGE, ADJUSTMENT, REDEMPTION = "issuance", "breakage", "adjustment", "redemption"


class Figures(NamedTuple):
    """The four figures of an account, in points."""

    available: int
    pending: int
    held: int
    debt: int

    @property
    def balance(self) -> int:
        return self.available + self.pending + self.held - self.debt


class Part(NamedTuple):
    """Points that were drawn from a lot, and when that lot was to expire at that time."""

    lot_seq: int
    points: int
    expires_at: datetime | None


class Hold(NamedTuple):
    """Points set aside until `expires_at`, and the lots they came from.

    `grace_until` is how long points live that come back to an expired lot when the hold runs out; None: they
    expire at once.
    """

    id: UUID
    reference: str
    points: int
    expires_at: datetime
    grace_until: datetime | None
    parts: tuple[Part, ...]


@dataclass(slots=True)
class Account:
    """State of an account; `next_change_at` is never later than the next activation, expiry or end of a hold.

    `holds` are the open ones.
    """

    id: int
    programme_id: int
    settled_at: datetime
    version: int = 0
    seq: int = 0
    draws: int = 0
    available: int = 0
    pending: int = 0
    held: int = 0
    debt: int = 0
    transactions: int = 0
    head: bytes = chain.GENESIS
    next_change_at: datetime | None = None
    holds: list[Hold] = field(default_factory=list)

    @property
    def figures(self) -> Figures:
        return Figures(self.available, self.pending, self.held, self.debt)


@dataclass(slots=True)
class Lot:
    """Points that arrived together. Pending while `activates_at` lies after the account's `settled_at`."""

    seq: int
    points: int
    remaining: int
    activates_at: datetime
    expires_at: datetime | None
    expired: int = 0


class Entry(NamedTuple):
    """One movement of the balance, sealed into the chain."""

    seq: int
    kind: str
    counterpart: str
    points: int
    occurred_at: datetime
    recorded_at: datetime
    figures: Figures
    source: UUID | None
    commitment: bytes
    prev_hash: bytes
    hash: bytes


class Draw(NamedTuple):
    """Points taken from a lot (positive) or given back to it (negative)."""

    number: int
    lot_seq: int
    entry_seq: int | None
    points: int
    reason: str


class Source(NamedTuple):
    """What an entry books: its record and the commitment to its reference and texts."""

    id: UUID | None = None
    commitment: bytes = bytes(32)


class Taken(NamedTuple):
    """Where a return took its points from."""

    pending: int
    available: int
    debt: int
    forgiven: int


@dataclass(slots=True)
class Posting:
    """Rows to insert and the new state of one account, valid only on top of version `expected`.

    `lots` are the known ones: all that are open when the account was due, else those the caller gave.
    """

    account: Account
    expected: int
    now: datetime
    lots: list[Lot]
    opened: list[Lot] = field(default_factory=list)
    touched: dict[int, Lot] = field(default_factory=dict)
    entries: list[Entry] = field(default_factory=list)
    draws: list[Draw] = field(default_factory=list)
    held: list[Hold] = field(default_factory=list)
    ended: list[tuple[Hold, str]] = field(default_factory=list)

    def is_pending(self, lot: Lot) -> bool:
        return lot.activates_at > self.account.settled_at


def begin(account: Account, lots: Iterable[Lot], now: datetime) -> Posting:
    """A posting on the settled account. `lots` must be all open ones if `next_change_at` is due.

    An account never goes back in time: when another machine's clock was ahead, its instant counts.
    """
    instant = max(now, account.settled_at)
    state = replace(account, holds=list(account.holds))
    posting = Posting(state, account.version, instant, [replace(lot) for lot in lots])
    posting.account.version += 1
    _settle(posting)
    return posting


def is_due(account: Account, now: datetime) -> bool:
    """Whether a lot of the account activated or expired, or a hold ran out, since it was last settled."""
    return account.next_change_at is not None and account.next_change_at <= now


def spending_order(lot: Lot) -> tuple[bool, datetime | None, int]:
    """Soonest expiring first, then the one posted first; never-expiring last."""
    return (lot.expires_at is None, lot.expires_at, lot.seq)


def _settle(posting: Posting) -> None:
    """Run activations, payments of debt, expiries and ends of holds up to now, in time order and in this one."""
    account = posting.account
    if is_due(account, posting.now):
        while (at := _next_change(posting)) is not None and at <= posting.now:
            _activate(posting, at)
            _expire_due(posting, at)
            for hold in [hold for hold in account.holds if hold.expires_at <= at]:
                _end(posting, hold, "lapsed", at, hold.grace_until)
        account.next_change_at = _next_change(posting)
    account.settled_at = posting.now


def _activate(posting: Posting, at: datetime) -> None:
    account = posting.account
    arrived = sum(lot.remaining for lot in posting.lots if posting.is_pending(lot) and lot.activates_at <= at)
    account.pending -= arrived
    account.available += arrived
    account.settled_at = max(at, account.settled_at)
    _pay_debt(posting, None)


def _next_change(posting: Posting) -> datetime | None:
    """The next instant at which something changes, overdue ones first."""
    account = posting.account
    activations = [lot.activates_at for lot in posting.lots if lot.remaining and posting.is_pending(lot)]
    expiries = [lot.expires_at for lot in posting.lots if lot.remaining and lot.expires_at]
    return min([*activations, *expiries, *(hold.expires_at for hold in account.holds)], default=None)


def _expire_due(posting: Posting, at: datetime) -> None:
    for lot in sorted(posting.lots, key=spending_order):
        if lot.remaining and lot.expires_at is not None and lot.expires_at <= at:
            _expire(posting, lot, at)


def _expire(posting: Posting, lot: Lot, at: datetime) -> None:
    points = lot.remaining
    posting.account.available -= points
    lot.expired += points
    _draw(posting, lot, points, "expiry", posting.account.seq + 1)
    _enter(posting, "expiry", BREAKAGE, -points, at, Source())


def _draw(posting: Posting, lot: Lot, points: int, reason: str, entry_seq: int | None) -> None:
    """Move points out of a lot (or back, when negative) without touching the figures."""
    lot.remaining -= points
    posting.account.draws += 1
    posting.draws.append(Draw(posting.account.draws, lot.seq, entry_seq, points, reason))
    posting.touched[lot.seq] = lot


def _enter(
    posting: Posting, kind: str, counterpart: str, points: int, occurred_at: datetime, source: Source
) -> Entry:
    """Append an entry with the figures as they are now and seal it into the chain."""
    account = posting.account
    account.seq += 1
    figures = account.figures
    sealed = chain.entry_hash(
        {
            "programme_id": account.programme_id,
            "account_id": account.id,
            "seq": account.seq,
            "kind": kind,
            "counterpart": counterpart,
            "points": points,
            "occurred_at": occurred_at,
            "recorded_at": posting.now,
            "balance_after": figures.balance,
            **figures._asdict(),
            "commitment": source.commitment,
            "prev_hash": account.head,
        }
    )
    entry = Entry(
        account.seq,
        kind,
        counterpart,
        points,
        occurred_at,
        posting.now,
        figures,
        source.id,
        source.commitment,
        account.head,
        sealed,
    )
    account.head = sealed
    posting.entries.append(entry)
    return entry


def _pay_debt(posting: Posting, entry_seq: int | None) -> None:
    """Let available points pay debt: whatever becomes available does so before anything else."""
    account = posting.account
    points = min(account.debt, account.available)
    if points:
        _take_active(posting, points, "debt", entry_seq)
        account.debt -= points


def _take_active(
    posting: Posting, points: int, reason: str, entry_seq: int | None, first: Lot | None = None
) -> int:
    """Draw up to `points` available ones, from `first` and then in spending order; returns what was taken."""
    active = [lot for lot in posting.lots if lot.remaining and not posting.is_pending(lot)]
    wanted = points
    for lot in sorted(active, key=lambda lot: (lot is not first, spending_order(lot))):
        if not points:
            break
        part = min(lot.remaining, points)
        _draw(posting, lot, part, reason, entry_seq)
        posting.account.available -= part
        points -= part
    return wanted - points


def _await(account: Account, at: datetime | None) -> None:
    """Something changes at that instant: it is looked at by then."""
    if at and at > account.settled_at and (account.next_change_at is None or at < account.next_change_at):
        account.next_change_at = at


def earn(
    posting: Posting,
    *,
    kind: str,
    counterpart: str,
    points: int,
    occurred_at: datetime,
    activates_at: datetime,
    expires_at: datetime | None,
    source: Source,
) -> Entry | None:
    """Open a lot of `points` (> 0; 0 writes nothing). It pays debt once active, and expires at once if due."""
    if not points:
        return None
    account = posting.account
    lot = Lot(account.seq + 1, points, points, activates_at, expires_at)
    posting.lots.append(lot)
    posting.opened.append(lot)
    if posting.is_pending(lot):
        account.pending += points
    else:
        account.available += points
        _pay_debt(posting, lot.seq)
    entry = _enter(posting, kind, counterpart, points, occurred_at, source)
    _await(account, activates_at)
    _await(account, expires_at)
    if expires_at is not None and expires_at <= posting.now and lot.remaining:
        _expire(posting, lot, expires_at)
    return entry


def reverse(
    posting: Posting, *, own: Lot | None, points: int, overdraw: str, occurred_at: datetime, source: Source
) -> tuple[Entry | None, Taken]:
    """Take `points` (>= 0) back: own pending lot, what expired of it, own open lot, other active lots, overdraw.

    `own` is the lot of the reversed transaction, one of the posting's lots, which must be all open ones.
    `overdraw` is "debt", "within_balance" (the rest is forgiven) or "refuse" (InsufficientPoints).
    """
    account = posting.account
    from_pending = min(own.remaining, points) if own and posting.is_pending(own) else 0
    rest = points - from_pending
    if own:
        # Also where points of the lot live on grace: those stay with the member as long as breakage has others.
        _give_back_expired(posting, own, min(own.expired, rest), occurred_at)
    shortfall = max(rest - account.available, 0)
    if shortfall and overdraw == "refuse":
        raise InsufficientPoints(required=points, available=account.available + from_pending)
    seq = account.seq + 1
    if own and from_pending:
        _draw(posting, own, from_pending, "reversal", seq)
        account.pending -= from_pending
    from_available = _take_active(posting, rest - shortfall, "reversal", seq, own)
    debt, forgiven = (shortfall, 0) if overdraw == "debt" else (0, shortfall)
    account.debt += debt
    taken = Taken(from_pending, from_available, debt, forgiven)
    if points == forgiven:
        return None, taken
    return _enter(posting, "reversal", ISSUANCE, forgiven - points, occurred_at, source), taken


def _give_back_expired(posting: Posting, lot: Lot, points: int, occurred_at: datetime) -> None:
    """Undo breakage of the lot that is being taken back; meant for that alone, it pays no debt on the way."""
    if not points:
        return
    lot.expired -= points
    posting.account.available += points
    _draw(posting, lot, -points, "give_back", posting.account.seq + 1)
    _enter(posting, "give_back", BREAKAGE, points, occurred_at, Source())


def take(
    posting: Posting, *, points: int, occurred_at: datetime, source: Source, may_owe: bool = False
) -> Entry:
    """A negative adjustment of `points` (> 0) from available ones; InsufficientPoints unless debt is chosen."""
    account = posting.account
    shortfall = max(points - account.available, 0)
    if shortfall and not may_owe:
        raise InsufficientPoints(required=points, available=account.available)
    _take_active(posting, points - shortfall, "adjustment", account.seq + 1)
    account.debt += shortfall
    return _enter(posting, "adjustment", ADJUSTMENT, -points, occurred_at, source)


def redeem(
    posting: Posting, *, points: int, occurred_at: datetime, source: Source
) -> tuple[Entry | None, tuple[Part, ...]]:
    """Spend available points on a gift (0 writes nothing); InsufficientPoints. `lots` must be all open ones."""
    parts = _set_aside(posting, points, "redemption", posting.account.seq + 1)
    if not points:
        return None, parts
    return _enter(posting, "redemption", REDEMPTION, -points, occurred_at, source), parts


def hold(
    posting: Posting,
    *,
    id: UUID,
    reference: str,
    points: int,
    expires_at: datetime,
    grace_until: datetime | None,
) -> Hold:
    """Set available points (> 0) aside until `expires_at`, without an entry; InsufficientPoints."""
    parts = _set_aside(posting, points, "hold", None)
    held = Hold(id, reference, points, expires_at, grace_until, parts)
    posting.account.held += points
    posting.account.holds.append(held)
    posting.held.append(held)
    # Also one whose end is past by the account's own clock: the next writer finds it due.
    account = posting.account
    account.next_change_at = min(account.next_change_at or expires_at, expires_at)
    return held


def _set_aside(posting: Posting, points: int, reason: str, entry_seq: int | None) -> tuple[Part, ...]:
    if points > posting.account.available:
        raise InsufficientPoints(required=points, available=posting.account.available)
    before = len(posting.draws)
    _take_active(posting, points, reason, entry_seq)
    by_seq = {lot.seq: lot for lot in posting.lots}
    return tuple(
        Part(draw.lot_seq, draw.points, by_seq[draw.lot_seq].expires_at) for draw in posting.draws[before:]
    )


def confirm(posting: Posting, *, hold: Hold, occurred_at: datetime, source: Source) -> Entry:
    """Spend what an open hold set aside: its points leave the account with an entry."""
    posting.account.holds.remove(hold)
    posting.account.held -= hold.points
    posting.ended.append((hold, "confirmed"))
    return _enter(posting, "redemption", REDEMPTION, -hold.points, occurred_at, source)


def release(posting: Posting, *, hold: Hold, grace_until: datetime | None) -> None:
    """Give an open hold's points back to their lots before it runs out."""
    _end(posting, hold, "released", posting.now, grace_until)


def _end(posting: Posting, hold: Hold, status: str, at: datetime, grace_until: datetime | None) -> None:
    posting.account.holds.remove(hold)
    posting.account.held -= hold.points
    posting.ended.append((hold, status))
    _put_back(posting, hold.parts, "release", None, at, grace_until)
    _pay_debt(posting, None)
    _expire_due(posting, at)


def give_back(
    posting: Posting,
    *,
    kind: str,
    parts: tuple[Part, ...],
    occurred_at: datetime,
    grace_until: datetime | None,
    source: Source,
) -> Entry | None:
    """Give spent points back to the lots they came from, with their old dates; they pay debt first.

    What comes back to a lot that expired since it was drawn lives until `grace_until`; with None it expires at
    once. The posting must know the lots.
    """
    points = sum(part.points for part in parts)
    if not points:
        return None
    seq = posting.account.seq + 1
    _put_back(posting, parts, "give_back", seq, posting.now, grace_until)
    _pay_debt(posting, seq)
    entry = _enter(posting, kind, REDEMPTION, points, occurred_at, source)
    _expire_due(posting, posting.now)
    return entry


def _put_back(
    posting: Posting,
    parts: tuple[Part, ...],
    reason: str,
    entry_seq: int | None,
    at: datetime,
    grace_until: datetime | None,
) -> None:
    by_seq = {lot.seq: lot for lot in posting.lots}
    for part in parts:
        lot = by_seq[part.lot_seq]
        _draw(posting, lot, -part.points, reason, entry_seq)
        posting.account.available += part.points
        if grace_until and lot.expires_at and part.expires_at and part.expires_at <= at:
            lot.expires_at = max(lot.expires_at, grace_until)
        _await(posting.account, lot.expires_at)
