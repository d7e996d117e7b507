"""What a replay found, added up basket by basket: by day, by member, and the baskets that gain most."""

import heapq
from bisect import bisect_right
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NamedTuple

from loyalty.engine import Promotion
from loyalty.engine.model import Room
from loyalty.engine.numbers import POINT, plain
from loyalty.replay.reading import Stored
from loyalty.replay.simulation import Outcome

TOP = 20
GAINS = (1, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000)
"""Where the classes of the members' gains begin, in points."""


class Basket(NamedTuple):
    """One of those that gain most; the earlier of equals comes first."""

    gain: int
    earlier: float
    reference: str
    occurred_at: datetime
    without: int
    points: int


@dataclass(slots=True)
class Day:
    """A programme day: points as posted and with the draft, and the draft's own exact points and uses."""

    baskets: int = 0
    without: int = 0
    points: int = 0
    awarded: int = 0
    uses: int = 0


@dataclass(slots=True)
class Figures:
    """Sums over the baskets so far."""

    baskets: int = 0
    changed: int = 0
    days: dict[date, Day] = field(default_factory=lambda: defaultdict(Day))
    gains: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    top: list[Basket] = field(default_factory=list)

    def add(self, stored: Stored, outcome: Outcome) -> None:
        """Count one basket."""
        self.baskets += 1
        day = self.days[stored.day]
        day.baskets += 1
        day.without += stored.points
        day.points += outcome.points
        if outcome.awarded:
            day.awarded += outcome.awarded
            day.uses += 1
        gain = outcome.points - stored.points
        if gain:
            self.changed += 1
            self.gains[stored.account_id] += gain
            self._rank(stored, outcome, gain)

    def _rank(self, stored: Stored, outcome: Outcome, gain: int) -> None:
        at = stored.occurred_at
        if gain > 0 and (len(self.top) < TOP or gain > self.top[0].gain):
            entry = Basket(gain, -at.timestamp(), stored.reference, at, stored.points, outcome.points)
            (heapq.heappush if len(self.top) < TOP else heapq.heapreplace)(self.top, entry)

    def result(self, promotion: Promotion, point_value: Decimal | None) -> dict[str, Any]:
        """Everything as plain JSON. Points are whole but for `awarded`, the exact points of the draft as decimal
        text; `point_value` is money a point, kept so that the report stays what it was."""
        days = [self.days[day] for day in sorted(self.days)]
        gains = Counter(bisect_right(GAINS, gain) for gain in self.gains.values() if gain > 0)
        return {
            "baskets": self.baskets,
            "changed": self.changed,
            "without": sum(day.without for day in days),
            "points": sum(day.points for day in days),
            "awarded": plain(sum(day.awarded for day in days), POINT),
            "uses": sum(day.uses for day in days),
            "members_gain": sum(gain > 0 for gain in self.gains.values()),
            "members_lose": sum(gain < 0 for gain in self.gains.values()),
            "point_value": None if point_value is None else str(point_value),
            "budget": _budget(promotion.caps.get("budget")),
            "days": [
                {
                    "day": at.isoformat(),
                    "baskets": day.baskets,
                    "without": day.without,
                    "points": day.points,
                    "awarded": plain(day.awarded, POINT),
                    "uses": day.uses,
                }
                for at, day in sorted(self.days.items())
            ],
            "gains": [{"from": low, "members": gains[number]} for number, low in enumerate(GAINS, 1)],
            "top": [
                {
                    "reference": basket.reference,
                    "occurred_at": basket.occurred_at.isoformat(),
                    "without": basket.without,
                    "points": basket.points,
                }
                for basket in sorted(self.top, reverse=True)
            ],
        }


def _budget(room: Room | None) -> dict[str, Any] | None:
    if room is None:
        return None
    return {"points": None if room.points is None else plain(room.points, POINT), "uses": room.uses}
