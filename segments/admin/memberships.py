"""Who is in a segment and since when, and who is pinned."""

from typing import Any

from django.contrib import admin
from django.db.models import ForeignKey
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from unfold.decorators import action

from config.kernel.admin import OwnFilter, TenantAdmin, asks, go_to
from segments.models import Membership, Pin, Segment
from segments.services import (
    member_pin,
    member_pin_out,
    member_unpin,
    membership_add,
    membership_remove,
)


@admin.register(Membership)
class MembershipAdmin(TenantAdmin):
    """Facts with dates: they are added and ended, never changed."""

    list_display = ["member", "segment", "valid_from", "valid_until", "reason", "source", "end_reason"]
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
        membership_remove(
            segment=membership.segment,
            member=membership.member,
            now=timezone.now(),
            source=Membership.Source.STAFF,
        )
        return go_to(request, "admin:segments_membership_changelist")


@admin.register(Pin)
class PinAdmin(TenantAdmin):
    """Members kept in a dynamic segment or out of it, whatever its criteria say."""

    list_display = ["member", "segment", "is_in", "reason", "source", "pinned_at"]
    list_filter = [("segment", OwnFilter), "is_in"]
    list_select_related = ["member", "segment"]
    search_fields = ["member__number__exact"]
    fields = ["segment", "member", "is_in", "reason"]
    raw_id_fields = ["member"]
    show_full_result_count = False
    actions_detail = ["unpin"]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def formfield_for_foreignkey(
        self, db_field: ForeignKey[Any, Any], request: HttpRequest, **kwargs: Any
    ) -> Any:
        """Only dynamic segments have pins."""
        found = super().formfield_for_foreignkey(db_field, request, **kwargs)
        if found is not None and found.queryset is not None and db_field.name == "segment":
            found.queryset = found.queryset.filter(kind=Segment.Kind.DYNAMIC)
        return found

    def create(self, request: HttpRequest, fields: dict[str, Any]) -> Pin:
        is_in = fields.pop("is_in")
        write = member_pin if is_in else member_pin_out
        write(now=timezone.now(), source=Membership.Source.STAFF, **fields)
        return Pin.objects.get(segment=fields["segment"], member=fields["member"])

    @action(description="Unpin", dialog=asks("Let the criteria decide again, from the next refresh on?"))
    def unpin(self, request: HttpRequest, form: Form, object_id: str) -> HttpResponse:
        """Give the member back to the criteria."""
        pin = self.own_row(request, object_id)
        member_unpin(segment=pin.segment, member=pin.member, now=timezone.now())
        self.message_user(request, "The criteria decide again.")
        return go_to(request, "admin:segments_pin_changelist")
