"""What the API answers about events, from what is stored: the first answer and its repetition are one code."""

from datetime import datetime
from zoneinfo import ZoneInfo

from loyalty.answers import Body, balance, entries_shown, local, ordered, receipt
from loyalty.engine import Ruleset
from loyalty.events.deciding import Limit, trace
from loyalty.events.types import TypeRule
from loyalty.gather import BookedEvent
from loyalty.ledger import Taken
from loyalty.models import Event
from loyalty.records import EntryRow, EventReversalRow, EventRow


def limit_row(limit: Limit | None) -> Body | None:
    """A reached limit as it is stored."""
    return limit and {**limit._asdict(), "until": limit.until.isoformat() if limit.until else None}


def _limit_shown(row: EventRow, zone: ZoneInfo) -> Body | None:
    limit = row.reached_limit
    if limit is None:
        return None
    until = datetime.fromisoformat(limit["until"]) if limit["until"] else None
    return {"name": limit["name"], "most": limit["most"], "until": local(until, zone)}


def posted(booked: BookedEvent, type_rule: TypeRule, ruleset: Ruleset) -> Body:
    """The answer to an event: as it was first told, and as it is now for one that staff decide."""
    row, zone = booked.row, ruleset.terms.zone
    status = first_status(row) if row.status == Event.Status.REVERSED else row.status
    waits = status in (Event.Status.IN_REVIEW, Event.Status.REFUSED)
    limit = row.reached_limit["name"] if row.reached_limit else None
    dates = {"activates_at": local(row.activates_at, zone), "expires_at": local(row.expires_at, zone)}
    return {
        "reference": row.reference,
        "type": booked.type,
        "status": status,
        "points": row.points,
        "wanted": row.wanted,
        "limit": _limit_shown(row, zone),
        "trace": trace(type_rule.rule, booked.type, row.attributes, ruleset.terms, limit, waits),
        "rule": row.part,
        "ruleset": row.ruleset,
        "entries": entries_shown(row.account_id, booked.entry, **dates),
        "balance": balance(row.balance, row.decided_at or row.recorded_at, zone),
        "receipt": receipt(booked.entry),
        "metadata": ordered(row.metadata),
    }


def first_status(row: EventRow) -> str:
    """What an event that was taken back had been."""
    if row.reached_limit:
        return Event.Status.LIMIT_REACHED.value
    return Event.Status.POSTED.value if row.entry_seq or not row.wanted else Event.Status.IN_REVIEW.value


def shown(
    booked: BookedEvent, type_rule: TypeRule, ruleset: Ruleset, reversal: EventReversalRow | None
) -> Body:
    """An event as it is now."""
    row, zone = booked.row, ruleset.terms.zone
    body = posted(booked, type_rule, ruleset)
    del body["balance"]
    return {
        **body,
        "status": row.status,
        "member": booked.member,
        "occurred_at": local(row.occurred_at, zone),
        "recorded_at": local(row.recorded_at, zone),
        "attributes": ordered(row.attributes),
        "review": row.decided_at
        and {
            "decided_at": local(row.decided_at, zone),
            "reason": row.decision_reason,
        },
        "reversal": reversal
        and {
            "reference": reversal.reference,
            "recorded_at": local(reversal.recorded_at, zone),
            "reason": reversal.reason,
            "points": reversal.points,
        },
    }


def reversed_(row: EventReversalRow, original: BookedEvent, entry: EntryRow | None, zone: ZoneInfo) -> Body:
    """The answer to a reversal, as it was the first time."""
    return {
        "reference": row.reference,
        "event": original.row.reference,
        "points": row.points,
        "original_points": original.row.points,
        "taken_from": {name: row.taken_from[name] for name in Taken._fields},
        "limits_freed": row.freed,
        "event_status": Event.Status.REVERSED.value,
        "entries": entries_shown(row.account_id, entry),
        "balance": balance(row.balance, row.recorded_at, zone),
        "receipt": receipt(entry),
        "reason": row.reason,
        "metadata": ordered(row.metadata),
    }
