"""The programme `choco-club`: the rules of the API's worked example, and people who have shopped in it.

Member 10042 gets 117 points for the documented basket. Her past ends with 2,510 points available and 41
entries, so that the documented earn is her 42nd. Everything happened a while before `now`, and through the
services that a till's calls go through, each at its own instant.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from itertools import cycle
from zoneinfo import ZoneInfo

from django.db import transaction as db_transaction

from config.demo.happenings import events_create
from config.demo.texts import PURPOSES, VIP_NAMES, VIP_TEXTS
from loyalty.selectors import balance_shown
from loyalty.services import (
    AdjustmentCommand,
    BasketCommand,
    LineRow,
    ProductRow,
    ProductSetRule,
    PromotionRule,
    ReversalCommand,
    TermsRule,
    Write,
    adjustment_post,
    products_put,
    promotion_link,
    promotion_publish,
    terms_set,
    tier_create,
    tier_grant,
    tier_rules_set,
    transaction_earn,
    transaction_reverse,
)
from members.models import Member, Programme
from members.services import Language, consent_purpose_save, member_enrol, programme_create
from segments.services import membership_add, segment_create, segment_update

ZONE = ZoneInfo("Europe/Brussels")
AVAILABLE = 2510
"""Points of member 10042 when the demo opens."""

LANGUAGES = (
    Language("fr", "Français"),
    Language("nl-BE", "Nederlands (België)", fallback="fr"),
    Language("en", "English"),
)
TERMS = TermsRule(
    delay_days=14, lifetime_months=12, lifetime_end="year", tiers={"SILVER": "1.5", "GOLD": "2"}
)
TIERS = (
    ("SILVER", "Silver", {"fr": "Argent", "nl-BE": "Zilver"}, 300),
    ("GOLD", "Gold", {"fr": "Or", "nl-BE": "Goud"}, 1500),
)
"""Codes, names, names for members, and the qualifying points of twelve months that reach them."""
PROMOTIONS = {
    "PR-CHOC3X": (
        "Chocolate counts three times",
        {"fr": "Le chocolat compte triple", "nl-BE": "Chocolade telt driedubbel"},
        PromotionRule("multiplier", "3", products=ProductSetRule(categories=("chocolate",))),
    ),
    "PR-WEEKEND": (
        "50 points at the weekend",
        {"fr": "50 points le week-end", "nl-BE": "50 punten in het weekend"},
        PromotionRule("fixed", "50", weekdays=(6, 7)),
    ),
    "PR-50EUR": (
        "100 points from 50 euros",
        {"fr": "100 points dès 50 euros", "nl-BE": "100 punten vanaf 50 euro"},
        PromotionRule("fixed", "100", minimum_amount="50.00"),
    ),
}
PRICES = {
    "CHOC-1": "12.50",
    "CHOC-2": "4.95",
    "CHOC-5": "9.90",
    "MUG-7": "19.90",
    "TEA-3": "8.40",
    "WAFF-2": "6.20",
    "COF-4": "10.80",
}
PRODUCTS = (
    ProductRow("CHOC-1", "Pralines, box of 250 g", "chocolate", "Neuhaus"),
    ProductRow("CHOC-2", "Dark tablet 70 %", "chocolate", "Galler"),
    ProductRow("CHOC-5", "Truffles, 16 pieces", "chocolate", "Leonidas"),
    ProductRow("MUG-7", "Stoneware mug", "home", ""),
    ProductRow("TEA-3", "Earl Grey, 100 g", "tea", ""),
    ProductRow("WAFF-2", "Liège waffles, 6 pieces", "bakery", ""),
    ProductRow("COF-4", "House coffee, 250 g", "coffee", ""),
)


@dataclass(frozen=True, slots=True)
class Shopper:
    """Somebody with habits: what they buy by turns, on which weekday (Monday 0), how many weeks long."""

    number: str
    first_name: str
    last_name: str
    language: str
    weekday: int
    weeks: int
    habits: tuple[str, ...]
    born: date | None = None


SHOPPERS = (
    Shopper("10042", "Élise", "Vandenberghe", "fr", 3, 37,
            ("CHOC-1 COF-4", "TEA-3 WAFF-2 COF-4", "CHOC-2 CHOC-2 MUG-7", "CHOC-5 TEA-3"),
            date(1987, 5, 14)),
    Shopper("10007", "Bram", "De Smet", "nl-BE", 5, 9, ("COF-4 WAFF-2", "MUG-7 MUG-7 COF-4"), date(1979, 2, 28)),
    Shopper("10015", "Nadia", "El Amrani", "fr", 1, 12, ("CHOC-5", "CHOC-1 CHOC-1 MUG-7 TEA-3"), date(1994, 11, 3)),
    Shopper("10023", "Pieter", "Claes", "nl-BE", 4, 6, ("TEA-3 TEA-3",)),
    Shopper("10031", "Sophie", "Lambert", "fr", 6, 15, ("WAFF-2 COF-4", "CHOC-2 CHOC-5 CHOC-1"),
            date(1968, 8, 21)),
    Shopper("10058", "Tom", "Fletcher", "en", 2, 4, ("MUG-7 TEA-3",)),
    Shopper("10064", "Ines", "Goossens", "nl-BE", 0, 0, ()),
)  # fmt: skip
VIPS = ("10042", "10031")
GUEST_OF_HONOUR = "10015"
RETURNED = (8, 21)
"""The shopping trips of member 10042 from which the first line came back, four days later."""


@db_transaction.atomic
def club_create(now: datetime) -> Programme:
    """The programme with its rules, products and people, and what happened in it before `now`."""
    opened = now - timedelta(days=400)
    programme = programme_create(
        code="choco-club",
        name="Choco Club",
        currency="EUR",
        time_zone=ZONE.key,
        now=opened,
        languages=LANGUAGES,
        colour="#7b3f00",
    )
    products_put(programme=programme, products=PRODUCTS, now=opened)
    for position, (code, (names, texts)) in enumerate(PURPOSES.items()):
        consent_purpose_save(
            programme=programme, code=code, position=position, names=names, texts=texts, now=opened
        )
    members = _people(programme, opened)
    _rules(programme, members, opened)
    for shopper in SHOPPERS:
        _past(programme, shopper, now)
    _round_up(programme, now)
    events_create(programme, now)
    _honour(programme, members[GUEST_OF_HONOUR], now)
    return programme


def _people(programme: Programme, opened: datetime) -> dict[str, Member]:
    members = {}
    for shopper in SHOPPERS:
        members[shopper.number], _ = member_enrol(
            programme=programme,
            number=shopper.number,
            now=opened,
            first_name=shopper.first_name,
            last_name=shopper.last_name,
            email=f"member-{shopper.number}@example.com",
            birth_date=shopper.born,
            language=shopper.language,
            consents={"newsletter": shopper.born is not None},
        )
    return members


def _rules(programme: Programme, members: dict[str, Member], opened: datetime) -> None:
    for rank, (code, name, labels, threshold) in enumerate(TIERS, start=1):
        tier_create(
            programme=programme,
            code=code,
            name=name,
            labels={"en": name} | labels,
            rank=rank,
            threshold=threshold,
        )
    tier_rules_set(programme=programme, period="months", length=12, now=opened)
    terms_set(programme=programme, terms=TERMS, now=opened)
    vips = segment_create(programme=programme, code="vip-bxl", name="VIP Brussels", is_shown_to_members=True)
    segment_update(
        segment=vips,
        name=vips.name,
        is_shown_to_members=True,
        labels=VIP_NAMES,
        descriptions=VIP_TEXTS,
    )
    readers = segment_create(programme=programme, code="newsletter", name="Newsletter readers")
    for number in VIPS:
        membership_add(
            segment=vips, member=members[number], now=opened, source="staff", reason="Opening night"
        )
    for number in ("10007", "10015"):
        membership_add(segment=readers, member=members[number], now=opened, source="staff")
    for code, (name, labels, rule) in PROMOTIONS.items():
        promotion = promotion_publish(
            programme=programme, code=code, name=name, labels={"en": name} | labels, rule=rule, now=opened
        )
        if code == "PR-CHOC3X":
            promotion_link(promotion=promotion, segment=vips, mode="include", valid_from=opened)


def _past(programme: Programme, shopper: Shopper, now: datetime) -> None:
    """Every shopping trip, and the returns of member 10042, each at its own time."""
    for trip, (at, basket) in enumerate(_trips(shopper, now)):
        earned = transaction_earn(write=Write(programme.pk, at + timedelta(seconds=2)), command=basket)
        _expect(earned.status)
        if shopper.number == "10042" and trip in RETURNED:
            line = basket.lines[0]
            back = ReversalCommand(
                transaction=basket.reference or "",
                reference=f"RET-{shopper.number}-{trip:03}",
                lines=({"line": line.line, "quantity": line.quantity},),
                reason="item_return",
            )
            returned = transaction_reverse(write=Write(programme.pk, at + timedelta(days=4)), command=back)
            _expect(returned.status)


def _trips(shopper: Shopper, now: datetime) -> Iterator[tuple[datetime, BasketCommand]]:
    """One a week; those of member 10042 end 16 days ago or earlier, so that all her points are active."""
    today = now.astimezone(ZONE).date()
    latest = today - timedelta(days=16 if shopper.number == "10042" else 2)
    latest -= timedelta(days=(latest.weekday() - shopper.weekday) % 7)
    for trip, habit in zip(range(shopper.weeks), cycle(shopper.habits), strict=False):
        day = latest - timedelta(weeks=shopper.weeks - 1 - trip)
        at = datetime.combine(day, time(9 + trip % 9, 7 * trip % 60), ZONE)
        yield at, _basket(shopper, trip, at, habit.split())


def _basket(shopper: Shopper, trip: int, at: datetime, skus: list[str]) -> BasketCommand:
    counts = {sku: skus.count(sku) for sku in skus}
    lines = tuple(
        LineRow(str(index), str(count), _plain(Decimal(PRICES[sku]) * count), sku)
        for index, (sku, count) in enumerate(counts.items(), start=1)
    )
    return BasketCommand(
        member=shopper.number,
        occurred_at=at,
        currency="EUR",
        lines=lines,
        channel="store" if trip % 3 else "web",
        store="BXL-01" if trip % 2 else "GNT-02",
        reference=f"POS-{shopper.number}-{trip:03}",
    )


def _plain(amount: Decimal) -> str:
    return format(amount.normalize(), "f")


def _round_up(programme: Programme, now: datetime) -> None:
    """Two adjustments of member 10042: a welcome, and what makes her balance the documented one."""
    welcome = AdjustmentCommand("10042", "ADJ-10042-1", 100, "Welcome to the new card", "staff:demo")
    earlier = Write(programme.pk, now - timedelta(days=2))
    _expect(adjustment_post(write=earlier, command=welcome).status)
    missing = AVAILABLE - balance_shown(programme, "10042", now)["available"]
    rest = replace(welcome, reference="ADJ-10042-2", points=missing, reason="Points of the old paper card")
    _expect(adjustment_post(write=Write(programme.pk, now - timedelta(days=1)), command=rest).status)


def _honour(programme: Programme, member: Member, now: datetime) -> None:
    """Gold by hand, for three months."""
    tier_grant(
        member=member,
        tier=programme.tiers.get(code="GOLD"),
        reason="Won the tasting evening",
        until=now + timedelta(days=90),
        actor="staff:demo",
        now=now - timedelta(days=1),
    )


def _expect(status: int) -> None:
    if status != 201:
        raise RuntimeError(f"The demo's past could not be booked: {status}.")
