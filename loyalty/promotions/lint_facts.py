"""What the linter knows of a programme: its lists, its last receipts, and what the draft would have done on them."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import NamedTuple
from zoneinfo import ZoneInfo

import msgspec
from django.db.models import Count, Q, Sum

from config.kernel.sql import rows
from loyalty.engine import Evaluation, Ruleset, evaluate
from loyalty.engine.numbers import POINT, RATE
from loyalty.models import Product, Promotion, PromotionBudget, PromotionUsage, RulesHead
from loyalty.promotions.drafts import Draft, put_in
from loyalty.promotions.lint import Finding, Known, Overlap, Pace, findings
from loyalty.records import TransactionRow, facts_from
from loyalty.rules import ProductSetRule, PromotionRule
from loyalty.rulesets import Timeline, timeline
from members.errors import ProgrammeNotActive
from members.models import Programme
from segments.models import Segment

RECEIPTS = 500
"""So many of the last receipts are evaluated with the draft; so many more are asked for channel and store."""
MONTH = timedelta(days=30)

_LATEST = """
SELECT row_to_json(t)::text FROM (
    SELECT * FROM loyalty_transaction WHERE programme_id = %(programme)s ORDER BY id DESC LIMIT %(limit)s) t
"""
_PLACES = """
SELECT array_agg(DISTINCT channel), array_agg(DISTINCT store) FROM (
    SELECT channel, store FROM loyalty_transaction WHERE programme_id = %(programme)s
    ORDER BY id DESC LIMIT %(limit)s) t
"""
_transaction = msgspec.json.Decoder(TransactionRow)


class Subject(NamedTuple):
    """A promotion to be looked at: stored or not, what it would say, and the segments it would be linked to."""

    promotion: Promotion
    rule: PromotionRule
    include: tuple[str, ...]
    exclude: tuple[str, ...]
    trial: Draft | None
    """With its links, to be run on real receipts; None leaves that out, as while somebody types."""


def promotion_findings(subject: Subject, now: datetime) -> list[Finding]:
    """What is odd about a promotion, by field of its form."""
    rule, programme = subject.rule, subject.promotion.programme
    products = rule.products.part() if rule.products else None
    part = rule.part(subject.promotion.code, None)
    links = {"include": subject.include, "exclude": subject.exclude}
    return findings(part, products, links, _known(programme, subject, now))


def _known(programme: Programme, subject: Subject, now: datetime) -> Known:
    head = RulesHead.objects.filter(programme=programme).values_list("version", flat=True).first() or 0
    rules = timeline(programme.pk, head)
    try:
        current = rules.at(now)
    except ProgrammeNotActive:
        return Known(now, ZoneInfo(programme.time_zone))
    channels, stores = _places(programme)
    unknown, has_known = _products(programme, subject.rule.products)
    results = _trial(programme, rules, subject.trial, now) if subject.trial else []
    return Known(
        now=now,
        zone=current.terms.zone,
        delay_days=current.terms.delay_days,
        earn_rate=Decimal(current.terms.earn_rate) / RATE,
        tiers=frozenset(programme.tiers.values_list("code", flat=True)),
        channels=channels,
        stores=stores,
        segment_sizes=segment_sizes(programme, [*subject.include, *subject.exclude], now),
        unknown_products=unknown,
        has_known_product=has_known,
        pace=_pace(subject.promotion, results, now) if "budget" in subject.rule.caps else None,
        overlap=_overlap(subject.promotion.code, results),
        others=current.promotions,
    )


def segment_sizes(programme: Programme, codes: Iterable[str] | None, now: datetime) -> dict[str, int]:
    """How many members are in the programme's segments at `now`, by code; of `codes` only unless None."""
    held = Q(memberships__valid_from__lte=now) & (
        Q(memberships__valid_until=None) | Q(memberships__valid_until__gt=now)
    )
    segments = Segment.objects.filter(programme=programme)
    chosen = segments if codes is None else segments.filter(code__in=list(codes))
    return dict(chosen.annotate(size=Count("memberships", filter=held)).values_list("code", "size"))


