"""Gather for events: one query for everything that a decision about one event needs to know."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import NamedTuple

import msgspec
from msgspec import structs

from config.kernel.sql import rows
from loyalty.events.deciding import Counted, DeviceCounted
from loyalty.gather.columns import (
    HEAD,
    HEAD_END,
    LOT,
    LOTS,
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
from loyalty.records import EntryRow, EventReversalRow, EventRow
from loyalty.standings import Stands

_COUNTS = "v.account_id = m.id AND v.type_id = y.id AND v.status IN ('posted', 'in_review')"

EVENT = f"""
SELECT 1, {HEAD}, {MEMBER}, {LOTS},
    (SELECT array_agg(s.code) FROM segments_membership g JOIN segments_segment s ON s.id = g.segment_id
     WHERE g.member_id = m.id AND g.valid_from <= %(at)s AND (g.valid_until IS NULL OR %(at)s < g.valid_until)),
    y.id, y.is_active, y.part,
    CASE WHEN y.id IS NOT NULL THEN (
        SELECT jsonb_build_array(count(*),
            count(*) FILTER (WHERE v.day >= %(month)s::date AND v.day < %(next_month)s::date),
            count(*) FILTER (WHERE v.day >= %(week)s::date AND v.day < %(week)s::date + 7),
            count(*) FILTER (WHERE v.day = %(day)s::date),
            max(v.occurred_at) FILTER (WHERE v.occurred_at <= %(at)s),
            min(v.occurred_at) FILTER (WHERE v.occurred_at > %(at)s))::text
        FROM loyalty_event v WHERE {_COUNTS}) END,
    (SELECT d.version FROM loyalty_eventdevice d WHERE d.type_id = y.id AND d.device = %(device)s::bytea),
    CASE WHEN %(device)s::bytea IS NOT NULL THEN (
        SELECT jsonb_build_array(count(*), count(*) FILTER (WHERE v.day = %(day)s::date))::text
        FROM loyalty_event v WHERE v.type_id = y.id AND v.device = %(device)s::bytea
            AND v.status IN ('posted', 'in_review')) END,
    {TIERS.format(lead="true", day="%(day)s::date")},
    row_to_json(b)::text,
    (SELECT row_to_json(e)::text FROM loyalty_entry e WHERE e.account_id = b.account_id AND e.seq = b.entry_seq),
    (SELECT o.number FROM members_member o WHERE o.id = b.account_id),
    (SELECT z.code FROM loyalty_eventtype z WHERE z.id = b.type_id)
FROM members_programme p
LEFT JOIN loyalty_ruleshead h ON h.programme_id = p.id
LEFT JOIN members_member m ON m.programme_id = p.id AND m.number = %(number)s
LEFT JOIN loyalty_account c ON c.id = m.id
LEFT JOIN loyalty_eventtype y ON y.programme_id = p.id AND y.code = %(type)s
LEFT JOIN loyalty_event b ON b.programme_id = p.id AND b.reference = %(reference)s
WHERE p.id = %(programme)s
"""

_BOOKED = f"""
SELECT 1, {HEAD}, {MEMBER},
    (SELECT jsonb_agg(jsonb_build_array({LOT}))::text FROM {OPEN_LOTS_AND.format(which="= b.entry_seq")}),
    {TIERS.format(lead="true", day="b.day")},
    row_to_json(b)::text,
    (SELECT row_to_json(e)::text FROM loyalty_entry e WHERE e.account_id = b.account_id AND e.seq = b.entry_seq),
    (SELECT z.code FROM loyalty_eventtype z WHERE z.id = b.type_id),
    row_to_json(r)::text,
    (SELECT row_to_json(e)::text FROM loyalty_entry e WHERE e.account_id = r.account_id AND e.seq = r.entry_seq),
    (SELECT row_to_json(x)::text FROM loyalty_eventreversal x WHERE x.event_id = b.id)
FROM members_programme p
LEFT JOIN loyalty_ruleshead h ON h.programme_id = p.id
LEFT JOIN loyalty_event b ON b.programme_id = p.id AND b.reference = %(event)s
LEFT JOIN members_member m ON m.id = b.account_id
LEFT JOIN loyalty_account c ON c.id = b.account_id
LEFT JOIN loyalty_eventreversal r ON r.programme_id = p.id AND r.reference = %(reference)s
WHERE p.id = %(programme)s
"""


class TypeFound(NamedTuple):
    """An event type: its id, whether it is switched on, and the hash of what it asks and gives."""

    id: int
    is_active: bool
    part: str


class BookedEvent(NamedTuple):
    """An event that exists, its entry, its member's number and its type's code."""

    row: EventRow
    entry: EntryRow | None
    member: str
    type: str


@dataclass(slots=True)
class EventContext:
    """What is known for an event; `device_version` is what its device's counter stands at."""

    head: Head
    holding: Holding
    segments: frozenset[str]
    type: TypeFound | None
    counted: Counted
    device_version: int
    on_device: DeviceCounted
    booked: BookedEvent | None
    stands: Stands | None


