"""What must hold of the ledger at any time, computed again from its rows.

`check_ledger()` looks at every account, `check_ledger(programme)` at those of one programme. A conftest that
imports the fixture `ledger_holds` has it done after each test with a database.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator
from decimal import Decimal
from itertools import groupby
from operator import attrgetter
from typing import Any

import pytest
from django.db.models import QuerySet

from loyalty import chain
from loyalty.models import (
    Account,
    Draw,
    Entry,
    Event,
    EventDevice,
    EventReversal,
    Hold,
    Lot,
    Promotion,
    PromotionBudget,
    PromotionUsage,
    Transaction,
)
from members.models import Activity, Member, Programme

Rows = dict[int, list[Any]]


def check_ledger(programme: Programme | None = None) -> int:
    """Fail with everything that does not add up; how many accounts were looked at."""
    ledger = Ledger(programme)
    faults = [*ledger.faults()]
    assert not faults, "\n".join(faults)
    return len(ledger.accounts)


@pytest.fixture(autouse=True)
def ledger_holds(request: pytest.FixtureRequest) -> Iterator[None]:
    """After each test that has a database the ledger adds up."""
    has_database = request.node.get_closest_marker("django_db") or {"db", "transactional_db"} & {
        *request.fixturenames
    }
    if has_database:
        request.getfixturevalue("_django_db_helper")  # so that this ends before the database is taken away
    yield
    if has_database:
        check_ledger()


class Ledger:
    """All rows about points of a programme (or of all), by account."""

    def __init__(self, programme: Programme | None = None) -> None:
        self.programme = programme
        self.accounts = list(self._rows(Account).order_by("pk"))
        self.entries = self._by_account(self._rows(Entry).order_by("account_id", "seq"))
        self.lots = self._by_account(self._rows(Lot).order_by("account_id", "seq"))
        self.draws = self._by_account(self._rows(Draw).order_by("account_id", "number"))
        self.holds = self._by_account(
            self._rows(Hold).filter(status=Hold.Status.OPEN).order_by("account_id", "id")
        )
        self.transactions = self._by_account(self._rows(Transaction).order_by("account_id"))
        self.events = self._by_account(self._rows(Event).order_by("account_id"))
        self.event_reversals = self._by_account(self._rows(EventReversal).order_by("account_id"))
        self.promotions = dict(self._rows(Promotion).values_list("code", "id"))

    def _rows(self, model: Any) -> QuerySet[Any]:
        rows = model.objects.all()
        return rows if self.programme is None else rows.filter(programme=self.programme)

    def _by_account(self, rows: QuerySet[Any]) -> Rows:
        return {account: list(group) for account, group in groupby(rows, key=attrgetter("account_id"))}

    def faults(self) -> Iterator[str]:
        for account in self.accounts:
            for fault in self._faults_of(account):
                yield f"account {account.pk}: {fault}"
        yield from self._wrong_usage()
        yield from self._wrong_budgets()
        yield from self._wrong_activity()
        yield from self._wrong_devices()

    def _faults_of(self, account: Account) -> Iterator[str]:
        lots, draws = self.lots.get(account.pk, []), self.draws.get(account.pk, [])
        yield from chain_faults(account, self.entries.get(account.pk, []))
        yield from figure_faults(account, self.entries.get(account.pk, []), lots)
        yield from lot_faults(account, lots, draws)
        yield from hold_faults(account, self.holds.get(account.pk, []), lots)
        yield from transaction_faults(
            account, self.transactions.get(account.pk, []), self.entries.get(account.pk, [])
        )
        yield from event_faults(
            self.events.get(account.pk, []),
            self.event_reversals.get(account.pk, []),
            self.entries.get(account.pk, []),
        )

    def _wrong_devices(self) -> Iterator[str]:
        """A device's counter moved with every event that was ever counted for it; erased members' name none."""
        rows = [row for events in self.events.values() for row in events]
        erased = set(Member.objects.filter(status=Member.Status.ERASED).values_list("pk", flat=True))
        forgotten = Counter(row.type_id for row in rows if row.account_id in erased and not row.reached_limit)
        counted = Counter(
            (row.type_id, bytes(row.device)) for row in rows if row.device and not row.reached_limit
        )
        stored = {(row.type_id, bytes(row.device)): row.version for row in self._rows(EventDevice)}
        for key in {*counted, *stored}:
            if not counted[key] <= stored.get(key, 0) <= counted[key] + forgotten[key[0]]:
                yield f"device of type {key[0]} stands at {stored.get(key)}, {counted[key]} events counted"

    def _wrong_usage(self) -> Iterator[str]:
        """Usage of a promotion on a day is what that day's transactions still have of it."""
        points: dict[tuple[int, str, Any], Decimal] = defaultdict(Decimal)
        uses: Counter[tuple[int, str, Any]] = Counter()
        for account, transactions in self.transactions.items():
            for row in transactions:
                for code, award in remaining_awards(row).items():
                    points[account, code, row.day] += award
                    uses[account, code, row.day] += award > 0
        stored = {
            (row.account_id, row.promotion.code, row.day): (row.points, row.uses)
            for row in self._rows(PromotionUsage).select_related("promotion")
        }
        for key in {*points, *stored}:
            if stored.get(key, (0, 0)) != (points[key], uses[key]):
                yield f"usage {key} is {stored.get(key)}, awards make {points[key]}, {uses[key]}"

    def _wrong_budgets(self) -> Iterator[str]:
        used: dict[int, tuple[Decimal, int]] = {}
        for row in self._rows(PromotionUsage):
            points, uses = used.get(row.promotion_id, (Decimal(0), 0))
            used[row.promotion_id] = (points + row.points, uses + row.uses)
        for budget in PromotionBudget.objects.filter(promotion__in=self._rows(Promotion)):
            if (budget.points_used, budget.uses_used) != used.get(budget.promotion_id, (0, 0)):
                yield f"{budget}: {budget.points_used}, {budget.uses_used}, usage {used.get(budget.promotion_id)}"

    def _wrong_activity(self) -> Iterator[str]:
        """A member's day counts the transactions not fully returned, what is left of their amounts, and the
        qualifying points of them and of events."""
        made: dict[tuple[int, Any], tuple[int, Decimal, int]] = {}
        for account, transactions in self.transactions.items():
            for row in transactions:
                count, spend, points = made.get((account, row.day), (0, Decimal(0), 0))
                made[account, row.day] = (
                    count + (row.status != "reversed"),
                    spend + remaining_amount(row),
                    points + row.remaining_qualifying,
                )
        for event in self._rows(Event).filter(status=Event.Status.POSTED, qualifying__gt=0):
            count, spend, points = made.get((event.account_id, event.day), (0, Decimal(0), 0))
            made[event.account_id, event.day] = (count, spend, points + event.qualifying)
        stored = {
            (row.member_id, row.day): (row.transactions, row.spend, row.qualifying)
            for row in self._rows(Activity)
        }
        for key, expected in made.items():
            if stored.get(key) != expected:
                yield f"activity of {key} is {stored.get(key)}, transactions make {expected}"


