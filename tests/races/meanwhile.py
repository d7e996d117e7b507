"""Another connection on which a person is erased at a chosen moment of what goes on here."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread
from typing import Any

import pytest
from django.db import connection, connections

import loyalty.services
from loyalty import apply
from loyalty.models import Account
from loyalty.services import writes
from members.models import Member
from tests.config.quill import WORD, erase
from tests.ledger_checks import check_ledger
from tests.races.crowd import somebody_waits
from tests.rewards.test_vouchers import dump


class Meanwhile:
    """Another connection on which the person is erased, beginning `now()` and awaited when the block ends."""

    def __init__(self, member: Member, table: str = "members_member") -> None:
        self.read = f'"{table}"'
        self.errors: list[Exception] = []
        self.has_begun = False
        self.thread = Thread(target=self._run, args=(member,))

    def _run(self, member: Member) -> None:
        try:
            erase(member)
        except Exception as error:
            self.errors.append(error)
        finally:
            connections.close_all()

    def now(self) -> None:
        """Once: begin, and go on when it is done, or waits for us."""
        if not self.has_begun:
            self.has_begun = True
            self.thread.start()
            self.thread.join(timeout=1)

    def lock_account(self) -> None:
        """Once the account is locked the erasure goes on when somebody waits for it; returns when it is locked."""
        locked, lock = Event(), loyalty.services.account_lock

        def lock_and_linger(**account: Any) -> None:
            lock(**account)
            locked.set()
            somebody_waits()

        loyalty.services.account_lock = lock_and_linger
        try:
            self.thread.start()
            assert locked.wait(timeout=5)
        finally:
            loyalty.services.account_lock = lock

    def __call__(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        """As a wrapper of Django's statements: right after the table was read for the first time."""
        answer = execute(sql, params, many, context)
        if self.read in sql and sql.startswith("SELECT"):
            self.now()
        return answer


@contextmanager
def erased_once_decided(member: Member, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The person is erased between the decision of the first write of points and its posting."""
    meanwhile = Meanwhile(member)

    def send(call: apply.Call) -> None:
        meanwhile.now()
        apply.send(call)

    monkeypatch.setattr(writes, "send", send)
    yield
    meanwhile.thread.join()
    assert meanwhile.errors == []


@contextmanager
def erased_once_read(member: Member, table: str = "members_member") -> Iterator[None]:
    """The person is erased after this connection has read the member, or the table, and before it writes."""
    meanwhile = Meanwhile(member, table)
    with connection.execute_wrapper(meanwhile):
        yield
    meanwhile.thread.join()
    assert meanwhile.errors == []


def check_gone(member: Member) -> None:
    """Nothing says who it was, and the books are right: the account is at zero."""
    assert [line[:300] for line in dump().split("\n") if WORD.upper() in line] == []
    account = Account.objects.get(pk=member.pk)
    assert (account.available, account.pending, account.held, account.debt) == (0, 0, 0, 0)
    check_ledger()
