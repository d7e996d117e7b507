"""One member's account as a plain model: lots, debt, holds and the entries they leave.

Decisions
- Time passes only in `settle`, which every write runs first. The four figures show the account as of the
  last write; settling often or once gives the same entries.
- Within one instant: lots activate, they pay debt, lots expire, holds that are due are given back.
- Lots are drawn soonest expiring first, then in the order they were posted, never-expiring last. The same
  order holds for paying debt, for reversals from other lots and for expiry entries of one instant.
- A refusal (Insufficient) leaves everything as it was, even what settling would have changed; the next
  write settles the same.
- A transaction of zero points is known by its reference, but has no lot and no entry.
- A lot whose expiry is not after its activation activates, pays debt and expires at its activation.
- Points of a transaction's own lot that expired are given back from breakage before anything is taken from
  that lot, at most as many as are to be taken. They go to this reversal and pay no debt on the way;
  `taken_from` counts them as available. Two entries: give_back, then reversal.
- Entries of a reversal: under "within_balance" what was taken (none if 0); what is forgiven counts as
  returned, so that no more than was earned can ever be taken or forgiven.
- "refuse" refuses the whole reversal, it takes no part of it.
- An adjustment is active at once and pays debt first; one posted with an expiry that is past pays debt and
  expires at once. A negative one draws available points only and never makes debt.
- Holds: points held are no part of their lot's remaining points, so they do not expire with it. A hold due
  at the very instant its lot expires comes back to an expired lot. Points that come back pay debt first;
  what came back to a lot that expired since it was drawn lives until the start of the programme day after
  (that day + grace days), points already living there on grace with it; with 0 grace days it expires at once
  with an entry. Points drawn from a lot on grace and given back while the grace lasts get no longer grace.
- Gift orders: spending is an entry `redemption` when it happens or its hold is confirmed; giving back is one
  entry and goes to the lots it came from, by the same rules as a hold that ends.
- A reference used twice, an unknown one or negative points are mistakes of the caller: ValueError.
"""

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from .clock import expires_at as lifetime_end
from .clock import local, start_of_day, utc


class Insufficient(Exception):
    """The account has not the points that are to be taken."""


class Entry(NamedTuple):
    """A row of the ledger: kind, signed points, and available + pending + held - debt after it."""

    kind: str
    points: int
    balance_after: int


LONG_AGO = datetime.min.replace(tzinfo=UTC)
NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass
class Lot:
    """Points that activate and expire together; `expired` is what breakage holds of them."""

    reference: str | None
    points: int
    remaining: int
    activates_at: datetime
    expires_at: datetime | None
    is_active: bool = False
    expired: int = 0
    grace_until: datetime = LONG_AGO

    def leaves_at(self) -> datetime:
        """When what remains expires, later than the lot itself where points came back late."""
        return max(self.expires_at or NEVER, self.grace_until)


Draws = list[tuple[Lot, int, datetime]]
"""Lots with the points drawn from each and when what remained of it was to expire at that time."""


@dataclass
class Hold:
    """Points set aside until an instant, and the lots they came from."""

    expires_at: datetime
    draws: Draws


