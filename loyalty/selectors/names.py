"""What products, promotions and tiers are called."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.db.models import QuerySet

from config.kernel.texts import called
from loyalty.models import Promotion, Tier
from loyalty.selectors.products import products_of
from members.models import Programme


def product_names(programme: Programme, skus: Iterable[str]) -> dict[str, str]:
    """Names by SKU, of those that have one."""
    named = products_of(programme).filter(sku__in=set(skus)).exclude(name="")
    return dict(named.values_list("sku", "name"))


def promotion_names(programme: Programme, codes: Iterable[str], languages: Sequence[str]) -> dict[str, str]:
    """What promotions are called along a chain of languages, by code."""
    return _called(Promotion.objects.filter(programme=programme, code__in=set(codes)), languages)


def tier_names(programme: Programme, languages: Sequence[str]) -> dict[str, str]:
    """What the programme's tiers are called along a chain of languages, by code."""
    return _called(Tier.objects.filter(programme=programme), languages)


def _called(rows: "QuerySet[Any]", languages: Sequence[str]) -> dict[str, str]:
    named = rows.values_list("code", "name", "labels")
    return {code: called(name, labels, languages) for code, name, labels in named}