def remaining_awards(row: Transaction) -> dict[str, Decimal]:
    """Exact points a transaction still has from each promotion."""
    if row.remaining_awards is not None:
        return {code: Decimal(points) for code, points in row.remaining_awards.items()}
    return {code: Decimal(award["awarded"]) for code, award in row.awards.items()}


def remaining_amount(row: Transaction) -> Decimal:
    """What is left of the amounts of all lines."""
    if row.remaining_lines is not None:
        return sum((Decimal(amount) for _, amount in row.remaining_lines), Decimal(0))
    return sum((Decimal(line[2]) for line in row.lines), Decimal(0))


def balance(row: Account | Entry) -> int:
    return row.available + row.pending + row.held - row.debt


def chain_faults(account: Account, entries: list[Entry]) -> Iterator[str]:
    """Numbered without a gap, each sealed over the one before, the account at the end."""
    head = chain.GENESIS
    if [entry.seq for entry in entries] != list(range(1, account.seq + 1)):
        yield f"entries {[entry.seq for entry in entries]}, account at {account.seq}"
    for entry in entries:
        fields = {name: getattr(entry, name) for name in chain.FIELDS}
        fields |= {"commitment": bytes(entry.commitment), "prev_hash": head}
        if bytes(entry.prev_hash) != head or bytes(entry.hash) != chain.entry_hash(fields):
            yield f"entry {entry.seq} does not verify"
        head = bytes(entry.hash)
    if bytes(account.head) != head:
        yield "the head is not the last hash"


