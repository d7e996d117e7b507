"""Programmes, languages, partners and members in the back office."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.html import format_html_join
from django.utils.safestring import mark_safe
from simple_history.admin import SimpleHistoryAdmin
from unfold.decorators import action, display

from config.kernel.admin import OwnFilter, TenantAdmin, asks, go_to
from config.kernel.language_fields import typed
from config.kernel.texts import pick
from members.forms import NAME, TEXT, PartnerForm, ProgrammeForm, PurposeForm, purpose_texts
from members.models import (
    ConsentChange,
    ConsentPurpose,
    Member,
    MemberSession,
    Partner,
    Programme,
    ProgrammeLanguage,
)
from members.selectors import consents_said
from members.services import (
    Language,
    Speaker,
    consent_purpose_save,
    language_add,
    language_update,
    member_close,
    member_enrol,
    member_update,
    partner_create,
    partner_revoke_tokens,
    partner_rotate_secret,
    partner_update,
    programme_create,
    programme_logo_set,
    programme_update,
    session_revoke,
    sessions_revoke,
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
        return [*PurposeForm.Meta.fields, *((*purpose_texts(obj), "wordings") if obj else ())]

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


@admin.register(Partner)
class PartnerAdmin(SimpleHistoryAdmin, TenantAdmin):
    """Partners; a generated secret is shown once, when it is made."""

    form = PartnerForm
    list_display = ["name", "programme", "client_id", "created"]
    list_filter = [("programme", OwnFilter)]
    search_fields = ["name", "client_id"]
    actions_detail = ["rotate_secret", "revoke_tokens"]

    def get_readonly_fields(self, request: HttpRequest, obj: Partner | None = None) -> list[str]:
        return ["programme", "client_id"] if obj else []

    def get_fields(self, request: HttpRequest, obj: Partner | None = None) -> list[str]:
        return ["programme", "name", *(["client_id"] if obj else []), "allowed_scopes", "return_urls"]

    def create(self, request: HttpRequest, fields: dict[str, Any]) -> Partner:
        partner, secret = partner_create(
            programme=fields["programme"],
            name=fields["name"],
            scopes=fields["allowed_scopes"],
            return_urls=fields["return_urls"],
        )
        self._show_once(request, partner, secret)
        return partner

    def change(self, request: HttpRequest, row: Any, fields: dict[str, Any]) -> None:
        stored = Partner.objects.get(pk=row.pk)
        partner_update(
            partner=stored,
            name=fields.get("name", stored.name),
            scopes=fields.get("allowed_scopes", stored.allowed_scopes),
            return_urls=fields.get("return_urls"),
        )

    @action(description="New secret", dialog=asks("Make a new secret? The old one lives on for a week."))
    def rotate_secret(self, request: HttpRequest, form: Form, object_id: str) -> HttpResponse:
        """Make a new secret; the one before lives on for a week."""
        partner = self.own_row(request, object_id)
        self._show_once(request, partner, partner_rotate_secret(partner=partner, now=timezone.now()))
        return go_to(request, "admin:members_partner_change", object_id)

    @action(description="Revoke all tokens", dialog=asks("Revoke every token this partner holds now?"))
    def revoke_tokens(self, request: HttpRequest, form: Form, object_id: str) -> HttpResponse:
        """Revoke what the partner holds now; it can get new tokens with its secret."""
        count = partner_revoke_tokens(partner=self.own_row(request, object_id))
        self.message_user(request, f"{count} tokens revoked.")
        return go_to(request, "admin:members_partner_change", object_id)

    def _show_once(self, request: HttpRequest, partner: Partner, secret: str) -> None:
        text = f"Client {partner.client_id}, secret {secret}. Copy it now: it is never shown again."
        self.message_user(request, text, messages.WARNING)


def speaker_of(request: HttpRequest) -> Speaker:
    """The user, as consents name them."""
    return Speaker(ConsentChange.Source.STAFF, request.user.get_username())


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
            (f"{said.at:%Y-%m-%d %H:%M} UTC", said.purpose, str(said.value), said.source, said.by)
            for said in consents_said(row)
        )
        return format_html_join(mark_safe("<br>"), "{}: {} = {}, {} {}", told) or "-"

    def create(self, request: HttpRequest, fields: dict[str, Any]) -> Member:
        member, _ = member_enrol(now=timezone.now(), speaker=speaker_of(request), **fields)
        return member

    def change(self, request: HttpRequest, row: Any, fields: dict[str, Any]) -> None:
        member_update(member=row, now=timezone.now(), speaker=speaker_of(request), **fields)

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
