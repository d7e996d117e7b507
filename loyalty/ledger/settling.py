"""An account brought up to an instant: what activated, what expired, which holds ran out."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from loyalty.ledger.rows import Account, Lot, Posting
from loyalty.ledger.steps import end_hold, expire, expire_due, pay_debt, spending_order


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


def forfeit(posting: Posting) -> None:
    """End every hold and send all that is left, active or pending, to breakage; debt stays.

    The posting must know all open lots and those of the holds.
    """
    account = posting.account
    for hold in list(account.holds):
        end_hold(posting, hold, "released", posting.now, None)
    for lot in sorted(posting.lots, key=spending_order):
        if posting.is_pending(lot):
            account.pending -= lot.remaining
            account.available += lot.remaining
        if lot.remaining:
            expire(posting, lot, posting.now)
    account.next_change_at = None


def is_due(account: Account, now: datetime) -> bool:
    """Whether a lot of the account activated or expired, or a hold ran out, since it was last settled."""
    return account.next_change_at is not None and account.next_change_at <= now


def _settle(posting: Posting) -> None:
    """Run activations, payments of debt, expiries and ends of holds up to now, in time order and in this one."""
    account = posting.account
    if is_due(account, posting.now):
        while (at := _next_change(posting)) is not None and at <= posting.now:
            _activate(posting, at)
            expire_due(posting, at)
            for hold in [hold for hold in account.holds if hold.expires_at <= at]:
                end_hold(posting, hold, "lapsed", at, hold.grace_until)
        account.next_change_at = _next_change(posting)
    account.settled_at = posting.now


def _activate(posting: Posting, at: datetime) -> None:
    account = posting.account
    arrived = sum(lot.remaining for lot in posting.lots if posting.is_pending(lot) and lot.activates_at <= at)
    account.pending -= arrived
    account.available += arrived
    account.settled_at = max(at, account.settled_at)
    pay_debt(posting, None)


def _next_change(posting: Posting) -> datetime | None:
    """The next instant at which something changes, overdue ones first."""
    account = posting.account
    activations = [lot.activates_at for lot in posting.lots if lot.remaining and posting.is_pending(lot)]
    expiries = [lot.expires_at for lot in posting.lots if lot.remaining and lot.expires_at]
    return min([*activations, *expiries, *(hold.expires_at for hold in account.holds)], default=None)
