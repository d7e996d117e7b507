"""Many events at once: limits of members and devices hold to the event, and everyone is told the truth."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from loyalty.models import Entry, Event, EventReversal
from loyalty.services import event_decide
from members.models import Member, Programme
from tests import ledger_checks
from tests.factories import ApiClient, MemberFactory
from tests.ledger_checks import check_ledger
from tests.loyalty.worlds import MONDAY, balance, event, event_type, take_back
from tests.races.crowd import WITHOUT_VERSIONS, at_once, broken_apply, twin

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("ada")]

WITHOUT_DEVICES = (("WHERE d.version <> n.expected", "WHERE false"),)
"""A writer that forgets to look whether a device's counter moved."""

Body = dict[str, Any]


def one(till: ApiClient, reference: str, **changes: Any) -> Callable[[], Body]:
    client = twin(till)

    def call() -> Body:
        answer = event(client, reference, **changes)
        assert answer.status_code in {200, 201, 202}, answer.content
        return answer.json()

    return call


def of_members(programme: Programme, till: ApiClient, count: int, **changes: Any) -> list[Callable[[], Body]]:
    """An event by each of `count` members."""
    for number in range(count):
        MemberFactory(programme=programme, number=f"M{number}")
    return [one(till, f"E-{number}", member=f"M{number}", **changes) for number in range(count)]


def check_counts(answers: list[Body], allowed: int) -> None:
    statuses = Counter(answer["status"] for answer in answers)
    assert statuses == {"posted": allowed, "limit_reached": len(answers) - allowed}
    assert (
        Event.objects.filter(status="posted").count() == Entry.objects.filter(kind="event").count() == allowed
    )
    check_ledger()
    ledger_checks.check_ledger()


def test_two_hundred_events_of_one_member(
    programme: Programme, till: ApiClient, gate: Callable[[int], None]
) -> None:
    event_type(programme, caps={"day": 7})
    gate(10)
    check_counts(at_once([one(till, f"E-{number}") for number in range(200)]), 7)
    assert balance(till)["available"] == 350


def test_without_versions_a_member_gets_more(
    programme: Programme, till: ApiClient, gate: Callable[[int], None]
) -> None:
    event_type(programme, caps={"day": 3})
    assert event(till, "FIRST").status_code == 201
    gate(10)
    with broken_apply(*WITHOUT_VERSIONS):
        answers = at_once([one(till, f"E-{number}") for number in range(10)])
    with pytest.raises(AssertionError):
        check_counts(answers, 2)
    assert sum(answer["status"] == "posted" for answer in answers) > 2


def test_two_hundred_events_of_one_device(
    programme: Programme, till: ApiClient, gate: Callable[[int], None]
) -> None:
    """A device goes over all members: their accounts do not know of each other."""
    event_type(programme, device_caps={"day": 20})
    calls = of_members(programme, till, 200, device="phone-7")
    gate(10)
    check_counts(at_once(calls), 20)


def test_without_its_counter_a_device_gets_more(
    programme: Programme, till: ApiClient, gate: Callable[[int], None]
) -> None:
    event_type(programme, device_caps={"day": 3})
    calls = of_members(programme, till, 10, device="phone-7")
    gate(10)
    with broken_apply(*WITHOUT_DEVICES):
        answers = at_once(calls)
    with pytest.raises(AssertionError):
        check_counts(answers, 3)
    assert sum(answer["status"] == "posted" for answer in answers) > 3


def test_one_event_sent_by_many(programme: Programme, till: ApiClient, gate: Callable[[int], None]) -> None:
    event_type(programme, caps={"total": 1})
    gate(10)
    answers = at_once([one(till, "E-1") for _ in range(20)])
    assert {answer["status"] for answer in answers} == {"posted"}
    assert Event.objects.count() == Entry.objects.count() == 1
    check_ledger()


def test_one_key_with_two_contents(
    programme: Programme, till: ApiClient, gate: Callable[[int], None]
) -> None:
    """runvendo/vendo#1297: one effect, the other 422 without effect."""
    event_type(programme)
    clients = [twin(till) for _ in range(10)]
    gate(10)
    statuses = at_once(
        [
            lambda client=client, number=number: event(client, f"E-{number % 2}", key="one").status_code
            for number, client in enumerate(clients)
        ]
    )
    assert set(statuses) <= {201, 409, 422}
    assert Event.objects.count() == 1


def test_twenty_reversals_of_one_event(
    programme: Programme, till: ApiClient, gate: Callable[[int], None]
) -> None:
    event_type(programme)
    event(till, "E-1")
    clients = [twin(till) for _ in range(20)]
    gate(10)
    statuses = at_once(
        [
            lambda client=client, number=number: take_back(client, "E-1", f"B-{number}").status_code
            for number, client in enumerate(clients)
        ]
    )
    assert Counter(statuses) == {201: 1, 409: 19}
    assert EventReversal.objects.count() == 1
    assert sum(balance(till).values()) == 0
    check_ledger()


def test_an_event_is_decided_once(
    programme: Programme, till: ApiClient, ada: Member, gate: Callable[[int], None]
) -> None:
    event_type(programme, review=True)
    event(till, "E-1")
    row = Event.objects.get()

    def decide(approve: bool) -> str:
        try:
            event_decide(event=row, approve=approve, actor="staff:carol", now=MONDAY)
        except Exception as error:
            return type(error).__name__
        return "decided"

    gate(10)
    outcomes = at_once([lambda approve=bool(number % 2): decide(approve) for number in range(10)])
    assert Counter(outcomes) == {"decided": 1, "EventDecided": 9}
    given = Event.objects.get()
    assert balance(till)["available"] == (50 if given.status == "posted" else 0)
    check_ledger()
