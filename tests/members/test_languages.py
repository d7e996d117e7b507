"""GET /api/v1/languages"""

from members.models import ProgrammeLanguage
from tests.factories import ApiClient

URL = "/api/v1/languages"


def test_it_works(till: ApiClient) -> None:
    answer = till.get(URL)
    assert answer.status_code == 200
    assert answer.json() == {
        "default": "fr",
        "items": [
            {"code": "fr", "name": "Français", "direction": "ltr", "fallback": None},
            {"code": "nl-BE", "name": "Nederlands (België)", "direction": "ltr", "fallback": "fr"},
        ],
    }


def test_the_list_held_is_still_true(till: ApiClient) -> None:
    etag = till.get(URL).headers["ETag"]
    answer = till.get(URL, headers={"If-None-Match": etag})
    assert (answer.status_code, answer.content) == (304, b"")
    assert answer.headers["ETag"] == etag
    ProgrammeLanguage.objects.filter(code="nl-BE").update(name="Vlaams")
    assert till.get(URL, headers={"If-None-Match": etag}).status_code == 200


def test_another_programme_has_its_own(till: ApiClient, eve: ApiClient) -> None:
    ProgrammeLanguage.objects.filter(programme=eve.partner.programme, code="nl-BE").delete()
    assert [item["code"] for item in eve.get(URL).json()["items"]] == ["fr"]


def test_without_the_scope(till: ApiClient) -> None:
    answer = ApiClient(till.partner.programme, scopes=["members:read"]).get(URL)
    assert (answer.status_code, answer.json()["code"]) == (403, "insufficient_scope")


def test_without_a_token(till: ApiClient) -> None:
    del till.defaults["HTTP_AUTHORIZATION"]
    assert till.get(URL).status_code == 401