@dataclass(slots=True)
class BookedEventContext:
    """What is known for a decision about an event that exists; `booked` is a reversal under the reference asked
    for, `reversal` the one the event has."""

    head: Head
    holding: Holding
    event: BookedEvent | None
    booked: EventReversalRow | None
    entry: EntryRow | None
    reversal: EventReversalRow | None
    stands: Stands | None


_counted = msgspec.json.Decoder(tuple[int, int, int, int, datetime | None, datetime | None])
_on_device = msgspec.json.Decoder(tuple[int, int])
_event = msgspec.json.Decoder(EventRow)
_reversal = msgspec.json.Decoder(EventReversalRow)
_entry = msgspec.json.Decoder(EntryRow)


def event(
    *,
    programme_id: int,
    number: str,
    type_: str,
    reference: str,
    at: datetime,
    day: date,
    device: bytes | None,
    now: datetime,
    key: Key | None,
    tiers: TierAsk = NOTIERS,
) -> EventContext:
    """One round trip. `day` is the programme's day of `at`: its week and month are counted too."""
    first = day.replace(day=1)
    params = base_params(programme_id, now, key) | structs.asdict(tiers)
    params |= {
        "all_lots": False,
        "number": number,
        "type": type_,
        "reference": reference,
        "at": at,
        "day": day,
        "week": day - timedelta(days=day.weekday()),
        "month": first,
        "next_month": (first + timedelta(days=31)).replace(day=1),
        "device": device,
    }
    (row,) = rows(EVENT, params)
    end = HEAD_END + MEMBER_SIZE
    lots, segments, type_id, is_active, part, counted, version, on_device, *more = row[end:]
    stands, found, entry, member, code = more
    return EventContext(
        head=head_of(programme_id, row),
        holding=holding_of(programme_id, row[HEAD_END:end], lots),
        segments=frozenset(segments or ()),
        type=None if type_id is None else TypeFound(type_id, is_active, part),
        counted=Counted(*_counted.decode(counted)) if counted else Counted(),
        device_version=version or 0,
        on_device=DeviceCounted(*_on_device.decode(on_device)) if on_device else DeviceCounted(),
        booked=_booked(found, entry, member, code),
        stands=stands_decoder.decode(stands) if stands else None,
    )


def booked_event(
    *,
    programme_id: int,
    event: str,
    reference: str,
    now: datetime,
    key: Key | None,
    tiers: TierAsk = NOTIERS,
) -> BookedEventContext:
    """Everything about an event that exists, with all open lots and its own. `reference` is a reversal's."""
    params = base_params(programme_id, now, key) | {"event": event, "reference": reference}
    params |= structs.asdict(tiers)
    (row,) = rows(_BOOKED, params)
    end = HEAD_END + MEMBER_SIZE
    lots, stands, found, entry, code, booked, booked_entry, reversal = row[end:]
    holding = holding_of(programme_id, row[HEAD_END:end], lots)
    return BookedEventContext(
        head=head_of(programme_id, row),
        holding=holding,
        event=_booked(found, entry, holding.person.number if holding.person else "", code),
        booked=_reversal.decode(booked) if booked else None,
        entry=_entry.decode(booked_entry) if booked_entry else None,
        reversal=_reversal.decode(reversal) if reversal else None,
        stands=stands_decoder.decode(stands) if stands else None,
    )


def _booked(found: str | None, entry: str | None, member: str, code: str) -> BookedEvent | None:
    if found is None:
        return None
    return BookedEvent(_event.decode(found), _entry.decode(entry) if entry else None, member, code)


_LOCK_DEVICE = """
INSERT INTO loyalty_eventdevice AS d (programme_id, type_id, device, version)
SELECT y.programme_id, y.id, %(device)s, 0 FROM loyalty_eventtype y
WHERE y.programme_id = %(programme)s AND y.code = %(type)s
ON CONFLICT (type_id, device) DO UPDATE SET version = d.version RETURNING 1"""


def lock_device(programme_id: int, type_: str, device: bytes) -> None:
    """Take the lock of a device's counter, last of all locks. Inside a database transaction only."""
    rows(_LOCK_DEVICE, {"programme": programme_id, "type": type_, "device": device})
