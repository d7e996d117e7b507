"""A segment's page: what it says, who is in, how it grew; and the pages of criteria and of a file."""

import json
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import admin, messages
from django.forms import Form, Media
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.timezone import localtime
from simple_history.admin import SimpleHistoryAdmin
from unfold.decorators import action
from unfold.widgets import UnfoldAdminFileFieldWidget

from config.kernel.admin import OwnFilter, TenantAdmin, asks, go_to
from config.kernel.errors import RistourneError
from config.kernel.language_fields import typed
from segments.admin.criteria import CriteriaPage
from segments.criteria import parse, summary
from segments.forms import DESCRIPTION, LABEL, SegmentForm, segment_form, text_fields
from segments.models import Refresh, Segment
from segments.selectors import members_of, pin_counts, refreshes_done
from segments.services import refresh_request, segment_create, segment_update, upload_create

PAGE_MEDIA = Media(css={"all": ["css/loyalty.css", "css/segments.css"]}, js=["js/segments.js"])
_PENDING = (Refresh.Status.WAITING, Refresh.Status.RUNNING)
FILE = UnfoldAdminFileFieldWidget({"accept": ".csv,.txt,.xlsx", "required": True})
CHARTED = 60
"""Refreshes in the chart of a segment's size."""


@admin.register(Segment)
class SegmentAdmin(SimpleHistoryAdmin, TenantAdmin):
    list_display = ["code", "name", "programme", "kind", "is_shown_to_members"]
    list_filter = [("programme", OwnFilter), "kind"]
    search_fields = ["code", "name"]
    form = SegmentForm
    actions_detail = ["edit_criteria", "refresh_now", "upload_members"]
    change_form_template = "admin/segments/segment.html"

    @property
    def media(self) -> Media:
        return super().media + PAGE_MEDIA

    def get_readonly_fields(self, request: HttpRequest, obj: Segment | None = None) -> list[str]:
        return ["programme", "code", "kind"] if obj else []

    def get_fields(self, request: HttpRequest, obj: Segment | None = None) -> list[str]:
        return [*SegmentForm.Meta.fields, *(text_fields(obj) if obj else ())]

    def get_form(self, request: HttpRequest, obj: Segment | None = None, **kwargs: Any) -> Any:
        if obj:
            kwargs["form"] = segment_form(obj)
        return super().get_form(request, obj, **kwargs)

    def get_urls(self) -> list[Any]:
        own = [
            path(
                "<int:pk>/criteria/", self.admin_site.admin_view(self.criteria_view), name="segments_criteria"
            ),
            path(
                "<int:pk>/upload/", self.admin_site.admin_view(self.upload_view), name="segments_upload_new"
            ),
        ]
        return own + super().get_urls()

    def get_actions_detail(self, request: HttpRequest, object_id: str) -> list[Any]:
        """What a segment of this kind can do."""
        row = self.get_object(request, object_id)
        names = {"edit_criteria", "refresh_now"} if row is not None and row.is_dynamic else {"upload_members"}
        found = super().get_actions_detail(request, object_id)
        return [item for item in found if any(item.action_name.endswith(name) for name in names)]

    def create(self, request: HttpRequest, fields: dict[str, Any]) -> Segment:
        return segment_create(**fields)

    def change(self, request: HttpRequest, row: Any, fields: dict[str, Any]) -> None:
        segment_update(
            segment=row,
            name=row.name,
            is_shown_to_members=row.is_shown_to_members,
            labels=row.labels | typed(LABEL, fields),
            descriptions=row.descriptions | typed(DESCRIPTION, fields),
        )

    def response_add(self, request: HttpRequest, obj: Segment, *args: Any, **kwargs: Any) -> HttpResponse:
        if obj.is_dynamic:
            return redirect("admin:segments_criteria", obj.pk)
        return super().response_add(request, obj, *args, **kwargs)

    @action(description="Edit criteria", icon="tune")
    def edit_criteria(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The form that says who is in."""
        return redirect("admin:segments_criteria", self.own_row(request, object_id).pk)

    @action(description="Refresh now", icon="refresh", dialog=asks("Bring this segment up to date now?"))
    def refresh_now(self, request: HttpRequest, form: Form, object_id: str) -> HttpResponse:
        """Ask for a refresh."""
        segment = self.own_row(request, object_id)
        try:
            refresh_request(segment=segment, now=timezone.now(), by=request.user.get_username())
        except RistourneError as error:
            self.message_user(request, error.detail, messages.ERROR)
        return go_to(request, "admin:segments_segment_change", object_id)

    @action(description="Upload members", icon="upload_file")
    def upload_members(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Choose a file of members."""
        return redirect("admin:segments_upload_new", self.own_row(request, object_id).pk)

    def criteria_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Criteria: edited, counted, looked at and saved (CriteriaPage)."""
        segment = self.own_row(request, str(pk))
        if not segment.is_dynamic:
            return redirect("admin:segments_segment_change", pk)
        page = CriteriaPage(request, segment)
        if page.save():
            self.message_user(request, "The criteria are saved; a job brings the segment up to date.")
            return redirect("admin:segments_segment_change", pk)
        title = f"Who is in {segment.name}?"
        return self._page(request, segment, page.template, title, page.context())

    def upload_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """A file of members: read and kept for a look, nobody is put in yet."""
        segment, refusal = self.own_row(request, str(pk)), ""
        if request.method == "POST":
            file = request.FILES.get("file")
            try:
                if file is not None and file.file is not None:
                    upload = upload_create(
                        segment=segment,
                        file=file.file,
                        file_name=file.name or "",
                        now=timezone.now(),
                        by=request.user.get_username(),
                    )
                    return redirect("admin:segments_upload_change", upload.pk)
                refusal = "Choose a file."
            except RistourneError as error:
                refusal = error.detail
        title = f"Upload members of {segment.name}"
        asked = {"refusal": refusal, "file": FILE.render("file", None, {"id": "file"})}
        return self._page(request, segment, "admin/segments/upload_new.html", title, asked)

    def _page(
        self, request: HttpRequest, segment: Segment, template: str, title: str, context: dict[str, Any]
    ) -> HttpResponse:
        shared = {
            **self.admin_site.each_context(request),
            "title": title,
            "opts": self.opts,
            "media": self.media,
            "segment": segment,
            "back": reverse("admin:segments_segment_change", args=[segment.pk]),
        }
        return TemplateResponse(request, template, shared | context)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        if segment := kwargs.get("obj"):
            context |= _shown(segment)
        return super().render_change_form(request, context, *args, **kwargs)


def _shown(segment: Segment) -> dict[str, Any]:
    """What the page shows beside the form."""
    done = list(refreshes_done(segment)[:CHARTED])
    size = members_of(segment, timezone.now()).count()
    latest = segment.refreshes.order_by("-id").first()
    return {
        "size": size,
        "done": done[:10],
        "last": done[0] if done else None,
        "latest": latest,
        "is_pending": latest is not None and latest.status in _PENDING,
        "pins": pin_counts(segment),
        "summary": _summary(segment),
        "versions": _versions(segment),
        "uploads": segment.uploads.order_by("-id")[:5],
        "chart": _chart(done[::-1], ZoneInfo(segment.programme.time_zone)) if len(done) > 1 else "",
    }


def _summary(segment: Segment) -> str:
    if segment.criteria is None:
        return ""
    return summary(parse(segment.criteria), currency=segment.programme.currency)


def _versions(segment: Segment) -> list[Any]:
    """The saved versions of the criteria, newest first."""
    rows = segment.history.exclude(criteria=None).select_related("history_user").order_by("-history_id")
    found: list[Any] = []
    for row in reversed(rows[:50]):
        if not found or row.criteria != found[-1].criteria:
            row.summary = summary(parse(row.criteria), currency=segment.programme.currency)
            found.append(row)
    return found[:-6:-1]


def _chart(done: list[Refresh], zone: ZoneInfo) -> str:
    """The segment's size over its refreshes by the programme's clock, for unfold's line chart."""
    return json.dumps(
        {
            "labels": [f"{localtime(row.finished_at, zone):%-d %b %H:%M}" for row in done],
            "datasets": [
                {
                    "label": "Members",
                    "data": [row.size for row in done],
                    "borderColor": "var(--color-primary-600)",
                    "fill": False,
                }
            ],
        }
    )
