"""Dynamic segments: criteria saved, members entering and leaving as dated facts, and pins that win."""

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from config.kernel.errors import ValidationFailed
from members.errors import MemberNotActive, ProgrammeNotActive
from members.models import Activity, Member, OutboxEvent, Programme
from segments.errors import SegmentIsDynamic, SegmentIsStatic
from segments.models import Membership, Pin, Refresh, Segment
from segments.services import (
    criteria_save,
    member_pin,
    member_pin_out,
    member_unpin,
    membership_add,
    membership_remove,
    refresh_all,
    refresh_request,
    refresh_run,
    refreshes_forget,
)
from tests.factories import ApiClient, MemberFactory, MembershipFactory, ProgrammeFactory, SegmentFactory
from tests.segments.belonging import codes_at
from tests.statements import statements

pytestmark = pytest.mark.django_db

URL = "/api/v1/segments/spenders/members"
SPENT = {"field": "spend", "op": "more_than", "value": "200", "days": 90}
DAY = timedelta(days=1)


@pytest.fixture
def spenders(programme: Programme) -> Segment:
    return SegmentFactory(programme=programme, code="spenders", kind="dynamic", criteria=SPENT)


def spend(member: Member, amount: str, days_ago: int = 1) -> None:
    today = timezone.now().astimezone(ZoneInfo(member.programme.time_zone)).date()
    day = today - timedelta(days=days_ago)
    Activity.objects.create(programme=member.programme, member=member, day=day, spend=amount, transactions=1)


def refresh(segment: Segment, at: Any = None) -> Refresh:
    asked = refresh_request(segment=segment, now=timezone.now())
    refresh_run(refresh_id=asked.pk, now=at or timezone.now())
    asked.refresh_from_db()
    return asked


def is_in(member: Member, segment: Segment, at: Any = None) -> bool:
    return segment.code in codes_at(member, at or timezone.now())


def news() -> list[tuple[str, int | None]]:
    rows = OutboxEvent.objects.order_by("recorded_at", "id")
    return list(rows.values_list("type", "member_id"))


def test_it_works(spenders: Segment, ada: Member, bob: Member) -> None:
    spend(ada, "200.01")
    spend(bob, "200.00")
    done = refresh(spenders)
    assert (done.status, done.entered, done.left, done.size) == ("done", 1, 0, 1)
    membership = Membership.objects.get()
    assert (membership.member, membership.source, membership.reason) == (
        ada,
        "criteria",
        "Meets the criteria",
    )
    assert membership.valid_from == done.finished_at
    assert news() == [("segment.member_added", ada.pk)]
    assert OutboxEvent.objects.get().body == {"segment": "spenders"}
    assert OutboxEvent.objects.get().id.version == 7


def test_leaving_is_a_dated_fact_too(spenders: Segment, ada: Member) -> None:
    spend(ada, "300")
    first = refresh(spenders)
    Activity.objects.update(spend=100)
    second = refresh(spenders)
    assert (second.entered, second.left, second.size) == (0, 1, 0)
    membership = Membership.objects.get()
    assert membership.valid_until == second.finished_at
    assert (membership.end_source, membership.end_reason) == ("criteria", "No longer meets the criteria")
    assert is_in(ada, spenders, first.finished_at)
    assert not is_in(ada, spenders)
    assert [type_ for type_, _ in news()] == ["segment.member_added", "segment.member_removed"]
    Activity.objects.update(spend=300)
    assert refresh(spenders).entered == 1
    assert Membership.objects.count() == 2


def test_nothing_moves_twice(spenders: Segment, ada: Member) -> None:
    spend(ada, "300")
    once = refresh(spenders)
    refresh_run(refresh_id=once.pk, now=timezone.now() + DAY)
    again = refresh(spenders)
    assert (again.entered, again.left, again.size) == (0, 0, 1)
    assert Membership.objects.count() == OutboxEvent.objects.count() == 1
    once.refresh_from_db()
    assert once.entered == 1


def test_time_alone_moves_members(spenders: Segment, ada: Member) -> None:
    spend(ada, "300", days_ago=0)
    assert refresh(spenders).size == 1
    assert refresh(spenders, timezone.now() + 89 * DAY).size == 1
    assert refresh(spenders, timezone.now() + 90 * DAY).size == 0


def test_a_clock_that_lags_does_not_write_before_others(spenders: Segment, ada: Member) -> None:
    spend(ada, "300")
    ahead = refresh(spenders, timezone.now() + DAY)
    Activity.objects.update(spend=0)
    behind = refresh(spenders, timezone.now())
    assert behind.finished_at == ahead.finished_at
    assert Membership.objects.get().valid_from == ahead.finished_at


