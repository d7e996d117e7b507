"""Thousands of mixed operations on a few accounts: entries, lots and balances agree in every one."""

from collections import Counter
from datetime import timedelta
from random import Random
from typing import Any

import msgspec
import pytest

from config.kernel.errors import RistourneError
from loyalty.api.serializers import EarnBody, basket_command
from loyalty.models import Account, Draw, Entry
from loyalty.services import (
    AdjustmentCommand,
    Cap,
    PromotionRule,
    ReversalCommand,
    Write,
    adjustment_post,
    transaction_reverse,
    transactions_earn,
)
from loyalty.services.desk import Booking
from members.models import Programme
from tests.factories import MemberFactory
from tests.ledger_checks import check_ledger
from tests.loyalty.worlds import MONDAY, publish, simple_terms

ROUNDS, EARNS, OTHERS, MEMBERS = 100, 40, 20, 25
"""100 x (40 + 20) = 6,000 operations, a day and some hours apart."""


class Shop:
    """Does something to somebody, by chance, and counts what it did."""

    def __init__(self, programme: Programme, random: Random) -> None:
        self.programme, self.random = programme, random
        self.now = MONDAY
        self.references: list[str] = []
        self.did: Counter[str] = Counter()

    def write(self) -> Write:
        return Write(self.programme.pk, self.now)

    def earn(self) -> None:
        """Many receipts at once, as an import or a batch has them."""
        commands = [
            basket_command(msgspec.convert(self.receipt(number), EarnBody), self.now)
            for number in range(EARNS)
        ]
        outcomes = transactions_earn(write=self.write(), commands=commands, explains=False)
        self.references += [outcome.row.reference for outcome in outcomes if isinstance(outcome, Booking)]
        self.did["earn"] += len(outcomes)

    def receipt(self, number: int) -> dict[str, Any]:
        lines = [
            {
                "line": str(line),
                "quantity": str(self.random.randint(0, 4)),
                "amount": f"{self.random.randint(0, 6000) / 100:.2f}",
                "category": self.random.choice(["tea", "home"]),
            }
            for line in range(self.random.randint(1, 4))
        ]
        return {
            "reference": f"V{self.did['earn'] + number}",
            "member": str(self.random.randrange(MEMBERS)),
            "occurred_at": (self.now - timedelta(days=self.random.randrange(20))).isoformat(),
            "currency": "EUR",
            "lines": lines,
        }

    def take_back(self) -> None:
        reference = self.random.choice(self.references)
        some = ({"line": "0", "amount": f"{self.random.randint(1, 3000) / 100:.2f}"},)
        command = ReversalCommand(
            transaction=reference,
            reference=f"B{self.did['return'] + self.did['refused']}",
            lines=self.random.choice([None, some]),
        )
        self.attempt("return", lambda: transaction_reverse(write=self.write(), command=command))

    def adjust(self) -> None:
        """Give some points, or take all there are, so that later returns find none."""
        member = str(self.random.randrange(MEMBERS))
        account = Account.objects.filter(programme=self.programme, member__number=member).first()
        available = account.available if account else 0
        command = AdjustmentCommand(
            member=member,
            reference=f"A{self.did['adjustment'] + self.did['refused']}",
            points=self.random.choice([-available or 7, self.random.randint(1, 150)]),
            reason="by chance",
            actor="staff:ada",
        )
        self.attempt("adjustment", lambda: adjustment_post(write=self.write(), command=command))

    def attempt(self, kind: str, does: Any) -> None:
        try:
            does()
        except RistourneError:
            kind = "refused"
        self.did[kind] += 1


@pytest.mark.parametrize("overdraw", ["debt", "within_balance"])
def test_six_thousand_operations(programme: Programme, overdraw: str) -> None:
    """Receipts late and in time, returns, adjustments, activations, debts and expiries over four months."""
    Programme.objects.filter(pk=programme.pk).update(overdraw=overdraw)
    simple_terms(programme, delay_days=3, lifetime_months=1)
    publish(programme, "TEA", PromotionRule("multiplier", "1.75", caps={"month": Cap(points="90.5", uses=7)}))
    publish(programme, "FUND", PromotionRule("fixed", "9", caps={"budget": Cap(points="5000.5")}))
    for number in range(MEMBERS):
        MemberFactory(programme=programme, number=str(number))
    shop = Shop(programme, Random(20))
    for number in range(ROUNDS):
        shop.now += timedelta(hours=29)
        shop.earn()
        for _ in range(OTHERS):
            shop.random.choice([shop.take_back, shop.adjust])()
        if number % 20 == 19:
            assert check_ledger(programme) == MEMBERS
    assert shop.did.total() == ROUNDS * (EARNS + OTHERS) == 6000
    kinds = set(Entry.objects.filter(programme=programme).values_list("kind", flat=True))
    assert {"earn", "reversal", "adjustment", "expiry"} <= kinds
    owed = Draw.objects.filter(programme=programme, reason="debt").exists()
    assert owed == (overdraw == "debt")
    assert Account.objects.filter(programme=programme).count() == MEMBERS
