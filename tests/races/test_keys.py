"""One key, many requests: one effect, the rest get its answer or are told to wait, nobody gets an error of ours."""

from collections import Counter
from collections.abc import Callable

import pytest

from loyalty.models import Entry, IdempotencyKey, Transaction
from members.models import Member, OutboxEvent
from tests.factories import ApiClient
from tests.ledger_checks import check_ledger
from tests.loyalty.worlds import earn, euros
from tests.races.crowd import WITHOUT_VERSIONS, at_once, broken_apply, twin, without_constraint

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("ada")]

NO_KEY_CHECK = ("IF call ? 'key' THEN", "IF false THEN")


def same_request(till: ApiClient) -> Callable[[], tuple[int, bool, bytes]]:
    client = twin(till)

    def call() -> tuple[int, bool, bytes]:
        answer = earn(client, "POS-1", key="key-of-the-till", **euros("10.00"))
        return answer.status_code, "Idempotent-Replayed" in answer.headers, answer.content

    return call


def check_one_effect(answers: list[tuple[int, bool, bytes]]) -> None:
    statuses = Counter(status for status, _, _ in answers)
    assert set(statuses) <= {201, 409}
    first = [content for status, replayed, content in answers if status == 201 and not replayed]
    assert len(first) == 1
    assert {content for status, replayed, content in answers if replayed} <= set(first)
    assert all(b'"request_in_progress"' in content for status, _, content in answers if status == 409)
    assert Transaction.objects.count() == Entry.objects.count() == 1
    assert OutboxEvent.objects.filter(type="transaction.posted").count() == 1
    check_ledger()


def test_fifty_parallel_requests_with_one_key(till: ApiClient, gate: Callable[[int], None]) -> None:
    gate(10)
    check_one_effect(at_once([same_request(till) for _ in range(50)]))
    assert IdempotencyKey.objects.get().status == 201


def test_without_keys_references_and_versions_there_are_many_effects(
    till: ApiClient,
    gate: Callable[[int], None],
) -> None:
    """Any one of the three would do: the negative control has to take all of them away."""
    gate(10)
    with (
        broken_apply(NO_KEY_CHECK, *WITHOUT_VERSIONS),
        without_constraint("loyalty_transaction", "transaction_reference_unique"),
    ):
        answers = at_once([same_request(till) for _ in range(50)])
        with pytest.raises(AssertionError):
            check_one_effect(answers)
        assert Transaction.objects.count() > 1


def other_requests(till: ApiClient, count: int) -> list[Callable[[], tuple[int, str]]]:
    def request(number: int) -> Callable[[], tuple[int, str]]:
        client = twin(till)

        def call() -> tuple[int, str]:
            answer = earn(client, f"POS-{number}", key="key-of-the-till", **euros(f"{number}.00"))
            return answer.status_code, answer.json().get("code", "")

        return call

    return [request(number) for number in range(1, count + 1)]


def check_one_wins(answers: list[tuple[int, str]]) -> None:
    assert Counter(answers)[201, ""] == 1
    refused = {answer for answer in answers if answer != (201, "")}
    assert refused <= {(422, "idempotency_key_reused"), (409, "request_in_progress")}
    assert (422, "idempotency_key_reused") in refused
    assert Transaction.objects.count() == Entry.objects.count() == IdempotencyKey.objects.count() == 1
    check_ledger()


@pytest.mark.parametrize("count", [2, 10])
def test_one_key_and_several_bodies(till: ApiClient, gate: Callable[[int], None], count: int) -> None:
    gate(count)
    check_one_wins(at_once(other_requests(till, count)))


def test_without_the_key_check_both_bodies_are_booked(till: ApiClient, gate: Callable[[int], None]) -> None:
    gate(2)
    with broken_apply(NO_KEY_CHECK):
        answers = at_once(other_requests(till, 2))
        with pytest.raises(AssertionError):
            check_one_wins(answers)
    assert Transaction.objects.count() == 2


def test_one_reference_and_many_keys(till: ApiClient, ada: Member, gate: Callable[[int], None]) -> None:
    """Two tills send the same receipt at once: one books it, the other gets the first answer."""
    gate(10)
    clients = [twin(till) for _ in range(10)]
    answers = at_once(
        [lambda client=client: earn(client, "POS-1", **euros("10.00")).status_code for client in clients]
    )
    assert Counter(answers) == {201: 1, 200: 9}
    assert Transaction.objects.count() == Entry.objects.count() == 1
    check_ledger()
