"""Gift orders: what stands where, the next step of one or many, parcels, and what to pick."""

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import admin, messages
from django.contrib.admin import SimpleListFilter
from django.db.models import QuerySet
from django.forms import Form, Media
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from unfold.decorators import action, display

from config.kernel.admin import OwnFilter, go_to
from config.kernel.errors import RistourneError
from rewards import answers
from rewards.admin.parcels import Parcels
from rewards.admin.telling import actor_names, name_of
from rewards.forms import StepForm
from rewards.gather import KnownContext, known_order
from rewards.lifecycle import Status
from rewards.models import Redemption

LABELS = {
    "Reserved": "info",
    "Exchanged": "warning",
    "In preparation": "warning",
    "In delivery": "info",
    "Delivered": "success",
    "Return requested": "warning",
    "Returned": "danger",
    "Cancelled": "danger",
    "Released": "danger",
    "Lapsed": "danger",
}
STEPS = {
    "confirm": Status.EXCHANGED,
    "release": Status.RELEASED,
    "prepare": Status.IN_PREPARATION,
    "send": Status.IN_DELIVERY,
    "deliver": Status.DELIVERED,
    "ask_back": Status.RETURN_REQUESTED,
    "take_back": Status.RETURNED,
    "cancel": Status.CANCELLED,
}
"""What each action of an order's page leads to."""


def step(title: str) -> dict[str, Any]:
    """The dialog of a step: it asks why, and acts on POST only."""
    return {"title": title, "form_class": StepForm, "form_submit_text": "Yes"}


class OrderedFilter(SimpleListFilter):
    """Orders of the last days."""

    title = "ordered"
    parameter_name = "ordered"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("1", "In the last 24 hours"), ("7", "In the last 7 days"), ("30", "In the last 30 days")]

    def queryset(self, request: HttpRequest, queryset: "QuerySet[Any]") -> "QuerySet[Any]":
        days = self.value()
        if days not in {"1", "7", "30"}:
            return queryset
        return queryset.filter(recorded_at__gte=timezone.now() - timedelta(days=int(days)))


