"""Earn: from a basket to a booked transaction, one or many at a time, exactly once by reference."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from uuid_utils.compat import uuid7

from config.kernel.errors import RistourneError, TemporarilyUnavailable
from config.kernel.sql import from_hex, hex_text
from loyalty import answers, chain, ledger, standings
from loyalty.apply import Activity, Call, Stale
from loyalty.engine import Evaluation, Facts, Ruleset, calendar, evaluate, explain
from loyalty.engine.numbers import POINT, plain
from loyalty.errors import ReferenceConflict
from loyalty.gather import BasketContext, Booked, Gathered, Holding, Person
from loyalty.idempotency import BOUND, Answer
from loyalty.ledger import ISSUANCE, Account, Posting, Source
from loyalty.records import EntryRow, LineRow, TransactionRow, facts_row, figures_row
from loyalty.rulesets import Timeline, by_hash
from loyalty.services.baskets import (
    BasketCommand,
    check_basket,
    check_member,
    check_points,
    check_programme,
    check_window,
    engine_basket,
    facts_of,
    progress_of,
)
from loyalty.services.evaluations import check_promise, gather_baskets, points_dates
from loyalty.services.writes import ATTEMPTS, Write, answer, conclude, is_final, known, repeat
from loyalty.tiers import Progress, Standing
from members.models import Programme
from members.services import member_enrol


@dataclass(slots=True)
class Booking:
    """A decided transaction: its row, its entry if it gave points, and the ruleset with the explanation."""

    row: TransactionRow
    entry: EntryRow | None
    ruleset: Ruleset
    explanation: dict[str, Any] | None = None
    replayed: bool = False

    def body(self) -> dict[str, Any]:
        return answers.earned(self.row, self.entry, self.ruleset, self.explanation)


@dataclass(slots=True)
class Desk:
    """Decides baskets one after the other on what was gathered, each seeing what the earlier ones left."""

    write: Write
    gathered: Gathered
    rules: Timeline
    call: Call
    backdate_days: int | None = None
    explains: bool = True
    postings: dict[int, Posting] = field(default_factory=dict)
    booked: dict[str, Booked] = field(default_factory=dict)
    tiers: dict[int, Progress] = field(default_factory=dict)

    def decide(self, command: BasketCommand, context: BasketContext) -> Booking:
        """Book one basket into the call, or raise why not; a known reference gives its first booking."""
        booked = self.booked.get(command.reference or "") or context.booked
        if booked:
            return repeated(command, booked, self.write.programme_id)
        head = self.gathered.head
        check_programme(head)
        ruleset = self.rules.at(command.occurred_at)
        check_basket(command, ruleset.terms)
        check_window(command.occurred_at, head, self.write.now, self.backdate_days)
        person = check_member(context.holding.person)
        lines = command.resolved(self.gathered.products)
        basket = engine_basket(command, lines)
        posting = self._begin(person, context.holding)
        progress = self._progress(person, context, command.occurred_at)
        if progress:
            person = replace(person, tier=progress.tier)
        day = calendar.local_day(command.occurred_at, ruleset.terms.zone)
        facts = facts_of(
            person,
            context,
            ruleset,
            self.rules,
            day,
            posting.account.transactions,
            self.call,
            self.gathered.spent,
        )
        result = evaluate(basket, facts, ruleset)
        check_points(result.points)
        if command.evaluation is not None:
            check_promise(
                command.evaluation, self.write.programme_id, self.write.partner_id, command, result.points
            )
        booking = self._book(command, lines, posting, ruleset, facts, result)
        if self.explains:
            booking.explanation = explain(basket, facts, ruleset, result)
        spend = sum(line.amount for line in basket.lines)
        self._count(posting.account, booking.row, result, ruleset, spend)
        self._rise(posting.account, booking.row, progress, context)
        self.postings[person.id] = posting
        self.call.post(posting)
        self.call.add("transactions", booking.row)
        self.booked[booking.row.reference] = Booked(booking.row, booking.entry, person.number)
        return booking

    def outcome(self, command: BasketCommand, context: BasketContext) -> "Booking | RistourneError":
        """As `decide`, with the refusal as a value."""
        try:
            return self.decide(command, context)
        except RistourneError as error:
            return error

    def _begin(self, person: Person, holding: Holding) -> Posting:
        before = self.postings.get(person.id)
        if before:
            return ledger.begin(before.account, before.lots, self.write.now)
        account = holding.account or Account(person.id, self.write.programme_id, settled_at=self.write.now)
        return ledger.begin(account, holding.lots, self.write.now)

    def _progress(self, person: Person, context: BasketContext, occurred_at: datetime) -> Progress | None:
        """The member's tier as it is when the basket is posted, what was due before it done."""
        known = self.tiers.get(person.id) or progress_of(context.stands, self.rules)
        return known.at(self._moment(occurred_at)) if known else None

    def _moment(self, occurred_at: datetime) -> datetime:
        """When tiers are decided: now; where history is imported, when it happened."""
        return self.write.now if self.backdate_days is None else min(occurred_at, self.write.now)

    def _rise(
        self, account: Account, row: TransactionRow, progress: Progress | None, context: BasketContext
    ) -> None:
        """Count the qualifying points towards the tier of the next transaction."""
        if progress is None or context.stands is None:
            return
        known = self.tiers.get(account.id)
        before = known.standing if known else context.stands.standing or Standing()
        after = progress.counting(row.day, row.qualifying).at(self._moment(row.occurred_at))
        self.tiers[account.id] = standings.book(self.call, account, before, after)

    def _book(
        self,
        command: BasketCommand,
        lines: list[LineRow],
        posting: Posting,
        ruleset: Ruleset,
        facts: Facts,
        result: Evaluation,
    ) -> Booking:
        """Post the points and make the transaction's row."""
        now, account = posting.now, posting.account
        active, expiry = points_dates(command.occurred_at, now, ruleset)
        salt, id_ = secrets.token_bytes(16), uuid7()
        entry = ledger.earn(
            posting,
            kind="earn",
            counterpart=ISSUANCE,
            points=result.points,
            occurred_at=command.occurred_at,
            activates_at=active,
            expires_at=expiry,
            source=Source(id_, chain.commitment(salt, command.reference or "")),
        )
        account.transactions += 1
        row = TransactionRow(
            id=id_,
            programme_id=account.programme_id,
            account_id=account.id,
            partner_id=self.write.partner_id,
            reference=command.reference or "",
            occurred_at=command.occurred_at,
            recorded_at=now,
            day=calendar.local_day(command.occurred_at, ruleset.terms.zone),
            channel=command.channel or "",
            store=command.store or "",
            lines=lines,
            content=hex_text(command.content()),
            metadata=command.metadata,
            ruleset=ruleset.hash,
            facts=facts_row(facts),
            awards={
                award.promotion: {
                    "wanted": plain(award.wanted, POINT),
                    "awarded": plain(award.awarded, POINT),
                }
                for award in result.awards
            },
            line_points=list(result.line_points),
            points=result.points,
            wanted=result.wanted,
            qualifying=result.qualifying,
            activates_at=active if entry else None,
            expires_at=expiry if entry else None,
            entry_seq=entry.seq if entry else None,
            salt=hex_text(salt),
            balance=figures_row(account.figures),
            status="posted",
            remaining_points=result.points,
            remaining_qualifying=result.qualifying,
        )
        return Booking(row, entry_row(entry), ruleset)

    def _count(
        self, account: Account, row: TransactionRow, result: Evaluation, ruleset: Ruleset, spend: int
    ) -> None:
        """Usage of promotions, the member's activity (`spend` in 1/10,000), and the news."""
        promotions = {promotion.code: promotion for promotion in ruleset.promotions}
        for award in result.awards:
            if award.awarded > 0:
                promotion_id = self.rules.promotion_ids[award.promotion]
                self.call.use(account, promotion_id, row.day, award.awarded, 1)
                budget = promotions[award.promotion].caps.get("budget")
                if budget:
                    self.call.spend(account, promotion_id, award.awarded, 1, budget)
        change = Activity(transactions=1, spend=spend, earned=row.points, qualifying=row.qualifying)
        self.call.live(account, row.day, change)
        self.call.tell(account, "transaction.posted", {"transaction": row.id, "points": row.points})


