"""ai-shifu#2061: the job that expires points, twice in parallel and beside earns."""

from collections import Counter
from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from loyalty.apply import Stale
from loyalty.models import Entry, Lot
from loyalty.services import accounts_settle, settling, writes
from loyalty.services.settling import Settled
from members.models import OutboxEvent, Programme
from tests.factories import ApiClient, MemberFactory
from tests.ledger_checks import check_ledger
from tests.loyalty.worlds import earn, euros, simple_terms
from tests.races.crowd import WITHOUT_VERSIONS, Gate, at_once, broken_apply, twin

pytestmark = pytest.mark.django_db(transaction=True)

MEMBERS = 5
LOTS = 3
Status = Callable[[], int]


@pytest.fixture
def expired(programme: Programme, till: ApiClient, monday: time_machine.Traveller) -> None:
    """Members with three lots of 20 points that expired, which nobody has settled yet."""
    simple_terms(programme, delay_days=1, lifetime_months=1)
    for member in range(MEMBERS):
        MemberFactory(programme=programme, number=f"M{member}")
        for lot in range(LOTS):
            earn(till, f"OLD-{member}-{lot}", member=f"M{member}", **euros("20.00"))
    monday.shift(timedelta(days=60))


def earns(till: ApiClient) -> list[Status]:
    """Each member buys something, too."""

    def one(number: int) -> Status:
        client = twin(till)
        body = {"occurred_at": "2027-01-22T10:00:00+01:00", **euros("5.00")}
        return lambda: earn(client, f"POS-{number}", member=f"M{number}", **body).status_code

    return [one(number) for number in range(MEMBERS)]


def settle() -> int:
    """The job; 201 when all went well."""
    accounts_settle(now=timezone.now())
    return 201


def check_expired_once(statuses: list[int]) -> None:
    """Partners see no error, and each lot has expired once, and been told once."""
    assert Counter(statuses) == {201: 2 + MEMBERS}
    assert Counter(Entry.objects.filter(kind="expiry").values_list("points", flat=True)) == {
        -20: MEMBERS * LOTS
    }
    assert {(lot.remaining, lot.expired) for lot in Lot.objects.filter(points=20)} == {(0, 20)}
    assert OutboxEvent.objects.filter(type="points.expired").count() == MEMBERS * LOTS
    check_ledger()


@pytest.fixture
def gate_of_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """Earns and jobs post only once all have gathered and decided."""
    shared = Gate(2 + MEMBERS)
    monkeypatch.setattr(writes, "send", shared.send)
    monkeypatch.setattr(settling, "send", shared.send)


@pytest.mark.usefixtures("expired", "gate_of_all")
def test_the_job_twice_beside_earns(till: ApiClient) -> None:
    check_expired_once(at_once([settle, settle, *earns(till)]))


@pytest.mark.usefixtures("expired", "gate_of_all")
def test_without_versions_it_goes_wrong(till: ApiClient) -> None:
    with broken_apply(*WITHOUT_VERSIONS):
        statuses = at_once([settle, settle, *earns(till)])
    with pytest.raises(AssertionError):
        check_expired_once(statuses)


@pytest.mark.usefixtures("expired")
def test_an_account_that_moved_is_left_for_the_next_run(
    till: ApiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One account moves between reading and booking; the others of its chunk are settled all the same."""
    send = settling.send

    def overtaken(call: object) -> None:
        monkeypatch.setattr(settling, "send", send)
        body = {"occurred_at": "2027-01-22T10:00:00+01:00", **euros("5.00")}
        assert earn(till, "POS-0", member="M0", **body).status_code == 201
        send(call)

    monkeypatch.setattr(settling, "send", overtaken)
    assert accounts_settle(now=timezone.now(), chunk=MEMBERS) == Settled(MEMBERS - 1, 1)
    assert accounts_settle(now=timezone.now()) == Settled(0, 0)
    assert Entry.objects.filter(kind="expiry").count() == MEMBERS * LOTS
    check_ledger()


@pytest.mark.usefixtures("expired")
def test_what_is_no_matter_of_accounts_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(call: object) -> None:
        raise Stale

    monkeypatch.setattr(settling, "send", refused)
    with pytest.raises(Stale):
        accounts_settle(now=timezone.now())
    assert not Entry.objects.filter(kind="expiry").exists()
