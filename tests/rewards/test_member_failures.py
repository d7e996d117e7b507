"""What members are shown when something is not there, a form is stale, or we failed."""

from typing import Any

import pytest
from django.test import Client

from members.models import Member
from rewards.pages.home import HomePage
from segments.models import Segment
from tests.factories import ApiClient
from tests.rewards.test_member_pages import browser_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def phone(till: ApiClient, club: Segment, ada: Member) -> Client:
    Member.objects.filter(pk=ada.pk).update(language="nl-BE")
    return browser_of(till)


def test_nothing_at_an_address(phone: Client) -> None:
    """In her language, with the way on; a stranger is told in the browser's."""
    for path in ("/my/nothing", "/my/gifts/NOTHING", "/my/orders/NOTHING", "/my/history?kind=x"):
        answer = phone.get(path)
        assert answer.status_code == 404
        assert "Op dit adres is niets" in answer.content.decode()
        assert 'href="/my/orders"' in answer.content.decode()
        assert answer.headers["Cache-Control"] == "no-store"
    stranger = Client(headers={"accept-language": "fr"}).get("/my/nothing")
    assert "Il n'y a rien" in stranger.content.decode()
    assert "/my/orders" not in stranger.content.decode()


def test_other_pages_keep_theirs(db: None) -> None:
    assert "To the start page" in Client().get("/nothing").content.decode()
    assert Client().get("/api/v1/nothing").json()["code"] == "not_found"


def test_a_defect_of_ours(phone: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: Any, **kwargs: Any) -> Any:
        raise RuntimeError("secret of the house")

    monkeypatch.setattr(HomePage, "get_context_data", fail)
    phone.raise_request_exception = False
    answer = phone.get("/my/")
    assert answer.status_code == 500
    assert "Er ging bij ons iets mis" in answer.content.decode()
    assert "secret of the house" not in answer.content.decode()


def test_a_stale_form(phone: Client, ada: Member) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = phone.cookies
    answer = strict.post("/my/profile", {"language": "fr"})
    assert answer.status_code == 403
    assert "Deze pagina stond te lang open" in answer.content.decode()
    ada.refresh_from_db()
    assert ada.language == "nl-BE"
