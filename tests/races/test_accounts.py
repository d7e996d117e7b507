"""Many writes to one account at once: every one counts, none is lost, nothing is booked twice."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
import time_machine

from loyalty.apply import Call, send
from loyalty.models import Account, Adjustment, Entry, Lot, Reversal, Transaction
from loyalty.services import adjustment_decide, writes
from members.models import Member, Programme
from tests.factories import ApiClient
from tests.ledger_checks import check_ledger
from tests.loyalty.worlds import adjust, balance, call, earn, euros, reverse, simple_terms
from tests.races.crowd import WITHOUT_VERSIONS, at_once, broken_apply, twin

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("ada")]

Status = Callable[[], int]


def forty_writes(till: ApiClient) -> list[Status]:
    """Of every four one earn of 10, one batch of 5, and adjustments of +7 and -2: 20 points."""

    def one(number: int) -> Status:
        client = twin(till)
        bought = {"member": "10042", "occurred_at": "2026-11-23T10:15:00+01:00", "currency": "EUR"}
        item = {"reference": f"B-{number}", **bought, **euros("5.00")}
        return {
            0: lambda: earn(client, f"POS-{number}", **euros("10.00")).status_code,
            1: lambda: call(client, "/transactions/batch", {"transactions": [item]}).json()["results"][0][
                "status"
            ],
            2: lambda: adjust(client, "10042", 7).status_code,
            3: lambda: adjust(client, "10042", -2).status_code,
        }[number % 4]

    return [one(number) for number in range(40)]


def check_forty(statuses: list[int]) -> None:
    assert Counter(statuses) == {201: 40}
    account = Account.objects.get()
    assert account.available == 1000 + 10 * (10 + 5 + 7 - 2)
    assert (account.pending, account.held, account.debt) == (0, 0, 0)
    assert Entry.objects.count() == 41
    assert account.transactions == Transaction.objects.count() == 20
    check_ledger()


def test_forty_concurrent_writes_to_one_account(till: ApiClient, gate: Callable[[int], None]) -> None:
    adjust(till, "10042", 1000)
    gate(10)
    check_forty(at_once(forty_writes(till)))


def test_without_versions_writes_are_lost(till: ApiClient, gate: Callable[[int], None]) -> None:
    adjust(till, "10042", 1000)
    gate(10)
    with broken_apply(*WITHOUT_VERSIONS):
        statuses = at_once(forty_writes(till))
    with pytest.raises(AssertionError):
        check_forty(statuses)


def approve(till: ApiClient) -> None:
    adjustment = Adjustment.objects.get(reference="BIG")
    adjustment_decide(adjustment=adjustment, approve=True, actor="staff:carol", now=adjustment.recorded_at)


PATHS: dict[str, Callable[[ApiClient], object]] = {
    "earn": lambda till: earn(till, "POS-2", **euros("10.00")),
    "batch": lambda till: call(
        till,
        "/transactions/batch",
        {
            "transactions": [
                {"reference": f"B-{number}", "member": "10042", "occurred_at": "2026-11-23T10:15:00+01:00",
                 "currency": "EUR", **euros("5.00")}
                for number in range(3)
            ]
        },
    ),
    "reversal": lambda till: reverse(till, "POS-1", "RET-1"),
    "adjustment": lambda till: adjust(till, "10042", 7),
    "negative adjustment": lambda till: adjust(till, "10042", -7),
    "decision": approve,
}  # fmt: skip


@contextmanager
def overtaken(monkeypatch: pytest.MonkeyPatch, till: ApiClient) -> Iterator[list[int]]:
    """Another till's earn of 3 points is booked between any caller's decision and its post, once."""
    booked: list[int] = []

    def late(found: Call) -> None:
        if not booked:
            booked.append(0)
            booked[0] = earn(till, "POS-BETWEEN", **euros("3.00")).status_code
        send(found)

    with monkeypatch.context() as patch:
        patch.setattr(writes, "send", late)
        yield booked


@pytest.fixture
def one_earn_and_a_waiting_adjustment(till: ApiClient, ada: Member) -> None:
    Programme.objects.update(approval_limit=100)
    assert earn(till, "POS-1", **euros("20.00")).status_code == 201
    assert adjust(till, "10042", 500, "BIG").status_code == 202


@pytest.mark.usefixtures("one_earn_and_a_waiting_adjustment")
@pytest.mark.parametrize("path", PATHS)
def test_every_write_path_sees_that_it_was_overtaken(
    path: str, till: ApiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """eventyay#1359: a path that skipped the account's version would lose the earn in between."""
    with overtaken(monkeypatch, twin(till)) as booked:
        PATHS[path](till)
    assert booked == [201]
    assert Entry.objects.filter(kind="earn", points=3).count() == 1
    check_ledger()


