"""The programme that is measured: members, products, tiers and ten live promotions, and a first receipt for all."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec
from django.conf import settings
from oauth2_provider.generators import generate_client_secret
from oauth2_provider.models import get_access_token_model, set_token_value

from loyalty.api.serializers import EarnBody, basket_command
from loyalty.rules import Cap, ProductSetRule, PromotionRule, TermsRule
from loyalty.services import (
    AdjustmentCommand,
    Write,
    adjustment_post,
    products_put,
    promotion_link,
    promotion_publish,
    terms_set,
    tier_create,
)
from loyalty.services.batches import transactions_earn
from loyalty.services.desk import Booking
from loyalty.services.products import ProductRow
from members.models import Member, Partner, Programme
from members.services import partner_create, programme_create
from rewards.services import Content, reward_create, version_submit, version_validate
from segments.models import Membership, Segment
from segments.services import segment_create
from tests.bench.baskets import Shop

MEMBERS = 2_000
RICH = 400
"""So many of each half have points to spend, and order gifts."""
RICHES = 10**9
GIFTS, STOCK = 16, 2_000_000_000
FIRST_NUMBER = 1_000_000
LONG_AGO = timedelta(days=300)


@dataclass(frozen=True)
class World:
    """`numbers` are consecutive: the first half are pgbench's members, the second those of HTTP."""

    programme: Programme
    partner: Partner
    token: str
    baskets: list[dict[str, Any]]
    orders: list[dict[str, Any]]
    promotions: dict[str, PromotionRule]
    segment: Segment
    now: datetime

    @property
    def half(self) -> int:
        return MEMBERS // 2

    @property
    def pgbench_first(self) -> int:
        return FIRST_NUMBER

    @property
    def web_first(self) -> int:
        return FIRST_NUMBER + self.half


def build(shop: Shop) -> World:
    """Everything over the product's own services."""
    now = datetime.now(UTC).replace(microsecond=0)
    past = now - LONG_AGO
    programme = programme_create(
        code="bench", name="Bench", currency="EUR", time_zone="Europe/Brussels", now=past
    )
    tier_create(programme=programme, code="SILVER", name="Silver", rank=1)
    terms = TermsRule(delay_days=14, lifetime_months=12, lifetime_end="year", tiers={"SILVER": "1.5"})
    terms_set(programme=programme, terms=terms, now=past)
    products_put(
        programme=programme,
        products=[ProductRow(x.sku, "", x.category, x.brand) for x in shop.products],
        now=past,
    )
    segment = _members(programme, past)
    rules = _promotions(shop)
    for code, rule in rules.items():
        promotion = promotion_publish(programme=programme, code=code, name=code, rule=rule, now=past)
        if code == "PR-VIP":
            promotion_link(promotion=promotion, segment=segment, mode="include", valid_from=past)
    partner, _ = partner_create(programme=programme, name="Tills", scopes=settings.SCOPES)
    orders = _gifts(programme, past)
    world = World(programme, partner, _token(partner), _bodies(shop, now), orders, rules, segment, now)
    for first in (world.pgbench_first, world.web_first):
        _riches(world, range(first, first + RICH))
    _first_receipts(world)
    return world


def _members(programme: Programme, past: datetime) -> Segment:
    """Every other one Silver, every third a VIP."""
    segment = segment_create(programme=programme, code="vip", name="VIP")
    members = Member.objects.bulk_create(
        Member(
            programme=programme,
            number=f"{FIRST_NUMBER + n}",
            first_name="Ada",
            birth_date=(past - timedelta(days=9_000 + n)).date(),
            tier="SILVER" if n % 2 else "",
            enrolled_at=past,
        )
        for n in range(MEMBERS)
    )
    Membership.objects.bulk_create(
        Membership(programme=programme, segment=segment, member=member, valid_from=past, source="import")
        for member in members[::3]
    )
    return segment


