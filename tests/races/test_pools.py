"""Many members and one pool of codes: each code goes out once, and with the last one the gift is sold out."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Barrier, BrokenBarrierError

import pytest
from django.db import connection
from django.db import transaction as db_transaction

from members.models import Programme
from rewards.models import PoolCode, Voucher
from tests.factories import ApiClient
from tests.ledger_checks import check_ledger
from tests.races.crowd import at_once, twin
from tests.races.test_redemptions import crowd, everyone_orders
from tests.rewards.orders import cinema, order

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("ada")]


def test_codes_of_a_pool_go_out_once(till: ApiClient, programme: Programme) -> None:
    cinema(programme, [f"KINO-{number:04}" for number in range(25)], points=10)
    members = crowd(programme, till, 60)
    sold = everyone_orders(till, members, "CINEMA", threads=10)
    assert sold["sold"] == 25
    taken = PoolCode.objects.exclude(redemption_id=None).values_list("redemption_id", flat=True)
    assert len(set(taken)) == 25
    assert Voucher.objects.values("pool_code_id").distinct().count() == 25
    check_ledger()


@contextmanager
def without_pool_lock() -> Iterator[None]:
    """The negative control: who takes a code does not wait for who took another."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_get_functiondef('rewards_codes_touched'::regproc)")
        (original,) = cursor.fetchone()
        assert "FOR NO KEY UPDATE OF r" in original
        cursor.execute(original.replace("FOR NO KEY UPDATE OF r", ""))
        try:
            yield
        finally:
            cursor.execute(original)


def last_two(till: ApiClient, programme: Programme) -> str:
    """What the feed says after two members took a pool's last two codes, neither committed before both had one."""
    cinema(programme, ["KINO-1", "KINO-2"], points=10)
    both = Barrier(2)

    def one(number: str) -> Callable[[], int]:
        client = twin(till)

        def call() -> int:
            with db_transaction.atomic():
                status = order(client, "CINEMA", f"WEB-{number}", member=number).status_code
                with suppress(BrokenBarrierError):
                    both.wait(timeout=1)
            return status

        return call

    members = crowd(programme, till, 2)
    assert till.get("/api/v1/gifts/CINEMA").json()["stock"] == "in_stock"
    assert at_once([one(number) for number in members]) == [201, 201]
    return str(till.get("/api/v1/gifts/CINEMA").json()["stock"])


def test_two_who_take_the_last_two_codes_sell_the_gift_out(till: ApiClient, programme: Programme) -> None:
    assert last_two(till, programme) == "out_of_stock"


def test_without_the_lock_of_the_pool_it_seems_to_be_in_stock(till: ApiClient, programme: Programme) -> None:
    """The negative control."""
    with without_pool_lock():
        assert last_two(till, programme) == "in_stock"
