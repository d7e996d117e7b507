"""Corrections with a reason; above the programme's limit a second person decides."""

import secrets
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec
from uuid_utils.compat import uuid7

from config.kernel.errors import FieldError, NotFound, RistourneError, ValidationFailed
from config.kernel.sql import from_hex, hex_text
from loyalty import answers, chain, gather, ledger
from loyalty.apply import Activity, Call
from loyalty.engine import Ruleset, calendar
from loyalty.errors import AdjustmentDecided, ReferenceConflict, SamePerson
from loyalty.gather import AdjustmentContext
from loyalty.idempotency import Answer, Write
from loyalty.ledger import ADJUSTMENT, Account, Posting, Source
from loyalty.models import Adjustment
from loyalty.records import AdjustmentRow, EntryRow, entry_row, figures_row
from loyalty.rulesets import timeline
from loyalty.services.baskets import check_member, check_programme
from loyalty.services.writes import answer, conclude, is_final, known, refused, repeat


@dataclass(frozen=True, slots=True)
class AdjustmentCommand:
    """Points to add or (negative) take, with the reason; `actor` is who asks for it.

    `may_owe` lets a negative one go into debt: staff may choose it, partners may not.
    """

    member: str
    reference: str
    points: int
    reason: str
    actor: str
    expires_at: datetime | None = None
    may_owe: bool = False
    metadata: dict[str, Any] = field(default_factory=dict)

    def content(self) -> bytes:
        """SHA-256 of what makes two adjustments the same."""
        return chain.digest(self.member, self.points, self.reason, self.expires_at or "")


def adjustment_post(*, write: Write, command: AdjustmentCommand) -> Answer:
    """Adjust a member's points: 201 posted, 202 waiting for a second person, 200 for a repetition, or the refusal.

    Raises NotFound and ValidationFailed; final refusals are kept under the key and returned as answers.
    """
    accounts: list[int] = []

    def attempt() -> Answer:
        context = gather.adjustment(
            programme_id=write.programme_id,
            number=command.member,
            reference=command.reference,
            now=write.now,
            key=write.key,
        )
        first = known(write, context.head)
        if first:
            return first
        accounts[:] = [context.holding.person.id] if context.holding.person else []
        call = Call(write.now)
        try:
            given = _decide(write, command, context, call)
        except RistourneError as error:
            if write.key and is_final(error):
                return conclude(write, Call(write.now), refused(write, error), holding=context.holding)
            raise
        return conclude(write, call, given, holding=context.holding)

    return repeat(write, attempt, lambda: accounts)


def _decide(write: Write, command: AdjustmentCommand, context: AdjustmentContext, call: Call) -> Answer:
    ruleset = timeline(write.programme_id, context.head.rules_version).at(write.now)
    zone = ruleset.terms.zone
    if context.booked:
        if from_hex(context.booked.content) != command.content():
            raise ReferenceConflict("This reference is booked with other content.")
        body = answers.adjusted(context.booked, context.entry, command.member, zone)
        return answer(200, body, replayed=True)
    check_programme(context.head)
    person = check_member(context.holding.person)
    if command.expires_at is not None and command.expires_at <= write.now:
        error = FieldError("/expires_at", "in_the_past", "expires_at must lie ahead.")
        raise ValidationFailed(errors=[error])
    account = context.holding.account or Account(person.id, write.programme_id, settled_at=write.now)
    row = _waiting(write, command, account)
    posting = ledger.begin(account, context.holding.lots, write.now)
    limit = context.head.approval_limit
    if limit is not None and abs(command.points) > limit:
        call.post(posting)
        call.add("adjustments", row)
        return answer(202, answers.adjusted(row, None, command.member, zone))
    entry = _move(posting, row, ruleset, command.expires_at, command.may_owe)
    call.post(posting)
    _tell(call, posting, row, ruleset)
    call.add("adjustments", row)
    return answer(201, answers.adjusted(row, entry, command.member, zone))


def _waiting(write: Write, command: AdjustmentCommand, account: Account) -> AdjustmentRow:
    return AdjustmentRow(
        id=uuid7(),
        programme_id=write.programme_id,
        account_id=account.id,
        reference=command.reference,
        points=command.points,
        reason=command.reason,
        actor=command.actor,
        status=Adjustment.Status.WAITING.value,
        content=hex_text(command.content()),
        salt=hex_text(secrets.token_bytes(16)),
        recorded_at=write.now,
        expires_at=command.expires_at,
        metadata=command.metadata,
    )


def _move(
    posting: Posting, row: AdjustmentRow, ruleset: Ruleset, expires_at: datetime | None, may_owe: bool
) -> EntryRow | None:
    """Book the points and complete the row. InsufficientPoints when there are not enough."""
    now = posting.now
    source = Source(row.id, chain.commitment(from_hex(row.salt), row.reference, row.reason))
    if row.points > 0:
        expiry = expires_at or calendar.expires_at(now, ruleset.terms.zone, ruleset.terms.lifetime)
        entry = ledger.earn(
            posting,
            kind="adjustment",
            counterpart=ADJUSTMENT,
            points=row.points,
            occurred_at=now,
            activates_at=now,
            expires_at=expiry,
            source=source,
        )
        row.activates_at, row.expires_at = now, expiry
    else:
        entry = ledger.take(posting, points=-row.points, occurred_at=now, source=source, may_owe=may_owe)
    row.status, row.posted_at = Adjustment.Status.POSTED.value, now
    row.entry_seq = entry.seq if entry else None
    row.balance = figures_row(posting.account.figures)
    return entry_row(entry)


def _tell(call: Call, posting: Posting, row: AdjustmentRow, ruleset: Ruleset) -> None:
    change = Activity(earned=row.points) if row.points > 0 else Activity(burned=-row.points)
    call.live(posting.account, calendar.local_day(posting.now, ruleset.terms.zone), change)
    call.tell(posting.account, "points.adjusted", {"adjustment": row.id, "points": row.points})


def adjustment_decide(*, adjustment: Adjustment, approve: bool, actor: str, now: datetime) -> None:
    """A second person approves or refuses a waiting adjustment; `actor` is `staff:<username>`.

    Raises SamePerson (who asked may not decide), AdjustmentDecided, MemberNotActive, InsufficientPoints.
    """
    write = Write(adjustment.programme_id, now)
    number = adjustment.member_number()

    def attempt() -> Answer:
        context = gather.adjustment(
            programme_id=write.programme_id, number=number, reference=adjustment.reference, now=now, key=None
        )
        row, account = context.booked, context.holding.account
        if row is None or account is None:
            raise NotFound
        if row.actor == actor:
            raise SamePerson("Who asked for an adjustment may not decide it.")
        if row.status != Adjustment.Status.WAITING:
            raise AdjustmentDecided("This adjustment is decided already.")
        ruleset = timeline(write.programme_id, context.head.rules_version).at(now)
        posting = ledger.begin(account, context.holding.lots, now)
        row.approved_by = actor
        call = Call(now)
        if approve:
            check_programme(context.head)
            check_member(context.holding.person)
            _move(posting, row, ruleset, row.expires_at, may_owe=False)
            _tell(call, posting, row, ruleset)
        else:
            row.status = Adjustment.Status.REFUSED.value
        call.post(posting)
        call.add("adjustment_changes", row)
        return conclude(write, call, answer(200, msgspec.to_builtins({"status": row.status})))

    repeat(write, attempt, lambda: [adjustment.account_id])
