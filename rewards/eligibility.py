"""Whether a member may have a gift now, and why not: pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol


class Offer(Protocol):
    """What of a gift decides: its price in points, whom it is for, stock, and limits in pieces."""

    @property
    def id(self) -> int: ...
    @property
    def points(self) -> int: ...
    @property
    def segments(self) -> Sequence[str]: ...
    @property
    def tiers(self) -> Sequence[str]: ...
    @property
    def in_stock(self) -> bool: ...
    @property
    def limit_per_member(self) -> int | None: ...
    @property
    def limit_per_period(self) -> int | None: ...


@dataclass(frozen=True, slots=True)
class Taker:
    """A member as an offer sees them: tier ("" = none), segments, points available.

    `taken` is how many pieces of a gift (by id) they have, `taken_in_period` how many in its running period.
    `prices` are the promotional prices (points) of gifts by id that are open to them.
    """

    is_active: bool
    tier: str
    segments: frozenset[str]
    available: int
    taken: Mapping[int, int] = field(default_factory=dict)
    taken_in_period: Mapping[int, int] = field(default_factory=dict)
    prices: Mapping[int, int] = field(default_factory=dict)

    def price(self, offer: Offer) -> int:
        """The points a piece costs this member: the promotional price where that is lower."""
        return min(offer.points, self.prices.get(offer.id, offer.points))


def is_for(offer: Offer, *, tier: str, segments: frozenset[str]) -> bool:
    """Whether the gift is for members of this tier and these segments."""
    return not _not_for(offer, tier, segments)


def reasons(offer: Offer, taker: Taker) -> list[str]:
    """Why the member cannot have one piece now: member, tier, segment, limit, stock, points. None: they can."""
    found = [] if taker.is_active else ["member"]
    found += _not_for(offer, taker.tier, taker.segments)
    total, recent = taker.taken.get(offer.id, 0), taker.taken_in_period.get(offer.id, 0)
    if _reached(offer.limit_per_member, total) or _reached(offer.limit_per_period, recent):
        found.append("limit")
    if not offer.in_stock:
        found.append("stock")
    if taker.available < taker.price(offer):
        found.append("points")
    return found


def _not_for(offer: Offer, tier: str, segments: frozenset[str]) -> list[str]:
    found = ["tier"] if offer.tiers and tier not in offer.tiers else []
    return found + (["segment"] if offer.segments and segments.isdisjoint(offer.segments) else [])


def _reached(limit: int | None, taken: int) -> bool:
    return limit is not None and taken >= limit
