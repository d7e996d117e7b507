"""A member with 10,000 movements: her pages ask as often as anybody's, and read no more than they show."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from unittest.mock import patch

import psycopg
import pytest
import time_machine
from django.db import connection
from django.test import Client

from loyalty.models import Entry
from loyalty.services import (
    AdjustmentCommand,
    BasketCommand,
    LineRow,
    Write,
    adjustment_post,
    transactions_earn,
)
from members.models import Member, Programme
from tests.factories import ApiClient, MemberFactory
from tests.loyalty.worlds import MONDAY, balance, simple_terms
from tests.rewards.catalogue import live_gift
from tests.rewards.orders import POST, order
from tests.rewards.test_member_pages import browser_of
from tests.statements import statements

pytestmark = pytest.mark.django_db

ROUNDS, EARNS = 33, 300
"""33 x (300 receipts and one spending of most of them) = 9,933 movements."""
LINES = (LineRow("1", "1", "10"),)
PAGES = {
    "": 7, "history": 6, "history?kind=reversal": 3, "history?before=30": 3,
    "history?status=reversed": 3, "history?from=2026-11-23&status=posted": 3, "gifts": 6, "gifts/MUG": 6,
    "gifts/MUG/order": 8, "orders": 3, "orders/WEB-1": 3, "offers": 7, "purchases/POS-10042-0-0": 5, "segments": 2,
}  # fmt: skip
"""Statements of each page, its sign-in included."""
BIG = {
    "loyalty_entry",
    "loyalty_transaction",
    "loyalty_lot",
    "loyalty_draw",
    "loyalty_adjustment",
    "members_activity",
}
"""Tables that grow with what members do."""


def live(programme: Programme, number: str, rounds: int, earns: int) -> None:
    """A life of many small purchases, spent as they come: few lots stay open, as with most people."""
    now = MONDAY - timedelta(days=rounds)
    for turn in range(rounds):
        now += timedelta(days=1)
        write = Write(programme.pk, now)
        commands = [BasketCommand(number, now, "EUR", LINES, reference=f"POS-{number}-{turn}-{receipt}")
                    for receipt in range(earns)]  # fmt: skip
        transactions_earn(write=write, commands=commands, explains=False)
        spent = AdjustmentCommand(number, f"OUT-{number}-{turn}", -10 * earns + 50, "spent elsewhere", "till")
        assert adjustment_post(write=write, command=spent).status == 201


@pytest.fixture
def phones(
    till: ApiClient, programme: Programme, ada: Member, monday: time_machine.Traveller
) -> dict[str, Client]:
    """Browsers of ada, with 10,000 movements, and of bob, with a few; both ordered a gift."""
    simple_terms(programme)
    MemberFactory(programme=programme, number="10043")
    live_gift(programme, "MUG", at=MONDAY - timedelta(days=1), points=40)
    live(programme, "10042", ROUNDS, EARNS)
    live(programme, "10043", 1, 30)
    for number, reference in (("10042", "WEB-1"), ("10043", "WEB-2")):
        assert order(till, "MUG", reference, member=number, delivery=POST).status_code == 201
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return {number: browser_of(till, number) for number in ("10042", "10043")}


def theirs(path: str, number: str) -> str:
    """The same page of bob's."""
    return path if number == "10042" else path.replace("WEB-1", "WEB-2").replace("POS-10042", "POS-10043")


def plans(phone: Client, path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each reading statement of a page with its plan as it ran."""
    sent: list[tuple[str, Any]] = []
    execute = psycopg.Cursor.execute

    def spy(self: Any, query: Any, params: Any = None, **more: Any) -> Any:
        sent.append((str(query), params))
        return execute(self, query, params, **more)

    with patch.object(psycopg.Cursor, "execute", spy):
        assert phone.get(path).status_code == 200
    with connection.cursor() as cursor:
        for query, params in sent:
            if query.lstrip().upper().startswith(("SELECT", "WITH")):
                cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {query}", params)
                (found,) = cursor.fetchone()
                yield query, (json.loads(found) if isinstance(found, str) else found)[0]["Plan"]


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for below in plan.get("Plans", ()):
        yield from nodes(below)


def rows_read(node: dict[str, Any]) -> float:
    """Rows a scan touched, those it threw away included."""
    thrown = node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Index Recheck", 0)
    return float((node["Actual Rows"] + thrown) * node["Actual Loops"])


def test_ten_thousand_movements(phones: dict[str, Client], till: ApiClient) -> None:
    assert Entry.objects.filter(account__member__number="10042").count() > 9_900
    assert balance(till)["available"] == ROUNDS * 50 - 40
    seen = {}
    for path in PAGES:
        counts = {}
        for number, phone in phones.items():
            address = theirs(f"/my/{path}", number)
            assert phone.get(address).status_code == 200
            with statements() as sent:
                phone.get(address)
            counts[number] = len(sent)
            assert not any("count(*)" in text.lower() for text in sent if "loyalty_entry" in text), path
        seen[path] = counts
    assert seen == {path: dict.fromkeys(phones, most) for path, most in PAGES.items()}


def test_no_statement_reads_a_whole_life(phones: dict[str, Client]) -> None:
    """Of the tables that grow, no page touches more than a few hundred rows, her own or others'."""
    for path in PAGES:
        if path == "history?kind=reversal" or "status=" in path:
            # Of a kind that she has nothing of, the search for one is the answer; a status is of the instant that
            # is asked about, so that it is worked out, not stored.
            continue
        for query, plan in plans(phones["10042"], f"/my/{path}"):
            for node in nodes(plan):
                if node.get("Relation Name") in BIG:
                    told = (path, node["Node Type"], node["Relation Name"], rows_read(node), query[:200])
                    assert rows_read(node) <= 300, told
