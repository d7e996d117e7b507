"""Which tier a member holds, lived through midnight by midnight from receipts, returns and grants alone.

Nothing is carried on but the tier, the day it is kept until and the grant; points are summed anew each time.
Rules: {"zone", "period": "days" | "months" | "year" | "half_year" | "quarter", "length", "following",
"levels": [(code, threshold or None), ...] from the lowest up}.
"""

import calendar
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

MONTHS = {"year": 12, "half_year": 6, "quarter": 3}
ONE_DAY = timedelta(days=1)


def months_later(day: date, months: int) -> date:
    """The same day of another month, or its last one."""
    year, month = day.year, day.month + months
    while month > 12:
        year, month = year + 1, month - 12
    while month < 1:
        year, month = year - 1, month + 12
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))


@dataclass
class Life:
    """One member from `now` on; `changes` are (when, from, to) of every other tier held so far."""

    rules: dict[str, Any]
    now: datetime
    booked: list[tuple[date, int]] = field(default_factory=list)
    changes: list[tuple[datetime, str, str]] = field(default_factory=list)
    tier: str = ""
    kept_until: date | None = None
    granted: str = ""
    granted_until: datetime | None = None

    @property
    def held(self) -> str:
        return max(self.tier, self.granted, key=self._rank)

    def wait(self, until: datetime) -> None:
        """Let time pass: what ends at an instant is over at it, a grant before an earned tier."""
        while (midnight := self._midnight()) <= until:
            self._end_grant(midnight)
            self.now, day = midnight, midnight.astimezone(self._zone).date()
            if self.kept_until == day:
                self._renew(day)
        self._end_grant(until)
        self.now = until

    def count(self, day: date, points: int) -> None:
        """Book qualifying points of a receipt on its day; a return's are negative and stand there too."""
        self.booked.append((day, points))
        if points > 0:
            self.look()

    def look(self) -> None:
        """Raise the tier if the running period's points reach a higher one, or keep the same one longer."""
        day = self.now.astimezone(self._zone).date()
        reached = self._reached(self._sum(self._first(day), day))
        again = reached == self.tier and self.rules["period"] in MONTHS and self.kept_until is not None
        if self._rank(reached) > self._rank(self.tier) or again:
            self._become(reached, self._kept(day, reached, following=self.rules["following"]))

    def grant(self, tier: str, until: datetime) -> None:
        held = self.held
        self.granted, self.granted_until = tier, until
        self._note(held)

    def _end_grant(self, by: datetime) -> None:
        if self.granted_until and self.granted_until <= by:
            held, self.now = self.held, self.granted_until
            self.granted, self.granted_until = "", None
            self._note(held)

    def _renew(self, day: date) -> None:
        """What the period that just ended makes of the next one."""
        last = day - ONE_DAY
        points = self._sum(self._first(last), last)
        if self.rules["period"] in MONTHS and not self.rules["following"]:
            points = 0
        tier = self._reached(points)
        self._become(tier, self._kept(day, tier, following=False))

    def _become(self, tier: str, kept_until: date | None) -> None:
        held = self.held
        self.tier, self.kept_until = tier, kept_until
        self._note(held)

    def _note(self, before: str) -> None:
        if self.held != before:
            self.changes.append((self.now, before, self.held))

    @property
    def _zone(self) -> ZoneInfo:
        return ZoneInfo(self.rules["zone"])

    def _midnight(self) -> datetime:
        """The next start of a day after now."""
        tomorrow = self.now.astimezone(self._zone).date() + ONE_DAY
        return datetime(tomorrow.year, tomorrow.month, tomorrow.day, tzinfo=self._zone).astimezone(UTC)

    def _sum(self, first: date, last: date) -> int:
        return sum(points for day, points in self.booked if first <= day <= last)

    def _first(self, day: date) -> date:
        """The first day of the period that `day` ends or, by calendar, is in."""
        period, length = self.rules["period"], self.rules["length"]
        if period == "days":
            return day - timedelta(days=length) + ONE_DAY
        if period == "months":
            return months_later(day + ONE_DAY, -length)
        first = day.replace(day=1)
        while (first.month - 1) % MONTHS[period]:
            first = months_later(first, -1)
        return first

    def _kept(self, day: date, tier: str, following: bool) -> date | None:
        """The day at whose start a tier reached on `day` ends; None for one that needs no points."""
        if self._rank(tier) <= self._rank(self._reached(0)):
            return None
        period, length = self.rules["period"], self.rules["length"]
        if period == "days":
            return day + timedelta(days=length)
        if period == "months":
            return months_later(day, length)
        end = months_later(self._first(day), MONTHS[period])
        return months_later(end, MONTHS[period]) if following else end

    def _reached(self, points: int) -> str:
        best = ""
        for code, threshold in self.rules["levels"]:
            if threshold is not None and points >= threshold:
                best = code
        return best

    def _rank(self, tier: str) -> int:
        return ["", *(code for code, _ in self.rules["levels"])].index(tier)
