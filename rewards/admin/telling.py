"""What the pages of the catalogue call things: states, names, and who did what."""

from collections.abc import Iterable
from typing import Any

from django.urls import reverse
from django.utils import timezone

from config.kernel.texts import Spoken, name_for_staff
from members.models import Partner, Programme
from members.selectors import languages_of
from rewards.models import Redemption, Reward, RewardVersion
from rewards.validation import Shown, shown_state

STATES = {
    "Draft": "default",
    "Submitted": "warning",
    "Changes requested": "danger",
    "Validated": "info",
    "Scheduled": "info",
    "Live": "success",
    "Paused": "warning",
    "Retired": "default",
}


ACTIONS = {
    "draft": "Draft begun",
    "edit": "Draft changed",
    "submit": "Submitted",
    "validate": "Validated",
    "request_changes": "Changes requested",
    "schedule": "Given its time",
    "withdraw": "Given up",
    "pause": "Paused",
    "resume": "Shown again",
    "retire": "Retired",
    "stock": "Stock set",
    "limits": "Limits changed",
    "price": "Promotional price",
}
"""What the steps of a gift say."""


def state_of(reward: Reward, version: RewardVersion) -> str:
    """What a version is called now, as a label says it."""
    return shown_now(reward, version).replace("_", " ").capitalize()


def shown_now(reward: Reward, version: RewardVersion) -> Shown:
    """What a version is called now."""
    return shown_state(
        gift=reward.state,
        state=version.state,
        shown_from=version.shown_from,
        shown_until=version.shown_until,
        now=timezone.now(),
    )


def spoken(programme: Programme) -> tuple[Spoken, ...]:
    """The languages of a programme."""
    return tuple(Spoken(row.code, row.fallback, row.is_default) for row in languages_of(programme))


def name_of(version: RewardVersion, row: Reward | Redemption) -> str:
    """What staff call a gift: its name in the default language, else in any; `row` has its programme at hand."""
    return name_for_staff(version.name, spoken(row.programme))


def gift_url(reward: Reward) -> str:
    """The page of a gift."""
    return reverse("admin:rewards_reward_change", args=[reward.pk])


def actor_names(actors: Iterable[str]) -> dict[str, str]:
    """What staff call who acted: their own names, the names of partners instead of client ids."""
    actors = set(actors)
    clients = [actor.removeprefix("partner:") for actor in actors if actor.startswith("partner:")]
    partners = dict(Partner.objects.filter(client_id__in=clients).values_list("client_id", "name"))
    names = dict[str, str]()
    for actor in actors:
        kind, _, name = actor.partition(":")
        names[actor] = partners.get(name, name) if kind == "partner" else name or kind
    return names


def steps_told(steps: Iterable[Any]) -> list[dict[str, Any]]:
    """The steps of a gift as its pages list them."""
    steps = list(steps)
    names = actor_names(step.actor for step in steps)
    return [
        {"step": step, "who": names[step.actor], "what": ACTIONS.get(step.action, step.action)}
        for step in steps
    ]
