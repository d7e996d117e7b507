"""Promotions, tiers and groups are called on a member's pages what they are called in her language."""

from typing import Any

import pytest
from django.test import Client

from loyalty.models import Promotion, Tier
from loyalty.services import tier_rules_set, tier_update
from members.models import Member, Programme
from segments.models import Segment
from segments.services import segment_update
from tests.factories import LONG_AGO, ApiClient
from tests.loyalty.worlds import adjust, earn
from tests.rewards.orders import POST, mug, order
from tests.rewards.test_member_pages import browser_of, text_of

pytestmark = pytest.mark.django_db
NAMES: dict[str, dict[str, str]] = {
    "promotion": {"fr": "Chocolat triple", "nl-BE": "Driedubbele chocolade"},
    "tier": {"fr": "Argent", "nl-BE": "Zilver"},
    "segment": {"fr": "VIP Bruxelles", "nl-BE": "VIP Brussel"},
}
STAFFS = {"promotion": "Pr-Choc3X", "tier": "Silver", "segment": "VIP Brussels"}
PAGES = {
    "": {"promotion", "tier"},
    "purchases/POS-1": {"promotion", "tier", "segment"},
    "offers": {"promotion", "segment"},
    "offers/PR-CHOC3X": {"promotion", "segment"},
    "segments": {"segment"},
}


@pytest.fixture
def named(till: ApiClient, club: Segment, ada: Member, programme: Programme) -> ApiClient:
    """Everything has names for members; ada has bought chocolate."""
    segment_update(segment=club, name=club.name, is_shown_to_members=True, labels=NAMES["segment"])
    Promotion.objects.filter(code="PR-CHOC3X").update(labels=NAMES["promotion"])
    tier = Tier.objects.get(code="SILVER")
    tier_update(tier=tier, name=tier.name, rank=tier.rank, labels=NAMES["tier"])
    earn(till, "POS-1")
    return till


def page_in(till: ApiClient, language: str, path: str) -> str:
    Member.objects.update(language=language)
    return text_of(browser_of(till).get(f"/my/{path}"))


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("language", ["fr", "nl-BE"])
def test_each_page_speaks_it(named: ApiClient, path: str, language: str) -> None:
    page = page_in(named, language, path)
    for what in PAGES[path]:
        assert NAMES[what][language] in page, what
    for other, name in STAFFS.items():
        assert name not in page, other


@pytest.mark.parametrize("path", PAGES)
def test_without_a_name_it_falls_back(named: ApiClient, path: str) -> None:
    """Dutch falls back to French here; what has no name at all is called as staff call it."""
    for model in (Promotion, Tier, Segment):
        model.objects.update(labels={"fr": "En français"})
    assert "En français" in page_in(named, "nl-BE", path)
    for model in (Promotion, Tier, Segment):
        model.objects.update(labels={})
    page = page_in(named, "nl-BE", path)
    assert all(STAFFS[what] in page for what in PAGES[path])


@pytest.mark.parametrize(("language", "name"), [("fr", "Tasse"), ("nl-BE", "Mok")])
def test_a_gift_is_called_alike_in_the_history_and_among_the_orders(
    named: ApiClient, programme: Programme, language: str, name: str
) -> None:
    adjust(named, "10042", 1000)
    mug(programme, name={"fr": "Tasse", "nl-BE": "Mok"})
    assert order(named, reference="ORD-1", delivery=POST).status_code == 201
    Member.objects.update(language=language)
    phone = browser_of(named)
    for path in ("", "history", "orders", "orders/ORD-1"):
        assert name in text_of(phone.get(f"/my/{path}")), path
    assert name in phone.get("/my/history.csv").getvalue().decode()


def test_names_run_no_markup(named: ApiClient) -> None:
    for model in (Promotion, Tier, Segment):
        model.objects.update(labels={"fr": "<b>x</b>"})
    for path in PAGES:
        Member.objects.update(language="fr")
        assert b"<b>x</b>" not in browser_of(named).get(f"/my/{path}").content


def test_the_next_tier_is_named_too(named: ApiClient, programme: Programme, ada: Member) -> None:
    tier = Tier.objects.get(code="SILVER")
    tier_update(tier=tier, name=tier.name, rank=tier.rank, threshold=5000, labels=NAMES["tier"])
    tier_rules_set(programme=programme, period="months", length=12, now=LONG_AGO)
    Member.objects.filter(pk=ada.pk).update(tier="")
    page = page_in(named, "nl-BE", "")
    assert "Zilver" in page
    assert "Silver" not in page


@pytest.mark.parametrize(
    ("language", "labels", "name"),
    [
        *((language, NAMES["segment"], name) for language, name in NAMES["segment"].items()),
        ("nl-BE", {"fr": "VIP Bruxelles"}, "VIP Bruxelles"),
        ("", {"fr": "VIP Bruxelles"}, "VIP Bruxelles"),
        ("nl-BE", {}, "VIP Brussels"),
    ],
)
def test_me_calls_groups_as_the_pages_do(
    named: ApiClient, language: str, labels: dict[str, str], name: str
) -> None:
    Segment.objects.update(labels=labels)
    assert name in page_in(named, language, "segments")
    bearer = named.post_json("/api/v1/identifications", {"member": "10042"}).json()["bearer"]
    me: Any = Client().get("/api/v1/me", HTTP_AUTHORIZATION=f"Bearer {bearer['access_token']}").json()
    assert me["segments"] == [{"code": "vip-bxl", "name": name}]
