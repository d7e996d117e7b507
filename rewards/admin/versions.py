"""The validation desk: what waits for the client, beside what is live, and the decision."""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import admin, messages
from django.contrib.admin import SimpleListFilter
from django.db.models import QuerySet
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from unfold.decorators import action, display
from unfold.enums import ActionVariant

from config.kernel.admin import OwnFilter, asks, go_to
from rewards.admin.programmes import CatalogueAdmin, actor_of, picture_url, thumbnail
from rewards.admin.telling import STATES, actor_names, gift_url, name_of, shown_now, state_of, steps_told
from rewards.differences import differences
from rewards.forms import NeededCommentForm, ScheduleForm, ValidateForm
from rewards.models import RewardVersion
from rewards.services import (
    version_request_changes,
    version_schedule,
    version_validate,
    version_withdraw,
    versions_apply,
)
from rewards.validation import Action, actions

NAMED = 10
"""So many versions are named in one message."""


class QueueFilter(SimpleListFilter):
    """The waiting ones unless others are asked for."""

    title = "state"
    parameter_name = "waiting"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        others = [(value, label) for value, label in RewardVersion.State.choices if value != "submitted"]
        return [*others, ("all", "All")]

    def choices(self, changelist: Any) -> Any:
        chosen = self.value() or "submitted"
        for value, label in (("submitted", "Submitted"), *self.lookup_choices):
            query = changelist.get_query_string({self.parameter_name: value})
            yield {"selected": value == chosen, "query_string": query, "display": label}

    def queryset(self, request: HttpRequest, queryset: "QuerySet[Any]") -> "QuerySet[Any]":
        chosen = self.value() or "submitted"
        return queryset if chosen == "all" else queryset.filter(state=chosen)


