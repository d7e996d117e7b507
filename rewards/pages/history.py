"""History: every movement in plain words, with the balance after it; also as a file and on paper."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import reverse
from django.utils.translation import get_language, override
from django.utils.translation import gettext as _

from config.kernel.pages import MemberPage
from config.kernel.sheets import csv_lines
from loyalty.selectors import Filters, Movement
from members.models import Programme
from rewards.history import OrderShown
from rewards.pages import words
from rewards.pages.forms import HistoryForm
from rewards.pages.page import PointsPage
from rewards.pages.statement import statement_of
from rewards.selectors import Told, movements_page, movements_told

PAGE = 25
MAX_DIGITS = 19


class HistoryPage(PointsPage):
    """The movements of the member's points, newest first.

    `?kind=`, `?status=`, `?from=` and `?to=` narrow it, `?before=` turns pages.
    """

    template_name = "my/history.html"
    found_name = "my/history_found.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        form = form_of(request)
        shown = self._shown(form) if form.is_valid() else {"movements": []}
        context = self.get_context_data(form=form, kinds=self._kinds(form), **shown)
        return self.render_to_response(context, status=200 if form.is_valid() else 422)

    def _shown(self, form: HistoryForm) -> dict[str, Any]:
        """The movements of a page, and where the older ones are."""
        before, filters = self._before(), filters_of(form, self.programme)
        page = movements_page(self.programme, self.seen.holding, filters, self.now, limit=PAGE, before=before)
        return {
            "movements": [row(*told, self.languages) for told in page.told],
            "older": page.after and "?" + urlencode({**form.asked, "before": page.after}),
            "newest": before and "?" + urlencode(form.asked),
            "asked": urlencode(form.asked),
        }

    def _kinds(self, form: HistoryForm) -> list[tuple[str, Any, str]]:
        """Each kind with its name and the address of the same history narrowed to it."""
        kinds = [("", _("Everything")), *words.KINDS.items()]
        return [(kind, name, "?" + urlencode({**form.asked, "kind": kind})) for kind, name in kinds]

    def _before(self) -> int | None:
        before = self.request.GET.get("before", "")
        if before and not (before.isascii() and before.isdecimal() and len(before) < MAX_DIGITS):
            raise Http404
        return int(before) if before else None


def form_of(request: HttpRequest) -> HistoryForm:
    """What a request asks of the history. Http404 for a kind or status that there is not."""
    form = HistoryForm(request.GET)
    if form.is_forged:
        raise Http404
    return form


def valid_form_of(request: HttpRequest) -> HistoryForm:
    """The same for a file, which has no room to tell of a slip: Http404."""
    form = form_of(request)
    if not form.is_valid():
        raise Http404
    return form


def filters_of(form: HistoryForm, programme: Programme) -> Filters:
    """The movements that a valid form asks for."""
    said = form.cleaned_data
    period = form.period.filters(ZoneInfo(programme.time_zone))
    return replace(
        period,
        kinds=(said["kind"],) if said["kind"] else (),
        statuses=(said["status"],) if said["status"] else (),
    )


def row(movement: Movement, order: OrderShown | None, languages: Sequence[str]) -> dict[str, Any]:
    """A movement as a row of a page; `why` leads to the purchase it came from, `order` to its gift order."""
    purchase = movement.reference if movement.kind == "earn" else not movement.event and movement.reverses
    return {
        "title": words.title(movement, order, languages),
        "status": "" if words.is_plain(movement, order) else words.status(movement, order),
        "at": movement.occurred_at,
        "store": movement.store or "",
        "points": movement.points,
        "balance": movement.balance_after,
        "why": reverse("my-purchase", args=[purchase]) if purchase else "",
        "order": reverse("my-order", args=[order.reference]) if order else "",
    }


class HistoryFile(MemberPage):
    """The history as CSV in the member's words, narrowed as the page is; the API's has codes, for programs."""

    def get(  # type: ignore[override] # the class above answers with a page, this one with a stream
        self, request: HttpRequest, *args: Any, **kwargs: Any
    ) -> StreamingHttpResponse:
        form = valid_form_of(request)
        filters = filters_of(form, self.programme)
        told = movements_told(self.programme, self.member.number, filters, self.now)
        header = (_("Day"), _("What happened"), _("Status"), _("Points"), _("Balance"), _("Reference"))
        lines = csv_lines(header, self._rows(told, get_language()))
        response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
        response.headers["Content-Disposition"] = f'attachment; filename="history-{self.member.number}.csv"'
        return response

    def _rows(self, told: Iterable[Told], language: str | None) -> Iterator[tuple[object, ...]]:
        zone = ZoneInfo(self.programme.time_zone)
        for movement, order in told:
            # The rows are asked for when the request, and its language with it, is over.
            with override(language):
                what = words.title(movement, order, self.languages)
                status = words.status(movement, order)
                yield (
                    movement.occurred_at.astimezone(zone).date(),
                    what,
                    status,
                    movement.points,
                    movement.balance_after,
                    order.reference if order else movement.reference or "",
                )


class HistoryPaper(MemberPage):
    """The history as a PDF, of all or of the days `?from=` to `?to=` (inclusive)."""

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        body = statement_of(self.programme, self.member, valid_form_of(request).period, self.now)
        response = HttpResponse(body, content_type="application/pdf")
        response.headers["Content-Disposition"] = f'inline; filename="history-{self.member.number}.pdf"'
        return response
