"""Many gift orders at once: steps, tracking numbers from a file, and what to pick."""

from typing import IO, Any

from django.contrib import messages
from django.db.models import Sum
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from unfold.decorators import action

from config.kernel.admin import go_to
from config.kernel.errors import RistourneError
from config.kernel.sheets import sheet_open
from loyalty.services import Write
from members.models import Programme
from rewards.admin.programmes import CatalogueAdmin, actor_of
from rewards.admin.statements import statement_view
from rewards.admin.telling import name_of
from rewards.admin.uploading import file_page
from rewards.forms import TrackingFileForm
from rewards.lifecycle import Status
from rewards.models import Redemption
from rewards.services import MoveCommand, redemption_move

PICKED_AT_ONCE = 500
TO_PICK = (Status.EXCHANGED, Status.IN_PREPARATION)
TOLD = 20
"""So many refusals are told one by one."""


class Parcels(CatalogueAdmin):
    """The buttons above the list of orders, and what its actions share."""

    actions_list = ["tracking_file", "picking_list"]

    def _move(
        self, request: HttpRequest, row: Redemption, to: Status, note: str = "", tracking: str = ""
    ) -> None:
        command = MoveCommand(row.reference, to, actor_of(request), note, tracking)
        redemption_move(write=Write(row.programme_id, timezone.now()), command=command)

    def _move_all(self, request: HttpRequest, rows: list[tuple[Redemption, str]], to: Status) -> None:
        """Each order in its own right: one that may not take the step stops no other."""
        refused, moved = list[str](), 0
        for row, tracking in rows:
            try:
                self._move(request, row, to, tracking=tracking)
                moved += 1
            except RistourneError as error:
                refused.append(f"{row.reference}: {error.detail or error.title}")
        for text in refused[:TOLD]:
            self.message_user(request, text, messages.ERROR)
        if len(refused) > TOLD:
            self.message_user(request, f"{len(refused) - TOLD} more could not be moved.", messages.ERROR)
        if moved:
            orders = "order is" if moved == 1 else "orders are"
            label = Redemption.Status(to).label.lower()
            self.message_user(request, f"{moved} {orders} now: {label}.", messages.SUCCESS)

    @action(description="Upload tracking numbers", icon="upload_file")
    def tracking_file(self, request: HttpRequest) -> HttpResponse:
        """A file of references and tracking numbers: each order goes into delivery."""
        programme = self.programme_of(request)
        if programme is None:
            return self.choose_programme(request, "Parcels of which programme?")
        return file_page(
            self,
            request,
            TrackingFileForm,
            f"Tracking numbers of parcels of {programme.name}",
            lambda sent: self._send_parcels(request, programme, sent["file"]),
            reverse("admin:rewards_redemption_changelist"),
        )

    def _send_parcels(self, request: HttpRequest, programme: Programme, file: IO[bytes]) -> None:
        sheet = sheet_open(file, required=["reference", "tracking"])
        wanted = {row.cells["reference"]: row.cells["tracking"][:100] for row in sheet}
        found = list(self.get_queryset(request).filter(programme=programme, reference__in=wanted))
        missing = sorted(set(wanted) - {row.reference for row in found})
        if missing:
            more = f" and {len(missing) - TOLD} more" if len(missing) > TOLD else ""
            self.message_user(request, f"No such order: {', '.join(missing[:TOLD])}{more}", messages.ERROR)
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
        orders = waiting.select_related("programme", "reward", "version", "member", "delivery").order_by("id")
        shown = [(order, name_of(order.version, order)) for order in orders[:PICKED_AT_ONCE]]
        names = {order.reward.code: name for order, name in shown}
        context = {
            **self.admin_site.each_context(request),
            "title": "Picking list",
            "opts": self.opts,
            "media": self.media,
            "totals": [
                (row["reward__code"], names.get(row["reward__code"], ""), row["pieces"]) for row in totals
            ],
            "orders": shown,
            "more": max(waiting.count() - PICKED_AT_ONCE, 0),
        }
        return TemplateResponse(request, "admin/rewards/picking.html", context)
