"""How every write of points runs: gather, decide, post; decide again if something moved; one answer per key."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from django.db import OperationalError, transaction

from config.kernel.errors import Family, RistourneError, TemporarilyUnavailable
from loyalty.apply import Call, Stale, lock, send
from loyalty.errors import RequestInProgress
from loyalty.gather import Head, Holding
from loyalty.idempotency import Answer, Write, replay

ATTEMPTS = 4
"""Two without locks, then under them."""
LOCKED_FROM = 2


def answer(status: int, body: Mapping[str, Any], *, replayed: bool = False) -> Answer:
    """A body as the text that is sent and kept."""
    return Answer(status, msgspec.json.encode(body).decode(), replayed)


def known(write: Write, head: Head) -> Answer | None:
    """The answer the key has already; IdempotencyKeyReused if it came with other content."""
    if write.key is None or head.key is None:
        return None
    return replay(write.key, head.key)


def is_final(error: RistourneError) -> bool:
    """Whether a refusal is kept under its key: a conflict that repeating cannot change."""
    return error.family is Family.CONFLICT and not error.retryable


def refused(write: Write, error: RistourneError) -> Answer:
    """A refusal as it is sent and kept."""
    body = write.problem(error)
    return answer(int(body.get("status", 409)), body)


def conclude(
    write: Write, call: Call, given: Answer, *, holding: Holding | None = None, keeps_body: bool = True
) -> Answer:
    """Post the call with its answer under the key; nothing is sent when there is nothing to book.

    `holding` is whose points a kept answer tells of where the call moves none: it is kept only if the account
    still is as it was gathered, and with it. `keeps_body` False leaves the body out of the key row: it is made
    again of what is booked.
    """
    if write.key and not call.accounts and holding and holding.account:
        call.expect(holding.account)
    call.key = write.key_row(given.status, given.body if keeps_body else "", call.accounts)
    if not call.is_empty:
        send(call)
    return given


def repeat(
    write: Write,
    attempt: Callable[[], Answer],
    accounts: Callable[[], list[int]],
    first: int = 0,
    more_locks: Callable[[], None] = lambda: None,
) -> Answer:
    """Run `attempt` until it is not Stale: twice freely, then under the locks of `accounts()` and `more_locks`.
    `first` is the number of the attempt to begin with.

    A lock time-out on the key row means the same request is still running (RequestInProgress).
    """
    for number in range(first, ATTEMPTS):
        try:
            if number < LOCKED_FROM:
                return attempt()
            with transaction.atomic():
                lock(write.programme_id, accounts(), write.key_row(None, "", accounts()))
                more_locks()
                return attempt()
        except Stale:
            continue
        except OperationalError as error:
            if write.key and waited_for_key(error):
                raise RequestInProgress from error
            raise
    raise TemporarilyUnavailable


def waited_for_key(error: OperationalError) -> bool:
    """Whether a lock time-out happened while waiting for another request's key row."""
    cause: Any = error.__cause__
    if getattr(cause, "sqlstate", None) != "55P03":
        return False
    return "loyalty_idempotencykey" in f"{cause.diag.context} {cause.diag.internal_query} {cause}"