def test_one_statement_per_direction(spenders: Segment, ada: Member) -> None:
    members = MemberFactory.create_batch(20, programme=ada.programme)
    for member in members[:10]:
        spend(member, "300")
    for member in members[10:]:
        MembershipFactory(segment=spenders, member=member)
    asked = refresh_request(segment=spenders, now=timezone.now())
    with statements() as sent:
        done = refresh_run(refresh_id=asked.pk, now=timezone.now())
    assert (done.entered, done.left) == (10, 10)
    writing = [text for text in sent if "segments_membership" in text and "moved AS" in text]
    assert len(writing) == 2
    assert not any("members_outboxevent" in text for text in sent if text not in writing)


def test_other_programmes_and_segments_are_left_alone(spenders: Segment, ada: Member) -> None:
    stranger = MemberFactory(programme=ProgrammeFactory())
    for member in (ada, stranger):
        spend(member, "300")
    other = MembershipFactory(segment__programme=ada.programme, member=MemberFactory(programme=ada.programme))
    foreign = MembershipFactory(member=stranger)
    assert refresh(spenders).size == 1
    for membership in (other, foreign):
        membership.refresh_from_db()
        assert membership.valid_until is None
    assert set(Membership.objects.filter(source="criteria").values_list("member", flat=True)) == {ada.pk}


def test_without_criteria_nobody_is_meant(programme: Programme, ada: Member, bob: Member) -> None:
    empty = SegmentFactory(programme=programme, kind="dynamic")
    MembershipFactory(segment=empty, member=ada)
    member_pin(segment=empty, member=bob, reason="Founder", now=timezone.now())
    assert (refresh(empty).size, is_in(ada, empty), is_in(bob, empty)) == (1, False, True)


def test_a_failed_refresh_changes_nothing_and_says_so(spenders: Segment, ada: Member) -> None:
    spend(ada, "300")
    Segment.objects.filter(pk=spenders.pk).update(criteria={"field": "gone"})
    asked = refresh_request(segment=spenders, now=timezone.now())
    with pytest.raises(ValueError, match="field"):
        refresh_run(refresh_id=asked.pk, now=timezone.now())
    asked.refresh_from_db()
    assert asked.status == "failed"
    assert not Membership.objects.exists()
    Segment.objects.filter(pk=spenders.pk).update(criteria=SPENT)
    assert refresh_run(refresh_id=asked.pk, now=timezone.now()).status == "done"


# --- Saving ---------------------------------------------------------------------------------------------


def test_saving_criteria_asks_for_a_refresh_and_keeps_versions(spenders: Segment) -> None:
    asked = criteria_save(segment=spenders, criteria=SPENT | {"value": "50"}, now=timezone.now(), by="carol")
    assert (asked.status, asked.asked_by) == ("waiting", "carol")
    job = ProcrastinateJob.objects.get()
    assert (job.task_name, job.args) == ("segments.tasks.refresh_segment", {"refresh": asked.pk})
    versions = Segment.history.filter(code="spenders").values_list("criteria", flat=True)
    assert [version["value"] for version in versions] == ["50", "200"]


def test_wrong_criteria_are_refused_with_pointers(spenders: Segment, programme: Programme) -> None:
    with pytest.raises(ValidationFailed) as caught:
        criteria_save(segment=spenders, criteria={"all": [SPENT, {"field": "x"}]}, now=timezone.now())
    assert [error.pointer for error in caught.value.errors] == ["/all/1/field"]
    with pytest.raises(SegmentIsStatic):
        criteria_save(segment=SegmentFactory(programme=programme), criteria=SPENT, now=timezone.now())
    programme.status = "closed"
    programme.save()
    spenders.refresh_from_db()
    with pytest.raises(ProgrammeNotActive):
        criteria_save(segment=spenders, criteria=SPENT, now=timezone.now())
    spenders.refresh_from_db()
    assert spenders.criteria == SPENT
    assert not Refresh.objects.exists()
    assert not ProcrastinateJob.objects.exists()


def test_all_dynamic_segments_of_active_programmes_are_asked_for(spenders: Segment) -> None:
    SegmentFactory(programme=spenders.programme)
    SegmentFactory(kind="dynamic", programme=ProgrammeFactory(status="closed"))
    assert refresh_all(now=timezone.now()) == 1
    assert Refresh.objects.get().segment == spenders
    assert refresh_all(now=timezone.now()) == 0
    assert refresh_all(now=timezone.now() + DAY) == 1
    assert refreshes_forget(now=timezone.now() + 390 * DAY) == 0
    assert refreshes_forget(now=timezone.now() + 402 * DAY) == 2


