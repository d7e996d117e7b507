"""Adjustments: asked for with a reason; above the programme's limit a second person decides."""

from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import admin, messages
from django.contrib.admin import SimpleListFilter
from django.db.models import QuerySet
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.text import Truncator
from unfold.decorators import action, display
from unfold.enums import ActionVariant

from config.kernel.admin import OwnFilter, asks, go_to
from config.kernel.errors import NotFound, RistourneError
from loyalty import wording
from loyalty.admin.tenants import (
    ShownAdmin,
    own_members,
    own_programmes,
    row_number,
    state_label,
    with_member_number,
)
from loyalty.errors import InsufficientPoints
from loyalty.forms import AdjustmentForm
from loyalty.forms.fields import show_refusal
from loyalty.models import Account, Adjustment
from loyalty.services import Write, adjustment_decide, adjustment_post
from members.errors import MemberNotActive

STATES = {"Waiting": "warning", "Posted": "success", "Refused": "danger"}


def actor_of(request: HttpRequest) -> str:
    """How the books name the user."""
    return f"staff:{request.user.get_username()}"


class StatusFilter(SimpleListFilter):
    """The waiting ones unless others are asked for."""

    title = "status"
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("posted", "Posted"), ("refused", "Refused"), ("all", "All")]

    def choices(self, changelist: Any) -> Any:
        chosen = self.value() or "waiting"
        for value, label in (("waiting", "Waiting"), *self.lookup_choices):
            query = changelist.get_query_string({self.parameter_name: value})
            yield {"selected": value == chosen, "query_string": query, "display": label}

    def queryset(self, request: HttpRequest, queryset: "QuerySet[Any]") -> "QuerySet[Any]":
        chosen = self.value() or "waiting"
        return queryset if chosen == "all" else queryset.filter(status=chosen)


