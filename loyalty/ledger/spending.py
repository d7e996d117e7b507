"""Points for gifts: spent, set aside and given back to the lots they came from."""

from datetime import datetime
from uuid import UUID

from loyalty.errors import InsufficientPoints
from loyalty.ledger.rows import REDEMPTION, Entry, Hold, Part, Posting, Source
from loyalty.ledger.steps import end_hold, enter, expire_due, pay_debt, put_back, take_active


def redeem(
    posting: Posting, *, points: int, occurred_at: datetime, source: Source
) -> tuple[Entry | None, tuple[Part, ...]]:
    """Spend available points on a gift (0 writes nothing); InsufficientPoints. `lots` must be all open ones."""
    parts = _set_aside(posting, points, "redemption", posting.account.seq + 1)
    if not points:
        return None, parts
    return enter(posting, "redemption", REDEMPTION, -points, occurred_at, source), parts


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
    take_active(posting, points, reason, entry_seq)
    by_seq = {lot.seq: lot for lot in posting.lots}
    return tuple(
        Part(draw.lot_seq, draw.points, by_seq[draw.lot_seq].expires_at) for draw in posting.draws[before:]
    )


def confirm(posting: Posting, *, hold: Hold, occurred_at: datetime, source: Source) -> Entry:
    """Spend what an open hold set aside: its points leave the account with an entry."""
    posting.account.holds.remove(hold)
    posting.account.held -= hold.points
    posting.ended.append((hold, "confirmed"))
    return enter(posting, "redemption", REDEMPTION, -hold.points, occurred_at, source)


def release(posting: Posting, *, hold: Hold, grace_until: datetime | None) -> None:
    """Give an open hold's points back to their lots before it runs out."""
    end_hold(posting, hold, "released", posting.now, grace_until)


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
    put_back(posting, parts, "give_back", seq, posting.now, grace_until)
    pay_debt(posting, seq)
    entry = enter(posting, kind, REDEMPTION, points, occurred_at, source)
    expire_due(posting, posting.now)
    return entry
