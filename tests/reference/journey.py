"""What a year of The Complete Journey must earn, from the receipts and mailings themselves.

It states the programme's rules once more (docs of config/complete_journey.py) and shares nothing with the
product: households in (time, receipt) order, caps from what this itself awarded before.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any, NamedTuple

from tests.reference.engine import Result, evaluate

TERMS: dict[str, Any] = {
    "currency": "USD",
    "digits": 2,
    "time_zone": "UTC",
    "earn_rate": "1",
    "rounding": "floor",
    "delay_days": 0,
    "lifetime": None,
    "tiers": {},
}
GIVES: dict[str, dict[str, Any]] = {
    "Type A": {
        "effect": {"type": "multiplier", "value": "2"},
        "caps": {"day": {"points": "30.5"}, "month": {"points": "120"}},
        "minimum_amount": None,
    },
    "Type B": {
        "effect": {"type": "multiplier", "value": "3"},
        "caps": {"total": {"uses": 5}, "transaction": {"points": "12"}},
        "minimum_amount": None,
    },
    "Type C": {
        "effect": {"type": "rate", "value": "1.5"},
        "caps": {"total": {"points": "100"}},
        "minimum_amount": "4.00",
    },
}


class Bought(NamedTuple):
    """A line of a receipt, in the order of the file."""

    household: str
    receipt: str
    at: datetime
    sku: str
    quantity: int
    amount: Decimal


class Mailing(NamedTuple):
    """From (inclusive) until (exclusive) when it ran, who got it and what it was about."""

    id: str
    type: str
    start: datetime
    end: datetime
    households: frozenset[str]
    skus: frozenset[str]

    @property
    def code(self) -> str:
        return f"MAILING-{self.id}"

    @property
    def segment(self) -> str:
        return f"mailed-{self.id}"

    def promotion(self) -> dict[str, Any]:
        return {
            "kind": "promotion",
            "code": self.code,
            "priority": 100,
            "window": {"from": None, "until": None},
            "products": {"kind": "products", "skus": self.skus, "categories": (), "brands": ()},
            "minimum_quantity": None,
            "exclusivity_group": None,
            "qualifying": False,
            "first": False,
            "birthday_days": None,
            "hours": None,
            **{name: [] for name in ("weekdays", "channels", "stores", "tiers")},
            **GIVES[self.type],
        }

    def link(self) -> dict[str, Any]:
        edges = {"from": self.start.isoformat(), "until": self.end.isoformat()}
        return {"segment": self.segment, "mode": "include", **edges}


class Earned(NamedTuple):
    """What a receipt earns."""

    household: str
    receipt: str
    result: Result


def recompute(bought: Iterable[Bought], mailings: Iterable[Mailing]) -> Iterator[Earned]:
    """Every receipt, household by household, in the order in which they must run."""
    receipts: dict[str, list[Bought]] = defaultdict(list)
    for line in bought:
        receipts[line.receipt].append(line)
    used: dict[tuple[Any, ...], Fraction] = defaultdict(Fraction)
    rules = [(mailing, mailing.promotion(), mailing.link()) for mailing in mailings]
    for lines in sorted(
        receipts.values(), key=lambda lines: (lines[0].household, lines[0].at, lines[0].receipt)
    ):
        household, receipt, at = lines[0][:3]
        running = [
            (promotion, link)
            for mailing, promotion, link in rules
            if household in mailing.households and mailing.start <= at < mailing.end
        ]
        buckets = {
            "total": (household,),
            "day": (household, at.date()),
            "month": (household, at.year, at.month),
        }
        result = _evaluated(lines, running, buckets, used)
        for code, award in result.awards.items():
            for bucket in buckets.values():
                used[(code, *bucket, "points")] += award.awarded
                used[(code, *bucket, "uses")] += award.awarded > 0
        yield Earned(household, receipt, result)


def _evaluated(
    lines: list[Bought],
    running: list[tuple[dict[str, Any], dict[str, Any]]],
    buckets: dict[str, tuple[Any, ...]],
    used: dict[tuple[Any, ...], Fraction],
) -> Result:
    """One receipt under the mailings that run for its household."""
    room = {
        promotion["code"]: {
            scope: {
                unit: Fraction(cap) - used[(promotion["code"], *buckets[scope], unit)]
                for unit, cap in caps.items()
            }
            for scope, caps in promotion["caps"].items()
            if scope != "transaction"
        }
        for promotion, _ in running
    }
    facts = {"member": True, "segments": [link["segment"] for _, link in running], "room": room}
    basket = {
        "occurred_at": lines[0].at,
        "lines": [_line(number, line) for number, line in enumerate(lines, 1)],
    }
    links = {promotion["code"]: [link] for promotion, link in running}
    return evaluate(basket, facts, TERMS, [promotion for promotion, _ in running], links)


def _line(number: int, line: Bought) -> dict[str, Any]:
    return {"line": str(number), "sku": line.sku, "quantity": line.quantity, "amount": line.amount}
