"""The sample's baskets, and the points they must earn: by tests/reference, from the sample's own files.

Nothing here asks the product: segments come from the mailings' files, caps and tiers from what the reference itself
awarded before, in (occurred_at, reference) order.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from functools import cache
from typing import Any

from config import journey
from loyalty.rules import PromotionRule
from tests.reference.engine import Result, evaluate
from tests.reference.tiers import Life

TERMS: dict[str, Any] = {
    "currency": "USD",
    "digits": 2,
    "time_zone": "UTC",
    "earn_rate": "1",
    "rounding": "floor",
    "delay_days": 0,
    "lifetime": None,
    "tiers": {"GOLD": "1.25"},
}
TIERS: dict[str, Any] = {
    "zone": "UTC",
    "period": "months",
    "length": journey.GOLD_MONTHS,
    "following": False,
    "levels": [("GOLD", journey.GOLD_FROM)],
}


@dataclass(frozen=True)
class Basket:
    """A receipt of the sample; lines numbered in the file's order, category and brand of the product list."""

    reference: str
    household: str
    occurred_at: datetime
    store: str
    lines: tuple[dict[str, Any], ...]

    def for_reference(self) -> dict[str, Any]:
        return {
            "occurred_at": self.occurred_at,
            "channel": None,
            "store": self.store,
            "currency": "USD",
            "lines": [dict(line) for line in self.lines],
        }

    def for_api(self, **more: Any) -> dict[str, Any]:
        """The body of POST /transactions, without what the product list knows."""
        sent = ("line", "sku", "quantity", "amount")
        return {
            "reference": self.reference,
            "member": self.household,
            "occurred_at": self.occurred_at.isoformat(),
            "store": self.store,
            "currency": "USD",
            "lines": [{name: line[name] for name in sent} for line in self.lines],
            **more,
        }


@cache
def baskets() -> tuple[Basket, ...]:
    """All baskets in the order in which they must run."""
    products = {row["product_id"]: row for row in journey.table("products")}
    found: dict[str, list[dict[str, str]]] = defaultdict(list)
    for row in journey.table("transactions"):
        found[row["basket_id"]].append(row)
    made = [
        Basket(
            reference,
            rows[0]["household_id"],
            datetime.fromisoformat(rows[0]["transaction_timestamp"]).replace(tzinfo=UTC),
            rows[0]["store_id"],
            tuple(_line(number, row, products) for number, row in enumerate(rows, 1)),
        )
        for reference, rows in found.items()
    ]
    return tuple(sorted(made, key=lambda basket: (basket.occurred_at, basket.reference)))


def _line(number: int, row: dict[str, str], products: dict[str, dict[str, str]]) -> dict[str, Any]:
    product = products.get(row["product_id"], {})
    return {
        "line": str(number),
        "sku": row["product_id"],
        "category": product.get("department") or None,
        "brand": product.get("brand") or None,
        "quantity": row["quantity"],
        "amount": row["sales_value"],
        "points_eligible": True,
    }


def _days(row: dict[str, str]) -> tuple[datetime, datetime]:
    """A mailing's first midnight and the one after its last day."""
    first, last = (datetime.fromisoformat(row[x]).replace(tzinfo=UTC) for x in ("start_date", "end_date"))
    return first, last + timedelta(days=1)


@cache
def mailings() -> dict[str, tuple[datetime, datetime, frozenset[str], frozenset[str]]]:
    """By id: from, until, households, products."""
    households, products = defaultdict(set), defaultdict(set)
    for row in journey.table("campaign_households"):
        households[row["campaign_id"]].add(row["household_id"])
    for row in journey.table("campaign_products"):
        products[row["campaign_id"]].add(row["product_id"])
    return {
        row["campaign_id"]: (
            *_days(row),
            frozenset(households[row["campaign_id"]]),
            frozenset(products[row["campaign_id"]]),
        )
        for row in journey.table("campaigns")
    }


