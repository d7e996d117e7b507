"""Many callers at once, each on a thread with a database connection of its own, and what must hold after."""

import copy
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from threading import Barrier, BrokenBarrierError, Thread, local
from typing import Any, TypeVar

from django.db import connection, connections
from django.http import SimpleCookie
from django.test.client import ClientHandler

from config.kernel.sql import rows
from loyalty.apply import Call, send
from tests.factories import ApiClient

T = TypeVar("T")
THREADS = 10


def at_once(calls: Sequence[Callable[[], T]], threads: int = THREADS) -> list[T]:
    """The results of all calls in their order, made by `threads` callers that take turns."""
    results: list[Any] = [None] * len(calls)

    def caller(first: int) -> None:
        try:
            for index in range(first, len(calls), threads):
                try:
                    results[index] = calls[index]()
                except Exception as error:
                    results[index] = error
        finally:
            connections.close_all()

    callers = [Thread(target=caller, args=(first,)) for first in range(min(threads, len(calls)))]
    for thread in callers:
        thread.start()
    for thread in callers:
        thread.join()
    if errors := [result for result in results if isinstance(result, Exception)]:
        raise errors[0]
    return results


def twin(client: ApiClient) -> ApiClient:
    """The same partner's client for another thread."""
    other = copy.copy(client)
    other.defaults = dict(client.defaults)
    other.cookies = SimpleCookie()
    other.handler = ClientHandler(enforce_csrf_checks=False)
    return other


def somebody_waits() -> None:
    """Returns when another connection waits for this one."""
    for _ in range(500):
        waiting = rows(
            "SELECT 1 FROM pg_stat_activity WHERE pg_backend_pid() = ANY(pg_blocking_pids(pid))", {}
        )
        if waiting:
            return
        rows("SELECT pg_stat_clear_snapshot(), pg_sleep(0.01)", {})
    raise AssertionError("nobody waits")


def waiting(parties: int, function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, which lets nobody begin before all have come."""
    barrier = Barrier(parties)

    def gated(*args: Any, **kwargs: Any) -> Any:
        with suppress(BrokenBarrierError):
            barrier.wait(timeout=2)
        return function(*args, **kwargs)

    return gated


class Gate:
    """Lets nobody post before all have decided: the first post of each caller waits for the others'."""

    def __init__(self, parties: int) -> None:
        self.barrier = Barrier(parties)
        self.passed = local()

    def send(self, call: Call) -> None:
        if not getattr(self.passed, "yes", False):
            self.passed.yes = True
            with suppress(BrokenBarrierError):
                self.barrier.wait(timeout=5)
        send(call)


@contextmanager
def broken_apply(*changes: tuple[str, str], function: str = "loyalty_apply") -> Iterator[None]:
    """The negative control: the function with pieces of its text replaced; put back afterwards."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_get_functiondef(%s::regprocedure)", [f"{function}(jsonb)"])
        (original,) = cursor.fetchone()
        broken = original
        for piece, replacement in changes:
            assert piece in broken, f"{function} no longer says {piece!r}"
            broken = broken.replace(piece, replacement)
        cursor.execute(broken.replace("%", "%%") if "%" in broken else broken)
        try:
            yield
        finally:
            cursor.execute(original.replace("%", "%%") if "%" in original else original)


@contextmanager
def without_constraint(table: str, name: str) -> Iterator[None]:
    """The negative control of what the database itself refuses; rows of the table are gone afterwards."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = %s", [name])
        (definition,) = cursor.fetchone()
        cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
        try:
            yield
        finally:
            cursor.execute(f"TRUNCATE {table} CASCADE")
            cursor.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}")


WITHOUT_VERSIONS = (
    ("AND a.version = n.expected", ""),
    (
        "'entries') r WHERE r.account_id = ANY(fresh);",
        "'entries') r WHERE r.account_id = ANY(fresh) ON CONFLICT DO NOTHING;",
    ),
    (
        "'lots') r WHERE r.account_id = ANY(fresh);",
        "'lots') r WHERE r.account_id = ANY(fresh) ON CONFLICT DO NOTHING;",
    ),
    (
        "'draws') r WHERE r.account_id = ANY(fresh);",
        "'draws') r WHERE r.account_id = ANY(fresh) ON CONFLICT DO NOTHING;",
    ),
)
"""A writer that forgets to look whether the account moved, and a table that forgets (account, seq) is unique."""
