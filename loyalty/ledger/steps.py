"""The steps that postings are made of. Each keeps the figures, the lots and the rows in step."""

from datetime import datetime

from loyalty import chain
from loyalty.ledger.rows import BREAKAGE, Account, Draw, Entry, Hold, Lot, Part, Posting, Source


def spending_order(lot: Lot) -> tuple[bool, datetime | None, int]:
    """Soonest expiring first, then the one posted first; never-expiring last."""
    return (lot.expires_at is None, lot.expires_at, lot.seq)


def draw(posting: Posting, lot: Lot, points: int, reason: str, entry_seq: int | None) -> None:
    """Move points out of a lot (or back, when negative) without touching the figures."""
    lot.remaining -= points
    posting.account.draws += 1
    posting.draws.append(Draw(posting.account.draws, lot.seq, entry_seq, points, reason))
    posting.touched[lot.seq] = lot


def enter(
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


def pay_debt(posting: Posting, entry_seq: int | None) -> None:
    """Let available points pay debt: whatever becomes available does so before anything else."""
    account = posting.account
    points = min(account.debt, account.available)
    if points:
        take_active(posting, points, "debt", entry_seq)
        account.debt -= points


def take_active(
    posting: Posting, points: int, reason: str, entry_seq: int | None, first: Lot | None = None
) -> int:
    """Draw up to `points` available ones, from `first` and then in spending order; returns what was taken."""
    active = [lot for lot in posting.lots if lot.remaining and not posting.is_pending(lot)]
    wanted = points
    for lot in sorted(active, key=lambda lot: (lot is not first, spending_order(lot))):
        if not points:
            break
        part = min(lot.remaining, points)
        draw(posting, lot, part, reason, entry_seq)
        posting.account.available -= part
        points -= part
    return wanted - points


def look_again_at(account: Account, at: datetime | None) -> None:
    """Something changes at that instant: it is looked at by then."""
    if at and at > account.settled_at and (account.next_change_at is None or at < account.next_change_at):
        account.next_change_at = at


def expire_due(posting: Posting, at: datetime) -> None:
    """Let every lot expire that is due at that instant."""
    for lot in sorted(posting.lots, key=spending_order):
        if lot.remaining and lot.expires_at is not None and lot.expires_at <= at:
            expire(posting, lot, at)


def expire(posting: Posting, lot: Lot, at: datetime) -> None:
    """Send what is left of an active lot to breakage."""
    points = lot.remaining
    posting.account.available -= points
    lot.expired += points
    draw(posting, lot, points, "expiry", posting.account.seq + 1)
    enter(posting, "expiry", BREAKAGE, -points, at, Source())


def end_hold(posting: Posting, hold: Hold, status: str, at: datetime, grace_until: datetime | None) -> None:
    """Give the points of a hold back to their lots; they pay debt, and expire where their lot has."""
    posting.account.holds.remove(hold)
    posting.account.held -= hold.points
    posting.ended.append((hold, status))
    put_back(posting, hold.parts, "release", None, at, grace_until)
    pay_debt(posting, None)
    expire_due(posting, at)


def put_back(
    posting: Posting,
    parts: tuple[Part, ...],
    reason: str,
    entry_seq: int | None,
    at: datetime,
    grace_until: datetime | None,
) -> None:
    """Move points back into the lots they were drawn from; an expired lot lives on until `grace_until`."""
    by_seq = {lot.seq: lot for lot in posting.lots}
    for part in parts:
        lot = by_seq[part.lot_seq]
        draw(posting, lot, -part.points, reason, entry_seq)
        posting.account.available += part.points
        if grace_until and lot.expires_at and part.expires_at and part.expires_at <= at:
            lot.expires_at = max(lot.expires_at, grace_until)
        look_again_at(posting.account, lot.expires_at)
