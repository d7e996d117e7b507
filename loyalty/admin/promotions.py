"""Promotions: every save is a new version from that instant on; pausing ends one."""

from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import admin
from django.db.models import QuerySet
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from unfold.decorators import action, display

from config.kernel.admin import OwnFilter, asks, found_or_404, go_to
from loyalty import wording
from loyalty.admin.tenants import OfOneProgrammeAdmin, state_label
from loyalty.forms import PROMOTION_STEPS, PromotionForm
from loyalty.models import Promotion, PromotionVersion
from loyalty.services import promotion_pause, promotion_publish, promotion_void
from loyalty.versions import (
    life_of_row,
    parts_of,
    products_of_part,
    promotion_last_version,
    promotions_with_rule,
)

_STATES = {
    "Draft": "primary",
    "Scheduled": "info",
    "Active": "success",
    "Paused": "warning",
    "Ended": "default",
}


@admin.register(Promotion)
class PromotionAdmin(OfOneProgrammeAdmin):
    list_display = ["code", "name", "state", "gets", "window", "priority", "programme"]
    list_display_links = ["code", "name"]
    list_filter = [("programme", OwnFilter)]
    search_fields = ["code", "name"]
    show_full_result_count = False
    actions = None
    actions_detail = ["pause", "void_last"]
    fieldsets = PROMOTION_STEPS
    warn_unsaved_form = True
    change_form_template = "admin/loyalty/promotion.html"

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Any]":
        return promotions_with_rule(super().get_queryset(request).select_related("programme"))

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        kwargs["form"] = PromotionForm.of(found_or_404(self.programme_of(request, obj)))
        return super().get_form(request, obj, change, **kwargs)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return ["code"] if obj else []

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        name, code = form.cleaned_data["name"], obj.code
        published = promotion_publish(
            programme=form.programme, code=code, name=name, rule=form.rule, now=timezone.now()
        )
        obj.pk = published.pk
        obj.refresh_from_db()

    @action(
        description="Pause", icon="pause", dialog=asks("Pause this promotion? Saving it starts it again.")
    )
    def pause(self, request: HttpRequest, form: Form, object_id: str) -> HttpResponse:
        """End the version in force."""
        promotion_pause(promotion=self.own_row(request, object_id), now=timezone.now())
        self.message_user(request, "The promotion is paused.")
        return go_to(request, "admin:loyalty_promotion_change", object_id)

    @action(
        description="Void the last version",
        icon="block",
        dialog=asks("Was the last version an error? No receipt gets it any more, late ones neither."),
    )
    def void_last(self, request: HttpRequest, form: Form, object_id: str) -> HttpResponse:
        """Take the last version out of every time; the promotion stands paused."""
        version = promotion_last_version(self.own_row(request, object_id))
        promotion_void(
            version=get_object_or_404(PromotionVersion, pk=version and version.pk), now=timezone.now()
        )
        self.message_user(request, "The version is voided. Save the promotion to start a right one.")
        return go_to(request, "admin:loyalty_promotion_change", object_id)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        promotion = kwargs.get("obj")
        if promotion:
            context |= {
                "state": state_label(self.state(promotion), _STATES),
                "link_url": f"{reverse('admin:loyalty_promotionsegment_add')}?promotion={promotion.pk}",
                "links": _links(promotion),
                "versions": _versions(promotion),
            }
        return super().render_change_form(request, context, *args, **kwargs)

    @display(description="State", label=_STATES)
    def state(self, row: Any) -> str:
        return wording.STATUS_NAMES[life_of_row(row, timezone.now()).status]

    @display(description="Gets", empty_value="")
    def gets(self, row: Any) -> str:
        return wording.effect_text(row.body["effect"], row.programme.currency) if row.body else ""

    @display(description="Window", empty_value="")
    def window(self, row: Any) -> str:
        return wording.window_text(row.body["window"], ZoneInfo(row.programme.time_zone)) if row.body else ""

    @display(description="Priority", empty_value="")
    def priority(self, row: Any) -> int | str:
        return row.body["priority"] if row.body else ""


def _links(promotion: Promotion) -> list[dict[str, Any]]:
    zone, now = ZoneInfo(promotion.programme.time_zone), timezone.now()
    return [
        {
            "link": link,
            "is_include": link.mode == "include",
            "validity": wording.span(link.valid_from, link.valid_until, zone),
            "is_over": link.valid_until is not None and link.valid_until <= now,
        }
        for link in promotion.links.select_related("segment").order_by("-valid_from", "-id")
    ]


def _versions(promotion: Promotion) -> list[dict[str, Any]]:
    """All versions, newest first, in plain words."""
    programme = promotion.programme
    versions = list(promotion.versions.order_by("-id"))
    parts = parts_of(programme, [version.part for version in versions])
    products = products_of_part(programme, parts.values())
    zone = ZoneInfo(programme.time_zone)
    return [
        {
            "version": version,
            "validity": wording.span(version.valid_from, version.valid_until, zone),
            "steps": wording.promotion_steps(
                parts[version.part], products.get(parts[version.part]["products"]), programme
            ),
        }
        for version in versions
    ]
