"""The reference's account: debt, expiry, breakage given back, overdraw policies, holds."""

import random
from datetime import UTC, datetime, timedelta

import pytest

from .baskets import TERMS
from .ledger import Account, Entry, Insufficient

START = datetime(2026, 1, 1, 12, tzinfo=UTC)
FOREVER = TERMS | {"lifetime": None}


def day(number: float) -> datetime:
    return START + timedelta(days=number)


def figures(account: Account) -> tuple[int, int, int, int]:
    return account.available, account.pending, account.held, account.debt


def spent(points: int = 100, overdraw: str = "debt") -> Account:
    """An account whose one transaction A was earned and spent."""
    account = Account(FOREVER, overdraw)
    account.earn("A", points, day(0), None, day(0))
    account.adjust(-points, None, day(1))
    return account


def test_the_worked_example_takes_44_from_its_pending_lot() -> None:
    account = Account(TERMS)
    account.earn("POS-1", 117, day(14), day(400), day(0))
    assert account.reverse("POS-1", 44, day(1)) == {"pending": 44, "available": 0, "debt": 0, "forgiven": 0}
    assert figures(account) == (0, 73, 0, 0)
    assert account.entries == [Entry("earn", 117, 117), Entry("reversal", -44, 73)]


def test_pending_points_activate_and_expire_in_time_order() -> None:
    account = Account(TERMS)
    account.earn("A", 10, day(1.5), day(20), day(0))
    account.earn("B", 7, day(1), day(20), day(0))
    account.settle(day(1.4))
    assert figures(account) == (7, 10, 0, 0)
    account.settle(day(20))
    assert figures(account) == (0, 0, 0, 0)
    assert account.entries[2:] == [Entry("expiry", -10, 7), Entry("expiry", -7, 0)]


def test_debt_waits_for_activation_and_is_paid_before_expiry() -> None:
    account = spent()
    assert account.reverse("A", 100, day(2))["debt"] == 100
    account.earn("B", 130, day(10), day(10), day(3))
    assert figures(account) == (0, 130, 0, 100)
    account.settle(day(10))
    assert figures(account) == (0, 0, 0, 0)
    assert account.entries[-2:] == [Entry("earn", 130, 30), Entry("expiry", -30, 0)]


def test_debt_is_paid_at_once_without_delay_and_by_an_adjustment() -> None:
    account = spent()
    account.reverse("A", 100, day(2))
    account.earn("B", 30, day(3), None, day(3))
    assert figures(account) == (0, 0, 0, 70)
    account.adjust(80, None, day(4))
    assert figures(account) == (10, 0, 0, 0)


def test_a_lot_due_before_it_is_posted_is_settled_at_once() -> None:
    account = Account(TERMS)
    account.earn("A", 50, day(-30), day(-1), day(0))
    assert account.entries == [Entry("earn", 50, 50), Entry("expiry", -50, 0)]


def test_own_lot_then_others_soonest_expiring_then_debt() -> None:
    account = Account(FOREVER)
    account.earn("NEVER", 10, day(0), None, day(0))
    account.earn("LATER", 10, day(0), day(300), day(0))
    account.earn("SOON", 10, day(0), day(200), day(0))
    account.earn("WAITING", 10, day(90), None, day(0))
    account.earn("OWN", 20, day(0), day(100), day(0))
    account.adjust(-15, None, day(1))
    assert account.reverse("OWN", 18, day(2)) == {"pending": 0, "available": 18, "debt": 0, "forgiven": 0}
    assert {lot.reference: lot.remaining for lot in account.lots} == {
        "NEVER": 10,
        "LATER": 7,
        "SOON": 0,
        "WAITING": 10,
        "OWN": 0,
    }
    account.adjust(-17, None, day(3))
    assert account.reverse("OWN", 2, day(4)) == {"pending": 0, "available": 0, "debt": 2, "forgiven": 0}
    assert figures(account) == (0, 10, 0, 2)


def test_breakage_is_given_back_before_it_is_taken() -> None:
    account = Account(FOREVER)
    account.earn("A", 100, day(0), day(10), day(0))
    account.earn("B", 40, day(0), None, day(0))
    account.adjust(-30, None, day(1))
    taken = account.reverse("A", 80, day(11))
    assert taken == {"pending": 0, "available": 80, "debt": 0, "forgiven": 0}
    assert account.entries[-3:] == [
        Entry("expiry", -70, 40),
        Entry("give_back", 70, 110),
        Entry("reversal", -80, 30),
    ]
    account.reverse("A", 20, day(12))
    assert account.entries[-1] == Entry("reversal", -20, 10)


def test_within_balance_forgives_the_rest() -> None:
    account = spent(overdraw="within_balance")
    account.adjust(30, None, day(2))
    assert account.reverse("A", 40, day(3)) == {"pending": 0, "available": 30, "debt": 0, "forgiven": 10}
    assert account.entries[-1] == Entry("reversal", -30, 0)
    entries = len(account.entries)
    assert account.reverse("A", 60, day(4))["forgiven"] == 60
    assert len(account.entries) == entries
    with pytest.raises(ValueError, match="more than"):
        account.reverse("A", 1, day(5))


