"""Returns: what remains is evaluated with the original ruleset and facts, the difference is taken back."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from uuid_utils.compat import uuid7

from config.kernel.errors import FieldError, NotFound, RistourneError, ValidationFailed
from config.kernel.sql import from_hex, hex_text
from loyalty import answers, chain, gather, ledger, standings
from loyalty.apply import Activity, Call
from loyalty.engine import Line, Ruleset, evaluate
from loyalty.engine.numbers import POINT, QUANTITY, RATE, plain, scaled
from loyalty.engine.returns import Return, ReturnRefused, is_used_up, remaining_after
from loyalty.errors import AlreadyReversed, QuantityExceedsRemaining, ReferenceConflict
from loyalty.gather import ReversalContext, TierAsk
from loyalty.idempotency import Answer, Write
from loyalty.ledger import Account, Entry, Posting, Source, Taken
from loyalty.records import EntryRow, ReversalRow, TransactionRow, entry_row, facts_from, figures_row
from loyalty.rulesets import Timeline, by_hash
from loyalty.services.baskets import check_not_erased, check_programme, progress_of
from loyalty.services.writes import answer, conclude, is_final, known, refused, repeat


@dataclass(frozen=True, slots=True)
class ReversalCommand:
    """A return: lines by quantity or amount (decimal text), or None = all that is left."""

    transaction: str
    reference: str
    lines: tuple[dict[str, str], ...] | None = None
    reason: str = ""
    dry_run: bool = False
    metadata: dict[str, Any] = field(default_factory=dict)

    def content(self) -> bytes:
        """SHA-256 of what makes two returns the same: the transaction and the lines."""
        lines = (text for line in self.lines or () for pair in sorted(line.items()) for text in pair)
        return chain.digest(self.transaction, "all" if self.lines is None else "lines", *lines)

    def check_digits(self, digits: int) -> None:
        """ValidationFailed for amounts with more decimals than the currency has."""
        errors = [
            FieldError(f"/lines/{index}/amount", "too_many_decimals", f"The currency has {digits} decimals.")
            for index, line in enumerate(self.lines or ())
            if len(line.get("amount", "").partition(".")[2]) > digits
        ]
        if errors:
            raise ValidationFailed(errors=errors)

    def returns(self, left: Sequence[Line]) -> list[Return]:
        """What is returned of each line, scaled; everything that is left without lines."""
        if self.lines is None:
            return [_whole(line) for line in left if not is_used_up(line)]
        return [
            Return(
                line["line"],
                scaled(line["quantity"], QUANTITY) if "quantity" in line else None,
                scaled(line["amount"], RATE) if "amount" in line else None,
            )
            for line in self.lines
        ]


def _whole(line: Line) -> Return:
    if line.quantity:
        return Return(line.line, quantity=line.quantity)
    return Return(line.line, amount=line.amount)


@dataclass(slots=True)
class Remainder:
    """What a return leaves of a transaction; points and exact awards never rise."""

    lines: tuple[Line, ...]
    points: int
    qualifying: int
    awards: dict[str, int]
    status: str

    @property
    def line_rows(self) -> list[list[str]]:
        return [[plain(line.quantity, QUANTITY), plain(line.amount, RATE)] for line in self.lines]


def remainder(row: TransactionRow, command: ReversalCommand, ruleset: Ruleset) -> Remainder:
    """What is left of `row` after the return; ValidationFailed or QuantityExceedsRemaining."""
    before = row.remaining()
    try:
        lines = remaining_after(before, command.returns(before), ruleset.terms.digits)
    except ReturnRefused as error:
        raise _refusal(error, command) from error
    basket = row.basket()._replace(lines=lines)
    result = evaluate(basket, facts_from(row.facts), ruleset)
    now = {award.promotion: award.awarded for award in result.awards}
    whole = not any(line.counts for line in lines)
    return Remainder(
        lines=lines,
        points=min(row.remaining_points, result.points),
        qualifying=min(row.remaining_qualifying, result.qualifying),
        awards={code: min(points, now.get(code, 0)) for code, points in row.awarded().items()},
        status="reversed" if whole else "partially_reversed",
    )


def _refusal(error: ReturnRefused, command: ReversalCommand) -> RistourneError:
    pointer = f"/lines/{error.position}"
    if error.code == "unknown_line":
        return ValidationFailed(errors=[FieldError(f"{pointer}/line", "unknown_line", "No such line.")])
    line = (command.lines or ())[error.position]
    unit = "amount" if "amount" in line else "quantity"
    detail = FieldError(f"{pointer}/{unit}", "exceeds_remaining", "More than is left of this line.")
    return QuantityExceedsRemaining(errors=[detail])


def transaction_reverse(*, write: Write, command: ReversalCommand) -> Answer:
    """Take back a transaction, whole or in part: 201, 200 for a repetition or a dry run, or the refusal.

    Raises NotFound, ValidationFailed, QuantityExceedsRemaining; AlreadyReversed and InsufficientPoints are
    final, kept under the key and returned as answers.
    """
    accounts: list[int] = []

    def attempt() -> Answer:
        context, rules = _gathered(write, command)
        first = known(write, context.head)
        if first:
            return first
        accounts[:] = [context.transaction.account_id] if context.transaction else []
        call = Call(write.now)
        try:
            given = _decide(write, command, context, rules, call)
        except RistourneError as error:
            if write.key and is_final(error) and not command.dry_run:
                return conclude(write, Call(write.now), refused(write, error), holding=context.holding)
            raise
        return given if command.dry_run else conclude(write, call, given, holding=context.holding)

    return repeat(write, attempt, lambda: accounts)


def _gathered(write: Write, command: ReversalCommand) -> tuple[ReversalContext, Timeline]:
    """Everything for the return and the rules in force, in one query unless the rules changed."""
    return gather.under_rules(
        write.programme_id,
        lambda known: gather.reversal(
            programme_id=write.programme_id,
            transaction=command.transaction,
            reference=command.reference,
            now=write.now,
            key=write.key,
            tiers=TierAsk.of(known.tiers if known else None, write.now),
        ),
    )


def _decide(
    write: Write, command: ReversalCommand, context: ReversalContext, rules: Timeline, call: Call
) -> Answer:
    row, account = context.transaction, context.holding.account
    if row is None or account is None:
        raise NotFound
    ruleset = by_hash(write.programme_id, row.ruleset)
    if context.booked:
        return _repeated(command, context.booked, row, context.entry, ruleset)
    check_programme(context.head)
    check_not_erased(context.holding.person)
    if row.status == "reversed":
        raise AlreadyReversed("Nothing is left to take back.")
    command.check_digits(ruleset.terms.digits)
    after = remainder(row, command, ruleset)
    posting = ledger.begin(account, context.holding.lots, write.now)
    salt, id_ = secrets.token_bytes(16), uuid7()
    source = Source(id_, chain.commitment(salt, command.reference, command.reason))
    entry, taken = _take_back(posting, row, after, context.head.overdraw, source)
    reversal = ReversalRow(
        id=id_,
        programme_id=row.programme_id,
        account_id=row.account_id,
        transaction_id=row.id,
        partner_id=write.partner_id,
        reference=command.reference,
        reason=command.reason,
        recorded_at=posting.now,
        lines=None if command.lines is None else list(command.lines),
        content=hex_text(command.content()),
        points=entry.points if entry else 0,
        taken_from=taken._asdict(),
        caps_released=answers.caps_released(row.awarded(), after.awards),
        remaining_lines=after.line_rows,
        remaining_points=after.points,
        transaction_status=after.status,
        entry_seq=entry.seq if entry else None,
        salt=hex_text(salt),
        balance=figures_row(posting.account.figures),
        metadata=command.metadata,
    )
    _book(call, row, posting, reversal, after)
    _release(call, rules, row, posting.account, after)
    _settle_tier(write, call, context, rules, posting.account, after)
    body = answers.reversed_(reversal, row, entry_row(entry), ruleset)
    return answer(200, {**body, "dry_run": True}) if command.dry_run else answer(201, body)


def _take_back(
    posting: Posting, row: TransactionRow, after: Remainder, overdraw: str, source: Source
) -> tuple[Entry | None, Taken]:
    """Take the points that what remains no longer gives, the transaction's own lot first."""
    if after.status == "reversed":
        posting.account.transactions -= 1
    return ledger.reverse(
        posting,
        own=next((lot for lot in posting.lots if lot.seq == row.entry_seq), None),
        points=row.remaining_points - after.points,
        overdraw=overdraw,
        occurred_at=posting.now,
        source=source,
    )


