"""What a caller sees who has to wait too long: a retryable answer after the lock time-out, and nothing written."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread

import pytest
from django.db import connection, connections, transaction
from django.http import HttpResponse

from loyalty.models import Account, Entry, IdempotencyKey, Transaction
from loyalty.services import writes
from members.models import Member, OutboxEvent
from tests.factories import ApiClient
from tests.ledger_checks import check_ledger
from tests.loyalty.worlds import adjust, call, earn, euros, reverse

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("ada")]


@contextmanager
def held_elsewhere(statement: str, params: list[object]) -> Iterator[None]:
    """The statement's locks are held by another connection, which then rolls back."""
    is_held, may_go = Event(), Event()

    def hold() -> None:
        try:
            with transaction.atomic():
                with connection.cursor() as cursor:
                    cursor.execute(statement, params)
                is_held.set()
                may_go.wait(20)
                transaction.set_rollback(True)
        finally:
            is_held.set()
            connections.close_all()

    thread = Thread(target=hold)
    thread.start()
    assert is_held.wait(5)
    try:
        yield
    finally:
        may_go.set()
        thread.join()


def key_elsewhere(till: ApiClient, key: str) -> object:
    """Another request has claimed the key and has not finished."""
    statement = (
        "INSERT INTO loyalty_idempotencykey (partner_id, key, programme_id, fingerprint, status, body, created_at) "
        "VALUES (%s, %s, %s, '\\x00', NULL, '', now())"
    )
    return held_elsewhere(statement, [till.partner.pk, key, till.partner.programme_id])


def timed(request: Callable[[], HttpResponse]) -> tuple[HttpResponse, float]:
    started = time.perf_counter()
    return request(), time.perf_counter() - started


def written() -> list[int]:
    return [model.objects.count() for model in (Transaction, Entry, IdempotencyKey, OutboxEvent)]


WRITES: dict[str, Callable[[ApiClient, str], HttpResponse]] = {
    "earn": lambda till, key: earn(till, "POS-2", key=key, **euros("10.00")),
    "reversal": lambda till, key: reverse(till, "POS-1", "RET-1", key=key),
    "adjustment": lambda till, key: call(
        till, "/members/10042/adjustments", {"reference": "A-1", "points": 5, "reason": "test"}, key=key
    ),
    "batch": lambda till, key: call(
        till,
        "/transactions/batch",
        {"transactions": [{"reference": "B-1", "member": "10042", "occurred_at": "2026-11-23T10:15:00+01:00",
                           "currency": "EUR", **euros("5.00")}]},
        key=key,
    ),
}  # fmt: skip


@pytest.mark.parametrize("path", WRITES)
def test_a_key_that_is_being_worked_on(till: ApiClient, path: str) -> None:
    earn(till, "POS-1", **euros("20.00"))
    before = written()
    with key_elsewhere(till, "busy-key"):
        answer, seconds = timed(lambda: WRITES[path](till, "busy-key"))
    assert (answer.status_code, answer.json()["code"]) == (409, "request_in_progress")
    assert answer.json()["retryable"] is True
    assert int(answer.headers["Retry-After"]) >= 1
    assert 1.5 < seconds < 4
    assert written() == before
    assert WRITES[path](till, "busy-key").status_code in {200, 201}
    check_ledger()


def test_it_is_the_key_that_is_told_apart(till: ApiClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """The negative control: without telling the key's lock from others it would be a 503."""
    monkeypatch.setattr(writes, "waited_for_key", lambda error: False)
    with key_elsewhere(till, "busy-key"):
        answer = earn(till, "POS-2", key="busy-key", **euros("10.00"))
    assert answer.status_code == 503


@pytest.mark.parametrize("path", WRITES)
def test_an_account_that_is_locked_too_long(till: ApiClient, ada: Member, path: str) -> None:
    earn(till, "POS-1", **euros("20.00"))
    before = written()
    with held_elsewhere("SELECT 1 FROM loyalty_account WHERE id = %s FOR UPDATE", [ada.pk]):
        answer, seconds = timed(lambda: WRITES[path](till, "my-key"))
    assert (answer.status_code, answer.json()["code"]) == (503, "temporarily_unavailable")
    assert answer.json()["retryable"] is True
    assert int(answer.headers["Retry-After"]) >= 1
    assert 1.5 < seconds < 4
    assert written() == before
    assert WRITES[path](till, "my-key").status_code in {200, 201}
    check_ledger()


def test_without_the_time_out_it_would_wait(till: ApiClient, ada: Member) -> None:
    """The negative control: the time-out of the web role is what ends the wait."""
    adjust(till, "10042", 5)
    connection.close()
    connection.settings_dict["OPTIONS"]["options"] = "-c lock_timeout=0 -c statement_timeout=3500"
    with held_elsewhere("SELECT 1 FROM loyalty_account WHERE id = %s FOR UPDATE", [ada.pk]):
        answer, seconds = timed(lambda: adjust(till, "10042", 5))
    assert seconds > 3
    assert answer.status_code == 503


def test_reads_do_not_wait(till: ApiClient, ada: Member) -> None:
    earn(till, "POS-1", **euros("20.00"))
    with held_elsewhere("SELECT 1 FROM loyalty_account WHERE id = %s FOR UPDATE", [ada.pk]):
        answer, seconds = timed(lambda: till.get("/api/v1/members/10042/balance"))
        assert till.get("/api/v1/transactions/POS-1").status_code == 200
    assert answer.status_code == 200
    assert seconds < 1
    assert Account.objects.get().available == 20
