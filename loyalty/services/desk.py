"""Deciding baskets and making their rows: one after the other on what was gathered, nothing is sent."""

import secrets
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from uuid_utils.compat import uuid7

from config.kernel.errors import RistourneError
from config.kernel.sql import from_hex, hex_text
from loyalty import answers, chain, ledger, standings
from loyalty.apply import Activity, Call
from loyalty.engine import Evaluation, Facts, Ruleset, calendar, evaluate, explain
from loyalty.errors import ReferenceConflict
from loyalty.gather import BasketContext, Booked, Gathered, Holding, Person
from loyalty.idempotency import Write
from loyalty.ledger import ISSUANCE, Account, Posting, Source
from loyalty.records import EntryRow, LineRow, TransactionRow, awards_row, entry_row, facts_row, figures_row
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
from loyalty.services.evaluations import check_promise, points_dates
from loyalty.tiers import Progress, Standing


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
        row = self._row(command, lines, posting, ruleset, facts, result)
        booking = Booking(row, self._post(posting, row, ruleset), ruleset)
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

    def _row(
        self,
        command: BasketCommand,
        lines: list[LineRow],
        posting: Posting,
        ruleset: Ruleset,
        facts: Facts,
        result: Evaluation,
    ) -> TransactionRow:
        """The transaction's row as it stands before its points are posted."""
        return TransactionRow(
            id=uuid7(),
            programme_id=posting.account.programme_id,
            account_id=posting.account.id,
            partner_id=self.write.partner_id,
            reference=command.reference or "",
            occurred_at=command.occurred_at,
            recorded_at=posting.now,
            day=calendar.local_day(command.occurred_at, ruleset.terms.zone),
            channel=command.channel or "",
            store=command.store or "",
            lines=lines,
            content=hex_text(command.content()),
            metadata=command.metadata,
            ruleset=ruleset.hash,
            facts=facts_row(facts),
            awards=awards_row(result.awards),
            line_points=list(result.line_points),
            points=result.points,
            wanted=result.wanted,
            qualifying=result.qualifying,
            activates_at=None,
            expires_at=None,
            entry_seq=None,
            salt=hex_text(secrets.token_bytes(16)),
            balance={},
            status="posted",
            remaining_points=result.points,
            remaining_qualifying=result.qualifying,
        )

    def _post(self, posting: Posting, row: TransactionRow, ruleset: Ruleset) -> EntryRow | None:
        """Post the points of a transaction and complete its row."""
        active, expiry = points_dates(row.occurred_at, posting.now, ruleset)
        entry = ledger.earn(
            posting,
            kind="earn",
            counterpart=ISSUANCE,
            points=row.points,
            occurred_at=row.occurred_at,
            activates_at=active,
            expires_at=expiry,
            source=Source(row.id, chain.commitment(from_hex(row.salt), row.reference)),
        )
        posting.account.transactions += 1
        if entry:
            row.activates_at, row.expires_at, row.entry_seq = active, expiry, entry.seq
        row.balance = figures_row(posting.account.figures)
        return entry_row(entry)

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


def repeated(command: BasketCommand, booked: Booked, programme_id: int) -> Booking:
    """The first booking under a reference; ReferenceConflict when the content is another."""
    if from_hex(booked.row.content) != command.content():
        raise ReferenceConflict("This reference is booked with other content.")
    return Booking(booked.row, booked.entry, by_hash(programme_id, booked.row.ruleset), replayed=True)
