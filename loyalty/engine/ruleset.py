"""A ruleset compiled from its parts: programme terms, promotions in order, and their segment links."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from loyalty.engine.calendar import Lifetime, Schedule
from loyalty.engine.model import Facts, Line, Room
from loyalty.engine.numbers import POINT, QUANTITY, RATE, scaled

ENGINE = 1
"""The engine number a new ruleset names. A change of behaviour takes the next number."""

MEMBER_SCOPES = ("total", "day", "month")
SCOPES = ("transaction", *MEMBER_SCOPES, "budget")


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _minute(text: str) -> int:
    hours, minutes = text.split(":")
    return int(hours) * 60 + int(minutes)


class ProductSet(NamedTuple):
    """SKUs, categories and brands; a line is in the set when any of the three matches."""

    skus: frozenset[str]
    categories: frozenset[str]
    brands: frozenset[str]

    def holds(self, line: Line) -> bool:
        return line.sku in self.skus or line.category in self.categories or line.brand in self.brands

    @classmethod
    def compile(cls, part: Mapping[str, Any]) -> "ProductSet":
        return cls(frozenset(part["skus"]), frozenset(part["categories"]), frozenset(part["brands"]))


class Link(NamedTuple):
    """A segment a promotion includes or excludes, from (inclusive) until (exclusive) an instant."""

    segment: str
    include: bool
    start: datetime
    end: datetime | None

    def holds(self, at: datetime) -> bool:
        return self.start <= at and (self.end is None or at < self.end)


class Links(NamedTuple):
    """All links of one promotion, ended ones too: once an include link exists it is never for everyone."""

    links: tuple[Link, ...] = ()

    @property
    def asks(self) -> bool:
        """Whether a member must be in some segment."""
        return any(link.include for link in self.links)

    def matching(self, segments: frozenset[str], at: datetime, include: bool) -> tuple[str, ...]:
        """Codes of the member's segments that a link of this mode names at `at`."""
        return tuple(
            x.segment for x in self.links if x.include is include and x.segment in segments and x.holds(at)
        )

    @classmethod
    def compile(cls, part: Mapping[str, Any]) -> "Links":
        return cls(
            tuple(
                Link(
                    x["segment"],
                    x["mode"] == "include",
                    datetime.fromisoformat(x["from"]),
                    _instant(x["until"]),
                )
                for x in part["links"]
            )
        )


@dataclass(frozen=True, slots=True, eq=False)
class Promotion:
    """One promotion version, compiled; each is itself only. Amounts and the effect's value in 1/10,000."""

    code: str
    priority: int
    start: datetime | None
    end: datetime | None
    schedule: Schedule | None
    channels: frozenset[str]
    stores: frozenset[str]
    tiers: frozenset[str]
    first: bool
    birthday_days: int | None
    products: ProductSet | None
    minimum_amount: int
    minimum_quantity: int
    effect: str
    value: int
    caps: Mapping[str, Room]
    group: str | None
    qualifying: bool
    links: Links = field(default_factory=Links)

    def room(self, scope: str, facts: Facts) -> Room:
        """What is left of a cap: from the facts, else the whole cap."""
        known = facts.room.get(self.code)
        return known[scope] if known and scope in known else self.caps[scope]

    @classmethod
    def compile(cls, part: Mapping[str, Any], products: ProductSet | None, links: Links) -> "Promotion":
        """From the promotion's part (docs/rules.md gives its shape), its product set and its links."""
        hours = part["hours"]
        schedule = None
        if part["weekdays"] or hours:
            bounds = (_minute(hours["from"]), _minute(hours["until"])) if hours else (None, None)
            schedule = Schedule(frozenset(part["weekdays"]), *bounds)
        return cls(
            code=part["code"],
            priority=part["priority"],
            start=_instant(part["window"]["from"]),
            end=_instant(part["window"]["until"]),
            schedule=schedule,
            channels=frozenset(part["channels"]),
            stores=frozenset(part["stores"]),
            tiers=frozenset(part["tiers"]),
            first=part["first"],
            birthday_days=part["birthday_days"],
            products=products,
            minimum_amount=scaled(part["minimum_amount"] or 0, RATE),
            minimum_quantity=scaled(part["minimum_quantity"] or 0, QUANTITY),
            effect=part["effect"]["type"],
            value=scaled(part["effect"]["value"], RATE),
            caps={
                scope: Room(scaled(cap["points"], POINT) if "points" in cap else None, cap.get("uses"))
                for scope, cap in part["caps"].items()
            },
            group=part["exclusivity_group"],
            qualifying=part["qualifying"],
            links=links,
        )


@dataclass(frozen=True, slots=True)
class Terms:
    """A programme's terms: earn rate and tier multipliers in 1/10,000."""

    currency: str
    digits: int
    zone: ZoneInfo
    earn_rate: int
    rounding: str
    delay_days: int
    lifetime: Lifetime | None
    tiers: Mapping[str, int]

    @classmethod
    def compile(cls, part: Mapping[str, Any]) -> "Terms":
        lifetime = part["lifetime"]
        return cls(
            currency=part["currency"],
            digits=part["digits"],
            zone=ZoneInfo(part["time_zone"]),
            earn_rate=scaled(part["earn_rate"], RATE),
            rounding=part["rounding"],
            delay_days=part["delay_days"],
            lifetime=Lifetime(lifetime["months"], lifetime["end"]) if lifetime else None,
            tiers={code: scaled(multiplier, RATE) for code, multiplier in part["tiers"].items()},
        )


@dataclass(frozen=True, slots=True)
class Ruleset:
    """Everything that decides points at one instant, under the hash of its list of parts."""

    hash: str
    engine: int
    terms: Terms
    promotions: tuple[Promotion, ...]

    @classmethod
    def build(cls, hash_: str, engine: int, terms: Terms, promotions: Iterable[Promotion]) -> "Ruleset":
        """Promotions are put in their order: priority, then code by code points."""
        if engine != ENGINE:
            raise ValueError(f"this version has no engine {engine}")
        return cls(hash_, engine, terms, tuple(sorted(promotions, key=lambda x: (x.priority, x.code))))
