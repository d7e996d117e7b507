"""Replays: a draft over the baskets of a period, asked for, watched, stopped, read and downloaded."""

from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from unfold.decorators import action, display
from unfold.enums import ActionVariant

from config.kernel.admin import OwnFilter, asks, go_to
from config.kernel.errors import RistourneError
from config.kernel.sheets import csv_lines
from loyalty import wording
from loyalty.admin.adjustments import actor_of
from loyalty.admin.tenants import ShownAdmin, own_programmes, state_label, with_member_number
from loyalty.forms.fields import show_refusal
from loyalty.forms.replays import ReplayForm, last_month_of
from loyalty.models import Promotion, Replay, Transaction
from loyalty.replay.report import Report
from loyalty.services import replay_again, replay_ask, replay_cancel, replay_draft

STATES = {
    "Queued": "default",
    "Running": "info",
    "Done": "success",
    "Failed": "danger",
    "Cancelled": "warning",
}
COMPARED = 10
"""How many replays of the same promotion stand side by side."""


def report_of(row: Replay) -> Report:
    """The report of a replay that is done."""
    programme = row.programme
    return Report(
        row.result or {}, programme.currency, programme.currency_digits, ZoneInfo(programme.time_zone)
    )


@admin.register(Replay)
class ReplayAdmin(ShownAdmin):
    list_display = ["code", "period", "state", "more", "asked_by", "asked", "programme"]
    list_filter = [("programme", OwnFilter), "status"]
    list_select_related = ["programme"]
    search_fields = ["code__exact"]
    search_help_text = "Promotion code"
    sortable_by = ()
    actions_list = ["ask"]
    actions_detail = ["cancel", "again"]
    change_form_template = "admin/loyalty/replay.html"

    def get_urls(self) -> list[Any]:
        download = self.admin_site.admin_view(self.download)
        own = [path("<int:replay_id>/<slug:table>.csv", download, name="loyalty_replay_download")]
        return [*own, *super().get_urls()]

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Any]":
        return super().get_queryset(request).select_related("programme")

    def get_actions_detail(self, request: HttpRequest, object_id: str) -> list[Any]:
        """What runs can be stopped, everything can be run once more."""
        row = self.get_object(request, object_id)
        found = super().get_actions_detail(request, object_id)
        return [x for x in found if (row and row.is_open) or not x.action_name.endswith("cancel")]

    def detail_context(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        shown: dict[str, Any] = {
            "state": state_label(self.state(row), STATES),
            "period": self.period(row),
            "summary": _summary(row),
            "promotion": Promotion.objects.filter(programme=row.programme_id, code=row.code).first(),
            "zone": ZoneInfo(row.programme.time_zone),
            "others": _compared(row),
        }
        if row.status != Replay.Status.DONE:
            return shown
        report = report_of(row)
        return shown | {"report": report, "top": _with_rows(row, report.top()), "charts": report.charts()}

    @action(description="New replay", icon="replay", url_path="ask", variant=ActionVariant.PRIMARY)
    def ask(self, request: HttpRequest) -> HttpResponse:
        """The form of a replay; `?promotion=` fills in the promotion and its programme's last month."""
        form = ReplayForm(
            request.POST or None, programmes=own_programmes(request), initial=self._initial(request)
        )
        if form.is_valid():
            row = self._ask(request, form)
            if row is not None:
                return go_to(request, "admin:loyalty_replay_change", row.pk)
        context = {
            **self.admin_site.each_context(request),
            "title": "New replay",
            "opts": self.opts,
            "media": self.media,
            "form": form,
        }
        return TemplateResponse(request, "admin/loyalty/replay_ask.html", context)

    def _initial(self, request: HttpRequest) -> dict[str, Any]:
        asked = request.GET.get("promotion", "")
        own = Promotion.objects.filter(programme__in=own_programmes(request)).select_related("programme")
        promotion = own.filter(pk=int(asked)).first() if asked.isdecimal() else None
        programme = promotion.programme if promotion else own_programmes(request).first()
        days = last_month_of(programme) if programme else None
        found: dict[str, Any] = {"promotion": promotion.pk} if promotion else {}
        return found | {"first_day": days[0], "last_day": days[1]} if days else found

    def _ask(self, request: HttpRequest, form: ReplayForm) -> Replay | None:
        """Have it run; None with the refusal shown in the form."""
        given, now = dict(form.cleaned_data), timezone.now()
        promotion = given.pop("promotion")
        draft = replay_draft(promotion, now)
        if draft is None:
            form.add_error("promotion", "All its versions are voided, so it says nothing to replay.")
            return None
        try:
            return replay_ask(
                programme=promotion.programme, draft=draft, actor=actor_of(request), now=now, **given
            )
        except RistourneError as error:
            show_refusal(form, error)
            return None

    @action(description="Stop", icon="stop_circle", dialog=asks("Stop this replay?"))
    def cancel(self, request: HttpRequest, form: Form, object_id: str) -> HttpResponse:
        """Stop it; what it found so far is forgotten."""
        try:
            replay_cancel(replay=self.own_row(request, object_id), now=timezone.now())
        except RistourneError as error:
            self.message_user(request, error.detail, messages.ERROR)
        else:
            self.message_user(request, "The replay is stopped.")
        return go_to(request, "admin:loyalty_replay_change", object_id)

    @action(
        description="Run again",
        icon="replay",
        dialog=asks("Run it once more from its start? What it found is replaced."),
    )
    def again(self, request: HttpRequest, form: Form, object_id: str) -> HttpResponse:
        """Run it once more, with the draft as it was then."""
        replay_again(replay=self.own_row(request, object_id), now=timezone.now())
        self.message_user(request, "The replay waits for a worker.")
        return go_to(request, "admin:loyalty_replay_change", object_id)

    def download(self, request: HttpRequest, replay_id: int, table: str) -> StreamingHttpResponse:
        """A table of the report as CSV: days, baskets or members."""
        row = self.own_row(request, str(replay_id))
        tables = report_of(row).tables() if row.status == Replay.Status.DONE else {}
        if table not in tables:
            raise Http404
        name = f"replay-{row.code}-{row.pk}-{table}.csv".replace(":", "_").replace("~", "_")
        disposition = {"Content-Disposition": f'attachment; filename="{name}"'}
        return StreamingHttpResponse(csv_lines(*tables[table]), content_type="text/csv", headers=disposition)

    @display(description="Period")
    def period(self, row: Replay) -> str:
        return f"{row.first_day:%-d %b %Y} to {row.last_day:%-d %b %Y}"

    @display(description="Points more", empty_value="")
    def more(self, row: Replay) -> str:
        return f"{report_of(row).difference:+,}" if row.status == Replay.Status.DONE else ""

    @display(description="Asked")
    def asked(self, row: Replay) -> str:
        return wording.moment(row.asked_at, ZoneInfo(row.programme.time_zone))

    @display(description="Status", label=STATES)
    def state(self, row: Replay) -> str:
        return Replay.Status(row.status).label


def _summary(row: Replay) -> str:
    """The draft in plain words."""
    links: dict[str, list[str]] = {"include": [], "exclude": []}
    for link in row.draft["links"]:
        links[link["mode"]].append(link["segment"])
    return wording.promotion_summary(row.draft["promotion"], row.draft["products"], row.programme, links)


def _compared(row: Replay) -> list[dict[str, Any]]:
    """The newest replays of the promotion that are done, this one included; none when it is alone."""
    rows = Replay.objects.filter(programme=row.programme_id, code=row.code, status=Replay.Status.DONE)
    found = [
        {"row": other, "report": report_of(other), "summary": _summary(other), "is_this": other.pk == row.pk}
        for other in rows.select_related("programme")[:COMPARED]
    ]
    return found if any(not other["is_this"] for other in found) else []


def _with_rows(row: Replay, top: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The baskets with the addresses of their pages and the numbers of their members, where they still are."""
    references = [basket["reference"] for basket in top]
    rows = Transaction.objects.filter(programme=row.programme_id, reference__in=references)
    known = {x.reference: x for x in with_member_number(rows)}
    return [
        {
            **basket,
            "url": reverse("admin:loyalty_transaction_change", args=[known[reference].pk])
            if (reference := basket["reference"]) in known
            else "",
            "number": known[reference].number if reference in known else "",
        }
        for basket in top
    ]
