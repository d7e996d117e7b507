"""The reference's clock: activation, expiry, schedules, birthdays, also in the nights clocks change."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from .baskets import MUG, TERMS, basket, promotion, run
from .engine import activates_at, birthday_days, expires_at

ENROLLED = datetime(2020, 5, 1, tzinfo=UTC)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def test_the_worked_example_activates_and_expires() -> None:
    active = activates_at(at("2026-11-23T10:15:00+01:00"), at("2026-11-23T10:16:00+01:00"), TERMS)
    assert active == at("2026-12-07T00:00:00+01:00")
    assert expires_at(active, TERMS) == at("2028-01-01T00:00:00+01:00")


def test_the_day_is_the_programmes_and_summer_time_moves_nothing() -> None:
    late = at("2026-10-20T22:30:00Z")  # 00:30 on the 21st in Brussels
    assert activates_at(late, late, TERMS) == at("2026-11-04T00:00:00+01:00")


def test_without_delay_points_are_active_at_once_and_never_after_now() -> None:
    now, terms = at("2026-11-23T10:00:00Z"), TERMS | {"delay_days": 0}
    assert activates_at(at("2026-11-23T10:04:00Z"), now, terms) == now
    assert activates_at(at("2026-11-20T10:00:00Z"), now, terms) == at("2026-11-20T10:00:00Z")


@pytest.mark.parametrize(
    ("active", "lifetime", "expires"),
    [
        ("2026-12-07T00:00:00+01:00", {"months": 12, "end": None}, "2027-12-08T00:00:00+01:00"),
        ("2026-12-07T00:00:00+01:00", {"months": 12, "end": "month"}, "2028-01-01T00:00:00+01:00"),
        ("2026-08-31T12:00:00+02:00", {"months": 6, "end": None}, "2027-03-01T00:00:00+01:00"),
        ("2024-02-29T12:00:00+01:00", {"months": 12, "end": None}, "2025-03-01T00:00:00+01:00"),
        ("2026-12-31T12:00:00+01:00", {"months": 12, "end": "year"}, "2028-01-01T00:00:00+01:00"),
        ("2026-03-30T23:30:00+00:00", {"months": 1, "end": "month"}, "2026-05-01T00:00:00+02:00"),
    ],
)
def test_lifetimes(active: str, lifetime: dict[str, Any], expires: str) -> None:
    assert expires_at(at(active), TERMS | {"lifetime": lifetime}) == at(expires)


def test_points_without_lifetime_never_expire() -> None:
    assert expires_at(at("2026-12-07T00:00:00Z"), TERMS | {"lifetime": None}) is None


@pytest.mark.parametrize(
    ("zone", "occurred_at", "active"),
    [
        # 6 September 2026 starts at 01:00 in Santiago, 1 November 2026 has midnight twice in Havana
        ("America/Santiago", "2026-09-05T12:00:00-04:00", "2026-09-06T01:00:00-03:00"),
        ("America/Havana", "2026-10-31T12:00:00-04:00", "2026-11-01T00:00:00-04:00"),
    ],
)
def test_a_missing_midnight_moves_forward_and_a_repeated_one_is_its_first(
    zone: str, occurred_at: str, active: str
) -> None:
    terms = TERMS | {"time_zone": zone, "delay_days": 1}
    assert activates_at(at(occurred_at), at(occurred_at), terms) == at(active)


@pytest.mark.parametrize(
    ("occurred_at", "weekdays", "applies"),
    [
        ("2026-11-20T22:00:00+01:00", [5], True),  # Friday evening
        ("2026-11-20T21:59:59+01:00", [5], False),
        ("2026-11-21T01:59:59+01:00", [5], True),  # the small hours belong to Friday
        ("2026-11-21T01:59:59+01:00", [6], False),
        ("2026-11-21T02:00:00+01:00", [5], False),
        ("2026-11-21T22:30:00+01:00", [5], False),
        ("2026-11-21T12:00:00+01:00", [], False),
        ("2026-11-23T01:00:00+01:00", [7], True),  # Monday's small hours belong to Sunday
    ],
)
def test_hours_past_midnight_belong_to_the_weekday_they_began(
    occurred_at: str, weekdays: list[int], applies: bool
) -> None:
    night = promotion(weekdays=weekdays, hours={"from": "22:00", "until": "02:00"})
    assert ("P" in run(basket(MUG, at=occurred_at), night).awards) is applies


@pytest.mark.parametrize(
    ("occurred_at", "hours", "applies"),
    [
        ("2026-10-25T02:15:00+02:00", ("22:00", "02:30"), True),  # clocks go back at 03:00
        ("2026-10-25T02:15:00+01:00", ("22:00", "02:30"), True),  # the repeated hour counts as its first
        ("2026-10-25T02:30:00+01:00", ("22:00", "02:30"), False),
        ("2026-10-25T02:15:00+01:00", ("02:30", "05:00"), False),
        ("2026-03-29T01:59:00+01:00", ("22:00", "03:00"), True),  # clocks go forward at 02:00
        ("2026-03-29T03:00:00+02:00", ("22:00", "03:00"), False),
        ("2026-03-29T03:10:00+02:00", ("22:00", "03:30"), True),
    ],
)
def test_nights_when_clocks_change(occurred_at: str, hours: tuple[str, str], applies: bool) -> None:
    saturdays = promotion(weekdays=[6], hours={"from": hours[0], "until": hours[1]})
    assert ("P" in run(basket(MUG, at=occurred_at), saturdays).awards) is applies


def test_equal_hours_are_a_whole_day_from_the_weekday_it_began() -> None:
    friday = promotion(weekdays=[5], hours={"from": "08:00", "until": "08:00"})
    for occurred_at, applies in [
        ("20T08:00", True),
        ("21T07:59", True),
        ("21T08:00", False),
        ("20T07:59", False),
    ]:
        bought = basket(MUG, at=f"2026-11-{occurred_at}:00+01:00")
        assert ("P" in run(bought, friday).awards) is applies


# Birthdays


@pytest.mark.parametrize(
    ("day", "born", "days"),
    [
        ("2026-05-10", "1990-05-10", 0),
        ("2026-05-17", "1990-05-10", 7),
        ("2026-05-09", "1990-05-10", 364),
        ("2027-01-03", "1990-12-30", 4),  # across New Year
        ("2027-02-28", "1992-02-29", 0),  # 28 February in other years
        ("2027-03-01", "1992-02-29", 1),
        ("2028-02-28", "1992-02-29", 365),
        ("2028-02-29", "1992-02-29", 0),
    ],
)
def test_days_since_the_last_birthday(day: str, born: str, days: int) -> None:
    birth_date = date.fromisoformat(born)
    assert birthday_days(date.fromisoformat(day), birth_date, [], ENROLLED, "Europe/Brussels") == days


def test_without_birth_date_there_is_no_birthday() -> None:
    assert birthday_days(date(2026, 5, 10), None, [], ENROLLED, "Europe/Brussels") is None


def test_a_change_during_the_year_counts_from_the_next_one() -> None:
    changes = [{"at": "2026-06-01T12:00:00+02:00", "was": "1990-05-10"}]
    new = date(1990, 6, 2)
    assert birthday_days(date(2026, 6, 2), new, changes, ENROLLED, "Europe/Brussels") == 23
    assert birthday_days(date(2027, 6, 2), new, changes, ENROLLED, "Europe/Brussels") == 0


def test_the_earliest_later_change_tells_what_was_known() -> None:
    changes = [
        {"at": "2026-08-01T00:00:00+02:00", "was": "1990-07-07"},
        {"at": "2026-06-01T00:00:00+02:00", "was": "1990-05-10"},
    ]
    assert birthday_days(date(2026, 9, 1), None, changes, ENROLLED, "Europe/Brussels") == 114


def test_the_first_of_january_starts_in_the_programmes_zone() -> None:
    known = [{"at": "2025-12-31T23:00:00Z", "was": "1990-05-10"}]
    too_late = [{"at": "2025-12-31T23:00:01Z", "was": "1990-05-10"}]
    new = date(1990, 3, 1)
    assert birthday_days(date(2026, 5, 10), new, known, ENROLLED, "Europe/Brussels") == 70
    assert birthday_days(date(2026, 5, 10), new, too_late, ENROLLED, "Europe/Brussels") == 0


def test_a_new_member_counts_what_was_told_at_enrolment() -> None:
    enrolled_at = at("2026-05-01T09:00:00+02:00")
    changes = [{"at": "2026-05-02T09:00:00+02:00", "was": None}]
    told = birthday_days(date(2026, 5, 10), date(1990, 5, 10), [], enrolled_at, "Europe/Brussels")
    added = birthday_days(date(2026, 5, 10), date(1990, 5, 10), changes, enrolled_at, "Europe/Brussels")
    assert (told, added) == (0, None)
    earlier = [{"at": "2026-03-01T09:00:00+01:00", "was": "1990-05-09"}]
    assert birthday_days(date(2026, 5, 10), date(1990, 5, 10), earlier, enrolled_at, "Europe/Brussels") == 0


def test_a_change_on_new_years_eve_leaves_the_last_birthday_where_it_was() -> None:
    changes = [{"at": "2026-12-31T12:00:00+01:00", "was": "1990-12-30"}]
    assert birthday_days(date(2027, 1, 2), date(1990, 6, 6), changes, ENROLLED, "Europe/Brussels") == 3


def test_more_than_366_days_are_no_birthday() -> None:
    changes = [{"at": "2026-06-01T00:00:00+02:00", "was": "1990-01-05"}]
    assert birthday_days(date(2027, 3, 1), date(1990, 12, 1), changes, ENROLLED, "Europe/Brussels") is None