def _promotions(shop: Shop) -> dict[str, PromotionRule]:
    """Ten; caps and the budget are counted and never reached. The budget is one row that all wait for, so
    it is of a category in an eighth of the baskets, not of all."""
    spread = shop.categories()
    often = [category for category, _ in spread.most_common()]
    rare = min(often, key=lambda category: abs(spread[category] - len(shop.baskets) / 8))
    brands = sorted({product.brand for product in shop.products})
    skus = tuple(line["sku"] for lines in shop.baskets[::4] for line in lines)
    return {
        "PR-TRIPLE": PromotionRule("multiplier", "3", products=ProductSetRule(categories=tuple(often[:3]))),
        "PR-BRAND": PromotionRule("per_item", "5", products=ProductSetRule(brands=(brands[0],))),
        "PR-FIFTY": PromotionRule("fixed", "100", minimum_amount="50.00"),
        "PR-LIST": PromotionRule("rate", "0.5", products=ProductSetRule(skus=skus)),
        "PR-SILVER": PromotionRule("multiplier", "1.25", tiers=("SILVER",)),
        "PR-VIP": PromotionRule("multiplier", "2"),
        "PR-WEEKEND": PromotionRule("fixed", "50", weekdays=(6, 7)),
        "PR-DAILY": PromotionRule("rate", "0.2", caps={"day": Cap(points="100000000")}),
        "PR-OFTEN": PromotionRule("fixed", "10", caps={"total": Cap(uses=100_000_000)}),
        "PR-BUDGET": PromotionRule(
            "rate",
            "2",
            products=ProductSetRule(categories=(rare,)),
            caps={"budget": Cap(points="1000000000000")},
        ),
    }


def _token(partner: Partner) -> str:
    text = generate_client_secret()
    token = get_access_token_model()(
        application=partner,
        expires=datetime.now(UTC) + timedelta(days=1),
        scope=" ".join(partner.allowed_scopes),
    )
    set_token_value(token, text)
    token.save()
    return text


def _bodies(shop: Shop, now: datetime) -> list[dict[str, Any]]:
    """Receipts of the last day, without member and reference."""
    return [
        {
            "occurred_at": (now - timedelta(hours=1 + n)).isoformat(),
            "channel": "store",
            "store": f"S-{n % 4}",
            "currency": "EUR",
            "lines": lines,
        }
        for n, lines in enumerate(shop.baskets)
    ]


def _gifts(programme: Programme, past: datetime) -> list[dict[str, Any]]:
    """Digital vouchers with a stock that is counted and lasts; orders of each, without member and reference."""
    codes = [f"GFT-{number}" for number in range(GIFTS)]
    for number, code in enumerate(codes, 1):
        said = Content(
            name={"en": f"Voucher {number}"},
            points=100 * number,
            face_value=Decimal(5 * number),
            face_currency="EUR",
            voucher_days=365,
        )
        reward = reward_create(
            programme=programme,
            code=code,
            kind="digital_voucher",
            content=said,
            stock=STOCK,
            actor="staff:ann",
            now=past,
        )
        version = version_submit(version=reward.versions.get(), actor="staff:ann", now=past)
        version_validate(version=version, actor="staff:ben", now=past)
    to = {"method": "email", "email": "ada@example.com"}
    return [{"gift": code, "quantity": 1, "language": "en", "delivery": to} for code in codes]


def _riches(world: World, numbers: Iterable[int]) -> None:
    """The first lot of each of these members: points that never run out here."""
    for number in numbers:
        write = Write(programme_id=world.programme.pk, now=world.now, partner_id=world.partner.pk)
        command = AdjustmentCommand(
            member=f"{number}",
            reference=f"RICH-{number}",
            points=RICHES,
            reason="Something to spend",
            actor="staff:ann",
        )
        adjustment_post(write=write, command=command)


def _first_receipts(world: World) -> None:
    """Each member has an account with points under way, as nearly all have in a programme that lives."""
    write = Write(programme_id=world.programme.pk, now=world.now, partner_id=world.partner.pk)
    for start in range(0, MEMBERS, 500):
        receipts = [
            {
                "reference": f"FIRST-{n}",
                "member": f"{FIRST_NUMBER + n}",
                **world.baskets[n % len(world.baskets)],
            }
            for n in range(start, start + 500)
        ]
        commands = [basket_command(msgspec.convert(x, EarnBody), world.now) for x in receipts]
        outcomes = transactions_earn(write=write, commands=commands)
        if refused := [outcome for outcome in outcomes if not isinstance(outcome, Booking)]:
            raise refused[0]
