"""The queue: what is enqueued runs exactly when its transaction committed; failing, repeating, forgetting."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.db import connection, transaction
from oauth2_provider.models import get_access_token_model
from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob
from procrastinate.jobs import Job

from config.kernel import jobs
from config.kernel.errors import NotFound, TemporarilyUnavailable
from config.tasks import sessions_clear, stalled_jobs_retry
from loyalty.models import IdempotencyKey
from loyalty.services import keys_forget
from loyalty.services.settling import KEYS_KEPT
from loyalty.tasks import old_keys_forget
from members.models import Programme
from members.tasks import expired_tokens_clear
from tests.factories import ApiClient, token_of
from tests.fixtures import nothing_remembered, programme  # noqa: F401
from tests.jobs import RunJobs, run_jobs, waiting  # noqa: F401

pytestmark = pytest.mark.django_db

SETTLE = "loyalty.tasks.idle_accounts_settle"


def job(**fields: Any) -> Job:
    common: dict[str, Any] = {"id": 1, "queue": "default", "lock": None, "queueing_lock": None}
    return Job(**{**common, "task_name": "x", "task_kwargs": {}, "attempts": 0, **fields})


def settle(timestamp: int = 1) -> int:
    return app.configure_task(SETTLE).defer(timestamp=timestamp)


def statuses() -> list[tuple[str, int]]:
    return list(ProcrastinateJob.objects.order_by("id").values_list("status", "attempts"))


def claim(silent: int | None = None) -> None:
    """All waiting jobs are with a worker last heard of `silent` seconds ago; None: with one that is forgotten."""
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH w AS (INSERT INTO procrastinate_workers (last_heartbeat)"
            " SELECT now() - make_interval(secs => %(silent)s) WHERE %(silent)s::int IS NOT NULL RETURNING id)"
            " UPDATE procrastinate_jobs SET status = 'doing', worker_id = (SELECT id FROM w) WHERE status = 'todo'",
            {"silent": silent},
        )


def test_a_job_runs_once(run_jobs: RunJobs) -> None:  # noqa: F811
    settle()
    assert waiting() == [(SETTLE, {"timestamp": 1})]
    assert run_jobs() == [SETTLE]
    assert run_jobs() == []
    assert statuses() == [("succeeded", 1)]


def test_a_job_exists_only_if_its_transaction_commits(run_jobs: RunJobs) -> None:  # noqa: F811
    with transaction.atomic():
        settle()
        transaction.set_rollback(True)
    assert waiting() == []


def test_every_periodic_task_has_a_queueing_lock_and_no_retries() -> None:
    periodic = [entry.task for entry in app.periodic_registry.periodic_tasks.values()]
    assert {SETTLE, "config.tasks.stalled_jobs_retry"} <= {task.name for task in periodic}
    assert [task.name for task in periodic if not task.queueing_lock or task.retry_strategy] == []


def test_every_other_task_is_repeated() -> None:
    periodic = {entry.task.name for entry in app.periodic_registry.periodic_tasks.values()}
    once = [name for name, task in app.tasks.items() if task.retry_strategy is None]
    assert [name for name in once if name not in periodic and "remove_old_jobs" not in name] == []


def test_waits_grow_and_end() -> None:
    waits = []
    for attempts in range(6):
        decision = jobs.RETRIES.get_retry_decision(exception=OSError(), job=job(attempts=attempts))
        waits.append(decision and round((decision.retry_at - datetime.now(UTC)).total_seconds()))
    assert waits == [4, 16, 64, 256, None, None]


def test_what_repeating_cannot_change_is_not_repeated() -> None:
    decide = jobs.RETRIES.get_retry_decision
    assert decide(exception=NotFound(), job=job()) is None
    assert decide(exception=TemporarilyUnavailable(), job=job()) is not None
    assert decide(exception=OSError(), job=job(queueing_lock="x")) is None


@pytest.mark.parametrize("silent", [None, 31])
def test_jobs_of_dead_workers_are_queued_again(run_jobs: RunJobs, silent: int | None) -> None:  # noqa: F811
    settle()
    claim(silent)
    assert run_jobs() == []
    stalled_jobs_retry(timestamp=1)
    assert statuses() == [("todo", 1)]
    assert run_jobs() == [SETTLE]


def test_jobs_of_living_workers_are_left_alone(run_jobs: RunJobs) -> None:  # noqa: F811
    settle()
    claim(20)
    assert jobs.stalled_retry() == 0
    assert statuses() == [("doing", 0)]


def test_a_job_that_killed_five_workers_fails(run_jobs: RunJobs) -> None:  # noqa: F811
    settle()
    for _ in range(5):
        claim()
        jobs.stalled_retry()
    assert statuses() == [("failed", 5)]


def test_a_dead_job_whose_next_turn_waits_gives_way(run_jobs: RunJobs) -> None:  # noqa: F811
    settle()
    claim()
    settle(timestamp=2)
    jobs.stalled_retry()
    assert statuses() == [("failed", 1), ("todo", 0)]
    assert run_jobs() == [SETTLE]


def test_finished_jobs_are_forgotten(run_jobs: RunJobs) -> None:  # noqa: F811
    for number, status in enumerate(("succeeded", "succeeded", "failed", "failed")):
        settle()
        with connection.cursor() as cursor:
            days = (2, 4, 29, 31)[number]
            cursor.execute(f"UPDATE procrastinate_jobs SET status = '{status}' WHERE status = 'todo'")
            cursor.execute(
                f"UPDATE procrastinate_events SET at = now() - interval '{days} days'"
                " WHERE at > now() - interval '1 day'"
            )
    settle()
    assert jobs.finished_remove() == 2
    assert [status for status, _ in statuses()] == ["succeeded", "failed", "todo"]


def test_keys_are_forgotten_after_thirty_days(programme: Programme) -> None:  # noqa: F811
    now = datetime.now(UTC)
    for number, age in enumerate((KEYS_KEPT + timedelta(seconds=1), KEYS_KEPT - timedelta(minutes=1))):
        IdempotencyKey.objects.create(
            partner_id=1, key=f"k{number}", programme=programme, fingerprint=bytes(32), created_at=now - age
        )
    old_keys_forget(timestamp=1)
    assert [key.key for key in IdempotencyKey.objects.all()] == ["k1"]
    assert keys_forget(now=now) == 0


def test_expired_tokens_are_forgotten(programme: Programme) -> None:  # noqa: F811
    client = ApiClient(programme)
    kept = token_of(client.partner, lives=timedelta(hours=1))
    token_of(client.partner, lives=timedelta(seconds=-1))
    tokens = get_access_token_model().objects
    before = tokens.count()
    expired_tokens_clear(timestamp=1)
    assert tokens.count() == before - 1
    client.use(kept)
    assert client.get("/api/v1/languages").status_code == 200


def test_sessions_that_are_over_are_forgotten() -> None:
    now = datetime.now(UTC)
    for days in (-1, 1):
        Session.objects.create(
            session_key=f"s{days}", session_data="", expire_date=now + timedelta(days=days)
        )
    sessions_clear(timestamp=1)
    assert [session.session_key for session in Session.objects.all()] == ["s1"]
