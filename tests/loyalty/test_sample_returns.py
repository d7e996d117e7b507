"""Whatever is bought and taken back, in whatever pieces and order: nothing remains.

Every example books baskets of a household and returns them through the services, in the database, and is
rolled back.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import count
from random import Random
from typing import Any

import msgspec
import pytest
from django.db import transaction as db_transaction
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest_django.plugin import DjangoDbBlocker

from config import journey
from loyalty.api.serializers import EarnBody, basket_command
from loyalty.models import Account, PromotionBudget, PromotionUsage, Transaction
from loyalty.services import (
    AdjustmentCommand,
    ReversalCommand,
    Write,
    adjustment_post,
    transaction_reverse,
    transactions_earn,
)
from loyalty.services.desk import Booking
from members.models import Activity, Member, Programme
from tests.ledger_checks import check_ledger
from tests.loyalty.sample import Basket, baskets
from tests.reference.returns import return_lines

EXAMPLES = 500
NOW = datetime.fromisoformat("2017-12-01T08:00:00+00:00")
Lines = list[dict[str, Any]]
_numbers = count(1)


@pytest.fixture(scope="module")
def halfway(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Programme]:
    """The programme with the receipts of every other household booked: their caps are used, budgets partly."""
    with django_db_blocker.unblock(), db_transaction.atomic():
        programme = journey.journey_create()
        chosen = [basket for basket in baskets() if int(basket.household) % 2]
        book(programme, chosen)
        yield programme
        db_transaction.set_rollback(True)


def book(programme: Programme, bought: list[Basket], suffix: str = "") -> list[Booking]:
    """Book baskets under their references with a suffix."""
    commands = [
        basket_command(msgspec.convert(x.for_api(reference=x.reference + suffix), EarnBody), NOW)
        for x in bought
    ]
    outcomes = transactions_earn(
        write=Write(programme.pk, NOW), commands=commands, backdate_days=60, explains=False
    )
    assert all(isinstance(outcome, Booking) for outcome in outcomes)
    return outcomes  # type: ignore[return-value]


def effects(programme: Programme, member: Member) -> dict[str, Any]:
    """Everything points and receipts leave behind, but for rows that say nothing any more."""
    account = Account.objects.filter(pk=member.pk).first() or Account(settled_at=NOW)
    standing = Transaction.objects.filter(account_id=member.pk)
    return {
        "figures": (account.available, account.pending, account.held, account.debt),
        "transactions": account.transactions,
        "usage": {
            (row.promotion_id, row.day): (row.points, row.uses)
            for row in PromotionUsage.objects.filter(account_id=member.pk)
            if row.points or row.uses
        },
        "budgets": {
            row.promotion_id: (row.points_used, row.uses_used)
            for row in PromotionBudget.objects.filter(promotion__programme=programme)
        },
        "activity": {
            row.day: (row.transactions, row.spend, row.earned)
            for row in Activity.objects.filter(member_id=member.pk)
            if row.transactions or row.spend or row.earned
        },
        "qualifying": sum(standing.values_list("remaining_qualifying", flat=True)),
    }


def is_left(line: dict[str, Any]) -> bool:
    return any(float(line[unit]) for unit in ("quantity", "amount"))


def piece(random: Random, line: dict[str, Any]) -> dict[str, str]:
    """Part or all of what is left of a line, by quantity or by amount."""
    units = [unit for unit in ("quantity", "amount") if float(line[unit])]
    unit = random.choice(units)
    if unit == "amount" or float(line["amount"]) == 0 == float(line["quantity"]) % 1:
        steps = round(float(line[unit]) * (100 if unit == "amount" else 1))
        taken = random.choice([steps, random.randint(1, steps)])
        text = f"{taken // 100}.{taken % 100:02}" if unit == "amount" else str(taken)
        return {"line": line["line"], unit: text}
    thousandths = round(float(line["quantity"]) * 1000)
    taken = random.choice([thousandths, random.randint(1, thousandths)])
    return {"line": line["line"], "quantity": f"{taken // 1000}.{taken % 1000:03}"}


def give_back(programme: Programme, reference: str, asked: list[dict[str, str]] | None) -> dict[str, Any]:
    """One return through the service; its answer."""
    command = ReversalCommand(
        transaction=reference,
        reference=f"RETURN-{next(_numbers)}",
        lines=None if asked is None else tuple(asked),
    )
    answer = transaction_reverse(write=Write(programme.pk, NOW + timedelta(minutes=1)), command=command)
    assert answer.status == 201
    return msgspec.json.decode(answer.body)  # type: ignore[no-any-return]


def give_all_back(programme: Programme, left: dict[str, Lines], random: Random, patience: int) -> None:
    """Return everything of all transactions in random pieces, the rest whole when patience is out."""
    while left:
        patience -= 1
        reference = random.choice([*left])
        lines = [line for line in left[reference] if is_left(line)]
        asked = None
        if not lines:  # a receipt that never had anything to return
            assert give_back(programme, reference, None)["transaction_status"] == "reversed"
            del left[reference]
            continue
        if patience > 0 and random.random() < 0.85:
            asked = [piece(random, line) for line in random.sample(lines, random.randint(1, len(lines)))]
        answer = give_back(programme, reference, asked)
        left[reference] = return_lines(left[reference], asked, 2)
        if not any(is_left(line) for line in left[reference]):
            assert (answer["transaction_status"], answer["remaining_points"]) == ("reversed", 0)
            del left[reference]


def spend(programme: Programme, member: Member, share: float) -> int:
    """Take a share of the available points away; how many."""
    points = int(Account.objects.get(pk=member.pk).available * share)
    if points:
        command = AdjustmentCommand(
            member=member.number,
            reference=f"SPENT-{next(_numbers)}",
            points=-points,
            reason="spent",
            actor="staff:ada",
        )
        assert adjustment_post(write=Write(programme.pk, NOW), command=command).status == 201
    return points


@settings(max_examples=EXAMPLES, deadline=None)
@given(
    start=st.integers(0, len(baskets()) - 1),
    how_many=st.integers(1, 3),
    random=st.randoms(use_true_random=False),
    patience=st.integers(1, 6),
    share=st.sampled_from([0, 0, 0.4, 1]),
)
def test_returning_everything_leaves_no_effect(
    halfway: Programme, start: int, how_many: int, random: Random, patience: int, share: float
) -> None:
    """Balance, cap usage, budgets, activity and qualifying points end where they began; points that were
    spent meanwhile are owed."""
    first = baskets()[start]
    bought = [x for x in baskets()[start:] if x.household == first.household][:how_many]
    member = Member.objects.get(programme=halfway, number=first.household)
    with db_transaction.atomic():
        before = effects(halfway, member)
        bookings = book(halfway, bought, suffix="-again")
        assert effects(halfway, member)["transactions"] == before["transactions"] + len(bought)
        spent = spend(halfway, member, share)
        left = {x.reference + "-again": [dict(line) for line in x.lines if is_left(line)] for x in bought}
        give_all_back(halfway, left, random, patience)
        after = effects(halfway, member)
        available, pending, held, debt = after.pop("figures")
        assert available - debt == before["figures"][0] - before["figures"][3] - spent
        assert (pending, held) == before.pop("figures")[1:3]
        assert after == before
        assert len(bookings) == len(bought)
        if next(_numbers) % 20 == 0:
            check_ledger(halfway)
        db_transaction.set_rollback(True)
