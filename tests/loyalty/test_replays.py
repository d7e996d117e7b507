"""A replay as a job: asked for, run, stopped, failed, run again; only its own row is ever written."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import OperationalError, connection

from config.kernel.errors import RistourneError
from loyalty.errors import ReplayEnded, RuleRefused
from loyalty.models import Replay, Transaction
from loyalty.promotions.drafts import Draft
from loyalty.replay import reading
from loyalty.rules import Cap, PromotionRule
from loyalty.services import (
    promotion_publish,
    replay_again,
    replay_ask,
    replay_cancel,
    replay_draft,
    replay_run,
)
from loyalty.services import replays as replays_service
from members.models import Member, Programme
from members.services import programme_update
from tests.factories import ApiClient
from tests.jobs import RunJobs, run_jobs, waiting  # noqa: F401
from tests.loyalty.worlds import MONDAY, earn, euros, simple_terms
from tests.statements import statements

DAYS = (date(2026, 11, 20), date(2026, 11, 23))
FIVE = Draft("PR-FIVE", PromotionRule("fixed", "5", caps={"budget": Cap(points="12.5")}))


@pytest.fixture
def shop(monday: Any, programme: Programme, till: ApiClient, ada: Member, bob: Member) -> Programme:
    """Four baskets of 10 euros, on Friday and on Monday."""
    programme_update(programme=programme, point_value=Decimal("0.01"))
    programme.refresh_from_db()
    simple_terms(programme)
    for number, (member, at) in enumerate(
        [
            ("10042", "11-20T09:00"),
            ("10043", "11-20T10:00"),
            ("10042", "11-23T09:00"),
            ("10042", "11-23T10:00"),
        ]
    ):
        answer = earn(till, f"R-{number}", member=member, occurred_at=f"2026-{at}:00+01:00", **euros("10.00"))
        assert answer.status_code == 201
    return programme


def ask(programme: Programme, draft: Draft = FIVE, **changes: Any) -> Replay:
    given = {"first_day": DAYS[0], "last_day": DAYS[1], "is_throughout": False, **changes}
    return replay_ask(programme=programme, draft=draft, actor="staff:ada", now=MONDAY, **given)


def all_rows() -> dict[str, Any]:
    """Every table but the replay's own and the queue's."""
    with connection.cursor() as cursor:
        names = [
            name
            for name in connection.introspection.table_names(cursor)
            if name != "loyalty_replay" and not name.startswith("procrastinate_")
        ]
        found = {}
        for name in names:
            cursor.execute(f"SELECT coalesce(json_agg(t ORDER BY t::text)::text, '') FROM \"{name}\" t")
            found[name] = cursor.fetchone()[0]
        return found


def test_it_works(shop: Programme, run_jobs: RunJobs) -> None:  # noqa: F811
    replay = ask(shop)
    assert waiting() == [("loyalty.tasks.replay", {"replay_id": replay.pk})]
    before = all_rows()
    assert run_jobs() == ["loyalty.tasks.replay"]
    assert all_rows() == before
    replay.refresh_from_db()
    assert (replay.status, replay.baskets_found, replay.baskets_read) == ("done", 4, 4)
    found = replay.result
    assert (found["baskets"], found["changed"], found["without"], found["points"]) == (4, 3, 40, 52)
    assert (found["awarded"], found["uses"], found["budget"]) == ("12.5", 3, {"points": "12.5", "uses": None})
    assert (found["members_gain"], found["members_lose"]) == (2, 0)
    assert found["point_value"] == "0.010000"
    assert found["days"] == [
        {"day": "2026-11-20", "baskets": 2, "without": 20, "points": 30, "awarded": "10", "uses": 2},
        {"day": "2026-11-23", "baskets": 2, "without": 20, "points": 22, "awarded": "2.5", "uses": 1},
    ]
    assert [(x["reference"], x["without"], x["points"]) for x in found["top"]] == [
        ("R-0", 10, 15),
        ("R-1", 10, 15),
        ("R-2", 10, 12),
    ]
    assert {x["from"]: x["members"] for x in found["gains"] if x["members"]} == {1: 2}


def test_the_period_is_of_programme_days(shop: Programme) -> None:
    """Both days are in it, whole, on the programme's clock."""
    replay = ask(shop, first_day=DAYS[1])
    assert replays_service.period_of(replay) == (
        datetime(2026, 11, 22, 23, tzinfo=UTC),
        datetime(2026, 11, 23, 23, tzinfo=UTC),
    )
    assert replay_run(replay_id=replay.pk)
    replay.refresh_from_db()
    assert (replay.result["baskets"], replay.result["awarded"]) == (2, "10")


