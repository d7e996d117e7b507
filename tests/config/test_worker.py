"""manage.py worker, as a process of its own on the test's database: to the end, to SIGTERM, and to kill -9."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlencode

import pytest
import time_machine
from django.db import connection, transaction
from procrastinate.contrib.django.models import ProcrastinateJob, ProcrastinateWorker

from loyalty.models import Account, Entry
from loyalty.tasks import idle_accounts_settle
from members.models import Programme
from tests.factories import ApiClient, MemberFactory, ProgrammeFactory
from tests.fixtures import nothing_remembered  # noqa: F401
from tests.jobs import empty_queue
from tests.ledger_checks import check_ledger
from tests.loyalty.worlds import earn, euros, simple_terms

pytestmark = pytest.mark.django_db(transaction=True)

PROJECT = Path(__file__).parents[2]
PATIENCE_SECONDS = 30
Worker = subprocess.Popen[str]


@pytest.fixture(autouse=True)
def queue(transactional_db: None) -> Iterator[None]:
    """Emptying the tables after a test leaves the queue's alone."""
    empty_queue()
    yield
    empty_queue()


@pytest.fixture
def programme(transactional_db: None) -> Programme:
    programme = ProgrammeFactory(code="choco-club")
    simple_terms(programme, lifetime_months=1)
    return programme


@pytest.fixture
def idle(programme: Programme) -> Account:
    """20 points that expired a year ago, on an account nobody touched since."""
    MemberFactory(programme=programme, number="10042")
    bought = datetime.now(UTC) - timedelta(days=400)
    with time_machine.travel(bought, tick=False):
        till = ApiClient(programme)
        assert earn(till, "OLD-1", occurred_at=bought.isoformat(), **euros("20.00")).status_code == 201
    return Account.objects.get()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Worker]]:
    """`start("--once")`: a worker on the test's database."""
    settings = connection.settings_dict
    where = {
        key: settings[key.upper()] for key in ("host", "port", "user", "password") if settings[key.upper()]
    }
    environment = {
        **os.environ,
        "DATABASE_URL": f"postgres:///{settings['NAME']}?{urlencode(where)}",
        "RISTOURNE_VAR": str(tmp_path),
        "RISTOURNE_ROLE": "command",
    }
    workers: list[Worker] = []

    def build(*arguments: str) -> Worker:
        command = [sys.executable, "manage.py", "worker", *arguments]
        worker = subprocess.Popen(
            command, cwd=PROJECT, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        workers.append(worker)
        return worker

    yield build
    for worker in workers:
        worker.kill()
        worker.communicate()


def ended(worker: Worker) -> str:
    """What a worker printed that ended well."""
    printed, _ = worker.communicate(timeout=PATIENCE_SECONDS)
    assert worker.returncode == 0, printed
    return printed


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@contextmanager
def locked(account: Account) -> Iterator[None]:
    """Whoever books on the account waits."""
    with transaction.atomic():
        Account.objects.select_for_update().get(pk=account.pk)
        yield


def waiting_backends() -> list[int]:
    """Sessions of the database that wait for a lock in the middle of their statement."""
    with connection.cursor() as cursor:
        # A transaction keeps the list of sessions that it read first, and the worker may come later.
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute(
            "SELECT pid FROM pg_locks JOIN pg_stat_activity USING (pid)"
            " WHERE NOT granted AND datname = current_database()"
        )
        return [pid for (pid,) in cursor.fetchall()]


def statuses() -> list[str]:
    return list(ProcrastinateJob.objects.order_by("id").values_list("status", flat=True))


def test_once_runs_what_is_due_and_ends(idle: Account, start: Callable[..., Worker]) -> None:
    idle_accounts_settle.defer(timestamp=987654321)
    idle_accounts_settle.configure(schedule_in={"hours": 1}, queueing_lock="later").defer(timestamp=1)
    printed = ended(start("--once"))
    assert statuses() == ["succeeded", "todo"]
    assert Entry.objects.filter(kind="expiry").count() == 1
    assert "job.done" in printed
    assert "loyalty.tasks.idle_accounts_settle" in printed
    assert "987654321" not in printed
    assert ProcrastinateWorker.objects.count() == 0


def test_failing_jobs_are_told_without_their_arguments_and_wait(start: Callable[..., Worker]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO procrastinate_jobs (queue_name, task_name, args)"
            """ VALUES ('default', 'loyalty.tasks.idle_accounts_settle', '{"unknown": "10042 Ada"}')"""
        )
    printed = ended(start("--once"))
    assert statuses() == ["failed"]
    assert "job.failed" in printed
    assert "Ada" not in printed


def test_only_the_queues_asked_for(idle: Account, start: Callable[..., Worker]) -> None:
    idle_accounts_settle.defer(timestamp=1)
    ended(start("--once", "--queues", "long,other"))
    assert statuses() == ["todo"]


def test_sigterm_lets_running_jobs_end(idle: Account, start: Callable[..., Worker]) -> None:
    idle_accounts_settle.defer(timestamp=1)
    with locked(idle):
        worker = start()
        until(lambda: bool(waiting_backends()))
        worker.send_signal(signal.SIGTERM)
        time.sleep(0.3)
        assert worker.poll() is None
    ended(worker)
    assert statuses()[0] == "succeeded"
    assert Entry.objects.filter(kind="expiry").count() == 1
    assert ProcrastinateWorker.objects.count() == 0


def test_a_killed_worker_loses_nothing(idle: Account, start: Callable[..., Worker]) -> None:
    """kill -9 in the middle of a job; half a minute later another worker finishes it."""
    idle_accounts_settle.defer(timestamp=1)
    with locked(idle):
        killed = start("--once")
        until(lambda: bool(waiting_backends()))
        killed.kill()
        killed.wait()
        with connection.cursor() as cursor:  # what PostgreSQL does once it notices that its client is gone
            cursor.execute("SELECT pg_terminate_backend(pid) FROM unnest(%s) pid", [waiting_backends()])
        until(lambda: not waiting_backends())
    assert statuses() == ["doing"]
    assert not Entry.objects.filter(kind="expiry").exists()

    ended(start("--once"))
    assert statuses() == ["doing"]  # it may still be alive

    with connection.cursor() as cursor:
        cursor.execute("UPDATE procrastinate_workers SET last_heartbeat = now() - interval '31 seconds'")
    printed = ended(start("--once"))
    assert "job.stalled" in printed
    assert statuses() == ["succeeded"]
    assert [entry.points for entry in Entry.objects.filter(kind="expiry")] == [-20]
    check_ledger()


def test_periodic_tasks_run_by_themselves(idle: Account, start: Callable[..., Worker]) -> None:
    worker = start()
    until(lambda: Entry.objects.filter(kind="expiry").exists())
    until(lambda: "todo" not in statuses() and "doing" not in statuses())
    worker.send_signal(signal.SIGTERM)
    ended(worker)
    ran = set(ProcrastinateJob.objects.values_list("task_name", "status"))
    assert {status for _, status in ran} == {"succeeded"}
    assert {"config.tasks.sessions_clear", "members.tasks.expired_tokens_clear"} <= {task for task, _ in ran}


@pytest.mark.parametrize("concurrency", ["0", "101", "x"])
def test_an_odd_number_of_jobs_is_refused(start: Callable[..., Worker], concurrency: str) -> None:
    worker = start("--concurrency", concurrency)
    printed, _ = worker.communicate(timeout=PATIENCE_SECONDS)
    assert worker.returncode == 2
    assert "from 1 to 100" in printed
