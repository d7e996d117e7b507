"""What of the catalogue a partner asks for."""

from collections.abc import Mapping
from typing import Any

import django_filters
from django.db.models import Q, QuerySet, TextField, Value
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Coalesce

from config.kernel.errors import FieldError, ValidationFailed
from rewards.feed import below
from rewards.models import Reward, RewardVersion
from rewards.shelf import Shelf

POINTS = {"min_value": 0, "max_value": 2**53}


class GiftFilter(django_filters.FilterSet):
    """Filters over the versions on a shelf; texts are searched as they are shown, along `languages`."""

    category = django_filters.CharFilter(method="in_category")
    q = django_filters.CharFilter(method="searched", max_length=100)
    type = django_filters.ChoiceFilter(field_name="reward__kind", choices=Reward.Kind.choices)
    brand = django_filters.CharFilter(field_name="brand", lookup_expr="iexact", max_length=100)
    points_min = django_filters.NumberFilter(field_name="points", lookup_expr="gte", **POINTS)
    points_max = django_filters.NumberFilter(field_name="points", lookup_expr="lte", **POINTS)
    in_stock = django_filters.ChoiceFilter(choices=[("true", ""), ("false", "")], method="with_stock")

    class Meta:
        model = RewardVersion
        fields: list[str] = []

    def __init__(self, *args: Any, shelf: Shelf, languages: tuple[str, ...], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.shelf, self.languages = shelf, languages

    def in_category(self, rows: "QuerySet[Any]", name: str, code: str) -> "QuerySet[Any]":
        return rows.filter(categories__overlap=sorted(below(self.shelf.categories, code)))

    def searched(self, rows: "QuerySet[Any]", name: str, text: str) -> "QuerySet[Any]":
        shown = {f"shown_{field}": self._shown(field) for field in ("name", "description")}
        for word in text.split():
            rows = rows.annotate(**shown).filter(
                Q(shown_name__icontains=word)
                | Q(shown_description__icontains=word)
                | Q(brand__icontains=word)
                | Q(reward__code__iexact=word)
            )
        return rows

    def with_stock(self, rows: "QuerySet[Any]", name: str, wanted: str) -> "QuerySet[Any]":
        in_stock = [gift.version_id for gift in self.shelf.gifts if gift.in_stock]
        return rows.filter(pk__in=in_stock) if wanted == "true" else rows.exclude(pk__in=in_stock)

    def _shown(self, field: str) -> Coalesce:
        texts = (KeyTextTransform(code, field) for code in self.languages)
        return Coalesce(*texts, *[Value("", output_field=TextField())] * 2)


FILTERS = tuple(GiftFilter.base_filters)


def chosen(shelf: Shelf, languages: tuple[str, ...], query: Mapping[str, str]) -> set[int] | None:
    """The versions on the shelf that the query's filters let through; None without filters. ValidationFailed."""
    asked = {name: query[name] for name in FILTERS if query.get(name)}
    if not asked:
        return None
    shown = RewardVersion.objects.filter(pk__in=[gift.version_id for gift in shelf.gifts])
    found = GiftFilter(asked, queryset=shown, shelf=shelf, languages=languages)
    if "\x00" in "".join(asked.values()) or not found.is_valid():
        raise ValidationFailed(errors=_errors(found.errors) or [FieldError("", "invalid", "Not a text.")])
    return set(found.qs.values_list("pk", flat=True))


def _errors(errors: Any) -> list[FieldError]:
    return [
        FieldError(f"/{name}", found.code or "invalid", str(message))
        for name, problems in errors.as_data().items()
        for found in problems
        for message in found.messages
    ]