# --- Pins -----------------------------------------------------------------------------------------------


def test_pins_win_over_criteria(spenders: Segment, ada: Member, bob: Member) -> None:
    spend(ada, "300")
    member_pin_out(segment=spenders, member=ada, reason="Works here", now=timezone.now())
    membership, is_new = member_pin(segment=spenders, member=bob, reason="Founder", now=timezone.now())
    assert (is_new, membership.reason, membership.source) == (True, "Founder", "api")
    done = refresh(spenders)
    assert (done.entered, done.left, done.size) == (0, 0, 1)
    assert (is_in(ada, spenders), is_in(bob, spenders)) == (False, True)


def test_unpinned_members_are_the_criterias_again(spenders: Segment, ada: Member, bob: Member) -> None:
    test_pins_win_over_criteria(spenders, ada, bob)
    for member in (ada, bob):
        assert member_unpin(segment=spenders, member=member, now=timezone.now())
        assert not member_unpin(segment=spenders, member=member, now=timezone.now())
    assert is_in(bob, spenders)
    done = refresh(spenders)
    assert (done.entered, done.left) == (1, 1)
    assert (is_in(ada, spenders), is_in(bob, spenders)) == (True, False)


def test_pinning_out_ends_at_once_with_its_reason(spenders: Segment, ada: Member) -> None:
    spend(ada, "300")
    refresh(spenders)
    member_pin_out(segment=spenders, member=ada, reason="Works here", now=timezone.now(), source="staff")
    membership = Membership.objects.get()
    assert (membership.end_reason, membership.end_source) == ("Works here", "staff")
    assert [type_ for type_, _ in news()] == ["segment.member_added", "segment.member_removed"]
    member_pin(segment=spenders, member=ada, reason="Left the company", now=timezone.now())
    assert Pin.objects.get().is_in
    assert is_in(ada, spenders)


def test_who_may_be_pinned(spenders: Segment, ada: Member) -> None:
    static = SegmentFactory(programme=ada.programme)
    with pytest.raises(SegmentIsStatic):
        member_pin(segment=static, member=ada, reason="x", now=timezone.now())
    with pytest.raises(ValidationFailed):
        member_pin(segment=spenders, member=ada, reason=" ", now=timezone.now())
    Member.objects.filter(pk=ada.pk).update(status="closed")
    with pytest.raises(MemberNotActive):
        member_pin(segment=spenders, member=ada, reason="x", now=timezone.now())
    assert not Pin.objects.exists()
    assert not Membership.objects.exists()


def test_hands_are_refused(spenders: Segment, ada: Member) -> None:
    MembershipFactory(segment=spenders, member=ada)
    with pytest.raises(SegmentIsDynamic):
        membership_add(segment=spenders, member=ada, now=timezone.now(), source="staff")
    with pytest.raises(SegmentIsDynamic):
        membership_remove(segment=spenders, member=ada, now=timezone.now())
    assert is_in(ada, spenders)


# --- The API --------------------------------------------------------------------------------------------


def test_api_hand_edits_are_409(till: ApiClient, spenders: Segment, ada: Member) -> None:
    answers = [till.put_json(f"{URL}/10042", {"reason": "x"}), till.delete(f"{URL}/10042")]
    assert {(answer.status_code, answer.json()["code"]) for answer in answers} == {
        (409, "segment_is_dynamic")
    }
    batch = till.post_json(URL, {"operations": [{"op": op, "member": "10042"} for op in ("add", "remove")]})
    assert batch.status_code == 200
    assert {item["code"] for item in batch.json()["results"]} == {"segment_is_dynamic"}
    assert not Membership.objects.exists()
    assert not Pin.objects.exists()


def test_api_pins(till: ApiClient, spenders: Segment, ada: Member) -> None:
    put = till.put_json(f"{URL}/10042", {"pin": True, "reason": "Founder"})
    assert (put.status_code, put.json()["pinned"], put.json()["reason"]) == (201, True, "Founder")
    again = till.put_json(f"{URL}/10042", {"pin": True, "reason": "Once more"})
    assert (again.status_code, again.json()) == (200, put.json())
    assert till.get(URL).json()["items"] == [put.json()]
    assert till.get("/api/v1/segments").json()["items"][0]["pins"] == {"in": 1, "out": 0}
    (own,) = till.get("/api/v1/members/10042/segments").json()["items"]
    assert (own["kind"], own["pinned"]) == ("dynamic", True)
    assert till.delete(f"{URL}/10042?pin=true&reason=Works%20here").status_code == 204
    assert not is_in(ada, spenders)
    assert till.get("/api/v1/segments").json()["items"][0]["pins"] == {"in": 0, "out": 1}
    assert Membership.objects.get().end_reason == "Works here"


