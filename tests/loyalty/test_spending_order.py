"""The order in which lots are spent and expire: by expiry, then as they were posted, however the rows come."""

from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest

from loyalty.ledger import Account, Lot, Source, begin, reverse, take

START = datetime(2026, 1, 1, tzinfo=UTC)
END = START + timedelta(days=1)
LOTS = [Lot(1, 40, 30, START, END), Lot(2, 1, 1, START, END), Lot(3, 7, 7, START, None)]


@pytest.mark.parametrize("lots", list(permutations(LOTS)))
def test_lots_of_one_instant_expire_in_order(lots: tuple[Lot, ...]) -> None:
    account = Account(1, 1, settled_at=START, available=38, next_change_at=END)
    posting = begin(account, lots, END + timedelta(hours=1))
    assert [(entry.kind, entry.points) for entry in posting.entries] == [("expiry", -30), ("expiry", -1)]
    assert posting.account.available == 7


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_spent_by_expiry_then_as_posted(order: tuple[int, ...]) -> None:
    """Among points that never expire a late receipt's activate first, and are spent last all the same."""
    lots = [
        Lot(1, 10, 10, START + timedelta(days=10), None),
        Lot(2, 10, 10, START + timedelta(days=5), None),
        Lot(3, 10, 10, START, START + timedelta(days=50)),
        Lot(4, 10, 10, START, START + timedelta(days=40)),
    ]
    account = Account(1, 1, settled_at=START + timedelta(days=11), available=40, seq=4)
    now = START + timedelta(days=12)
    posting = begin(account, [lots[index] for index in order], now)
    take(posting, points=35, occurred_at=now, source=Source())
    assert [(draw.lot_seq, draw.points) for draw in posting.draws] == [(4, 10), (3, 10), (1, 10), (2, 5)]


@pytest.mark.parametrize(
    ("points", "left", "broken"), [(2, 58, 145), (147, 58, 0), (150, 55, 0), (207, 0, 0)]
)
def test_breakage_comes_back_before_points_on_grace_are_taken(points: int, left: int, broken: int) -> None:
    """A lot that expired, and in which 58 points of a cancelled order live on grace."""
    own = Lot(1, 207, 58, START, START + timedelta(days=30), 147)
    account = Account(1, 1, settled_at=START + timedelta(days=20), available=58, seq=1, draws=1)
    now = START + timedelta(days=21)
    posting = begin(account, [own], now)
    _entry, taken = reverse(
        posting, own=posting.lots[0], points=points, overdraw="debt", occurred_at=now, source=Source()
    )
    assert (posting.lots[0].remaining, posting.lots[0].expired) == (left, broken)
    assert (taken.available, taken.debt) == (min(points, 205), max(points - 205, 0))
    assert posting.account.available == left
