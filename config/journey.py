"""The programme `journey`: real baskets, households and mailings to show and test with.

They are the sample in tests/data/complete_journey (its README names source and licence). The demo and tests
set it up; its receipts come in through `manage.py import_transactions`.
"""

import csv
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from django.conf import settings
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
    tier_create,
    tier_rules_set,
)
from members.models import Programme
from members.services import member_enrol, programme_create
from segments.models import Segment
from segments.services import Operation, memberships_apply, segment_create

SAMPLE = settings.BASE_DIR / "tests" / "data" / "complete_journey"
RECEIPTS = SAMPLE / "transactions.csv"
COLUMNS = {
    "reference": "basket_id",
    "member": "household_id",
    "occurred_at": "transaction_timestamp",
    "store": "store_id",
    "sku": "product_id",
    "amount": "sales_value",
}
"""Which column of the receipts a field is in, for `import_transactions --map`; quantity has its own name."""
OPENED = datetime(2017, 10, 1, tzinfo=UTC)
"""Before the first receipt and mailing; when everything was set up and everybody enrolled."""
GOLD_FROM = 200
"""Qualifying points that make a household Gold; that it stays for GOLD_MONTHS."""
GOLD_MONTHS = 240
"""Long: those who were Gold by the receipts of 2017 still are."""

TERMS = TermsRule(tiers={"GOLD": "1.25"})

MAILINGS = {
    "16": PromotionRule("fixed", "50", minimum_amount="4.00", exclusivity_group="MAILED"),
    "17": PromotionRule("per_item", "5", caps={"total": Cap(uses=3), "transaction": Cap(points="12")}),
    "18": PromotionRule("multiplier", "2", caps={"day": Cap(points="30.5"), "month": Cap(points="120")}),
    "19": PromotionRule("fixed", "40", priority=50, minimum_quantity="2", exclusivity_group="MAILED"),
    "20": PromotionRule("rate", "3", caps={"transaction": Cap(points="15"), "budget": Cap(points="30")}),
}
"""What a mailing gives its households on its products, while it runs: type B 16, 17, 19, type A 18, type C 20."""

FOR_ALL = {
    "WELCOME": PromotionRule("fixed", "25", first=True),
    "FRESH-GOLD": PromotionRule(
        "rate",
        "0.5",
        tiers=("GOLD",),
        products=ProductSetRule(categories=("PRODUCE", "SEAFOOD")),
        caps={"month": Cap(points="20", uses=9)},
        qualifying=True,
    ),
    "FUEL": PromotionRule(
        "per_item", "0.0015", products=ProductSetRule(categories=("FUEL",)), caps={"day": Cap(uses=1)}
    ),
    "LATE": PromotionRule(
        "multiplier", "1.5", hours=("21:30", "02:00"), weekdays=(5, 6), exclusivity_group="BRAND"
    ),
    "OWN-BRAND": PromotionRule(
        "rate",
        "0.25",
        products=ProductSetRule(brands=("Private",)),
        minimum_amount="10.00",
        exclusivity_group="BRAND",
    ),
    "MEAT-FUND": PromotionRule(
        "rate",
        "1",
        products=ProductSetRule(categories=("MEAT", "MEAT-PCKGD")),
        minimum_quantity="2",
        caps={"budget": Cap(points="1500.75", uses=200), "total": Cap(points="45")},
    ),
    "NOT-MAILED": PromotionRule("fixed", "3", stores=("330", "367", "406"), minimum_amount="15.00"),
}
"""Promotions that no household was written to about; NOT-MAILED is closed to those of mailing 18."""
NAMES = {
    "WELCOME": "A gift for the first receipt",
    "FRESH-GOLD": "Fresh fruit, vegetables and fish",
    "FUEL": "Points at the pump",
    "LATE": "Late on Fridays and Saturdays",
    "OWN-BRAND": "Our own brand",
    "MEAT-FUND": "Two of the butcher's",
    "NOT-MAILED": "Welcome in our new shops",
}


def table(name: str) -> Iterator[dict[str, str]]:
    """The rows of a file of the sample."""
    with (SAMPLE / f"{name}.csv").open(newline="", encoding="utf-8") as file:
        yield from csv.DictReader(file)


@db_transaction.atomic
def journey_create() -> Programme:
    """The programme with products, members, segments and promotions, and no receipts yet."""
    programme = programme_create(
        code="journey",
        name="The Complete Journey",
        currency="USD",
        time_zone="UTC",
        now=OPENED,
        colour="#1d4ed8",
    )
    tier_create(programme=programme, code="GOLD", name="Gold", rank=1, threshold=GOLD_FROM)
    tier_rules_set(programme=programme, period="months", length=GOLD_MONTHS, now=OPENED)
    terms_set(programme=programme, terms=TERMS, now=OPENED)
    products = (
        ProductRow(row["product_id"], row["product_type"], row["department"], row["brand"])
        for row in table("products")
    )
    products_put(programme=programme, products=products, now=OPENED)
    _enrol(programme)
    segments = {row["campaign_id"]: _mailing(programme, row) for row in table("campaigns")}
    for code, rule in FOR_ALL.items():
        promotion = promotion_publish(
            programme=programme, code=code, name=NAMES[code], rule=rule, now=OPENED, publish=False
        )
        if code == "NOT-MAILED":
            promotion_link(
                promotion=promotion, segment=segments["18"], mode="exclude", valid_from=OPENED, publish=False
            )
    rules_publish(programme=programme)
    return programme


def _enrol(programme: Programme) -> None:
    for number in sorted({row["household_id"] for row in table("transactions")}):
        member_enrol(programme=programme, number=number, now=OPENED)


def _mailing(programme: Programme, row: dict[str, str]) -> Segment:
    """A segment of the households that got a mailing, and its promotion, from its first to its last day."""
    id_ = row["campaign_id"]
    starts = _midnight(row["start_date"])
    ends = _midnight(row["end_date"]) + timedelta(days=1)
    segment = segment_create(
        programme=programme, code=f"mailed-{id_}", name=f"Got mailing {id_} ({row['campaign_type']})"
    )
    got = [x["household_id"] for x in table("campaign_households") if x["campaign_id"] == id_]
    for op, at in (("add", starts), ("remove", ends)):
        steps = [Operation(op, number) for number in got]
        memberships_apply(segment=segment, operations=steps, source="import", now=at)
    skus = tuple(x["product_id"] for x in table("campaign_products") if x["campaign_id"] == id_)
    rule = replace(MAILINGS[id_], products=ProductSetRule(skus=skus))
    promotion = promotion_publish(
        programme=programme, code=f"MAILING-{id_}", name=segment.name, rule=rule, now=OPENED, publish=False
    )
    promotion_link(
        promotion=promotion,
        segment=segment,
        mode="include",
        valid_from=starts,
        valid_until=ends,
        publish=False,
    )
    return segment


def _midnight(day: str) -> datetime:
    return datetime.combine(date.fromisoformat(day), datetime.min.time(), UTC)
