"""What becomes of events: POST /events/{reference}/reversals, and what staff decide in review."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loyalty.errors import EventDecided
from loyalty.models import Account, Entry, Event, EventReversal, EventType
from loyalty.rules import TermsRule
from loyalty.services import event_decide, terms_set
from members.errors import MemberNotActive
from members.models import Activity, Member, OutboxEvent, Programme
from members.services import member_close
from tests.factories import ApiClient, MemberFactory
from tests.loyalty.worlds import LONG_AGO, MONDAY, adjust, balance, event, event_type, simple_terms, take_back

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("monday", "ada")]


@pytest.fixture(autouse=True)
def terms(programme: Programme) -> None:
    """Points at once and for ever."""
    simple_terms(programme)


@pytest.fixture
def reviews(programme: Programme) -> EventType:
    return event_type(programme, caps={"week": 1})


@pytest.fixture
def checked(programme: Programme) -> EventType:
    """Each event is decided by staff."""
    return event_type(programme, caps={"week": 1}, review=True, qualifying=True)


def decide(reference: str, approve: bool, reason: str = "") -> Event:
    row = Event.objects.get(reference=reference)
    event_decide(
        event=row, approve=approve, actor="staff:carol", reason=reason, now=MONDAY + timedelta(hours=1)
    )
    row.refresh_from_db()
    return row


@pytest.mark.usefixtures("reviews")
def test_a_reversal_works(till: ApiClient, ada: Member) -> None:
    event(till, "REV-1")
    answer = take_back(till, "REV-1", "BACK-1", reason="copied", metadata={"desk": 3})
    assert answer.status_code == 201, answer.content
    body, entry = answer.json(), Entry.objects.get(seq=2)
    assert body == {
        "reference": "BACK-1",
        "event": "REV-1",
        "points": -50,
        "original_points": 50,
        "taken_from": {"pending": 0, "available": 50, "debt": 0, "forgiven": 0},
        "limits_freed": True,
        "event_status": "reversed",
        "entries": [{"id": f"{ada.pk}-2", "kind": "reversal", "points": -50}],
        "balance": {"available": 0, "pending": 0, "held": 0, "debt": 0, "as_of": "2026-11-23T10:15:02+01:00"},
        "receipt": {
            "seq": 2,
            "hash": f"sha256:{bytes(entry.hash).hex()}",
            "prev": f"sha256:{bytes(entry.prev_hash).hex()}",
        },
        "reason": "copied",
        "metadata": {"desk": 3},
    }
    assert (Event.objects.get().status, Activity.objects.get().earned) == ("reversed", 0)
    assert OutboxEvent.objects.get(type="event.reversed").body["points"] == -50


@pytest.mark.usefixtures("reviews")
def test_a_reversal_is_once_and_idempotent(till: ApiClient) -> None:
    event(till, "REV-1")
    first = take_back(till, "REV-1", "BACK-1", key="k")
    for key in ("k", "other"):
        again = take_back(till, "REV-1", "BACK-1", key=key)
        assert (again.content, again.headers["Idempotent-Replayed"]) == (first.content, "true")
    second = take_back(till, "REV-1", "BACK-2", key="twice")
    assert (second.status_code, second.json()["code"]) == (409, "already_reversed")
    assert take_back(till, "REV-1", "BACK-2", key="twice").content == second.content
    assert EventReversal.objects.count() == 1
    assert Entry.objects.count() == 2


@pytest.mark.usefixtures("reviews")
def test_a_reference_of_another_reversal_is_a_conflict(till: ApiClient, programme: Programme) -> None:
    event_type(programme, "photo_shared")
    event(till, "REV-1")
    event(till, "P-1", type="photo_shared")
    take_back(till, "REV-1", "BACK-1")
    answer = take_back(till, "P-1", "BACK-1")
    assert (answer.status_code, answer.json()["code"]) == (409, "reference_conflict")
    assert Event.objects.get(reference="P-1").status == "posted"


@pytest.mark.usefixtures("reviews")
def test_a_dry_run_shows_and_books_nothing(till: ApiClient) -> None:
    event(till, "REV-1")
    answer = take_back(till, "REV-1", "BACK-1", dry_run=True)
    assert (answer.status_code, answer.json()["points"], answer.json()["dry_run"]) == (200, -50, True)
    assert Event.objects.get().status == "posted"
    assert balance(till)["available"] == 50
    assert take_back(till, "REV-1", "BACK-1").status_code == 201


@pytest.mark.usefixtures("reviews")
def test_limits_are_free_again_in_their_own_week(till: ApiClient) -> None:
    last_week = "2026-11-20T10:00:00+01:00"
    assert event(till, "A", occurred_at=last_week).status_code == 201
    assert event(till, "B").status_code == 201
    assert take_back(till, "A", "BACK-A").json()["limits_freed"] is True
    assert event(till, "C").json()["status"] == "limit_reached"
    assert event(till, "D", occurred_at=last_week).json()["status"] == "posted"
    assert (
        take_back(till, "C", "BACK-C").json() | {"points": 0, "limits_freed": False}
        == take_back(till, "C", "BACK-C").json()
    )


@pytest.mark.usefixtures("reviews")
def test_the_first_answer_stays_after_a_reversal(till: ApiClient) -> None:
    first = event(till, "REV-1")
    limited = event(till, "REV-2")
    take_back(till, "REV-1", "BACK-1")
    take_back(till, "REV-2", "BACK-2")
    assert event(till, "REV-1").content == first.content
    assert event(till, "REV-2").content == limited.content


@pytest.mark.usefixtures("reviews")
@pytest.mark.parametrize(
    ("overdraw", "status", "taken"),
    [
        ("debt", 201, {"pending": 0, "available": 20, "debt": 30, "forgiven": 0}),
        ("within_balance", 201, {"pending": 0, "available": 20, "debt": 0, "forgiven": 30}),
        ("refuse", 409, None),
    ],
)
def test_points_that_are_spent(
    till: ApiClient, programme: Programme, overdraw: str, status: int, taken: dict[str, int] | None
) -> None:
    Programme.objects.filter(pk=programme.pk).update(overdraw=overdraw)
    event(till, "REV-1")
    adjust(till, "10042", -30)
    answer = take_back(till, "REV-1", "BACK-1")
    assert (answer.status_code, answer.json().get("taken_from")) == (status, taken)
    assert Event.objects.get().status == ("reversed" if status == 201 else "posted")
    assert balance(till)["debt"] == (30 if overdraw == "debt" else 0)


def test_history_shows_events(till: ApiClient, reviews: EventType, monday: time_machine.Traveller) -> None:
    event(till, "REV-1")
    (shown,) = till.get("/api/v1/members/10042/history?kind=event").json()["items"]
    assert (shown["kind"], shown["label"], shown["reference"], shown["status"], shown["reversed_by"]) == (
        "event",
        "Review written",
        "REV-1",
        "posted",
        [],
    )
    monday.shift(60)
    take_back(till, "REV-1", "BACK-1")
    back, shown = till.get("/api/v1/members/10042/history").json()["items"]
    assert (back["kind"], back["label"], back["reverses"]) == (
        "reversal",
        "Taken back: Review written",
        "REV-1",
    )
    assert (shown["status"], shown["reversed_by"]) == ("reversed", ["BACK-1"])
    (then,) = till.get("/api/v1/members/10042/history?as_of=2026-11-23T09:15:30Z").json()["items"]
    assert (then["status"], then["reversed_by"]) == ("posted", [])


# --- Review --------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("checked")
def test_an_event_in_review_gives_nothing_yet_and_counts(till: ApiClient) -> None:
    answer = event(till, "REV-1", key="k")
    body = answer.json()
    assert (answer.status_code, answer.headers["Location"]) == (202, "/api/v1/events/REV-1")
    assert (body["status"], body["points"], body["wanted"]) == ("in_review", 0, 50)
    assert body["trace"][-1] == {"step": "review", "rule": "staff", "points": "-50.00"}
    assert not Entry.objects.exists()
    assert event(till, "REV-2").json()["status"] == "limit_reached"
    assert till.get("/api/v1/events/REV-1").json()["status"] == "in_review"


@pytest.mark.usefixtures("checked")
def test_approved_it_gives_what_it_was_worth(till: ApiClient, programme: Programme) -> None:
    first = event(till, "REV-1", key="k")
    event_type(programme, points=10)  # changed since
    row = decide("REV-1", approve=True)
    assert (row.status, row.points, row.qualifying, row.decided_by) == ("posted", 50, 50, "staff:carol")
    assert balance(till)["available"] == 50
    assert Activity.objects.get().earned == 50
    assert OutboxEvent.objects.get(type="event.rewarded").body["points"] == 50
    assert event(till, "REV-1", key="k").content == first.content
    now = event(till, "REV-1")
    assert (now.status_code, now.json()["status"], now.json()["points"]) == (200, "posted", 50)
    assert [step["step"] for step in now.json()["trace"]] == ["event", "rounding"]
    shown = till.get("/api/v1/events/REV-1").json()
    assert shown["review"] == {"decided_at": "2026-11-23T11:15:02+01:00", "reason": ""}


@pytest.mark.usefixtures("checked")
def test_refused_it_gives_nothing_and_counts_no_more(till: ApiClient) -> None:
    event(till, "REV-1")
    row = decide("REV-1", approve=False, reason="Not about us")
    assert (row.status, row.points, row.decision_reason) == ("refused", 0, "Not about us")
    assert event(till, "REV-1").json()["status"] == "refused"
    assert event(till, "REV-2").json()["status"] == "in_review"
    assert take_back(till, "REV-1", "BACK-1").json()["code"] == "already_reversed"
    assert not OutboxEvent.objects.filter(type="event.rewarded").exists()


@pytest.mark.usefixtures("checked")
@pytest.mark.parametrize("approve", [True, False])
def test_it_is_decided_once(till: ApiClient, approve: bool) -> None:
    event(till, "REV-1")
    before = decide("REV-1", approve=approve).status
    for again in (True, False):
        with pytest.raises(EventDecided):
            decide("REV-1", approve=again)
    assert Event.objects.get().status == before


@pytest.mark.usefixtures("checked")
def test_one_in_review_can_be_withdrawn(till: ApiClient) -> None:
    event(till, "REV-1")
    body = take_back(till, "REV-1", "BACK-1").json()
    assert (body["points"], body["limits_freed"], body["entries"]) == (0, True, [])
    with pytest.raises(EventDecided):
        decide("REV-1", approve=True)
    assert event(till, "REV-2").json()["status"] == "in_review"


@pytest.mark.usefixtures("checked")
def test_who_left_gets_nothing_any_more(till: ApiClient, ada: Member) -> None:
    event(till, "REV-1")
    member_close(member=ada, now=MONDAY)
    with pytest.raises(MemberNotActive):
        decide("REV-1", approve=True)
    assert decide("REV-1", approve=False).status == "refused"


def test_more_than_the_approval_limit_waits_for_staff(
    till: ApiClient, programme: Programme, reviews: EventType
) -> None:
    """Continental 2003: a bonus x1000 does not go out by itself."""
    Programme.objects.filter(pk=programme.pk).update(approval_limit=49)
    assert event(till, "REV-1").status_code == 202
    Programme.objects.filter(pk=programme.pk).update(approval_limit=50)
    assert event(till, "REV-2", occurred_at="2026-11-20T10:00:00Z").status_code == 201


# --- Under debt, an event and its reversal have no effect ----------------------------------------------

Step = tuple[str, int]
STEPS = st.lists(
    st.tuples(st.sampled_from(["event", "spend", "wait", "back"]), st.integers(1, 60)),
    min_size=1,
    max_size=12,
)


@pytest.mark.parametrize("delay", [0, 3])
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_taking_all_events_back_leaves_what_was_without_them(
    till: ApiClient, programme: Programme, delay: int, steps: list[Step]
) -> None:
    """Whatever is spent and waits in between: the balance is that of a member who never had the events."""
    if not EventType.objects.exists():
        terms_set(programme=programme, terms=TermsRule(delay_days=delay), now=LONG_AGO + timedelta(days=1))
        event_type(programme, "any", points=40)
    count = Member.objects.count()
    numbers = [MemberFactory(programme=programme, number=f"P{count + n}").number for n in range(2)]
    with time_machine.travel(MONDAY, tick=False) as clock:
        _run(till, numbers, steps, clock)
        with_events, without = (balance(till, number) for number in numbers)
    assert with_events == without


def _run(till: ApiClient, numbers: list[str], steps: list[Step], clock: Any) -> None:
    open_events: list[str] = []

    def give(amount: int) -> None:
        reference = f"{numbers[0]}-{len(open_events)}-{Event.objects.count()}"
        now = timezone.now().isoformat()
        assert event(till, reference, type="any", member=numbers[0], occurred_at=now).status_code == 201
        open_events.append(reference)

    def back(amount: int) -> None:
        if open_events:
            reference = open_events.pop(amount % len(open_events))
            assert take_back(till, reference, f"B-{reference}").status_code == 201

    for number in numbers:
        assert adjust(till, number, 500).status_code == 201
    actions: dict[str, Callable[[int], None]] = {
        "event": give,
        "back": back,
        "wait": lambda hours: clock.shift(timedelta(hours=hours)),
        "spend": lambda points: [adjust(till, number, -points) for number in numbers] and None,
    }
    for name, amount in steps:
        actions[name](amount)
    while open_events:
        back(0)


def test_debt_of_a_reversal_is_paid_by_the_next_event(till: ApiClient, programme: Programme) -> None:
    event_type(programme)
    event(till, "A")
    adjust(till, "10042", -50)
    take_back(till, "A", "BACK-A")
    assert balance(till)["debt"] == 50
    event(till, "B")
    assert balance(till) == {"available": 0, "pending": 0, "held": 0, "debt": 0}
    assert Account.objects.get().seq == 4
