"""POST /api/v1/members"""

from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import Any

import pytest
from django.db import connection

from members.models import Member, OutboxEvent, Programme
from tests.factories import ApiClient, MemberFactory

URL = "/api/v1/members"
ADA = {
    "member": "10042",
    "first_name": "Ada",
    "last_name": "Lovelace",
    "email": "ada@example.org",
    "birth_date": "1990-12-10",
    "language": "nl-BE",
    "attributes": {"shoe_size": 38, "vegan": True},
    "consents": {"newsletter": False},
    "metadata": {"crm": "A-77"},
}


def test_it_works(till: ApiClient, programme: Programme) -> None:
    answer = till.post_json(URL, ADA)
    assert answer.status_code == 201
    shown = answer.json()
    assert shown.pop("enrolled_at").endswith("Z")
    assert shown == ADA | {"status": "active", "tier": None}
    stored = Member.objects.get(programme=programme, number="10042")
    assert stored.birth_date == date(1990, 12, 10)
    assert stored.attributes == ADA["attributes"]
    event = OutboxEvent.objects.get()
    assert (event.type, event.member_id, event.body) == ("member.enrolled", stored.pk, {})


def test_a_number_is_enough(till: ApiClient) -> None:
    answer = till.post_json(URL, {"member": "1"})
    assert answer.status_code == 201
    assert answer.json()["language"] == "fr"
    assert answer.json()["birth_date"] is None


def test_the_same_content_again(till: ApiClient) -> None:
    first = till.post_json(URL, ADA)
    again = till.post_json(URL, ADA)
    assert again.status_code == 200
    assert again.json() == first.json()
    assert Member.objects.count() == 1
    assert OutboxEvent.objects.count() == 1


def test_other_content_under_the_number(till: ApiClient) -> None:
    till.post_json(URL, ADA)
    answer = till.post_json(URL, ADA | {"first_name": "Augusta"})
    assert answer.status_code == 409
    assert answer.json()["code"] == "member_exists"
    assert answer.json()["retryable"] is False
    assert Member.objects.get().first_name == "Ada"


def test_the_same_number_in_two_programmes(till: ApiClient, eve: ApiClient) -> None:
    assert till.post_json(URL, ADA).status_code == 201
    assert eve.post_json(URL, ADA | {"first_name": "Eve"}).status_code == 201
    assert till.get(f"{URL}/10042").json()["first_name"] == "Ada"


@pytest.mark.parametrize(
    ("change", "pointer", "code"),
    [
        ({"frist_name": "Ada"}, "/frist_name", "unknown_field"),
        ({"member": "../etc"}, "/member", "invalid"),
        ({"member": "a" * 65}, "/member", "invalid"),
        ({"member": "10042\n"}, "/member", "invalid"),
        ({"member": 10042}, "/member", "wrong_type"),
        ({"first_name": "A" * 151}, "/first_name", "invalid"),
        ({"email": "ada at example"}, "/email", "invalid"),
        ({"birth_date": "1850-01-01"}, "/birth_date", "implausible"),
        ({"birth_date": "2999-01-01"}, "/birth_date", "implausible"),
        ({"birth_date": "10/12/1990"}, "/birth_date", "invalid"),
        ({"language": "de"}, "/language", "unknown_language"),
        ({"attributes": {"nested": {"no": 1}}}, "/attributes", "wrong_type"),
        ({"attributes": []}, "/attributes", "wrong_type"),
        ({"metadata": {"long": "x" * 4096}}, "/metadata", "too_large"),
    ],
)
def test_what_is_refused(till: ApiClient, change: dict[str, object], pointer: str, code: str) -> None:
    answer = till.post_json(URL, ADA | change)
    assert answer.status_code == 422
    assert answer.json()["code"] == "validation_error"
    assert [(error["pointer"], error["code"]) for error in answer.json()["errors"]] == [(pointer, code)]
    assert not Member.objects.exists()


def test_the_number_is_missing(till: ApiClient) -> None:
    answer = till.post_json(URL, {"first_name": "Ada"})
    assert answer.status_code == 422
    assert answer.json()["errors"] == [{"pointer": "/member", "code": "missing", "detail": "Required."}]


def test_a_closed_programme(till: ApiClient, programme: Programme) -> None:
    Programme.objects.update(status=Programme.Status.CLOSED)
    answer = till.post_json(URL, ADA)
    assert (answer.status_code, answer.json()["code"]) == (409, "programme_not_active")
    assert not Member.objects.exists()


def test_without_the_scope(programme: Programme) -> None:
    reader = ApiClient(programme, scopes=["members:read"])
    answer = reader.post_json(URL, ADA)
    assert (answer.status_code, answer.json()["code"]) == (403, "insufficient_scope")
    assert answer.headers["WWW-Authenticate"].endswith('scope="members:write"')
    assert not Member.objects.exists()


def test_without_a_token(till: ApiClient) -> None:
    del till.defaults["HTTP_AUTHORIZATION"]
    answer = till.post_json(URL, ADA)
    assert (answer.status_code, answer.json()["code"]) == (401, "invalid_token")
    assert not Member.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_the_same_member_from_twenty_tills_at_once(till: ApiClient) -> None:
    def enrol(_: int) -> int:
        try:
            return till.post_json(URL, ADA).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(20) as tills:
        statuses = sorted(tills.map(enrol, range(20)))
    assert statuses == [200] * 19 + [201]
    assert Member.objects.count() == 1
    assert OutboxEvent.objects.count() == 1


def test_the_queries_of_an_enrolment(till: ApiClient, django_assert_num_queries: Any) -> None:
    till.get("/api/v1/languages")
    with django_assert_num_queries(10):  # the last two keep who gave her consent, to which words
        till.post_json(URL, ADA)


def test_a_number_of_another_programme_is_free(till: ApiClient, eve: ApiClient) -> None:
    MemberFactory(programme=eve.partner.programme, number="10042", first_name="Eve")
    assert till.post_json(URL, ADA).status_code == 201
