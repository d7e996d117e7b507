"""The demo's catalogue."""

from datetime import UTC, datetime

import pytest

from config.demo.gifts import CATEGORIES, gifts_create
from config.demo.paintings import STYLES
from members.models import Programme
from members.services import programme_create
from rewards.models import Picture, PoolCode, RewardVersion
from tests.factories import ApiClient
from tests.fixtures import programme  # noqa: F401

pytestmark = pytest.mark.django_db
NOW = datetime.now(UTC)


def test_it_works(programme: Programme, tmp_path, settings) -> None:  # noqa: F811
    settings.MEDIA_ROOT = tmp_path
    gifts_create(programme, NOW)
    shop = ApiClient(programme)
    assert len(CATEGORIES) == 12
    for language, content in (("fr", "fr"), ("nl", "nl-BE"), ("en", "en")):
        answer = shop.get(f"/api/v1/gifts?limit=250&lang={language}")
        assert answer.headers["Content-Language"] == content
        items = answer.json()["items"]
        assert len(items) >= 50
        assert all(item["images"] and not item["_fallback"] for item in items)
    assert {x["code"] for x in shop.get("/api/v1/categories").json()["items"]} == set(CATEGORIES)
    assert programme.rewards.count() >= 60
    states = RewardVersion.objects.values_list("state", flat=True)
    assert {"draft", "submitted", "changes_requested", "live"} <= set(states)
    assert RewardVersion.objects.filter(shown_from__gt=NOW).count() == 2
    assert Picture.objects.count() == programme.rewards.count() + len(CATEGORIES)


def test_its_pools_hold_a_code_for_every_piece(programme: Programme, tmp_path, settings) -> None:  # noqa: F811
    settings.MEDIA_ROOT = tmp_path
    gifts_create(programme, NOW, ["vouchers"])
    pooled = programme.rewards.filter(kind="pool_voucher")
    assert {x.code: x.stock for x in pooled} == {"GFT-15": None, "GFT-16": None}
    assert {x.code: PoolCode.objects.filter(pool__reward=x).count() for x in pooled} == {
        "GFT-15": 80,
        "GFT-16": 50,
    }


def test_every_category_has_a_style() -> None:
    assert STYLES.keys() == CATEGORIES.keys()


def test_a_programme_of_one_language_gets_the_others(tmp_path, settings, db) -> None:
    settings.MEDIA_ROOT = tmp_path
    other = programme_create(code="journey", name="J", currency="USD", time_zone="UTC", now=NOW)
    gifts_create(other, NOW, ["solidarity"])
    assert other.rewards.count() == 5
    assert set(other.languages.values_list("code", flat=True)) == {"en", "fr", "nl-BE"}
