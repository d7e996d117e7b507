"""GET /gifts and GET /gifts/{gift}."""

import gzip
import json
from datetime import timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest
import time_machine

from members.models import Member, Programme
from rewards.api import shapes
from rewards.models import Reward
from rewards.services import (
    Image,
    Terms,
    category_update,
    picture_store,
    reward_pause,
    reward_resume,
    reward_retire,
    reward_update,
    stock_set,
)
from segments.models import Segment
from tests.factories import ApiClient
from tests.loyalty.worlds import adjust
from tests.rewards.catalogue import ANN, NOW, category, gift, image_bytes, live_gift, revised, validated
from tests.rewards.orders import POST, order
from tests.statements import statements

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
NDJSON = {"Accept": "application/x-ndjson"}


@pytest.fixture(autouse=True)
def clock() -> Any:
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


def gifts(client: ApiClient, query: str = "", **headers: str) -> Any:
    return client.get(f"/api/v1/gifts{query}", headers=headers)


def codes(client: ApiClient, query: str = "") -> list[str]:
    answer = gifts(client, query)
    assert answer.status_code == 200, answer.content
    return [item["code"] for item in answer.json()["items"]]


def test_it_works(till: ApiClient, programme: Programme) -> None:
    category(programme)
    picture = picture_store(programme=programme, content=image_bytes((900, 600)), now=NOW)
    live_gift(
        programme,
        stock=3,
        terms=Terms(limit_per_period=2),
        brand="Neuhaus",
        categories=("sweets",),
        cash_amount=Decimal("4.50"),
        face_value=Decimal(25),
        face_currency="EUR",
        attributes={"weight": 250},
        delivery_terms={"fr": "Retrait en boutique"},
        images=(Image(picture.pk, {"fr": "Une boîte"}),),
        voucher_days=365,
    )
    answer = gifts(till)
    assert answer.status_code == 200
    (item,) = answer.json()["items"]
    base = f"http://testserver/media/gifts/{picture.digest}"
    assert item == {
        "code": "GFT-1",
        "version": 1,
        "type": "physical",
        "name": "Boîte de pralines",
        "description": "<p>250 g de <strong>pralines</strong></p>",
        "brand": "Neuhaus",
        "categories": ["sweets"],
        "images": [
            {
                "url": f"{base}-900.webp",
                "width": 900,
                "height": 600,
                "alt": "Une boîte",
                "sizes": [
                    {"url": f"{base}-900.webp", "width": 900, "height": 600},
                    {"url": f"{base}-600.webp", "width": 600, "height": 400},
                    {"url": f"{base}-300.webp", "width": 300, "height": 200},
                ],
            }
        ],
        "points": 1200,
        "points_before": None,
        "cash": {"amount": "4.50", "currency": "EUR"},
        "value": {"amount": "25", "currency": "EUR"},
        "attributes": {"weight": 250},
        "delivery": {
            "terms": "Retrait en boutique",
            "voucher_days": 365,
            "has_balance": False,
            "returnable": False,
        },
        "stock": "in_stock",
        "limits": {"per_member": None, "per_period": 2, "period": "month"},
        "live": {"from": "2026-11-23T10:00:00+01:00", "until": None},
        "validated": {"at": "2026-11-23T10:00:00+01:00", "by": "staff:ben"},
        "updated_at": "2026-11-23T10:00:00+01:00",
        "_fallback": [],
    }
    assert msgspec.to_builtins(msgspec.convert(item, shapes.GiftShown)) == item
    assert answer.headers["Content-Language"] == "fr"
    assert answer.json()["next_cursor"] is None
    assert till.get("/api/v1/gifts/GFT-1").json() == item
    served = till.get(item["images"][0]["sizes"][2]["url"].removeprefix("http://testserver"))
    assert (served.status_code, served.headers["Content-Type"]) == (200, "image/webp")


