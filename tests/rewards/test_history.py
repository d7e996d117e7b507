"""GET /members/{member}/history."""

from typing import Any

import pytest
import time_machine

from segments.models import Segment
from tests.factories import ApiClient
from tests.loyalty.worlds import adjust, balance, earn, euros, reverse
from tests.statements import statements

pytestmark = pytest.mark.django_db


def history(client: ApiClient, query: str = "", member: str = "10042") -> Any:
    return client.get(f"/api/v1/members/{member}/history{query}")


@pytest.fixture
def moved(till: ApiClient, club: Segment) -> None:
    """A purchase of 117 points, a return of 44 and 50 points given."""
    earn(till, "POS-1")
    reverse(till, "POS-1", "RET-1", lines=[{"line": "1", "quantity": "1"}])
    adjust(till, "10042", 50, reference="CRM-1")


@pytest.mark.usefixtures("moved")
def test_it_works(till: ApiClient) -> None:
    answer = history(till)
    assert answer.status_code == 200, answer.content
    items = answer.json()["items"]
    assert [(x["kind"], x["points"], x["balance_after"], x["status"]) for x in items] == [
        ("adjustment", 50, 123, "posted"),
        ("reversal", -44, 73, "posted"),
        ("earn", 117, 117, "partially_reversed"),
    ]
    assert items[0]["label"] == "test"
    assert (items[1]["reverses"], items[2]["reversed_by"]) == ("POS-1", ["RET-1"])
    assert (items[2]["label"], items[2]["reference"]) == ("Purchase, BXL-01", "POS-1")
    assert items[2]["occurred_at"] == "2026-11-23T10:15:00+01:00"
    assert answer.json()["next_cursor"] is None


@pytest.mark.usefixtures("moved")
def test_foreign_and_unknown_members_are_not_found(till: ApiClient, eve: ApiClient) -> None:
    assert (
        history(eve).status_code,
        history(eve).json()["detail"],
        history(till, member="nobody").status_code,
    ) == (404, history(till, member="nobody").json()["detail"], 404)


def test_it_needs_its_scope(programme: Any) -> None:
    client = ApiClient(programme, scopes=["points:earn"])
    assert history(client).status_code == 403


@pytest.mark.usefixtures("club")
def test_nothing_moved_yet(till: ApiClient) -> None:
    assert history(till).json() == {"items": [], "next_cursor": None}


@pytest.mark.usefixtures("moved")
def test_pages_follow_the_cursor(till: ApiClient) -> None:
    first = history(till, "?limit=2").json()
    second = history(till, f"?limit=2&cursor={first['next_cursor']}").json()
    assert [x["kind"] for x in first["items"] + second["items"]] == ["adjustment", "reversal", "earn"]
    assert second["next_cursor"] is None


@pytest.mark.usefixtures("moved")
@pytest.mark.parametrize(
    ("query", "kinds"),
    [
        ("?kind=earn,reversal", ["reversal", "earn"]),
        ("?status=partially_reversed", ["earn"]),
        ("?from=2026-11-24", []),
        ("?to=2026-11-22", []),
        ("?from=2026-11-23&to=2026-11-23&kind=earn", ["earn"]),
        ("?from=2026-11-23T10:15:00%2B01:00&to=2026-11-23T10:15:01%2B01:00", ["earn"]),
        ("?as_of=2026-11-23T10:15:01%2B01:00", []),
    ],
)
def test_filters(till: ApiClient, query: str, kinds: list[str]) -> None:
    assert [x["kind"] for x in history(till, query).json()["items"]] == kinds


@pytest.mark.usefixtures("moved")
@pytest.mark.parametrize("query", ["?kind=gift", "?from=yesterday", "?as_of=2026-11-23T10:00", "?limit=0"])
def test_wrong_filters_are_refused(till: ApiClient, query: str) -> None:
    answer = history(till, query)
    assert (answer.status_code, answer.json()["code"]) == (422, "validation_error")


def test_as_of_shows_what_was_recorded_then(
    till: ApiClient, club: Segment, monday: time_machine.Traveller
) -> None:
    earn(till, "POS-1")
    monday.shift(60)
    reverse(till, "POS-1", "RET-1")
    (then,) = history(till, "?as_of=2026-11-23T10:15:30%2B01:00").json()["items"]
    assert (then["status"], then["reversed_by"]) == ("pending", [])
    assert [x["status"] for x in history(till).json()["items"]] == ["posted", "reversed"]


def test_pending_points_activate_and_expire_before_any_job_ran(
    till: ApiClient, club: Segment, monday: time_machine.Traveller
) -> None:
    earn(till, "POS-1")
    assert history(till).json()["items"][0]["status"] == "pending"
    monday.move_to("2026-12-07T00:00:00+01:00")
    assert history(till).json()["items"][0]["status"] == "posted"
    monday.move_to("2028-01-01T00:00:00+01:00")
    expiry, purchase = history(till).json()["items"]
    assert (expiry["kind"], expiry["points"], expiry["balance_after"]) == ("expiry", -117, 0)
    assert purchase["status"] == "expired"
    assert sum(balance(till).values()) == 0
    assert [x["kind"] for x in history(till, "?limit=1").json()["items"]] == ["expiry"]


@pytest.mark.usefixtures("moved")
def test_csv_is_whole_and_harmless(till: ApiClient) -> None:
    adjust(till, "10042", 1, reference="CRM-2", reason="=HYPERLINK(1)")
    answer = till.get("/api/v1/members/10042/history", headers={"Accept": "text/csv"})
    lines = b"".join(answer.streaming_content).decode().splitlines()
    assert lines[0] == "occurred_at,recorded_at,kind,points,balance_after,label,reference,status"
    assert len(lines) == 5
    assert ",'=HYPERLINK(1)," in lines[1]
    assert ",reversal,-44,73,Return of POS-1,RET-1,posted" in lines[3]


@pytest.mark.usefixtures("moved")
def test_the_number_of_queries_does_not_grow(till: ApiClient) -> None:
    def count() -> int:
        with statements() as sent:
            assert history(till, "?limit=250").status_code == 200
        return len(sent)

    count()
    before = count()
    for number in range(5):
        earn(till, f"POS-2{number}", **euros("10.00"))
    assert count() == before == 3