def _repeated(
    command: ReversalCommand,
    booked: ReversalRow,
    row: TransactionRow,
    entry: EntryRow | None,
    ruleset: Ruleset,
) -> Answer:
    if from_hex(booked.content) != command.content():
        raise ReferenceConflict("This reference is booked with other content.")
    return answer(200, answers.reversed_(booked, row, entry, ruleset), replayed=True)


def _book(call: Call, row: TransactionRow, posting: Posting, reversal: ReversalRow, after: Remainder) -> None:
    """Rows of the return: posting, reversal, what is left of the transaction, activity, news."""
    call.post(posting)
    call.add("reversals", reversal)
    call.add(
        "transaction_changes",
        {
            "id": row.id,
            "account_id": row.account_id,
            "status": after.status,
            "remaining_points": after.points,
            "remaining_qualifying": after.qualifying,
            "remaining_lines": after.line_rows,
            "remaining_awards": {code: plain(points, POINT) for code, points in after.awards.items()},
        },
    )
    spend = sum(line.amount for line in row.remaining()) - sum(line.amount for line in after.lines)
    change = Activity(
        transactions=-1 if after.status == "reversed" else 0,
        spend=-spend,
        earned=after.points - row.remaining_points,
        qualifying=after.qualifying - row.remaining_qualifying,
    )
    call.live(posting.account, row.day, change)
    call.tell(posting.account, "transaction.reversed", {"transaction": row.id, "points": reversal.points})


def _settle_tier(
    write: Write, call: Call, context: ReversalContext, rules: Timeline, account: Account, after: Remainder
) -> None:
    """Do what was due about the member's tier before the return, then take its qualifying points off their day."""
    row, progress = context.transaction, progress_of(context.stands, rules)
    if row is None or progress is None:
        return
    lost = row.remaining_qualifying - after.qualifying
    standings.count(call, account, progress, row.day, -lost)


def _release(call: Call, rules: Timeline, row: TransactionRow, account: Account, after: Remainder) -> None:
    """Give cap usage back to its original bucket, and to the budget."""
    promotion_ids = rules.promotion_ids
    ruleset = by_hash(row.programme_id, row.ruleset)
    budgets = {promotion.code: promotion.caps.get("budget") for promotion in ruleset.promotions}
    for code, points in row.awarded().items():
        returned = points - after.awards[code]
        if returned:
            uses = 0 if after.awards[code] else 1
            call.use(account, promotion_ids[code], row.day, -returned, -uses)
            budget = budgets[code]
            if budget:
                call.spend(account, promotion_ids[code], -returned, -uses, budget)
