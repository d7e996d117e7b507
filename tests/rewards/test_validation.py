"""From draft to live: who may do what, and what is shown from when."""

from datetime import timedelta

import pytest

from config.kernel.errors import ValidationFailed
from loyalty.errors import SamePerson
from members.models import Programme
from rewards.errors import IllegalStep
from rewards.models import CatalogueHead, Reward, RewardStep, RewardVersion
from rewards.services import (
    reward_pause,
    reward_resume,
    reward_retire,
    version_request_changes,
    version_schedule,
    version_submit,
    version_validate,
    version_withdraw,
    versions_apply,
)
from rewards.validation import VERSION, Action, Shown, shown_state
from tests.rewards.catalogue import ANN, BEN, NOW, gift, live_gift, revised, validated

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


def states(reward: Reward, now=NOW) -> list[str]:
    reward.refresh_from_db()
    return [
        shown_state(
            gift=reward.state, state=v.state, shown_from=v.shown_from, shown_until=v.shown_until, now=now
        ).value
        for v in reward.versions.order_by("number")
    ]


def head(programme: Programme) -> int:
    return CatalogueHead.objects.get(programme=programme).number


def test_it_works(programme: Programme) -> None:
    reward = gift(programme)
    assert states(reward) == ["draft"]
    validated(reward)
    assert states(reward) == ["live"]
    steps = RewardStep.objects.filter(reward=reward).values_list("action", "state", "actor")
    assert list(steps) == [
        ("draft", "draft", ANN),
        ("submit", "submitted", ANN),
        ("validate", "validated", BEN),
        ("schedule", "live", BEN),
    ]


def test_the_submitter_may_not_validate(programme: Programme) -> None:
    reward = gift(programme)
    version = version_submit(version=reward.versions.get(), actor=ANN, now=NOW)
    with pytest.raises(SamePerson):
        version_validate(version=version, actor=ANN, now=NOW)
    assert states(reward) == ["submitted"]
    assert RewardStep.objects.filter(reward=reward).count() == 2


def test_changes_are_requested_with_a_comment(programme: Programme) -> None:
    reward = gift(programme)
    version = version_submit(version=reward.versions.get(), actor=ANN, now=NOW)
    with pytest.raises(ValidationFailed):
        version_request_changes(version=version, actor=BEN, now=NOW, comment=" ")
    version_request_changes(version=version, actor=BEN, now=NOW, comment="Say which pralines.")
    assert states(reward) == ["changes_requested"]
    assert revised(reward, name={"fr": "Pralines noires"}).number == 1
    validated(reward)
    assert states(reward) == ["live"]


def test_a_change_waits_while_the_validated_version_stays(programme: Programme) -> None:
    reward = live_gift(programme)
    version = revised(reward, points=900)
    assert states(reward) == ["live", "draft"]
    version = version_submit(version=version, actor=ANN, now=NOW)
    assert states(reward) == ["live", "submitted"]
    with pytest.raises(IllegalStep):
        revised(reward, points=800)
    version_validate(version=version, actor=BEN, now=NOW + HOUR)
    assert states(reward, NOW + HOUR) == ["retired", "live"]


def test_a_window_ahead_is_scheduled_and_begins_by_itself(programme: Programme) -> None:
    reward = live_gift(programme)
    revised(reward, points=900, live_from=NOW + 2 * HOUR, live_until=NOW + 4 * HOUR)
    validated(reward)
    assert states(reward) == ["live", "scheduled"]
    assert states(reward, NOW + 2 * HOUR) == ["retired", "live"]
    assert states(reward, NOW + 4 * HOUR) == ["retired", "retired"]


def test_a_scheduled_version_withdrawn_leaves_the_one_before(programme: Programme) -> None:
    reward = live_gift(programme, live_until=NOW + 9 * HOUR)
    revised(reward, live_from=NOW + 2 * HOUR)
    version = validated(reward)
    version_withdraw(version=version, actor=ANN, now=NOW + HOUR)
    assert states(reward, NOW + 3 * HOUR) == ["live", "retired"]
    assert states(reward, NOW + 9 * HOUR) == ["retired", "retired"]


def test_of_two_scheduled_the_first_ends_where_the_second_begins(programme: Programme) -> None:
    reward = live_gift(programme)
    for hours in (4, 2):
        revised(reward, live_from=NOW + hours * HOUR)
        validated(reward)
    assert states(reward) == ["live", "scheduled", "scheduled"]
    assert states(reward, NOW + 3 * HOUR) == ["retired", "scheduled", "live"]
    assert states(reward, NOW + 4 * HOUR) == ["retired", "live", "retired"]