def test_nobody_elses_gifts(till: ApiClient, eve: ApiClient, programme: Programme) -> None:
    live_gift(programme)
    assert codes(eve) == []
    foreign, unknown = eve.get("/api/v1/gifts/GFT-1"), till.get("/api/v1/gifts/GFT-2")
    assert (foreign.status_code, unknown.status_code) == (404, 404)
    assert foreign.json()["detail"] == unknown.json()["detail"]
    assert ApiClient(programme, scopes=["members:read"]).get("/api/v1/gifts").status_code == 403


def test_only_what_is_validated_and_live(till: ApiClient, programme: Programme) -> None:
    draft = gift(programme, "DRAFT")
    kept = gift(programme, "KEPT")
    validated(kept, goes_live=False)
    assert (codes(till), till.get("/api/v1/gifts/DRAFT").status_code) == ([], 404)
    validated(draft)
    assert codes(till) == ["DRAFT"]
    revised(draft, points=1)
    assert till.get("/api/v1/gifts/DRAFT").json()["points"] == 1200
    validated(draft)
    assert till.get("/api/v1/gifts/DRAFT").json()["points"] == 1
    for turn, shown in ((reward_pause, []), (reward_resume, ["DRAFT"]), (reward_retire, [])):
        turn(reward=draft, actor=ANN, now=NOW)
        assert codes(till) == shown


def test_the_clock_alone_brings_and_takes_gifts(till: ApiClient, programme: Programme, clock: Any) -> None:
    reward = live_gift(programme)
    revised(reward, points=900, live_from=NOW + HOUR, live_until=NOW + 2 * HOUR)
    validated(reward)
    first = gifts(till)
    assert (first.json()["items"][0]["points"], gifts(till).headers["ETag"]) == (1200, first.headers["ETag"])
    clock.move_to(NOW + HOUR)
    second = gifts(till, **{"If-None-Match": first.headers["ETag"]})
    (item,) = second.json()["items"]
    assert (item["points"], item["updated_at"]) == (900, "2026-11-23T11:00:00+01:00")
    clock.move_to(NOW + 2 * HOUR)
    assert codes(till) == []
    assert codes(till, "?updated_since=2026-11-23T12:00:00%2B01:00") == ["GFT-1"]


def test_languages(till: ApiClient, programme: Programme) -> None:
    live_gift(programme)
    dutch = gifts(till, "?lang=nl-BE")
    (item,) = dutch.json()["items"]
    assert (item["name"], item["_fallback"]) == ("Doos pralines", ["description"])
    assert item["description"] == "<p>250 g de <strong>pralines</strong></p>"
    assert dutch.headers["Content-Language"] == "nl-BE"
    for query, header, language in (
        ("?lang=nl", "", "nl-BE"),
        ("?lang=fr-BE", "nl", "fr"),
        ("?lang=de", "", "fr"),
        ("", "de, nl-BE;q=0.9, fr;q=0.5", "nl-BE"),
        ("", "nl-BE", "nl-BE"),
        ("", "", "fr"),
    ):
        answer = gifts(till, query, **{"Accept-Language": header})
        assert answer.headers["Content-Language"] == language, (query, header)
    assert gifts(till, "?lang=../etc").status_code == 422


def test_filters(till: ApiClient, programme: Programme) -> None:
    sweets = category(programme)
    category(programme, "pralines", parent=sweets)
    live_gift(programme, "A", categories=("pralines",), points=100, brand="Galler", stock=0)
    live_gift(programme, "B", categories=("sweets",), points=200, name={"fr": "Thé vert", "nl-BE": "Thee"})
    live_gift(programme, "C", kind="donation", points=300)
    for query, expected in {
        "?category=sweets": ["A", "B"],
        "?category=pralines": ["A"],
        "?category=nothing": [],
        "?points_max=200": ["A", "B"],
        "?points_min=200&points_max=200": ["B"],
        "?q=thé": ["B"],
        "?q=pralines+boîte": ["A", "C"],
        "?q=fr": [],
        "?q=galler": ["A"],
        "?lang=nl-BE&q=thee": ["B"],
        "?lang=nl-BE&q=vert": [],
        "?type=donation": ["C"],
        "?brand=GALLER": ["A"],
        "?in_stock=false": ["A"],
        "?in_stock=true&type=physical": ["B"],
    }.items():
        assert codes(till, query) == expected, query
    for query in (
        "?points_max=many",
        "?type=car",
        "?in_stock=maybe",
        "?q=%00",
        f"?q={'x' * 101}",
        "?points_min=-1",
        "?limit=0",
    ):
        assert gifts(till, query).status_code == 422, query


