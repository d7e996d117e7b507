"""Every basket of the sample earns what the rules say, whichever way it comes in."""

import csv
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import msgspec
import pytest
from django.core.management import call_command
from django.db import transaction as db_transaction
from pytest_django.plugin import DjangoDbBlocker

from config import journey
from loyalty.api.serializers import EarnBody, EvaluationBody, basket_command
from loyalty.models import Account, PromotionBudget, Transaction
from loyalty.services import Write, basket_evaluate, transactions_earn
from loyalty.services.desk import Booking
from members.models import Programme
from tests.ledger_checks import check_ledger
from tests.loyalty.sample import Basket, Expected, baskets
from tests.reference.engine import Result

ANY_AGE = 36_500
"""Days."""


@pytest.fixture(scope="module")
def opened(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Programme]:
    """The programme before its first receipt; made once, gone after the module."""
    with django_db_blocker.unblock(), db_transaction.atomic():
        yield journey.journey_create()
        db_transaction.set_rollback(True)


@pytest.fixture
def programme(opened: Programme, django_db_blocker: DjangoDbBlocker) -> Iterator[Programme]:
    """The programme for one test."""
    with django_db_blocker.unblock(), db_transaction.atomic():
        yield opened
        check_ledger(opened)
        db_transaction.set_rollback(True)


@pytest.fixture(scope="module")
def expected() -> dict[str, Result]:
    """By the reference, from the rules alone."""
    return {basket.reference: result for basket, result in Expected().all()}


def imported(tmp_path: Path, **options: Any) -> list[dict[str, str]]:
    """Import the sample; the rejects."""
    rejects = tmp_path / "rejects.csv"
    call_command(
        "import_transactions",
        str(journey.RECEIPTS),
        programme="journey",
        map=[*journey.COLUMNS.items()],
        backdate=ANY_AGE,
        rejects=rejects,
        workers=1,
        verbosity=0,
        **options,
    )
    with rejects.open(newline="") as file:
        return list(csv.DictReader(file))


def assert_as_expected(row: Any, result: Result) -> None:
    """A stored transaction against the reference: points, line by line, and every award to the last digit."""
    assert (row.points, row.wanted, row.qualifying) == (result.points, result.wanted, result.qualifying)
    assert row.line_points == list(result.lines.values())
    awards = {
        code: (Fraction(award["wanted"]), Fraction(award["awarded"])) for code, award in row.awards.items()
    }
    losers = {code for code, reason in result.not_applied.items() if reason == "exclusivity"}
    assert awards == {
        code: (award.wanted, award.awarded) for code, award in result.awards.items() if code not in losers
    }


def test_the_sample_exercises_the_rules(expected: dict[str, Result]) -> None:
    """Each promotion gives something, some are capped, some lose to another: else the rest shows little."""
    given = Counter(
        code for result in expected.values() for code, award in result.awards.items() if award.awarded
    )
    assert set(given) == {*journey.FOR_ALL, *(f"MAILING-{id_}" for id_ in journey.MAILINGS)}
    capped = {
        code
        for result in expected.values()
        for code, award in result.awards.items()
        if 0 < award.awarded < award.wanted
    }
    assert {"MAILING-17", "MAILING-18", "MAILING-20", "MEAT-FUND", "FRESH-GOLD"} <= capped
    assert Counter(reason for x in expected.values() for reason in x.not_applied.values())["exclusivity"] > 20


def test_import_earns_what_the_rules_say(
    programme: Programme, expected: dict[str, Result], tmp_path: Path
) -> None:
    rejects = imported(tmp_path)
    assert rejects == []
    booked = {row.reference: row for row in Transaction.objects.filter(programme=programme)}
    assert booked.keys() == expected.keys()
    assert len(booked) == 1747
    for reference, result in expected.items():
        assert_as_expected(booked[reference], result)


def test_evaluate_and_earn_say_the_same(programme: Programme, expected: dict[str, Result]) -> None:
    """Basket by basket in their order: evaluated first, then booked with what the evaluation promised."""
    for basket in baskets():
        now = basket.occurred_at + timedelta(minutes=1)
        asked = msgspec.convert(basket.for_api(), EvaluationBody)
        answer = basket_evaluate(
            programme_id=programme.pk, partner_id=7, command=basket_command(asked, now), now=now
        )
        result = expected[basket.reference]
        assert (answer["points"], answer["wanted"]) == (result.points, result.wanted)
        assert [line["points"] for line in answer["lines"]] == list(result.lines.values())
        booking = earned(programme, basket, now)
        assert_as_expected(booking.row, result)


def earned(programme: Programme, basket: Basket, now: datetime) -> Booking:
    """The basket, booked as a batch of one."""
    body = msgspec.convert(basket.for_api(), EarnBody)
    (booking,) = transactions_earn(write=Write(programme.pk, now), commands=[basket_command(body, now)])
    assert isinstance(booking, Booking), booking
    return booking


def test_import_after_earn_finds_every_receipt(programme: Programme, tmp_path: Path) -> None:
    """Receipts that came over the API with the same content are already booked; the import adds the others."""
    for basket in baskets()[:50]:
        earned(programme, basket, basket.occurred_at)
    before = {row.reference: (row.id, row.points) for row in Transaction.objects.filter(programme=programme)}
    assert imported(tmp_path) == []
    after = {row.reference: (row.id, row.points) for row in Transaction.objects.filter(programme=programme)}
    assert len(after) == 1747
    assert {reference: after[reference] for reference in before} == before


def test_dry_run_promises_what_the_import_does(programme: Programme, tmp_path: Path) -> None:
    """Same points, budgets and caps included, and nothing is written."""
    said = summary(tmp_path, dry_run=True)
    assert not Account.objects.filter(programme=programme).exists()
    assert not Transaction.objects.filter(programme=programme).exists()
    assert not PromotionBudget.objects.filter(promotion__programme=programme, uses_used__gt=0).exists()
    assert said == summary(tmp_path)
    assert said["booked"] == 1747
    assert said["points"] == sum(
        Transaction.objects.filter(programme=programme).values_list("points", flat=True)
    )


def summary(tmp_path: Path, **options: Any) -> dict[str, int]:
    """The counts an import prints."""
    printed = tmp_path / "printed"
    with printed.open("w") as out:
        imported(tmp_path, stdout=out, **options)
    found = {}
    for line in printed.read_text().splitlines():
        for name in ("booked", "already booked", "rejected", "points"):
            if line.startswith(name + " "):
                found[name] = int(line.removeprefix(name).split()[0].replace(",", ""))
    return found