@admin.register(Redemption)
class RedemptionAdmin(Parcels):
    list_display = [
        "reference",
        "number",
        "gift",
        "quantity",
        "points",
        "state",
        "ordered",
        "tracking",
        "programme",
    ]
    list_filter = [
        "status",
        ("programme", OwnFilter),
        ("reward", OwnFilter),
        OrderedFilter,
    ]
    list_select_related = ["programme", "member", "reward", "version"]
    search_fields = ["reference__exact", "member__number__exact", "reward__code__exact", "tracking__exact"]
    search_help_text = "Reference, member number, gift or tracking number"
    ordering = ["-id"]
    sortable_by = ()
    list_per_page = 50
    show_full_result_count = False
    actions = ["prepare_chosen", "send_chosen", "deliver_chosen"]
    actions_detail = list(STEPS)
    change_form_template = "admin/rewards/redemption.html"
    keeps_history = False
    empty_says = "Members and shops order gifts for points: each order appears here with its next steps."

    @property
    def media(self) -> Media:
        return super().media + Media(css={"all": ["css/orders.css"]})

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        return []

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Any]":
        return super().get_queryset(request).prefetch_related("programme__languages")

    @display(description="member")
    def number(self, row: Redemption) -> str:
        return row.member.number

    @display(description="ordered")
    def ordered(self, row: Redemption) -> str:
        return f"{row.recorded_at.astimezone(ZoneInfo(row.programme.time_zone)):%-d %b %Y %H:%M}"

    @display(description="gift")
    def gift(self, row: Redemption) -> str:
        return f"{row.reward.code} {name_of(row.version, row)}"

    @display(description="status", label=LABELS)
    def state(self, row: Redemption) -> str:
        return row.get_status_display()

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        row = kwargs.get("obj")
        if row is not None:
            order = _context(row)
            status = order.booked.row.status_at_instant(timezone.now())
            moves, voucher = list(row.moves.all()), row.vouchers.order_by("-id").first()
            names = actor_names(move.actor for move in moves)
            context |= {
                "zone": ZoneInfo(row.programme.time_zone),
                "moves": [(move, names[move.actor]) for move in moves],
                "status": Redemption.Status(status).label,
                "status_kind": LABELS[str(Redemption.Status(status).label)],
                "voucher": voucher,
                "worth": voucher and answers.money(voucher.value, voucher.currency),
                "left": voucher and answers.money(voucher.balance, voucher.currency),
                # The instant is the first at which it is no longer valid.
                "last_instant": voucher
                and voucher.valid_until
                and voucher.valid_until - timedelta(microseconds=1),
                "delivery": getattr(row, "delivery", None),
                "name": name_of(row.version, row),
                "allowed": [Redemption.Status(to).label for to in answers.allowed(status, order)],
            }
        return super().render_change_form(request, context, *args, **kwargs)

    def get_actions_detail(self, request: HttpRequest, object_id: str) -> list[Any]:
        """Only the legal next steps."""
        row = self.get_object(request, object_id)
        if row is None:
            return []
        order = _context(row)
        allowed = answers.allowed(order.booked.row.status_at_instant(timezone.now()), order)
        names = {f"rewards_redemption_{name}" for name, to in STEPS.items() if to in allowed}
        return [x for x in super().get_actions_detail(request, object_id) if x.action_name in names]

    @action(description="Confirm", dialog=step("Spend the reserved points?"))
    def confirm(self, request: HttpRequest, form: Form, object_id: str) -> HttpResponse:
        """Exchange a reservation."""
        return self._step(request, form, object_id, Status.EXCHANGED)

    @action(description="Release", dialog=step("Give the reserved points back?"))
    def release(self, request: HttpRequest, form: Form, object_id: str) -> HttpResponse:
        """Release a reservation."""
        return self._step(request, form, object_id, Status.RELEASED)

    @action(description="In preparation", dialog=step("Start preparing this order?"))
    def prepare(self, request: HttpRequest, form: Form, object_id: str) -> HttpResponse:
        """Somebody picks it."""
        return self._step(request, form, object_id, Status.IN_PREPARATION)

    @action(description="In delivery", dialog=step("Has this order left?"))
    def send(self, request: HttpRequest, form: Form, object_id: str) -> HttpResponse:
        """It has left."""
        return self._step(request, form, object_id, Status.IN_DELIVERY)

    @action(description="Delivered", dialog=step("Has this order arrived?"))
    def deliver(self, request: HttpRequest, form: Form, object_id: str) -> HttpResponse:
        """It has arrived, or stays where it is."""
        return self._step(request, form, object_id, Status.DELIVERED)

    @action(description="Return requested", dialog=step("Does the member want to return it?"))
    def ask_back(self, request: HttpRequest, form: Form, object_id: str) -> HttpResponse:
        """The member wants to return it."""
        return self._step(request, form, object_id, Status.RETURN_REQUESTED)

    @action(description="Returned", dialog=step("Is it back?"))
    def take_back(self, request: HttpRequest, form: Form, object_id: str) -> HttpResponse:
        """It is back; points and stock as the gift says."""
        return self._step(request, form, object_id, Status.RETURNED)

    @action(description="Cancel", dialog=step("Cancel this order and give the points back?"))
    def cancel(self, request: HttpRequest, form: Form, object_id: str) -> HttpResponse:
        """Nothing has left yet: points and stock come back."""
        return self._step(request, form, object_id, Status.CANCELLED)

    def _step(self, request: HttpRequest, form: Form, object_id: str, to: Status) -> HttpResponse:
        row = self.own_row(request, object_id)
        note, tracking = form.cleaned_data["note"], form.cleaned_data["tracking"]
        try:
            self._move(request, row, to, note, tracking)
            self.message_user(request, f"{row.reference} is now: {Redemption.Status(to).label.lower()}.")
        except RistourneError as error:
            self.message_user(request, error.detail or error.title, messages.ERROR)
        return go_to(request, "admin:rewards_redemption_change", object_id)

    @admin.action(description="Chosen orders: in preparation")
    def prepare_chosen(self, request: HttpRequest, queryset: "QuerySet[Redemption]") -> None:
        """Somebody picks them."""
        self._move_all(request, [(row, "") for row in queryset], Status.IN_PREPARATION)

    @admin.action(description="Chosen orders: in delivery")
    def send_chosen(self, request: HttpRequest, queryset: "QuerySet[Redemption]") -> None:
        """They have left."""
        self._move_all(request, [(row, "") for row in queryset], Status.IN_DELIVERY)

    @admin.action(description="Chosen orders: delivered")
    def deliver_chosen(self, request: HttpRequest, queryset: "QuerySet[Redemption]") -> None:
        """They have arrived."""
        self._move_all(request, [(row, "") for row in queryset], Status.DELIVERED)


def _context(row: Redemption) -> KnownContext:
    context = known_order(programme_id=row.programme_id, reference=row.reference, now=timezone.now())
    assert context is not None  # noqa: S101 - the row was just read
    return context