def test_pages(till: ApiClient, programme: Programme) -> None:
    for number in range(5):
        live_gift(programme, f"G-{number}")
    for extra in ("", "&points_max=5000", "&updated_since=2020-01-01T00:00:00Z"):
        seen, cursor = [], ""
        for _ in range(3):
            body = gifts(till, f"?limit=2{extra}{cursor}").json()
            seen += [item["code"] for item in body["items"]]
            cursor = f"&cursor={body['next_cursor']}"
        assert (seen, body["next_cursor"]) == ([f"G-{number}" for number in range(5)], None)
    assert gifts(till, "?cursor=nonsense").status_code == 422


def test_the_whole_feed_as_lines(till: ApiClient, programme: Programme) -> None:
    for number in range(3):
        live_gift(programme, f"G-{number}", points=100 + number)
    answer = gifts(till, **NDJSON)
    assert answer.headers["Content-Type"] == "application/x-ndjson"
    assert [json.loads(line) for line in answer.content.splitlines()] == gifts(till).json()["items"]
    some = gifts(till, "?points_max=101", **NDJSON)
    assert [json.loads(line)["code"] for line in some.content.splitlines()] == ["G-0", "G-1"]


def test_gzip(till: ApiClient, programme: Programme) -> None:
    live_gift(programme)
    for headers in ({}, NDJSON):
        plain = gifts(till, **headers)
        squeezed = gifts(till, **headers, **{"Accept-Encoding": "gzip, br"})
        assert squeezed.headers["Content-Encoding"] == "gzip"
        assert gzip.decompress(squeezed.content) == plain.content


def test_not_modified_until_something_shown_changes(till: ApiClient, programme: Programme) -> None:
    reward = live_gift(programme, stock=2)
    held = gifts(till).headers["ETag"]

    def status() -> int:
        return gifts(till, **{"If-None-Match": f'"other", {held}'}).status_code

    assert status() == 304
    assert gifts(till, "?lang=nl-BE", **{"If-None-Match": held}).status_code == 200
    gift(programme, "DRAFT")
    revised(reward, points=5)
    stock_set(reward=reward, stock=1, was=2, actor=ANN, now=NOW)
    assert status() == 304
    changes = [
        lambda: validated(reward),
        lambda: stock_set(reward=reward, stock=0, was=1, actor=ANN, now=NOW),
        lambda: stock_set(reward=reward, stock=None, was=0, actor=ANN, now=NOW),
        lambda: reward_update(reward=reward, terms=Terms(limit_per_member=1), actor=ANN, now=NOW),
        lambda: category(programme),
    ]
    for change in changes:
        change()
        answer = gifts(till, **{"If-None-Match": held})
        assert answer.status_code == 200
        held = answer.headers["ETag"]
        assert status() == 304


def test_stock_is_seen_whoever_writes_it(till: ApiClient, programme: Programme) -> None:
    live_gift(programme, stock=1)
    assert gifts(till).json()["items"][0]["stock"] == "in_stock"
    Reward.objects.filter(code="GFT-1").update(stock=0)
    assert gifts(till).json()["items"][0]["stock"] == "out_of_stock"


