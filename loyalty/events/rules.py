"""What an event type asks and gives, pure: its rule, and the points of one event before limits.

Points are fixed or an attribute times a rate, exact, rounded once as the programme's terms say.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from config.kernel.errors import FieldError
from loyalty.engine.numbers import LARGEST_POSTING, POINT, RATE, plain, scaled
from loyalty.errors import RuleRefused
from loyalty.events.schema import schema_errors

CAPS = ("total", "month", "week", "day")
DEVICE_CAPS = ("total", "day")
COOLDOWN_UNITS = ("minutes", "hours", "days")
NO_ATTRIBUTES: dict[str, Any] = {"type": "object", "properties": {}, "additionalProperties": False}
_AMOUNT = re.compile(r"\d{1,10}(\.\d{1,4})?")
_MOST_COUNT, _MOST_COOLDOWN = 1_000_000, {"minutes": 525_600, "hours": 8_784, "days": 3_660}
_EXACT = POINT // (RATE * RATE)


class Cooldown(NamedTuple):
    """How long after an event the next one counts: minutes and hours as they pass, days on the wall clock."""

    amount: int
    unit: str

    def ends(self, at: datetime, zone: ZoneInfo) -> datetime:
        """The first instant at which an event counts again after one at `at`."""
        if self.unit != "days":
            return at + timedelta(**{self.unit: self.amount})
        local = at.astimezone(zone)
        clock = local.time().replace(fold=0)
        return datetime.combine(local.date() + timedelta(days=self.amount), clock, zone).astimezone(UTC)


class AttributeRefused(ValueError):
    """The attribute that points come from is no amount."""


@dataclass(frozen=True, slots=True)
class EventRule:
    """What an event type asks and gives.

    `points` are given, unless `attribute` names one whose value times `rate` (decimal text) they are. `caps` by
    total, month, week, day; `device_caps` by total and day: at most so many events. `segments`: a member has to
    be in one of them. `review`: staff decide each event.
    """

    points: int | None = None
    attribute: str | None = None
    rate: str = "1"
    schema: Mapping[str, Any] = field(default_factory=lambda: NO_ATTRIBUTES)
    caps: Mapping[str, int] = field(default_factory=dict)
    cooldown: Cooldown | None = None
    device_caps: Mapping[str, int] = field(default_factory=dict)
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    segments: tuple[str, ...] = ()
    qualifying: bool = False
    review: bool = False

    def check(self) -> None:
        """RuleRefused with every error found."""
        errors = [*schema_errors(dict(self.schema), "/schema")]
        errors += [*self._points_errors(), *self._limit_errors()]
        if self.starts_at and self.ends_at and self.ends_at <= self.starts_at:
            errors.append(FieldError("/window/until", "ends_before_start", "It would end before it starts."))
        if errors:
            raise RuleRefused(errors=errors)

    def _points_errors(self) -> Iterator[FieldError]:
        if (self.points is None) == (self.attribute is None):
            yield FieldError("/points", "points_or_attribute", "Either fixed points or an attribute.")
        elif self.points is not None and not 0 < self.points <= LARGEST_POSTING:
            yield FieldError("/points", "out_of_range", "1 to 2**53 points.")
        elif self.attribute is not None:
            if _rate(self.rate) is None:
                yield FieldError("/rate", "not_positive", "A number above 0 with at most 4 decimals.")
            if self.attribute not in self.schema.get("required", ()):
                yield FieldError("/attribute", "not_required", "Points need an attribute every event has.")

    def _limit_errors(self) -> Iterator[FieldError]:
        for name, caps, known in (("caps", self.caps, CAPS), ("device", self.device_caps, DEVICE_CAPS)):
            for scope, most in caps.items():
                if scope not in known or not 0 < most <= _MOST_COUNT:
                    yield FieldError(f"/{name}/{scope}", "out_of_range", "1 to 1,000,000 events.")
        if self.cooldown and self.cooldown.unit not in COOLDOWN_UNITS:
            yield FieldError("/cooldown/unit", "unknown_unit", f"One of {', '.join(COOLDOWN_UNITS)}.")
        elif self.cooldown and not 0 < self.cooldown.amount <= _MOST_COOLDOWN[self.cooldown.unit]:
            yield FieldError("/cooldown/amount", "out_of_range", "From 1 up to about a year in its unit.")

    def part(self, code: str) -> dict[str, Any]:
        """The part that is hashed and stored."""
        given = (
            {"type": "fixed", "value": str(self.points)}
            if self.attribute is None
            else {
                "type": "attribute",
                "attribute": self.attribute,
                "rate": plain(_rate(self.rate) or 0, RATE),
            }
        )
        return {
            "kind": "event_type",
            "code": code,
            "points": given,
            "schema": dict(self.schema),
            "caps": dict(self.caps),
            "cooldown": self.cooldown._asdict() if self.cooldown else None,
            "device": dict(self.device_caps),
            "window": {"from": _text(self.starts_at), "until": _text(self.ends_at)},
            "segments": sorted(set(self.segments)),
            "qualifying": self.qualifying,
            "review": self.review,
        }

    @classmethod
    def from_part(cls, part: Mapping[str, Any]) -> "EventRule":
        """The rule a stored part says."""
        points, window = part["points"], part["window"]
        return cls(
            points=int(points["value"]) if points["type"] == "fixed" else None,
            attribute=points.get("attribute"),
            rate=points.get("rate", "1"),
            schema=part["schema"],
            caps=part["caps"],
            cooldown=Cooldown(**part["cooldown"]) if part["cooldown"] else None,
            device_caps=part["device"],
            starts_at=_instant(window["from"]),
            ends_at=_instant(window["until"]),
            segments=tuple(part["segments"]),
            qualifying=part["qualifying"],
            review=part["review"],
        )

    def runs_at(self, at: datetime) -> bool:
        """Whether `at` is in the active window."""
        return (self.starts_at is None or self.starts_at <= at) and (
            self.ends_at is None or at < self.ends_at
        )

    def exact_points(self, attributes: Mapping[str, Any]) -> int:
        """Points in 1/10**12, before rounding. AttributeRefused."""
        if self.attribute is None:
            return (self.points or 0) * POINT
        return attribute_amount(attributes, self.attribute) * (_rate(self.rate) or 0) * _EXACT

    def formula(self, attributes: Mapping[str, Any]) -> str:
        """How the points come about, e.g. "9 × 10"."""
        if self.attribute is None:
            return str(self.points)
        return f"{plain(attribute_amount(attributes, self.attribute), RATE)} × {self.rate}"


def _rate(text: str) -> int | None:
    """A rate scaled by RATE, or None if it is none."""
    try:
        value = Decimal(text)
        rate = scaled(value, RATE) if value.is_finite() and abs(value) <= LARGEST_POSTING else 0
    except (InvalidOperation, ValueError):
        return None
    return rate if rate > 0 else None


def _text(at: datetime | None) -> str | None:
    return at.astimezone(UTC).isoformat() if at else None


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def attribute_amount(attributes: Mapping[str, Any], name: str) -> int:
    """The value of an attribute (a JSON number or decimal text, up to 10 digits and 4 decimals) scaled by RATE.

    A double writes every such number back as it was sent. AttributeRefused for anything else.
    """
    value = attributes.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise AttributeRefused(name)
    text = format(Decimal(repr(value)), "f") if isinstance(value, float) else str(value)
    if not _AMOUNT.fullmatch(text.removesuffix(".0")):
        raise AttributeRefused(name)
    return scaled(text, RATE)
