"""GET /api/v1/members/{member}/segments"""

from datetime import timedelta
from typing import Any

import pytest

from members.models import Member
from tests.factories import LONG_AGO, ApiClient, MembershipFactory, SegmentFactory

URL = "/api/v1/members/10042/segments"


def test_it_works(till: ApiClient, ada: Member, bob: Member) -> None:
    vip = SegmentFactory(programme=ada.programme, code="vip-bxl", name="VIP Brussels")
    MembershipFactory(member=ada, segment=vip)
    MembershipFactory(member=ada, valid_until=LONG_AGO + timedelta(days=1))
    MembershipFactory(member=bob)
    answer = till.get(URL)
    assert answer.status_code == 200
    assert answer.json() == {
        "items": [
            {
                "segment": "vip-bxl",
                "name": "VIP Brussels",
                "kind": "static",
                "pinned": False,
                "valid_from": "2026-01-01T12:00:00Z",
                "valid_until": None,
            }
        ],
        "next_cursor": None,
    }


def test_pages_hide_and_repeat_nothing(till: ApiClient, ada: Member) -> None:
    codes = [MembershipFactory(member=ada).segment.code for _ in range(5)]
    seen, cursor = [], ""
    while cursor is not None:
        page = till.get(URL, {"limit": 2} | ({"cursor": cursor} if cursor else {})).json()
        seen += [item["segment"] for item in page["items"]]
        cursor = page["next_cursor"]
        if len(seen) == 2:
            MembershipFactory(member=ada)
    assert seen == codes[::-1]


@pytest.mark.parametrize(
    "query",
    [
        {"limit": "0"},
        {"limit": "251"},
        {"limit": "-1"},
        {"limit": "x"},
        {"limit": "²"},
        {"cursor": ""},
        {"cursor": "x"},
        {"cursor": "é"},
        {"cursor": "bnVsbA"},
        {"cursor": "Ilx1MDAwMCI"},
        {"cursor": "OTk5OTk5OTk5OTk5OTk5OTk5OTk5"},
        {"cursor": "MS41"},
    ],
)
def test_wrong_pages(till: ApiClient, ada: Member, query: dict[str, str]) -> None:
    answer = till.get(URL, query)
    assert (answer.status_code, answer.json()["code"]) == (422, "validation_error")
    assert answer.json()["errors"][0]["pointer"] == "/" + next(iter(query))


def test_a_foreign_member_is_like_none(till: ApiClient, eve: ApiClient, ada: Member) -> None:
    foreign, unknown = eve.get(URL), eve.get("/api/v1/members/nobody/segments")
    assert foreign.status_code == 404
    assert foreign.json() | {"instance": ""} == unknown.json() | {"instance": ""}


def test_without_the_scope_and_without_a_token(till: ApiClient, ada: Member) -> None:
    assert ApiClient(ada.programme, scopes=["members:write"]).get(URL).status_code == 403
    del till.defaults["HTTP_AUTHORIZATION"]
    assert till.get(URL).status_code == 401


def test_a_list_does_not_ask_once_per_row(
    till: ApiClient, ada: Member, django_assert_num_queries: Any
) -> None:
    MembershipFactory.create_batch(5, member=ada)
    till.get(URL)
    with django_assert_num_queries(3):
        till.get(URL)
