"""Long random lives of one account: after every step the ledger shows what the reference's account shows.

Steps are service calls with the clock passed in; each life runs in a database transaction that is rolled back.
"""

import json
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import pytest
from django.db import IntegrityError, transaction
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from config.kernel.errors import NotFound
from config.kernel.sql import rows
from loyalty import ledger, selectors
from loyalty.apply import Call, send
from loyalty.errors import IdempotencyKeyReused, InsufficientPoints, QuantityExceedsRemaining
from loyalty.idempotency import Answer, claim
from loyalty.ledger import Part
from loyalty.models import Lot
from loyalty.records import LineRow
from loyalty.rules import ProductSetRule, PromotionRule, TermsRule
from loyalty.services import (
    AdjustmentCommand,
    BasketCommand,
    Moved,
    Order,
    ReversalCommand,
    Write,
    adjustment_post,
    points_confirm,
    points_give_back,
    points_hold,
    points_redeem,
    points_release,
    terms_set,
    transaction_earn,
    transaction_reverse,
    transactions_earn,
)
from loyalty.services.desk import Booking
from members.models import Programme
from tests.factories import LONG_AGO, MemberFactory, ProgrammeFactory
from tests.loyalty.worlds import order_of, publish
from tests.reference import engine as reference
from tests.reference.baskets import products, promotion
from tests.reference.ledger import Account as Model
from tests.reference.ledger import Insufficient

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
LIVES = {"debt": 60, "refuse": 20, "within_balance": 20}
"""How many lives under each overdraw policy; only the first makes debt."""
STEPS = 50
SHOWN = """
SELECT coalesce((SELECT json_agg(json_build_array(e.kind, e.points, e.balance_after) ORDER BY e.seq)
                 FROM loyalty_entry e WHERE e.account_id = a.id), '[]')::text,
    a.available, a.pending, a.held, a.debt,
    (SELECT coalesce(sum(l.remaining), 0) FROM loyalty_lot l WHERE l.account_id = a.id),
    (SELECT coalesce(sum(h.points), 0) FROM loyalty_hold h WHERE h.account_id = a.id AND h.status = 'open')
FROM loyalty_account a WHERE a.id = %(account)s
"""
"""All an invariant needs to know of an account, in one query: they are asked after every step."""
PROMOTIONS = [
    promotion("PR-CHOC", "multiplier", "3", products=products(categories=["chocolate"])),
    promotion("PR-50", "fixed", "25", minimum_amount="50.00"),
    promotion("PR-FIRST", "fixed", "7", first=True),
]
TERMS: dict[str, dict[str, Any]] = {
    "debt": {"delay_days": 1, "lifetime_months": 6},
    "within_balance": {"delay_days": 14, "lifetime_months": 1, "lifetime_end": "month"},
    "refuse": {"delay_days": 3, "lifetime_months": None},
}

GRACE = {"debt": 10, "within_balance": 0, "refuse": 45}

amounts = st.sampled_from(["0.99", "7.50", "20.00", "49.99", "60.00"])
lines = st.lists(
    st.tuples(amounts, st.sampled_from(["0", "1", "2", "3"]), st.booleans()), min_size=1, max_size=3
)
days_back = st.sampled_from([0, 0, 0, 1, 13, 20])


@pytest.fixture
def programmes(db: None) -> None:
    """A programme for each overdraw policy, with the promotions above; the machine finds them by their code."""
    for policy, terms in TERMS.items():
        programme = ProgrammeFactory(code=policy, overdraw=policy, grace_days=GRACE[policy])
        terms_set(programme=programme, terms=TermsRule(**terms), now=LONG_AGO)
        choc = ProductSetRule(categories=("chocolate",))
        publish(programme, "PR-CHOC", PromotionRule("multiplier", "3", products=choc))
        publish(programme, "PR-50", PromotionRule("fixed", "25", minimum_amount="50.00"))
        publish(programme, "PR-FIRST", PromotionRule("fixed", "7", first=True))


def reference_terms(policy: str) -> dict[str, Any]:
    terms = TERMS[policy]
    months = terms["lifetime_months"]
    return {
        "kind": "terms",
        "currency": "EUR",
        "digits": 2,
        "time_zone": "Europe/Brussels",
        "earn_rate": "1",
        "rounding": "floor",
        "delay_days": terms["delay_days"],
        "lifetime": None if months is None else {"months": months, "end": terms.get("lifetime_end")},
        "tiers": {},
    }


