"""Gather what a decision about tiers alone needs, for one member or many in one query."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from msgspec import structs

from config.kernel.errors import NotFound
from config.kernel.sql import rows
from loyalty.gather.columns import (
    HEAD,
    HEAD_END,
    MEMBER,
    MEMBER_SIZE,
    TIERS,
    Head,
    Holding,
    TierAsk,
    base_params,
    head_of,
    holding_of,
    stands_decoder,
)
from loyalty.ledger import Account
from loyalty.rulesets import latest, timeline
from loyalty.tiers import Progress, Scheme

_STANDINGS = f"""
SELECT 1, {HEAD}, {MEMBER}, {TIERS.format(lead="true", day="%(today)s::date")}
FROM members_programme p
JOIN members_member m ON m.programme_id = p.id AND m.id = ANY(%(members)s::bigint[]) AND m.status <> 'erased'
LEFT JOIN loyalty_ruleshead h ON h.programme_id = p.id
LEFT JOIN loyalty_account c ON c.id = m.id
WHERE p.id = %(programme)s ORDER BY m.id
"""


@dataclass(frozen=True, slots=True)
class StandingContext:
    """A member with account and, where tiers are earned, what is known of the tier."""

    head: Head
    holding: Holding
    progress: Progress | None

    def account(self, now: datetime) -> Account:
        """The account, an empty one before the first posting."""
        person = self.holding.person
        if person is None:
            raise NotFound
        return self.holding.account or Account(person.id, self.head.programme_id, settled_at=now)


def standings(programme_id: int, members: Sequence[int], now: datetime) -> list[StandingContext]:
    """The programme's members of these ids, in the order of their ids; unknown and erased ones are left out."""
    known = latest(programme_id)
    while True:
        found = standings_under(known.tiers if known else None, programme_id, members, now)
        if not found:
            return []
        version = found[0].head.rules_version
        if known is not None and known.version == version:
            return found
        known = timeline(programme_id, version)


def standings_under(
    scheme: Scheme | None, programme_id: int, members: Sequence[int], now: datetime
) -> list[StandingContext]:
    """As `standings`, with the tier rules known: one query, without the programme's other rules."""
    tiers = structs.asdict(TierAsk.of(scheme, now))
    found = rows(_STANDINGS, base_params(programme_id, now, None) | tiers | {"members": list(members)})
    return [_context(programme_id, row, scheme) for row in found]


def _context(programme_id: int, row: tuple[Any, ...], scheme: Scheme | None) -> StandingContext:
    stands = stands_decoder.decode(row[-1]) if row[-1] else None
    return StandingContext(
        head_of(programme_id, row),
        holding_of(programme_id, row[HEAD_END : HEAD_END + MEMBER_SIZE], None),
        stands.progress(scheme) if stands and scheme else None,
    )
