"""Promotions: what is typed is a draft; publishing it is a new version from that instant on."""

from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.forms import Form, Media
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from unfold.dataclasses import UnfoldAction
from unfold.decorators import action, display

from config.kernel.admin import OwnFilter, asks, found_or_404, go_to
from config.kernel.errors import RistourneError
from loyalty import wording
from loyalty.admin.promotion_preview import PromotionPreview
from loyalty.admin.tenants import OfOneProgrammeAdmin, state_label
from loyalty.errors import SamePerson
from loyalty.forms import PROMOTION_STEPS, PromotionForm, with_labels
from loyalty.models import Promotion, PromotionVersion
from loyalty.promotions.choices import draft_findings
from loyalty.rules import PromotionDraft
from loyalty.services import (
    promotion_draft_discard,
    promotion_draft_publish,
    promotion_draft_save,
    promotion_end,
    promotion_pause,
    promotion_resume,
    promotion_void,
)
from loyalty.versions import (
    life_of_row,
    parts_of,
    products_of_part,
    promotion_last_version,
    promotions_with_rule,
    with_status,
)

_STATES = {
    "Draft": "primary",
    "Scheduled": "info",
    "Active": "success",
    "Paused": "warning",
    "Ended": "default",
}


class StatusFilter(admin.SimpleListFilter):
    """Where promotions stand now."""

    title, parameter_name = "status", "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return list(wording.STATUS_NAMES.items())

    def queryset(self, request: HttpRequest, queryset: "QuerySet[Any]") -> "QuerySet[Any]":
        status = self.value()
        return with_status(queryset, status, timezone.now()) if status else queryset