@pytest.mark.parametrize(
    "refused",
    [
        {"last_day": date(2026, 11, 19)},
        {"first_day": date(2019, 1, 1)},
        {"draft": Draft("PR-FIVE", PromotionRule("multiplier", "0.5"))},
    ],
)
def test_refusals(shop: Programme, run_jobs: RunJobs, refused: dict[str, Any]) -> None:  # noqa: F811
    with pytest.raises(RuleRefused):
        ask(shop, **refused)
    assert not Replay.objects.exists()
    assert waiting() == []


def test_another_programmes_baskets_stay_out(shop: Programme, eve: ApiClient) -> None:
    assert eve.partner.programme_id != shop.pk
    simple_terms(eve.partner.programme)
    replay = ask(eve.partner.programme)
    assert replay_run(replay_id=replay.pk)
    replay.refresh_from_db()
    assert (replay.baskets_found, replay.result["baskets"]) == (0, 0)
    assert Transaction.objects.filter(programme=shop).count() == 4


def between(monkeypatch: pytest.MonkeyPatch, does: Any) -> None:
    """Call `does` after the first basket."""
    real = reading.chunks

    def chunks(*given: Any) -> Iterator[Any]:
        for number, chunk in enumerate(real(*given, size=1)):
            if number == 1:
                does()
            yield chunk

    monkeypatch.setattr(reading, "chunks", chunks)


def test_cancelled_while_it_runs(shop: Programme, monkeypatch: pytest.MonkeyPatch) -> None:
    replay = ask(shop)
    between(monkeypatch, lambda: replay_cancel(replay=replay, now=MONDAY))
    assert not replay_run(replay_id=replay.pk)
    replay.refresh_from_db()
    assert (replay.status, replay.result, replay.ended_at) == ("cancelled", None, MONDAY)
    assert replay.baskets_read == 1
    with pytest.raises(ReplayEnded):
        replay_cancel(replay=replay, now=MONDAY)
    assert not replay_run(replay_id=replay.pk)


def test_cancelled_before_it_began(shop: Programme, run_jobs: RunJobs) -> None:  # noqa: F811
    replay = ask(shop)
    replay_cancel(replay=replay, now=MONDAY)
    assert run_jobs() == ["loyalty.tasks.replay"]
    replay.refresh_from_db()
    assert (replay.status, replay.attempt, replay.baskets_read) == ("cancelled", 0, 0)


def test_of_two_workers_the_later_counts(shop: Programme, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first was taken for dead, and was not."""
    replay = ask(shop)
    second = []
    between(monkeypatch, lambda: second or second.append(1) or second.append(replay_run(replay_id=replay.pk)))
    assert not replay_run(replay_id=replay.pk)
    assert second == [1, True]
    replay.refresh_from_db()
    assert (replay.status, replay.attempt, replay.result["points"]) == ("done", 2, 52)


def test_after_a_killed_worker_it_starts_again(shop: Programme, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a worker had found died with it; the next start finds all of it."""
    replay = ask(shop)

    def killed() -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        between(patch, killed)
        with pytest.raises(KeyboardInterrupt):
            replay_run(replay_id=replay.pk)
    replay.refresh_from_db()
    assert (replay.status, replay.baskets_read) == ("running", 1)
    assert replay_run(replay_id=replay.pk)
    replay.refresh_from_db()
    assert (replay.status, replay.attempt, replay.result["points"]) == ("done", 2, 52)


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (ValueError("a secret"), "It stopped unexpectedly (ValueError)"),
        (RistourneError("Clear words."), "Clear words."),
    ],
)
def test_what_goes_wrong_is_told(
    shop: Programme, monkeypatch: pytest.MonkeyPatch, error: Exception, told: str
) -> None:
    replay = ask(shop)

    def fails() -> None:
        raise error

    with monkeypatch.context() as patch:
        between(patch, fails)
        with pytest.raises(type(error)):
            replay_run(replay_id=replay.pk)
    replay.refresh_from_db()
    assert replay.status == "failed"
    assert replay.error.startswith(told)
    assert "secret" not in replay.error
    assert replay.result is None


