"""Event rewarding: from something a member did to points, exactly once by reference."""

import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import msgspec
from django.conf import settings
from uuid_utils.compat import uuid7

from config.kernel.errors import FieldError, NotFound, RistourneError, ValidationFailed
from config.kernel.sql import from_hex, hex_text
from loyalty import chain, gather, ledger, standings
from loyalty.apply import Activity, Call
from loyalty.engine import Ruleset, calendar
from loyalty.engine.numbers import LARGEST_POSTING
from loyalty.errors import ReferenceConflict
from loyalty.events import answers as event_answers
from loyalty.events.deciding import Decision, decide, trace
from loyalty.events.rules import AttributeRefused
from loyalty.events.schema import exact
from loyalty.events.types import TypeRule, type_rule
from loyalty.gather import BookedEvent, EventContext, TierAsk
from loyalty.idempotency import Answer
from loyalty.ledger import ISSUANCE, Account, Posting, Source
from loyalty.models import Event
from loyalty.records import EntryRow, EventRow, figures_row
from loyalty.rulesets import Timeline, by_hash, latest, timeline
from loyalty.services.baskets import check_member, check_programme, check_window, progress_of
from loyalty.services.evaluations import points_dates
from loyalty.services.transactions import entry_row, refused
from loyalty.services.writes import Write, answer, conclude, is_final, known, repeat

STATUS = {Event.Status.POSTED: 201, Event.Status.IN_REVIEW: 202, Event.Status.LIMIT_REACHED: 200}
"""What an event is answered with the first time."""


@dataclass(frozen=True, slots=True)
class EventCommand:
    """Something a member did. `device` is the caller's identifier of a device; only an HMAC of it is kept."""

    reference: str
    type: str
    member: str
    occurred_at: datetime
    attributes: dict[str, Any] = field(default_factory=dict)
    device: str | None = None
    metadata: dict[str, Any] = field(default_factory=dict)

    def content(self) -> bytes:
        """SHA-256 of what makes two events the same: all but reference, device and metadata."""
        attributes = msgspec.json.encode(normalised(exact(self.attributes)), order="sorted")
        return chain.digest(self.type, self.member, self.occurred_at, attributes)


def normalised(value: Any) -> Any:
    """JSON values in which equal numbers are written alike: 9, 9.0 and 9.00 are one content."""
    if isinstance(value, dict):
        return {name: normalised(item) for name, item in value.items()}
    if isinstance(value, list):
        return [normalised(item) for item in value]
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else str(value.normalize())
    return value


def device_hash(programme_id: int, device: str) -> bytes:
    """HMAC-SHA256 of a device's identifier under DEVICE_KEY: tells no device and links no two programmes."""
    text = f"{programme_id}:{device}".encode()
    return hmac.new(settings.DEVICE_KEY.encode(), text, hashlib.sha256).digest()


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


def gather_event(write: Write, command: EventCommand, device: bytes | None) -> tuple[EventContext, Timeline]:
    """Everything about the event and the rules in force, in one query unless the rules changed."""
    rules = latest(write.programme_id)
    while True:
        context = gather.event(
            programme_id=write.programme_id,
            number=command.member,
            type_=command.type,
            reference=command.reference,
            at=command.occurred_at,
            day=_day(command, rules),
            device=device,
            now=write.now,
            key=write.key,
            tiers=TierAsk.of(rules.tiers if rules else None, write.now),
        )
        if rules is not None and rules.version == context.head.rules_version:
            return context, rules
        rules = timeline(write.programme_id, context.head.rules_version)


def _day(command: EventCommand, rules: Timeline | None) -> date:
    return command.occurred_at.astimezone(rules.zone if rules else None).date()


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


def check_event(command: EventCommand, found: TypeRule, context: EventContext) -> None:
    """ValidationFailed with every reason why the type takes no such event of this member."""
    rule, errors = found.rule, list[FieldError]()
    if context.type is not None and not context.type.is_active:
        errors.append(FieldError("/type", "event_type_inactive", "This event type is switched off."))
    if not rule.runs_at(command.occurred_at):
        text = "occurred_at is outside the window in which this event type runs."
        errors.append(FieldError("/occurred_at", "outside_window", text))
    if rule.segments and context.segments.isdisjoint(rule.segments):
        text = "The member was in none of the event type's segments then."
        errors.append(FieldError("/member", "not_in_segment", text))
    if rule.device_caps and command.device is None:
        errors.append(FieldError("/device", "missing", "This event type limits devices: say which it was."))
    errors += found.attribute_errors(command.attributes)
    if errors:
        raise ValidationFailed(errors=errors)


def decided(command: EventCommand, found: TypeRule, context: EventContext, ruleset: Ruleset) -> Decision:
    """The decision about an event that is allowed; ValidationFailed when its points cannot be told."""
    try:
        decision = decide(
            found.rule,
            occurred_at=command.occurred_at,
            attributes=command.attributes,
            counted=context.counted,
            on_device=context.on_device,
            terms=ruleset.terms,
            approval_limit=context.head.approval_limit,
        )
    except AttributeRefused as error:
        text = "A number from 0 with at most 10 digits and 4 decimals."
        raise ValidationFailed.at(f"/attributes/{error}", "invalid_amount", text) from error
    if decision.wanted > LARGEST_POSTING:
        pointer = f"/attributes/{found.rule.attribute}"
        raise ValidationFailed.at(pointer, "too_many_points", "One posting moves at most 2**53 points.")
    return decision


def event_preview(*, programme_id: int, command: EventCommand, now: datetime) -> dict[str, Any]:
    """What an event would give now: the answer without booking. Raises what posting it would raise."""
    device = device_hash(programme_id, command.device) if command.device else None
    context, rules = gather_event(Write(programme_id, now), command, device)
    check_programme(context.head)
    if context.type is None:
        raise NotFound
    check_member(context.holding.person)
    check_window(command.occurred_at, context.head, now)
    found = type_rule(programme_id, context.type.part)
    ruleset = rules.at(command.occurred_at)
    check_event(command, found, context)
    decision = decided(command, found, context, ruleset)
    active, expiry = points_dates(command.occurred_at, now, ruleset)
    limit = decision.limit.name if decision.limit else None
    waits = decision.status == Event.Status.IN_REVIEW
    return {
        "status": decision.status,
        "points": decision.points,
        "wanted": decision.wanted,
        "limit": decision.limit,
        "trace": trace(found.rule, found.code, command.attributes, ruleset.terms, limit, waits),
        "activates_at": active,
        "expires_at": expiry,
    }


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
