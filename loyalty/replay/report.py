"""A finished replay as its page and its downloads show it. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from itertools import accumulate, pairwise
from typing import Any
from zoneinfo import ZoneInfo

Table = tuple[list[str], list[list[object]]]
"""Header and rows."""


@dataclass(frozen=True, slots=True)
class Report:
    """`result` as `Figures.result` wrote it; money is in `currency`, instants are shown in `zone`."""

    result: Mapping[str, Any]
    currency: str
    digits: int
    zone: ZoneInfo

    @property
    def difference(self) -> int:
        """Points with the draft less those without."""
        return int(self.result["points"] - self.result["without"])

    @property
    def cost(self) -> Decimal | None:
        """What the difference costs, in the currency; None while a point has no value."""
        value = self.result["point_value"]
        return None if value is None else self.money(self.difference * Decimal(value))

    def money(self, amount: Decimal) -> Decimal:
        """Rounded half up to the currency's digits."""
        return amount.quantize(Decimal(1).scaleb(-self.digits), ROUND_HALF_UP)

    @property
    def awarded(self) -> Decimal:
        """Points of the draft itself before rounding; others it displaced are not taken off."""
        return _short(self.result["awarded"])

    @property
    def budget(self) -> Decimal | None:
        """The draft's budget in points, if it has one."""
        budget = self.result["budget"] or {}
        return _short(budget["points"]) if budget.get("points") is not None else None

    @property
    def budget_uses(self) -> int | None:
        """The draft's budget in uses, if it has one."""
        uses: int | None = (self.result["budget"] or {}).get("uses")
        return uses

    @property
    def budget_share(self) -> int | None:
        """How much of the budget is used, in whole per cent: the unit that is nearer to its end."""
        shares = [used / cap for used, cap in self._budgets() if cap]
        return int(max(shares) * 100) if shares else None

    def _budgets(self) -> Iterator[tuple[Decimal, Decimal]]:
        if self.budget is not None:
            yield Decimal(self.result["awarded"]), self.budget
        if self.budget_uses is not None:
            yield Decimal(self.result["uses"]), Decimal(self.budget_uses)

    def days(self) -> list[dict[str, Any]]:
        """Day by day, with what of the budget is used by then and left."""
        days = self.result["days"]
        given = accumulate(Decimal(day["awarded"]) for day in days)
        uses = accumulate(day["uses"] for day in days)
        return [
            {
                **day,
                "gain": day["points"] - day["without"],
                "awarded": _short(day["awarded"]),
                "awarded_so_far": _short(sum_),
                "uses_so_far": used,
                "left": None if self.budget is None else _short(self.budget - sum_),
                "uses_left": None if self.budget_uses is None else self.budget_uses - used,
            }
            for day, sum_, used in zip(days, given, uses, strict=True)
        ]

    def gains(self) -> list[dict[str, Any]]:
        """Members by what they gain, in classes; those above the highest that anybody reached are left out."""
        starts = self.result["gains"]
        names = [f"{a['from']:,}–{b['from'] - 1:,}" for a, b in pairwise(starts)]
        named = [
            {"points": name, "members": x["members"]}
            for name, x in zip([*names, f"{starts[-1]['from']:,} or more"], starts, strict=True)
        ]
        while named and not named[-1]["members"]:
            named.pop()
        return named

    def top(self) -> list[dict[str, Any]]:
        """The baskets that gain most."""
        return [
            {
                **basket,
                "gain": basket["points"] - basket["without"],
                "at": f"{datetime.fromisoformat(basket['occurred_at']).astimezone(self.zone):%-d %b %Y %H:%M}",
            }
            for basket in self.result["top"]
        ]

    def charts(self) -> dict[str, Any]:
        """What the page's charts draw: labels and series, as numbers."""
        days, gains = self.days(), self.gains()
        return {
            "days": {
                "labels": [day["day"] for day in days],
                "without": [day["without"] for day in days],
                "points": [day["points"] for day in days],
            },
            "budget": {
                "labels": [day["day"] for day in days],
                "used": [float(day["awarded_so_far"]) for day in days],
                "limit": None if self.budget is None else float(self.budget),
            },
            "gains": {
                "labels": [x["points"] for x in gains],
                "members": [x["members"] for x in gains],
            },
        }

    def tables(self) -> dict[str, Table]:
        """The downloads by name."""
        value = self.result["point_value"]
        days: list[list[object]] = [
            [
                *(day[x] for x in ("day", "baskets", "without", "points", "gain")),
                "" if value is None else day["gain"] * Decimal(value),
                *(day[x] for x in ("awarded", "uses", "awarded_so_far")),
                "" if day["left"] is None else day["left"],
            ]
            for day in self.days()
        ]
        top = [
            [basket[x] for x in ("reference", "occurred_at", "without", "points", "gain")]
            for basket in self.top()
        ]
        return {
            "days": (
                [
                    *("day", "baskets", "points_without", "points_with", "difference"),
                    f"cost_{self.currency.lower()}",
                    *("promotion_points", "promotion_uses", "promotion_points_so_far", "budget_left"),
                ],
                days,
            ),
            "baskets": (["reference", "occurred_at", "points_without", "points_with", "difference"], top),
            "members": (["points_gained", "members"], [[x["points"], x["members"]] for x in self.gains()]),
        }


def _short(value: str | Decimal) -> Decimal:
    """An exact figure to two decimals, as pages show it."""
    return Decimal(value).quantize(Decimal("0.01"), ROUND_HALF_UP)
