"""Jobs: work that happens after the answer, later or again and again, queued in PostgreSQL by procrastinate.

A job is a function in `<app>/tasks.py` under `@app.task(retry=RETRIES)`. Its arguments are plain values without
personal data. It calls one service with `now`. It may run twice (its worker died after the effect), so the
service must be harmless then. Enqueued inside a database transaction, it exists if and only if that commits.
Services enqueue by name, because tasks import services: `app.configure_task("segments.tasks.refresh").defer(...)`.

What runs again and again stands under `@app.periodic(cron=...)` too, takes `timestamp: int`, and has a
`queueing_lock` instead of retries: its next turn is its retry. Long jobs go to `queue="long"`.
"""

import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import structlog
from django.db import connection, connections, transaction
from procrastinate import connector, job_context, jobs, psycopg_connector, retry, worker
from procrastinate.contrib.django import app, django_connector, utils

from config.kernel.errors import RistourneError
from config.kernel.sql import delete_in_chunks, rows

STALLED_SECONDS = 30
"""A worker that has not been heard of for so long is dead; a living one writes every 10 seconds."""
MOST_ATTEMPTS = 5
"""After so many attempts a job is left as failed for somebody to look at."""
FIRST_WAIT_SECONDS = 4
KEPT_DAYS = {"succeeded": 3, "cancelled": 3, "aborted": 30, "failed": 30}
CONNECTIONS = 3
"""Of the worker to its queue, beside one for notifications and one for each running job."""

log = structlog.get_logger("jobs")


class Retries(retry.BaseRetryStrategy):
    """Again after 4, 16, 64 and 256 seconds, then failed. What repeating cannot change fails at once.

    A job with a queueing lock is not repeated: another one may wait under that lock already.
    """

    def get_retry_decision(self, *, exception: BaseException, job: jobs.Job) -> retry.RetryDecision | None:
        """When to try again; None for never."""
        is_final = isinstance(exception, RistourneError) and not exception.retryable
        if is_final or job.queueing_lock or job.attempts + 1 >= MOST_ATTEMPTS:
            return None
        return retry.RetryDecision(retry_in={"seconds": FIRST_WAIT_SECONDS ** (job.attempts + 1)})


RETRIES = Retries()


class WorkerConnector(psycopg_connector.PsycopgConnector):
    """The worker's pool, to wherever Django's database backend leads.

    What a job enqueues goes through Django's connection, and so joins the job's own database transaction.
    """

    def get_sync_connector(self) -> connector.BaseConnector:
        return django_connector.DjangoConnector()


def work(*, queues: Sequence[str] = (), concurrency: int = 1, drain: bool = False) -> None:
    """Run jobs until SIGTERM or SIGINT, and those that are running to their end.

    `queues` none = all. With `drain` it runs what is due now, periodic tasks left out, and ends.
    """
    stalled_retry()
    connection.close()
    parameters = utils.connector_params()
    pool = WorkerConnector(kwargs=parameters, min_size=1, max_size=CONNECTIONS)
    log.info("worker.started", queues=list(queues) or "all", concurrency=concurrency)
    with app.replace_connector(pool) as queue:
        if drain:
            queue.periodic_defaults = {"max_delay": 0}
        queue.run_worker(
            queues=queues or None,
            concurrency=concurrency,
            wait=not drain,
            stalled_worker_timeout=STALLED_SECONDS,
            worker_middleware=[log_job],
            task_middleware=[close_connections],
        )
    log.info("worker.stopped")


async def log_job(
    call_next: Callable[[], Awaitable[Any]], context: job_context.JobContext, worker: worker.Worker
) -> Any:
    """A line when a job ends, with everything but its arguments; its own lines carry its number too."""
    job, began = context.job, time.monotonic()
    with structlog.contextvars.bound_contextvars(job=job.id, task=job.task_name):
        told = log.bind(queue=job.queue, attempt=job.attempts + 1)
        try:
            result = await call_next()
        except Exception:
            told.exception("job.failed", ms=_milliseconds(began))
            raise
        told.info("job.done", ms=_milliseconds(began))
        return result


def _milliseconds(began: float) -> float:
    return round((time.monotonic() - began) * 1000, 1)


def close_connections(
    call_next: Callable[[], Any], context: job_context.JobContext, worker: worker.Worker
) -> Any:
    """Jobs run in threads: each gives its database connection back when it ends."""
    try:
        return call_next()
    finally:
        connections.close_all()


_STALLED = """
SELECT j.id, j.attempts + 1 >= %(most)s OR EXISTS (
    SELECT FROM procrastinate_jobs t WHERE t.status = 'todo' AND t.queueing_lock = j.queueing_lock)
FROM procrastinate_jobs j LEFT JOIN procrastinate_workers w ON w.id = j.worker_id
WHERE j.status = 'doing' AND (w.id IS NULL OR w.last_heartbeat < now() - make_interval(secs => %(seconds)s))
ORDER BY j.id FOR UPDATE OF j SKIP LOCKED"""


@transaction.atomic
def stalled_retry() -> int:
    """Queue the jobs of dead workers again; how many there were.

    One that killed too many workers fails, and so does one whose next turn is queued already.
    """
    stalled = rows(_STALLED, {"seconds": STALLED_SECONDS, "most": MOST_ATTEMPTS})
    for job, is_over in stalled:
        query = (
            "SELECT procrastinate_finish_job_v1(%(job)s, 'failed', false)::text"
            if is_over
            else "SELECT procrastinate_retry_job_v2(%(job)s, now(), NULL, NULL, NULL)::text"
        )
        rows(query, {"job": job})
        log.warning("job.stalled", job=job, outcome="failed" if is_over else "queued again")
    return len(stalled)


_FINISHED = """
DELETE FROM procrastinate_jobs WHERE id IN (
    SELECT j.id FROM procrastinate_jobs j
    WHERE j.status = %(status)s::procrastinate_job_status AND NOT EXISTS (
        SELECT FROM procrastinate_events e
        WHERE e.job_id = j.id AND e.at >= now() - make_interval(days => %(days)s))
    LIMIT 5000)
RETURNING id"""


def finished_remove() -> int:
    """Forget jobs that ended `KEPT_DAYS` ago; how many there were."""
    return sum(
        delete_in_chunks(_FINISHED, {"status": status, "days": days}) for status, days in KEPT_DAYS.items()
    )
