"""Programme terms: every save is a new version from that instant on."""

from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import admin
from django.db.models import F, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from unfold.decorators import display

from config.kernel.admin import OwnFilter, found_or_404
from loyalty import wording
from loyalty.admin.tenants import OfOneProgrammeAdmin
from loyalty.forms import TERMS_FIELDS, TermsForm
from loyalty.models import TermsVersion
from loyalty.services import terms_set
from loyalty.versions import part_of

_SHOWN = ["state", "validity", "earn_rate", "rounding", "delay", "lifetime", "tiers", "content"]


@admin.register(TermsVersion)
class TermsVersionAdmin(OfOneProgrammeAdmin):
    """What was in force when. To change the terms, add a version: its form starts from those in force."""

    list_display = ["programme", "state", "validity", "earn_rate", "delay", "lifetime", "tiers"]
    list_display_links = ["programme"]
    list_filter = [("programme", OwnFilter)]
    list_select_related = ["programme"]
    ordering = ["programme", F("valid_until").desc(nulls_first=True), "-id"]
    actions = None

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_queryset(self, request: HttpRequest) -> "QuerySet[TermsVersion]":
        rows: QuerySet[TermsVersion] = (
            super().get_queryset(request).annotate(body=part_of("programme_id", "part"))
        )
        return rows.select_related("programme")

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        if obj is None:
            kwargs["form"] = TermsForm.of(found_or_404(self.programme_of(request)))
        return super().get_form(request, obj, change, **kwargs)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        if obj:
            return [(None, {"fields": ["programme", *_SHOWN]})]
        programme = self.programme_of(request)
        tiers = (
            [f"tier_{code}" for code in programme.tiers.values_list("code", flat=True)] if programme else []
        )
        earning = ("What a purchase earns", {"fields": ["earn_rate", "rounding", *tiers]})
        return [earning, ("How long points live", {"fields": TERMS_FIELDS[2:]})]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return _SHOWN if obj else []

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        obj.pk = terms_set(programme=form.programme, terms=form.rule, now=timezone.now()).pk
        obj.refresh_from_db()

    @display(description="Hash")
    def content(self, row: TermsVersion) -> str:
        return format_html('<span class="loyalty-hash">{}</span>', row.part)

    @display(description="State", label={"In force": "success", "Voided": "danger"})
    def state(self, row: TermsVersion) -> str:
        return "Voided" if row.is_voided else "Ended" if row.valid_until else "In force"

    @display(description="Valid")
    def validity(self, row: TermsVersion) -> str:
        return wording.span(row.valid_from, row.valid_until, ZoneInfo(row.programme.time_zone))

    @display(description="Earn rate")
    def earn_rate(self, row: Any) -> str:
        return f"{row.body['earn_rate']} per {row.body['currency']}"

    @display(description="Rounding")
    def rounding(self, row: Any) -> str:
        return wording.ROUNDINGS[row.body["rounding"]]

    @display(description="Available")
    def delay(self, row: Any) -> str:
        return wording.delay_text(row.body["delay_days"])

    @display(description="Points expire")
    def lifetime(self, row: Any) -> str:
        return wording.lifetime_text(row.body["lifetime"])

    @display(description="Tier multipliers", empty_value="none")
    def tiers(self, row: Any) -> str:
        return wording.multipliers_text(row.body["tiers"])
