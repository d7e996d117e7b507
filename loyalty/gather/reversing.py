"""Gather for returns: a transaction, its holder, and what was taken back of it."""

from dataclasses import dataclass
from datetime import datetime

import msgspec
from msgspec import structs

from config.kernel.sql import rows
from loyalty.gather.columns import (
    HEAD,
    HEAD_END,
    LOT,
    MEMBER,
    MEMBER_SIZE,
    NOTIERS,
    OPEN_LOTS_AND,
    TIERS,
    Head,
    Holding,
    TierAsk,
    base_params,
    head_of,
    holding_of,
    stands_decoder,
)
from loyalty.idempotency import Key
from loyalty.records import EntryRow, ReversalRow, TransactionRow
from loyalty.standings import Stands

_REVERSAL = f"""
SELECT 1, {HEAD}, {MEMBER},
    (SELECT jsonb_agg(jsonb_build_array({LOT}))::text FROM {OPEN_LOTS_AND.format(which="= t.entry_seq")}),
    {TIERS.format(lead="true", day="t.day")},
    row_to_json(t)::text, row_to_json(r)::text,
    (SELECT row_to_json(e)::text FROM loyalty_entry e WHERE e.account_id = r.account_id AND e.seq = r.entry_seq),
    (SELECT o.reference FROM loyalty_transaction o WHERE o.id = r.transaction_id)
FROM members_programme p
LEFT JOIN loyalty_ruleshead h ON h.programme_id = p.id
LEFT JOIN loyalty_transaction t ON t.programme_id = p.id AND t.reference = %(transaction)s
LEFT JOIN members_member m ON m.id = t.account_id
LEFT JOIN loyalty_account c ON c.id = t.account_id
LEFT JOIN loyalty_reversal r ON r.programme_id = p.id AND r.reference = %(reference)s
WHERE p.id = %(programme)s
"""


@dataclass(slots=True)
class ReversalContext:
    """What is known for a return: the transaction, its holder, and a reversal booked under that reference."""

    head: Head
    holding: Holding
    transaction: TransactionRow | None
    booked: ReversalRow | None
    entry: EntryRow | None
    booked_transaction: str | None
    stands: Stands | None = None


_transaction = msgspec.json.Decoder(TransactionRow)
_reversal = msgspec.json.Decoder(ReversalRow)
_entry = msgspec.json.Decoder(EntryRow)


def reversal(
    *,
    programme_id: int,
    transaction: str,
    reference: str,
    now: datetime,
    key: Key | None,
    tiers: TierAsk = NOTIERS,
) -> ReversalContext:
    """Everything for a return of the transaction, with all open lots and its own."""
    params = base_params(programme_id, now, key) | {"transaction": transaction, "reference": reference}
    params |= structs.asdict(tiers)
    (row,) = rows(_REVERSAL, params)
    end = HEAD_END + MEMBER_SIZE
    lots, stands, found, booked, entry, booked_transaction = row[end:]
    return ReversalContext(
        head_of(programme_id, row),
        holding_of(programme_id, row[HEAD_END:end], lots),
        _transaction.decode(found) if found else None,
        _reversal.decode(booked) if booked else None,
        _entry.decode(entry) if entry else None,
        booked_transaction,
        stands_decoder.decode(stands) if stands else None,
    )
