"""The catalogue as a file: taken out, and read in again as drafts."""

import tempfile
from collections.abc import Callable, Iterable, Sequence
from typing import IO, Any, ClassVar

from django.contrib import admin
from django.http import FileResponse, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from unfold.decorators import action

from config.kernel.admin import OwnFilter
from config.kernel.sheets import csv_lines, xlsx_write
from config.kernel.upload_pages import UploadPages
from members.models import Programme
from rewards.admin.programmes import CatalogueAdmin, actor_of
from rewards.admin.uploading import file_page
from rewards.exports import gift_columns, gift_rows
from rewards.forms import GiftsFileForm
from rewards.models import CatalogueUpload
from rewards.services import catalogue_upload_confirm, catalogue_upload_create, catalogue_upload_drop
from rewards.services.imports import REFUSED

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class CatalogueFiles(CatalogueAdmin):
    """The buttons above the list of gifts."""

    actions_list = ["export_csv", "export_xlsx", "import_file"]

    def _of_programme(
        self, request: HttpRequest, title: str, page: Callable[[Programme], HttpResponseBase]
    ) -> HttpResponseBase:
        programme = self.programme_of(request)
        return self.choose_programme(request, title) if programme is None else page(programme)

    @action(description="Export CSV", icon="download")
    def export_csv(self, request: HttpRequest) -> HttpResponseBase:
        """All gifts of a programme with their open or live version."""

        def page(programme: Programme) -> HttpResponseBase:
            lines = csv_lines(gift_columns(programme), gift_rows(programme))
            answer = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
            answer["Content-Disposition"] = f'attachment; filename="gifts-{programme.code}.csv"'
            return answer

        return self._of_programme(request, "Export the gifts of which programme?", page)

    @action(description="Export XLSX", icon="download")
    def export_xlsx(self, request: HttpRequest) -> HttpResponseBase:
        """The same as a workbook."""

        def page(programme: Programme) -> HttpResponseBase:
            file = tempfile.TemporaryFile()  # noqa: SIM115
            xlsx_write(file, gift_columns(programme), gift_rows(programme), title="Gifts")
            file.seek(0)
            name = f"gifts-{programme.code}.xlsx"
            return FileResponse(file, as_attachment=True, filename=name, content_type=XLSX)

        return self._of_programme(request, "Export the gifts of which programme?", page)

    @action(description="Import", icon="upload_file")
    def import_file(self, request: HttpRequest) -> HttpResponseBase:
        """A file of gifts: looked at first, nothing is changed yet."""

        def page(programme: Programme) -> HttpResponse:
            return file_page(
                self,
                request,
                GiftsFileForm,
                f"Import gifts of {programme.name}",
                lambda sent: self._look(request, programme, sent["file"]),
                reverse("admin:rewards_reward_changelist"),
            )

        return self._of_programme(request, "Import gifts of which programme?", page)

    def _look(self, request: HttpRequest, programme: Programme, file: IO[bytes]) -> str:
        upload = catalogue_upload_create(
            programme=programme,
            file=getattr(file, "file", file),
            file_name=file.name or "",
            now=timezone.now(),
            by=actor_of(request),
        )
        return reverse("admin:rewards_catalogueupload_change", args=[upload.pk])


@admin.register(CatalogueUpload)
class CatalogueUploadAdmin(UploadPages):
    list_display = ["file_name", "programme", "status", "total", "uploaded_by", "uploaded"]
    list_filter = [("programme", OwnFilter), "status"]
    list_select_related = ["programme"]
    change_form_template = "admin/rewards/catalogue_upload.html"
    keeps_history = False
    search_fields = ["file_name", "uploaded_by"]
    search_help_text = "File or who uploaded it"
    empty_says = (
        "Files of gifts that were uploaded, with what became of their rows. Gifts → Import uploads one."
    )
    outcomes: ClassVar = {
        "new": "are new gifts",
        "changed": "change a gift",
        "unchanged": "change nothing",
        "refused": "are rejected",
    }
    reject_columns: ClassVar = ["row", "code", "why"]

    def upload_confirm(self, upload: Any) -> None:
        catalogue_upload_confirm(upload=upload)

    def upload_drop(self, upload: Any) -> None:
        catalogue_upload_drop(upload=upload)

    def upload_rejects(self, upload: Any) -> Iterable[Sequence[object]]:
        found = upload.rows.filter(outcome=REFUSED).order_by("number")
        return found.values_list("number", "cells__code", "why").iterator()

    def reject_count(self, upload: Any) -> int:
        return int(upload.counts.get(REFUSED, 0))

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        if upload := kwargs.get("obj"):
            context["refused"] = upload.rows.filter(outcome=REFUSED)[:50]
        return super().render_change_form(request, context, *args, **kwargs)