class Life(RuleBasedStateMachine):
    """One account in the product, and the reference's model of it beside it."""

    steps: ClassVar[int] = 0
    in_debt: ClassVar[int] = 0
    given_back: ClassVar[int] = 0
    policies: ClassVar[list[str]] = ["debt", "debt", "debt", "refuse", "within_balance"]

    @initialize(data=st.data())
    def begin(self, data: st.DataObject) -> None:
        policy = data.draw(st.sampled_from(self.policies))
        self.atomic = transaction.atomic()
        self.atomic.__enter__()
        self.programme = Programme.objects.get(code=policy)
        self.member = MemberFactory(programme=self.programme, number="ADA")
        self.terms = reference_terms(policy)
        self.model = Model(self.terms, policy, GRACE[policy])
        self.now = START
        self.number = 0
        self.baskets: dict[str, dict[str, Any]] = {}  # what the reference knows of each transaction
        self.answered: list[tuple[Any, Write, Any, Answer]] = []
        self.held: dict[str, Order] = {}
        self.spent: dict[str, tuple[Order, tuple[Part, ...]]] = {}

    def teardown(self) -> None:
        if hasattr(self, "atomic"):
            transaction.set_rollback(True)
            self.atomic.__exit__(None, None, None)

    def name(self, prefix: str) -> str:
        self.number += 1
        return f"{prefix}-{self.number}"

    def write(self, body: str) -> Write:
        key = claim(self.name("key"), partner_id=1, method="POST", path="/x", body=body)
        return Write(self.programme.pk, self.now, 1, key)

    # Steps

    @rule(bought=lines, back=days_back)
    def earn(self, bought: list[tuple[str, str, bool]], back: int) -> None:
        command = self.receipt(bought, back)
        write = self.write(command.reference or "")
        answer = transaction_earn(write=write, command=command)
        assert answer.status == 201
        self.answered.append((transaction_earn, write, command, answer))
        assert json.loads(answer.body)["points"] == self.book(command)

    @rule(receipts=st.lists(st.tuples(lines, days_back), min_size=2, max_size=3))
    def batch(self, receipts: list[tuple[list[tuple[str, str, bool]], int]]) -> None:
        commands = [self.receipt(bought, back) for bought, back in receipts]
        found = transactions_earn(write=self.write("batch"), commands=commands)
        for command, booking in zip(commands, found, strict=True):
            assert isinstance(booking, Booking)
            assert booking.row.points == self.book(command)

    @precondition(lambda self: self.baskets)
    @rule(number=st.integers(0, 30), data=st.data())
    def take_back_lines(self, number: int, data: st.DataObject) -> None:
        code, basket = self.transaction(number)
        asked = [
            {
                "line": line["line"],
                **data.draw(st.sampled_from([{"quantity": "1"}, {"amount": "3.33"}, {"quantity": "3"}])),
            }
            for line in basket["lines"][: data.draw(st.integers(1, 3))]
        ]
        self.reverse(code, basket, asked)

    @precondition(lambda self: self.baskets)
    @rule(number=st.integers(0, 30))
    def take_back_all(self, number: int) -> None:
        self.reverse(*self.transaction(number), None)

    @rule(points=st.sampled_from([1, 5, 40, 150]), lives=st.sampled_from([None, None, 1, 30]))
    def give(self, points: int, lives: int | None) -> None:
        end = None if lives is None else self.now + timedelta(days=lives)
        assert self.adjust(points, end).status == 201
        self.model.adjust(points, end, self.now)

    @rule(points=st.sampled_from([1, 10, 60, 0, 0]))
    def take(self, points: int) -> None:
        """So many points, or (0) all there are, so that returns later find nothing and make debt."""
        points = points or max(self.model.available, 1)
        try:
            self.model.adjust(-points, None, self.now)
            expected = 201
        except Insufficient:
            expected = 409
        assert self.adjust(-points, None).status == expected

    @precondition(lambda self: self.baskets)
    @rule(number=st.integers(0, 30))
    def spend_all_and_take_back(self, number: int) -> None:
        """What makes debt: the points are gone when the goods come back."""
        self.now += timedelta(days=2)
        self.model.settle(self.now)
        self.take(0)
        self.reverse(*self.transaction(number), None)

    @precondition(lambda self: self.baskets)
    @rule(number=st.integers(0, 30), amount=st.sampled_from(["0.99", "7.00"]), order=st.booleans())
    def outlive_and_take_back(self, number: int, amount: str, order: bool) -> None:
        """What makes breakage be undone: the points expired before the goods come back.

        With an order that came back before them some live on grace beside what expired.
        """
        self.now += timedelta(days=230)
        if order and self.spent:
            self.give_back(0, 0)
        code, basket = self.transaction(number)
        self.reverse(code, basket, [{"line": basket["lines"][0]["line"], "amount": amount}])

    @rule(points=st.sampled_from([1, 10, 60, 0]))
    def redeem(self, points: int) -> None:
        points = points or max(self.model.available, 1)
        order = self.order()
        moved = self.spend(self.model.redeem, order, points, lambda *x: points_redeem(*x, order, points))
        if moved:
            self.spent[order.reference] = (order, moved.parts)

    @rule(points=st.sampled_from([1, 10, 60, 0]), minutes=st.sampled_from([15, 15, 60 * 24 * 40]))
    def hold(self, points: int, minutes: int) -> None:
        points = points or max(self.model.available, 1)
        order, until = self.order(), self.now + timedelta(minutes=minutes)
        self.model.settle(self.now)
        if self.spend(
            lambda name, asked, now: self.model.hold(name, asked, until, now),
            order,
            points,
            lambda *x: points_hold(*x, order, points, until),
        ):
            self.held[order.reference] = order

    @rule(lives=st.sampled_from([1, 4, 30]), days=st.sampled_from([0, 3, 12, 60]), hold=st.booleans())
    def order_and_think_better(self, lives: int, days: int, hold: bool) -> None:
        """What brings points back to lots that are open, on grace or gone: to the same lot twice, days apart."""
        self.give(150, lives)
        self.redeem(40)
        if hold:
            self.hold(60, 60 * 24 * 2)
        else:
            self.redeem(60)
        for later in (days, 5):
            self.now += timedelta(days=later)
            if self.spent:
                self.give_back(0, 0)

    @precondition(lambda self: self.held)
    @rule(number=st.integers(0, 30), release=st.booleans())
    def end_a_hold(self, number: int, release: bool) -> None:
        order = self.held.pop(list(self.held)[number % len(self.held)])
        step = points_release if release else points_confirm
        self.model.settle(self.now)
        is_open = order.reference in self.model.holds
        try:
            moved = self.move(lambda *x: step(*x, order))
        except NotFound:
            assert not is_open
            return
        assert is_open
        if release:
            self.model.release(order.reference, self.now)
        else:
            assert self.model.confirm(order.reference, self.now)
            self.spent[order.reference] = (order, moved.parts)

    @precondition(lambda self: self.spent)
    @rule(number=st.integers(0, 30), days=st.sampled_from([0, 0, 5, 200]))
    def give_back(self, number: int, days: int) -> None:
        self.now += timedelta(days=days)
        name = list(self.spent)[-1 - number % len(self.spent)]
        order, parts = self.spent.pop(name)
        self.model.give_back(name, "redemption_cancelled", self.now)
        self.move(lambda *x: points_give_back(*x, order, parts, "redemption_cancelled"))
        type(self).given_back += 1

    @rule(hours=st.sampled_from([1, 12, 24, 72, 14 * 24, 40 * 24]))
    def time_passes(self, hours: int) -> None:
        self.now += timedelta(hours=hours)

    @precondition(lambda self: self.answered)
    @rule(number=st.integers(0, 30))
    def repeat_a_key(self, number: int) -> None:
        service, write, command, first = self.answered[number % len(self.answered)]
        again = service(write=Write(write.programme_id, self.now, 1, write.key), command=command)
        assert (again.status, again.body, again.replayed) == (first.status, first.body, True)

    @precondition(lambda self: self.answered)
    @rule(number=st.integers(0, 30))
    def repeat_a_key_with_other_content(self, number: int) -> None:
        service, write, command, _ = self.answered[number % len(self.answered)]
        assert write.key is not None
        other = claim(write.key.text, partner_id=1, method="POST", path="/x", body="other")
        with pytest.raises(IdempotencyKeyReused):
            service(write=Write(write.programme_id, self.now, 1, other), command=command)

    @precondition(lambda self: self.answered)
    @rule(number=st.integers(0, 30))
    def repeat_a_reference(self, number: int) -> None:
        service, _, command, first = self.answered[number % len(self.answered)]
        if first.status == 201:
            again = service(write=self.write("again"), command=command)
            assert (again.status, again.replayed) == (200, True)
            assert json.loads(again.body) == json.loads(first.body)

    # What they are made of

    def receipt(self, bought: list[tuple[str, str, bool]], back: int) -> BasketCommand:
        rows = tuple(
            LineRow(str(number), quantity, amount, category="chocolate" if chocolate else None)
            for number, (amount, quantity, chocolate) in enumerate(bought, 1)
        )
        at = self.now - timedelta(days=back)
        return BasketCommand("ADA", at, "EUR", rows, reference=self.name("POS"))

    def transaction(self, number: int) -> tuple[str, dict[str, Any]]:
        """One with something left to return if there is any; else one that has nothing."""
        left = {code: x for code, x in self.baskets.items() if any(map(self.counts, x["lines"]))}
        return list((left or self.baskets).items())[-1 - number % len(left or self.baskets)]

    def book(self, command: BasketCommand) -> int:
        """The transaction in the reference; returns its points."""
        code = command.reference or ""
        rows = [
            {"line": x.line, "sku": None, "category": x.category, "brand": None, "quantity": x.quantity,
             "amount": x.amount, "points_eligible": True}
            for x in command.lines
        ]  # fmt: skip
        first = not any(any(map(self.counts, basket["lines"])) for basket in self.baskets.values())
        facts = {
            "member": True,
            "segments": [],
            "tier": None,
            "first": first,
            "birthday_days": None,
            "room": {},
        }
        basket = {"occurred_at": command.occurred_at, "channel": None, "store": None, "currency": "EUR",
                  "lines": rows, "facts": facts, "done": False}  # fmt: skip
        self.baskets[code] = basket
        points = self.points(basket)
        active = reference.activates_at(command.occurred_at, self.now, self.terms)
        self.model.earn(code, points, active, reference.expires_at(active, self.terms), self.now)
        return points

    @staticmethod
    def counts(line: dict[str, Any]) -> bool:
        return float(line["amount"]) > 0 or float(line["quantity"]) > 0

    def points(self, basket: dict[str, Any]) -> int:
        return reference.evaluate(basket, basket["facts"], self.terms, PROMOTIONS, {}).points

    def reverse(self, code: str, basket: dict[str, Any], asked: list[dict[str, str]] | None) -> None:
        expected, left = self.expected_reversal(code, basket, asked)
        command = ReversalCommand(code, self.name("RET"), None if asked is None else tuple(asked))
        write = self.write(command.reference)
        try:
            answer = transaction_reverse(write=write, command=command)
        except QuantityExceedsRemaining:
            assert expected == "quantity_exceeds_remaining"
            return
        body = json.loads(answer.body)
        self.answered.append((transaction_reverse, write, command, answer))
        if isinstance(expected, str):
            assert body.get("code") == expected
            return
        assert body["taken_from"] == expected
        assert body["remaining_points"] == self.model.may_return[code]
        basket["lines"] = left

    def expected_reversal(
        self, code: str, basket: dict[str, Any], asked: list[dict[str, str]] | None
    ) -> tuple[Any, list[dict[str, Any]]]:
        """What the reference takes from where, or the word for why not; and the lines that are left."""
        if not any(map(self.counts, basket["lines"])):
            return "already_reversed", []
        try:
            left = reference.return_lines(basket["lines"], asked, 2)
        except reference.TooMuch:
            return "quantity_exceeds_remaining", []
        had = self.model.may_return[code]
        points = had - reference.points_left(had, self.points({**basket, "lines": left}))
        try:
            return self.model.reverse(code, points, self.now), left
        except Insufficient:
            return "insufficient_points", []

    def adjust(self, points: int, end: datetime | None) -> Answer:
        command = AdjustmentCommand("ADA", self.name("ADJ"), points, "test", "partner:x", end)
        write = self.write(command.reference)
        answer = adjustment_post(write=write, command=command)
        self.answered.append((adjustment_post, write, command, answer))
        return answer

    def order(self) -> Order:
        return order_of(self.programme, self.name("WEB"))

    def spend(self, in_model: Any, order: Order, points: int, step: Any) -> Moved | None:
        """The same in both; None when both refuse it."""
        try:
            in_model(order.reference, points, self.now)
        except Insufficient:
            with pytest.raises(InsufficientPoints):
                self.move(step)
            return None
        return self.move(step)

    def move(self, step: Any) -> Moved:
        call = Call(self.now)
        holding = selectors.holding_of(self.programme.pk, "ADA", self.now)
        rows = Lot.objects.filter(account_id=self.member.pk)
        holding.lots = [ledger.Lot(*row) for row in rows.values_list(*ledger.Lot.__slots__)]
        moved: Moved = step(call, holding)
        send(call)
        return moved

    # What must hold

    @invariant()
    def it_is_the_references_account(self) -> None:
        if not hasattr(self, "atomic"):
            return
        self.model.settle(self.now)
        type(self).steps += 1
        type(self).in_debt += self.model.debt > 0
        written = self.written()
        holding = selectors.holding_of(self.programme.pk, "ADA", self.now)
        figures: tuple[int, ...] = (0, 0, 0, 0)
        due: list[Any] = []
        if holding.account is not None:
            posting = ledger.begin(holding.account, holding.lots, self.now)
            figures, due = tuple(posting.account.figures), posting.entries
        model = self.model
        assert figures == (model.available, model.pending, model.held, model.debt), self.lots()
        coming = [(entry.kind, entry.points, entry.figures.balance) for entry in due]
        assert written + coming == [tuple(entry) for entry in model.entries]

    def written(self) -> list[tuple[str, int, int]]:
        """The entries, having looked that lots, holds and figures add up to them."""
        found = rows(SHOWN, {"account": self.member.pk})
        if not found:
            return []
        ((told, available, pending, held, debt, in_lots, in_holds),) = found
        entries = [tuple(entry) for entry in json.loads(told)]
        assert sum(points for _kind, points, _balance in entries) == available + pending + held - debt
        assert in_lots == available + pending
        assert in_holds == held
        assert debt == 0 or available == 0
        return entries

    def lots(self) -> str:
        """Lots of both, for the message of a failure."""
        ours = (
            Lot.objects.filter(account_id=self.member.pk)
            .order_by("seq")
            .values_list("seq", "points", "remaining", "expired", "activates_at", "expires_at")
        )
        return f"{self.now} LOTS {list(ours)} MODEL {self.model.lots}".replace(
            "tzinfo=datetime.timezone.utc", ""
        )