def entry_row(entry: ledger.Entry | None) -> EntryRow | None:
    """What answers show of a new entry."""
    if entry is None:
        return None
    return EntryRow(
        seq=entry.seq,
        kind=entry.kind,
        points=entry.points,
        prev_hash=hex_text(entry.prev_hash),
        hash=hex_text(entry.hash),
    )


def repeated(command: BasketCommand, booked: Booked, programme_id: int) -> Booking:
    """The first booking under a reference; ReferenceConflict when the content is another."""
    if from_hex(booked.row.content) != command.content():
        raise ReferenceConflict("This reference is booked with other content.")
    return Booking(booked.row, booked.entry, by_hash(programme_id, booked.row.ruleset), replayed=True)


def transaction_earn(*, write: Write, command: BasketCommand) -> Answer:
    """Book one basket: 201 with the points and why, 200 for a repetition, or the refusal.

    Final refusals are kept under the key and returned as answers; all other errors are raised.
    """
    accounts: list[int] = []

    def attempt() -> Answer:
        gathered, rules = gather_baskets(write.programme_id, [command], write.now, write.key)
        first = known(write, gathered.head)
        if first:
            return first if first.body else again(first, command, gathered.contexts[0], write.programme_id)
        gathered, rules = _enrolled(write, [command], gathered, rules)
        context = gathered.contexts[0]
        accounts[:] = [context.holding.person.id] if context.holding.person else []
        desk = Desk(write, gathered, rules, Call(write.now))
        try:
            booking = desk.decide(command, context)
        except RistourneError as error:
            if write.key and is_final(error):
                return conclude(write, Call(write.now), refused(write, error), holding=context.holding)
            raise
        given = answer(200 if booking.replayed else 201, booking.body(), replayed=booking.replayed)
        return conclude(write, desk.call, given, holding=context.holding, keeps_body=False)

    return repeat(write, attempt, lambda: accounts)