@pytest.mark.usefixtures("one_earn_and_a_waiting_adjustment")
@pytest.mark.parametrize("path", PATHS)
def test_without_versions_the_earn_in_between_is_lost(
    path: str, till: ApiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (
        broken_apply(*WITHOUT_VERSIONS),
        overtaken(monkeypatch, twin(till)) as booked,
    ):
        PATHS[path](till)
    assert booked == [201]
    with pytest.raises(AssertionError):
        check_ledger()


def twenty_reversals(till: ApiClient) -> list[Callable[[], tuple[int, str]]]:
    def one(number: int) -> Callable[[], tuple[int, str]]:
        client = twin(till)

        def take_back() -> tuple[int, str]:
            answer = reverse(client, "POS-1", f"RET-{number}")
            return answer.status_code, answer.json().get("code", "")

        return take_back

    return [one(number) for number in range(20)]


def check_one_reversal(answers: list[tuple[int, str]]) -> None:
    assert Counter(answers) == {(201, ""): 1, (409, "already_reversed"): 19}
    assert Reversal.objects.count() == 1
    account = Account.objects.get()
    assert (account.available, account.debt, account.transactions) == (100, 0, 0)
    check_ledger()


def test_twenty_parallel_reversals_of_one_earn(till: ApiClient, gate: Callable[[int], None]) -> None:
    """open-bank-oss#528."""
    adjust(till, "10042", 100)
    earn(till, "POS-1", **euros("60.00"))
    gate(10)
    check_one_reversal(at_once(twenty_reversals(till)))


def test_without_versions_it_is_reversed_again(till: ApiClient, gate: Callable[[int], None]) -> None:
    adjust(till, "10042", 100)
    earn(till, "POS-1", **euros("60.00"))
    gate(10)
    with broken_apply(*WITHOUT_VERSIONS):
        answers = at_once(twenty_reversals(till))
    with pytest.raises(AssertionError):
        check_one_reversal(answers)
    assert Reversal.objects.count() > 1


def expired_lots(programme: Programme, till: ApiClient, clock: time_machine.Traveller) -> None:
    """Three lots of 20 points that expired, which nobody has settled yet."""
    simple_terms(programme, delay_days=1, lifetime_months=1)
    for number in range(3):
        assert earn(till, f"OLD-{number}", **euros("20.00")).status_code == 201
    clock.shift(timedelta(days=60))


def touches(till: ApiClient) -> list[Status]:
    """Earns and adjustments of 5 points, each of which finds the lots due."""

    def one(number: int) -> Status:
        client = twin(till)
        if number % 2:
            return lambda: adjust(client, "10042", 5).status_code
        return lambda: (
            earn(
                client, f"POS-{number}", occurred_at="2027-01-22T10:00:00+01:00", **euros("5.00")
            ).status_code
        )

    return [one(number) for number in range(10)]


def check_expired_once(statuses: list[int], till: ApiClient) -> None:
    assert Counter(statuses) == {201: 10}
    assert [entry.points for entry in Entry.objects.filter(kind="expiry")] == [-20, -20, -20]
    assert {(lot.remaining, lot.expired) for lot in Lot.objects.filter(points=20)} == {(0, 20)}
    assert balance(till) == {"available": 25, "pending": 25, "held": 0, "debt": 0}
    check_ledger()


def test_lots_expire_once_however_many_settle_them(
    programme: Programme, till: ApiClient, monday: time_machine.Traveller, gate: Callable[[int], None]
) -> None:
    """ai-shifu#2061: settling in parallel with earns; partners see no error."""
    expired_lots(programme, till, monday)
    gate(10)
    check_expired_once(at_once(touches(till)), till)


def test_without_versions_settling_goes_wrong(
    programme: Programme, till: ApiClient, monday: time_machine.Traveller, gate: Callable[[int], None]
) -> None:
    expired_lots(programme, till, monday)
    gate(10)
    with broken_apply(*WITHOUT_VERSIONS):
        statuses = at_once(touches(till))
    with pytest.raises(AssertionError):
        check_expired_once(statuses, till)


def first_earns(till: ApiClient, member: str, **more: str) -> list[Status]:
    clients = [twin(till) for _ in range(10)]
    return [
        lambda number=number, client=client: (
            earn(client, f"POS-{number}", member=member, **euros("10.00"), **more).status_code
        )
        for number, client in enumerate(clients)
    ]


def check_first_earns(statuses: list[int], member: str) -> None:
    assert Counter(statuses) == {201: 10}
    assert Member.objects.filter(number=member).count() == 1
    account = Account.objects.get()
    assert (account.available, account.transactions, account.seq) == (100, 10, 10)
    check_ledger()


def test_first_earns_of_a_new_member(till: ApiClient, gate: Callable[[int], None]) -> None:
    gate(10)
    check_first_earns(at_once(first_earns(till, "10042")), "10042")


def test_without_versions_first_earns_are_lost(till: ApiClient, gate: Callable[[int], None]) -> None:
    gate(10)
    with broken_apply(*WITHOUT_VERSIONS):
        statuses = at_once(first_earns(till, "10042"))
    with pytest.raises(AssertionError):
        check_first_earns(statuses, "10042")


def test_first_earns_that_enrol_the_member(
    programme: Programme, till: ApiClient, gate: Callable[[int], None]
) -> None:
    Programme.objects.filter(pk=programme.pk).update(on_unknown_member="enrol")
    gate(10)
    check_first_earns(at_once(first_earns(till, "NEW-1", on_unknown_member="enrol")), "NEW-1")
