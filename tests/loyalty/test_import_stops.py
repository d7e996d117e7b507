"""An import that is killed or stopped half-way, by several workers, and run again: each receipt once."""

import csv
import multiprocessing
import os
import signal
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, connections

from config.kernel.sql import rows
from loyalty.imports import staging
from loyalty.models import Account, Transaction
from loyalty.services import Cap, PromotionRule
from members.models import Programme
from tests.factories import MemberFactory, ProgrammeFactory
from tests.ledger_checks import check_ledger
from tests.loyalty.worlds import publish, simple_terms

RECEIPTS, MEMBERS = 2000, 30
pytestmark = pytest.mark.django_db(transaction=True)


def club_of(code: str) -> Programme:
    """Members 0 to 29, and promotions whose answer depends on the order of a member's receipts."""
    programme = ProgrammeFactory(code=code)
    simple_terms(programme)
    publish(programme, "FIRST", PromotionRule("fixed", "7", first=True))
    publish(programme, "CAPPED", PromotionRule("rate", "1.5", caps={"total": Cap(points="200.25")}))
    for number in range(MEMBERS):
        MemberFactory(programme=programme, number=str(number))
    return programme


@pytest.fixture
def receipts(tmp_path: Path) -> Path:
    """Receipts of one and two lines; a member's are spread over the file against the order of time."""
    path = tmp_path / "receipts.csv"
    with path.open("w", newline="") as file:
        write = csv.writer(file).writerow
        midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        write(["reference", "member", "occurred_at", "quantity", "amount"])
        for number in range(RECEIPTS):
            days = timedelta(days=1 + number * 20 // RECEIPTS, hours=number % 24)
            at = (midnight - days).isoformat()
            for line in range(1 + number % 2):
                write([f"R{number}", number % MEMBERS, at, 1, f"{number % 50}.{line}5"])
    return path


def importing(programme: Programme, path: Path, **options: Any) -> None:
    defaults = {"programme": programme.code, "backdate": 3650, "verbosity": 0, "workers": 2}
    call_command("import_transactions", str(path), **{**defaults, **options})


def booked(programme: Programme) -> dict[str, int]:
    return dict(Transaction.objects.filter(programme=programme).values_list("reference", "points"))


def balances(programme: Programme) -> dict[str, int]:
    return dict(Account.objects.filter(programme=programme).values_list("member__number", "available"))


def in_another_process(programme: Programme, path: Path) -> multiprocessing.Process:
    """The import with two workers, begun."""

    def run() -> None:
        os.setpgrp()
        connection.connection = None
        try:
            importing(programme, path)
        except CommandError as error:
            os._exit(error.returncode)
        finally:
            connections.close_all()

    process = multiprocessing.get_context("fork").Process(target=run)
    process.start()
    return process


def until(holds: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < end, f"waited a minute for {what}"
        time.sleep(0.005)


def nobody_else_is_connected() -> bool:
    others = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    return rows(others, {}) == [(0,)]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_stopped_and_run_again(receipts: Path, number: signal.Signals) -> None:
    """The same points in every receipt and account as an import that nobody disturbed."""
    undisturbed, stopped = club_of("undisturbed"), club_of("stopped")
    importing(undisturbed, receipts, workers=1)
    process = in_another_process(stopped, receipts)
    until(lambda: len(booked(stopped)) > 0, "the first chunk")
    assert process.pid
    os.kill(process.pid, number)
    process.join(60)
    until(nobody_else_is_connected, "the workers to end")
    left = RECEIPTS - len(booked(stopped))
    assert left > 0
    assert process.exitcode == (-signal.SIGKILL if number is signal.SIGKILL else 130)
    check_ledger(stopped)
    importing(stopped, receipts)
    assert booked(stopped) == booked(undisturbed)
    assert len(booked(stopped)) == RECEIPTS
    assert balances(stopped) == balances(undisturbed)


def test_one_import_of_a_programme_at_a_time(receipts: Path) -> None:
    programme = club_of("busy")
    process = in_another_process(programme, receipts)
    held = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid = %(lock)s"
    until(lambda: rows(held, {"lock": staging.LOCK}) == [(1,)], "the import to begin")
    with pytest.raises(CommandError, match="Another import"):
        importing(programme, receipts)
    process.join(60)
    assert process.exitcode == 0
    assert len(booked(programme)) == RECEIPTS


def test_two_workers_name_every_receipt_they_refuse(receipts: Path) -> None:
    """Most are too old."""
    programme = club_of("late")
    rejects = receipts.with_name("rejects.csv")
    importing(programme, receipts, backdate=1, rejects=rejects)
    with rejects.open(newline="") as file:
        refused = {row["reference"]: row["code"] for row in csv.DictReader(file)}
    assert set(refused.values()) == {"occurred_at_out_of_window"}
    assert len(refused) + len(booked(programme)) == RECEIPTS
