"""Events as staff read them, the queue of those they decide, and taking one back."""

from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from unfold.contrib.filters.admin import RangeDateFilter
from unfold.decorators import action, display
from unfold.enums import ActionVariant
from unfold.forms import ActionForm, BaseDialogForm
from unfold.widgets import UnfoldAdminTextInputWidget

from config.kernel.admin import OwnFilter, go_to
from config.kernel.errors import RistourneError
from loyalty import wording
from loyalty.admin.adjustments import actor_of
from loyalty.admin.tenants import OfMemberAdmin, row_number, state_label, with_member_number
from loyalty.models import Entry, Event
from loyalty.selectors import event_shown
from loyalty.services import EventReversalCommand, Write, event_decide, event_reverse

STATES = {
    "Posted": "success",
    "In review": "warning",
    "Refused": "danger",
    "Limit reached": "default",
    "Reversed": "danger",
}
ALLOWED: dict[str, set[str]] = {
    Event.Status.IN_REVIEW.value: {"approve", "refuse", "take_back"},
    Event.Status.POSTED.value: {"take_back"},
}
"""What staff may do to an event, by its status."""


class ReasonForm(BaseDialogForm):
    """Why, for the books and for whoever asks later."""

    reason = forms.CharField(
        max_length=200,
        widget=UnfoldAdminTextInputWidget,
        help_text="Kept with the event. No personal details.",
    )


class WishForm(BaseDialogForm):
    """As ReasonForm, where no reason is needed."""

    reason = forms.CharField(max_length=200, required=False, widget=UnfoldAdminTextInputWidget)


class DecisionForm(ActionForm):
    """Many at once share a reason."""

    reason = forms.CharField(
        label="",
        max_length=200,
        required=False,
        widget=UnfoldAdminTextInputWidget({"placeholder": "Reason", "aria-label": "Reason"}),
    )


def asks_why(question: str, form: type[BaseDialogForm] = ReasonForm) -> dict[str, Any]:
    """The dialog of an action that wants a reason."""
    return {"title": question, "form_class": form, "form_submit_text": "Yes"}


@admin.register(Event)
class EventAdmin(OfMemberAdmin):
    """Search takes a reference or a member number, each as a whole."""

    list_display = ["reference", "kind", "member", "occurred", "points", "wanted", "state", "programme"]
    list_filter = [("programme", OwnFilter), "status", ("day", RangeDateFilter)]
    list_filter_submit = True
    list_select_related = ["programme", "type"]
    ordering = ["-id"]
    sortable_by = ()
    actions = ["approve_chosen", "refuse_chosen"]
    action_form = DecisionForm
    actions_list = ["queue"]
    actions_detail = ["approve", "refuse", "take_back"]
    change_form_template = "admin/loyalty/event.html"

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Any]":
        return with_member_number(super().get_queryset(request).select_related("programme", "type"))

    def detail_context(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        sources = [row.pk, *row.reversals.values_list("pk", flat=True)]
        return {
            "shown": event_shown(row.programme_id, row.reference, timezone.now()),
            "number": row_number(row),
            "state": state_label(self.state(row), STATES),
            "is_waiting": row.status == Event.Status.IN_REVIEW,
            "returns": row.reversals.all(),
            "entries": Entry.objects.filter(account=row.account_id, source__in=sources).order_by("seq"),
            "zone": ZoneInfo(row.programme.time_zone),
        }

    def get_actions_detail(self, request: HttpRequest, object_id: str) -> list[Any]:
        """Only what waits can be decided, and only what stands can be taken back."""
        row = self.get_object(request, object_id)
        allowed = ALLOWED.get(row.status, set()) if row else set()
        return [x for x in super().get_actions_detail(request, object_id) if _names(x) & allowed]

    @action(description="Review queue", icon="rule", url_path="queue")
    def queue(self, request: HttpRequest) -> HttpResponse:
        """Those that wait for a decision."""
        response = go_to(request, "admin:loyalty_event_changelist")
        response.headers["Location"] += "?status__exact=in_review"
        return response

    @action(
        description="Approve",
        icon="check",
        variant=ActionVariant.PRIMARY,
        dialog=asks_why("Give these points?", WishForm),
    )
    def approve(self, request: HttpRequest, form: forms.Form, object_id: str) -> HttpResponse:
        """Give what the event was worth when it was sent."""
        self._decide(request, self.own_row(request, object_id), form.cleaned_data["reason"], is_approved=True)
        return go_to(request, "admin:loyalty_event_change", object_id)

    @action(description="Refuse", icon="close", dialog=asks_why("Refuse this event?"))
    def refuse(self, request: HttpRequest, form: forms.Form, object_id: str) -> HttpResponse:
        """Give nothing, for good."""
        self._decide(
            request, self.own_row(request, object_id), form.cleaned_data["reason"], is_approved=False
        )
        return go_to(request, "admin:loyalty_event_change", object_id)

    @action(description="Take back", icon="undo", dialog=asks_why("Take back what this event gave?"))
    def take_back(self, request: HttpRequest, form: forms.Form, object_id: str) -> HttpResponse:
        """Reverse it by the rules of returns."""
        row = self.own_row(request, object_id)
        command = EventReversalCommand(
            event=row.reference,
            reference=f"staff-{uuid4()}",
            reason=form.cleaned_data["reason"],
            actor=actor_of(request),
        )
        try:
            event_reverse(write=Write(row.programme_id, timezone.now()), command=command)
        except RistourneError as error:
            self.message_user(request, f"{row.reference}: {error.detail}", messages.ERROR)
        else:
            self.message_user(request, f"{row.reference} is taken back.", messages.SUCCESS)
        return go_to(request, "admin:loyalty_event_change", object_id)

    @admin.action(description="Approve the chosen events")
    def approve_chosen(self, request: HttpRequest, queryset: "QuerySet[Event]") -> None:
        for row in queryset.order_by("id"):
            self._decide(request, row, request.POST.get("reason", ""), is_approved=True)

    @admin.action(description="Refuse the chosen events (give a reason)")
    def refuse_chosen(self, request: HttpRequest, queryset: "QuerySet[Event]") -> None:
        reason = request.POST.get("reason", "").strip()
        if not reason:
            self.message_user(request, "Say why: the reason is kept with each event.", messages.ERROR)
            return
        for row in queryset.order_by("id"):
            self._decide(request, row, reason, is_approved=False)

    def _decide(self, request: HttpRequest, row: Event, reason: str, *, is_approved: bool) -> None:
        try:
            event_decide(
                event=row,
                approve=is_approved,
                actor=actor_of(request),
                reason=reason.replace("\0", "")[:200],
                now=timezone.now(),
            )
        except RistourneError as error:
            self.message_user(request, f"{row.reference}: {error.detail}", messages.ERROR)
        else:
            decided = "approved" if is_approved else "refused"
            self.message_user(request, f"{row.reference} is {decided}.", messages.SUCCESS)

    @display(description="Event")
    def kind(self, row: Any) -> str:
        return row.type.name

    @display(description="Member")
    def member(self, row: Any) -> str:
        return row_number(row)

    @display(description="Occurred")
    def occurred(self, row: Event) -> str:
        return wording.moment(row.occurred_at, ZoneInfo(row.programme.time_zone))

    @display(description="Status", label=STATES)
    def state(self, row: Event) -> str:
        return Event.Status(row.status).label.capitalize()


def _names(item: Any) -> set[str]:
    """The method names of an action of unfold."""
    return {name for name in ("approve", "refuse", "take_back") if item.action_name.endswith(f"_{name}")}
