"""The ledger's checks see what is wrong: each break of a row is named."""

import pytest
import time_machine
from django.db import connection, transaction

from segments.models import Segment
from tests.factories import ApiClient
from tests.ledger_checks import check_ledger
from tests.loyalty.worlds import earn, reverse

BREAKS = {
    "a figure": ("UPDATE loyalty_account SET available = available + 1", "balance"),
    "the head": ("UPDATE loyalty_account SET head = decode(repeat('00', 32), 'hex')", "head is not the last"),
    "an amount": ("UPDATE loyalty_entry SET points = points + 1 WHERE seq = 1", "entry 1 does not verify"),
    "the order": ("UPDATE loyalty_entry SET recorded_at = now() WHERE seq = 1", "entry 1 does not verify"),
    "a gap": ("UPDATE loyalty_account SET seq = seq + 1", "account at"),
    "a lot": ("UPDATE loyalty_lot SET remaining = remaining - 1 WHERE seq = 1", "lot 1"),
    "a draw": ("DELETE FROM loyalty_draw", "draws"),
    "a change": ("UPDATE loyalty_account SET next_change_at = NULL", "next change"),
    "the time": ("UPDATE loyalty_account SET settled_at = settled_at + interval '1 year'", "pending"),
    "the counter": ("UPDATE loyalty_account SET transactions = 7", "counts 7 transactions"),
    "usage": ("UPDATE loyalty_promotionusage SET points = points + 0.5", "usage"),
    "uses": ("DELETE FROM loyalty_promotionusage", "usage"),
    "activity": ("UPDATE members_activity SET spend = spend + 0.01", "activity"),
    "line points": ("UPDATE loyalty_transaction SET line_points = '[1]'", "transaction T-1"),
}


@pytest.mark.parametrize(("statement", "named"), BREAKS.values(), ids=BREAKS.keys())
def test_a_break_is_seen(
    club: Segment, till: ApiClient, monday: time_machine.Traveller, statement: str, named: str
) -> None:
    earn(till, "T-1")
    reverse(till, "T-1", "B-1", lines=[{"line": "2", "quantity": "1"}])
    assert check_ledger() == 1
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for table in ("entry", "draw"):
            cursor.execute(f"ALTER TABLE loyalty_{table} DISABLE TRIGGER USER")
        cursor.execute(statement)
        assert cursor.rowcount > 0
        with pytest.raises(AssertionError, match=named):
            check_ledger()
        transaction.set_rollback(True)
