"""Dynamic segments of the demo: who spends, who has not come back, who is new."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction as db_transaction

from members.models import Programme
from segments.selectors import segments_of
from segments.services import criteria_save, refresh_request, refresh_run, segment_create

EVALUATIONS = (60, 45, 30, 21, 14, 7, 3, 0)
"""How many days before the demo opened its segments were evaluated: enough for a chart."""


def _spent(amount: str, **period: Any) -> dict[str, Any]:
    return {"field": "spend", "op": "more_than", "value": amount} | period


CLUB: dict[str, tuple[str, dict[str, Any]]] = {
    "big-spenders": (
        "Spent over 200 in 90 days",
        {"all": [_spent("200.00", days=90)]},
    ),
    "lapsed": (
        "Bought before, not in the last 30 days",
        {"all": [{"field": "last_transaction", "op": "more_than_days", "value": 30}]},
    ),
    "dutch-or-silver": (
        "Silver, or reads Dutch and comes often",
        {
            "any": [
                {"field": "tier", "op": "in", "value": ["SILVER"]},
                {
                    "all": [
                        {"field": "language", "op": "in", "value": ["nl-BE"]},
                        {"field": "transactions", "op": "at_least", "value": 4, "days": 60},
                    ]
                },
            ]
        },
    ),
}
JOURNEY: dict[str, tuple[str, dict[str, Any]]] = {
    "big-households": ("Spent over 200", {"all": [_spent("200.00")]}),
    "gold-often": (
        "Gold, ten visits or more",
        {
            "all": [
                {"field": "tier", "op": "in", "value": ["GOLD"]},
                {"field": "transactions", "op": "at_least", "value": 10},
            ]
        },
    ),
}


@db_transaction.atomic
def groups_create(programme: Programme, groups: dict[str, tuple[str, dict[str, Any]]], now: datetime) -> None:
    """Make the segments that are missing, and evaluate them as they would have been over the last weeks."""
    known = set(segments_of(programme).values_list("code", flat=True))
    for code, (name, criteria) in groups.items():
        if code in known:
            continue
        segment = segment_create(programme=programme, code=code, name=name, kind="dynamic")
        asked = None
        for at in _instants(now):
            asked = (
                criteria_save(segment=segment, criteria=criteria, now=at, by="demo")
                if asked is None
                else refresh_request(segment=segment, now=at)
            )
            refresh_run(refresh_id=asked.pk, now=at)


def _instants(now: datetime) -> Iterator[datetime]:
    return (now - timedelta(days=days) for days in EVALUATIONS)
