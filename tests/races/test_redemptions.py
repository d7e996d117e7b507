"""Many members after few gifts: nobody gets what is not there, nothing is lost, nothing is spent twice."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from django.http import HttpResponse

from loyalty.models import Account, Entry
from members.models import Member, Programme
from rewards import gather
from rewards.models import Move, Redemption, Reward, Voucher
from rewards.services import Terms
from tests.factories import ApiClient, MemberFactory
from tests.ledger_checks import check_ledger
from tests.loyalty.worlds import adjust
from tests.races.crowd import WITHOUT_VERSIONS, at_once, broken_apply, twin, without_constraint
from tests.rewards.orders import act, card, mug, order

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("ada")]

WITHOUT_STOCK_GUARD = (
    ("SET stock = r.stock + s.change", "SET stock = greatest(r.stock + s.change, 0)"),
    ("AND r.stock + s.change >= 0", ""),
)


def crowd(programme: Programme, till: ApiClient, size: int, points: int = 300) -> list[str]:
    """The numbers of so many members with points."""
    members = [MemberFactory(programme=programme, number=f"C-{number}").number for number in range(size)]
    for number in members:
        assert adjust(till, number, points).status_code == 201
    return members


def everyone_orders(till: ApiClient, members: list[str], gift: str, threads: int) -> Counter[str]:
    """What became of one order of each member at once, by the word."""

    def one(number: str) -> Callable[[], str]:
        client = twin(till)

        def call() -> str:
            answer = order(client, gift, f"WEB-{number}", member=number)
            assert answer.status_code in (201, 409), answer.content
            return str(answer.json().get("code", "sold"))

        return call

    return Counter(at_once([one(number) for number in members], threads))


def check_books(gift: str, sold: int, stock_before: int) -> None:
    """Debits, orders, steps and stock tell the same."""
    reward = Reward.objects.get(code=gift)
    assert reward.stock == stock_before - sold
    orders = Redemption.objects.filter(reward=reward, status__in=("exchanged", "delivered"))
    assert orders.count() == sold
    assert Entry.objects.filter(kind="redemption").count() == sold
    assert Move.objects.filter(status="exchanged").count() == sold
    check_ledger()


@pytest.mark.parametrize("stock", [1, 5, 50])
def test_case_2_five_hundred_clients(till: ApiClient, programme: Programme, stock: int) -> None:
    card(programme, stock=stock, points=300)
    members = crowd(programme, till, 500)
    assert everyone_orders(till, members, "CARD", threads=16) == {"sold": stock, "out_of_stock": 500 - stock}
    check_books("CARD", stock, stock)
    assert Voucher.objects.count() == stock


def test_case_3_who_loses_takes_nothing_along(
    till: ApiClient, programme: Programme, gate: Callable[[int], None]
) -> None:
    mug(programme, stock=1)
    members = crowd(programme, till, 10)
    gate(10)
    assert everyone_orders(till, members, "MUG", threads=10) == {"sold": 1, "out_of_stock": 9}
    check_books("MUG", 1, 1)
    assert sorted(Account.objects.values_list("available", flat=True)) == [0, *[300] * 9]


def test_without_the_stock_guard_too_much_is_sold(
    till: ApiClient, programme: Programme, gate: Callable[[int], None]
) -> None:
    """The negative control."""
    mug(programme, stock=1)
    members = crowd(programme, till, 10)
    gate(10)
    with broken_apply(*WITHOUT_STOCK_GUARD, function="rewards_apply"):
        sold = everyone_orders(till, members, "MUG", threads=10)
    assert sold["sold"] > 1


WITHOUT_STOCK_REFUSAL = (
    (
        "RAISE EXCEPTION 'the stock is no longer there' USING ERRCODE = 'serialization_failure';",
        "NULL;",
    ),
)


def order_of_what_is_gone(
    till: ApiClient, programme: Programme, monkeypatch: pytest.MonkeyPatch
) -> HttpResponse:
    """An order for which the stock is read as 5 and is 0."""
    mug(programme, stock=0)
    crowd(programme, till, 1)
    read = gather.new_order

    def hopeful(**asked: Any) -> gather.NewContext:
        context = read(**asked)
        assert context.gift
        context.gift.stock = 5
        return context

    with monkeypatch.context() as patch:
        patch.setattr(gather, "new_order", hopeful)
        return order(till, "MUG", "W-1", member="C-0")


def test_case_8_a_guarded_change_of_no_row_undoes_everything(
    till: ApiClient, programme: Programme, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The order's rows are sent, and none of them stays."""
    answer = order_of_what_is_gone(till, programme, monkeypatch)
    assert (answer.status_code, answer.json()["code"]) == (503, "temporarily_unavailable")
    assert not Redemption.objects.exists()
    check_books("MUG", 0, 0)
    assert Account.objects.get().available == 300
    assert order(till, "MUG", "W-1", member="C-0").json()["code"] == "out_of_stock"