def figure_faults(account: Account, entries: list[Entry], lots: list[Lot]) -> Iterator[str]:
    """Entries add up to every balance_after; the four figures to the last one and to the open lots."""
    running = 0
    for entry in entries:
        running += entry.points
        if not running == entry.balance_after == balance(entry):
            yield f"entry {entry.seq}: {running} by sum, {entry.balance_after} after, {balance(entry)} in figures"
    open_points = sum(lot.remaining for lot in lots)
    if not running == balance(account) == open_points + account.held - account.debt:
        yield f"balance {balance(account)}, entries {running}, lots {open_points}"
    pending = sum(lot.remaining for lot in lots if lot.activates_at > account.settled_at)
    if pending != account.pending:
        yield f"pending {account.pending}, lots make {pending}"
    if account.debt and account.available:
        yield "debt and available"


def lot_faults(account: Account, lots: list[Lot], draws: list[Draw]) -> Iterator[str]:
    """Draws numbered without a gap, lots that have lost what was drawn; no change is overlooked."""
    if [draw.number for draw in draws] != list(range(1, account.draws + 1)):
        yield f"draws {[draw.number for draw in draws]}, account at {account.draws}"
    drawn: Counter[int] = Counter()
    for draw in draws:
        drawn[draw.lot_seq] += draw.points
    for lot in lots:
        if lot.points - drawn[lot.seq] != lot.remaining or not 0 <= lot.expired <= lot.points:
            yield f"lot {lot.seq}: {lot.remaining} of {lot.points}, {drawn[lot.seq]} drawn, {lot.expired} expired"
    instants = [at for lot in lots if lot.remaining for at in (lot.activates_at, lot.expires_at)]
    coming = min((at for at in instants if at and at > account.settled_at), default=None)
    if coming and (account.next_change_at is None or account.next_change_at > coming):
        yield f"next change {account.next_change_at}, a lot changes at {coming}"


def hold_faults(account: Account, holds: list[Hold], lots: list[Lot]) -> Iterator[str]:
    """Open holds make what is held; each came from lots of the account, and its end is awaited."""
    if sum(hold.points for hold in holds) != account.held:
        yield f"held {account.held}, open holds make {[hold.points for hold in holds]}"
    known = {lot.seq for lot in lots}
    for hold in holds:
        if (
            sum(part[1] for part in hold.parts) != hold.points
            or not {part[0] for part in hold.parts} <= known
        ):
            yield f"hold {hold.reference} of {hold.points} from {hold.parts}"
        if account.next_change_at is None or account.next_change_at > hold.expires_at:
            yield f"next change {account.next_change_at}, a hold ends at {hold.expires_at}"


def transaction_faults(
    account: Account, transactions: list[Transaction], entries: list[Entry]
) -> Iterator[str]:
    """The counter counts what is not fully returned; each transaction's points are its entry's."""
    standing = sum(row.status != Transaction.Status.REVERSED for row in transactions)
    if account.transactions != standing:
        yield f"counts {account.transactions} transactions, {standing} stand"
    by_seq = {entry.seq: entry for entry in entries}
    for row in transactions:
        entry = by_seq.get(row.entry_seq or 0)
        booked = (entry.points, entry.source, entry.kind) if entry else (0, row.id, "earn")
        if booked != (row.points, row.id, "earn") or sum(row.line_points) != row.points:
            yield f"transaction {row.reference} of {row.points} points, its lines {row.line_points}, entry {booked}"


def event_faults(events: list[Event], reversals: list[EventReversal], entries: list[Entry]) -> Iterator[str]:
    """Each event's points are its entry's, and so are a reversal's; what gave nothing has no entry."""
    by_seq = {entry.seq: entry for entry in entries}
    taken_back = {row.event_id: row for row in reversals}
    for row in events:
        entry = by_seq.get(row.entry_seq or 0)
        booked = (entry.points, entry.source, entry.kind) if entry else (0, row.pk, "event")
        if booked != (row.points, row.pk, "event"):
            yield f"event {row.reference} of {row.points} points, entry {booked}"
        if row.points not in (0, row.wanted) or row.qualifying not in (0, row.points):
            yield f"event {row.reference} gave {row.points}, {row.qualifying} qualifying, of {row.wanted}"
        if (row.status == "reversed") is not (row.pk in taken_back):
            yield f"event {row.reference} is {row.status}, reversal {taken_back.get(row.pk)}"
    sources = {entry.source for entry in entries if entry.kind == "event"}
    if sources != {row.pk for row in events if row.entry_seq}:
        yield f"entries of events {sources}"
    for reversal in reversals:
        entry = by_seq.get(reversal.entry_seq or 0)
        booked = (entry.points, entry.source, entry.kind) if entry else (0, reversal.pk, "reversal")
        if booked != (reversal.points, reversal.pk, "reversal"):
            yield f"event reversal {reversal.reference} of {reversal.points} points, entry {booked}"
