"""What nobody touches: accounts with a change that is due, and keys that have served their time."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from config.kernel.sql import delete_in_chunks
from loyalty import gather, ledger
from loyalty.apply import Call, Stale, send

CHUNK = 500
KEYS_KEPT = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Settled:
    """How many accounts were settled, and how many somebody else moved meanwhile."""

    accounts: int
    overtaken: int


def accounts_settle(*, now: datetime, limit: int | None = None, chunk: int = CHUNK) -> Settled:
    """Activate, pay debt and expire on accounts whose next change is due, at most `limit` of them.

    Reads without locks and books `chunk` accounts at a time, each only if it did not move meanwhile. One that
    did has been settled by whoever moved it; if it is due again, the next run finds it.
    """
    settled = 0
    overtaken: set[int] = set()
    while limit is None or settled + len(overtaken) < limit:
        size = chunk if limit is None else min(chunk, limit - settled - len(overtaken))
        holdings = gather.due(now=now, size=size, passed=overtaken)
        stale = _settle(holdings, now)
        settled += len(holdings) - len(stale)
        overtaken |= stale
        if len(holdings) < size:
            break
    return Settled(settled, len(overtaken))


def _settle(holdings: list[gather.Holding], now: datetime) -> frozenset[int]:
    """Book what is due on these accounts; the ids of those that moved meanwhile."""
    call = Call(now)
    for holding in holdings:
        if holding.account:
            call.post(ledger.begin(holding.account, holding.lots, now))
    if call.is_empty:
        return frozenset()
    try:
        send(call)
    except Stale as stale:
        if not stale.accounts:
            raise
        return stale.accounts
    return frozenset()


_OLD_KEYS = """
DELETE FROM loyalty_idempotencykey WHERE ctid IN (
    SELECT ctid FROM loyalty_idempotencykey WHERE created_at < %(before)s LIMIT 5000)
RETURNING 1"""


def keys_forget(*, now: datetime) -> int:
    """Forget idempotency keys after 30 days, in chunks; how many there were. References stay for ever."""
    return delete_in_chunks(_OLD_KEYS, {"before": now - KEYS_KEPT})
