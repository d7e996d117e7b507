"""Gather for the job that settles: accounts in which something is due."""

from collections.abc import Collection
from datetime import datetime

from config.kernel.sql import rows
from loyalty.gather.columns import LOTS, MEMBER, Holding, holding_of

_DUE = f"""
SELECT c.programme_id, {MEMBER}, {LOTS}
FROM loyalty_account c JOIN members_member m ON m.id = c.id
WHERE c.next_change_at <= %(now)s AND c.id <> ALL(%(passed)s::bigint[])
ORDER BY c.next_change_at LIMIT """


def due(*, now: datetime, size: int, passed: Collection[int]) -> list[Holding]:
    """At most `size` accounts of any programme with a change that is due, without those `passed` (ids)."""
    params = {"now": now, "passed": list(passed), "all_lots": True}
    # The number stands in the text: PostgreSQL does not look into parameters, and would plan for a tenth of all.
    return [holding_of(row[0], row[1:-1], row[-1]) for row in rows(f"{_DUE}{size:d}", params)]
