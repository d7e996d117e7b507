"""The worked example of the API page, through HTTP, to the point."""

import pytest
import time_machine

from tests.factories import ApiClient
from tests.loyalty.worlds import BASKET, adjust, balance, call, earn, euros, reverse

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("club")]

TRACE = [
    {"step": "base", "rule": "BASE", "formula": "44.90 × 1", "points": "44.90"},
    {"step": "tier", "rule": "SILVER", "formula": "44.90 × 0.5", "points": "22.45"},
    {
        "step": "promotion",
        "rule": "PR-CHOC3X",
        "formula": "25.00 × 2",
        "points": "50.00",
        "because": ["segment:vip-bxl"],
    },
    {"step": "rounding", "rule": "floor", "points": "-0.35"},
]
DATES = {"activates_at": "2026-12-07T00:00:00+01:00", "expires_at": "2028-01-01T00:00:00+01:00"}


def test_evaluation_gives_117_points_and_says_why(till: ApiClient) -> None:
    answer = till.post_json("/api/v1/basket-evaluations", BASKET)
    assert answer.status_code == 200, answer.content
    body = answer.json()
    assert body["points"] == 117
    assert body["lines"] == [{"line": "1", "points": 87}, {"line": "2", "points": 30}]
    assert body["trace"] == TRACE
    assert body["not_applied"] == [{"rule": "PR-WEEKEND", "code": "outside_schedule"}]
    assert body["nearly"] == [{"rule": "PR-50EUR", "missing": {"amount": "5.10"}, "would_add": 100}]
    assert {name: body[name] for name in DATES} == DATES
    assert body["ruleset"].startswith("sha256:")


def test_earn_gives_what_the_evaluation_promised(till: ApiClient) -> None:
    promise = till.post_json("/api/v1/basket-evaluations", BASKET).json()["evaluation"]
    answer = earn(till, "POS-77-000123", evaluation=promise)
    assert answer.status_code == 201, answer.content
    body = answer.json()
    assert (body["status"], body["points"], body["wanted"]) == ("posted", 117, 117)
    assert body["lines"] == [{"line": "1", "points": 87}, {"line": "2", "points": 30}]
    assert body["trace"] == TRACE
    entry = body["entries"][0]
    assert (entry["kind"], entry["points"]) == ("earn", 117)
    assert {name: entry[name] for name in DATES} == DATES
    assert body["balance"] == {
        "available": 0,
        "pending": 117,
        "held": 0,
        "debt": 0,
        "as_of": "2026-11-23T10:15:02+01:00",
    }
    assert body["receipt"]["seq"] == 1
    assert balance(till) == {"available": 0, "pending": 117, "held": 0, "debt": 0}


def test_returning_one_box_takes_44(till: ApiClient) -> None:
    earn(till, "POS-77-000123")
    answer = reverse(
        till,
        "POS-77-000123",
        "RET-5501",
        reason="item_return",
        lines=[{"line": "1", "quantity": "1"}],
    )
    assert answer.status_code == 201, answer.content
    body = answer.json()
    assert body["points"] == -44
    assert (body["original_points"], body["remaining_points"]) == (117, 73)
    assert body["taken_from"] == {"pending": 44, "available": 0, "debt": 0, "forgiven": 0}
    assert body["caps_released"] == [{"promotion": "PR-CHOC3X", "points": "25"}]
    assert body["transaction_status"] == "partially_reversed"
    assert [entry["points"] for entry in body["entries"]] == [-44]
    assert body["trace"][0]["formula"] == "32.40 × 1"
    assert body["trace"][2]["points"] == "25.00"
    assert balance(till) == {"available": 0, "pending": 73, "held": 0, "debt": 0}


def test_points_spent_meanwhile_become_debt_that_the_next_earn_pays(
    till: ApiClient, monday: time_machine.Traveller
) -> None:
    earn(till, "POS-77-000123")
    monday.move_to("2026-12-07T00:00:00+01:00")
    assert balance(till) == {"available": 117, "pending": 0, "held": 0, "debt": 0}
    assert adjust(till, "10042", -87).status_code == 201
    answer = reverse(till, "POS-77-000123", "RET-5501", lines=[{"line": "1", "quantity": "1"}])
    assert answer.json()["taken_from"] == {"pending": 0, "available": 30, "debt": 14, "forgiven": 0}
    assert balance(till) == {"available": 0, "pending": 0, "held": 0, "debt": 14}
    # Pending points pay nothing until they activate.
    later = earn(till, "POS-78", occurred_at="2026-12-07T00:00:00+01:00", **euros("40.00"))
    assert later.json()["points"] == 60
    assert balance(till) == {"available": 0, "pending": 60, "held": 0, "debt": 14}
    monday.move_to("2026-12-21T00:00:00+01:00")
    assert balance(till) == {"available": 46, "pending": 0, "held": 0, "debt": 0}
    assert adjust(till, "10042", -46).json()["balance"]["available"] == 0


def test_returning_all_leaves_nothing(till: ApiClient) -> None:
    earn(till, "POS-77-000123")
    first = reverse(till, "POS-77-000123", "RET-1", lines=[{"line": "1", "amount": "10.00"}])
    assert first.status_code == 201
    rest = reverse(till, "POS-77-000123", "RET-2")
    assert rest.json()["transaction_status"] == "reversed"
    assert rest.json()["remaining_points"] == 0
    assert balance(till) == {"available": 0, "pending": 0, "held": 0, "debt": 0}
    again = reverse(till, "POS-77-000123", "RET-3")
    assert (again.status_code, again.json()["code"]) == (409, "already_reversed")


def test_a_guest_gets_base_and_public_promotions(till: ApiClient) -> None:
    body = till.post_json("/api/v1/basket-evaluations", {**BASKET, "member": None}).json()
    assert body["points"] == 44
    assert {"rule": "PR-CHOC3X", "code": "members_only"} in body["not_applied"]


def test_the_batch_books_it_too(till: ApiClient) -> None:
    answer = call(till, "/transactions/batch", {"transactions": [{"reference": "POS-1", **BASKET}]})
    assert answer.status_code == 200, answer.content
    body = answer.json()
    assert (body["booked"], body["repeated"], body["refused"]) == (1, 0, 0)
    assert body["results"][0]["body"]["points"] == 117
    assert balance(till)["pending"] == 117
