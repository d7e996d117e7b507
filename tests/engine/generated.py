"""Baskets, promotions, facts and terms made from a number, as parts that engine and reference both read.

Hypothesis chooses the number and Python's generator builds the case: twenty times as many cases in the time
that drawing each field would take. A failure prints its number and the whole case.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, NamedTuple, TypeVar

from hypothesis import strategies as st

from loyalty.engine import Basket, Evaluation, Ruleset, evaluate
from loyalty.records import LineRow, facts_from
from loyalty.rulesets import compile_ruleset, part_hash
from tests.reference import engine as reference

Part = dict[str, Any]
T = TypeVar("T")

ZONES = (
    "Europe/Brussels",
    "America/New_York",
    "America/Havana",  # midnight is missing in spring and comes twice in autumn
    "Africa/Cairo",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",  # half an hour
    "UTC",
)
TRANSITIONS = tuple(
    datetime.fromisoformat(text)
    for text in (
        "2026-03-29T01:00:00Z", "2026-10-25T01:00:00Z",  # Brussels
        "2026-03-08T07:00:00Z", "2026-11-01T06:00:00Z",  # New York
        "2026-03-08T05:00:00Z", "2026-11-01T05:00:00Z",  # Havana
        "2026-04-23T22:00:00Z", "2026-10-29T21:00:00Z",  # Cairo
        "2026-04-04T15:00:00Z", "2026-10-03T15:30:00Z",  # Lord Howe
    )
)  # fmt: skip
SEGMENTS = ("vip", "staff", "new")
TIERS = ("SILVER", "GOLD", "UNKNOWN")
CHANNELS = ("web", "pos")
STORES = ("BXL-01", "ANT-02")
SKUS = ("CHOC-1", "MUG-7")
CATEGORIES = ("chocolate", "home")
BRANDS = ("Neuhaus", "Kramer")
SCOPES = ("transaction", "total", "day", "month", "budget")
CAP_POINTS = ("0", "3", "7.5", "20.0001", "100")
CLOCKS = ("00:00", "02:00", "02:30", "03:00", "12:17", "17:00", "22:00")
GUEST: Part = {
    "member": False, "segments": [], "tier": None, "first": False, "birthday_days": None, "room": {}
}  # fmt: skip


class Case(NamedTuple):
    """Everything an evaluation is decided from, as parts."""

    terms: Part
    basket: Part
    promotions: list[Part]
    links: dict[str, list[Part]]
    facts: Part


class Maker:
    """Makes parts; a condition is there in one promotion of eight, so that most promotions apply."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)

    def one(self, *values: T) -> T:
        return self.random.choice(values)

    def happens(self, one_in: int) -> bool:
        return self.random.randrange(one_in) == 0

    def some(self, names: Sequence[str]) -> list[str]:
        return self.random.sample(names, self.random.randint(1, len(names)))

    def decimal(self, largest: int, digits: int) -> str:
        whole, rest = divmod(self.random.randint(0, largest * 10**digits), 10**digits)
        return f"{whole}.{rest:0{digits}d}" if digits else str(whole)

    def instant(self) -> datetime:
        if self.happens(2):
            return self.one(*TRANSITIONS) + timedelta(minutes=self.random.randint(-180, 180))
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=self.random.randrange(365 * 24 * 60))

    def terms(self) -> Part:
        currency, digits = self.one(("EUR", 2), ("JPY", 0), ("KWD", 3))
        return {
            "kind": "terms",
            "currency": currency,
            "digits": digits,
            "time_zone": self.one(*ZONES),
            "earn_rate": self.one("1", "1", "0", "0.5", "2.3333", "10", "0.0001"),
            "rounding": self.one("floor", "half_up", "ceil"),
            "delay_days": self.one(0, 1, 14),
            "lifetime": self.one(
                None, {"months": self.random.randint(1, 36), "end": self.one(None, "month", "year")}
            ),
            "tiers": {"SILVER": "1.5", "GOLD": self.one("1", "2", "1.3333")},
        }

    def line(self, number: int, digits: int) -> Part:
        return {
            "line": str(number),
            "sku": self.one(None, *SKUS),
            "category": self.one(None, *CATEGORIES),
            "brand": self.one(None, *BRANDS),
            "quantity": self.one("0", "1", "2", "3", self.decimal(9, 3)),
            "amount": self.one("0", "10", self.decimal(60, digits), self.decimal(60, digits)),
            "points_eligible": not self.happens(6),
        }

    def basket(self, terms: Part) -> Part:
        return {
            "occurred_at": self.instant(),
            "channel": self.one(None, *CHANNELS),
            "store": self.one(None, *STORES),
            "currency": terms["currency"],
            "lines": [
                self.line(number, terms["digits"]) for number in range(1, self.random.randint(1, 5) + 1)
            ],
        }

    def cap(self) -> Part:
        points, uses = {"points": self.one(*CAP_POINTS)}, {"uses": self.one(0, 1, 2)}
        return self.one(points, uses, points | uses)

    def window(self, at: datetime) -> Part:
        start, end = sorted(at + timedelta(minutes=self.one(-600, -1, 0, 1, 600)) for _ in range(2))
        return {
            "from": start.isoformat() if self.happens(4) else None,
            "until": end.isoformat() if start < end and self.happens(4) else None,
        }

    def products(self) -> Part:
        skus, categories, brands = (
            self.some(names) if self.happens(2) else [] for names in (SKUS, CATEGORIES, BRANDS)
        )
        return {"kind": "products", "skus": skus, "categories": categories, "brands": brands}

    def promotion(self, code: str, at: datetime) -> Part:
        effect = self.one("multiplier", "rate", "per_item", "fixed")
        value = (
            self.one("1", "1.5", "3", "2.3333")
            if effect == "multiplier"
            else self.one("0.5", "1", "5", "0.3333", "50")
        )
        return {
            "kind": "promotion",
            "code": code,
            "priority": self.one(1, 100),
            "window": self.window(at),
            "weekdays": sorted(self.random.sample(range(1, 8), self.one(3, 5, 6))) if self.happens(6) else [],
            "hours": {"from": self.one(*CLOCKS), "until": self.one(*CLOCKS)} if self.happens(6) else None,
            "channels": self.some(CHANNELS) if self.happens(8) else [],
            "stores": self.some(STORES) if self.happens(8) else [],
            "tiers": self.some(TIERS) if self.happens(8) else [],
            "first": self.happens(8),
            "birthday_days": self.one(0, 7, 366) if self.happens(8) else None,
            "products": self.products() if self.happens(3) else None,
            "minimum_amount": self.one("0", "20.00", "50") if self.happens(6) else None,
            "minimum_quantity": self.one("0", "2", "4.5") if self.happens(6) else None,
            "effect": {"type": effect, "value": value},
            "caps": {scope: self.cap() for scope in SCOPES if self.happens(4)} if self.happens(2) else {},
            "exclusivity_group": self.one("A", "B") if self.happens(3) else None,
            "qualifying": self.happens(2),
        }

    def links(self, at: datetime) -> list[Part]:
        return [
            {
                "segment": self.one(*SEGMENTS),
                "mode": self.one("include", "include", "exclude"),
                "from": (at + timedelta(hours=self.one(-100, -100, 0, 1))).isoformat(),
                "until": (at + timedelta(hours=self.one(0, 2))).isoformat() if self.happens(3) else None,
            }
            for _ in range(self.one(1, 2))
        ]

    def facts(self, promotions: list[Part]) -> Part:
        """What is known of the member; room in scopes that the promotion caps, then of all its units."""
        if self.happens(8):
            return GUEST
        room: Part = {}
        for promotion in promotions:
            for scope, cap in promotion["caps"].items():
                if scope != "transaction" and self.happens(2):
                    left = {"points": self.one(*CAP_POINTS), "uses": self.one(0, 1, 2)}
                    room.setdefault(promotion["code"], {})[scope] = {unit: left[unit] for unit in cap}
        return {
            "member": True,
            "segments": self.some(SEGMENTS) if self.happens(2) else [],
            "tier": self.one(None, *TIERS),
            "first": self.happens(2),
            "birthday_days": self.one(None, 0, 1, 7, 8, 366),
            "room": room,
        }

    def case(self) -> Case:
        terms = self.terms()
        basket = self.basket(terms)
        at = basket["occurred_at"]
        promotions = [self.promotion(f"P{number}", at) for number in range(self.random.randint(0, 5))]
        links = {promotion["code"]: self.links(at) for promotion in promotions if self.happens(5)}
        return Case(terms, basket, promotions, links, self.facts(promotions))


def case_of(seed: int) -> Case:
    return Maker(seed).case()


cases = st.integers(0, 2**63).map(case_of)


def ruleset(case: Case) -> Ruleset:
    """The case's parts, stored under their hashes and compiled as the service does it."""
    parts = [case.terms]
    for promotion in case.promotions:
        products = promotion["products"]
        parts += [products] if products else []
        parts.append({**promotion, "products": part_hash(products) if products else None})
    parts += [{"kind": "links", "promotion": code, "links": found} for code, found in case.links.items()]
    return compile_ruleset("sha256:test", 1, {part_hash(part): part for part in parts})


def engine_basket(case: Case, lines: Sequence[Part] | None = None) -> Basket:
    sent = case.basket
    compiled = tuple(LineRow(**line).compiled() for line in lines or sent["lines"])
    return Basket(sent["occurred_at"], sent["channel"], sent["store"], compiled)


def by_engine(case: Case) -> Evaluation:
    return evaluate(engine_basket(case), facts_from(case.facts), ruleset(case))


def by_reference(case: Case) -> reference.Result:
    return reference.evaluate(case.basket, case.facts, case.terms, case.promotions, case.links)