def again(first: Answer, command: BasketCommand, context: BasketContext, programme_id: int) -> Answer:
    """The first answer under a key, made again of the transaction, which keeps all it is made of."""
    if context.booked is None:
        raise TemporarilyUnavailable
    booking = repeated(command, context.booked, programme_id)
    return answer(first.status, booking.body(), replayed=True)


def refused(write: Write, error: RistourneError) -> Answer:
    """A refusal as it is sent and kept."""
    body = write.problem(error)
    return answer(int(body.get("status", 409)), body)


def _enrolled(
    write: Write, commands: Sequence[BasketCommand], gathered: Gathered, rules: Timeline
) -> tuple[Gathered, Timeline]:
    """Enrol unknown members where command and programme allow it, and gather again."""
    head = gathered.head
    missing = [
        command
        for command, context in zip(commands, gathered.contexts, strict=True)
        if command.enrol_unknown and context.holding.person is None and context.booked is None
    ]
    if not missing or head.on_unknown_member != "enrol" or head.status != "active":
        return gathered, rules
    programme = Programme.objects.get(pk=write.programme_id)
    for command in missing:
        try:
            check_basket(command, rules.at(command.occurred_at).terms)
            check_window(command.occurred_at, head, write.now)
        except RistourneError:
            continue
        member_enrol(programme=programme, number=command.member or "", now=write.now)
    return gather_baskets(write.programme_id, commands, write.now, write.key)


def transactions_earn(
    *,
    write: Write,
    commands: Sequence[BasketCommand],
    backdate_days: int | None = None,
    explains: bool = True,
) -> list[Booking | RistourneError]:
    """Book many baskets, each an effect in its own right: a booking or a refusal for each, in their order.

    Baskets of one member run in order. What was overtaken by another request is decided again; what is
    overtaken time after time is TemporarilyUnavailable, and may be sent again like everything else.
    """
    outcomes: dict[int, Outcome] = {}
    waiting = list(range(len(commands)))
    gathered: Gathered | None = None
    for number in range(ATTEMPTS):
        if not waiting:
            break
        batch = Batch(
            write, [commands[index] for index in waiting], backdate_days, explains, gathered=gathered
        )
        repeat(write, batch.attempt, batch.accounts, first=number)
        gathered = batch.gathered
        outcomes |= {
            index: outcome for index, outcome in zip(waiting, batch.outcomes, strict=True) if outcome
        }
        waiting = [index for index in waiting if index not in outcomes]
    return [outcomes.get(index) or TemporarilyUnavailable() for index in range(len(commands))]


Outcome = Booking | RistourneError


@dataclass(slots=True)
class Batch:
    """One round of many baskets; `outcomes` is None for those that were overtaken.

    `gathered` starts as what the round before knew, so that its accounts can be locked.
    """

    write: Write
    commands: Sequence[BasketCommand]
    backdate_days: int | None
    explains: bool
    outcomes: list[Outcome | None] = field(default_factory=list)
    gathered: Gathered | None = None

    def accounts(self) -> list[int]:
        """Accounts to lock once the round was overtaken."""
        contexts = self.gathered.contexts if self.gathered else []
        return [context.holding.person.id for context in contexts if context.holding.person]

    def attempt(self) -> Answer:
        """Gather, decide and post once. Raises Stale when nothing at all was booked."""
        write, commands = self.write, self.commands
        gathered, rules = gather_baskets(write.programme_id, commands, write.now, write.key)
        known(write, gathered.head)
        self.gathered, rules = _enrolled(write, commands, gathered, rules)
        desk = Desk(write, self.gathered, rules, Call(write.now), self.backdate_days, self.explains)
        decided = [
            desk.outcome(command, context)
            for command, context in zip(commands, self.gathered.contexts, strict=True)
        ]
        overtaken: frozenset[int] = frozenset()
        try:
            given = conclude(write, desk.call, Answer(BOUND, ""))
        except Stale as error:
            if not error.accounts:
                raise
            overtaken, given = error.accounts, Answer(BOUND, "")
        self.outcomes = [None if _is_overtaken(outcome, overtaken) else outcome for outcome in decided]
        return given


def _is_overtaken(outcome: Outcome, accounts: frozenset[int]) -> bool:
    return isinstance(outcome, Booking) and not outcome.replayed and outcome.row.account_id in accounts