@cache
def rules() -> tuple[list[dict[str, Any]], dict[str, list[dict[str, Any]]]]:
    """Promotions and links as the reference takes them."""
    promotions = [said(code, rule) for code, rule in journey.FOR_ALL.items()]
    links = {"NOT-MAILED": [_link("18", "exclude", journey.OPENED, None)]}
    for id_, (start, end, _, products) in mailings().items():
        code = f"MAILING-{id_}"
        promotions.append({**said(code, journey.MAILINGS[id_]), "products": _products(products)})
        links[code] = [_link(id_, "include", start, end)]
    return promotions, links


def _link(id_: str, mode: str, start: datetime, end: datetime | None) -> dict[str, Any]:
    return {
        "segment": f"mailed-{id_}",
        "mode": mode,
        "from": start.isoformat(),
        "until": end.isoformat() if end else None,
    }


def _products(skus: Any = (), categories: Any = (), brands: Any = ()) -> dict[str, Any]:
    return {"kind": "products", "skus": skus, "categories": categories, "brands": brands}


def said(code: str, rule: PromotionRule) -> dict[str, Any]:
    """What a rule says, in the shape the reference reads."""
    names = ("priority", "weekdays", "channels", "stores", "tiers", "first", "birthday_days")
    more = ("minimum_amount", "minimum_quantity", "exclusivity_group", "qualifying")
    products = rule.products
    return {
        "kind": "promotion",
        "code": code,
        **{name: getattr(rule, name) for name in (*names, *more)},
        "window": {"from": None, "until": None},
        "hours": {"from": rule.hours[0], "until": rule.hours[1]} if rule.hours else None,
        "products": _products(products.skus, products.categories, products.brands) if products else None,
        "effect": {"type": rule.effect, "value": rule.value},
        "caps": {scope: {"points": cap.points, "uses": cap.uses} for scope, cap in rule.caps.items()},
    }


@dataclass
class Expected:
    """Walks through the baskets and remembers what they left."""

    rules: Callable[[], tuple[list[dict[str, Any]], dict[str, list[dict[str, Any]]]]] = rules
    used: dict[tuple[Any, ...], Fraction] = field(default_factory=lambda: defaultdict(Fraction))
    seen: set[str] = field(default_factory=set)
    lives: dict[str, Life] = field(default_factory=dict)

    def all(self) -> Iterator[tuple[Basket, Result]]:
        for basket in baskets():
            yield basket, self.book(basket)

    def book(self, basket: Basket) -> Result:
        """What the basket earns after those before it."""
        promotions, links = self.rules()
        life = self.lives.setdefault(basket.household, Life(TIERS, basket.occurred_at))
        life.wait(basket.occurred_at)
        result = evaluate(basket.for_reference(), self.facts(basket), TERMS, promotions, links)
        self.seen.add(basket.household)
        life.count(basket.occurred_at.date(), result.qualifying)
        for code, award in result.awards.items():
            for bucket in buckets(basket, code).values():
                self.used[(*bucket, "points")] += award.awarded
                self.used[(*bucket, "uses")] += award.awarded > 0
        return result

    def facts(self, basket: Basket) -> dict[str, Any]:
        return {
            "member": True,
            "segments": [
                f"mailed-{id_}"
                for id_, (start, end, households, _) in mailings().items()
                if basket.household in households and start <= basket.occurred_at < end
            ],
            "tier": self.lives[basket.household].held or None,
            "first": basket.household not in self.seen,
            "birthday_days": None,
            "room": {promotion["code"]: self.room(basket, promotion) for promotion in self.rules()[0]},
        }

    def room(self, basket: Basket, promotion: dict[str, Any]) -> dict[str, Any]:
        keys = buckets(basket, promotion["code"])
        return {
            scope: {
                unit: Fraction(cap) - self.used[(*keys[scope], unit)]
                for unit, cap in caps.items()
                if cap is not None
            }
            for scope, caps in promotion["caps"].items()
            if scope != "transaction"
        }


def buckets(basket: Basket, code: str) -> dict[str, tuple[str | date, ...]]:
    """What a cap of each scope counts together."""
    day = basket.occurred_at.date()
    return {
        "total": (code, basket.household),
        "day": (code, basket.household, day),
        "month": (code, basket.household, day.replace(day=1), "month"),
        "budget": (code,),
    }
