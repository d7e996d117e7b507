"""The queue in tests: `run_jobs` works it off in this process, on the test's own connection.

A conftest imports the fixture it needs. `run_jobs()` sees what the test has not committed, runs the jobs that
are due in the queue's order, those they enqueue too, and returns the names of their tasks. A job that fails
fails the test with its own exception. `waiting()` lists what is queued.

    def test_refresh(run_jobs: RunJobs) -> None:
        client.post(...)
        assert waiting() == [("segments.tasks.segment_refresh", {"segment": 7})]
        assert run_jobs() == ["segments.tasks.segment_refresh"]

Jobs that are scheduled for later stay: the database's clock decides, which no frozen clock moves.
"""

import inspect
import json
from collections.abc import Callable
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.db import connection
from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob
from procrastinate.job_context import JobContext
from procrastinate.jobs import Job, Status

RunJobs = Callable[[], list[str]]
MOST = 1000
"""More jobs than this enqueue each other for ever."""


@pytest.fixture
def run_jobs(request: pytest.FixtureRequest) -> RunJobs:
    """Starts with an empty queue: emptying the tables after a test leaves the queue's alone."""
    real = request.node.get_closest_marker("django_db")
    request.getfixturevalue("transactional_db" if real and real.kwargs.get("transaction") else "db")
    empty_queue()
    return drain


def empty_queue() -> None:
    """Forget all jobs and workers."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM procrastinate_jobs")
        cursor.execute("DELETE FROM procrastinate_periodic_defers")
        cursor.execute("DELETE FROM procrastinate_workers")


def waiting() -> list[tuple[str, dict[str, Any]]]:
    """Tasks and arguments of the jobs in the queue, in the order they came."""
    jobs = ProcrastinateJob.objects.filter(status="todo").order_by("id")
    return [(job.task_name, job.args) for job in jobs]


def drain() -> list[str]:
    """Run what is due until nothing is; the names of the tasks."""
    worker = async_to_sync(app.job_manager.register_worker)()
    ran: list[str] = []
    while job := async_to_sync(app.job_manager.fetch_job)(queues=None, worker_id=worker):
        assert len(ran) < MOST, f"the queue does not get empty: {ran[-3:]}"
        ran.append(job.task_name)
        run(job)
        async_to_sync(app.job_manager.finish_job)(job, Status.SUCCEEDED, delete_job=False)
    async_to_sync(app.job_manager.unregister_worker)(worker)
    return ran


def run(job: Job) -> None:
    task = app.tasks[job.task_name]
    context = JobContext(
        app=app, job=job, additional_context={}, abort_reason=lambda: None, start_timestamp=0.0
    )
    called = async_to_sync(task.func) if inspect.iscoroutinefunction(task.func) else task.func
    arguments = json.loads(job.task_kwargs)  # Django's connection leaves JSON alone
    called(*([context] if task.pass_context else []), **arguments)
