"""GET /categories, and the tree behind it."""

from typing import Any

import msgspec
import pytest
import time_machine

from config.kernel.errors import NotFound, ValidationFailed
from members.models import Programme
from rewards.api import shapes
from rewards.errors import CategoryExists
from rewards.models import Category
from rewards.services import category_update, picture_store, reward_pause
from tests.factories import ApiClient, ProgrammeFactory
from tests.rewards.catalogue import ANN, NOW, category, image_bytes, live_gift

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def clock() -> Any:
    with time_machine.travel(NOW, tick=False):
        yield


def moved(row: Category, **fields: Any) -> Category:
    """The category with some of it changed."""
    row.refresh_from_db()
    names = ("name", "parent", "position", "picture", "is_active")
    return category_update(category=row, **{name: getattr(row, name) for name in names} | fields)


def listed(client: ApiClient, query: str = "") -> list[dict]:
    answer = client.get(f"/api/v1/categories{query}")
    assert answer.status_code == 200, answer.content
    return answer.json()["items"]


def test_it_works(till: ApiClient, programme: Programme) -> None:
    picture = picture_store(programme=programme, content=image_bytes((300, 200)), now=NOW)
    sweets = category(programme, position=2, picture=picture, name={"fr": "Douceurs", "nl-BE": "Zoet"})
    category(programme, "pralines", parent=sweets, position=2)
    category(programme, "truffles", parent=sweets, position=1)
    category(programme, "home", position=1)
    live_gift(programme, "A", categories=("pralines",), points=300)
    live_gift(programme, "B", categories=("pralines", "sweets"), points=900)
    live_gift(programme, "C", categories=("home",))
    items = listed(till)
    assert [(x["code"], x["parent"], x["gift_count"]) for x in items] == [
        ("home", None, 1),
        ("sweets", None, 2),
        ("pralines", "sweets", 2),
    ]
    assert items[1]["points_range"] == {"min": 300, "max": 900}
    assert items[1]["image"]["url"].endswith(f"{picture.digest}-300.webp")
    assert [x["code"] for x in listed(till, "?include_empty=true")] == [
        "home",
        "sweets",
        "truffles",
        "pralines",
    ]
    dutch = listed(till, "?lang=nl-BE")
    assert [(x["name"], x["_fallback"]) for x in dutch[1:]] == [("Zoet", []), ("Pralines", ["name"])]
    for item in items:
        assert msgspec.to_builtins(msgspec.convert(item, shapes.CategoryShown)) == item


def test_only_those_that_are_on_and_hold_a_live_gift(till: ApiClient, programme: Programme) -> None:
    sweets = category(programme)
    pralines = category(programme, "pralines", parent=sweets)
    reward = live_gift(programme, categories=("pralines",))
    assert [x["code"] for x in listed(till)] == ["sweets", "pralines"]
    moved(sweets, is_active=False)
    assert listed(till) == []
    assert [x["active"] for x in listed(till, "?include_empty=1")] == [False, False]
    moved(sweets, is_active=True)
    moved(pralines, is_active=False)
    assert [x["code"] for x in listed(till)] == ["sweets"]
    reward_pause(reward=reward, actor=ANN, now=NOW)
    assert listed(till) == []
    assert till.get("/api/v1/categories?include_empty=maybe").status_code == 422


def test_nobody_elses(eve: ApiClient, programme: Programme) -> None:
    category(programme)
    assert listed(eve, "?include_empty=true") == []


def test_not_modified(till: ApiClient, programme: Programme) -> None:
    sweets = category(programme)
    held = till.get("/api/v1/categories").headers["ETag"]
    again = till.get("/api/v1/categories", headers={"If-None-Match": held})
    assert (again.status_code, again.content) == (304, b"")
    moved(sweets, position=3)
    assert till.get("/api/v1/categories", headers={"If-None-Match": held}).status_code == 200


def test_three_levels_and_no_circle(programme: Programme) -> None:
    first = category(programme, "a")
    second = category(programme, "b", parent=first)
    third = category(programme, "c", parent=second)
    with pytest.raises(ValidationFailed):
        category(programme, "d", parent=third)
    for parent in (first, second, third):
        with pytest.raises(ValidationFailed):
            moved(first, parent=parent)
    fourth = category(programme, "e")
    with pytest.raises(ValidationFailed):
        moved(first, parent=fourth)
    levels = dict(Category.objects.values_list("code", "level"))
    assert levels == {"a": 1, "b": 2, "c": 3, "e": 1}
    moved(second, parent=None)
    levels = dict(Category.objects.values_list("code", "level"))
    assert levels == {"a": 1, "b": 1, "c": 2, "e": 1}


def test_what_is_refused(programme: Programme) -> None:
    foreign = category(ProgrammeFactory(code="tea-house"), "foreign")
    category(programme)
    with pytest.raises(CategoryExists):
        category(programme)
    with pytest.raises(NotFound):
        category(programme, "below", parent=foreign)
    for name in ({}, {"nl-BE": "Zoet"}, {"fr": "Doux", "xx": "?"}, {"fr": "x" * 201}):
        with pytest.raises(ValidationFailed):
            category(programme, "other", name=name)
    assert Category.objects.filter(programme=programme).count() == 1
