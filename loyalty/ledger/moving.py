"""Points that come in or are taken back: earns, returns, adjustments."""

from datetime import datetime

from loyalty.errors import InsufficientPoints
from loyalty.ledger.rows import ADJUSTMENT, BREAKAGE, ISSUANCE, Entry, Lot, Posting, Source, Taken
from loyalty.ledger.steps import draw, enter, expire, look_again_at, pay_debt, take_active


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
        pay_debt(posting, lot.seq)
    entry = enter(posting, kind, counterpart, points, occurred_at, source)
    look_again_at(account, activates_at)
    look_again_at(account, expires_at)
    if expires_at is not None and expires_at <= posting.now and lot.remaining:
        expire(posting, lot, expires_at)
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
        draw(posting, own, from_pending, "reversal", seq)
        account.pending -= from_pending
    from_available = take_active(posting, rest - shortfall, "reversal", seq, own)
    debt, forgiven = (shortfall, 0) if overdraw == "debt" else (0, shortfall)
    account.debt += debt
    taken = Taken(from_pending, from_available, debt, forgiven)
    if points == forgiven:
        return None, taken
    return enter(posting, "reversal", ISSUANCE, forgiven - points, occurred_at, source), taken


def _give_back_expired(posting: Posting, lot: Lot, points: int, occurred_at: datetime) -> None:
    """Undo breakage of the lot that is being taken back; meant for that alone, it pays no debt on the way."""
    if not points:
        return
    lot.expired -= points
    posting.account.available += points
    draw(posting, lot, -points, "give_back", posting.account.seq + 1)
    enter(posting, "give_back", BREAKAGE, points, occurred_at, Source())


def take(
    posting: Posting, *, points: int, occurred_at: datetime, source: Source, may_owe: bool = False
) -> Entry:
    """A negative adjustment of `points` (> 0) from available ones; InsufficientPoints unless debt is chosen."""
    account = posting.account
    shortfall = max(points - account.available, 0)
    if shortfall and not may_owe:
        raise InsufficientPoints(required=points, available=account.available)
    take_active(posting, points - shortfall, "adjustment", account.seq + 1)
    account.debt += shortfall
    return enter(posting, "adjustment", ADJUSTMENT, -points, occurred_at, source)
