"""The back office's page of an uploaded file: what it would do, whether to do it, how far it is, what was left out."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.forms import Form, Media
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import path
from unfold.decorators import action, display

from config.kernel.admin import TenantAdmin, asks, go_to
from config.kernel.errors import RistourneError
from config.kernel.sheets import csv_lines
from config.kernel.uploads import FileUpload


class UploadPages(TenantAdmin):
    """Subclasses name the outcomes as the page says them, the columns of the rejects, and the services."""

    actions_detail = ["confirm", "drop"]
    outcomes: ClassVar[Mapping[str, str]]
    reject_columns: ClassVar[Sequence[str]]

    def upload_confirm(self, upload: Any) -> None:
        """Call the service that lets a job run the file."""
        raise NotImplementedError

    def upload_drop(self, upload: Any) -> None:
        """Call the service that forgets the file."""
        raise NotImplementedError

    def upload_rejects(self, upload: Any) -> Iterable[Sequence[object]]:
        """The rejected rows, cells as `reject_columns` name them."""
        raise NotImplementedError

    def reject_count(self, upload: Any) -> int:
        """How many rows `upload_rejects` has."""
        raise NotImplementedError

    @property
    def media(self) -> Media:
        return super().media + Media(
            css={"all": ["css/loyalty.css", "css/segments.css"]}, js=["js/segments.js"]
        )

    @display(description="Uploaded", ordering="uploaded_at")
    def uploaded(self, upload: Any) -> str:
        """When, on the programme's clock."""
        return f"{upload.uploaded_at.astimezone(ZoneInfo(upload.programme.time_zone)):%-d %b %Y %H:%M}"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        return []

    @property
    def _route(self) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}"

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.rejects_view)
        return [path("<int:pk>/rejects.csv", view, name=f"{self._route}_rejects"), *super().get_urls()]

    def get_actions_detail(self, request: HttpRequest, object_id: str) -> list[Any]:
        """Only what waits for a yes can be decided."""
        row = self.get_object(request, object_id)
        is_open = row is not None and row.status == FileUpload.Status.PREVIEW
        return super().get_actions_detail(request, object_id) if is_open else []

    @action(description="Go ahead", icon="check", dialog=asks("Run this file?"))
    def confirm(self, request: HttpRequest, form: Form, object_id: str) -> HttpResponse:
        """Let a job do it."""
        return self._decide(request, object_id, self.upload_confirm)

    @action(description="Drop the file", icon="delete", dialog=asks("Forget this file? Nothing is changed."))
    def drop(self, request: HttpRequest, form: Form, object_id: str) -> HttpResponse:
        """Forget it."""
        return self._decide(request, object_id, self.upload_drop)

    def _decide(self, request: HttpRequest, object_id: str, decide: Any) -> HttpResponse:
        upload = self.own_row(request, object_id)
        try:
            decide(upload)
        except RistourneError as error:
            self.message_user(request, error.detail or error.title, messages.ERROR)
        return go_to(request, f"admin:{self._route}_change", object_id)

    def rejects_view(self, request: HttpRequest, pk: int) -> StreamingHttpResponse:
        """The rows that did nothing, and why, as CSV."""
        upload = self.own_row(request, str(pk))
        lines = csv_lines(self.reject_columns, self.upload_rejects(upload))
        answer = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
        answer["Content-Disposition"] = f'attachment; filename="rejects-{upload.pk}.csv"'
        return answer

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        if upload := kwargs.get("obj"):
            found = upload.counts
            context |= {
                "upload": upload,
                "counts": [(found[key], text) for key, text in self.outcomes.items() if found.get(key)],
                "rows": upload.rows.all()[:10],
                "rejects": self.reject_count(upload),
                "rejects_url": f"admin:{self._route}_rejects",
            }
        return super().render_change_form(request, context, *args, **kwargs)
