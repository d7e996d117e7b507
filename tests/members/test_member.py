"""GET and PATCH /api/v1/members/{member}"""

from datetime import date

import pytest

from members.models import Member, OutboxEvent
from tests.factories import ApiClient, MemberFactory

URL = "/api/v1/members/10042"


def test_it_works(till: ApiClient, ada: Member, bob: Member) -> None:
    answer = till.get(URL)
    assert answer.status_code == 200
    assert answer.json() == {
        "member": "10042",
        "first_name": "Ada",
        "last_name": "",
        "email": "",
        "birth_date": None,
        "language": "fr",
        "attributes": {},
        "consents": {},
        "metadata": {},
        "status": "active",
        "tier": None,
        "enrolled_at": "2026-01-01T12:00:00Z",
    }


def test_a_foreign_member_is_like_none(eve: ApiClient, ada: Member) -> None:
    foreign, unknown = eve.get(URL), eve.get("/api/v1/members/nobody")
    assert foreign.status_code == unknown.status_code == 404
    bodies = [answer.json() | {"instance": ""} for answer in (foreign, unknown)]
    assert bodies[0] == bodies[1]
    patched = eve.patch_json(URL, {"first_name": "Eve"})
    assert patched.json() | {"instance": ""} == bodies[0]
    ada.refresh_from_db()
    assert ada.first_name == "Ada"


@pytest.mark.parametrize(
    "path", ["../etc", ".hidden", "%2e%2e%2fetc", "a" * 65, "10042%00", "10042%0A", "1/2"]
)
def test_what_is_no_number_is_not_found(till: ApiClient, ada: Member, path: str) -> None:
    answer = till.get(f"/api/v1/members/{path}")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_numbers_are_case_sensitive(till: ApiClient, ada: Member) -> None:
    MemberFactory(programme=ada.programme, number="abc")
    assert till.get("/api/v1/members/abc").status_code == 200
    assert till.get("/api/v1/members/ABC").status_code == 404


def test_head(till: ApiClient, ada: Member) -> None:
    answer = till.head(URL)
    assert (answer.status_code, answer.content) == (200, b"")


def test_a_change(till: ApiClient, ada: Member) -> None:
    answer = till.patch_json(URL, {"email": "ada@example.org", "consents": {"newsletter": True}})
    assert answer.status_code == 200
    assert answer.json()["email"] == "ada@example.org"
    ada.refresh_from_db()
    assert (ada.first_name, ada.consents) == ("Ada", {"newsletter": True})
    assert OutboxEvent.objects.get().type == "member.updated"


def test_a_change_of_nothing_tells_nobody(till: ApiClient, ada: Member) -> None:
    assert till.patch_json(URL, {}).status_code == 200
    assert till.patch_json(URL, {"first_name": "Ada"}).status_code == 200
    assert not OutboxEvent.objects.exists()


def test_an_earlier_birth_date_is_kept(till: ApiClient, ada: Member) -> None:
    till.patch_json(URL, {"birth_date": "1990-12-10"})
    till.patch_json(URL, {"birth_date": "1990-11-23"})
    till.patch_json(URL, {"birth_date": None})
    ada.refresh_from_db()
    assert ada.birth_date is None
    assert [change["was"] for change in ada.birth_date_changes] == [None, "1990-12-10", "1990-11-23"]
    assert all(change["at"].endswith("+00:00") for change in ada.birth_date_changes)


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"member": "10099"}, "/member"),
        ({"status": "closed"}, "/status"),
        ({"tier": "GOLD"}, "/tier"),
        ({"first_name": None}, "/first_name"),
        ({"birth_date": "2999-01-01"}, "/birth_date"),
        ({"language": "xx"}, "/language"),
        ({"email": "nobody"}, "/email"),
        ({"metadata": {"deep": [1]}}, "/metadata"),
    ],
)
def test_what_is_refused(till: ApiClient, ada: Member, change: dict[str, object], pointer: str) -> None:
    before = Member.objects.values().get()
    answer = till.patch_json(URL, change)
    assert (answer.status_code, answer.json()["code"]) == (422, "validation_error")
    assert answer.json()["errors"][0]["pointer"] == pointer
    assert Member.objects.values().get() == before


def test_reading_does_not_allow_writing(till: ApiClient, ada: Member) -> None:
    reader = ApiClient(ada.programme, scopes=["members:read"])
    assert reader.get(URL).status_code == 200
    answer = reader.patch_json(URL, {"birth_date": "1990-12-10"})
    assert (answer.status_code, answer.json()["code"]) == (403, "insufficient_scope")
    ada.refresh_from_db()
    assert ada.birth_date != date(1990, 12, 10)


def test_without_a_token(till: ApiClient, ada: Member) -> None:
    del till.defaults["HTTP_AUTHORIZATION"]
    assert till.get(URL).status_code == 401
    assert till.patch_json(URL, {"first_name": "Eve"}).status_code == 401
    ada.refresh_from_db()
    assert ada.first_name == "Ada"
