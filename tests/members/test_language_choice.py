"""Reading the pages in another language: a member for good, a stranger in this browser."""

import re
from typing import Any

import pytest
from django.test import Client

from members.models import ConsentChange, Member, Programme
from members.services import language_add
from members.services.programmes import ENGLISH
from tests.factories import ApiClient
from tests.members.test_member_pages import phone, post  # noqa: F401

pytestmark = pytest.mark.django_db
SIGN_IN = "/my/choco-club/sign-in"
URL = "/my/language"


@pytest.fixture
def ada(programme: Programme, ada: Member) -> Member:
    Member.objects.filter(pk=ada.pk).update(language="fr", email="ada@example.org", consents={"news": True})
    return ada


def offered(page: Any) -> list[str]:
    """Codes of the languages in the foot of a page."""
    foot = page.content.decode().split("<footer", 1)[1]
    return re.findall(r'lang="([\w-]+)"\s+(?:class|hreflang)', foot)


def spoken(page: Any) -> str:
    """The language a page says it is in."""
    found = re.search(r'<html lang="([\w-]+)"', page.content.decode())
    assert found
    return found[1]


def test_it_works(phone: Client, ada: Member) -> None:  # noqa: F811
    page = phone.get("/my/profile")
    assert (spoken(page), offered(page)) == ("fr", ["fr", "nl-BE"])
    answer = post(phone, URL, language="nl-BE")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/my/")
    ada.refresh_from_db()
    assert (ada.language, ada.consents) == ("nl-BE", {"news": True})
    assert not ConsentChange.objects.exists()
    assert spoken(phone.get("/my/profile")) == "nl"


def test_a_language_of_no_text_of_ours(phone: Client, programme: Programme, ada: Member) -> None:  # noqa: F811
    """The programme speaks German, our own texts do not: gifts are German, the rest the installation's."""
    language_add(programme=programme, language=ENGLISH._replace(code="de", name="Deutsch"), position=3)
    post(phone, URL, language="de")
    ada.refresh_from_db()
    assert ada.language == "de"
    assert spoken(phone.get("/my/profile")) == "en"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("http://testserver/my/history?kind=earn", "http://testserver/my/history?kind=earn"),
        ("https://evil.example/my/", "/my/"),
        ("http://testserver.evil.example/my/", "/my/"),
        ("javascript:alert(1)", "/my/"),
        ("", "/my/"),
    ],
)
def test_she_stays_where_she_was(phone: Client, before: str, after: str) -> None:  # noqa: F811
    phone.defaults["HTTP_REFERER"] = before
    answer = post(phone, URL, language="fr")
    assert answer.headers["Location"] == after


@pytest.mark.parametrize("language", ["", "en", "xx", "../fr", "fr\r\nSet-Cookie: a=b"])
def test_what_the_programme_does_not_speak(phone: Client, ada: Member, language: str) -> None:  # noqa: F811
    assert post(phone, URL, language=language).status_code == 404
    ada.refresh_from_db()
    assert ada.language == "fr"


def test_looking_changes_nothing(phone: Client, ada: Member) -> None:  # noqa: F811
    """Neither a link nor a form of another site; `?lang=` is for strangers."""
    assert phone.get(f"{URL}?language=nl-BE").status_code == 405
    assert phone.post(URL, {"language": "nl-BE"}).status_code == 403
    page = phone.get("/my/profile?lang=nl")
    assert (spoken(page), "django_language" in page.cookies) == ("fr", False)
    ada.refresh_from_db()
    assert ada.language == "fr"


def test_after_signing_out_the_browser_still_speaks_it(phone: Client) -> None:  # noqa: F811
    post(phone, URL, language="nl-BE")
    assert post(phone, "/my/sign-out").status_code == 200
    assert spoken(phone.get(SIGN_IN)) == "nl"


def test_a_stranger(till: ApiClient) -> None:
    browser = Client(headers={"Accept-Language": "nl"})
    page = browser.get(SIGN_IN)
    assert (spoken(page), offered(page)) == ("nl", ["en", "fr", "nl"])
    assert "django_language" not in page.cookies
    page = browser.get(f"{SIGN_IN}?lang=fr")
    kept = page.cookies["django_language"]
    assert (spoken(page), kept.value, kept["path"], kept["samesite"]) == (
        "fr",
        "fr",
        "/my/",
        "Lax",
    )
    assert kept["httponly"]
    assert spoken(browser.get(SIGN_IN)) == "fr"


@pytest.mark.parametrize("language", ["xx", "nl-BE", "fr%00", "fr;Path=/", ""])
def test_a_stranger_cannot_ask_for_what_is_not_offered(till: ApiClient, language: str) -> None:
    page = Client().get(SIGN_IN, {"lang": language})
    assert (page.status_code, spoken(page)) == (200, "en")
    assert "django_language" not in page.cookies


def test_another_programmes_member_is_offered_her_own(eve: ApiClient, till: ApiClient) -> None:
    """What one programme speaks is not offered by another."""
    language_add(programme=till.partner.programme, language=ENGLISH, position=2)
    assert eve.post_json("/api/v1/members", {"member": "1"}).status_code == 201
    hers = Client()
    hers.get(eve.post_json("/api/v1/identifications", {"member": "1"}).json()["login_url"])
    assert "en" not in offered(hers.get("/my/profile"))