long_lives = settings(
    max_examples=60,
    stateful_step_count=STEPS,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate],
)


@pytest.mark.usefixtures("programmes")
def test_the_ledger_lives_as_the_reference_does(monkeypatch: pytest.MonkeyPatch) -> None:
    Life.steps = Life.in_debt = Life.given_back = 0
    for policy, lives in LIVES.items():
        monkeypatch.setattr(Life, "policies", [policy])
        run_state_machine_as_test(Life, settings=settings(long_lives, max_examples=lives))
    assert Life.steps > 2500
    assert Life.in_debt > 200  # lives that never owe anything would prove little
    assert Life.given_back > 200


def forgets_breakage(*arguments: Any) -> None:
    """A return that never undoes the breakage of its own lot."""


def pays_no_debt(posting: ledger.Posting, entry_seq: int | None) -> None:
    """Points that become available leave the debt as it is."""


def gives_no_grace(*arguments: Any, put_back: Any = ledger.steps.put_back) -> None:
    """Points come back to an expired lot and expire at once, whatever the programme says."""
    put_back(*arguments[:-1], None)


@pytest.mark.usefixtures("programmes")
@pytest.mark.parametrize(
    ("name", "broken"),
    [
        ("_give_back_expired", forgets_breakage),
        ("pay_debt", pays_no_debt),
        ("put_back", gives_no_grace),
    ],
)
def test_it_would_find_a_broken_ledger(name: str, broken: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The negative control: the same lives with a planted bug end in a failure."""
    for module in (ledger.settling, ledger.steps, ledger.moving, ledger.spending):
        if hasattr(module, name):
            monkeypatch.setattr(module, name, broken)
    few = settings(long_lives, report_multiple_bugs=False)
    with pytest.raises((AssertionError, IntegrityError)):
        run_state_machine_as_test(Life, settings=few)
