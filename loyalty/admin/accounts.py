"""Accounts as staff read them: the four figures, the entries behind them, the open lots."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.forms import Form
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from unfold.decorators import action, display

from config.kernel.admin import OwnFilter, asks, go_to
from config.kernel.errors import RistourneError
from loyalty import wording
from loyalty.admin.adjustments import actor_of
from loyalty.admin.tenants import ShownAdmin, own_members
from loyalty.engine.calendar import start_of_day
from loyalty.forms import TierGrantForm
from loyalty.ledger import Lot
from loyalty.models import Account, Adjustment, Tier
from loyalty.selectors import Filters, holding_of, movements, settled, tier_changes, tier_of
from loyalty.services import tier_grant, tier_grant_end
from loyalty.verification import account_verify

PAGE = 100
"""Entries on one page."""


@admin.register(Account)
class AccountAdmin(ShownAdmin):
    """Search takes a whole member number. The list shows what is booked, the page what is true now."""

    list_display = ["number", "available", "pending", "held", "debt", "last_entry", "programme"]
    list_filter = [("programme", OwnFilter)]
    list_select_related = ["member", "programme"]
    search_fields = ["member__number__exact"]
    search_help_text = "Member number"
    ordering = ["-member"]
    sortable_by = ()
    actions_detail = ["adjust", "grant", "end_grant", "verify"]
    change_form_template = "admin/loyalty/account.html"

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Any]":
        return super().get_queryset(request).select_related("member", "programme")

    def get_search_results(
        self, request: HttpRequest, queryset: "QuerySet[Any]", search_term: str
    ) -> "tuple[QuerySet[Any], bool]":
        term = search_term.strip()
        return (queryset.filter(pk__in=own_members(request, term).values("pk")) if term else queryset), False

    def detail_context(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        now, before = timezone.now(), request.GET.get("before", "")
        zone = ZoneInfo(row.programme.time_zone)
        holding = holding_of(row.programme_id, row.member.number, now)
        account = settled(holding, row.programme_id, now)
        older = int(before) if before.isdecimal() and len(before) < 19 else None
        entries = movements(holding, Filters(), now, limit=PAGE + 1, before=older)
        return {
            "title": f"Account of member {row.member.number}",
            "number": row.member.number,
            "figures": account.figures._asdict(),
            "balance": account.figures.balance,
            "next_change": account.next_change_at,
            "entries": entries[:PAGE],
            "older": entries[PAGE - 1].seq if len(entries) > PAGE else None,
            "is_newest": older is None,
            "lots": _open_lots(holding.lots, now),
            "waiting": Adjustment.objects.filter(account_id=row.pk, status=Adjustment.Status.WAITING),
            "zone": zone,
            "tier": tier_of(row.member, now),
            "tier_changes": tier_changes(row.pk)[:PAGE],
        }

    @action(description="Adjust points", icon="edit")
    def adjust(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Go to the form of an adjustment, filled in with the member."""
        row = self.own_row(request, object_id)
        return HttpResponseRedirect(f"{reverse('admin:loyalty_adjustment_post')}?account={row.pk}")

    @action(
        description="Grant a tier",
        icon="workspace_premium",
        dialog={"title": "Grant a tier", "form_class": TierGrantForm, "form_submit_text": "Grant"},
    )
    def grant(self, request: HttpRequest, form: TierGrantForm, object_id: str) -> HttpResponse:
        """Give the member a tier by hand, to the end of a day."""
        row, asked = self.own_row(request, object_id), form.cleaned_data
        tier = Tier.objects.filter(programme=row.programme_id, code=asked["tier"]).first()
        if tier is None:
            self.message_user(request, "The programme has no tier of this code.", messages.ERROR)
            return go_to(request, "admin:loyalty_account_change", object_id)
        until = start_of_day(ZoneInfo(row.programme.time_zone), asked["last_day"] + timedelta(days=1))
        told: dict[str, Any] = {"reason": asked["reason"], "actor": actor_of(request), "now": timezone.now()}
        self._say(
            request,
            f"{tier} is granted.",
            lambda: tier_grant(member=row.member, tier=tier, until=until, **told),
        )
        return go_to(request, "admin:loyalty_account_change", object_id)

    @action(description="End the grant", icon="close", dialog=asks("End the granted tier now?"))
    def end_grant(self, request: HttpRequest, form: Form, object_id: str) -> HttpResponse:
        """Take a granted tier back before its end."""
        row = self.own_row(request, object_id)
        told: dict[str, Any] = {"reason": "Ended by staff", "actor": actor_of(request), "now": timezone.now()}
        self._say(request, "The grant has ended.", lambda: tier_grant_end(member=row.member, **told))
        return go_to(request, "admin:loyalty_account_change", object_id)

    def _say(self, request: HttpRequest, done: str, step: Callable[[], None]) -> None:
        """Do it and say so, or say why not."""
        try:
            step()
        except RistourneError as error:
            text = " ".join(field.detail for field in error.errors) or error.detail
            self.message_user(request, text, messages.ERROR)
        else:
            self.message_user(request, done, messages.SUCCESS)

    @action(description="Verify the hash chain", icon="verified")
    def verify(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Compute every entry again and say whether all is as it was written."""
        verdict = account_verify(self.own_row(request, object_id))
        if verdict.faults:
            for fault in verdict.faults[:10]:
                self.message_user(request, fault, messages.ERROR)
        else:
            text = f"All {verdict.entries} entries verify: hashes, order, balances and open lots."
            self.message_user(request, text, messages.SUCCESS)
        return go_to(request, "admin:loyalty_account_change", object_id)

    @display(description="Member", ordering="member__number")
    def number(self, row: Account) -> str:
        return row.member.number

    @display(description="Settled")
    def last_entry(self, row: Account) -> str:
        return wording.moment(row.settled_at, ZoneInfo(row.programme.time_zone))


def _open_lots(lots: list[Lot], now: datetime) -> list[dict[str, Any]]:
    """Lots with points in them, in the order in which spending draws them."""
    live = [lot for lot in lots if lot.remaining and (lot.expires_at is None or lot.expires_at > now)]
    live.sort(key=lambda lot: (lot.expires_at is None, lot.expires_at or now, lot.seq))
    return [{"lot": lot, "is_pending": lot.activates_at > now} for lot in live]
