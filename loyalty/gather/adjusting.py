"""Gather for adjustments: a member with all open lots."""

from dataclasses import dataclass
from datetime import datetime

import msgspec

from config.kernel.sql import rows
from loyalty.gather.columns import (
    HEAD,
    HEAD_END,
    LOTS,
    MEMBER,
    MEMBER_SIZE,
    Head,
    Holding,
    base_params,
    head_of,
    holding_of,
)
from loyalty.idempotency import Key
from loyalty.records import AdjustmentRow, EntryRow

_ADJUSTMENT = f"""
SELECT 1, {HEAD}, {MEMBER}, {LOTS}, row_to_json(j)::text,
    (SELECT row_to_json(e)::text FROM loyalty_entry e WHERE e.account_id = j.account_id AND e.seq = j.entry_seq),
    (SELECT o.number FROM members_member o WHERE o.id = j.account_id)
FROM members_programme p
LEFT JOIN loyalty_ruleshead h ON h.programme_id = p.id
LEFT JOIN members_member m ON m.programme_id = p.id AND m.number = %(number)s
LEFT JOIN loyalty_account c ON c.id = m.id
LEFT JOIN loyalty_adjustment j ON j.programme_id = p.id AND j.reference = %(reference)s
WHERE p.id = %(programme)s
"""


@dataclass(slots=True)
class AdjustmentContext:
    """What is known for an adjustment, and one booked under that reference."""

    head: Head
    holding: Holding
    booked: AdjustmentRow | None
    entry: EntryRow | None
    booked_member: str | None


_adjustment = msgspec.json.Decoder(AdjustmentRow)
_entry = msgspec.json.Decoder(EntryRow)


def adjustment(
    *, programme_id: int, number: str, reference: str, now: datetime, key: Key | None
) -> AdjustmentContext:
    """Everything for an adjustment of the member's points, with all open lots."""
    params = base_params(programme_id, now, key) | {
        "number": number,
        "reference": reference,
        "all_lots": True,
    }
    (row,) = rows(_ADJUSTMENT, params)
    end = HEAD_END + MEMBER_SIZE
    lots, booked, entry, member = row[end:]
    return AdjustmentContext(
        head_of(programme_id, row),
        holding_of(programme_id, row[HEAD_END:end], lots),
        _adjustment.decode(booked) if booked else None,
        _entry.decode(entry) if entry else None,
        member,
    )
