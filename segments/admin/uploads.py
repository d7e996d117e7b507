"""Uploaded files of members for a segment."""

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

from django.contrib import admin
from django.utils import timezone

from config.kernel.admin import OwnFilter
from config.kernel.upload_pages import UploadPages
from segments.models import Upload
from segments.selectors import REJECTED, upload_rejects
from segments.services import upload_confirm, upload_drop


@admin.register(Upload)
class UploadAdmin(UploadPages):
    list_display = ["file_name", "segment", "status", "total", "uploaded_by", "uploaded_at"]
    list_filter = [("segment", OwnFilter), "status"]
    list_select_related = ["segment"]
    change_form_template = "admin/segments/upload.html"
    outcomes: ClassVar = {
        "added": "are put in",
        "unchanged": "are in already",
        "repeated": "repeat an earlier row",
        "not_found": "name a number that nobody has",
        "member_not_active": "name a member who left",
        "malformed": "are malformed",
    }
    reject_columns: ClassVar = ["row", "member", "reason", "why"]

    def upload_confirm(self, upload: Any) -> None:
        upload_confirm(upload=upload, now=timezone.now())

    def upload_drop(self, upload: Any) -> None:
        upload_drop(upload=upload)

    def upload_rejects(self, upload: Any) -> Iterable[Sequence[object]]:
        return upload_rejects(upload)

    def reject_count(self, upload: Any) -> int:
        # Until the job ran, rows do not know what becomes of them.
        is_done = upload.status == Upload.Status.DONE
        return is_done * sum(upload.counts.get(key, 0) for key in REJECTED)
