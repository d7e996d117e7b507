"""Event types: what partners may send and what it gives; a change holds for events sent from then on."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from unfold.decorators import action, display

from config.kernel.admin import OwnFilter, found_or_404
from config.kernel.errors import NotFound, RistourneError
from loyalty.admin.tenants import OfOneProgrammeAdmin
from loyalty.events.wording import event_gives_text, event_limits_text, event_state
from loyalty.forms import EVENT_TYPE_STEPS, EventTryForm, EventTypeForm, with_labels
from loyalty.forms.fields import show_refusal
from loyalty.models import EventType
from loyalty.services import EventCommand, event_preview, event_type_save
from loyalty.versions import part_of


@admin.register(EventType)
class EventTypeAdmin(OfOneProgrammeAdmin):
    list_display = ["code", "name", "state", "gives", "limits", "programme"]
    list_display_links = ["code", "name"]
    list_filter = [("programme", OwnFilter), "is_active"]
    search_fields = ["code", "name"]
    show_full_result_count = False
    actions = None
    actions_detail = ["try_event"]
    warn_unsaved_form = True

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Any]":
        rows = super().get_queryset(request).select_related("programme")
        return rows.annotate(body=part_of("programme_id", "part"))

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        kwargs["form"] = EventTypeForm.of(found_or_404(self.programme_of(request, obj)))
        return super().get_form(request, obj, change, **kwargs)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        return with_labels(EVENT_TYPE_STEPS, self.programme_of(request, obj))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return ["code"] if obj else []

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        given = form.cleaned_data
        saved = event_type_save(
            programme=form.programme,
            code=obj.code,
            name=given["name"],
            rule=form.rule,
            now=timezone.now(),
            labels=form.labels(),
            is_active=given["is_active"],
        )
        obj.pk = saved.pk
        obj.refresh_from_db()

    @action(description="Try an event", icon="play_arrow", url_path="try")
    def try_event(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """What an event of this type would give now; nothing is booked."""
        row = self.own_row(request, object_id)
        form = EventTryForm(request.POST or None, zone=row.programme.time_zone)
        context = {
            **self.admin_site.each_context(request),
            "title": f"Try “{row.name}”",
            "opts": self.opts,
            "media": self.media,
            "form": form,
            "zone": row.programme.time_zone,
            "result": _tried(row, form) if form.is_valid() else None,
            "back": reverse("admin:loyalty_eventtype_change", args=[row.pk]),
        }
        return TemplateResponse(request, "admin/loyalty/event_try.html", context)

    @display(
        description="State", label={"On": "success", "Off": "default", "Over": "default", "Scheduled": "info"}
    )
    def state(self, row: Any) -> str:
        return event_state(row.is_active, row.body, timezone.now())

    @display(description="Gives")
    def gives(self, row: Any) -> str:
        return event_gives_text(row.body)

    @display(description="How often")
    def limits(self, row: Any) -> str:
        return event_limits_text(row.body) or "as often as they like"


def _tried(row: EventType, form: EventTryForm) -> dict[str, Any] | None:
    """The outcome of the event in the form; None with the refusal shown in the form."""
    given, now = form.cleaned_data, timezone.now()
    command = EventCommand(
        reference="",
        type=row.code,
        member=given["member"],
        occurred_at=given["occurred_at"] or now,
        attributes=given["attributes"],
        device=given["device"] or None,
    )
    try:
        return event_preview(programme_id=row.programme_id, command=command, now=now)
    except NotFound:
        form.add_error("member", "The programme has no member with this number.")
    except RistourneError as error:
        named = {x.pointer: "attributes" for x in error.errors if x.pointer.startswith("/attributes")}
        show_refusal(form, error, named)
    return None
