"""/api/v1/segments, /api/v1/segments/{segment}/members and /api/v1/segments/{segment}/members/{member}"""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from members.models import Member, OutboxEvent, Programme
from segments.models import Membership, Segment
from segments.services import membership_add
from tests.factories import ApiClient, MembershipFactory, SegmentFactory
from tests.segments.belonging import codes_at
from tests.statements import statements

URL = "/api/v1/segments/vip-bxl/members"


@pytest.fixture
def vip(programme: Programme) -> Segment:
    return SegmentFactory(programme=programme, code="vip-bxl", name="VIP Brussels")


def put(client: ApiClient, member: str = "10042", **body: Any) -> Any:
    return client.put_json(f"{URL}/{member}", body)


def run(client: ApiClient, *operations: dict[str, Any]) -> Any:
    return client.post_json(URL, {"operations": list(operations)})


def in_segment(member: Member) -> bool:
    return "vip-bxl" in codes_at(member, timezone.now())


def test_put_and_delete(till: ApiClient, ada: Member, vip: Segment) -> None:
    answer = put(till, reason="CRM sync")
    assert (answer.status_code, answer.json()["member"], answer.json()["reason"]) == (
        201,
        "10042",
        "CRM sync",
    )
    assert in_segment(ada)
    again = put(till, reason="once more")
    assert (again.status_code, again.json()) == (200, answer.json())
    assert till.delete(f"{URL}/10042").status_code == 204
    assert not in_segment(ada)
    assert till.delete(f"{URL}/10042").status_code == 204
    assert Membership.objects.count() == 1
    assert list(OutboxEvent.objects.values_list("type", flat=True)) == [
        "segment.member_added",
        "segment.member_removed",
    ]


def test_a_later_start_is_kept(till: ApiClient, ada: Member, vip: Segment) -> None:
    tomorrow = timezone.now() + timedelta(days=1)
    assert put(till, valid_from=tomorrow.isoformat()).status_code == 201
    assert not in_segment(ada)
    assert codes_at(ada, tomorrow) == ["vip-bxl"]


def test_the_past_is_for_staff(till: ApiClient, ada: Member, vip: Segment) -> None:
    answer = put(till, valid_from="2026-01-01T00:00:00Z")
    assert (answer.status_code, answer.json()["code"]) == (422, "validation_error")
    assert Membership.objects.count() == 0


def test_a_batch_says_what_became_of_each(till: ApiClient, ada: Member, bob: Member, vip: Segment) -> None:
    MembershipFactory(member=bob, segment=vip)
    answer = run(
        till,
        {"op": "add", "member": "10042", "reason": "CRM sync"},
        {"op": "add", "member": "10042"},
        {"op": "remove", "member": "10043"},
        {"op": "remove", "member": "10043"},
        {"op": "add", "member": "nobody"},
        {"op": "add", "member": "10042", "valid_from": "2020-01-01T00:00:00Z"},
    )
    assert answer.status_code == 200, answer.content
    body = answer.json()
    assert (body["applied"], body["unchanged"], body["rejected"]) == (2, 2, 2)
    assert [(x["status"], x.get("code")) for x in body["results"]] == [
        ("added", None),
        ("unchanged", None),
        ("removed", None),
        ("unchanged", None),
        ("rejected", "not_found"),
        ("rejected", "validation_error"),
    ]
    assert in_segment(ada)
    assert not in_segment(bob)


def test_in_and_out_in_one_batch_leaves_nothing(till: ApiClient, ada: Member, vip: Segment) -> None:
    run(till, {"op": "add", "member": "10042"}, {"op": "remove", "member": "10042"})
    assert (Membership.objects.count(), OutboxEvent.objects.count()) == (0, 0)
    run(till, {"op": "add", "member": "10042"})
    run(till, {"op": "remove", "member": "10042"}, {"op": "add", "member": "10042", "reason": "back"})
    assert in_segment(ada)
    assert Membership.objects.count() == 2


