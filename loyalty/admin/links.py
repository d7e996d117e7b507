"""Links of promotions to segments: added from the promotion's page, ended here, never changed."""

from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from unfold.decorators import display

from config.kernel.admin import TenantAdmin, found_or_404, go_to
from loyalty import wording
from loyalty.admin.tenants import own_programmes
from loyalty.forms import LinkEndForm, LinkForm
from loyalty.models import Promotion, PromotionSegment
from loyalty.services import promotion_link, promotion_link_end


@admin.register(PromotionSegment)
class PromotionSegmentAdmin(TenantAdmin):
    """Not in the menu. A link is added for one promotion (`?promotion=`), so it cannot leave its programme."""

    list_display = ["promotion", "segment", "mode", "validity"]
    list_select_related = ["promotion__programme", "segment"]
    search_fields = ["promotion__code", "segment__code"]
    show_full_result_count = False
    actions = None

    def get_model_perms(self, request: HttpRequest) -> dict[str, bool]:
        return {}

    def has_add_permission(self, request: HttpRequest) -> bool:
        return super().has_add_permission(request) and self._promotion(request) is not None

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        is_over = obj is not None and obj.valid_until is not None and obj.valid_until <= timezone.now()
        return super().has_change_permission(request, obj) and not is_over

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        kwargs["form"] = LinkEndForm if obj else LinkForm.of(found_or_404(self._promotion(request)))
        return super().get_form(request, obj, change, **kwargs)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        if obj is None:
            return ["segment", "mode", "valid_from", "valid_until"]
        is_over = not self.has_change_permission(request, obj)
        return ["promotion", "segment", "mode", "validity", *([] if is_over else ["ends_at"])]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return ["promotion", "segment", "mode", "validity"] if obj else []

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        given = form.cleaned_data
        if change:
            promotion_link_end(link=obj, now=timezone.now(), at=given["ends_at"])
        else:
            obj.promotion = form.promotion
            obj.pk = promotion_link(promotion=form.promotion, **given).pk

    def response_add(
        self, request: HttpRequest, obj: Any, post_url_continue: str | None = None
    ) -> HttpResponse:
        self.message_user(request, f"Segment {obj.segment.code} is linked.")
        return go_to(request, "admin:loyalty_promotion_change", obj.promotion_id)

    def response_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        self.message_user(request, f"The link to segment {obj.segment.code} has its end.")
        return go_to(request, "admin:loyalty_promotion_change", obj.promotion_id)

    @display(description="Valid")
    def validity(self, row: PromotionSegment) -> str:
        zone = ZoneInfo(row.promotion.programme.time_zone)
        return wording.span(row.valid_from, row.valid_until, zone)

    @staticmethod
    def _promotion(request: HttpRequest) -> Promotion | None:
        asked = request.GET.get("promotion", "")
        if not asked.isdecimal():
            return None
        own = Promotion.objects.filter(programme__in=own_programmes(request))
        return own.select_related("programme").filter(pk=int(asked)).first()
