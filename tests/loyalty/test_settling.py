"""Idle accounts: what nobody touches activates, pays debt and expires all the same, and says so."""

from datetime import datetime, timedelta

import pytest
import time_machine

from loyalty.models import Account, Entry, Lot
from loyalty.services import accounts_settle
from loyalty.services.settling import Settled
from loyalty.tasks import idle_accounts_settle
from members.models import Member, OutboxEvent, Programme
from tests.factories import ApiClient, MemberFactory
from tests.jobs import RunJobs, run_jobs  # noqa: F401
from tests.loyalty.worlds import MONDAY, adjust, balance, earn, euros, reverse, simple_terms
from tests.statements import statements

pytestmark = pytest.mark.django_db


def later(**time: int) -> datetime:
    return MONDAY + timedelta(**time)


@pytest.fixture
def terms(programme: Programme, ada: Member, monday: time_machine.Traveller) -> None:
    """Points of MONDAY activate on the 24th and expire on the 25th of December (Brussels)."""
    simple_terms(programme, delay_days=1, lifetime_months=1)


@pytest.mark.usefixtures("terms")
def test_points_activate_and_expire(till: ApiClient) -> None:
    earn(till, "POS-1", **euros("20.00"))
    account = Account.objects.get()
    assert account.next_change_at == datetime.fromisoformat("2026-11-24T00:00:00+01:00")

    assert accounts_settle(now=later(days=1)) == Settled(accounts=1, overtaken=0)
    account.refresh_from_db()
    assert (account.available, account.pending, account.settled_at) == (20, 0, later(days=1))
    assert Entry.objects.count() == 1

    assert accounts_settle(now=later(days=60)) == Settled(accounts=1, overtaken=0)
    account.refresh_from_db()
    assert (account.available, account.next_change_at) == (0, None)
    entry = Entry.objects.get(kind="expiry")
    assert (entry.points, entry.counterpart, entry.recorded_at) == (-20, "breakage", later(days=60))
    assert entry.occurred_at == datetime.fromisoformat("2026-12-25T00:00:00+01:00")
    news = OutboxEvent.objects.get(type="points.expired")
    assert (news.member_id, news.body) == (account.pk, {"points": 20, "entry": 2})


@pytest.mark.usefixtures("terms")
def test_nothing_is_due_twice_or_too_early(till: ApiClient) -> None:
    earn(till, "POS-1", **euros("20.00"))
    assert accounts_settle(now=MONDAY) == Settled(0, 0)
    accounts_settle(now=later(days=60))
    before = (Account.objects.get().version, Entry.objects.count(), OutboxEvent.objects.count())
    assert accounts_settle(now=later(days=60)) == Settled(0, 0)
    assert (Account.objects.get().version, Entry.objects.count(), OutboxEvent.objects.count()) == before


@pytest.mark.usefixtures("terms")
def test_activating_points_pay_debt(till: ApiClient, monday: time_machine.Traveller) -> None:
    earn(till, "POS-1", **euros("30.00"))
    monday.shift(timedelta(days=1))
    adjust(till, "10042", -30)
    earn(till, "POS-2", occurred_at="2026-11-24T10:00:00+01:00", **euros("20.00"))
    reverse(till, "POS-1", "RET-1")
    assert balance(till) == {"available": 0, "pending": 20, "held": 0, "debt": 30}
    accounts_settle(now=later(days=2))
    account = Account.objects.get()
    assert (account.available, account.pending, account.debt) == (0, 0, 10)
    assert Lot.objects.get(points=20).remaining == 0


@pytest.mark.usefixtures("terms")
def test_an_expiry_on_touch_is_news_too(till: ApiClient, monday: time_machine.Traveller) -> None:
    earn(till, "POS-1", **euros("20.00"))
    monday.shift(timedelta(days=60))
    earn(till, "POS-2", occurred_at="2027-01-22T10:00:00+01:00", **euros("5.00"))
    assert OutboxEvent.objects.get(type="points.expired").body == {"points": 20, "entry": 2}


@pytest.mark.usefixtures("terms")
def test_many_accounts_in_chunks_up_to_a_limit(programme: Programme, till: ApiClient) -> None:
    for number in range(7):
        MemberFactory(programme=programme, number=f"M{number}")
        earn(till, f"POS-{number}", member=f"M{number}", **euros("20.00"))
    assert accounts_settle(now=later(days=60), limit=2, chunk=3) == Settled(2, 0)
    assert Account.objects.filter(available=0).count() == 7
    assert Account.objects.filter(next_change_at=None).count() == 2
    with statements() as seen:
        assert accounts_settle(now=later(days=60), chunk=2) == Settled(5, 0)
    assert len(seen) == 6
    assert Entry.objects.filter(kind="expiry", points=-20).count() == 7


@pytest.mark.usefixtures("terms")
def test_accounts_of_every_programme(till: ApiClient, eve: ApiClient) -> None:
    other = eve.partner.programme
    MemberFactory(programme=other, number="10042")
    simple_terms(other, delay_days=1, lifetime_months=1)
    earn(till, "POS-1", **euros("20.00"))
    earn(eve, "POS-1", **euros("8.00"))
    accounts_settle(now=later(days=60))
    expired = OutboxEvent.objects.filter(type="points.expired").order_by("programme_id")
    assert [(news.programme_id, news.body["points"]) for news in expired] == [
        (till.partner.programme_id, 20),
        (other.pk, 8),
    ]


@pytest.mark.usefixtures("terms")
def test_the_job(till: ApiClient, monday: time_machine.Traveller, run_jobs: RunJobs) -> None:  # noqa: F811
    earn(till, "POS-1", **euros("20.00"))
    monday.shift(timedelta(days=60))
    idle_accounts_settle.defer(timestamp=1)
    run_jobs()
    assert balance(till)["available"] == 0
    assert Entry.objects.filter(kind="expiry").count() == 1
