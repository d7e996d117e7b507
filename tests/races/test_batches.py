"""Batches over the same members in opposite orders: no deadlock, every receipt booked once."""

from collections import Counter
from collections.abc import Callable

import pytest

from loyalty.models import Account, Transaction
from members.models import Programme
from tests.factories import ApiClient, MemberFactory
from tests.ledger_checks import check_ledger
from tests.loyalty.worlds import call, earn, euros
from tests.races.crowd import at_once, broken_apply, twin

pytestmark = pytest.mark.django_db(transaction=True)

MEMBERS = 30
BATCHES = 6
LOCKED_AS_THEY_COME = (
    (
        "SELECT coalesce(array_agg(locked.id), '{}') INTO fresh FROM (",
        "FOR stale IN SELECT ARRAY[(n->>'id')::bigint] FROM jsonb_array_elements(call->'accounts') n LOOP "
        "PERFORM 1 FROM loyalty_account a WHERE a.id = stale[1] FOR UPDATE; PERFORM pg_sleep(0.005); END LOOP; "
        "stale := NULL; SELECT coalesce(array_agg(locked.id), '{}') INTO fresh FROM (",
    ),
)
"""A writer that locks accounts in the order in which the batch names them."""


def batches(till: ApiClient, keys: list[str]) -> list[Callable[[], list[int]]]:
    """Each batch earns 5 points for every member; every second one names them backwards."""

    def one(number: int) -> Callable[[], list[int]]:
        client = twin(till)
        items = [
            {
                "reference": f"B-{number}-{member}",
                "member": f"M{member}",
                "occurred_at": "2026-11-23T10:15:00+01:00",
                "currency": "EUR",
                **euros("5.00"),
            }
            for member in range(MEMBERS)
        ]
        body = {"transactions": items[:: 1 if number % 2 else -1]}

        def send() -> list[int]:
            answer = call(client, "/transactions/batch", body, key=keys[number])
            return [answer.status_code, *(item["status"] for item in answer.json().get("results", []))]

        return send

    return [one(number) for number in range(BATCHES)]


@pytest.fixture
def members(programme: Programme, till: ApiClient) -> None:
    for number in range(MEMBERS):
        MemberFactory(programme=programme, number=f"M{number}")
        earn(till, f"FIRST-{number}", member=f"M{number}", **euros("1.00"))


def check_all_booked(answers: list[list[int]]) -> None:
    assert Counter(status for answer in answers for status in answer[1:]) == {201: MEMBERS * BATCHES}
    assert Transaction.objects.count() == MEMBERS * (BATCHES + 1)
    assert set(Account.objects.values_list("available", flat=True)) == {5 * BATCHES + 1}
    check_ledger()


@pytest.mark.usefixtures("members")
def test_opposite_orders(till: ApiClient, gate: Callable[[int], None]) -> None:
    gate(BATCHES)
    check_all_booked(at_once(batches(till, [f"key-of-{number}" for number in range(BATCHES)])))


@pytest.mark.usefixtures("members")
def test_locks_in_the_order_of_the_batch_would_deadlock(till: ApiClient, gate: Callable[[int], None]) -> None:
    gate(BATCHES)
    with broken_apply(*LOCKED_AS_THEY_COME):
        answers = at_once(batches(till, [f"key-of-{number}" for number in range(BATCHES)]))
    with pytest.raises(AssertionError):
        check_all_booked(answers)


def test_opposite_orders_of_members_without_an_account(
    programme: Programme, till: ApiClient, gate: Callable[[int], None]
) -> None:
    for number in range(MEMBERS):
        MemberFactory(programme=programme, number=f"M{number}")
    gate(BATCHES)
    answers = at_once(batches(till, [f"key-of-{number}" for number in range(BATCHES)]))
    assert Counter(status for answer in answers for status in answer[1:]) == {201: MEMBERS * BATCHES}
    assert set(Account.objects.values_list("available", flat=True)) == {5 * BATCHES}
    check_ledger()


@pytest.mark.usefixtures("members")
def test_the_same_batch_sent_many_times_at_once(till: ApiClient, gate: Callable[[int], None]) -> None:
    """A batch that seems lost is sent again while the first still runs: each receipt once."""
    client = twin(till)
    items = [
        {
            "reference": f"B-{member}",
            "member": f"M{member}",
            "occurred_at": "2026-11-23T10:15:00+01:00",
            "currency": "EUR",
            **euros("5.00"),
        }
        for member in range(MEMBERS)
    ]
    gate(5)
    clients = [twin(client) for _ in range(5)]
    answers = at_once(
        [
            lambda client=client: call(
                client, "/transactions/batch", {"transactions": items}, key="the-batch"
            )
            for client in clients
        ]
    )
    assert {answer.status_code for answer in answers} <= {200, 409}
    results = [item["status"] for answer in answers for item in answer.json().get("results", [])]
    assert Counter(results)[201] == MEMBERS
    assert set(results) == {200, 201}
    assert Transaction.objects.count() == 2 * MEMBERS
    check_ledger()
