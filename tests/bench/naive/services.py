"""Book a receipt, row by row."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import F
from django.utils import timezone

from loyalty.models import Product
from members.models import Programme
from tests.bench.naive.evaluation import Evaluation, evaluate
from tests.bench.naive.models import (
    Account,
    Activity,
    Entry,
    Line,
    Lot,
    News,
    Promotion,
    Transaction,
    Usage,
)

DELAY, LIFETIME = timedelta(days=14), timedelta(days=365)


def earn(programme: Programme, receipt: dict[str, Any]) -> Transaction:
    """Inside a database transaction. Raises Account.DoesNotExist for an unknown member."""
    number = receipt.pop("account")["member"]["number"]
    lines = receipt.pop("lines")
    account = (
        Account.objects.select_for_update(of=("self",))
        .select_related("member__programme")
        .get(member__programme=programme, member__number=number)
    )
    booked = Transaction.objects.create(
        programme=programme, account=account, recorded_at=timezone.now(), **receipt
    )
    rows = _lines(booked, lines)
    result = evaluate(account, rows, booked.occurred_at)
    booked.points, booked.explanation = result.points, result.explanation
    booked.save()
    _use(account, result, booked.occurred_at)
    if result.points:
        _book(account, booked)
    _tell(account, booked, sum(line.amount for line in rows))
    return booked


def _lines(booked: Transaction, lines: list[dict[str, Any]]) -> list[Line]:
    """With category and brand of the product list, created as DRF's page on nested writes shows."""
    skus = [line["sku"] for line in lines if line.get("sku")]
    products = {x.sku: x for x in Product.objects.filter(programme=booked.programme, sku__in=skus)}
    for line in lines:
        if product := products.get(line.get("sku", "")):
            line["category"] = line.get("category") or product.category
            line["brand"] = line.get("brand") or product.brand
    return [Line.objects.create(transaction=booked, **line) for line in lines]


def _use(account: Account, result: Evaluation, occurred_at: datetime) -> None:
    for promotion, points in result.awards.items():
        Usage.objects.create(promotion=promotion, account=account, day=occurred_at.date(), points=points)
        if promotion.budget is not None:
            Promotion.objects.filter(pk=promotion.pk).update(budget_used=F("budget_used") + points)


def _book(account: Account, booked: Transaction) -> None:
    account.pending += booked.points
    account.save()
    entry = Entry.objects.create(
        account=account,
        transaction=booked,
        points=booked.points,
        balance_after=account.available + account.pending,
        recorded_at=booked.recorded_at,
    )
    activates_at = booked.occurred_at + DELAY
    Lot.objects.create(
        account=account,
        entry=entry,
        points=booked.points,
        remaining=booked.points,
        activates_at=activates_at,
        expires_at=activates_at + LIFETIME,
    )


def _tell(account: Account, booked: Transaction, spend: Decimal) -> None:
    """The member's day and the news, as the product books them."""
    activity, _ = Activity.objects.get_or_create(account=account, day=booked.occurred_at.date())
    activity.transactions += 1
    activity.spend += spend
    activity.earned += booked.points
    activity.save()
    News.objects.create(
        account=account,
        type="transaction.posted",
        body={"transaction": booked.pk, "points": booked.points},
        recorded_at=booked.recorded_at,
    )
