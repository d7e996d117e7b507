"""Reads of stored rules: versions of promotions and terms with the parts they name."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db.models import Exists, F, JSONField, OuterRef, QuerySet, Subquery

from loyalty.models import Promotion, PromotionVersion, RulePart, TermsVersion
from loyalty.promotions.drafts import Draft
from loyalty.promotions.lifecycle import Life, life
from loyalty.rules import PromotionDraft, PromotionRule
from members.models import Programme

Part = dict[str, Any]


def part_of(programme: str, part: str) -> Subquery:
    """The body of a part, for annotations: `programme` and `part` name columns of the outer query."""
    bodies = RulePart.objects.filter(programme=OuterRef(programme), hash=OuterRef(part))
    return Subquery(bodies.values("body")[:1], output_field=JSONField())


def promotions_with_rule(promotions: "QuerySet[Promotion]") -> "QuerySet[Promotion]":
    """Promotions with `part` (hash), `body` and `valid_until` of the version in force, else of the last, and
    whether they were ever published (`is_published`)."""
    versions = PromotionVersion.objects.filter(promotion=OuterRef("pk"))
    last = _newest(versions.filter(is_voided=False))
    return promotions.annotate(
        is_published=Exists(versions),
        part=Subquery(last.values("part")[:1]),
        valid_until=Subquery(last.values("valid_until")[:1]),
    ).annotate(body=part_of("programme_id", "part"))


def life_of_row(row: Any, now: datetime) -> Life:
    """Where a promotion of `promotions_with_rule` stands at `now`."""
    return life(
        is_published=row.is_published,
        window=row.body and row.body["window"],
        valid_until=row.valid_until,
        ended_at=row.ended_at,
        now=now,
    )


def with_status(promotions: "QuerySet[Promotion]", status: str, now: datetime) -> "QuerySet[Promotion]":
    """Those of `promotions_with_rule` whose status at `now` is this word."""
    found = [row.pk for row in promotions if life_of_row(row, now).status == status]
    return promotions.filter(pk__in=found)


def promotion_last_version(promotion: Promotion) -> PromotionVersion | None:
    """The version in force, or the last one of a paused promotion; None when all are voided."""
    return _newest(promotion.versions.filter(is_voided=False)).first()


def promotion_life(promotion: Promotion, now: datetime) -> Life:
    """Where a promotion stands at `now` and what can be done with it."""
    (row,) = promotions_with_rule(Promotion.objects.filter(pk=promotion.pk))
    return life_of_row(row, now)


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


def trial_of(promotion: Promotion, draft: PromotionDraft, now: datetime) -> Draft:
    """The draft with the links it would have when published at `now`, to be tried or replayed."""
    links = promotion.links.select_related("segment") if promotion.pk else ()
    rows = [(link.segment.code, link.mode, link.valid_from, link.valid_until) for link in links]
    running = {code for code, _, _, until in rows if until is None or until > now}
    kept = [_ended(row, now) if row[0] in draft.unlink else row for row in rows]
    start = min(draft.rule.starts_at or now, now)
    added = [(code, mode, start, None) for code, mode in draft.link.items() if code not in running]
    return Draft(promotion.code, draft.rule, tuple(_link_body(*row) for row in [*kept, *added]))


LinkRow = tuple[str, str, datetime, datetime | None]


def _ended(row: LinkRow, now: datetime) -> LinkRow:
    code, mode, start, end = row
    return code, mode, start, max(start, now) if end is None or end > now else end


def _link_body(segment: str, mode: str, start: datetime, end: datetime | None) -> Part:
    until = end.isoformat() if end else None
    return {"segment": segment, "mode": mode, "from": start.isoformat(), "until": until}