def test_api_batch_pins(till: ApiClient, spenders: Segment, ada: Member, bob: Member) -> None:
    operations: list[dict[str, Any]] = [
        {"op": "add", "member": "10042", "pin": True, "reason": "Founder"},
        {"op": "add", "member": "10042", "pin": True, "reason": "Founder"},
        {"op": "remove", "member": "10043", "pin": True, "reason": "Works here"},
        {"op": "add", "member": "10043", "pin": True},
        {"op": "unpin", "member": "10042"},
        {"op": "unpin", "member": "10042"},
    ]
    answer = till.post_json(URL, {"operations": operations})
    assert [(item["status"], item.get("code")) for item in answer.json()["results"]] == [
        ("added", None),
        ("unchanged", None),
        ("pinned", None),
        ("rejected", "validation_error"),
        ("unpinned", None),
        ("unchanged", None),
    ]
    assert Pin.objects.get().member == bob
    assert answer.json()["applied"] == 3


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("put", "10042", {"pin": True}),
        ("put", "10042", {"pin": True, "reason": "x", "valid_from": "2030-01-01T00:00:00Z"}),
        ("put", "10042", {"pin": "true", "reason": "x"}),
        ("delete", "10042?pin=true", None),
        ("delete", "10042?pin=1&reason=x", None),
        ("delete", f"10042?pin=true&reason={'x' * 201}", None),
        ("delete", "10042?pin=true&reason=%00", None),
    ],
)
def test_api_wrong_pins(
    till: ApiClient, spenders: Segment, ada: Member, method: str, path: str, body: Any
) -> None:
    call = till.delete if body is None else till.put_json
    answer = call(f"{URL}/{path}", *([] if body is None else [body]))
    assert (answer.status_code, answer.json()["code"]) == (422, "validation_error")
    assert not Pin.objects.exists()


def test_api_pins_of_static_segments_are_refused(till: ApiClient, ada: Member) -> None:
    SegmentFactory(programme=ada.programme, code="by-hand")
    url = "/api/v1/segments/by-hand/members"
    put = till.put_json(f"{url}/10042", {"pin": True, "reason": "x"})
    assert (put.status_code, put.json()["code"]) == (422, "validation_error")
    batch = till.post_json(url, {"operations": [{"op": "unpin", "member": "10042"}]})
    assert batch.json()["results"][0]["code"] == "validation_error"
    assert not Membership.objects.exists()


def test_api_outsiders(till: ApiClient, eve: ApiClient, spenders: Segment, ada: Member) -> None:
    unknown = till.put_json("/api/v1/segments/none/members/10042", {"pin": True, "reason": "x"})
    calls = [
        eve.put_json(f"{URL}/10042", {"pin": True, "reason": "x"}),
        eve.delete(f"{URL}/10042?pin=true&reason=x"),
        eve.post_json(URL, {"operations": [{"op": "unpin", "member": "10042"}]}),
    ]
    for answer in calls:
        assert answer.json() | {"instance": ""} == unknown.json() | {"instance": ""}
        assert answer.status_code == 404
    reader = ApiClient(spenders.programme, scopes=["segments:read"])
    assert reader.put_json(f"{URL}/10042", {"pin": True, "reason": "x"}).status_code == 403
    assert reader.delete(f"{URL}/10042?pin=true&reason=x").status_code == 403
    assert not Pin.objects.exists()


@pytest.mark.parametrize("url", ["/api/v1/segments", URL, "/api/v1/members/10042/segments"])
def test_api_lists_ask_a_fixed_number_of_times(
    till: ApiClient, spenders: Segment, ada: Member, url: str
) -> None:
    till.get(url)
    counts = []
    for _ in range(2):
        for member in MemberFactory.create_batch(3, programme=ada.programme):
            member_pin(segment=spenders, member=member, reason="x", now=timezone.now())
        for _ in range(3):
            segment = SegmentFactory(programme=ada.programme, kind="dynamic")
            member_pin(segment=segment, member=ada, reason="x", now=timezone.now())
        with statements() as sent:
            assert till.get(url).status_code == 200
        counts.append(len(sent))
    assert counts[0] == counts[1] <= 4