def _places(programme: Programme) -> tuple[frozenset[str], frozenset[str]]:
    params = {"programme": programme.pk, "limit": 4 * RECEIPTS}
    ((channels, stores),) = rows(_PLACES, params)
    return frozenset(channels or ()), frozenset(stores or ())


def _products(programme: Programme, products: ProductSetRule | None) -> tuple[tuple[str, ...], bool]:
    """Words of the set that the product list does not know, and whether it knows any (or is empty)."""
    listed = Product.objects.filter(programme=programme)
    if products is None or not listed.exists():
        return (), True
    unknown: list[str] = []
    has_known = False
    for name, words in (
        ("sku", products.skus),
        ("category", products.categories),
        ("brand", products.brands),
    ):
        if words:
            asked = listed.filter(**{f"{name}__in": words})
            known = set(asked.values_list(name, flat=True).distinct())
            unknown += [word for word in words if word not in known]
            has_known = has_known or bool(known)
    return tuple(unknown), has_known


class Tried(NamedTuple):
    """A receipt and what the draft would have given on it, whatever its window."""

    at: datetime
    result: Evaluation


def _trial(programme: Programme, rules: Timeline, draft: Draft, now: datetime) -> list[Tried]:
    promotion = draft.throughout(now).compiled()
    found = rows(_LATEST, {"programme": programme.pk, "limit": RECEIPTS})
    rulesets: dict[str, Ruleset] = {}
    results = []
    for (text,) in found:
        row = _transaction.decode(text)
        try:
            then = rules.at(row.occurred_at)
        except ProgrammeNotActive:
            continue
        if then.hash not in rulesets:
            rulesets[then.hash] = put_in(then, promotion)
        result = evaluate(row.basket(), facts_from(row.facts), rulesets[then.hash])
        results.append(Tried(row.occurred_at, result))
    return results


def _pace(promotion: Promotion, results: list[Tried], now: datetime) -> Pace | None:
    """What it gave a day in the last month, else what it would have given on the last receipts."""
    budget = PromotionBudget.objects.filter(promotion_id=promotion.pk or 0).first()
    points_used = budget.points_used if budget else Decimal(0)
    uses_used = budget.uses_used if budget else 0
    month = PromotionUsage.objects.filter(promotion_id=promotion.pk or 0, day__gte=(now - MONTH).date())
    gave = month.aggregate(points=Sum("points"), uses=Sum("uses"))
    if gave["points"]:
        days = Decimal(MONTH.days)
        return Pace(gave["points"] / days, Decimal(gave["uses"]) / days, points_used, uses_used)
    recent = [tried for tried in results if tried.at > now - MONTH]
    if not recent:
        return None
    awards = [award for tried in recent if (award := _award(promotion.code, tried.result))]
    days = max(Decimal((now - min(tried.at for tried in recent)).days), Decimal(1))
    return Pace(Decimal(sum(awards)) / POINT / days, len(awards) / days, points_used, uses_used)


def _award(code: str, result: Evaluation) -> int:
    return next((award.awarded for award in result.awards if award.promotion == code), 0)


def _overlap(code: str, results: list[Tried]) -> Overlap | None:
    """Where it adds up with others; None where no receipt got it, so that receipts say nothing."""
    got = [tried.result for tried in results if _award(code, tried.result)]
    if not got:
        return None
    together = [result for result in got if len([x for x in result.awards if x.awarded]) > 1 and result.base]
    extra = sum(award.awarded for result in together for award in result.awards)
    base = sum(result.base for result in together)
    others = {x.promotion for result in together for x in result.awards if x.awarded} - {code}
    return Overlap(len(together), len(results), extra * 100 // base if base else 0, tuple(sorted(others)))
