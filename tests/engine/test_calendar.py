"""Days, months, expiry and birthdays equal the reference in every zone, across nights that miss or repeat an hour."""

from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loyalty.engine import calendar
from loyalty.engine.calendar import Lifetime
from tests.engine.generated import TRANSITIONS, ZONES
from tests.reference import clock

many = settings(max_examples=1500, deadline=None, derandomize=True, database=None)
seeds = st.integers(0, 2**63)
BRUSSELS = ZoneInfo("Europe/Brussels")


def instant(random: Random) -> datetime:
    if random.random() < 0.5:
        return random.choice(TRANSITIONS) + timedelta(seconds=random.randint(-90_000, 90_000))
    return datetime(2024, 1, 1, tzinfo=UTC) + timedelta(seconds=random.randrange(4 * 365 * 86_400))


def check_points_dates(seed: int) -> None:
    random = Random(seed)
    occurred, zone = instant(random), random.choice(ZONES)
    now = occurred + timedelta(minutes=random.choice([-5, 0, 5, 50_000]))
    delay = random.choice([0, 1, 2, 14, 45])
    lifetime = random.choice([None, (random.randint(1, 40), random.choice([None, "month", "year"]))])
    terms = {
        "time_zone": zone,
        "delay_days": delay,
        "lifetime": {"months": lifetime[0], "end": lifetime[1]} if lifetime else None,
    }
    active = calendar.activates_at(occurred, now, ZoneInfo(zone), delay)
    assert active == clock.activates_at(occurred, now, terms)
    expiry = calendar.expires_at(active, ZoneInfo(zone), Lifetime(*lifetime) if lifetime else None)
    assert expiry == clock.expires_at(active, terms)
    assert expiry is None or expiry > active


@many
@given(seeds)
def test_activation_and_expiry_equal_the_reference(seed: int) -> None:
    check_points_dates(seed)


def check_birthday(seed: int) -> None:
    random = Random(seed)
    zone = random.choice(ZONES)
    enrolled = datetime(2023, 1, 1, tzinfo=UTC) + timedelta(days=random.randrange(1000))
    changed = sorted(
        enrolled + timedelta(hours=random.randrange(20_000)) for _ in range(random.randint(0, 3))
    )
    changes = [(at, birth_date(random)) for at in changed]
    birth = birth_date(random)
    day = random.choice(
        [
            calendar.local_day(instant(random), ZoneInfo(zone)),
            date(2027, 1, 1),
            date(2028, 2, 29),
            date(2027, 2, 28),
        ]
    )
    ours = calendar.birthday_days(day, birth, changes, enrolled, ZoneInfo(zone))
    as_parts: list[dict[str, Any]] = [{"at": at, "was": was} for at, was in changes]
    assert ours == clock.birthday_days(day, birth, as_parts, enrolled, zone)


def birth_date(random: Random) -> date | None:
    if random.random() < 0.2:
        return None
    if random.random() < 0.2:
        return date(2000, 2, 29)
    return date(1950, 1, 1) + timedelta(days=random.randrange(20_000))


@many
@given(seeds)
def test_birthdays_equal_the_reference(seed: int) -> None:
    check_birthday(seed)


@pytest.mark.parametrize(
    ("name", "broken", "check"),
    [
        (
            "start_of_day",
            lambda zone, day: datetime(day.year, day.month, day.day, tzinfo=UTC),
            check_points_dates,
        ),
        ("birthday_in", lambda year, birth: date(year, birth.month, min(birth.day, 28)), check_birthday),
    ],
)
def test_it_would_find_a_broken_calendar(
    name: str, broken: Any, check: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calendar, name, broken)

    @settings(many, report_multiple_bugs=False)
    @given(seeds)
    def compare(seed: int) -> None:
        check(seed)

    with pytest.raises(AssertionError):
        compare()


def test_the_programme_of_the_worked_example() -> None:
    occurred = datetime(2026, 11, 23, 9, 15, tzinfo=UTC)
    active = calendar.activates_at(occurred, occurred, BRUSSELS, 14)
    assert active == datetime(2026, 12, 6, 23, tzinfo=UTC)
    expiry = calendar.expires_at(active, BRUSSELS, Lifetime(12, "year"))
    assert expiry == datetime(2027, 12, 31, 23, tzinfo=UTC)


def test_the_last_day_lasts_until_local_midnight() -> None:
    """emfcamp#981: valid until 31/12 is valid until the last microsecond of that day, in winter and summer."""
    for month, offset in ((12, 1), (6, 2)):
        start = datetime(2026, month, 15, 12, tzinfo=UTC)
        expiry = calendar.expires_at(start, BRUSSELS, Lifetime(1, "month"))
        assert expiry is not None
        local = (expiry - timedelta(microseconds=1)).astimezone(BRUSSELS)
        assert (local.day, local.hour, local.minute) == (31, 23, 59)
        assert expiry.astimezone(BRUSSELS).utcoffset() == timedelta(hours=offset)
