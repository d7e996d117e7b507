"""A hundred thousand members: a refresh reads each table as a whole, never member by member."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from config.kernel.sql import rows
from members.models import Programme
from segments.criteria import parse
from segments.models import Segment
from segments.services import refresh_request, refresh_run, refreshing
from segments.wanted import set_based, wanted
from tests.factories import MemberFactory, SegmentFactory

MEMBERS = 100_000
LAPSED = {
    "all": [
        {"field": "spend", "op": "more_than", "value": "200.00", "days": 90},
        {"field": "transactions", "op": "at_least", "value": 2},
        {"not": {"field": "last_transaction", "op": "within_days", "value": 7}},
        {
            "any": [
                {"field": "tier", "op": "in", "value": ["GOLD"]},
                {"field": "age", "op": "at_least", "value": 30},
            ]
        },
    ]
}
FILL = """
WITH people AS (
    INSERT INTO members_member
    SELECT r.* FROM members_member t, generate_series(1, %(members)s) n, jsonb_populate_record(t, jsonb_build_object(
        'id', nextval(pg_get_serial_sequence('members_member', 'id')), 'number', 'm' || n,
        'birth_date', date '1950-01-01' + n %% 20000, 'tier', CASE n %% 3 WHEN 0 THEN 'GOLD' ELSE '' END)) r
    WHERE t.programme_id = %(programme)s AND t.number = 'pattern'
    RETURNING programme_id, id)
INSERT INTO members_activity (programme_id, member_id, day, transactions, spend, earned, burned)
SELECT programme_id, id, current_date - (d * 15 + id %% 10)::int, 1, (id %% 97), 5, 0
FROM people, generate_series(0, 5) d"""


def fill(programme: Programme, members: int) -> None:
    MemberFactory(programme=programme, number="pattern")
    with connection.cursor() as cursor:
        cursor.execute(FILL, {"programme": programme.pk, "members": members})


@pytest.fixture
def lapsed(programme: Programme) -> Segment:
    fill(programme, MEMBERS)
    return SegmentFactory(programme=programme, kind="dynamic", criteria=LAPSED)


def plan_of(statement: str, segment: Segment) -> dict[str, Any]:
    """The plan as it was run, rolled back by the test."""
    now = timezone.now()
    meant = wanted(segment, parse(segment.criteria), now)
    params = meant.params | {"now": now, "segment": segment.pk, "body": "{}", "id_start": "019ab000-0000-7"}
    params |= {"reason": "x", "type": "x"}
    sql = "EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) " + statement.format(
        wanted=meant.sql, news=refreshing._NEWS
    )
    with set_based():
        ((plan,),) = rows(sql, params, prepare=False)
    return dict((json.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"])


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for inner in plan.get("Plans", ()):
        yield from nodes(inner)


def check_set_based(plan: dict[str, Any]) -> None:
    found = list(nodes(plan))
    assert max(node["Actual Loops"] for node in found) <= 4
    assert "Nested Loop" not in {node["Node Type"] for node in found}
    assert any(node.get("Relation Name") == "members_activity" for node in found)
    assert max(node["Actual Rows"] for node in found) >= MEMBERS


BY_MEMBER = """EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON)
    SELECT id FROM members_member m WHERE programme_id = %(programme)s
    AND (SELECT sum(spend) FROM members_activity a WHERE a.member_id = m.id) > 200"""


@pytest.mark.django_db
def test_no_plan_node_runs_per_member(lapsed: Segment) -> None:
    """Not even with the statistics of empty tables, as after a bulk load."""
    check_set_based(plan_of(refreshing._ENTER, lapsed))
    refresh_run(refresh_id=refresh_request(segment=lapsed, now=timezone.now()).pk, now=timezone.now())
    check_set_based(plan_of(refreshing._LEAVE, lapsed))
    # The control: the same question asked member by member is seen.
    ((plan,),) = rows(BY_MEMBER, {"programme": lapsed.programme_id}, prepare=False)
    with pytest.raises(AssertionError):
        check_set_based(plan[0]["Plan"])
