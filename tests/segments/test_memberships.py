"""Who is in a segment, and when."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from django.db import IntegrityError, connection
from django.db import transaction as db_transaction

from config.kernel.errors import NotFound, ValidationFailed
from members.models import Member, OutboxEvent, Programme
from segments.errors import BackdatedMembership, SegmentExists
from segments.models import Membership, Segment
from segments.selectors import segment_by_code, segments_shown_to
from segments.services import membership_add, membership_remove, segment_create
from tests.factories import LONG_AGO as NOW
from tests.factories import MemberFactory, MembershipFactory, ProgrammeFactory, SegmentFactory
from tests.segments.belonging import codes_at

HOUR = timedelta(hours=1)


@pytest.fixture
def vip(programme: Programme) -> Segment:
    return segment_create(programme=programme, code="vip-bxl", name="VIP Brussels")


def test_it_works(vip: Segment, ada: Member, bob: Member) -> None:
    membership, is_new = membership_add(segment=vip, member=ada, now=NOW, reason="CRM sync")
    assert is_new
    assert (membership.valid_from, membership.valid_until, membership.source) == (NOW, None, "api")
    assert codes_at(ada, NOW) == ["vip-bxl"]
    assert codes_at(bob, NOW) == []
    event = OutboxEvent.objects.get()
    assert (event.type, event.body, event.member_id) == (
        "segment.member_added",
        {"segment": "vip-bxl"},
        ada.pk,
    )


def test_start_is_inside_and_end_outside(vip: Segment, ada: Member) -> None:
    membership_add(segment=vip, member=ada, now=NOW)
    assert membership_remove(segment=vip, member=ada, now=NOW + HOUR)
    moment = timedelta(microseconds=1)
    for at, codes in [
        (NOW - moment, []),
        (NOW, ["vip-bxl"]),
        (NOW + HOUR - moment, ["vip-bxl"]),
        (NOW + HOUR, []),
    ]:
        assert codes_at(ada, at) == codes


def test_twice_is_once(vip: Segment, ada: Member) -> None:
    first, _ = membership_add(segment=vip, member=ada, now=NOW)
    again, is_new = membership_add(segment=vip, member=ada, now=NOW + HOUR)
    assert (again, is_new) == (first, False)
    assert OutboxEvent.objects.count() == 1


def test_out_and_in_again(vip: Segment, ada: Member) -> None:
    membership_add(segment=vip, member=ada, now=NOW)
    membership_remove(segment=vip, member=ada, now=NOW + HOUR)
    assert not membership_remove(segment=vip, member=ada, now=NOW + HOUR)
    _, is_new = membership_add(segment=vip, member=ada, now=NOW + HOUR)
    assert is_new
    assert Membership.objects.count() == 2


def test_now_although_later_is_planned(vip: Segment, ada: Member) -> None:
    membership_add(segment=vip, member=ada, now=NOW, valid_from=NOW + HOUR)
    membership, is_new = membership_add(segment=vip, member=ada, now=NOW)
    assert (is_new, membership.valid_until) == (True, NOW + HOUR)


def test_removing_drops_what_has_not_begun(vip: Segment, ada: Member) -> None:
    membership_add(segment=vip, member=ada, now=NOW, valid_from=NOW + HOUR)
    assert membership_remove(segment=vip, member=ada, now=NOW)
    assert not Membership.objects.exists()


def test_only_staff_and_imports_reach_back(vip: Segment, ada: Member) -> None:
    with pytest.raises(BackdatedMembership):
        membership_add(segment=vip, member=ada, now=NOW, valid_from=NOW - HOUR)
    assert not Membership.objects.exists()
    for source in (Membership.Source.STAFF, Membership.Source.IMPORT):
        membership_add(segment=vip, member=ada, now=NOW, valid_from=NOW - HOUR, source=source)
    assert codes_at(ada, NOW - HOUR) == ["vip-bxl"]


def test_a_foreign_member_is_like_none(vip: Segment) -> None:
    stranger = MemberFactory(programme=ProgrammeFactory())
    with pytest.raises(NotFound):
        membership_add(segment=vip, member=stranger, now=NOW)
    assert not Membership.objects.exists()
    with pytest.raises(NotFound):
        segment_by_code(stranger.programme, "vip-bxl")


@pytest.mark.parametrize("code", ["../x", "", ".x", "a" * 65])
def test_codes(programme: Programme, code: str) -> None:
    with pytest.raises(ValidationFailed):
        segment_create(programme=programme, code=code, name="X")
    assert not Segment.objects.exists()


def test_a_code_is_taken_once_per_programme(vip: Segment) -> None:
    with pytest.raises(SegmentExists):
        segment_create(programme=vip.programme, code="vip-bxl", name="Again")
    segment_create(programme=ProgrammeFactory(), code="vip-bxl", name="Elsewhere")
    assert Segment.objects.count() == 2


def test_segments_shown_to_a_member(ada: Member) -> None:
    shown = SegmentFactory(programme=ada.programme, is_shown_to_members=True)
    hidden = SegmentFactory(programme=ada.programme)
    SegmentFactory(programme=ada.programme, is_shown_to_members=True)
    for segment in (shown, hidden):
        membership_add(segment=segment, member=ada, now=NOW)
    assert list(segments_shown_to(ada.programme, ada, NOW)) == [shown]


@pytest.mark.django_db(transaction=True)
def test_twenty_at_once_are_one(vip: Segment, ada: Member) -> None:
    def add(_: int) -> bool:
        try:
            return membership_add(segment=vip, member=ada, now=NOW)[1]
        finally:
            connection.close()

    with ThreadPoolExecutor(20) as callers:
        assert sorted(callers.map(add, range(20))) == [False] * 19 + [True]
    assert Membership.objects.count() == OutboxEvent.objects.count() == 1


def refused(constraint: str, **fields: object) -> None:
    """The database itself refuses this row, by the constraint of this name."""
    with pytest.raises(IntegrityError, match=constraint), db_transaction.atomic():
        MembershipFactory(**fields)


@pytest.mark.parametrize(
    ("start", "end"),
    [(NOW, None), (NOW + HOUR, NOW + 2 * HOUR), (NOW - HOUR, NOW + HOUR), (NOW - HOUR, None)],
)
def test_the_database_refuses_overlaps(
    vip: Segment, ada: Member, start: datetime, end: datetime | None
) -> None:
    MembershipFactory(segment=vip, member=ada, valid_from=NOW, valid_until=NOW + 3 * HOUR)
    refused("membership_once_at_a_time", segment=vip, member=ada, valid_from=start, valid_until=end)
    MembershipFactory(segment=vip, member=ada, valid_from=NOW - HOUR, valid_until=NOW)
    MembershipFactory(segment=vip, member=ada, valid_from=NOW + 3 * HOUR)


def test_the_database_refuses_an_end_before_the_start(vip: Segment, ada: Member) -> None:
    for end in (NOW, NOW - HOUR):
        refused(
            "membership_ends_after_start|lower bound",
            segment=vip,
            member=ada,
            valid_from=NOW,
            valid_until=end,
        )


def test_the_database_refuses_to_mix_programmes(vip: Segment, ada: Member) -> None:
    other = ProgrammeFactory()
    refused("membership_segment_of_programme", segment=SegmentFactory(programme=other), member=ada)
    refused(
        "membership_member_of_programme",
        programme=vip.programme,
        segment=vip,
        member=MemberFactory(programme=other),
    )
    refused("membership_(segment|member)_of_programme", programme=other, segment=vip, member=ada)