def test_failed_it_can_be_run_again(
    shop: Programme,
    monkeypatch: pytest.MonkeyPatch,
    run_jobs: RunJobs,  # noqa: F811
) -> None:
    replay = ask(shop)
    Replay.objects.update(status="failed", error="Something.", ended_at=MONDAY, baskets_read=3)
    replay_again(replay=replay, now=MONDAY + timedelta(hours=1))
    replay.refresh_from_db()
    assert (replay.status, replay.error, replay.baskets_read) == ("queued", "", 0)
    run_jobs()
    replay.refresh_from_db()
    assert (replay.status, replay.result["points"]) == ("done", 52)


def test_a_database_that_does_not_answer_is_left_to_the_next_try(
    shop: Programme, monkeypatch: pytest.MonkeyPatch
) -> None:
    replay = ask(shop)

    def fails(*given: Any) -> int:
        raise OperationalError

    with monkeypatch.context() as patch:
        patch.setattr(reading, "count", fails)
        with pytest.raises(OperationalError):
            replay_run(replay_id=replay.pk)
    replay.refresh_from_db()
    assert replay.status == "running"
    assert replay_run(replay_id=replay.pk)


def test_what_a_promotion_says_next_comes_before_what_it_says(shop: Programme) -> None:
    promotion = promotion_publish(
        programme=shop, code="PR-X", name="X", rule=PromotionRule("fixed", "3"), now=MONDAY
    )
    live = replay_draft(promotion, MONDAY)
    assert live is not None
    assert live.rule.value == "3"
    promotion.draft = replays_service.PromotionDraft("X", PromotionRule("fixed", "9")).row("PR-X")
    following = replay_draft(promotion, MONDAY)
    assert following is not None
    assert following.rule.value == "9"
    promotion.draft = None
    promotion.versions.update(is_voided=True)
    assert replay_draft(promotion, MONDAY) is None


def test_a_window_ahead_gives_nothing_unless_throughout(shop: Programme) -> None:
    ahead = Draft("PR-FIVE", PromotionRule("fixed", "5", starts_at=MONDAY + timedelta(days=30)))
    seen = []
    for is_throughout in (False, True):
        replay = ask(shop, ahead, is_throughout=is_throughout)
        replay_run(replay_id=replay.pk)
        replay.refresh_from_db()
        seen.append(replay.result["awarded"])
    assert seen == ["0", "20"]


def test_it_reads_in_chunks_not_basket_by_basket(shop: Programme) -> None:
    """Statements do not grow with the baskets of a chunk; rules are read once."""
    one, four = ask(shop, first_day=DAYS[1]), ask(shop)
    for replay in (one, four):  # rules in memory
        replay_run(replay_id=replay.pk)
        replay_again(replay=replay, now=MONDAY)
    sent = []
    for replay in (one, four):
        with statements() as texts:
            replay_run(replay_id=replay.pk)
        sent.append(len(texts))
    assert sent == [7, 7]  # begun and read; counted and told; a chunk read and told; ended


@pytest.mark.django_db
def test_the_order_of_baskets_comes_from_an_index() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        params = {
            "programme": 1,
            "segments": [],
            "end": MONDAY,
            "after": MONDAY - timedelta(days=30),
            "reference": "",
            "size": 100,
        }
        cursor.execute("EXPLAIN " + reading._CHUNK, params)
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert "transaction_occurred" in plan
    assert "Incremental Sort" in plan