class Account:
    """One member's account; every write takes the instant it happens at."""

    def __init__(self, terms: dict[str, Any], overdraw: str = "debt", grace_days: int = 0) -> None:
        if overdraw not in ("debt", "within_balance", "refuse"):
            raise ValueError(overdraw)
        self.terms = terms
        self.overdraw = overdraw
        self.grace_days = grace_days
        self.debt = 0
        self.lots: list[Lot] = []
        self.holds: dict[str, Hold] = {}
        self.entries: list[Entry] = []
        self.may_return: dict[str, int] = {}
        self.orders: dict[str, Draws] = {}

    @property
    def available(self) -> int:
        """Points that can be spent."""
        return sum(lot.remaining for lot in self.lots if lot.is_active)

    @property
    def pending(self) -> int:
        """Points that have not activated."""
        return sum(lot.remaining for lot in self.lots if not lot.is_active)

    @property
    def held(self) -> int:
        """Points set aside by holds."""
        return sum(points for hold in self.holds.values() for _, points, _ in hold.draws)

    @property
    def balance(self) -> int:
        """Sum of all entries."""
        return self.available + self.pending + self.held - self.debt

    # Time

    def settle(self, now: datetime) -> None:
        """Run what has become due by now, in time order."""
        while (instant := self._next_change()) <= utc(now):
            for lot in self.lots:
                lot.is_active = lot.is_active or lot.activates_at <= instant
            self._pay_debt()
            self._expire(instant)
            for reference, hold in list(self.holds.items()):
                if hold.expires_at <= instant:
                    self._give_back_hold(reference, instant)

    def _next_change(self) -> datetime:
        activations = [lot.activates_at for lot in self.lots if not lot.is_active]
        expiries = [lot.leaves_at() for lot in self._drawable()]
        holds = [hold.expires_at for hold in self.holds.values()]
        return min([*activations, *expiries, *holds], default=NEVER)

    def _expire(self, instant: datetime) -> None:
        for lot in self._drawable():
            if lot.leaves_at() <= instant:
                points, lot.remaining = lot.remaining, 0
                lot.expired += points
                self._write("expiry", -points)

    def _pay_debt(self) -> None:
        self.debt -= self._draw(min(self.debt, self.available))

    # Writes

    def earn(
        self,
        reference: str,
        points: int,
        activates_at: datetime,
        expires_at: datetime | None,
        now: datetime,
    ) -> None:
        """Post the points of a transaction; a lot that is due already is settled at once."""
        if points < 0 or reference in self.may_return:
            raise ValueError("negative points or a reference used twice")
        self.settle(now)
        self.may_return[reference] = points
        end = utc(expires_at) if expires_at else None
        self._post(Lot(reference, points, points, utc(activates_at), end), "earn", now)

    def adjust(self, points: int, expires_at: datetime | None, now: datetime) -> None:
        """Give or take points by hand; without `expires_at` given points live for the programme's lifetime.

        Raises Insufficient when more is taken than is available.
        """
        with self._all_or_nothing():
            self.settle(now)
            if points > 0:
                end = utc(expires_at) if expires_at else lifetime_end(utc(now), self.terms)
                self._post(Lot(None, points, points, utc(now), end), "adjustment", now)
            else:
                self._require(-points)
                self._draw(-points)
                self._write("adjustment", points)

    def reverse(self, reference: str, points_to_take: int, now: datetime) -> dict[str, int]:
        """Take points of a transaction back; answers what was taken from where.

        Own pending or open lot first, then other active lots, then as the overdraw policy says. Raises
        Insufficient under "refuse".
        """
        if not 0 <= points_to_take <= self.may_return.get(reference, -1):
            raise ValueError("negative, or more than the transaction still has")
        with self._all_or_nothing():
            self.settle(now)
            own = [lot for lot in self.lots if lot.reference == reference]
            self._give_back_breakage(own, points_to_take)
            taken_from = self._take(own, points_to_take)
            self.may_return[reference] -= points_to_take
            self._write("reversal", taken_from["forgiven"] - points_to_take)
            return taken_from

    def hold(self, reference: str, points: int, expires_at: datetime, now: datetime) -> None:
        """Set points aside; raises Insufficient beyond available."""
        if points <= 0 or reference in self.holds:
            raise ValueError("no points or a reference that holds already")
        with self._all_or_nothing():
            self.settle(now)
            self._require(points)
            self.holds[reference] = Hold(utc(expires_at), self._draw_for(points))
            self.settle(now)

    def release(self, reference: str, now: datetime) -> None:
        """Give held points back to their lots; nothing to do when the hold has run out."""
        self.settle(now)
        if reference in self.holds:
            self._give_back_hold(reference, utc(now))

    def redeem(self, reference: str, points: int, now: datetime) -> None:
        """Spend available points; raises Insufficient beyond them."""
        if points <= 0 or reference in self.orders:
            raise ValueError("no points or a reference used twice")
        with self._all_or_nothing():
            self.settle(now)
            self._require(points)
            self.orders[reference] = self._draw_for(points)
            self._write("redemption", -points)

    def confirm(self, reference: str, now: datetime) -> bool:
        """Spend what a hold set aside; False when it has run out."""
        self.settle(now)
        if reference not in self.holds:
            return False
        draws = self.orders[reference] = self.holds.pop(reference).draws
        self._write("redemption", -sum(points for _, points, _ in draws))
        return True

    def give_back(self, reference: str, kind: str, now: datetime) -> None:
        """Give what an order spent back to the lots it came from."""
        self.settle(now)
        draws = self.orders.pop(reference)
        self._return_to_lots(draws, utc(now))
        self._write(kind, sum(points for _, points, _ in draws))
        self._pay_debt()
        self._expire(utc(now))

    # Steps

    def _draw_for(self, points: int) -> Draws:
        ends = {id(lot): lot.leaves_at() for lot in self.lots}
        drawn: list[tuple[Lot, int]] = []
        self._draw(points, drawn)
        return [(lot, taken, ends[id(lot)]) for lot, taken in drawn]

    def _post(self, lot: Lot, kind: str, now: datetime) -> None:
        if lot.points:
            self.lots.append(lot)
            self._write(kind, lot.points)
            self.settle(now)

    def _take(self, own: list[Lot], points: int) -> dict[str, int]:
        pending = sum(self._draw_from(lot, points) for lot in own if not lot.is_active)
        available = sum(self._draw_from(lot, points - pending) for lot in own if lot.is_active)
        available += self._draw(min(points - pending - available, self.available))
        rest = points - pending - available
        if rest and self.overdraw == "refuse":
            raise Insufficient(rest)
        debt = rest if self.overdraw == "debt" else 0
        self.debt += debt
        return {"pending": pending, "available": available, "debt": debt, "forgiven": rest - debt}

    def _give_back_breakage(self, own: list[Lot], points: int) -> None:
        for lot in own:
            back = min(lot.expired, points)
            lot.expired -= back
            lot.remaining += back
            self._write("give_back", back)

    def _give_back_hold(self, reference: str, at: datetime) -> None:
        self._return_to_lots(self.holds.pop(reference).draws, at)
        self._pay_debt()
        self._expire(at)

    def _return_to_lots(self, draws: Draws, at: datetime) -> None:
        for lot, points, end in draws:
            lot.remaining += points
            if self.grace_days and end <= at:
                day = local(at, self.terms["time_zone"]).date() + timedelta(days=self.grace_days + 1)
                lot.grace_until = start_of_day(day, self.terms["time_zone"])

    def _drawable(self) -> list[Lot]:
        """Active lots with points, in the order in which they are drawn."""
        lots = [lot for lot in self.lots if lot.is_active and lot.remaining]
        return sorted(lots, key=Lot.leaves_at)

    def _draw(self, points: int, drawn: list[tuple[Lot, int]] | None = None) -> int:
        """Draw available points; the caller has made sure that they are there."""
        left = points
        for lot in self._drawable():
            taken = self._draw_from(lot, left)
            left -= taken
            if taken and drawn is not None:
                drawn.append((lot, taken))
        return points - left

    def _draw_from(self, lot: Lot, points: int) -> int:
        taken = min(lot.remaining, points)
        lot.remaining -= taken
        return taken

    def _require(self, points: int) -> None:
        if points > self.available:
            raise Insufficient(points - self.available)

    def _write(self, kind: str, points: int) -> None:
        if points:
            self.entries.append(Entry(kind, points, self.balance))

    @contextmanager
    def _all_or_nothing(self) -> Iterator[None]:
        before = copy.deepcopy(self.__dict__)
        try:
            yield
        except Insufficient:
            self.__dict__ = before
            raise
