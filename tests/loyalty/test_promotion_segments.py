"""/api/v1/promotions and /api/v1/promotions/{promotion}/segments/{segment}"""

from typing import Any

import pytest
import time_machine

from loyalty.models import PromotionSegment
from loyalty.rules import PromotionDraft, PromotionRule
from loyalty.services import promotion_draft_save, promotion_end, promotion_pause, promotion_publish
from members.models import Programme
from segments.models import Segment
from tests.factories import ApiClient, SegmentFactory
from tests.loyalty.worlds import BASKET, LONG_AGO, MONDAY
from tests.statements import statements

pytestmark = pytest.mark.django_db

URL = "/api/v1/promotions/PR-50EUR/segments"
BIG = {**BASKET, "lines": [{"line": "1", "quantity": "1", "amount": "60.00"}]}


@pytest.fixture(autouse=True)
def _club(club: Segment) -> None:
    """PR-50EUR gives 100 points to everyone from 50 euros on; ada is in vip-bxl."""


def put(client: ApiClient, segment: str = "vip-bxl", **body: Any) -> Any:
    return client.put_json(f"{URL}/{segment}", body)


def bonus(client: ApiClient, **changes: Any) -> bool:
    """Whether ada's basket of 60 euros gets the 100 points."""
    body = client.post_json("/api/v1/basket-evaluations", {**BIG, **changes}).json()
    return any(step["rule"] == "PR-50EUR" for step in body["trace"])


def test_it_works(till: ApiClient, programme: Programme) -> None:
    SegmentFactory(programme=programme, code="others")
    answer = put(till, "others", mode="include")
    assert answer.status_code == 201, answer.content
    assert answer.json() == {
        "promotion": "PR-50EUR",
        "segment": "others",
        "mode": "include",
        "valid_from": "2026-11-23T09:15:02Z",
        "valid_until": None,
        "estimated_members": 0,
    }
    assert not bonus(till, occurred_at="2026-11-23T10:15:02+01:00")
    link = put(till)
    assert (link.status_code, link.json()["estimated_members"]) == (201, 1)
    assert bonus(till, occurred_at="2026-11-23T10:15:02+01:00")
    assert [item["segment"] for item in till.get(URL).json()["items"]] == ["vip-bxl", "others"]


def test_the_same_again_is_unchanged(till: ApiClient) -> None:
    dates = {"valid_from": "2026-12-01T00:00:00+01:00", "valid_until": "2027-01-01T00:00:00+01:00"}
    assert put(till, **dates).status_code == 201
    again = put(till, **dates)
    assert (again.status_code, PromotionSegment.objects.count()) == (200, 2)
    later = put(till, **dates | {"valid_until": "2027-02-01T00:00:00+01:00"})
    assert (later.status_code, later.json()["valid_until"]) == (200, "2027-01-31T23:00:00Z")
    assert PromotionSegment.objects.count() == 2


def test_exclude_wins(till: ApiClient) -> None:
    assert bonus(till)
    assert put(till, mode="exclude", valid_from="2026-11-01T00:00:00Z").status_code == 201
    assert not bonus(till)


def test_another_mode_leaves_the_past_as_it_was(till: ApiClient, monday: time_machine.Traveller) -> None:
    put(till, mode="exclude", valid_from="2026-11-01T00:00:00Z")
    monday.shift(3600)
    assert put(till, mode="include").status_code == 201
    assert not bonus(till)
    assert bonus(till, occurred_at="2026-11-23T11:16:00+01:00")


def test_an_ended_include_link_keeps_everybody_out(till: ApiClient, monday: time_machine.Traveller) -> None:
    put(till)
    monday.shift(60)
    assert till.delete(f"{URL}/vip-bxl").status_code == 204
    assert till.delete(f"{URL}/vip-bxl").status_code == 204
    assert not bonus(till, occurred_at="2026-11-23T10:17:00+01:00")
    assert bonus(till, occurred_at="2026-11-23T10:15:30+01:00")
    assert PromotionSegment.objects.get(promotion__code="PR-50EUR").valid_until is not None


