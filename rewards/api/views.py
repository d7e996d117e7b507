"""History: what moved a member's points, and the gift orders that will join it."""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

import msgspec
from django.http import StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter

from config.kernel.api import ApiRequest, ApiView, json_response, operation, read_page
from config.kernel.api.pagination import write_cursor
from config.kernel.errors import FieldError, NotFound, ValidationFailed
from loyalty.selectors import KINDS, STATUSES, Filters
from members.models import Programme
from members.selectors import programme_of
from rewards import selectors
from rewards.history import HistoryItem, csv_lines

ORDER_STATUSES = (
    "exchanged",
    "cancelled",
    "in_preparation",
    "in_delivery",
    "delivered",
    "return_requested",
    "returned",
)


class HistoryShown(msgspec.Struct):
    """A movement: `balance_after` is the running balance, `reversed_by` the returns of a purchase."""

    id: str
    occurred_at: str
    recorded_at: str
    kind: str
    points: int
    balance_after: int
    label: str
    reference: str | None
    status: str
    order: dict[str, Any] | None
    reverses: str | None
    reversed_by: list[str]


class HistoryPage(msgspec.Struct):
    """A page of movements, newest first."""

    items: list[HistoryShown]
    next_cursor: str | None


_EXAMPLE = {
    "id": "7-42",
    "occurred_at": "2026-11-23T10:15:00+01:00",
    "recorded_at": "2026-11-23T10:15:02+01:00",
    "kind": "earn",
    "points": 117,
    "balance_after": 2627,
    "label": "Purchase, BXL-01",
    "reference": "POS-77-000123",
    "status": "partially_reversed",
    "order": None,
    "reverses": None,
    "reversed_by": ["RET-5501"],
}


class HistoryView(ApiView):
    required_scopes: ClassVar = {"GET": ("members:read",)}
    media_types: ClassVar = ("application/json", "text/csv")

    @operation(
        summary="A member's history",
        answers={200: (HistoryPage, "Movements, newest first; the whole list as CSV with Accept: text/csv.")},
        failures=[NotFound, ValidationFailed],
        parameters=[
            OpenApiParameter("from", str, description="Occurred from: a day, or RFC 3339."),
            OpenApiParameter("to", str, description="Until: a day (inclusive), or RFC 3339 (exclusive)."),
            OpenApiParameter("kind", str, description="Kinds, separated by commas.", enum=KINDS),
            OpenApiParameter("status", str, description="Statuses, separated by commas."),
            OpenApiParameter("as_of", str, description="RFC 3339: as it was recorded at that instant."),
            OpenApiParameter("limit", int, description="1-250, default 50."),
            OpenApiParameter("cursor", str, description="`next_cursor` of the page before."),
        ],
        answer_examples={200: {"items": [_EXAMPLE], "next_cursor": None}},
    )
    def get(self, request: ApiRequest, member: str) -> HttpResponseBase:
        """Every movement of a member's points with the balance after it, in the order it was booked."""
        programme, now = programme_of(request.auth), timezone.now()
        filters = read_filters(request, programme)
        if request.media_type == "text/csv":
            return _csv(member, selectors.history_all(programme, member, filters, now))
        page = read_page(request.GET, int)
        items, after = selectors.history_page(
            programme, member, filters, now, limit=page.limit, before=page.after
        )
        return json_response({"items": items, "next_cursor": None if after is None else write_cursor(after)})


def _csv(member: str, items: Iterator[HistoryItem]) -> StreamingHttpResponse:
    response = StreamingHttpResponse(csv_lines(items), content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="history-{member}.csv"'
    return response


def read_filters(request: ApiRequest, programme: Programme) -> Filters:
    """The query's filters; ValidationFailed with every parameter that says nothing."""
    zone, errors = ZoneInfo(programme.time_zone), list[FieldError]()
    filters = Filters(
        since=_instant(request, "from", zone, errors),
        until=_instant(request, "to", zone, errors, days=1),
        kinds=_words(request, "kind", KINDS, errors),
        statuses=_words(request, "status", STATUSES + ORDER_STATUSES, errors),
        as_of=_instant(request, "as_of", zone, errors),
    )
    if errors:
        raise ValidationFailed(errors=errors)
    return filters


def _instant(
    request: ApiRequest, name: str, zone: ZoneInfo, errors: list[FieldError], days: int = 0
) -> datetime | None:
    """An instant, or the start of a programme day `days` later."""
    text = request.GET.get(name)
    if not text:
        return None
    try:
        if len(text) == 10:
            return datetime.combine(date.fromisoformat(text) + timedelta(days=days), time(), zone)
        found = datetime.fromisoformat(text)
        if found.tzinfo is not None:
            return found
    except (ValueError, OverflowError):
        pass
    errors.append(FieldError(f"/{name}", "invalid_instant", "A day, or a time as RFC 3339 with its offset."))
    return None


def _words(
    request: ApiRequest, name: str, known: tuple[str, ...], errors: list[FieldError]
) -> tuple[str, ...]:
    words = tuple(word for word in request.GET.get(name, "").split(",") if word)
    if set(words) - set(known):
        errors.append(FieldError(f"/{name}", "unknown_word", f"One of {', '.join(known)}."))
    return words
