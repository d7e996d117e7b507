"""A member's history: movements of points and gift orders in plain words."""

import csv
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from loyalty.selectors import Movement
from rewards.lifecycle import Status

COLUMNS = ("occurred_at", "recorded_at", "kind", "points", "balance_after", "label", "reference", "status")
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class OrderShown:
    """A gift order as a history tells it: its gift's name by language, its steps so far, oldest first."""

    reference: str
    gift: str
    name: str
    names: Mapping[str, str]
    steps: list[tuple[Status, datetime]] = field(default_factory=list)

    @property
    def status(self) -> Status:
        return self.steps[-1][0]

    def body(self, zone: ZoneInfo) -> dict[str, Any]:
        """As partners read it."""
        history = [{"status": status, "at": _local(at, zone)} for status, at in self.steps]
        return {"reference": self.reference, "gift": self.gift, "status": self.status, "history": history}


@dataclass(frozen=True, slots=True)
class HistoryItem:
    """A movement as partners and members read it; `order` is the gift order of a redemption."""

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


def item(account_id: int, movement: Movement, zone: ZoneInfo, order: OrderShown | None = None) -> HistoryItem:
    """A movement in words, with its times in the programme's zone; `order` is the gift order that moved points."""
    return HistoryItem(
        id=f"{account_id}-{movement.seq}",
        occurred_at=_local(movement.occurred_at, zone),
        recorded_at=_local(movement.recorded_at, zone),
        kind=movement.kind,
        points=movement.points,
        balance_after=movement.balance_after,
        label=label(movement, order),
        reference=order.reference if order else movement.reference,
        status=order.status if order else movement.status,
        order=order.body(zone) if order else None,
        reverses=movement.reverses,
        reversed_by=movement.reversed_by,
    )


def _local(at: datetime, zone: ZoneInfo) -> str:
    return at.astimezone(zone).isoformat()


_ORDERS = {"redemption": "Gift", "redemption_cancelled": "Cancelled", "redemption_returned": "Returned"}


def label(movement: Movement, order: OrderShown | None = None) -> str:
    """What happened, in a few words."""
    if movement.kind in _ORDERS:
        return f"{_ORDERS[movement.kind]}: {order.name}" if order else _ORDERS[movement.kind]
    if movement.kind == "earn":
        return f"Purchase, {movement.store}" if movement.store else "Purchase"
    if movement.kind == "event":
        return movement.event or "Event"
    if movement.kind == "reversal" and movement.event:
        return f"Taken back: {movement.event}"
    if movement.kind == "reversal":
        return f"Return of {movement.reverses}"
    if movement.kind == "adjustment":
        return movement.reason or "Adjustment"
    return {"expiry": "Points expired", "give_back": "Expired points given back"}[movement.kind]


def csv_lines(items: Iterable[HistoryItem]) -> Iterator[str]:
    """The history as CSV, line by line; texts that a spreadsheet would run as a formula are made plain."""
    writer = csv.writer(_Echo())
    yield writer.writerow(COLUMNS)
    for shown in items:
        yield writer.writerow(_plain(getattr(shown, column)) for column in COLUMNS)


class _Echo:
    """A file that gives each line back instead of keeping it."""

    def write(self, line: str) -> str:
        return line


def _plain(value: object) -> object:
    if isinstance(value, str) and value.startswith(_FORMULA_STARTS):
        return f"'{value}"
    return value
