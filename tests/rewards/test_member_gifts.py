"""The gifts on the member's pages: which are in reach, by when the others are, and what is not offered."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from loyalty.services import tier_create
from members.models import Member, Programme
from rewards.pages.gifts import Window
from segments.models import Segment
from tests.factories import ApiClient, SegmentFactory
from tests.loyalty.worlds import MONDAY, adjust
from tests.rewards.catalogue import category, live_gift
from tests.rewards.test_member_pages import browser_of, text_of
from tests.statements import statements

pytestmark = pytest.mark.django_db
BEFORE = MONDAY - timedelta(days=1)


@pytest.fixture
def phone(till: ApiClient, club: Segment, ada: Member) -> Client:
    Member.objects.filter(pk=ada.pk).update(language="fr")
    return browser_of(till)


def test_gifts(till: ApiClient, phone: Client, programme: Programme) -> None:
    live_gift(programme, "MUG", at=BEFORE, name={"fr": "Tasse"}, points=100)
    live_gift(programme, "BOX", at=BEFORE, name={"fr": "Coffret"}, points=500)
    adjust(till, "10042", 300, reference="CRM-1")
    page = text_of(phone.get("/my/gifts"))
    assert page.index("Tasse") < page.index("Coffret"), "the cheapest first"
    assert "Tasse 100" in page
    assert "200 points" in page
    near = text_of(phone.get("/my/gifts?reach=1"))
    assert "Tasse" in near
    assert "Coffret" not in near


def test_by_when_at_my_pace(till: ApiClient, phone: Client, programme: Programme) -> None:
    """90 points in 90 days are one a day: 27 more take 27 days."""
    live_gift(programme, "MUG", at=BEFORE, name={"fr": "Tasse"}, points=117)
    adjust(till, "10042", 90, reference="CRM-1")
    page = text_of(phone.get("/my/gifts/MUG"))
    assert "20 décembre 2026" in page


@pytest.mark.parametrize(
    ("fields", "words"),
    [({"tiers": ("GOLD",)}, "niveau"), ({"stock": 0}, "puis")],
)
def test_why_not(till: ApiClient, phone: Client, programme: Programme, fields: Any, words: str) -> None:
    tier_create(programme=programme, code="GOLD", name="Gold", rank=2)
    live_gift(programme, "MUG", at=BEFORE, name={"fr": "Tasse"}, points=1, **fields)
    adjust(till, "10042", 90, reference="CRM-1")
    assert words in text_of(phone.get("/my/gifts/MUG"))


def test_what_is_for_others_is_not_offered(phone: Client, programme: Programme) -> None:
    SegmentFactory(programme=programme, code="nobody")
    live_gift(programme, "MUG", at=BEFORE, name={"fr": "Tasse"}, segments=("nobody",))
    assert "Tasse" not in text_of(phone.get("/my/gifts"))
    assert phone.get("/my/gifts/MUG").status_code == 404


def test_foreign_and_unvalidated_gifts_are_not_found(phone: Client, eve: ApiClient) -> None:
    live_gift(eve.partner.programme, "TEA", at=BEFORE)
    assert phone.get("/my/gifts/TEA").status_code == 404


def test_search_and_categories(phone: Client, programme: Programme) -> None:
    category(programme, "home", name={"fr": "Maison"})
    live_gift(programme, "MUG", at=BEFORE, name={"fr": "Tasse bleue"}, brand="Royal", categories=("home",))
    live_gift(programme, "BOX", at=BEFORE, name={"fr": "Coffret"})
    for query, is_found in (
        ("q=BLEUE", True),
        ("q=royal+tasse", True),
        ("q=verte", False),
        ("category=home", True),
    ):
        page = text_of(phone.get(f"/my/gifts?{query}"))
        assert ("Tasse bleue" in page) is is_found, query
        assert "Coffret" not in page
    assert "Maison (1)" in text_of(phone.get("/my/gifts"))


def test_a_category_counts_what_is_offered(phone: Client, programme: Programme) -> None:
    category(programme, "home", name={"fr": "Maison"})
    category(programme, "travel", name={"fr": "Voyages"})
    SegmentFactory(programme=programme, code="vip")
    live_gift(programme, "MUG", at=BEFORE, name={"fr": "Tasse"}, categories=("home",))
    live_gift(programme, "VASE", at=BEFORE, name={"fr": "Vase"}, categories=("home",), segments=("vip",))
    live_gift(programme, "TRIP", at=BEFORE, name={"fr": "Voyage"}, categories=("travel",), segments=("vip",))
    page = text_of(phone.get("/my/gifts"))
    assert "Maison (1)" in page
    assert "Voyages" not in page


def test_a_long_search_looks_once(
    phone: Client, programme: Programme, monkeypatch: pytest.MonkeyPatch
) -> None:
    live_gift(programme, "MUG", at=BEFORE, name={"fr": "Tasse"})
    titles, title = [], Window.title
    monkeypatch.setattr(Window, "title", lambda window, gift: titles.append(gift.code) or title(window, gift))
    page = phone.get("/my/gifts", {"q": "t " * 50 + "x" * 5000})
    assert "Tasse" in text_of(page)
    assert titles == ["MUG"]


def test_what_no_pace_reaches(till: ApiClient, phone: Client, programme: Programme) -> None:
    live_gift(programme, "CASTLE", at=BEFORE, name={"fr": "Château"}, points=2**53)
    adjust(till, "10042", 1, reference="CRM-1")
    for page in ("/my/gifts", "/my/gifts/CASTLE"):
        assert "Château" in text_of(phone.get(page))


def test_pages_of_gifts(phone: Client, programme: Programme) -> None:
    for number in range(30):
        live_gift(programme, f"G-{number:02}", at=BEFORE, name={"fr": f"Cadeau {number:02}."})
    first, second = text_of(phone.get("/my/gifts")), text_of(phone.get("/my/gifts?page=2"))
    assert sum(f"Cadeau {number:02}." in first for number in range(30)) == 24
    assert sum(f"Cadeau {number:02}." in second for number in range(30)) == 6
    for wrong in ("0", "3", "x", "-1", "99999999"):
        assert phone.get(f"/my/gifts?page={wrong}").status_code == 404


def test_texts_cannot_run(phone: Client, programme: Programme) -> None:
    live_gift(
        programme,
        "MUG",
        at=BEFORE,
        name={"fr": "<script>alert(1)</script>"},
        description={"fr": "<p>Bon<script>alert(2)</script></p>"},
        delivery_terms={"fr": "<b>vite</b>"},
    )
    page = phone.get("/my/gifts/MUG").content.decode()
    assert "<script>alert" not in page
    assert "&lt;b&gt;vite" in page


def test_queries_do_not_grow_with_the_catalogue(phone: Client, programme: Programme) -> None:
    live_gift(programme, "MUG", at=BEFORE)
    phone.get("/my/gifts")
    with statements() as few:
        phone.get("/my/gifts")
    for number in range(20):
        live_gift(programme, f"G-{number:02}", at=BEFORE)
    phone.get("/my/gifts")
    with statements() as many:
        phone.get("/my/gifts")
    assert len(many) == len(few) <= 9
