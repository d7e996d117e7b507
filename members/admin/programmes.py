"""Programmes, their languages, and what their members are asked to agree to."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.html import format_html_join
from django.utils.safestring import mark_safe
from simple_history.admin import SimpleHistoryAdmin
from unfold.decorators import display

from config.kernel.admin import OwnFilter, TenantAdmin
from config.kernel.language_fields import typed
from config.kernel.texts import pick
from members.forms import NAME, TEXT, ProgrammeForm, PurposeForm, purpose_texts
from members.models import (
    ConsentPurpose,
    Programme,
    ProgrammeLanguage,
)
from members.services import (
    Language,
    consent_purpose_save,
    language_add,
    language_update,
    programme_create,
    programme_logo_set,
    programme_update,
)


@admin.register(Programme)
class ProgrammeAdmin(SimpleHistoryAdmin, TenantAdmin):
    """Programmes; only superusers open new ones."""

    programme_path = ""
    form = ProgrammeForm
    list_display = ["code", "name", "currency", "time_zone", "status"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_superuser)

    def get_readonly_fields(self, request: HttpRequest, obj: Programme | None = None) -> list[str]:
        return ["code"] if obj else []

    def create(self, request: HttpRequest, fields: dict[str, Any]) -> Programme:
        status, logo = fields.pop("status"), fields.pop("logo_file")
        fields.pop("without_logo")
        programme = programme_create(now=timezone.now(), **fields)
        if logo is not None:
            programme_logo_set(programme=programme, content=logo)
        return programme_update(programme=programme, status=status)

    def change(self, request: HttpRequest, row: Any, fields: dict[str, Any]) -> None:
        logo, is_gone = fields.pop("logo_file", None), fields.pop("without_logo", False)
        if logo is not None or is_gone:
            programme_logo_set(programme=row, content=logo)
        programme_update(programme=row, **fields)


@admin.register(ProgrammeLanguage)
class LanguageAdmin(TenantAdmin):
    list_display = ["code", "name", "programme", "is_default", "fallback", "position"]
    list_filter = [("programme", OwnFilter)]

    def get_readonly_fields(self, request: HttpRequest, obj: ProgrammeLanguage | None = None) -> list[str]:
        return ["programme", "code"] if obj else []

    def create(self, request: HttpRequest, fields: dict[str, Any]) -> ProgrammeLanguage:
        language = Language(*(fields.pop(name) for name in Language._fields))
        return language_add(language=language, **fields)

    def change(self, request: HttpRequest, row: Any, fields: dict[str, Any]) -> None:
        language_update(language=row, **fields)


@admin.register(ConsentPurpose)
class PurposeAdmin(TenantAdmin):
    """What members are asked to agree to; every wording is kept."""

    form = PurposeForm
    list_display = ["code", "words", "programme", "is_offered", "position"]
    list_filter = [("programme", OwnFilter), "is_offered"]
    list_select_related = ["programme"]
    empty_says = "What members are asked to agree to, such as a newsletter, with the words that they read."

    def get_form(self, request: HttpRequest, obj: ConsentPurpose | None = None, **kwargs: Any) -> Any:
        if obj:
            kwargs["form"] = PurposeForm.of(obj)
        return super().get_form(request, obj, **kwargs)

    def get_fields(self, request: HttpRequest, obj: ConsentPurpose | None = None) -> list[str]:
        return [*PurposeForm.Meta.fields, *((*purpose_texts(obj), "wordings", "started_from") if obj else ())]

    def get_readonly_fields(self, request: HttpRequest, obj: ConsentPurpose | None = None) -> list[str]:
        return ["programme", "code", "wordings"] if obj else []

    def get_queryset(self, request: HttpRequest) -> QuerySet[ConsentPurpose]:
        return super().get_queryset(request).prefetch_related("wordings", "programme__languages")

    @display(description="name")
    def words(self, row: ConsentPurpose) -> str:
        """Its name in the default language; members are asked once it has one."""
        last = next(iter(row.wordings.all()), None)
        codes = [x.code for x in sorted(row.programme.languages.all(), key=lambda x: not x.is_default)]
        return pick(last.names, codes)[0] if last else "Not written yet: members are not asked"

    @display(description="wordings so far")
    def wordings(self, row: ConsentPurpose) -> str:
        """Each with when it began, the newest first."""
        told = (
            (
                x.number,
                f"{x.since:%Y-%m-%d %H:%M} UTC",
                " / ".join(x.names.values()),
                " / ".join(x.texts.values()),
            )
            for x in row.wordings.all()
        )
        return format_html_join(mark_safe("<br>"), "{}, from {}: {}. {}", told) or "-"

    def response_add(
        self, request: HttpRequest, obj: ConsentPurpose, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        self.message_user(request, "Now write what members read: it is not offered before it has a name.")
        return redirect("admin:members_consentpurpose_change", obj.pk)

    def create(self, request: HttpRequest, fields: dict[str, Any]) -> ConsentPurpose:
        return consent_purpose_save(now=timezone.now(), **fields)

    def change(self, request: HttpRequest, row: Any, fields: dict[str, Any]) -> None:
        last = row.wordings.first()
        consent_purpose_save(
            programme=row.programme,
            code=row.code,
            position=row.position,
            is_offered=row.is_offered,
            names=(last.names if last else {}) | typed(NAME, fields),
            texts=(last.texts if last else {}) | typed(TEXT, fields),
            now=timezone.now(),
        )
