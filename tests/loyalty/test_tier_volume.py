"""Tiers stay cheap where there is much activity: a gather reads the member's days of the period and no more."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine
from django.db import connection

from config.kernel.sql import rows
from loyalty.gather import earning
from loyalty.services import tier_create, tier_rules_set
from members.models import Member, Programme
from tests.factories import ApiClient, MemberFactory
from tests.loyalty.worlds import MONDAY, earn, euros, simple_terms

pytestmark = pytest.mark.django_db

DAYS, PERIOD = 1500, 90
_ACTIVE = """
INSERT INTO members_activity (programme_id, member_id, day, transactions, spend, earned, burned, qualifying)
SELECT m.programme_id, m.id, %s::date - d, 1, 1, 1, 0, 1 FROM members_member m, generate_series(1, %s) d
"""


@pytest.fixture
def busy(monday: time_machine.Traveller, programme: Programme, ada: Member) -> None:
    """Thirty members who bought something each day for four years."""
    tier_create(programme=programme, code="SILVER", name="Silver", rank=1, threshold=PERIOD - 1)
    simple_terms(programme, tiers={"SILVER": "1.5"})
    tier_rules_set(programme=programme, period="days", length=PERIOD, now=MONDAY)
    MemberFactory.create_batch(30, programme=programme)
    with connection.cursor() as cursor:
        cursor.execute(_ACTIVE, [MONDAY.date(), DAYS])
        cursor.execute("ANALYZE members_activity")


def scans(plan: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The nodes of a plan that read what members did, or find it in its index."""
    if "members_activity" in f"{plan.get('Relation Name')} {plan.get('Index Name')}":
        yield plan
    for child in plan.get("Plans", []):
        yield from scans(child)


@pytest.mark.usefixtures("busy")
def test_a_gather_reads_the_days_of_one_period(till: ApiClient, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[tuple[str, Any]] = []

    def spy(sql: str, params: Any) -> Any:
        sent.append((sql, params))
        return rows(sql, params)

    monkeypatch.setattr(earning, "rows", spy)
    answer = earn(till, "POS-1", occurred_at=datetime.now(UTC).isoformat(), **euros("10.00"))
    assert (answer.status_code, answer.json()["points"]) == (201, 15), "the days before today suffice"
    sql, params = sent[-1]
    assert params["tiered"]
    (((plan, *_),),) = rows(f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {sql}", params)
    found = list(scans(plan["Plan"]))
    (index,) = [node for node in found if node.get("Index Name") == "members_activity_pkey"]
    assert "member_id" in index["Index Cond"]
    assert "day" in index["Index Cond"]
    for node in found:
        assert 0 < node["Actual Rows"] <= PERIOD + 1
        assert node.get("Rows Removed by Filter", 0) == 0
        assert node["Node Type"] != "Seq Scan"
