"""A one-use address opened by a hundred browsers at once: one gets in."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import connection
from django.test import Client

from members.models import Member
from tests.factories import ApiClient
from tests.races.crowd import at_once

pytestmark = pytest.mark.django_db(transaction=True)

BROWSERS = 100


def open_at_once(till: ApiClient) -> Counter[tuple[int, bool]]:
    """How often which status came with or without a cookie."""
    body = till.post_json("/api/v1/identifications", {"member": "10042"}).json()

    def browser() -> tuple[int, bool]:
        answer = Client().get(body["login_url"])
        return answer.status_code, "member" in answer.cookies

    return Counter(at_once([browser] * BROWSERS))


def test_one_of_a_hundred_gets_in(till: ApiClient, ada: Member) -> None:
    assert open_at_once(till) == {(302, True): 1, (410, False): BROWSERS - 1}


@contextmanager
def forgetful_database() -> Iterator[None]:
    """The negative control: nobody remembers that an address was used."""
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE FUNCTION forget() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN NEW.entered_at := NULL; RETURN NEW; END $$"
        )
        cursor.execute(
            "CREATE TRIGGER forget BEFORE UPDATE ON members_membersession "
            "FOR EACH ROW EXECUTE FUNCTION forget()"
        )
        try:
            yield
        finally:
            cursor.execute("DROP TRIGGER forget ON members_membersession")
            cursor.execute("DROP FUNCTION forget()")


def test_without_the_guard_all_get_in(till: ApiClient, ada: Member) -> None:
    with forgetful_database():
        assert open_at_once(till) == {(302, True): BROWSERS}