@pytest.mark.parametrize(
    "body",
    [
        {"mode": "maybe"},
        {"valid_until": "2026-11-22T00:00:00Z"},
        {"valid_from": "2027-01-01T00:00:00Z", "valid_until": "2027-01-01T00:00:00Z"},
        {"valid_from": "2027-01-01T00:00:00"},
        {"until": None},
    ],
)
def test_what_cannot_be_changes_nothing(till: ApiClient, body: dict[str, Any]) -> None:
    answer = put(till, **body)
    assert (answer.status_code, answer.json()["code"]) == (422, "validation_error")
    assert PromotionSegment.objects.count() == 1


def test_links_do_not_overlap_ended_ones(till: ApiClient, monday: time_machine.Traveller) -> None:
    put(till)
    monday.shift(60)
    till.delete(f"{URL}/vip-bxl")
    answer = put(till, valid_from=MONDAY.isoformat())
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, "overlaps")


def test_the_promotions(till: ApiClient, programme: Programme) -> None:
    weekend = programme.promotions.get(code="PR-WEEKEND")
    promotion_pause(promotion=weekend, now=MONDAY)
    rule = PromotionRule("rate", "0.5", starts_at=MONDAY.replace(year=2027))
    promotion_publish(programme=programme, code="PR-NEXT", name="Next year", rule=rule, now=LONG_AGO)
    till.get("/api/v1/promotions")
    with statements() as sent:
        items = till.get("/api/v1/promotions").json()["items"]
    assert len(sent) == 4
    assert {item["promotion"]: item["status"] for item in items} == {
        "PR-50EUR": "active",
        "PR-CHOC3X": "active",
        "PR-NEXT": "scheduled",
        "PR-WEEKEND": "paused",
    }
    assert items[0]["effect"] == {"type": "fixed", "value": "100"}
    assert {item["promotion"]: item["summary"] for item in items} == {
        "PR-50EUR": "All customers get 100 extra points, for at least 50.00 EUR.",
        "PR-CHOC3X": "Members in segment vip-bxl get base points × 3 on category chocolate.",
        "PR-NEXT": "All customers get 0.5 extra points per EUR, from 23 Nov 2027 10:15.",
        "PR-WEEKEND": "All customers get 50 extra points, Sat Sun.",
    }


def test_promotions_by_status(till: ApiClient, programme: Programme) -> None:
    draft = PromotionDraft("Soon", PromotionRule("fixed", "5", starts_at=MONDAY.replace(year=2027)))
    promotion_draft_save(programme=programme, code="PR-SOON", draft=draft, actor="carol", now=MONDAY)
    promotion_end(promotion=programme.promotions.get(code="PR-50EUR"), now=MONDAY)

    def found(status: str) -> list[str]:
        items = till.get(f"/api/v1/promotions?status={status}").json()["items"]
        assert {item["status"] for item in items} <= {status}
        return [item["promotion"] for item in items]

    assert found("draft") == ["PR-SOON"]
    assert found("active") == ["PR-CHOC3X", "PR-WEEKEND"]
    assert found("ended") == ["PR-50EUR"]
    assert found("paused") == found("scheduled") == []
    everything = till.get("/api/v1/promotions").json()["items"]
    assert [item["promotion"] for item in everything] == ["PR-50EUR", "PR-CHOC3X", "PR-WEEKEND"]
    assert till.get("/api/v1/promotions?status=live").status_code == 422


def test_foreign_and_unknown_are_alike(till: ApiClient, eve: ApiClient) -> None:
    calls = [
        put(eve),
        eve.delete(f"{URL}/vip-bxl"),
        eve.get(URL),
        put(till, "nobody"),
        till.delete(f"{URL}/nobody"),
        till.get("/api/v1/promotions/none/segments"),
    ]
    assert {answer.status_code for answer in calls} == {404}
    assert len({str(answer.json() | {"instance": ""}) for answer in calls}) == 1
    assert eve.get("/api/v1/promotions").json()["items"] == []
    assert PromotionSegment.objects.count() == 1


def test_scopes(programme: Programme) -> None:
    reader = ApiClient(programme, scopes=["promotions:read"])
    writer = ApiClient(programme, scopes=["promotions:write"])
    refused = [
        put(reader),
        reader.delete(f"{URL}/vip-bxl"),
        writer.get(URL),
        writer.get("/api/v1/promotions"),
    ]
    assert {answer.status_code for answer in refused} == {403}
    assert PromotionSegment.objects.count() == 1
    assert put(writer).status_code == 201
