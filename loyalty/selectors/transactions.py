"""A transaction as partners, staff and its member read it."""

from typing import Any

import msgspec

from config.kernel.errors import NotFound
from config.kernel.sql import rows
from loyalty import answers
from loyalty.engine import Ruleset
from loyalty.records import EntryRow, ReversalRow, TransactionRow
from loyalty.rulesets import by_hash
from loyalty.selectors import purchases

_TRANSACTION = """
SELECT row_to_json(t)::text,
    (SELECT row_to_json(e)::text FROM loyalty_entry e WHERE e.account_id = t.account_id AND e.seq = t.entry_seq),
    (SELECT m.number FROM members_member m WHERE m.id = t.account_id),
    (SELECT json_agg(row_to_json(r) ORDER BY r.recorded_at, r.id)::text FROM loyalty_reversal r
     WHERE r.programme_id = t.programme_id AND r.transaction_id = t.id)
FROM loyalty_transaction t WHERE t.programme_id = %(programme)s AND t.reference = %(reference)s
"""
_transactions = msgspec.json.Decoder(TransactionRow)
_reversals = msgspec.json.Decoder(list[ReversalRow])
_entry = msgspec.json.Decoder(EntryRow)


def transaction_shown(programme_id: int, reference: str) -> dict[str, Any]:
    """A transaction as it is now, with trace, lines and returns. NotFound."""
    return answers.transaction(*_transaction(programme_id, reference))


def purchase_shown(programme_id: int, reference: str) -> dict[str, Any]:
    """As `transaction_shown`; each line with its promotions, each return with what came back and the rest's trace."""
    row, entry, member, ruleset, reversals = _transaction(programme_id, reference)
    body = answers.transaction(row, entry, member, ruleset, reversals)
    by_line = purchases.promotions_by_line(row, ruleset)
    told = zip(body["reversals"], purchases.returns(row, reversals, ruleset), strict=True)
    return {
        **body,
        "lines": [line | {"promotions": by_line[line["line"]]} for line in body["lines"]],
        "reversals": [shown | more for shown, more in told],
    }


def _transaction(
    programme_id: int, reference: str
) -> tuple[TransactionRow, EntryRow | None, str, Ruleset, list[ReversalRow]]:
    found = rows(_TRANSACTION, {"programme": programme_id, "reference": reference})
    if not found:
        raise NotFound
    ((row, entry, member, reversals),) = found
    transaction = _transactions.decode(row)
    return (
        transaction,
        _entry.decode(entry) if entry else None,
        member,
        by_hash(programme_id, transaction.ruleset),
        _reversals.decode(reversals) if reversals else [],
    )
