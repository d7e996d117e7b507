"""History: every movement in plain words, with the balance after it; also as a file and on paper."""

from collections.abc import Iterable, Iterator
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
from rewards.history import OrderShown
from rewards.pages import words
from rewards.pages.page import PointsPage
from rewards.pages.statement import Period, statement_of
from rewards.selectors import Told, movements_page, movements_told

PAGE = 25
MAX_DIGITS = 19


class HistoryPage(PointsPage):
    """The movements of the member's points, newest first; `?kind=` and `?before=` narrow and turn pages."""

    template_name = "my/history.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        kind = self.request.GET.get("kind", "")
        if kind and kind not in words.KINDS:
            raise Http404
        page = movements_page(
            self.programme,
            self.seen.holding,
            Filters(kinds=(kind,) if kind else ()),
            self.now,
            limit=PAGE,
            before=self._before(),
        )
        return super().get_context_data(
            movements=[row(*told) for told in page.told],
            older=page.after and "?" + urlencode({"kind": kind, "before": page.after}),
            kinds=words.KINDS.items(),
            kind=kind,
            **kwargs,
        )

    def _before(self) -> int | None:
        before = self.request.GET.get("before", "")
        if before and not (before.isascii() and before.isdecimal() and len(before) < MAX_DIGITS):
            raise Http404
        return int(before) if before else None


def row(movement: Movement, order: OrderShown | None) -> dict[str, Any]:
    """A movement as a row of a page; `why` leads to the purchase it came from, `order` to its gift order."""
    purchase = movement.reference if movement.kind == "earn" else not movement.event and movement.reverses
    return {
        "title": words.title(movement, order),
        "status": "" if words.is_plain(movement, order) else words.status(movement, order),
        "at": movement.occurred_at,
        "store": movement.store or "",
        "points": movement.points,
        "balance": movement.balance_after,
        "why": reverse("my-purchase", args=[purchase]) if purchase else "",
        "order": reverse("my-order", args=[order.reference]) if order else "",
    }


class HistoryFile(MemberPage):
    """The whole history as CSV in the member's words; the API's has codes, for programs."""

    def get(  # type: ignore[override] # the class above answers with a page, this one with a stream
        self, request: HttpRequest, *args: Any, **kwargs: Any
    ) -> StreamingHttpResponse:
        told = movements_told(self.programme, self.member.number, Filters(), self.now)
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
                what, status = words.title(movement, order), words.status(movement, order)
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
        try:
            period = Period.read(request.GET.get("from", ""), request.GET.get("to", ""))
        except ValueError:
            raise Http404 from None
        body = statement_of(self.programme, self.member, period, self.now)
        response = HttpResponse(body, content_type="application/pdf")
        response.headers["Content-Disposition"] = f'inline; filename="history-{self.member.number}.pdf"'
        return response
