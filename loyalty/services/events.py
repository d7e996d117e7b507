"""Event rewarding: from something a member did to points, exactly once by reference."""

import secrets
from typing import Any

from uuid_utils.compat import uuid7

from config.kernel.errors import NotFound, RistourneError
from config.kernel.sql import from_hex, hex_text
from loyalty import chain, gather, ledger, standings
from loyalty.apply import Activity, Call
from loyalty.engine import Ruleset, calendar
from loyalty.errors import ReferenceConflict
from loyalty.events import answers as event_answers
from loyalty.events.deciding import Decision
from loyalty.events.types import TypeRule, type_rule
from loyalty.gather import BookedEvent, EventContext
from loyalty.idempotency import Answer, Write
from loyalty.ledger import ISSUANCE, Account, Posting, Source
from loyalty.models import Event
from loyalty.records import EntryRow, EventRow, entry_row, figures_row
from loyalty.rulesets import Timeline, by_hash
from loyalty.services.baskets import check_member, check_programme, check_window, progress_of
from loyalty.services.evaluations import points_dates
from loyalty.services.event_evaluations import EventCommand, check_event, decided, device_hash, gather_event
from loyalty.services.writes import answer, conclude, is_final, known, refused, repeat

STATUS = {Event.Status.POSTED: 201, Event.Status.IN_REVIEW: 202, Event.Status.LIMIT_REACHED: 200}
"""What an event is answered with the first time."""


def event_post(*, write: Write, command: EventCommand) -> Answer:
    """Book one event: 201 with the points, 200 when a limit is reached, 202 when staff decide; 200 for a
    repetition, or the refusal.

    Raises NotFound, ValidationFailed, OccurredAtOutOfWindow; final refusals are kept under the key and answered.
    """
    accounts: list[int] = []
    device = device_hash(write.programme_id, command.device) if command.device is not None else None

    def attempt() -> Answer:
        context, rules = gather_event(write, command, device)
        first = known(write, context.head)
        if first:
            return first if first.body else again(first, command, context.booked, write.programme_id)
        accounts[:] = [context.holding.person.id] if context.holding.person else []
        call = Call(write.now)
        try:
            given = _decide(write, command, context, rules, device, call)
        except RistourneError as error:
            if write.key and is_final(error):
                return conclude(write, Call(write.now), refused(write, error), holding=context.holding)
            raise
        # An event that staff decide is told differently later; all others are made again of what is stored.
        return conclude(write, call, given, holding=context.holding, keeps_body=given.status == 202)

    def lock_counter() -> None:
        if device is not None:
            gather.lock_device(write.programme_id, command.type, device)

    return repeat(write, attempt, lambda: accounts, more_locks=lock_counter)


def again(first: Answer, command: EventCommand, booked: BookedEvent | None, programme_id: int) -> Answer:
    """The first answer under a key, made again of the event, which keeps all it is made of."""
    if booked is None:
        raise NotFound
    return answer(first.status, repeated(command, booked, programme_id), replayed=True)


def repeated(command: EventCommand, booked: BookedEvent, programme_id: int) -> dict[str, Any]:
    """The answer to an event that exists; ReferenceConflict when the content is another."""
    if from_hex(booked.row.content) != command.content():
        raise ReferenceConflict("This reference is booked with other content.")
    return body_of(booked, programme_id)


def body_of(booked: BookedEvent, programme_id: int) -> dict[str, Any]:
    """What is answered about an event, from its row."""
    row = booked.row
    return event_answers.posted(booked, type_rule(programme_id, row.part), by_hash(programme_id, row.ruleset))


def _decide(
    write: Write,
    command: EventCommand,
    context: EventContext,
    rules: Timeline,
    device: bytes | None,
    call: Call,
) -> Answer:
    if context.booked:
        return answer(200, repeated(command, context.booked, write.programme_id), replayed=True)
    check_programme(context.head)
    if context.type is None:
        raise NotFound
    person = check_member(context.holding.person)
    check_window(command.occurred_at, context.head, write.now)
    found = type_rule(write.programme_id, context.type.part)
    ruleset = rules.at(command.occurred_at)
    check_event(command, found, context)
    decision = decided(command, found, context, ruleset)
    account = context.holding.account or Account(person.id, write.programme_id, settled_at=write.now)
    posting = ledger.begin(account, context.holding.lots, write.now)
    row = _row(write, command, context, posting, ruleset, decision)
    if found.rule.device_caps and device is not None:
        row.device = hex_text(device)
        if decision.limit is None:
            _guard(call, row, context.device_version)
    entry = book(posting, row, decision.points, ruleset, found) if decision.points else None
    row.balance = figures_row(posting.account.figures)
    call.post(posting)
    call.add("events", row)
    standings.count(call, posting.account, progress_of(context.stands, rules), row.day, row.qualifying)
    tell(call, posting.account, row)
    booked = BookedEvent(row, entry, person.number, command.type)
    return answer(STATUS[Event.Status(row.status)], event_answers.posted(booked, found, ruleset))


def _row(
    write: Write,
    command: EventCommand,
    context: EventContext,
    posting: Posting,
    ruleset: Ruleset,
    decision: Decision,
) -> EventRow:
    """The event's row as it stands before anything is booked."""
    if context.type is None:
        raise NotFound
    return EventRow(
        id=uuid7(),
        programme_id=write.programme_id,
        account_id=posting.account.id,
        type_id=context.type.id,
        partner_id=write.partner_id,
        reference=command.reference,
        occurred_at=command.occurred_at,
        recorded_at=posting.now,
        day=calendar.local_day(command.occurred_at, ruleset.terms.zone),
        attributes=command.attributes,
        device=None,
        content=hex_text(command.content()),
        metadata=command.metadata,
        part=context.type.part,
        ruleset=ruleset.hash,
        wanted=decision.wanted,
        reached_limit=event_answers.limit_row(decision.limit),
        status=decision.status,
        points=0,
        qualifying=0,
        activates_at=None,
        expires_at=None,
        entry_seq=None,
        salt=hex_text(secrets.token_bytes(16)),
        balance={},
    )


def _guard(call: Call, row: EventRow, version: int) -> None:
    """The event counts for its device: only if nobody counted one meanwhile."""
    call.add(
        "devices",
        {
            "programme_id": row.programme_id,
            "type_id": row.type_id,
            "device": row.device,
            "account_id": row.account_id,
            "expected": version,
        },
    )


def book(posting: Posting, row: EventRow, points: int, ruleset: Ruleset, found: TypeRule) -> EntryRow | None:
    """Give the points of an event and complete its row."""
    active, expiry = points_dates(row.occurred_at, posting.now, ruleset)
    entry = ledger.earn(
        posting,
        kind="event",
        counterpart=ISSUANCE,
        points=points,
        occurred_at=row.occurred_at,
        activates_at=active,
        expires_at=expiry,
        source=Source(row.id, chain.commitment(from_hex(row.salt), row.reference)),
    )
    row.points = points
    row.qualifying = points if found.rule.qualifying else 0
    if entry:
        row.activates_at, row.expires_at, row.entry_seq = active, expiry, entry.seq
    return entry_row(entry)


def tell(call: Call, account: Account, row: EventRow) -> None:
    """The member's activity and the news of an event that gave points."""
    if row.points:
        call.live(account, row.day, Activity(earned=row.points, qualifying=row.qualifying))
    if row.status == Event.Status.POSTED:
        call.tell(account, "event.rewarded", {"event": row.id, "points": row.points})
