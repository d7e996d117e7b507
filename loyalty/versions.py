"""Reads of stored rules: versions of promotions and terms with the parts they name."""

from collections.abc import Iterable
from typing import Any

from django.db.models import F, JSONField, OuterRef, QuerySet, Subquery

from loyalty.models import Promotion, PromotionVersion, RulePart, TermsVersion
from loyalty.rules import PromotionRule
from members.models import Programme

Part = dict[str, Any]


def part_of(programme: str, part: str) -> Subquery:
    """The body of a part, for annotations: `programme` and `part` name columns of the outer query."""
    bodies = RulePart.objects.filter(programme=OuterRef(programme), hash=OuterRef(part))
    return Subquery(bodies.values("body")[:1], output_field=JSONField())


def promotions_with_rule(promotions: "QuerySet[Promotion]") -> "QuerySet[Promotion]":
    """Promotions with `part` (hash), `body` and `valid_until` of the version in force, else of the last."""
    last = _newest(PromotionVersion.objects.filter(promotion=OuterRef("pk"), is_voided=False))
    return promotions.annotate(
        part=Subquery(last.values("part")[:1]), valid_until=Subquery(last.values("valid_until")[:1])
    ).annotate(body=part_of("programme_id", "part"))


def promotion_last_version(promotion: Promotion) -> PromotionVersion | None:
    """The version in force, or the last one of a paused promotion; None when all are voided."""
    return _newest(promotion.versions.filter(is_voided=False)).first()


def promotion_rule_of(programme: Programme, part: str) -> PromotionRule:
    """The rule that a promotion part says, for a form to start from."""
    body = parts_of(programme, [part])[part]
    return PromotionRule.from_part(body, products_of_part(programme, [body]).get(body["products"]))


def terms_in_force(programme: Programme) -> Part | None:
    """The part of the terms in force now; None before the first."""
    version = _newest(TermsVersion.objects.filter(programme=programme, is_voided=False)).first()
    return parts_of(programme, [version.part])[version.part] if version else None


def parts_of(programme: Programme, hashes: Iterable[str]) -> dict[str, Part]:
    """Bodies of parts by hash."""
    parts = RulePart.objects.filter(programme=programme, hash__in=set(hashes))
    return dict(parts.values_list("hash", "body"))


def products_of_part(programme: Programme, promotions: Iterable[Part]) -> dict[str, Part]:
    """The product sets that promotion parts name, by hash."""
    return parts_of(programme, [body["products"] for body in promotions if body["products"]])


def _newest(versions: "QuerySet[Any]") -> "QuerySet[Any]":
    """The open version first, then those that ended last."""
    return versions.order_by(F("valid_until").desc(nulls_first=True), "-id")
