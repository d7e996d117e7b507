"""The catalogue's number: whatever changes what is shown raises it, in the same database transaction, last."""

from datetime import datetime

from config.kernel.sql import rows
from rewards.models import Reward

_RAISE = """
INSERT INTO rewards_cataloguehead AS head (programme_id, number) VALUES (%(programme)s::bigint, 1)
ON CONFLICT (programme_id) DO UPDATE SET number = head.number + 1 RETURNING number
"""


def catalogue_changed(programme_id: int) -> int:
    """Raise the number, and hold it until the transaction ends: prebuilt feeds of before are past."""
    ((number,),) = rows(_RAISE, {"programme": programme_id})
    return int(number)


def reward_changed(reward: Reward, now: datetime) -> None:
    """What is shown of a gift changed now."""
    reward.revision = catalogue_changed(reward.programme_id)
    reward.changed_at = now
    Reward.objects.filter(pk=reward.pk).update(revision=reward.revision, changed_at=now)
