"""Members as the offers of gifts see them."""

from datetime import datetime

from config.kernel.sql import rows
from loyalty.selectors import Snapshot, settled, snapshot_of
from members.models import Member, Programme
from rewards.eligibility import Taker
from rewards.lifecycle import UNDONE
from rewards.offers import prices_open_to

_TAKEN = """
SELECT x.reward_id, sum(x.quantity)::bigint, coalesce(sum(x.quantity) FILTER (
    WHERE x.recorded_at >= date_trunc(r.period, %(now)s AT TIME ZONE p.time_zone) AT TIME ZONE p.time_zone),
    0)::bigint
FROM rewards_redemption x
JOIN rewards_reward r ON r.id = x.reward_id
JOIN members_programme p ON p.id = x.programme_id
WHERE x.member_id = %(member)s::bigint AND x.status <> ALL (%(undone)s)
    AND NOT (x.status = 'reserved' AND x.reserved_until <= %(now)s)
GROUP BY x.reward_id
"""


def taker_of(programme: Programme, number: str, now: datetime) -> Taker:
    """A member as offers see them. NotFound."""
    return taker_in(snapshot_of(programme.pk, number, now))


def taker_in(member: Snapshot) -> Taker:
    """As `taker_of`, from what was read of the member already."""
    person, now = member.person, member.now
    taken = rows(_TAKEN, {"member": person.id, "now": now, "undone": sorted(UNDONE)})
    return Taker(
        is_active=person.status == Member.Status.ACTIVE,
        tier=person.tier or "",
        segments=member.segments,
        available=settled(member.holding, member.programme_id, now).available,
        taken={reward: ever for reward, ever, _ in taken},
        taken_in_period={reward: lately for reward, _, lately in taken},
        prices=prices_open_to(member),
    )
