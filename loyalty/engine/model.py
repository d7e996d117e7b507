"""What goes into the engine and what comes out of it, as plain values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple


class Line(NamedTuple):
    """One line of a basket, category and brand resolved; amount in 1/10,000, quantity in 1/1,000,000."""

    line: str
    sku: str | None
    category: str | None
    brand: str | None
    quantity: int
    amount: int
    eligible: bool = True

    @property
    def counts(self) -> bool:
        """Whether rules see the line at all."""
        return self.eligible and (self.amount > 0 or self.quantity > 0)


class Basket(NamedTuple):
    """What was bought: `occurred_at` is an aware instant."""

    occurred_at: datetime
    channel: str | None
    store: str | None
    lines: tuple[Line, ...]


class Room(NamedTuple):
    """What a cap still allows: exact points (1/10**12) and uses; None = that unit is not capped."""

    points: int | None = None
    uses: int | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of the member at posting; no personal data. A guest has `member` False.

    `room` holds, per promotion code and scope (total, day, month, budget), what its caps still allow;
    a scope that is missing has its whole cap left.
    """

    member: bool
    segments: frozenset[str] = frozenset()
    tier: str | None = None
    first: bool = False
    birthday_days: int | None = None
    room: Mapping[str, Mapping[str, Room]] = field(default_factory=dict)


class Award(NamedTuple):
    """What a promotion gives: exact points wanted and awarded after caps, and which cap held it back."""

    promotion: str
    wanted: int
    awarded: int
    capped_by: str | None


class NotApplied(NamedTuple):
    """Why a promotion gives nothing; `missing` (unit, amount) when only a minimum is not reached."""

    promotion: str
    code: str
    missing: tuple[str, int] | None = None
    would_add: int = 0


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The points of a basket and everything that explains them. Exact figures are in 1/10**12 points."""

    points: int
    wanted: int
    qualifying: int
    line_points: tuple[int, ...]
    base: int
    tier_share: int
    exact: int
    counting_amount: int
    awards: tuple[Award, ...]
    not_applied: tuple[NotApplied, ...]