def test_refuse_changes_nothing() -> None:
    account = Account(FOREVER, "refuse")
    account.earn("A", 100, day(0), day(10), day(0))
    account.adjust(-30, None, day(1))
    before = list(account.entries)
    with pytest.raises(Insufficient):
        account.reverse("A", 100, day(11))
    assert account.entries == before
    assert account.reverse("A", 70, day(11))["available"] == 70
    assert account.balance == 0


def test_negative_adjustments_stop_at_available() -> None:
    account = Account(FOREVER)
    account.earn("A", 10, day(5), None, day(0))
    with pytest.raises(Insufficient):
        account.adjust(-1, None, day(1))
    account.adjust(-10, None, day(5))
    assert account.entries == [Entry("earn", 10, 10), Entry("adjustment", -10, 0)]


def test_an_adjustment_lives_as_long_as_the_programme_says() -> None:
    account = Account(TERMS)
    account.adjust(5, None, day(0))
    assert account.lots[0].expires_at == datetime(2027, 12, 31, 23, tzinfo=UTC)


def test_zero_points_write_nothing() -> None:
    account = Account(TERMS)
    account.earn("A", 0, day(0), None, day(0))
    account.adjust(0, None, day(0))
    account.reverse("A", 0, day(0))
    assert (account.entries, account.lots) == ([], [])


def test_a_hold_runs_out_and_its_points_come_back() -> None:
    account = Account(FOREVER)
    account.earn("A", 10, day(0), day(30), day(0))
    account.hold("W", 6, day(1), day(0))
    assert figures(account) == (4, 0, 6, 0)
    account.settle(day(1))
    assert figures(account) == (10, 0, 0, 0)
    assert len(account.entries) == 1


@pytest.mark.parametrize(("grace_days", "available"), [(0, 0), (3, 6)])
def test_points_that_come_back_late_live_for_the_days_of_grace(grace_days: int, available: int) -> None:
    account = Account(FOREVER, grace_days=grace_days)
    account.earn("A", 10, day(0), day(1), day(0))
    account.hold("W", 6, day(9), day(0))
    account.release("W", day(2))
    assert account.available == available
    account.settle(day(5))
    assert account.available == available
    account.settle(day(6))
    assert account.entries[1:] == [Entry("expiry", -4, 6), Entry("expiry", -6, 0)]


def test_held_points_pay_debt_when_they_come_back() -> None:
    account = Account(FOREVER)
    account.earn("A", 10, day(0), None, day(0))
    account.hold("W", 10, day(9), day(0))
    account.reverse("A", 10, day(1))
    assert figures(account) == (0, 0, 10, 10)
    account.release("W", day(2))
    assert figures(account) == (0, 0, 0, 0)


@pytest.mark.parametrize("seed", range(60))
def test_settling_often_is_settling_once_and_the_invariants_hold(seed: int) -> None:
    chance = random.Random(seed)
    often, once = (Account(TERMS, "debt", grace_days=2) for _ in range(2))
    for step in range(40):
        now = day(step)
        often.settle(now)
        kind, points = chance.choice(["earn", "adjust", "reverse", "hold", "rest"]), chance.randint(1, 50)
        delay, life, target = chance.randint(-3, 6), chance.randint(0, 9), chance.randrange(40)
        for account in (often, once):
            write(account, kind, points, delay, life, target, step)
            assert account.debt == 0 or account.available == 0
            assert account.balance == sum(entry.points for entry in account.entries)
            assert all(0 <= lot.remaining + lot.expired <= lot.points for lot in account.lots)
    for account in (often, once):
        account.settle(day(200))
    assert often.entries == once.entries
    assert figures(often) == figures(once)


def write(account: Account, kind: str, points: int, delay: int, life: int, target: int, step: int) -> None:
    """One random write; what the account cannot pay is refused."""
    now = day(step)
    try:
        if kind == "earn":
            account.earn(f"T{step}", points, day(step + delay), day(step + delay + life), now)
        if kind == "adjust":
            account.adjust(points - 25, None, now)
        if kind == "hold":
            account.hold(f"H{step}", points, day(step + life), now)
        if kind == "reverse":
            still = account.may_return.get(f"T{target}", 0)
            if still:
                account.reverse(f"T{target}", min(points, still), now)
    except Insufficient:
        pass


@pytest.mark.parametrize("seed", range(60))
def test_under_debt_earning_and_returning_everything_has_no_effect(seed: int) -> None:
    chance = random.Random(seed)
    account, without = Account(FOREVER), Account(FOREVER)
    left: dict[str, int] = {}
    for each in (account, without):
        each.adjust(300, None, day(0))
    for step in range(60):
        if step < 12:
            left[f"T{step}"] = chance.randint(1, 60)
            active = day(step + chance.randint(-2, 9))
            account.earn(f"T{step}", left[f"T{step}"], active, active + timedelta(days=12), day(step))
        spend(chance.randint(0, 9), day(step), account, without)
        reference = chance.choice(list(left))
        back = chance.randint(0, left[reference])
        account.reverse(reference, back, day(step))
        left[reference] -= back
    for reference, points in left.items():
        account.reverse(reference, points, day(60))
    account.settle(day(100))
    assert figures(account) == figures(without)


def spend(points: int, now: datetime, account: Account, without: Account) -> None:
    """The same points off both accounts, if both have them."""
    account.settle(now)
    if points <= min(account.available, without.available):
        account.adjust(-points, None, now)
        without.adjust(-points, None, now)