def test_a_batch_of_a_thousand_costs_a_handful_of_statements(till: ApiClient, vip: Segment) -> None:
    Member.objects.bulk_create(
        Member(programme=vip.programme, number=f"m{number}", enrolled_at=timezone.now())
        for number in range(1000)
    )
    run(till, {"op": "add", "member": "m0"})
    with statements() as sent:
        answer = run(till, *({"op": "add", "member": f"m{number}"} for number in range(1000)))
    assert (answer.json()["applied"], answer.json()["unchanged"]) == (999, 1)
    assert len(sent) <= 10
    assert Membership.objects.count() == 1000


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"operations": []},
        {"operations": [{"op": "toggle", "member": "10042"}]},
        {"operations": [{"op": "add"}]},
        {"operations": [{"op": "add", "member": "../x"}]},
        {"operations": [{"op": "add", "member": "10042", "until": None}]},
        {"operations": [{"op": "add", "member": "10042", "valid_from": "2030-01-01T00:00:00"}]},
        {"operations": [{"op": "add", "member": "10042"}] * 1001},
    ],
)
def test_wrong_batches_change_nothing(till: ApiClient, ada: Member, vip: Segment, body: Any) -> None:
    answer = till.post_json(URL, body)
    assert (answer.status_code, answer.json()["code"]) == (422, "validation_error")
    assert Membership.objects.count() == 0


def test_who_is_in_it(till: ApiClient, ada: Member, bob: Member, vip: Segment) -> None:
    put(till)
    put(till, "10043")
    till.delete(f"{URL}/10042")
    body = till.get(URL).json()
    assert [item["member"] for item in body["items"]] == ["10043"]
    assert body["items"][0]["source"] == "api"


def test_the_segments(till: ApiClient, eve: ApiClient, vip: Segment) -> None:
    assert till.get("/api/v1/segments").json() == {
        "items": [
            {
                "segment": "vip-bxl",
                "name": "VIP Brussels",
                "kind": "static",
                "shown_to_members": False,
                "pins": {"in": 0, "out": 0},
                "evaluated_at": None,
            }
        ],
        "next_cursor": None,
    }
    assert eve.get("/api/v1/segments").json()["items"] == []


def test_lists_do_not_ask_once_per_row(till: ApiClient, vip: Segment) -> None:
    MembershipFactory.create_batch(5, segment=vip, member__programme=vip.programme)
    till.get(URL)
    with statements() as sent:
        assert len(till.get(URL).json()["items"]) == 5
    assert len(sent) == 3


def test_foreign_and_unknown_are_alike(till: ApiClient, eve: ApiClient, ada: Member, vip: Segment) -> None:
    calls = [
        put(eve),
        eve.delete(f"{URL}/10042"),
        run(eve, {"op": "add", "member": "10042"}),
        eve.get(URL),
        put(till, "nobody"),
        till.delete(f"{URL}/nobody"),
        till.get("/api/v1/segments/none/members"),
    ]
    assert {answer.status_code for answer in calls} == {404}
    assert len({str(answer.json() | {"instance": ""}) for answer in calls}) == 1
    assert Membership.objects.count() == 0


def test_scopes(programme: Programme, ada: Member, vip: Segment) -> None:
    reader = ApiClient(programme, scopes=["segments:read"])
    writer = ApiClient(programme, scopes=["segments:write"])
    refused = [
        put(reader),
        reader.delete(f"{URL}/10042"),
        run(reader, {"op": "add", "member": "10042"}),
        writer.get(URL),
        writer.get("/api/v1/segments"),
    ]
    assert {answer.status_code for answer in refused} == {403}
    assert Membership.objects.count() == 0
    assert put(writer).status_code == 201
    assert reader.get(URL).status_code == 200


def test_closed_programmes_and_members(till: ApiClient, ada: Member, bob: Member, vip: Segment) -> None:
    Member.objects.filter(pk=bob.pk).update(status="closed")
    assert put(till, "10043").json()["code"] == "member_not_active"
    assert run(till, {"op": "add", "member": "10043"}).json()["results"][0]["code"] == "member_not_active"
    membership_add(segment=vip, member=ada, now=timezone.now())
    Programme.objects.filter(pk=vip.programme_id).update(status="closed")
    calls = [put(till), till.delete(f"{URL}/10042"), run(till, {"op": "remove", "member": "10042"})]
    assert {answer.json()["code"] for answer in calls} == {"programme_not_active"}
    assert in_segment(ada)
