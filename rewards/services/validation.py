"""The client's validation: what is submitted, what another person validates, and from when it is shown."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import NamedTuple

from django.db import transaction as db_transaction
from django.db.models import Q

from config.kernel.errors import RistourneError, ValidationFailed
from loyalty.errors import SamePerson
from members.selectors import default_language
from rewards.errors import IllegalStep
from rewards.models import Reward, RewardVersion
from rewards.services.content import check_content, content_of
from rewards.services.head import reward_changed
from rewards.services.steps import locked_reward, step
from rewards.validation import GIFT, VERSION, Action, Shown, Switch, actions, shown_state, switches

State = RewardVersion.State


@db_transaction.atomic
def version_submit(*, version: RewardVersion, actor: str, now: datetime, comment: str = "") -> RewardVersion:
    """Ask the client to validate a draft. Raises IllegalStep, and ValidationFailed for what is not complete."""
    version, shown = _locked(version, now)
    after = _after(shown, Action.SUBMIT)
    check_content(version.reward.programme, content_of(version))
    _check_complete(version, now)
    version.submitted_by, version.submitted_at = actor, now
    version.validated_by, version.validated_at = "", None
    return _moved(version, Action.SUBMIT, after, actor, now, comment)


@db_transaction.atomic
def version_request_changes(
    *, version: RewardVersion, actor: str, now: datetime, comment: str
) -> RewardVersion:
    """Send a submitted version back. Raises IllegalStep, and ValidationFailed without a comment."""
    version, shown = _locked(version, now)
    after = _after(shown, Action.REQUEST_CHANGES)
    if not comment.strip():
        raise ValidationFailed.at("/comment", "missing", "Say what has to change.")
    return _moved(version, Action.REQUEST_CHANGES, after, actor, now, comment)


@db_transaction.atomic
def version_validate(
    *,
    version: RewardVersion,
    actor: str,
    now: datetime,
    comment: str = "",
    goes_live: bool = True,
    live_at: datetime | None = None,
) -> RewardVersion:
    """Validate a submitted version; unless kept back, it goes live at once, at `live_at` or when its window begins,
    whichever is last.

    Raises IllegalStep, SamePerson for who submitted it, and ValidationFailed when its window is over.
    """
    version, shown = _locked(version, now)
    after = _after(shown, Action.VALIDATE)
    if actor == version.submitted_by:
        raise SamePerson("Who submitted a version does not validate it.")
    version.validated_by, version.validated_at = actor, now
    _moved(version, Action.VALIDATE, after, actor, now, comment)
    return _schedule(version, live_at, actor, now) if goes_live else version


@db_transaction.atomic
def version_schedule(
    *, version: RewardVersion, actor: str, now: datetime, at: datetime | None = None
) -> RewardVersion:
    """Let a validated version go live at an instant, at once without one; never before its own window.

    Raises IllegalStep, and ValidationFailed when its window is over by then.
    """
    version, shown = _locked(version, now)
    _after(shown, Action.SCHEDULE)
    return _schedule(version, at, actor, now)


@db_transaction.atomic
def version_withdraw(
    *, version: RewardVersion, actor: str, now: datetime, comment: str = ""
) -> RewardVersion:
    """Give up a version that is not shown yet; the one it would have replaced goes on. Raises IllegalStep."""
    version, shown = _locked(version, now)
    after = _after(shown, Action.WITHDRAW)
    freed = (version.shown_from, version.shown_until) if shown == Shown.SCHEDULED else None
    version.shown_from = version.shown_until = None
    _moved(version, Action.WITHDRAW, after, actor, now, comment)
    if freed:
        _extend(version.reward, *freed)
        reward_changed(version.reward, now)
    return version


def reward_pause(*, reward: Reward, actor: str, now: datetime, comment: str = "") -> Reward:
    """Show the gift no more until it is resumed. Raises IllegalStep."""
    return _turn(reward, Switch.PAUSE, actor, now, comment)


def reward_resume(*, reward: Reward, actor: str, now: datetime, comment: str = "") -> Reward:
    """Show the version that is due now again. Raises IllegalStep."""
    return _turn(reward, Switch.RESUME, actor, now, comment)


def reward_retire(*, reward: Reward, actor: str, now: datetime, comment: str = "") -> Reward:
    """Show the gift never again; what waits for validation is given up. Raises IllegalStep."""
    return _turn(reward, Switch.RETIRE, actor, now, comment)


class Outcome(NamedTuple):
    """What became of one version of many: the refusal, or None."""

    version: RewardVersion
    refusal: RistourneError | None


def versions_apply(
    versions: Iterable[RewardVersion], action: Callable[[RewardVersion], RewardVersion]
) -> list[Outcome]:
    """Do one thing to many versions, each for itself: one that is refused stops no other."""
    outcomes = []
    for version in versions:
        try:
            outcomes.append(Outcome(action(version), None))
        except RistourneError as refusal:
            outcomes.append(Outcome(version, refusal))
    return outcomes


def _locked(version: RewardVersion, now: datetime) -> tuple[RewardVersion, Shown]:
    """The version as it is and what it is called now; its gift is held, so that decisions wait for each other."""
    reward = locked_reward(version.reward)
    version = reward.versions.get(pk=version.pk)
    version.reward = reward
    span = {"shown_from": version.shown_from, "shown_until": version.shown_until}
    return version, shown_state(gift=reward.state, state=version.state, now=now, **span)


def _after(shown: Shown, action: Action) -> str:
    after = VERSION.get((shown, action))
    if after is None:
        words = shown.replace("_", " ")
        raise IllegalStep(f"The version is {words}.", allowed=actions(shown))
    return after


def _check_complete(version: RewardVersion, now: datetime) -> None:
    language = default_language(version.programme)
    if not version.name.get(language):
        raise ValidationFailed.at(f"/name/{language}", "missing", "The name in the default language.")
    _check_window(version, now)


def _check_window(version: RewardVersion, start: datetime) -> None:
    if version.live_until is not None and version.live_until <= start:
        raise ValidationFailed.at("/live_until", "in_the_past", "Its window would be over.")


def _moved(
    version: RewardVersion, action: Action, state: str, actor: str, now: datetime, comment: str
) -> RewardVersion:
    version.state = state
    version.save(
        update_fields=[
            *("state", "shown_from", "shown_until"),
            *("submitted_by", "submitted_at", "validated_by", "validated_at"),
        ]
    )
    step(version.reward, version, action, state, actor, now, comment)
    return version


def _schedule(version: RewardVersion, at: datetime | None, actor: str, now: datetime) -> RewardVersion:
    """Give the version its span: it replaces what is shown at its start, and ends where the next one starts."""
    start = max(instant for instant in (now, at, version.live_from) if instant)
    _check_window(version, start)
    live = version.reward.versions.filter(state=State.LIVE)
    live.filter(Q(shown_until=None) | Q(shown_until__gt=start), shown_from__lte=start).update(
        shown_until=start
    )
    following = live.filter(shown_from__gt=start).order_by("shown_from").first()
    ends = [end for end in (version.live_until, following and following.shown_from) if end]
    version.shown_from, version.shown_until = start, min(ends, default=None)
    _moved(version, Action.SCHEDULE, State.LIVE, actor, now, "")
    reward_changed(version.reward, now)
    return version


def _extend(reward: Reward, start: datetime | None, until: datetime | None) -> None:
    """Let the version that was cut at `start` go on until `until`, or the end of its own window."""
    cut = reward.versions.filter(state=State.LIVE, shown_until=start).exclude(live_until=start)
    before = cut.order_by("-shown_from", "-number").first()
    if before is not None:
        ends = [end for end in (before.live_until, until) if end]
        reward.versions.filter(pk=before.pk).update(shown_until=min(ends, default=None))


@db_transaction.atomic
def _turn(reward: Reward, switch: Switch, actor: str, now: datetime, comment: str) -> Reward:
    reward = locked_reward(reward)
    after = GIFT.get((reward.state, switch))
    if after is None:
        raise IllegalStep(f"The gift is {reward.state}.", allowed=switches(reward.state))
    reward.state = after
    reward.save(update_fields=["state"])
    if switch is Switch.RETIRE:
        for version in reward.versions.filter(state__in=RewardVersion.OPEN):
            version.reward = reward
            _moved(version, Action.WITHDRAW, State.RETIRED, actor, now, "The gift is retired.")
    step(reward, None, switch, after, actor, now, comment)
    reward_changed(reward, now)
    return reward
