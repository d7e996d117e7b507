"""Gift orders: what stands where, the next step of one or many, parcels, and what to pick."""

from typing import IO, Any
from zoneinfo import ZoneInfo

from django.contrib import admin, messages
from django.db.models import QuerySet, Sum
from django.forms import Form, Media
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from unfold.decorators import action, display

from config.kernel.admin import OwnFilter, TenantAdmin, go_to
from config.kernel.errors import RistourneError
from config.kernel.sheets import FileRefused, sheet_open
from loyalty.services import Write
from rewards import answers
from rewards.admin.statements import statement_view
from rewards.admin.uploading import file_page
from rewards.forms import StepForm, TrackingFileForm
from rewards.gather import KnownContext, known_order
from rewards.lifecycle import Status
from rewards.models import Redemption
from rewards.services import MoveCommand, redemption_move

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
TO_PICK = (Status.EXCHANGED, Status.IN_PREPARATION)


def actor_of(request: HttpRequest) -> str:
    """How an order's history names the user."""
    return f"staff:{request.user.get_username()}"


def step(title: str) -> dict[str, Any]:
    """The dialog of a step: it asks why, and acts on POST only."""
    return {"title": title, "form_class": StepForm, "form_submit_text": "Yes"}


@admin.register(Redemption)
class RedemptionAdmin(TenantAdmin):
    list_display = ["reference", "number", "gift", "quantity", "points", "state", "ordered", "tracking"]
    list_filter = ["status", ("programme", OwnFilter), ("reward", OwnFilter)]
    list_select_related = ["programme", "member", "reward"]
    search_fields = ["reference__exact", "member__number__exact", "reward__code__exact", "tracking__exact"]
    search_help_text = "Reference, member number, gift or tracking number"
    ordering = ["-id"]
    sortable_by = ()
    list_per_page = 50
    show_full_result_count = False
    actions = ["prepare_chosen", "send_chosen", "deliver_chosen"]
    actions_list = ["tracking_file", "picking_list"]
    actions_detail = list(STEPS)
    change_form_template = "admin/rewards/redemption.html"

    @property
    def media(self) -> Media:
        return super().media + Media(css={"all": ["css/loyalty.css", "css/orders.css"]})

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        return []

    @display(description="member")
    def number(self, row: Redemption) -> str:
        return row.member.number

    @display(description="ordered")
    def ordered(self, row: Redemption) -> str:
        return f"{row.recorded_at.astimezone(ZoneInfo(row.programme.time_zone)):%-d %b %Y %H:%M}"

    @display(description="gift")
    def gift(self, row: Redemption) -> str:
        return row.reward.code

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
            context |= {
                "zone": ZoneInfo(row.programme.time_zone),
                "moves": row.moves.all(),
                "status": Redemption.Status(status).label,
                "status_kind": LABELS[str(Redemption.Status(status).label)],
                "voucher": row.vouchers.order_by("-id").first(),
                "delivery": getattr(row, "delivery", None),
                "name": row.version.name.get(row.language) or next(iter(row.version.name.values()), ""),
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

    def _move(
        self, request: HttpRequest, row: Redemption, to: Status, note: str = "", tracking: str = ""
    ) -> None:
        command = MoveCommand(row.reference, to, actor_of(request), note, tracking)
        redemption_move(write=Write(row.programme_id, timezone.now()), command=command)

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

    def _move_all(self, request: HttpRequest, rows: list[tuple[Redemption, str]], to: Status) -> None:
        """Each order in its own right: one that may not take the step stops no other."""
        moved = 0
        for row, tracking in rows:
            try:
                self._move(request, row, to, tracking=tracking)
                moved += 1
            except RistourneError as error:
                self.message_user(request, f"{row.reference}: {error.detail or error.title}", messages.ERROR)
        if moved:
            orders = "order is" if moved == 1 else "orders are"
            self.message_user(request, f"{moved} {orders} now: {Redemption.Status(to).label.lower()}.")

    @action(description="Parcels that left", icon="upload_file")
    def tracking_file(self, request: HttpRequest) -> HttpResponse:
        """A file of references and tracking numbers: each order goes into delivery."""
        back = reverse("admin:rewards_redemption_changelist")
        return file_page(
            self,
            request,
            TrackingFileForm,
            "Parcels that left",
            lambda sent: self._send_parcels(request, sent["file"]),
            back,
        )

    def _send_parcels(self, request: HttpRequest, file: IO[bytes]) -> None:
        try:
            sheet = sheet_open(file, required=["reference", "tracking"])
            wanted = {row.cells["reference"]: row.cells["tracking"][:100] for row in sheet}
        except FileRefused as error:
            self.message_user(request, error.detail, messages.ERROR)
            return
        found = list(self.get_queryset(request).filter(reference__in=wanted))
        missing = sorted(set(wanted) - {row.reference for row in found})
        if missing:
            self.message_user(request, f"No such order: {', '.join(missing[:20])}", messages.ERROR)
        self._move_all(request, [(row, wanted[row.reference]) for row in found], Status.IN_DELIVERY)

    @action(description="Picking list", icon="print")
    def picking_list(self, request: HttpRequest) -> HttpResponse:
        """What waits to be picked, to print."""
        return go_to(request, "admin:rewards_redemption_picking")

    def get_urls(self) -> list[Any]:
        view, paper = (self.admin_site.admin_view(x) for x in (self.picking_view, statement_view))
        return [
            path("picking-list/", view, name="rewards_redemption_picking"),
            path("statements/<int:member_id>", paper, name="rewards_statement"),
            *super().get_urls(),
        ]

    def picking_view(self, request: HttpRequest) -> HttpResponse:
        """How many of each gift, and the orders they are for, oldest first."""
        waiting = self.get_queryset(request).filter(status__in=TO_PICK, is_digital=False)
        totals = waiting.order_by("reward__code").values("reward__code").annotate(pieces=Sum("quantity"))
        orders = waiting.select_related("reward", "member", "delivery").order_by("id")[:500]
        context = {
            **self.admin_site.each_context(request),
            "title": "Picking list",
            "opts": self.opts,
            "media": self.media,
            "totals": totals,
            "orders": orders,
        }
        return TemplateResponse(request, "admin/rewards/picking.html", context)


def _context(row: Redemption) -> KnownContext:
    context = known_order(programme_id=row.programme_id, reference=row.reference, now=timezone.now())
    assert context is not None  # noqa: S101 - the row was just read
    return context
