"""Whatever is edited, submitted, validated, scheduled, paused or withdrawn: the feed shows what was validated.

A model with nothing but dictionaries follows the same steps and says at every instant what may be seen.
"""

import contextlib
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from config.kernel.errors import RistourneError
from members.models import Programme
from rewards import shelf
from rewards.models import Reward, RewardVersion
from rewards.services import (
    reward_pause,
    reward_resume,
    reward_retire,
    reward_revise,
    version_request_changes,
    version_schedule,
    version_submit,
    version_validate,
    version_withdraw,
)
from tests.factories import ApiClient
from tests.rewards.catalogue import ANN, BASE, BEN, NOW, gift

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)

STEPS = st.one_of(
    st.tuples(
        st.just("revise"), st.integers(1, 999), st.none() | st.integers(-2, 6), st.none() | st.integers(1, 9)
    ),
    st.tuples(
        st.sampled_from(
            [
                *("submit", "validate", "validate", "keep", "schedule", "changes", "withdraw", "same_person"),
                *("pause", "resume", "retire", "wait", "wait"),
            ]
        ),
        st.integers(0, 4),
    ),
)


class Twin:
    """What may be seen of one gift: `approved` are (start, end of its window, points) in order of approval."""

    def __init__(self) -> None:
        self.approved: list[tuple[datetime, datetime | None, int, int]] = []
        self.switch = "active"

    def points(self, now: datetime) -> int | None:
        if self.switch != "active":
            return None
        begun = [row for row in self.approved if row[0] <= now]
        if not begun:
            return None
        # Of those that began, the latest; of those that began together, the one approved last.
        _, end, points, _ = max(begun, key=lambda row: (row[0], self.approved.index(row)))
        return points if end is None or now < end else None


def step(reward: Reward, twin: Twin, move: tuple, now: datetime) -> None:
    """One step on the gift, and on its twin if it was not refused."""
    version = RewardVersion.objects.filter(reward=reward).order_by("-number").first()
    name, number = move[0], move[1]
    if name == "revise":
        start = None if move[2] is None else now + move[2] * HOUR
        end = None if move[3] is None else (start or now) + move[3] * HOUR
        content = replace(BASE, points=number, live_from=start, live_until=end)
        reward_revise(reward=reward, content=content, actor=ANN, now=now)
    elif name == "submit":
        version_submit(version=version, actor=ANN, now=now)
    elif name == "changes":
        version_request_changes(version=version, actor=BEN, now=now, comment="No")
    elif name in {"pause", "resume", "retire"}:
        turns = {"pause": reward_pause, "resume": reward_resume, "retire": reward_retire}
        turns[name](reward=reward, actor=ANN, now=now)
        twin.switch = {"pause": "paused", "resume": "active", "retire": "retired"}[name]
    elif name == "withdraw":
        version_withdraw(version=version, actor=ANN, now=now)
        twin.approved = [row for row in twin.approved if row[3] != version.pk]
    elif name == "same_person":
        version_validate(version=version, actor=version.submitted_by or ANN, now=now)
        raise AssertionError("the submitter validated")
    elif name == "keep":
        version_validate(version=version, actor=BEN, now=now, goes_live=False)
    elif name in {"validate", "schedule"}:
        at = now + number * HOUR if name == "schedule" else None
        if name == "validate":
            version = version_validate(version=version, actor=BEN, now=now)
        else:
            version = version_schedule(version=version, actor=ANN, now=now, at=at)
        start = max(instant for instant in (now, at, version.live_from) if instant)
        twin.approved.append((start, version.live_until, version.points, version.pk))


def seen(client: ApiClient) -> int | None:
    items = client.get("/api/v1/gifts").json()["items"]
    return items[0]["points"] if items else None


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(moves=st.lists(STEPS, min_size=6, max_size=28))
def test_nothing_unvalidated_is_ever_seen(till: ApiClient, programme: Programme, moves: list[Any]) -> None:
    follow(till, programme, moves)


def follow(till: ApiClient, programme: Programme, moves: list[Any]) -> None:
    """A gift through these moves: after each one the feed shows what its twin says."""
    Reward.objects.filter(programme=programme).exclude(state="retired").update(state="retired")
    with time_machine.travel(NOW, tick=False) as clock:
        now = NOW
        reward = gift(programme, f"G-{Reward.objects.count()}", points=10_000)
        # The database raises the number for no plain update: what was retired above is forgotten here.
        reward_pause(reward=reward, actor=ANN, now=now)
        reward_resume(reward=reward, actor=ANN, now=now)
        twin = Twin()
        for move in moves:
            if move[0] == "wait":
                now += move[1] * HOUR / 2
                clock.move_to(now)
            else:
                with contextlib.suppress(RistourneError):
                    step(reward, twin, move, now)
            assert seen(till) == twin.points(now), (move, twin.approved)


@pytest.mark.parametrize(
    ("part", "instead", "moves"),
    [
        ("r.state = 'active' AND ", "", [("submit", 0), ("validate", 0), ("pause", 0)]),
        (
            "shown_from <= %(now)s",
            "shown_from IS NOT NULL",
            [("revise", 7, 4, None), ("submit", 0), ("validate", 0)],
        ),
        (
            " AND (v.shown_until IS NULL OR v.shown_until > %(now)s)",
            "",
            [("revise", 7, None, 1), ("submit", 0), ("validate", 0), ("wait", 4)],
        ),
    ],
    ids=["paused", "not yet", "over"],
)
def test_a_query_that_shows_more_is_found_out(
    till: ApiClient,
    programme: Programme,
    monkeypatch: pytest.MonkeyPatch,
    part: str,
    instead: str,
    moves: list[Any],
) -> None:
    """The negative control: without one of its conditions the query fails where the right one holds."""
    assert part in shelf._GIFTS
    with monkeypatch.context() as broken:
        broken.setattr(shelf, "_GIFTS", shelf._GIFTS.replace(part, instead))
        with pytest.raises(AssertionError) as failed:
            follow(till, programme, moves)
    assert moves[-1][0] in str(failed.value)
    follow(till, programme, moves)
