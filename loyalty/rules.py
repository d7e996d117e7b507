"""What staff say a rule is, checked and turned into the part that is hashed, stored and compiled."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from config.kernel.errors import FieldError
from config.kernel.texts import Texts
from loyalty.engine.numbers import LARGEST_POSTING, QUANTITY, RATE, plain, scaled
from loyalty.engine.ruleset import SCOPES
from loyalty.errors import RuleRefused
from members.models import Programme

EFFECTS = ("multiplier", "rate", "per_item", "fixed")
ROUNDINGS = ("floor", "half_up", "ceil")
LIFETIME_ENDS = (None, "month", "year")
_TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d")


def _number(text: str | None, scale: int) -> int | None:
    """Scaled value of decimal text, or None if it is no number of at most that many decimals."""
    try:
        value = Decimal(text or "")
        return scaled(value, scale) if value.is_finite() else None
    except (InvalidOperation, ValueError):
        return None


def _refuse(errors: list[FieldError]) -> None:
    if errors:
        raise RuleRefused(errors=errors)


@dataclass(frozen=True, slots=True)
class ProductSetRule:
    """SKUs, categories and brands a promotion is about; a line matches by any of them."""

    skus: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    brands: tuple[str, ...] = ()

    def part(self) -> dict[str, Any]:
        return {
            "kind": "products",
            "skus": sorted(set(self.skus)),
            "categories": sorted(set(self.categories)),
            "brands": sorted(set(self.brands)),
        }


@dataclass(frozen=True, slots=True)
class Cap:
    """At most so many points (decimal text) or uses; None = that unit is not capped."""

    points: str | None = None
    uses: int | None = None

    def part(self) -> dict[str, Any]:
        points = {} if self.points is None else {"points": self.points}
        return points if self.uses is None else {**points, "uses": self.uses}


@dataclass(frozen=True, slots=True)
class PromotionRule:
    """When a promotion applies, for whom, on what, what it gives and how much at most.

    `effect` and `value`: multiplier (>= 1) of the base, rate (points a currency unit), per_item (points a
    whole unit of quantity), fixed (points once). `weekdays` Monday = 1. `hours` are "HH:MM" from and until,
    passing midnight when until is not later. Caps by scope: transaction, total, day, month, budget.
    """

    effect: str
    value: str
    priority: int = 100
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    weekdays: tuple[int, ...] = ()
    hours: tuple[str, str] | None = None
    channels: tuple[str, ...] = ()
    stores: tuple[str, ...] = ()
    tiers: tuple[str, ...] = ()
    first: bool = False
    birthday_days: int | None = None
    products: ProductSetRule | None = None
    minimum_amount: str | None = None
    minimum_quantity: str | None = None
    caps: Mapping[str, Cap] = field(default_factory=dict)
    exclusivity_group: str | None = None
    qualifying: bool = False

    def check(self) -> None:
        """RuleRefused with every error found."""
        _refuse([*self._effect_errors(), *self._condition_errors(), *self._cap_errors()])

    def _effect_errors(self) -> Iterator[FieldError]:
        value = _number(self.value, RATE)
        if self.effect not in EFFECTS:
            yield FieldError("/effect/type", "unknown_effect", f"One of {', '.join(EFFECTS)}.")
        if value is None or not 0 < value <= LARGEST_POSTING:
            yield FieldError("/effect/value", "not_positive", "A number above 0 with at most 4 decimals.")
        elif self.effect == "multiplier" and value < RATE:
            yield FieldError("/effect/value", "below_one", "A multiplier is at least 1.")

    def _condition_errors(self) -> Iterator[FieldError]:
        if self.starts_at and self.ends_at and self.ends_at <= self.starts_at:
            yield FieldError("/window/until", "ends_before_start", "It would end before it starts.")
        if any(day not in range(1, 8) for day in self.weekdays):
            yield FieldError("/weekdays", "unknown_weekday", "Monday is 1 and Sunday 7.")
        if self.hours and not all(_TIME.fullmatch(time) for time in self.hours):
            yield FieldError("/hours", "invalid_time", "Times are HH:MM.")
        if self.birthday_days is not None and not 0 <= self.birthday_days <= 366:
            yield FieldError("/birthday_days", "out_of_range", "0 to 366 days after the birthday.")
        for name, scale in (("minimum_amount", RATE), ("minimum_quantity", QUANTITY)):
            text = getattr(self, name)
            number = _number(text, scale)
            if text is not None and (number is None or number < 0):
                yield FieldError(f"/{name}", "invalid_number", "A number that is not negative.")

    def _cap_errors(self) -> Iterator[FieldError]:
        for scope, cap in self.caps.items():
            if scope not in SCOPES:
                yield FieldError(f"/caps/{scope}", "unknown_scope", f"One of {', '.join(SCOPES)}.")
            points = _number(cap.points, RATE)
            if cap.points is not None and (points is None or points < 0):
                yield FieldError(f"/caps/{scope}/points", "invalid_number", "A number that is not negative.")
            if cap.uses is not None and cap.uses < 0:
                yield FieldError(f"/caps/{scope}/uses", "invalid_number", "A number that is not negative.")

    def part(self, code: str, products: str | None) -> dict[str, Any]:
        """The promotion part; `products` is the hash of its product set."""
        return {
            "kind": "promotion",
            "code": code,
            "priority": self.priority,
            "window": {
                "from": self.starts_at.astimezone(UTC).isoformat() if self.starts_at else None,
                "until": self.ends_at.astimezone(UTC).isoformat() if self.ends_at else None,
            },
            "weekdays": sorted(set(self.weekdays)),
            "hours": {"from": self.hours[0], "until": self.hours[1]} if self.hours else None,
            "channels": sorted(set(self.channels)),
            "stores": sorted(set(self.stores)),
            "tiers": sorted(set(self.tiers)),
            "first": self.first,
            "birthday_days": self.birthday_days,
            "products": products,
            "minimum_amount": self.minimum_amount,
            "minimum_quantity": self.minimum_quantity,
            "effect": {"type": self.effect, "value": plain(_number(self.value, RATE) or 0, RATE)},
            "caps": {scope: cap.part() for scope, cap in self.caps.items() if cap.part()},
            "exclusivity_group": self.exclusivity_group or None,
            "qualifying": self.qualifying,
        }

    @classmethod
    def from_part(cls, part: Mapping[str, Any], products: Mapping[str, Any] | None) -> "PromotionRule":
        """The rule a stored part says, for a form to start from."""
        hours, window = part["hours"], part["window"]
        return cls(
            effect=part["effect"]["type"],
            value=part["effect"]["value"],
            priority=part["priority"],
            starts_at=datetime.fromisoformat(window["from"]) if window["from"] else None,
            ends_at=datetime.fromisoformat(window["until"]) if window["until"] else None,
            weekdays=tuple(part["weekdays"]),
            hours=(hours["from"], hours["until"]) if hours else None,
            channels=tuple(part["channels"]),
            stores=tuple(part["stores"]),
            tiers=tuple(part["tiers"]),
            first=part["first"],
            birthday_days=part["birthday_days"],
            products=ProductSetRule(*(tuple(products[x]) for x in ("skus", "categories", "brands")))
            if products
            else None,
            minimum_amount=part["minimum_amount"],
            minimum_quantity=part["minimum_quantity"],
            caps={scope: Cap(cap.get("points"), cap.get("uses")) for scope, cap in part["caps"].items()},
            exclusivity_group=part["exclusivity_group"],
            qualifying=part["qualifying"],
        )


@dataclass(frozen=True, slots=True)
class PromotionDraft:
    """What a promotion is to say next: its name, rule, and which segments to link (include or exclude, by
    code) and to unlink when it is published; other links stay as they are. `labels` are names by language."""

    name: str
    rule: PromotionRule
    link: Mapping[str, str] = field(default_factory=dict)
    unlink: tuple[str, ...] = ()
    labels: Texts = field(default_factory=dict)

    def row(self, code: str) -> dict[str, Any]:
        """As stored: the promotion part with its product set inline."""
        part = self.rule.part(code, None)
        if self.rule.products:
            part["products"] = self.rule.products.part()
        return {
            "name": self.name,
            "labels": dict(self.labels),
            "rule": part,
            "link": dict(self.link),
            "unlink": list(self.unlink),
        }

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> "PromotionDraft":
        part = row["rule"]
        rule = PromotionRule.from_part(part, part["products"])
        return cls(row["name"], rule, row["link"], tuple(row["unlink"]), row.get("labels", {}))


@dataclass(frozen=True, slots=True)
class TermsRule:
    """Earn rate (points a currency unit), rounding, delay (days), lifetime (months; None = for ever, with
    `lifetime_end` "month" or "year" to round it up) and tier multipliers (decimal text by tier code)."""

    earn_rate: str = "1"
    rounding: str = "floor"
    delay_days: int = 0
    lifetime_months: int | None = None
    lifetime_end: str | None = None
    tiers: Mapping[str, str] = field(default_factory=dict)

    def check(self) -> None:
        """RuleRefused with every error found."""
        _refuse(list(self._errors()))

    def _errors(self) -> Iterator[FieldError]:
        rate = _number(self.earn_rate, RATE)
        if rate is None or rate < 0:
            yield FieldError("/earn_rate", "invalid_number", "A number from 0 with at most 4 decimals.")
        if self.rounding not in ROUNDINGS:
            yield FieldError("/rounding", "unknown_rounding", f"One of {', '.join(ROUNDINGS)}.")
        if not 0 <= self.delay_days <= 3660:
            yield FieldError("/delay_days", "out_of_range", "0 to 3,660 days.")
        if self.lifetime_months is not None and not 1 <= self.lifetime_months <= 1200:
            yield FieldError("/lifetime/months", "out_of_range", "1 to 1,200 months.")
        if self.lifetime_end not in LIFETIME_ENDS:
            yield FieldError("/lifetime/end", "unknown_end", "month, year or nothing.")
        for code, multiplier in self.tiers.items():
            number = _number(multiplier, RATE)
            if number is None or number < RATE:
                yield FieldError(
                    f"/tiers/{code}", "below_one", "A multiplier of at least 1 with at most 4 decimals."
                )

    def part(self, programme: Programme) -> dict[str, Any]:
        """The terms part of the programme."""
        months = self.lifetime_months
        return {
            "kind": "terms",
            "currency": programme.currency,
            "digits": programme.currency_digits,
            "time_zone": programme.time_zone,
            "earn_rate": plain(_number(self.earn_rate, RATE) or 0, RATE),
            "rounding": self.rounding,
            "delay_days": self.delay_days,
            "lifetime": None if months is None else {"months": months, "end": self.lifetime_end},
            "tiers": {code: plain(_number(x, RATE) or 0, RATE) for code, x in sorted(self.tiers.items())},
        }
