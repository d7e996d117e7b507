"""What a basket earns, with ORM queries and Decimal."""

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import ROUND_FLOOR, Decimal
from zoneinfo import ZoneInfo

from django.db.models import Count, Q, Sum

from segments.models import Membership
from tests.bench.naive.models import Account, Line, Promotion, Tier, Usage


@dataclass
class Evaluation:
    points: int
    awards: dict[Promotion, Decimal] = field(default_factory=dict)
    explanation: list[dict[str, str]] = field(default_factory=list)


def evaluate(account: Account, lines: list[Line], occurred_at: datetime) -> Evaluation:
    """Points of the lines, and why."""
    member = account.member
    day = occurred_at.astimezone(ZoneInfo(member.programme.time_zone)).date()
    base = sum((line.amount for line in lines), Decimal(0))
    result = Evaluation(0, explanation=[{"rule": "base", "points": str(base)}])
    total = base
    tier = Tier.objects.filter(programme=member.programme, code=member.tier).first()
    if tier:
        share = base * (tier.multiplier - 1)
        total += share
        result.explanation.append({"rule": f"tier {tier.code}", "points": str(share)})
    live = Promotion.objects.filter(
        Q(ends_at=None) | Q(ends_at__gt=occurred_at),
        programme=member.programme,
        is_active=True,
        starts_at__lte=occurred_at,
    )
    for promotion in live:
        refusal, matching = _matching(promotion, account, lines, occurred_at, day)
        award = Decimal(0) if refusal else _capped(promotion, account, _award(promotion, matching), day)
        if award:
            result.awards[promotion] = award
            total += award
        result.explanation.append({"rule": promotion.code, "points": str(award), "reason": refusal})
    result.points = int(total.to_integral_value(ROUND_FLOOR))
    return result


def _matching(
    promotion: Promotion, account: Account, lines: list[Line], occurred_at: datetime, day: date
) -> tuple[str, list[Line]]:
    """Why it does not apply ("" if it does), and to which lines it does."""
    member = account.member
    if promotion.weekdays and day.isoweekday() not in promotion.weekdays:
        return "weekday", []
    if promotion.tier and promotion.tier != member.tier:
        return "tier", []
    if promotion.segment_id:
        memberships = Membership.objects.filter(
            Q(valid_until=None) | Q(valid_until__gt=occurred_at),
            segment_id=promotion.segment_id,
            member=member,
            valid_from__lte=occurred_at,
        )
        if not memberships.exists():
            return "segment", []
    matching = [line for line in lines if _is_about(promotion, line)]
    if not matching:
        return "products", []
    if promotion.minimum_amount and sum(line.amount for line in matching) < promotion.minimum_amount:
        return "minimum amount", []
    return "", matching


def _is_about(promotion: Promotion, line: Line) -> bool:
    if not (promotion.skus or promotion.categories or promotion.brands):
        return True
    return (
        line.sku in promotion.skus or line.category in promotion.categories or line.brand in promotion.brands
    )


def _award(promotion: Promotion, lines: list[Line]) -> Decimal:
    amount = sum((line.amount for line in lines), Decimal(0))
    if promotion.effect == "multiplier":
        return amount * (promotion.value - 1)
    if promotion.effect == "rate":
        return amount * promotion.value
    if promotion.effect == "per_item":
        return promotion.value * sum(int(line.quantity) for line in lines)
    return promotion.value


def _capped(promotion: Promotion, account: Account, award: Decimal, day: date) -> Decimal:
    used = Usage.objects.filter(promotion=promotion, account=account)
    if promotion.day_points is not None:
        before = used.filter(day=day).aggregate(points=Sum("points"))["points"] or Decimal(0)
        award = min(award, max(promotion.day_points - before, Decimal(0)))
    if promotion.total_uses is not None and used.aggregate(uses=Count("id"))["uses"] >= promotion.total_uses:
        return Decimal(0)
    if promotion.budget is not None:
        locked = Promotion.objects.select_for_update().get(pk=promotion.pk)
        award = min(award, max(promotion.budget - locked.budget_used, Decimal(0)))
    return award
