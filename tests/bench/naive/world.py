"""The same programme in the twin's tables."""

from decimal import Decimal

from members.models import Member
from tests.bench.naive.models import Account, Promotion, Tier
from tests.bench.world import LONG_AGO, World


def build(world: World) -> None:
    """Accounts, tier and promotions as `world` has them."""
    programme = world.programme
    Tier.objects.create(programme=programme, code="SILVER", multiplier=Decimal("1.5"))
    Account.objects.bulk_create(
        Account(member=member) for member in Member.objects.filter(programme=programme)
    )
    for code, rule in world.promotions.items():
        products = rule.products
        caps = rule.caps
        Promotion.objects.create(
            programme=programme,
            code=code,
            starts_at=world.now - LONG_AGO,
            effect=rule.effect,
            value=Decimal(rule.value),
            weekdays=list(rule.weekdays),
            skus=list(products.skus) if products else [],
            categories=list(products.categories) if products else [],
            brands=list(products.brands) if products else [],
            tier=rule.tiers[0] if rule.tiers else "",
            segment=world.segment if code == "PR-VIP" else None,
            minimum_amount=rule.minimum_amount,
            day_points=caps["day"].points if "day" in caps else None,
            total_uses=caps["total"].uses if "total" in caps else None,
            budget=caps["budget"].points if "budget" in caps else None,
        )
