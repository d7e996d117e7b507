"""What staff choose from when they say what a promotion is, and what the page says about their choice."""

from datetime import datetime

from django.db.models import Count, Q

from loyalty import wording
from loyalty.models import Product, Promotion
from loyalty.promotions.lint import Finding
from loyalty.promotions.lint_facts import Subject, promotion_findings, segment_sizes
from loyalty.rules import PromotionDraft
from loyalty.versions import trial_of
from members.models import Programme
from segments.selectors import segments_of

MOST = 500
"""So many categories and brands are offered, those with most products first; others can be typed."""


def segment_choices(programme: Programme, now: datetime) -> list[tuple[str, str]]:
    """The programme's segments by code, each with its name and how many members it has now."""
    sizes = segment_sizes(programme, None, now)
    return [
        (code, f"{name} ({code}): {_counted(sizes[code], 'member')}")
        for code, name in segments_of(programme).values_list("code", "name")
    ]


def product_choices(programme: Programme, field: str) -> list[tuple[str, str]]:
    """Categories or brands of the programme's products with how many products each has, largest first."""
    found = (
        Product.objects.filter(programme=programme)
        .exclude(**{field: ""})
        .values_list(field)
        .annotate(size=Count("pk"))
        .order_by("-size", field)[:MOST]
    )
    return [(word, f"{word}: {_counted(size, 'product')}") for word, size in found]


def _counted(number: int, word: str) -> str:
    return f"{number:,} {word}{'' if number == 1 else 's'}"


def segments_linked(promotion: Promotion, now: datetime) -> dict[str, str]:
    """include or exclude by the code of each segment whose link runs or is to come."""
    links = promotion.links.filter(Q(valid_until=None) | Q(valid_until__gt=now))
    return dict(links.order_by("-valid_from").values_list("segment__code", "mode"))


def segments_after(linked: dict[str, str], draft: PromotionDraft | None) -> dict[str, str]:
    """The links as they are once the draft is published."""
    if draft is None:
        return linked
    return {code: mode for code, mode in linked.items() if code not in draft.unlink} | dict(draft.link)


def draft_summary(promotion: Promotion, draft: PromotionDraft, programme: Programme, now: datetime) -> str:
    """What a draft says, in plain words."""
    products = draft.rule.products.part() if draft.rule.products else None
    linked = segments_linked(promotion, now) if promotion.pk else {}
    chosen = segments_after(linked, draft)
    links = {mode: sorted(x for x in chosen if chosen[x] == mode) for mode in ("include", "exclude")}
    return wording.promotion_summary(draft.rule.part("", None), products, programme, links)


def draft_findings(
    promotion: Promotion, draft: PromotionDraft, now: datetime, *, is_deep: bool
) -> list[Finding]:
    """What the linter says of a draft; deep: also after running it on the programme's last receipts."""
    chosen = segments_after(segments_linked(promotion, now) if promotion.pk else {}, draft)
    include, exclude = (tuple(x for x in chosen if chosen[x] == mode) for mode in ("include", "exclude"))
    trial = trial_of(promotion, draft, now) if is_deep else None
    return promotion_findings(Subject(promotion, draft.rule, include, exclude, trial), now)