def test_without_the_refusal_an_order_of_nothing_stays(
    till: ApiClient, programme: Programme, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control: a guard whose miss nobody looks at."""
    with broken_apply(*WITHOUT_STOCK_REFUSAL, function="rewards_apply"):
        assert order_of_what_is_gone(till, programme, monkeypatch).status_code == 201
    assert Reward.objects.get().stock == 0
    assert Redemption.objects.count() == 1, "a piece that was not there is sold"


def forty_of_ada(till: ApiClient, count: int) -> Counter[str]:
    def one() -> Callable[[], str]:
        client = twin(till)
        return lambda: str(order(client, "MUG").json().get("code", "sold"))

    return Counter(at_once([one() for _ in range(count)]))


def test_case_1_one_to_a_member(till: ApiClient, programme: Programme, gate: Callable[[int], None]) -> None:
    mug(programme, stock=50, terms=Terms(limit_per_member=1))
    adjust(till, "10042", 20_000)
    gate(10)
    assert forty_of_ada(till, 50) == {"sold": 1, "limit_reached": 49}
    check_books("MUG", 1, 50)


def test_case_4_points_are_spent_once(
    till: ApiClient, programme: Programme, gate: Callable[[int], None]
) -> None:
    mug(programme, points=60, stock=50)
    adjust(till, "10042", 100)
    gate(10)
    assert forty_of_ada(till, 20) == {"sold": 1, "insufficient_points": 19}
    assert Account.objects.get().available == 40
    check_books("MUG", 1, 50)


def test_without_versions_points_are_spent_twice(
    till: ApiClient, programme: Programme, gate: Callable[[int], None]
) -> None:
    """The negative control: orders of one account that do not see each other."""
    mug(programme, points=60, stock=50)
    adjust(till, "10042", 100)
    gate(10)
    with broken_apply(*WITHOUT_VERSIONS):
        assert forty_of_ada(till, 10)["sold"] > 1


def test_without_versions_a_limit_is_passed(
    till: ApiClient, programme: Programme, gate: Callable[[int], None]
) -> None:
    """The negative control of case 1."""
    mug(programme, stock=50, terms=Terms(limit_per_member=1))
    adjust(till, "10042", 20_000)
    gate(10)
    with broken_apply(*WITHOUT_VERSIONS):
        assert forty_of_ada(till, 10)["sold"] > 1


def orders_under_one_key(till: ApiClient, programme: Programme, gate: Callable[[int], None]) -> Counter[Any]:
    """Fifty times the same order under one key: status and code."""
    card(programme, points=10)
    adjust(till, "10042", 1000)
    gate(10)

    def one() -> Callable[[], tuple[int, str]]:
        client = twin(till)

        def call() -> tuple[int, str]:
            answer = order(client, "CARD", "WEB-1", key="the-key")
            return answer.status_code, str(answer.json().get("voucher", {}).get("code"))

        return call

    return Counter(at_once([one() for _ in range(50)]))


def test_case_15_one_key_one_order(
    till: ApiClient, programme: Programme, gate: Callable[[int], None]
) -> None:
    answers = orders_under_one_key(till, programme, gate)
    assert {status for status, _ in answers} <= {201, 409}
    assert len([code for status, code in answers if status == 201]) == 1
    assert Redemption.objects.count() == Voucher.objects.count() == 1
    check_ledger()


WITHOUT_KEYS = (("IF call ? 'key' THEN", "IF false THEN"), *WITHOUT_VERSIONS)


def test_without_keys_references_and_versions_one_key_orders_twice(
    till: ApiClient, programme: Programme, gate: Callable[[int], None]
) -> None:
    """The negative control of cases 15 and 16: any one of the three would do."""
    with broken_apply(*WITHOUT_KEYS), without_constraint("rewards_redemption", "redemption_reference_unique"):
        orders_under_one_key(till, programme, gate)
        assert Redemption.objects.count() > 1


def test_case_16_one_key_two_bodies(
    till: ApiClient, programme: Programme, gate: Callable[[int], None]
) -> None:
    mug(programme, stock=50)
    adjust(till, "10042", 9000)
    gate(10)

    def one(quantity: int) -> Callable[[], int]:
        client = twin(till)
        return lambda: order(client, "MUG", "WEB-1", key="the-key", quantity=quantity).status_code

    statuses = set(at_once([one(1 + number % 2) for number in range(20)]))
    assert statuses <= {201, 409, 422}
    assert 422 in statuses
    assert Redemption.objects.count() == 1


def test_a_reservation_is_confirmed_or_cancelled_once(
    till: ApiClient, programme: Programme, ada: Member
) -> None:
    mug(programme, stock=3)
    adjust(till, "10042", 300)
    order(till, "MUG", "WEB-1", mode="hold")

    def one(what: str) -> Callable[[], int]:
        client = twin(till)
        return lambda: act(client, "WEB-1", what).status_code

    statuses = Counter(at_once([one(("confirm", "cancel")[number % 2]) for number in range(20)]))
    row = Redemption.objects.get()
    # A confirmed order may still be cancelled after it: then two calls are right, else one.
    assert statuses[200] == (1 if row.status in ("exchanged", "released") else 2)
    assert set(statuses) == {200, 409}
    assert Account.objects.get(pk=ada.pk).available == (0 if row.status == "exchanged" else 300)
    assert Reward.objects.get().stock == (2 if row.status == "exchanged" else 3)
    check_ledger()
