"""What a posting is made of: the state of an account, its lots and holds, and the rows to insert."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from loyalty import chain

ISSUANCE, BREAKAGE, ADJUSTMENT, REDEMPTION = "issuance", "breakage", "adjustment", "redemption"
"""Counterparts of an entry."""


class Figures(NamedTuple):
    """The four figures of an account, in points."""

    available: int
    pending: int
    held: int
    debt: int

    @property
    def balance(self) -> int:
        return self.available + self.pending + self.held - self.debt


class Part(NamedTuple):
    """Points that were drawn from a lot, and when that lot was to expire at that time."""

    lot_seq: int
    points: int
    expires_at: datetime | None


class Hold(NamedTuple):
    """Points set aside until `expires_at`, and the lots they came from.

    `grace_until` is how long points live that come back to an expired lot when the hold runs out; None: they
    expire at once.
    """

    id: UUID
    reference: str
    points: int
    expires_at: datetime
    grace_until: datetime | None
    parts: tuple[Part, ...]


@dataclass(slots=True)
class Account:
    """State of an account; `next_change_at` is never later than the next activation, expiry or end of a hold.

    `holds` are the open ones.
    """

    id: int
    programme_id: int
    settled_at: datetime
    version: int = 0
    seq: int = 0
    draws: int = 0
    available: int = 0
    pending: int = 0
    held: int = 0
    debt: int = 0
    transactions: int = 0
    head: bytes = chain.GENESIS
    next_change_at: datetime | None = None
    holds: list[Hold] = field(default_factory=list)

    @property
    def figures(self) -> Figures:
        return Figures(self.available, self.pending, self.held, self.debt)


@dataclass(slots=True)
class Lot:
    """Points that arrived together. Pending while `activates_at` lies after the account's `settled_at`."""

    seq: int
    points: int
    remaining: int
    activates_at: datetime
    expires_at: datetime | None
    expired: int = 0


class Entry(NamedTuple):
    """One movement of the balance, sealed into the chain."""

    seq: int
    kind: str
    counterpart: str
    points: int
    occurred_at: datetime
    recorded_at: datetime
    figures: Figures
    source: UUID | None
    commitment: bytes
    prev_hash: bytes
    hash: bytes


class Draw(NamedTuple):
    """Points taken from a lot (positive) or given back to it (negative)."""

    number: int
    lot_seq: int
    entry_seq: int | None
    points: int
    reason: str


class Source(NamedTuple):
    """What an entry books: its record and the commitment to its reference and texts."""

    id: UUID | None = None
    commitment: bytes = bytes(32)


class Taken(NamedTuple):
    """Where a return took its points from."""

    pending: int
    available: int
    debt: int
    forgiven: int


@dataclass(slots=True)
class Posting:
    """Rows to insert and the new state of one account, valid only on top of version `expected`.

    `lots` are the known ones: all that are open when the account was due, else those the caller gave.
    """

    account: Account
    expected: int
    now: datetime
    lots: list[Lot]
    opened: list[Lot] = field(default_factory=list)
    touched: dict[int, Lot] = field(default_factory=dict)
    entries: list[Entry] = field(default_factory=list)
    draws: list[Draw] = field(default_factory=list)
    held: list[Hold] = field(default_factory=list)
    ended: list[tuple[Hold, str]] = field(default_factory=list)

    def is_pending(self, lot: Lot) -> bool:
        return lot.activates_at > self.account.settled_at