def test_changes_since(till: ApiClient, programme: Programme, clock: Any) -> None:
    sweets = category(programme)
    for code in ("A", "B", "C"):
        live_gift(programme, code, categories=("sweets",))
    clock.move_to(NOW + HOUR)
    reward_retire(reward=Reward.objects.get(code="A"), actor=ANN, now=NOW + HOUR)
    b = Reward.objects.get(code="B")
    revised(b, at=NOW + HOUR)
    validated(b, at=NOW + HOUR)
    since = "updated_since=2026-11-23T09:30:00Z"
    items = gifts(till, f"?{since}").json()["items"]
    assert items[0] == {"code": "A", "deleted": True}
    assert [item["code"] for item in items] == ["A", "B"]
    # B left the category: who follows that category learns that it is gone.
    assert gifts(till, f"?{since}&category={sweets.code}").json()["items"] == [
        {"code": "A", "deleted": True},
        {"code": "B", "deleted": True},
    ]
    assert codes(till, "?updated_since=2026-11-23T10:00:01Z") == []
    for text in ("yesterday", "2026-11-23", "2026-11-23T10:00:00"):
        assert gifts(till, f"?updated_since={text}").status_code == 422


@pytest.mark.usefixtures("club")
def test_for_a_member(till: ApiClient, programme: Programme, ada: Member, bob: Member) -> None:
    adjust(till, "10042", 1000)
    Segment.objects.get(code="vip-bxl")
    live_gift(programme, "CHEAP", points=500)
    live_gift(programme, "DEAR", points=5000, stock=0)
    live_gift(programme, "SILVER", points=1, tiers=("SILVER",))
    live_gift(programme, "VIP", points=1, segments=("vip-bxl",))

    def reasons(number: str) -> dict[str, list[str]]:
        items = gifts(till, f"?member={number}").json()["items"]
        assert all(item["for_member"]["available"] == (not item["for_member"]["reasons"]) for item in items)
        return {item["code"]: item["for_member"]["reasons"] for item in items}

    assert reasons("10042") == {"CHEAP": [], "DEAR": ["stock", "points"], "SILVER": [], "VIP": []}
    assert reasons("10043") == {
        "CHEAP": ["points"],
        "DEAR": ["stock", "points"],
        "SILVER": ["tier", "points"],
        "VIP": ["segment", "points"],
    }
    one = till.get("/api/v1/gifts/DEAR?member=10042")
    assert one.json()["for_member"] == {"available": False, "reasons": ["stock", "points"]}
    assert "ETag" not in one.headers
    assert gifts(till, "?member=nobody").status_code == 404


@pytest.mark.usefixtures("club")
def test_a_limit_that_is_reached(till: ApiClient, programme: Programme, ada: Member) -> None:
    adjust(till, "10042", 1000)
    live_gift(programme, "MUG", points=100, terms=Terms(limit_per_member=1))
    live_gift(programme, "PEN", points=100, terms=Terms(limit_per_period=2))

    def reasons() -> list[list[str]]:
        return [x["for_member"]["reasons"] for x in gifts(till, "?member=10042").json()["items"]]

    assert reasons() == [[], []]
    for code in ("MUG", "PEN"):
        assert order(till, code, delivery=POST).status_code == 201
    assert reasons() == [["limit"], []]
    assert order(till, "PEN", delivery=POST).status_code == 201
    assert reasons() == [["limit"], ["limit"]]


def test_one_query_once_it_is_built(till: ApiClient, programme: Programme) -> None:
    live_gift(programme)
    held = gifts(till).headers["ETag"]
    for headers in ({}, NDJSON, {"If-None-Match": held}):
        with statements() as sent:
            gifts(till, **headers)
        assert len(sent) == 1, sent


def test_the_first_of_many_costs_as_many_statements(till: ApiClient, programme: Programme) -> None:
    for number in range(4):
        live_gift(programme, f"G-{number}")
    gifts(till)
    category(programme)
    with statements() as sent:
        gifts(till)
    assert len(sent) == 5, sent


def test_a_category_renamed_is_seen(till: ApiClient, programme: Programme) -> None:
    sweets = category(programme)
    live_gift(programme, categories=("sweets",))
    assert till.get("/api/v1/categories").json()["items"][0]["name"] == "Sweets"
    category_update(
        category=sweets, name={"fr": "Douceurs"}, parent=None, position=0, picture=None, is_active=True
    )
    assert till.get("/api/v1/categories").json()["items"][0]["name"] == "Douceurs"
