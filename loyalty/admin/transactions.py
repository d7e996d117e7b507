"""Transactions as staff read them: what was bought, what it earned and why, what came back."""

from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.contrib.filters.admin import RangeDateFilter
from unfold.decorators import display

from config.kernel.admin import OwnFilter
from loyalty import wording
from loyalty.admin.tenants import (
    OfMemberAdmin,
    row_number,
    state_label,
    with_member_number,
)
from loyalty.models import Draw, Entry, Lot, Transaction
from loyalty.selectors import transaction_shown

STATES = {"Posted": "success", "Partially reversed": "warning", "Reversed": "danger"}


@admin.register(Transaction)
class TransactionAdmin(OfMemberAdmin):
    """Search takes a reference or a member number, each as a whole."""

    list_display = [
        "reference",
        "member",
        "occurred",
        "where",
        "points",
        "remaining_points",
        "state",
        "programme",
    ]
    list_filter = [("programme", OwnFilter), "status", ("day", RangeDateFilter)]
    list_filter_submit = True
    list_select_related = ["programme"]
    ordering = ["-id"]
    sortable_by = ()
    change_form_template = "admin/loyalty/transaction.html"

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Any]":
        rows = super().get_queryset(request).select_related("programme")
        return with_member_number(rows)

    def detail_context(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        zone = ZoneInfo(row.programme.time_zone)
        sources = [row.pk, *row.reversals.values_list("pk", flat=True)]
        entries = Entry.objects.filter(account=row.account_id, source__in=sources).order_by("seq")
        return {
            "shown": transaction_shown(row.programme_id, row.reference),
            "number": row_number(row),
            "state": state_label(self.state(row), STATES),
            "occurred": wording.moment(row.occurred_at, zone),
            "recorded": wording.moment(row.recorded_at, zone),
            "returns": row.reversals.order_by("recorded_at", "pk"),
            "entries": entries,
            "lots": Lot.objects.filter(account=row.account_id, seq=row.entry_seq),
            "draws": Draw.objects.filter(account=row.account_id, lot_seq=row.entry_seq).order_by("number"),
            "facts": row.facts,
            "zone": zone,
        }

    @display(description="Member")
    def member(self, row: Any) -> str:
        return row_number(row)

    @display(description="Occurred")
    def occurred(self, row: Transaction) -> str:
        return wording.moment(row.occurred_at, ZoneInfo(row.programme.time_zone))

    @display(description="Where")
    def where(self, row: Transaction) -> str:
        return " · ".join(filter(None, (row.channel, row.store)))

    @display(description="Status", label=STATES)
    def state(self, row: Transaction) -> str:
        return Transaction.Status(row.status).label.capitalize()
