"""Segments and who is in them, in the back office."""

from typing import Any

from django.contrib import admin
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from simple_history.admin import SimpleHistoryAdmin
from unfold.decorators import action

from config.kernel.admin import OwnFilter, TenantAdmin, asks, go_to
from segments.models import Membership, Segment
from segments.services import membership_add, membership_remove, segment_create, segment_update


@admin.register(Segment)
class SegmentAdmin(SimpleHistoryAdmin, TenantAdmin):
    list_display = ["code", "name", "programme", "kind", "is_shown_to_members"]
    list_filter = [("programme", OwnFilter)]
    search_fields = ["code", "name"]
    fields = ["programme", "code", "name", "is_shown_to_members"]

    def get_readonly_fields(self, request: HttpRequest, obj: Segment | None = None) -> list[str]:
        return ["programme", "code"] if obj else []

    def create(self, request: HttpRequest, fields: dict[str, Any]) -> Segment:
        return segment_create(**fields)

    def change(self, request: HttpRequest, row: Any, fields: dict[str, Any]) -> None:
        segment_update(segment=row, name=row.name, is_shown_to_members=row.is_shown_to_members)


@admin.register(Membership)
class MembershipAdmin(TenantAdmin):
    """Facts with dates: they are added and ended, never changed."""

    list_display = ["member", "segment", "valid_from", "valid_until", "reason", "source"]
    list_filter = [("segment", OwnFilter)]
    list_select_related = ["member", "segment"]
    search_fields = ["member__number__exact"]
    fields = ["segment", "member", "valid_from", "reason"]
    raw_id_fields = ["member"]
    show_full_result_count = False
    actions_detail = ["end_now"]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def create(self, request: HttpRequest, fields: dict[str, Any]) -> Membership:
        membership, _ = membership_add(now=timezone.now(), source=Membership.Source.STAFF, **fields)
        return membership

    @action(description="End now", dialog=asks("Take the member out of the segment now?"))
    def end_now(self, request: HttpRequest, form: Form, object_id: str) -> HttpResponse:
        """Take the member out of the segment."""
        membership = self.own_row(request, object_id)
        membership_remove(segment=membership.segment, member=membership.member, now=timezone.now())
        return go_to(request, "admin:segments_membership_changelist")