@admin.register(RewardVersion)
class RewardVersionAdmin(CatalogueAdmin):
    list_display = [
        "image",
        "gift",
        "number",
        "called",
        "price",
        "who",
        "waiting_since",
        "state_now",
        "programme",
    ]
    list_display_links = ["gift"]
    list_filter = [QueueFilter, ("programme", OwnFilter)]
    search_fields = ["reward__code", "name", "brand"]
    search_help_text = "Code, name or brand"
    ordering = ["submitted_at", "id"]
    actions = ["validate_chosen"]
    actions_detail = ["validate", "schedule", "request_changes", "withdraw"]
    change_form_template = "admin/rewards/version.html"
    keeps_history = False
    empty_says = "Nothing waits for the client. Staff submit the draft of a gift from its page."

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Any]":
        rows = super().get_queryset(request).select_related("reward__programme", "programme")
        return rows.prefetch_related("pictures__picture", "reward__programme__languages")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        # Nothing is edited here; the list offers its actions to who may change.
        return obj is None and super().has_change_permission(request, obj)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        return []

    def get_actions_detail(self, request: HttpRequest, object_id: str) -> list[Any]:
        """Only what can be done now; who submitted a version is not asked to validate it."""
        row = self.get_object(request, object_id)
        if row is None:
            return []
        allowed = {*actions(shown_now(row.reward, row))} - {Action.SUBMIT}
        if row.submitted_by == actor_of(request):
            allowed -= {Action.VALIDATE}
        found = super().get_actions_detail(request, object_id)
        return [one for one in found if any(one.action_name.endswith(f"version_{name}") for name in allowed)]

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        version = kwargs.get("obj")
        if version:
            zone = ZoneInfo(version.programme.time_zone)
            shown = version.reward.versions.filter(state=RewardVersion.State.LIVE).exclude(pk=version.pk)
            before = shown.filter(number__lt=version.number).order_by("-number").first()
            found = differences(before, version, zone)
            names = actor_names([version.submitted_by, version.validated_by])
            context |= {
                "before": before,
                "images_before": _images(before),
                "images_after": _images(version),
                "changed": [one for one in found if one.is_changed],
                "unchanged": [one for one in found if not one.is_changed],
                "state": state_of(version.reward, version),
                "state_kind": STATES[state_of(version.reward, version)],
                "gift_url": gift_url(version.reward),
                "steps": steps_told(version.steps.select_related("version").order_by("-id")),
                "submitted_by": names[version.submitted_by],
                "validated_by": names[version.validated_by],
                "zone": zone,
                "is_own": version.submitted_by == actor_of(request),
            }
        return super().render_change_form(request, context, *args, **kwargs)

    @action(
        description="Validate",
        icon="check",
        variant=ActionVariant.PRIMARY,
        dialog=asks("Validate this version? It goes live now, or when its window begins.")
        | {"form_class": ValidateForm},
    )
    def validate(self, request: HttpRequest, form: Form, object_id: str) -> HttpResponse:
        """Validate it; who submitted it may not."""
        row = self.own_row(request, object_id)
        comment, at = form.cleaned_data["comment"], _instant(row, form)
        validate = partial(version_validate, comment=comment, live_at=at)
        self._decide(request, [row], lambda one, **who: validate(version=one, **who))
        return go_to(request, "admin:rewards_rewardversion_changelist")

    @action(
        description="Let it go live",
        icon="schedule",
        variant=ActionVariant.PRIMARY,
        dialog=asks("Let this version go live?") | {"form_class": ScheduleForm},
    )
    def schedule(self, request: HttpRequest, form: Form, object_id: str) -> HttpResponse:
        """Give a validated version its time."""
        row = self.own_row(request, object_id)
        at = _instant(row, form)
        self._decide(request, [row], lambda one, **who: version_schedule(version=one, at=at, **who))
        return go_to(request, "admin:rewards_rewardversion_changelist")

    @action(
        description="Request changes",
        icon="undo",
        dialog=asks("Send it back?") | {"form_class": NeededCommentForm},
    )
    def request_changes(self, request: HttpRequest, form: Form, object_id: str) -> HttpResponse:
        """Send it back with what has to change."""
        row = self.own_row(request, object_id)
        comment = form.cleaned_data["comment"]
        self._decide(
            request, [row], lambda one, **who: version_request_changes(version=one, comment=comment, **who)
        )
        return go_to(request, "admin:rewards_rewardversion_changelist")

    @action(description="Withdraw", icon="delete", dialog=asks("Give this version up?"))
    def withdraw(self, request: HttpRequest, form: Form, object_id: str) -> HttpResponse:
        """Give it up."""
        row = self.own_row(request, object_id)
        self._decide(request, [row], lambda one, **who: version_withdraw(version=one, **who))
        return go_to(request, "admin:rewards_rewardversion_changelist")

    @admin.action(description="Validate the chosen versions")
    def validate_chosen(self, request: HttpRequest, queryset: "QuerySet[RewardVersion]") -> None:
        rows = list(queryset.select_related("reward"))
        self._decide(request, rows, lambda one, **who: version_validate(version=one, **who))

    def _decide(
        self, request: HttpRequest, rows: list[RewardVersion], act: Callable[..., RewardVersion]
    ) -> None:
        """Each in its own right; what became of them is told together where it is the same."""
        who = {"actor": actor_of(request), "now": timezone.now()}
        told = dict[tuple[int, str], list[str]]()
        for version, refusal in versions_apply(rows, lambda one: act(one, **who)):
            if refusal is None:
                became = messages.SUCCESS, f"{state_of(version.reward, version)}."
            else:
                became = messages.ERROR, "; ".join(one.detail for one in refusal.errors) or refusal.detail
            told.setdefault(became, []).append(f"{version.reward.code}, version {version.number}")
        for (level, text), names in told.items():
            more = f"; and {len(names) - NAMED} more" if len(names) > NAMED else ""
            self.message_user(request, f"{'; '.join(names[:NAMED])}{more}: {text}", level)

    @display(description="Image")
    def image(self, row: RewardVersion) -> str:
        pictures = row.pictures.all()
        return thumbnail(pictures[0].picture if pictures else None)

    @display(description="Gift")
    def gift(self, row: RewardVersion) -> str:
        return row.reward.code

    @display(description="Name")
    def called(self, row: RewardVersion) -> str:
        return name_of(row, row.reward)

    @display(description="Points")
    def price(self, row: RewardVersion) -> int:
        return row.points

    @display(description="Submitted by")
    def who(self, row: RewardVersion) -> str:
        return row.submitted_by.removeprefix("staff:")

    @display(description="Submitted")
    def waiting_since(self, row: RewardVersion) -> str:
        zone = ZoneInfo(row.programme.time_zone)
        return f"{row.submitted_at.astimezone(zone):%-d %b %Y %H:%M}" if row.submitted_at else ""

    @display(description="State", label=STATES)
    def state_now(self, row: RewardVersion) -> str:
        return state_of(row.reward, row)


def _instant(version: RewardVersion, form: Form) -> datetime | None:
    """When it is to go live, as typed on the programme's clock."""
    at: datetime | None = form.cleaned_data["live_at"]
    return at and at.replace(tzinfo=ZoneInfo(version.programme.time_zone))


def _images(version: RewardVersion | None) -> list[tuple[str, dict[str, str]]]:
    pictures = version.pictures.select_related("picture") if version else ()
    return [(picture_url(row.picture), row.alt) for row in pictures]
