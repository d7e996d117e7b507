"""The same programme in the twin's tables."""

from decimal import Decimal

import msgspec
from django.db import transaction

from loyalty.api.serializers import EvaluationBody, basket_command
from loyalty.services import basket_evaluate
from members.models import Member
from tests.bench.naive.models import Account, Promotion, Tier
from tests.bench.naive.serializers import TransactionSerializer
from tests.bench.naive.services import earn
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


def disagreements(world: World) -> list[str]:
    """Baskets for which the twin gives other points than the product; nothing is booked."""
    complaints = []
    for number, basket in enumerate(world.baskets):
        body = {"reference": f"TWIN-{number}", "member": f"{world.web_first + number}", **basket}
        command = basket_command(msgspec.convert(body, EvaluationBody), world.now)
        evaluated = basket_evaluate(
            programme_id=world.programme.pk, partner_id=world.partner.pk, command=command, now=world.now
        )
        serializer = TransactionSerializer(data=body)
        serializer.is_valid(raise_exception=True)
        with transaction.atomic():
            points = earn(world.programme, serializer.validated_data).points
            transaction.set_rollback(True)
        if points != evaluated["points"]:
            complaints.append(f"basket {number}: {points} points by the twin, {evaluated['points']} by us")
    return complaints
