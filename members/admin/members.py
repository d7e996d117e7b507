"""Members and where they are signed in."""

import json
from typing import Any

from django.contrib import admin
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.html import format_html_join
from django.utils.safestring import mark_safe
from unfold.decorators import action, display

from config.kernel.admin import OwnFilter, TenantAdmin, asks, go_to
from members.models import ConsentChange, Member, MemberSession
from members.selectors import consents_said
from members.services import (
    Speaker,
    member_close,
    member_enrol,
    member_update,
    session_revoke,
    sessions_revoke,
)


def speaker_of(request: HttpRequest) -> Speaker:
    """The user, as consents name them."""
    return Speaker(ConsentChange.Source.STAFF, request.user.get_username())


def _value(said: ConsentChange) -> str:
    """What was said, and of which wording."""
    return f"{said.value} (wording {said.wording.number})" if said.wording else str(said.value)


@admin.register(Member)
class MemberAdmin(TenantAdmin):
    list_display = ["number", "first_name", "last_name", "programme", "status", "tier", "enrolled_at"]
    list_filter = [("programme", OwnFilter), "status"]
    search_fields = ["number__exact", "email__iexact", "last_name__istartswith"]
    show_full_result_count = False
    actions_detail = ["end_sessions", "close"]
    # What is done for a person in all apps at once is told where they meet.
    change_form_outer_after_template = "admin/members/person.html"

    def has_change_permission(self, request: HttpRequest, obj: Member | None = None) -> bool:
        is_erased = obj is not None and obj.status == Member.Status.ERASED
        return super().has_change_permission(request, obj) and not is_erased

    def get_actions_detail(self, request: HttpRequest, object_id: str) -> list[Any]:
        """Nothing is done to who was erased."""
        row = self.get_object(request, object_id)
        is_open = row is not None and self.has_change_permission(request, row)
        return super().get_actions_detail(request, object_id) if is_open else []

    def get_exclude(self, request: HttpRequest, obj: Member | None = None) -> list[str]:
        return ["enrolled_at", *([] if obj else ["status"])]

    def get_readonly_fields(self, request: HttpRequest, obj: Member | None = None) -> list[str]:
        return ["programme", "number", "status", "tier", "consents_said"] if obj else []

    @display(description="what was said of consents")
    def consents_said(self, row: Member) -> str:
        """Who said what and when, the newest first."""
        told = (
            (f"{said.at:%Y-%m-%d %H:%M} UTC", said.purpose, _value(said), said.source, said.by)
            for said in consents_said(row)
        )
        return format_html_join(mark_safe("<br>"), "{}: {} = {}, {} {}", told) or "-"

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """The form takes along what staff saw: what they did not touch stays what others made of it meanwhile."""
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None:
            field.show_hidden_initial = True
        return field

    def create(self, request: HttpRequest, fields: dict[str, Any]) -> Member:
        member, _ = member_enrol(now=timezone.now(), speaker=speaker_of(request), **fields)
        return member

    def change(self, request: HttpRequest, row: Any, fields: dict[str, Any]) -> None:
        seen = self._consents_seen(request) if "consents" in fields else None
        member_update(
            member=row, now=timezone.now(), speaker=speaker_of(request), consents_seen=seen, **fields
        )

    def _consents_seen(self, request: HttpRequest) -> dict[str, Any] | None:
        """The consents as the form showed them, if it says so."""
        try:
            seen = json.loads(request.POST.get("initial-consents", ""))
        except ValueError:
            return None
        return seen if isinstance(seen, dict) else None

    @action(description="End sessions", dialog=asks("Sign this member out everywhere?"))
    def end_sessions(self, request: HttpRequest, form: Form, object_id: str) -> HttpResponse:
        """Sign the member out on every device."""
        count = sessions_revoke(member=self.row_to_change(request, object_id), now=timezone.now())
        self.message_user(request, f"{count} sessions ended.")
        return go_to(request, "admin:members_member_change", object_id)

    @action(description="Close", dialog=asks("Take this member out of the programme?"))
    def close(self, request: HttpRequest, form: Form, object_id: str) -> HttpResponse:
        """Take the member out of the programme."""
        member_close(member=self.row_to_change(request, object_id), now=timezone.now())
        self.message_user(request, "The member is closed.")
        return go_to(request, "admin:members_member_change", object_id)


@admin.register(MemberSession)
class MemberSessionAdmin(TenantAdmin):
    """Where members are signed in; staff may end a session, nothing else."""

    list_display = [
        "member",
        "origin",
        "partner",
        "device",
        "created_at",
        "entered_at",
        "expires_at",
        "revoked_at",
    ]
    list_filter = [("programme", OwnFilter), "origin"]
    list_select_related = ["member", "partner"]
    search_fields = ["member__number__exact"]
    show_full_result_count = False
    actions_detail = ["revoke"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: MemberSession | None = None) -> bool:
        return False

    @action(description="End", dialog=asks("End this session?"))
    def revoke(self, request: HttpRequest, form: Form, object_id: str) -> HttpResponse:
        """End the session: its cookie and addresses die now."""
        session_revoke(session=self.own_row(request, object_id), now=timezone.now())
        self.message_user(request, "The session is over.")
        return go_to(request, "admin:members_membersession_change", object_id)
