"""What becomes of an event later: staff approve or refuse it, or it is taken back."""

import secrets
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from uuid_utils.compat import uuid7

from config.kernel.errors import NotFound, RistourneError
from config.kernel.sql import from_hex, hex_text
from loyalty import chain, gather, ledger, standings
from loyalty.apply import Activity, Call
from loyalty.errors import AlreadyReversed, EventDecided, ReferenceConflict
from loyalty.events import answers as event_answers
from loyalty.events.types import type_rule
from loyalty.gather import BookedEvent, BookedEventContext, TierAsk
from loyalty.idempotency import Answer, Write
from loyalty.ledger import Posting, Source
from loyalty.models import Event
from loyalty.records import EventReversalRow, entry_row, figures_row
from loyalty.rulesets import Timeline, by_hash
from loyalty.services.baskets import check_member, check_not_erased, check_programme, progress_of
from loyalty.services.events import book, tell
from loyalty.services.writes import answer, conclude, is_final, known, refused, repeat

COUNTED = (Event.Status.POSTED.value, Event.Status.IN_REVIEW.value)
"""What limits count."""
REVERSIBLE = (*COUNTED, Event.Status.LIMIT_REACHED.value)


@dataclass(frozen=True, slots=True)
class EventReversalCommand:
    """An event to take back; `actor` is `staff:<username>` where staff do."""

    event: str
    reference: str
    reason: str = ""
    actor: str = ""
    dry_run: bool = False
    metadata: dict[str, Any] = field(default_factory=dict)

    def content(self) -> bytes:
        """SHA-256 of what makes two reversals the same: the event."""
        return chain.digest(self.event)


def event_reverse(*, write: Write, command: EventReversalCommand) -> Answer:
    """Take back what an event gave, by the rules of returns: 201, 200 for a repetition or a dry run, or the
    refusal. Its limits are free again, in the day, week and month it counted in.

    Raises NotFound; AlreadyReversed and InsufficientPoints are final, kept under the key and returned as answers.
    """
    accounts: list[int] = []

    def attempt() -> Answer:
        context, rules = _gathered(write, command.event, command.reference)
        first = known(write, context.head)
        if first:
            return first
        accounts[:] = [context.event.row.account_id] if context.event else []
        call = Call(write.now)
        try:
            given = _taken_back(write, command, context, rules, call)
        except RistourneError as error:
            if write.key and is_final(error) and not command.dry_run:
                return conclude(write, Call(write.now), refused(write, error), holding=context.holding)
            raise
        return given if command.dry_run else conclude(write, call, given, holding=context.holding)

    return repeat(write, attempt, lambda: accounts)


def _gathered(write: Write, event: str, reference: str = "") -> tuple[BookedEventContext, Timeline]:
    """Everything about the event and the rules in force, in one query unless the rules changed."""
    return gather.under_rules(
        write.programme_id,
        lambda known: gather.booked_event(
            programme_id=write.programme_id,
            event=event,
            reference=reference,
            now=write.now,
            key=write.key,
            tiers=TierAsk.of(known.tiers if known else None, write.now),
        ),
    )


def _taken_back(
    write: Write, command: EventReversalCommand, context: BookedEventContext, rules: Timeline, call: Call
) -> Answer:
    event, account = context.event, context.holding.account
    if event is None or account is None:
        raise NotFound
    zone = by_hash(write.programme_id, event.row.ruleset).terms.zone
    if context.booked:
        if from_hex(context.booked.content) != command.content():
            raise ReferenceConflict("This reference is booked with other content.")
        body = event_answers.reversed_(context.booked, event, context.entry, zone)
        return answer(200, body, replayed=True)
    check_programme(context.head)
    check_not_erased(context.holding.person)
    if event.row.status not in REVERSIBLE:
        raise AlreadyReversed("Nothing is left to take back.")
    posting = ledger.begin(account, context.holding.lots, write.now)
    row, entry = _reversal(write, command, context, event, posting)
    body = event_answers.reversed_(row, event, entry_row(entry), zone)
    if command.dry_run:
        return answer(200, {**body, "dry_run": True})
    call.post(posting)
    call.add("event_reversals", row)
    progress = progress_of(context.stands, rules)
    standings.count(call, posting.account, progress, event.row.day, -event.row.qualifying)
    if event.row.points:
        lost = Activity(earned=-event.row.points, qualifying=-event.row.qualifying)
        call.live(posting.account, event.row.day, lost)
    call.tell(posting.account, "event.reversed", {"event": event.row.id, "points": row.points})
    event.row.status = Event.Status.REVERSED.value
    call.add("event_changes", event.row)
    return answer(201, body)


def _reversal(
    write: Write,
    command: EventReversalCommand,
    context: BookedEventContext,
    event: BookedEvent,
    posting: Posting,
) -> tuple[EventReversalRow, ledger.Entry | None]:
    """Take the points and make the reversal's row."""
    salt, id_ = secrets.token_bytes(16), uuid7()
    entry, taken = ledger.reverse(
        posting,
        own=next((lot for lot in posting.lots if lot.seq == event.row.entry_seq), None),
        points=event.row.points,
        overdraw=context.head.overdraw,
        occurred_at=posting.now,
        source=Source(id_, chain.commitment(salt, command.reference, command.reason)),
    )
    row = EventReversalRow(
        id=id_,
        programme_id=write.programme_id,
        account_id=event.row.account_id,
        event_id=event.row.id,
        partner_id=write.partner_id,
        actor=command.actor,
        reference=command.reference,
        reason=command.reason,
        recorded_at=posting.now,
        content=hex_text(command.content()),
        points=entry.points if entry else 0,
        taken_from=taken._asdict(),
        freed=event.row.status in COUNTED,
        entry_seq=entry.seq if entry else None,
        salt=hex_text(salt),
        balance=figures_row(posting.account.figures),
        metadata=command.metadata,
    )
    return row, entry


def event_decide(*, event: Event, approve: bool, actor: str, reason: str = "", now: datetime) -> None:
    """Approve or refuse an event in review; `actor` is `staff:<username>`.

    Approved, it gives what it was worth when it was sent, by the terms of then; refused, it counts for no limit.
    Raises EventDecided, MemberNotActive, ProgrammeNotActive.
    """
    write = Write(event.programme_id, now)

    def attempt() -> Answer:
        context, rules = _gathered(write, event.reference)
        found, account = context.event, context.holding.account
        if found is None or account is None:
            raise NotFound
        row = found.row
        if row.status != Event.Status.IN_REVIEW:
            raise EventDecided("This event is decided already.")
        posting, call = ledger.begin(account, context.holding.lots, now), Call(now)
        row.decided_by, row.decided_at, row.decision_reason = actor, posting.now, reason
        if approve:
            check_programme(context.head)
            check_member(context.holding.person)
            _approve(posting, found)
        else:
            row.status = Event.Status.REFUSED.value
        row.balance = figures_row(posting.account.figures)
        call.post(posting)
        call.add("event_changes", row)
        progress = progress_of(context.stands, rules)
        standings.count(call, posting.account, progress, row.day, row.qualifying)
        tell(call, posting.account, row)
        return conclude(write, call, answer(200, {"status": row.status}))

    repeat(write, attempt, lambda: [event.account_id])


def _approve(posting: Posting, found: BookedEvent) -> None:
    row = found.row
    row.status = Event.Status.POSTED.value
    ruleset = by_hash(row.programme_id, row.ruleset)
    book(posting, row, row.wanted, ruleset, type_rule(row.programme_id, row.part))
