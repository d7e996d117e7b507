"""What loyalty holds of one member beside the balance."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec
from django.db.models import Model

from config.kernel.dossier import Page, Row, Section, actor_kind, fields, grouped, pages
from loyalty.models import (
    Adjustment,
    Draw,
    Entry,
    Event,
    EventReversal,
    Lot,
    PromotionUsage,
    Reversal,
    TierChange,
    TierStanding,
    Transaction,
)
from loyalty.records import LineRow
from members.models import Member

_OURS = ("programme", "account", "account_id", "content", "salt")
"""Columns that say nothing of the member: whose row it is, and what it is compared and sealed with."""


def sections(member: Member, partners: Mapping[int, str]) -> Iterator[Section]:
    """Entries, lots, draws, transactions, events, adjustments, use of promotions, tiers; `partners` are names by id."""
    yield Section("entries", _ledger(member, Entry, "seq", _hexed))
    yield Section("lots", _ledger(member, Lot, "seq"))
    yield Section("draws", _ledger(member, Draw, "number"))
    yield Section("transactions", _transactions(member, partners))
    yield Section("events", _events(member, partners))
    yield Section("adjustments", _adjustments(member))
    yield Section("promotion_usage", _usage(member))
    tier = TierStanding.objects.filter(member=member)
    yield Section("tier", tier.values(*fields(TierStanding, "programme", "member")).first())
    yield Section("tier_changes", _tier_changes(member))


def _ledger(
    member: Member, model: type[Model], key: str, shape: Callable[[Page], Page] | None = None
) -> Iterator[Page]:
    rows = model._default_manager.filter(account=member.pk)
    return pages(rows.values(*fields(model, *_OURS, "commitment")), key, shape=shape)


def _hexed(page: Page) -> Page:
    return [row | {name: bytes(row[name]).hex() for name in ("prev_hash", "hash")} for row in page]


def _transactions(member: Member, partners: Mapping[int, str]) -> Iterator[Page]:
    def shape(page: Page) -> Page:
        found = Reversal.objects.filter(transaction__in=[row["id"] for row in page]).order_by("id")
        reversals = grouped(found.values(*fields(Reversal, *_OURS)), "transaction_id")
        for row in page:
            row["reversals"] = [
                _posted(reversal, partners)
                | {"remaining_lines": _left(row["lines"], reversal["remaining_lines"])}
                for reversal in reversals.get(row["id"], [])
            ]
            row["remaining_lines"] = _left(row["lines"], row["remaining_lines"])
            row["lines"] = _lines(row["lines"], row.pop("line_points"))
            _posted(row, partners)
        return page

    rows = Transaction.objects.filter(account_id=member.pk)
    return pages(rows.values(*fields(Transaction, *_OURS)), "occurred_at", "id", shape=shape)


def _lines(stored: list[list[Any]], points: list[int]) -> list[Row]:
    """Lines by the names of their fields, with the points of each."""
    lines = msgspec.convert(stored, list[LineRow])
    return [msgspec.structs.asdict(line) | {"points": got} for line, got in zip(lines, points, strict=True)]


def _left(lines: list[list[Any]], remaining: list[list[str]] | None) -> list[Row] | None:
    """What is left of each line; None where nothing came back."""
    if remaining is None:
        return None
    return [
        {"line": line[0], "quantity": quantity, "amount": amount}
        for line, (quantity, amount) in zip(lines, remaining, strict=True)
    ]


def _events(member: Member, partners: Mapping[int, str]) -> Iterator[Page]:
    def shape(page: Page) -> Page:
        found = EventReversal.objects.filter(event__in=[row["id"] for row in page])
        reversals = grouped(found.values(*fields(EventReversal, *_OURS)), "event_id")
        for row in page:
            row["type"] = {name: row.pop(f"type__{name}") for name in ("code", "name")}
            row["device"] = bytes(row["device"]).hex() if row["device"] else None
            row["decided_by"] = actor_kind(row["decided_by"])
            row["reversals"] = [
                _posted(reversal, partners) | {"actor": actor_kind(reversal["actor"])}
                for reversal in reversals.get(row["id"], [])
            ]
            _posted(row, partners)
        return page

    rows = Event.objects.filter(account_id=member.pk)
    return pages(rows.values(*fields(Event, *_OURS, "type"), "type__code", "type__name"), "id", shape=shape)


def _posted(row: Row, partners: Mapping[int, str]) -> Row:
    """Name the partner that sent it; None for staff."""
    row["partner"] = partners.get(row.pop("partner_id"))
    return row


def _adjustments(member: Member) -> Iterator[Page]:
    def shape(page: Page) -> Page:
        return [row | {name: actor_kind(row[name]) for name in ("actor", "approved_by")} for row in page]

    rows = Adjustment.objects.filter(account_id=member.pk)
    return pages(rows.values(*fields(Adjustment, *_OURS)), "id", shape=shape)


def _usage(member: Member) -> Iterator[Page]:
    def shape(page: Page) -> Page:
        for row in page:
            del row["promotion_id"]
            row["promotion"] = row.pop("promotion__code")
        return page

    rows = PromotionUsage.objects.filter(account=member.pk)
    columns = fields(PromotionUsage, "programme", "account")
    return pages(rows.values(*columns, "promotion__code"), "promotion_id", "day", shape=shape)


def _tier_changes(member: Member) -> Iterator[Page]:
    def shape(page: Page) -> Page:
        return [row | {"actor": actor_kind(row["actor"])} for row in page]

    rows = TierChange.objects.filter(member=member)
    return pages(rows.values(*fields(TierChange, "programme", "member")), "id", shape=shape)
