"""Uploaded files: what they would do, whether to do it, how far it is, what was left out."""

from typing import Any

from django.contrib import admin, messages
from django.forms import Form, Media
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import path
from django.utils import timezone
from unfold.decorators import action

from config.kernel.admin import OwnFilter, TenantAdmin, asks, go_to
from config.kernel.errors import RistourneError
from config.kernel.sheets import csv_lines
from segments.models import Upload
from segments.selectors import upload_rejects
from segments.services import upload_confirm, upload_drop

OUTCOMES = {
    "added": "are put in",
    "unchanged": "are in already",
    "repeated": "repeat an earlier row",
    "not_found": "name a number that nobody has",
    "member_not_active": "name a member who left",
    "malformed": "are malformed",
}


@admin.register(Upload)
class UploadAdmin(TenantAdmin):
    list_display = ["file_name", "segment", "status", "total", "uploaded_by", "uploaded_at"]
    list_filter = [("segment", OwnFilter), "status"]
    list_select_related = ["segment"]
    actions_detail = ["confirm", "drop"]
    change_form_template = "admin/segments/upload.html"

    @property
    def media(self) -> Media:
        return super().media + Media(
            css={"all": ["css/loyalty.css", "css/segments.css"]}, js=["js/segments.js"]
        )

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        return []

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.rejects_view)
        return [path("<int:pk>/rejects.csv", view, name="segments_upload_rejects"), *super().get_urls()]

    def get_actions_detail(self, request: HttpRequest, object_id: str) -> list[Any]:
        """Only what waits for a yes can be decided."""
        row = self.get_object(request, object_id)
        is_open = row is not None and row.status == Upload.Status.PREVIEW
        return super().get_actions_detail(request, object_id) if is_open else []

    @action(description="Put them in", icon="check", dialog=asks("Put the members of this file in?"))
    def confirm(self, request: HttpRequest, form: Form, object_id: str) -> HttpResponse:
        """Let a job do it."""
        upload = self.own_row(request, object_id)
        try:
            upload_confirm(upload=upload, now=timezone.now())
        except RistourneError as error:
            self.message_user(request, error.detail, messages.ERROR)
        return go_to(request, "admin:segments_upload_change", object_id)

    @action(description="Drop the file", icon="delete", dialog=asks("Forget this file? Nobody is put in."))
    def drop(self, request: HttpRequest, form: Form, object_id: str) -> HttpResponse:
        """Forget it."""
        upload = self.own_row(request, object_id)
        try:
            upload_drop(upload=upload)
        except RistourneError as error:
            self.message_user(request, error.detail, messages.ERROR)
        return go_to(request, "admin:segments_upload_change", object_id)

    def rejects_view(self, request: HttpRequest, pk: int) -> StreamingHttpResponse:
        """The rows that put nobody in, and why, as CSV."""
        upload = self.own_row(request, str(pk))
        lines = csv_lines(["row", "member", "reason", "why"], upload_rejects(upload))
        answer = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
        answer["Content-Disposition"] = f'attachment; filename="rejects-{upload.pk}.csv"'
        return answer

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        if upload := kwargs.get("obj"):
            counts = [(upload.counts[key], text) for key, text in OUTCOMES.items() if upload.counts.get(key)]
            context |= {
                "upload": upload,
                "counts": counts,
                "is_pending": upload.status in {Upload.Status.WAITING, Upload.Status.RUNNING},
                "rows": upload.rows.all()[:10],
                "rejects": sum(
                    upload.counts.get(key, 0) for key in ("malformed", "not_found", "member_not_active")
                ),
            }
        return super().render_change_form(request, context, *args, **kwargs)
