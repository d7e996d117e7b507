"""What the database itself refuses of events: each guard by its name, tried with SQL around the application."""

import pytest

from loyalty.models import Account
from members.models import Member, Programme
from tests.factories import ApiClient, MemberFactory
from tests.loyalty.test_guards import COPY, OTHER_ID, refused_by, run
from tests.loyalty.worlds import LONG_AGO, event, event_type, take_back

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("club")]


@pytest.fixture(autouse=True)
def booked(club: object, till: ApiClient, programme: Programme) -> None:
    """Ada wrote a review on a device, and another one that was taken back."""
    event_type(programme, device_caps={"day": 5})
    for reference in ("REV-1", "REV-2"):
        assert event(till, reference, device="phone-7").status_code == 201
    assert take_back(till, "REV-2", "BACK-2").status_code == 201


@pytest.mark.parametrize(
    ("guard", "sql"),
    [
        ("event_points_not_negative", "UPDATE loyalty_event SET points = -1"),
        ("event_points_not_negative", "UPDATE loyalty_event SET wanted = -1"),
        ("event_points_not_negative", "UPDATE loyalty_event SET qualifying = -1"),
        ("event_points_only_posted", "UPDATE loyalty_event SET status = 'in_review'"),
        ("event_points_only_posted", "UPDATE loyalty_event SET status = 'limit_reached'"),
        ("event_reversal_never_gives", "UPDATE loyalty_eventreversal SET points = 1"),
    ],
)
def test_changes_that_break_a_check(guard: str, sql: str) -> None:
    with refused_by(guard):
        run(sql)


@pytest.mark.parametrize(
    ("guard", "table", "change"),
    [
        ("event_reference_unique", "loyalty_event", OTHER_ID),
        ("event_reversal_reference_unique", "loyalty_eventreversal", OTHER_ID),
        (
            "event_reversed_once",
            "loyalty_eventreversal",
            '{"id": "019ad000-0000-7000-8000-000000000000", "reference": "BACK-3"}',
        ),
        ("event_type_code_unique", "loyalty_eventtype", '{"id": 999999}'),
        ("loyalty_eventdevice_pkey", "loyalty_eventdevice", "{}"),
    ],
)
def test_what_is_there_once(guard: str, table: str, change: str) -> None:
    with refused_by(guard):
        run(COPY.format(table=table), change)


@pytest.mark.parametrize(
    ("guard", "sql"),
    [
        ("event_account_of_programme", "UPDATE loyalty_event SET account_id = %s WHERE reference = 'REV-1'"),
        ("event_reversal_account_of_programme", "UPDATE loyalty_eventreversal SET account_id = %s"),
    ],
)
def test_no_event_names_a_stranger(guard: str, sql: str, eve: ApiClient) -> None:
    stranger = MemberFactory(programme=eve.partner.programme)
    Account.objects.create(member=stranger, programme=stranger.programme, settled_at=LONG_AGO)
    with refused_by(guard):
        run(sql, stranger.pk)


@pytest.mark.parametrize(
    ("guard", "sql"),
    [
        ("event_type_of_programme", "UPDATE loyalty_event SET type_id = %s"),
        ("event_device_type_of_programme", "UPDATE loyalty_eventdevice SET type_id = %s"),
    ],
)
def test_no_event_has_a_type_of_another_programme(guard: str, sql: str, eve: ApiClient) -> None:
    with refused_by(guard):
        run(sql, event_type(eve.partner.programme).pk)


def test_a_reversal_is_of_an_event_that_is_there(ada: Member) -> None:
    with refused_by("event_reversal_event_of_programme"):
        run("UPDATE loyalty_eventreversal SET event_id = %s", "019ad000-0000-7000-8000-000000000000")
