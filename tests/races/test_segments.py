"""Memberships and refreshes from many connections at once: one fact, one piece of news, no error of ours."""

from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from itertools import count
from threading import Barrier, BrokenBarrierError
from typing import Any

import pytest
from django.db import IntegrityError, OperationalError
from django.utils import timezone

from members.models import Activity, Member, OutboxEvent, Programme
from segments.models import Membership, Pin, Refresh, Segment
from segments.services import batches, member_pin_out, memberships, refresh_request, refresh_run, refreshing
from tests.factories import ApiClient, MemberFactory, SegmentFactory
from tests.races.crowd import at_once, somebody_waits, twin, waiting, without_constraint
from tests.segments.belonging import codes_at

pytestmark = pytest.mark.django_db(transaction=True)

ONCE = ("segments_membership", "membership_once_at_a_time")
SPENT = {"field": "spend", "op": "more_than", "value": "200"}


# --- By hand --------------------------------------------------------------------------------------------


@pytest.fixture
def vip(programme: Programme) -> Segment:
    return SegmentFactory(programme=programme, code="vip")


def put_at_once(till: ApiClient) -> list[int]:
    def caller() -> Callable[[], int]:
        client = twin(till)
        return lambda: int(client.put_json("/api/v1/segments/vip/members/10042", {}).status_code)

    return at_once([caller() for _ in range(10)])


def check_one_membership(statuses: list[int]) -> None:
    assert Counter(statuses) == {201: 1, 200: 9}
    assert Membership.objects.count() == OutboxEvent.objects.count() == 1


def test_ten_put_one_member_in(
    till: ApiClient, ada: Member, vip: Segment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memberships, "member_locked", waiting(10, memberships.member_locked))
    check_one_membership(put_at_once(till))


def test_without_lock_and_constraint_there_are_many(
    till: ApiClient, ada: Member, vip: Segment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memberships, "member_locked", lambda member: member)
    monkeypatch.setattr(memberships, "_next_start", waiting(10, memberships._next_start))
    with without_constraint(*ONCE):
        statuses = put_at_once(till)
        with pytest.raises(AssertionError):
            check_one_membership(statuses)
        assert Membership.objects.count() > 1


def test_in_and_out_at_once_stay_in_step(till: ApiClient, ada: Member, vip: Segment, monday: Any) -> None:
    """Whatever the order: no overlaps, each end after its start, as much news as facts."""

    url = "/api/v1/segments/vip/members/10042"

    def turn(number: int) -> Callable[[], int]:
        client = twin(till)
        answer = [
            lambda: client.put_json(url, {}),
            lambda: client.delete(url),
            lambda: client.post_json(f"{url[:-6]}", {"operations": [{"op": "add", "member": "10042"}]}),
        ][number % 3]
        return lambda: int(answer().status_code)

    for _ in range(3):
        statuses = at_once([turn(number) for number in range(30)])
        assert set(statuses) <= {200, 201, 204}
        monday.shift(timedelta(minutes=1))
    open_rows = Membership.objects.filter(valid_until=None).count()
    assert open_rows == len(codes_at(ada, timezone.now())) <= 1
    news = Counter(OutboxEvent.objects.values_list("type", flat=True))
    ended = Membership.objects.exclude(valid_until=None).count()
    assert news["segment.member_removed"] == ended
    assert news["segment.member_added"] >= open_rows + ended


# --- By criteria ----------------------------------------------------------------------------------------


@pytest.fixture
def spenders(programme: Programme) -> Segment:
    segment = SegmentFactory(programme=programme, code="spenders", kind="dynamic", criteria=SPENT)
    for member in MemberFactory.create_batch(50, programme=programme):
        Activity.objects.create(
            programme=programme, member=member, day=timezone.now().date(), spend=300, transactions=1
        )
    return segment


def refresh_at_once(segment: Segment) -> list[Refresh]:
    asked = [refresh_request(segment=segment, now=timezone.now()) for _ in range(8)]
    return at_once(
        [lambda pk=row.pk: refresh_run(refresh_id=pk, now=timezone.now()) for row in asked], threads=8
    )


def test_eight_refreshes_at_once_are_one(spenders: Segment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refreshing, "segment_lock", waiting(8, refreshing.segment_lock))
    done = refresh_at_once(spenders)
    assert sorted(row.entered or 0 for row in done) == [0] * 7 + [50]
    assert {row.size for row in done} == {50}
    assert Membership.objects.count() == OutboxEvent.objects.count() == 50


def test_without_the_lock_they_collide(spenders: Segment, monkeypatch: pytest.MonkeyPatch) -> None:
    """One is refused by the constraint, or by PostgreSQL where two wait for each other's rows."""
    size_of, turns = refreshing._size_of, count()

    def late(segment: Segment) -> int:
        if next(turns) == 0:
            somebody_waits()
        return size_of(segment)

    monkeypatch.setattr(refreshing, "segment_lock", lambda segment: None)
    monkeypatch.setattr(refreshing, "_size_of", late)
    with pytest.raises(
        (IntegrityError, OperationalError), match=r"membership_once_at_a_time|deadlock detected"
    ):
        refresh_at_once(spenders)


def test_without_lock_and_constraint_members_are_in_many_times(
    spenders: Segment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refreshing, "segment_lock", lambda segment: None)
    monkeypatch.setattr(refreshing, "_size_of", waiting(8, refreshing._size_of))
    with without_constraint(*ONCE):
        refresh_at_once(spenders)
        assert Membership.objects.count() > 50


def pin_during_refresh(segment: Segment, monkeypatch: pytest.MonkeyPatch) -> bool:
    """A member is pinned out while a refresh has decided but not written; whether they are in afterwards."""
    member = Member.objects.filter(activity__isnull=False).earliest("pk")
    asked = refresh_request(segment=segment, now=timezone.now())
    decided, pinned = Barrier(2), Barrier(2)
    write = refreshing._size_of

    def late(*args: Any) -> Any:
        with suppress(BrokenBarrierError):
            decided.wait(timeout=2)
            pinned.wait(timeout=0.5)
        return write(*args)

    def pin() -> None:
        with suppress(BrokenBarrierError):
            decided.wait(timeout=2)
        member_pin_out(segment=segment, member=member, reason="Works here", now=timezone.now())
        with suppress(BrokenBarrierError):
            pinned.wait(timeout=0.1)

    monkeypatch.setattr(refreshing, "_size_of", late)
    at_once([lambda: refresh_run(refresh_id=asked.pk, now=timezone.now()), pin], threads=2)
    assert not Pin.objects.get().is_in
    return Membership.objects.filter(member=member, valid_until=None).exists()


def test_a_pin_waits_for_the_refresh_and_wins(spenders: Segment, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not pin_during_refresh(spenders, monkeypatch)


def test_a_pin_that_does_not_wait_is_overrun(spenders: Segment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "segment_lock", lambda segment: None)
    assert pin_during_refresh(spenders, monkeypatch)
