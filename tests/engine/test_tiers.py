"""Tiers decided on touch equal those of a life lived midnight by midnight, however rarely anybody looks."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from loyalty.engine.calendar import local_day
from loyalty.tiers import Level, Progress, Scheme, Standing, granted
from tests.reference.tiers import Life

ZONE = "Europe/Brussels"
BEGAN = datetime(2026, 1, 29, 22, 30, tzinfo=UTC)
CODES = ("SILVER", "GOLD", "TOP")

periods = st.one_of(
    st.tuples(st.just("days"), st.integers(1, 90), st.just(False)),
    st.tuples(st.just("months"), st.integers(1, 5), st.just(False)),
    st.tuples(st.sampled_from(["year", "half_year", "quarter"]), st.just(1), st.booleans()),
)
thresholds = st.sampled_from([(100, 250, None), (0, 100, 300), (50, None, 200)])
steps = st.tuples(
    st.one_of(st.integers(0, 60 * 24), st.sampled_from([0, 1, 24, 180 * 24])),  # hours until then
    st.sampled_from(["earn", "earn", "earn", "take_back", "grant", "touch", "nothing"]),
    st.integers(0, 160),
    st.integers(0, 20),  # how many days ago the receipt was
)
many = settings(max_examples=200, deadline=None, derandomize=True, database=None)


class Pair:
    """One member, once by the product and once by the reference."""

    def __init__(self, period: tuple[str, int, bool], asked: tuple[int | None, ...]) -> None:
        levels = list(zip(CODES, asked, strict=True))
        scheme = Scheme(ZoneInfo(ZONE), *period, tuple(Level(code, code, x) for code, x in levels))
        rules = {"zone": ZONE, "period": period[0], "length": period[1], "following": period[2]}
        self.life = Life({**rules, "levels": levels}, BEGAN)
        self.life.look()
        self.progress = Progress(scheme, Standing(), {}).at(BEGAN)
        self.receipts: list[tuple[date, int]] = []

    def live(self, hours: int, step: str, value: int, back: int) -> None:
        self.life.wait(self.life.now + timedelta(hours=hours))
        getattr(self, step)(value, back)
        assert (self.progress.at(self.life.now).tier or "") == self.life.held

    def earn(self, points: int, back: int) -> None:
        now, scheme = self.life.now, self.progress.scheme
        day = local_day(now - timedelta(days=back), scheme.zone)
        self.receipts.append((day, points))
        self.progress = self.progress.at(now).counting(day, points).at(now)
        self.life.count(day, points)

    def take_back(self, value: int, back: int) -> None:
        """Some receipt comes back, half of it or all."""
        if self.receipts:
            day, points = self.receipts.pop(value % len(self.receipts))
            lost = points if back % 2 else points // 2
            self.progress = self.progress.at(self.life.now).counting(day, -lost)
            self.life.count(day, -lost)

    def grant(self, value: int, back: int) -> None:
        now, tier = self.life.now, CODES[back % 3]
        until = now + timedelta(hours=1 + value * 9)
        settled = self.progress.at(now)
        standing, change = granted(settled.standing, settled.days, settled.scheme, tier, until, now)
        self.progress = settled._replace(standing=standing, changes=(*settled.changes, change))
        self.life.grant(tier, until)

    def touch(self, value: int, back: int) -> None:
        self.progress = self.progress.at(self.life.now)

    def nothing(self, value: int, back: int) -> None:
        """Time passes, and nobody looks."""


def check(period: Any, asked: Any, lived: list[Any]) -> None:
    pair = Pair(period, asked)
    for step in lived:
        pair.live(*step)
    changes = pair.progress.at(pair.life.now).changes
    told = [(change.at, change.before, change.after) for change in changes if change.before != change.after]
    assert told == pair.life.changes


@many
@given(periods, thresholds, st.lists(steps, max_size=14))
def test_tiers_are_those_of_the_reference(period: Any, asked: Any, lived: list[Any]) -> None:
    check(period, asked, lived)


@pytest.mark.parametrize("name", ["until", "window"])
def test_it_would_find_a_day_too_many(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The negative control: a period that begins or a tier that ends a day late is seen."""
    right = getattr(Scheme, name)

    def wrong(self: Scheme, *asked: Any) -> Any:
        day = right(self, *asked)
        return day and day + timedelta(days=1)

    monkeypatch.setattr(Scheme, name, wrong)
    first = settings(many, phases=[Phase.generate], report_multiple_bugs=False)
    with pytest.raises(AssertionError):
        first(given(periods, thresholds, st.lists(steps, max_size=14))(check))()
