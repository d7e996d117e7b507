"""Tiers: their levels, and how they are reached."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone
from simple_history.admin import SimpleHistoryAdmin

from config.kernel.admin import OwnFilter
from config.kernel.language_fields import typed
from loyalty.admin.tenants import LoyaltyAdmin
from loyalty.forms import LABEL, TierForm, TierRulesForm, label_fields
from loyalty.models import Tier, TierRules
from loyalty.services import tier_create, tier_rules_set, tier_update


@admin.register(Tier)
class TierAdmin(SimpleHistoryAdmin, LoyaltyAdmin):
    """Levels and the points they need; their multipliers are in the programme's terms."""

    form = TierForm
    list_display = ["name", "code", "rank", "threshold", "programme"]
    list_filter = [("programme", OwnFilter)]
    list_select_related = ["programme"]
    actions = None

    def get_form(self, request: HttpRequest, obj: Tier | None = None, **kwargs: Any) -> Any:
        if obj:
            kwargs["form"] = TierForm.of(obj)
        return super().get_form(request, obj, **kwargs)

    def get_fields(self, request: HttpRequest, obj: Tier | None = None) -> list[str]:
        return [*TierForm.Meta.fields, *(label_fields(obj.programme) if obj else ())]

    def get_readonly_fields(self, request: HttpRequest, obj: Tier | None = None) -> list[str]:
        return ["programme", "code"] if obj else []

    def create(self, request: HttpRequest, fields: dict[str, Any]) -> Tier:
        return tier_create(**fields)

    def change(self, request: HttpRequest, row: Any, fields: dict[str, Any]) -> None:
        tier_update(
            tier=row,
            name=row.name,
            rank=row.rank,
            threshold=row.threshold,
            labels=row.labels | typed(LABEL, fields),
        )


@admin.register(TierRules)
class TierRulesAdmin(SimpleHistoryAdmin, LoyaltyAdmin):
    """The period over which qualifying points are counted: one row a programme, changed from now on."""

    form = TierRulesForm
    list_display = ["programme", "period", "length", "keeps_following"]
    list_filter = [("programme", OwnFilter)]
    list_select_related = ["programme"]
    actions = None

    def get_readonly_fields(self, request: HttpRequest, obj: TierRules | None = None) -> list[str]:
        return ["programme"] if obj else []

    def create(self, request: HttpRequest, fields: dict[str, Any]) -> TierRules:
        return tier_rules_set(now=timezone.now(), **fields)

    def change(self, request: HttpRequest, row: Any, fields: dict[str, Any]) -> None:
        tier_rules_set(
            programme=row.programme,
            period=row.period,
            length=row.length,
            keeps_following=row.keeps_following,
            now=timezone.now(),
        )