@admin.register(Adjustment)
class AdjustmentAdmin(ShownAdmin):
    list_display = ["reference", "member", "points", "reason", "asked_by", "asked", "state", "programme"]
    list_filter = [StatusFilter, ("programme", OwnFilter)]
    list_select_related = ["programme"]
    search_fields = ["reference__exact"]
    search_help_text = "Reference or member number"
    ordering = ["-id"]
    sortable_by = ()
    actions = ["approve_chosen", "refuse_chosen"]
    actions_list = ["post"]
    actions_detail = ["approve", "refuse"]
    change_form_template = "admin/loyalty/adjustment.html"

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Any]":
        return with_member_number(super().get_queryset(request).select_related("programme"))

    def get_search_results(
        self, request: HttpRequest, queryset: "QuerySet[Any]", search_term: str
    ) -> "tuple[QuerySet[Any], bool]":
        term = search_term.strip()
        if not term:
            return queryset, False
        members = own_members(request, term).values("pk")
        return queryset.filter(account_id__in=members) | queryset.filter(reference=term), False

    def detail_context(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        zone = ZoneInfo(row.programme.time_zone)
        return {
            "number": row_number(row),
            "state": state_label(self.state(row), STATES),
            "is_waiting": row.status == Adjustment.Status.WAITING,
            "is_own": row.actor == actor_of(request),
            "zone": zone,
        }

    def get_actions_detail(self, request: HttpRequest, object_id: str) -> list[Any]:
        """Only what waits can be decided."""
        row = self.get_object(request, object_id)
        is_waiting = row is not None and row.status == Adjustment.Status.WAITING
        return super().get_actions_detail(request, object_id) if is_waiting else []

    @action(
        description="Approve", icon="check", variant=ActionVariant.PRIMARY, dialog=asks("Book these points?")
    )
    def approve(self, request: HttpRequest, form: Form, object_id: str) -> HttpResponse:
        """Book it; who asked may not."""
        self._decide(request, self.own_row(request, object_id), is_approved=True)
        return go_to(request, "admin:loyalty_adjustment_change", object_id)

    @action(description="Refuse", icon="close", dialog=asks("Refuse this adjustment?"))
    def refuse(self, request: HttpRequest, form: Form, object_id: str) -> HttpResponse:
        """Book nothing, for good."""
        self._decide(request, self.own_row(request, object_id), is_approved=False)
        return go_to(request, "admin:loyalty_adjustment_change", object_id)

    @admin.action(description="Approve the chosen adjustments")
    def approve_chosen(self, request: HttpRequest, queryset: "QuerySet[Adjustment]") -> None:
        for row in queryset.order_by("id"):
            self._decide(request, row, is_approved=True)

    @admin.action(description="Refuse the chosen adjustments")
    def refuse_chosen(self, request: HttpRequest, queryset: "QuerySet[Adjustment]") -> None:
        for row in queryset.order_by("id"):
            self._decide(request, row, is_approved=False)

    def _decide(self, request: HttpRequest, row: Adjustment, *, is_approved: bool) -> None:
        try:
            adjustment_decide(
                adjustment=row, approve=is_approved, actor=actor_of(request), now=timezone.now()
            )
        except RistourneError as error:
            self.message_user(request, f"{row.reference}: {error.detail}", messages.ERROR)
        else:
            decided = "booked" if is_approved else "refused"
            self.message_user(request, f"{row.reference} is {decided}.", messages.SUCCESS)

    @action(description="New adjustment", icon="add", url_path="post")
    def post(self, request: HttpRequest) -> HttpResponse:
        """The form of an adjustment; `?account=` fills in the member."""
        programmes = own_programmes(request)
        form = AdjustmentForm(request.POST or None, programmes=programmes, initial=self._initial(request))
        if form.is_valid():
            asked = self._ask(request, form)
            if asked is not None:
                return asked
        context = {
            **self.admin_site.each_context(request),
            "title": "New adjustment",
            "opts": self.opts,
            "media": self.media,
            "form": form,
        }
        return TemplateResponse(request, "admin/loyalty/adjustment_post.html", context)

    def _initial(self, request: HttpRequest) -> dict[str, Any]:
        account = request.GET.get("account", "")
        own = own_programmes(request)
        if account.isdecimal():
            row = Account.objects.filter(pk=int(account), programme__in=own).select_related("member").first()
            if row:
                return {"programme": row.programme_id, "member": row.member.number}
        first = own[:2]
        return {"programme": first[0].pk} if len(first) == 1 else {}

    def _ask(self, request: HttpRequest, form: AdjustmentForm) -> HttpResponse | None:
        """Post what the form says; None with the refusal shown in the form."""
        programme = form.cleaned_data["programme"]
        try:
            answer = adjustment_post(
                write=Write(programme.pk, timezone.now()), command=form.command(actor_of(request))
            )
        except NotFound:
            form.add_error("member", "The programme has no member with this number.")
        except MemberNotActive as error:
            form.add_error("member", error.detail)
        except InsufficientPoints as error:
            form.add_error("points", error.detail)
        except RistourneError as error:
            show_refusal(form, error)
        else:
            waits = answer.status == 202
            text = "It waits for a second person." if waits else "The points are booked."
            self.message_user(request, text, messages.WARNING if waits else messages.SUCCESS)
            row = Adjustment.objects.get(programme=programme, reference=form.cleaned_data["reference"])
            return go_to(request, "admin:loyalty_adjustment_change", row.pk)
        return None

    @display(description="Member")
    def member(self, row: Any) -> str:
        return row_number(row)

    @display(description="Asked by")
    def asked_by(self, row: Adjustment) -> str:
        return Truncator(row.actor).chars(24)

    @display(description="Asked")
    def asked(self, row: Adjustment) -> str:
        return wording.moment(row.recorded_at, ZoneInfo(row.programme.time_zone))

    @display(description="Status", label=STATES)
    def state(self, row: Adjustment) -> str:
        return Adjustment.Status(row.status).label