@admin.register(Promotion)
class PromotionAdmin(PromotionPreview, OfOneProgrammeAdmin):
    list_display = ["code", "name", "state", "has_draft", "gets", "window", "priority", "programme"]
    list_display_links = ["code", "name"]
    list_filter = [StatusFilter, ("programme", OwnFilter)]
    search_fields = ["code", "name"]
    show_full_result_count = False
    actions = None
    actions_detail = ["publish", "pause", "resume", "discard_draft", "void_last", "end"]
    fieldsets = PROMOTION_STEPS
    warn_unsaved_form = True
    change_form_template = "admin/loyalty/promotion.html"

    @property
    def media(self) -> Media:
        return super().media + Media(css={"all": ["css/promotion.css"]}, js=["js/promotion.js"])

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Any]":
        return promotions_with_rule(super().get_queryset(request).select_related("programme"))

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        kwargs["form"] = PromotionForm.of(found_or_404(self.programme_of(request, obj)))
        return super().get_form(request, obj, change, **kwargs)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj and obj.ended_at:
            return [(None, {"fields": ["code", "name"]})]
        return with_labels(PROMOTION_STEPS, self.programme_of(request, obj))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return ["code"] if obj else []

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and not (obj and obj.ended_at)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Keep the draft, and publish it when asked to. A draft that may not be published stays one."""
        now, actor = timezone.now(), request.user.get_username()
        saved = promotion_draft_save(
            programme=form.programme, code=obj.code, draft=form.draft, actor=actor, now=now
        )
        obj.pk = saved.pk
        if "_publish" in request.POST:
            try:
                promotion_draft_publish(promotion=saved, actor=actor, now=now)
            except SamePerson as error:
                self.message_user(request, f"It is kept as a draft. {error.detail}", messages.WARNING)
        obj.refresh_from_db()

    def response_add(
        self, request: HttpRequest, obj: Any, post_url_continue: str | None = None
    ) -> HttpResponse:
        return self.response_change(request, obj)

    def response_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        if obj.draft is None:
            self.message_user(request, f"Promotion {obj.code} is published.")
        elif "_publish" not in request.POST:
            self.message_user(request, f"The draft of {obj.code} is saved. It has no effect until published.")
        return go_to(request, "admin:loyalty_promotion_change", obj.pk)

    def get_actions_detail(self, request: HttpRequest, object_id: int) -> list[UnfoldAction]:
        """The moves that are possible where the promotion stands."""
        row = self.get_object(request, str(object_id))
        possible = self._possible(row) if row else set()
        return [x for x in super().get_actions_detail(request, object_id) if _name(x) in possible]

    def _possible(self, row: Any) -> set[str]:
        names = set(life_of_row(row, timezone.now()).moves)
        names -= set() if row.draft else {"publish"}
        names |= {"void_last"} if row.part else set()
        return names | ({"discard_draft"} if row.draft and row.is_published else set())

    def _move(
        self, request: HttpRequest, object_id: str, move: Callable[..., object], told: str, **more: Any
    ) -> HttpResponse:
        """Do it and tell so; what is refused is told in the refusal's own words."""
        try:
            move(promotion=self.own_row(request, object_id), **more)
        except RistourneError as error:
            self.message_user(request, error.detail, messages.ERROR)
        else:
            self.message_user(request, told)
        return go_to(request, "admin:loyalty_promotion_change", object_id)

    @action(
        description="Publish the draft", icon="publish", dialog=asks("Put the draft in force from now on?")
    )
    def publish(self, request: HttpRequest, form: Form, object_id: str) -> HttpResponse:
        """What the form's own button does, for a draft as it was saved."""
        row, now = self.own_row(request, object_id), timezone.now()
        draft = PromotionDraft.from_row(row.draft) if row.draft else None
        odd = draft_findings(row, draft, now, is_deep=False) if draft else []
        if wrong := [finding.text for finding in odd if finding.level == "error"]:
            self.message_user(request, " ".join(wrong), messages.ERROR)
            return go_to(request, "admin:loyalty_promotion_change", object_id)
        told, actor = "The draft is published.", request.user.get_username()
        return self._move(request, object_id, promotion_draft_publish, told, actor=actor, now=now)

    @action(
        description="Pause", icon="pause", dialog=asks("Pause this promotion? You can resume it at any time.")
    )
    def pause(self, request: HttpRequest, form: Form, object_id: str) -> HttpResponse:
        """End the version in force."""
        told = "The promotion is paused."
        return self._move(request, object_id, promotion_pause, told, now=timezone.now())

    @action(
        description="Resume", icon="play_arrow", dialog=asks("Put the last published rule in force again?")
    )
    def resume(self, request: HttpRequest, form: Form, object_id: str) -> HttpResponse:
        """Start the last version's rule again."""
        told = "The promotion runs again."
        return self._move(request, object_id, promotion_resume, told, now=timezone.now())

    @action(
        description="End for good",
        icon="stop",
        dialog=asks("End this promotion for good? It cannot be started again, and its draft is forgotten."),
    )
    def end(self, request: HttpRequest, form: Form, object_id: str) -> HttpResponse:
        """End the version in force, and everything that could come after it."""
        told = "The promotion has ended."
        return self._move(request, object_id, promotion_end, told, now=timezone.now())

    @action(description="Discard the draft", icon="delete", dialog=asks("Forget the draft?"))
    def discard_draft(self, request: HttpRequest, form: Form, object_id: str) -> HttpResponse:
        """Forget what was to be published next."""
        return self._move(request, object_id, promotion_draft_discard, "The draft is forgotten.")

    @action(
        description="Void the last version",
        icon="block",
        dialog=asks("Was the last version an error? No receipt gets it any more, late ones neither."),
    )
    def void_last(self, request: HttpRequest, form: Form, object_id: str) -> HttpResponse:
        """Take the last version out of every time; the promotion stands paused."""
        version = promotion_last_version(self.own_row(request, object_id))
        promotion_void(
            version=get_object_or_404(PromotionVersion, pk=version and version.pk), now=timezone.now()
        )
        self.message_user(request, "The version is voided. Publish a right one to start again.")
        return go_to(request, "admin:loyalty_promotion_change", object_id)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        promotion = kwargs.get("obj")
        context |= self.preview_context(request, context["adminform"].form, promotion)
        if promotion:
            context |= {
                "state": state_label(self.state(promotion), _STATES),
                "link_url": f"{reverse('admin:loyalty_promotionsegment_add')}?promotion={promotion.pk}",
                "links": _links(promotion),
                "versions": _versions(promotion),
                "is_final": promotion.ended_at is not None,
            }
        return super().render_change_form(request, context, *args, **kwargs)

    @display(description="Status", label=_STATES)
    def state(self, row: Any) -> str:
        return wording.STATUS_NAMES[life_of_row(row, timezone.now()).status]

    @display(description="Draft", label="primary")
    def has_draft(self, row: Any) -> str:
        return "To publish" if row.draft is not None else ""

    @display(description="Gets", empty_value="")
    def gets(self, row: Any) -> str:
        said = _said(row)
        return wording.effect_text(said["effect"], row.programme.currency) if said else ""

    @display(description="Window", empty_value="")
    def window(self, row: Any) -> str:
        said = _said(row)
        return wording.window_text(said["window"], ZoneInfo(row.programme.time_zone)) if said else ""

    @display(description="Priority", empty_value="")
    def priority(self, row: Any) -> int | str:
        said = _said(row)
        return said["priority"] if said else ""


def _name(detail: UnfoldAction) -> str:
    return detail.action_name.rpartition("promotion_")[2]


def _said(row: Any) -> dict[str, Any] | None:
    """The published rule, else the draft's."""
    return row.body or (row.draft and row.draft["rule"])


def _links(promotion: Promotion) -> list[dict[str, Any]]:
    zone, now = ZoneInfo(promotion.programme.time_zone), timezone.now()
    return [
        {
            "link": link,
            "is_include": link.mode == "include",
            "validity": wording.span(link.valid_from, link.valid_until, zone),
            "is_over": link.valid_until is not None and link.valid_until <= now,
        }
        for link in promotion.links.select_related("segment").order_by("-valid_from", "-id")
    ]


def _versions(promotion: Promotion) -> list[dict[str, Any]]:
    """All versions, newest first, in plain words."""
    programme = promotion.programme
    versions = list(promotion.versions.order_by("-id"))
    parts = parts_of(programme, [version.part for version in versions])
    products = products_of_part(programme, parts.values())
    zone = ZoneInfo(programme.time_zone)
    return [
        {
            "version": version,
            "validity": wording.span(version.valid_from, version.valid_until, zone),
            "steps": wording.promotion_steps(
                parts[version.part], products.get(parts[version.part]["products"]), programme
            ),
        }
        for version in versions
    ]
