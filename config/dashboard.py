"""The start of the back office: what waits for somebody in a programme, and how it does."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple, cast
from zoneinfo import ZoneInfo

from django.contrib.auth.models import User
from django.db.models import F, Q, QuerySet, Sum
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from loyalty.models import Account, Adjustment, Event
from members.models import Activity, Programme
from members.selectors import programmes_of_staff
from rewards.models import Redemption, RewardVersion
from rewards.selectors import pools_low

DAYS = 30
"""How many programme days the figures look back, today included; they are compared with as many before."""


class Waiting(NamedTuple):
    """Something that waits for staff: what it is called, the rows, and the page and query that list them."""

    label: str
    rows: Callable[[Programme, datetime], QuerySet[Any]]
    page: str
    query: str = ""


WAITING = (
    Waiting(
        "Gifts to validate",
        lambda programme, now: RewardVersion.objects.filter(programme=programme, state="submitted"),
        "rewards_rewardversion",
    ),
    Waiting(
        "Gift orders to prepare",
        lambda programme, now: Redemption.objects.filter(
            programme=programme, status__in=["exchanged", "in_preparation"]
        ),
        "rewards_redemption",
        "status__in=exchanged,in_preparation",
    ),
    Waiting(
        "Gifts members want to send back",
        lambda programme, now: Redemption.objects.filter(programme=programme, status="return_requested"),
        "rewards_redemption",
        "status__exact=return_requested",
    ),
    Waiting(
        "Events to review",
        lambda programme, now: Event.objects.filter(programme=programme, status="in_review"),
        "loyalty_event",
        "status__exact=in_review",
    ),
    Waiting(
        "Adjustments for a second person",
        lambda programme, now: Adjustment.objects.filter(programme=programme, status="waiting"),
        "loyalty_adjustment",
    ),
    Waiting("Pools of codes running low", pools_low, "rewards_codepool"),
)


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure of the last days beside the one of as many days before."""

    label: str
    now: Any
    before: Any

    @property
    def change(self) -> int | None:
        """In per cent; None where there was nothing before."""
        return round(100 * (self.now - self.before) / self.before) if self.before else None


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """What the start page shows of the programme that `?programme=` names, else of the user's first."""
    programmes = list(programmes_of_staff(cast(User, request.user)).order_by("code"))
    wanted = request.GET.get("programme", "")
    programme = next((row for row in programmes if row.code == wanted), programmes[0] if programmes else None)
    context |= {"title": "Overview", "programmes": programmes, "programme": programme, "days": DAYS}
    if programme is not None:
        now = timezone.now()
        today = now.astimezone(ZoneInfo(programme.time_zone)).date()
        by_day = _by_day(programme, today)
        context |= {
            "waiting": _waiting(programme, now),
            "figures": _figures(programme, today),
            "liability": _liability(programme),
            "by_day": by_day,
            "chart": _chart(by_day),
        }
    return context


def _waiting(programme: Programme, now: datetime) -> list[dict[str, Any]]:
    """Only what there is."""
    counted = [(item, item.rows(programme, now).count()) for item in WAITING]
    return [
        {
            "label": item.label,
            "count": count,
            "url": f"{reverse(f'admin:{item.page}_changelist')}?programme__id__exact={programme.pk}"
            + (f"&{item.query}" if item.query else ""),
        }
        for item, count in counted
        if count
    ]


def _figures(programme: Programme, today: date) -> list[Figure]:
    """Sums over the members' days, and how many members had one."""
    start = today - timedelta(days=DAYS - 1)
    names = {"transactions": "Transactions", "earned": "Points earned", "burned": "Points spent on gifts"}
    found = Activity.objects.filter(
        programme=programme, day__gt=today - timedelta(days=2 * DAYS), day__lte=today
    ).aggregate(
        **{f"{name}_now": Sum(name, filter=Q(day__gte=start), default=0) for name in ("spend", *names)},
        **{f"{name}_before": Sum(name, filter=Q(day__lt=start), default=0) for name in ("spend", *names)},
    )
    spend = Figure(f"Spend, {programme.currency}", round(found["spend_now"]), round(found["spend_before"]))
    return [Figure(label, found[f"{name}_now"], found[f"{name}_before"]) for name, label in names.items()] + [
        spend
    ]


def _liability(programme: Programme) -> dict[str, Any]:
    """The points that members hold, as last booked, and what they are worth in the programme's currency."""
    points = Account.objects.filter(programme=programme).aggregate(
        points=Sum(F("available") + F("pending") + F("held"), default=0)
    )["points"]
    value = programme.point_value
    return {"points": points, "value": None if value is None else round(points * value)}


def _by_day(programme: Programme, today: date) -> list[dict[str, Any]]:
    """Points earned and spent on each of the last days; empty where nothing happened on any."""
    days = [today - timedelta(days=back) for back in reversed(range(DAYS))]
    rows = Activity.objects.filter(programme=programme, day__gte=days[0], day__lte=today).values("day")
    sums = rows.annotate(earned=Sum("earned"), burned=Sum("burned")).order_by()
    found: dict[date, dict[str, Any]] = {row["day"]: {**row} for row in sums}
    return [found.get(day, {"day": day, "earned": 0, "burned": 0}) for day in days] if found else []


def _chart(by_day: list[dict[str, Any]]) -> dict[str, str]:
    """Data and options for unfold's bar chart."""
    series = (("Earned", "earned", "500"), ("Spent on gifts", "burned", "300"))
    data = {
        "labels": [f"{row['day']:%-d %b}" for row in by_day],
        "datasets": [
            {
                "label": label,
                "data": [row[name] for row in by_day],
                "backgroundColor": f"var(--color-primary-{shade})",
            }
            for label, name, shade in series
        ],
    }
    options = {
        "maintainAspectRatio": False,
        "plugins": {"legend": {"display": True, "align": "end"}},
        "scales": {"y": {"beginAtZero": True}, "x": {"grid": {"display": False}}},
    }
    return {"data": json.dumps(data), "options": json.dumps(options)}
