"""What every decision about a gift shares: the lock, and the row that says who decided."""

from datetime import datetime

from rewards.models import Reward, RewardStep, RewardVersion

SYSTEM = "system"
"""Who acts where nobody is named."""


def locked_reward(reward: Reward) -> Reward:
    """The gift as it is, held until the transaction ends; it comes before the catalogue's number."""
    return Reward.objects.select_for_update(of=("self",)).select_related("programme").get(pk=reward.pk)


def step(
    reward: Reward,
    version: RewardVersion | None,
    action: str,
    state: str,
    actor: str,
    now: datetime,
    comment: str = "",
) -> None:
    """Write down who did what, when, and why."""
    RewardStep.objects.create(
        programme_id=reward.programme_id,
        reward=reward,
        version=version,
        action=action,
        state=state,
        actor=actor,
        at=now,
        comment=comment.strip(),
    )
