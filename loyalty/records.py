"""Rows of the ledger's documents as they travel to and from PostgreSQL as JSON; field names are columns.

Bytes are `\\x` hex text, as PostgreSQL writes them.
"""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any
from uuid import UUID

import msgspec

from config.kernel.sql import hex_text
from loyalty.engine import Basket, Facts, Line
from loyalty.engine.model import Award, Room
from loyalty.engine.numbers import POINT, QUANTITY, RATE, plain, scaled
from loyalty.ledger import Entry, Figures


class LineRow(msgspec.Struct, array_like=True):
    """A line as stored: decimals as normalised text, category and brand resolved.

    In JSON it is an array in the order of its fields: names would be most of what is written.
    """

    line: str
    quantity: str
    amount: str
    sku: str | None = None
    category: str | None = None
    brand: str | None = None
    points_eligible: bool = True

    def compiled(self) -> Line:
        return Line(
            self.line,
            self.sku,
            self.category,
            self.brand,
            scaled(self.quantity, QUANTITY),
            scaled(self.amount, RATE),
            self.points_eligible,
        )


class TransactionRow(msgspec.Struct, kw_only=True):
    """A row of loyalty_transaction."""

    id: UUID
    programme_id: int
    account_id: int
    partner_id: int | None
    reference: str
    occurred_at: datetime
    recorded_at: datetime
    day: date
    channel: str
    store: str
    lines: list[LineRow]
    content: str
    metadata: dict[str, Any]
    ruleset: str
    facts: dict[str, Any]
    awards: dict[str, dict[str, str]]
    line_points: list[int]
    points: int
    wanted: int
    qualifying: int
    activates_at: datetime | None
    expires_at: datetime | None
    entry_seq: int | None
    salt: str
    balance: dict[str, int]
    status: str
    remaining_points: int
    remaining_qualifying: int
    remaining_lines: list[list[str]] | None = None
    remaining_awards: dict[str, str] | None = None

    def basket(self) -> Basket:
        """The basket as it was bought."""
        lines = tuple(line.compiled() for line in self.lines)
        return Basket(self.occurred_at, self.channel or None, self.store or None, lines)

    def remaining(self) -> tuple[Line, ...]:
        """What the returns so far left of each line."""
        return left(self.basket().lines, self.remaining_lines)

    def awarded(self) -> dict[str, int]:
        """Exact points by promotion that the transaction still has."""
        now = self.remaining_awards
        return {
            code: scaled(award["awarded"] if now is None else now[code], POINT)
            for code, award in self.awards.items()
        }


def left(lines: tuple[Line, ...], remaining: list[list[str]] | None) -> tuple[Line, ...]:
    """`lines` with the stored [quantity, amount] of what is left of each; None = untouched."""
    if remaining is None:
        return lines
    return tuple(
        line._replace(quantity=scaled(quantity, QUANTITY), amount=scaled(amount, RATE))
        for line, (quantity, amount) in zip(lines, remaining, strict=True)
    )


class ReversalRow(msgspec.Struct, kw_only=True):
    """A row of loyalty_reversal."""

    id: UUID
    programme_id: int
    account_id: int
    transaction_id: UUID
    partner_id: int | None
    reference: str
    reason: str
    recorded_at: datetime
    lines: list[dict[str, str]] | None
    content: str
    points: int
    taken_from: dict[str, int]
    caps_released: list[dict[str, str]]
    remaining_lines: list[list[str]]
    remaining_points: int
    transaction_status: str
    entry_seq: int | None
    salt: str
    balance: dict[str, int]
    metadata: dict[str, Any]


class AdjustmentRow(msgspec.Struct, kw_only=True):
    """A row of loyalty_adjustment."""

    id: UUID
    programme_id: int
    account_id: int
    reference: str
    points: int
    reason: str
    actor: str
    status: str
    content: str
    salt: str
    recorded_at: datetime
    approved_by: str = ""
    posted_at: datetime | None = None
    activates_at: datetime | None = None
    expires_at: datetime | None = None
    entry_seq: int | None = None
    balance: dict[str, int] | None = None
    metadata: dict[str, Any] = {}


class EventRow(msgspec.Struct, kw_only=True):
    """A row of loyalty_event."""

    id: UUID
    programme_id: int
    account_id: int
    type_id: int
    partner_id: int | None
    reference: str
    occurred_at: datetime
    recorded_at: datetime
    day: date
    attributes: dict[str, Any]
    device: str | None
    content: str
    metadata: dict[str, Any]
    part: str
    ruleset: str
    wanted: int
    reached_limit: dict[str, Any] | None
    status: str
    points: int
    qualifying: int
    activates_at: datetime | None
    expires_at: datetime | None
    entry_seq: int | None
    salt: str
    balance: dict[str, int]
    decided_by: str = ""
    decided_at: datetime | None = None
    decision_reason: str = ""


class EventReversalRow(msgspec.Struct, kw_only=True):
    """A row of loyalty_eventreversal."""

    id: UUID
    programme_id: int
    account_id: int
    event_id: UUID
    partner_id: int | None
    actor: str
    reference: str
    reason: str
    recorded_at: datetime
    content: str
    points: int
    taken_from: dict[str, int]
    freed: bool
    entry_seq: int | None
    salt: str
    balance: dict[str, int]
    metadata: dict[str, Any]


class EntryRow(msgspec.Struct, kw_only=True):
    """What an answer shows of an entry."""

    seq: int
    kind: str
    points: int
    prev_hash: str
    hash: str


def entry_row(entry: Entry | None) -> EntryRow | None:
    """What answers show of a new entry."""
    if entry is None:
        return None
    return EntryRow(
        seq=entry.seq,
        kind=entry.kind,
        points=entry.points,
        prev_hash=hex_text(entry.prev_hash),
        hash=hex_text(entry.hash),
    )


def facts_row(facts: Facts) -> dict[str, Any]:
    """Facts as stored with a transaction."""
    room = {
        code: {scope: _room_row(room) for scope, room in sorted(scopes.items())}
        for code, scopes in sorted(facts.room.items())
    }
    return {
        "member": facts.member,
        "segments": sorted(facts.segments),
        "tier": facts.tier,
        "first": facts.first,
        "birthday_days": facts.birthday_days,
        "room": room,
    }


def _room_row(room: Room) -> dict[str, Any]:
    points = {} if room.points is None else {"points": plain(room.points, POINT)}
    return points if room.uses is None else {**points, "uses": room.uses}


def facts_from(row: dict[str, Any]) -> Facts:
    """The facts a transaction was decided with."""
    room = {
        code: {
            scope: Room(scaled(left["points"], POINT) if "points" in left else None, left.get("uses"))
            for scope, left in scopes.items()
        }
        for code, scopes in row["room"].items()
    }
    return Facts(
        row["member"], frozenset(row["segments"]), row["tier"], row["first"], row["birthday_days"], room
    )


def awards_row(awards: Iterable[Award]) -> dict[str, dict[str, str]]:
    """What each promotion wanted to give and gave, as stored with a transaction: exact points as text."""
    return {
        award.promotion: {"wanted": plain(award.wanted, POINT), "awarded": plain(award.awarded, POINT)}
        for award in awards
    }


def figures_row(figures: Figures) -> dict[str, int]:
    """The four figures as stored and answered."""
    return figures._asdict()