def test_kept_back_then_scheduled(programme: Programme) -> None:
    reward = gift(programme)
    version = validated(reward, goes_live=False)
    assert states(reward) == ["validated"]
    version_schedule(version=version, actor=ANN, now=NOW, at=NOW + HOUR)
    assert (states(reward), states(reward, NOW + HOUR)) == (["scheduled"], ["live"])


def test_a_window_that_is_over_cannot_go_live(programme: Programme) -> None:
    reward = gift(programme, live_until=NOW + HOUR)
    version = version_submit(version=reward.versions.get(), actor=ANN, now=NOW)
    with pytest.raises(ValidationFailed):
        version_validate(version=version, actor=BEN, now=NOW + HOUR)
    assert states(reward) == ["submitted"]


def test_pause_resume_retire(programme: Programme) -> None:
    reward = live_gift(programme)
    number = head(programme)
    reward_pause(reward=reward, actor=ANN, now=NOW, comment="Supplier on strike")
    assert states(reward) == ["paused"]
    with pytest.raises(IllegalStep):
        reward_pause(reward=reward, actor=ANN, now=NOW)
    reward_resume(reward=reward, actor=ANN, now=NOW)
    assert states(reward) == ["live"]
    revised(reward, points=1)
    reward_retire(reward=reward, actor=ANN, now=NOW)
    assert states(reward) == ["retired", "retired"]
    assert head(programme) == number + 3
    with pytest.raises(IllegalStep):
        reward_resume(reward=reward, actor=ANN, now=NOW)
    with pytest.raises(IllegalStep):
        revised(reward)


def test_a_version_validated_while_the_gift_is_paused_waits_for_it(programme: Programme) -> None:
    reward = live_gift(programme)
    reward_pause(reward=reward, actor=ANN, now=NOW)
    revised(reward, points=900)
    validated(reward, at=NOW + HOUR)
    assert states(reward, NOW + HOUR) == ["retired", "paused"]
    reward_resume(reward=reward, actor=ANN, now=NOW + HOUR)
    assert states(reward, NOW + HOUR) == ["retired", "live"]


def test_many_at_once_each_for_itself(programme: Programme) -> None:
    own, other, draft = gift(programme, "A"), gift(programme, "B"), gift(programme, "C")
    for reward, actor in ((own, BEN), (other, ANN)):
        version_submit(version=reward.versions.get(), actor=actor, now=NOW)
    versions = RewardVersion.objects.order_by("reward__code")
    outcomes = versions_apply(versions, lambda one: version_validate(version=one, actor=BEN, now=NOW))
    assert [type(outcome.refusal) for outcome in outcomes] == [SamePerson, type(None), IllegalStep]
    assert [states(reward) for reward in (own, other, draft)] == [["submitted"], ["live"], ["draft"]]


@pytest.mark.parametrize("shown", list(Shown))
def test_steps_that_do_not_follow_are_refused(programme: Programme, shown: Shown) -> None:
    """Each action from each state: what the table has happens, all else is refused and writes nothing."""
    calls = {
        Action.SUBMIT: lambda version: version_submit(version=version, actor=ANN, now=NOW),
        Action.VALIDATE: lambda version: version_validate(version=version, actor=BEN, now=NOW),
        Action.REQUEST_CHANGES: lambda version: version_request_changes(
            version=version, actor=BEN, now=NOW, comment="No"
        ),
        Action.SCHEDULE: lambda version: version_schedule(version=version, actor=ANN, now=NOW),
        Action.WITHDRAW: lambda version: version_withdraw(version=version, actor=ANN, now=NOW),
    }
    for action, call in calls.items():
        reward = gift(programme, f"GFT-{action}", live_from=NOW + HOUR if shown == "scheduled" else None)
        version = _brought_to(reward, shown)
        assert states(reward) == [shown]
        written = RewardStep.objects.filter(reward=reward).count()
        if (shown, action) in VERSION:
            call(version)
        else:
            with pytest.raises(IllegalStep):
                call(version)
            assert (states(reward), RewardStep.objects.filter(reward=reward).count()) == ([shown], written)


def _brought_to(reward: Reward, shown: Shown) -> RewardVersion:
    version = reward.versions.get()
    if shown not in {"draft", "retired"}:
        version_submit(version=version, actor=ANN, now=NOW)
    if shown == "changes_requested":
        version_request_changes(version=version, actor=BEN, now=NOW, comment="No")
    if shown in {"validated", "scheduled", "live", "paused"}:
        version_validate(version=version, actor=BEN, now=NOW, goes_live=shown != "validated")
    if shown == "paused":
        reward_pause(reward=reward, actor=ANN, now=NOW)
    if shown == "retired":
        version_withdraw(version=version, actor=ANN, now=NOW)
    return version
