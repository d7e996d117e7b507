"""A one-use address opened by a hundred browsers at once, each on a connection of its own: one gets in."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from members.models import Member, MemberSession
from members.services import email_session_open, session_revoke
from tests.factories import ApiClient
from tests.races.crowd import at_once

pytestmark = pytest.mark.django_db(transaction=True)

BROWSERS = 100
CONNECTIONS = 50


def by_partner(till: ApiClient) -> Callable[[Client], Any]:
    """Opens the address that a partner was given."""
    url = till.post_json("/api/v1/identifications", {"member": "10042"}).json()["login_url"]
    return lambda browser: browser.get(url)


def by_mail(ada: Member) -> Callable[[Client], Any]:
    """Presses the button behind the link of a mail."""
    path = reverse("member-enter-by-email", args=[email_session_open(member=ada, now=timezone.now())])
    return lambda browser: browser.post(path)


def open_at_once(enter: Callable[[Client], Any]) -> Counter[tuple[int, bool]]:
    """How often which status came with or without a cookie."""

    def browser() -> tuple[int, bool]:
        answer = enter(Client())
        return answer.status_code, "member" in answer.cookies

    return Counter(at_once([browser] * BROWSERS, threads=CONNECTIONS))


def test_one_of_a_hundred_gets_in(till: ApiClient, ada: Member) -> None:
    assert open_at_once(by_partner(till)) == {(302, True): 1, (410, False): BROWSERS - 1}


def test_one_of_a_hundred_gets_in_by_mail(ada: Member) -> None:
    assert open_at_once(by_mail(ada)) == {(302, True): 1, (410, False): BROWSERS - 1}


def test_revoked_meanwhile_at_most_one_got_in_and_nobody_stays(till: ApiClient, ada: Member) -> None:
    """Half of the callers revoke the session while the others enter: the last word is that it is over."""
    enter = by_partner(till)
    session = MemberSession.objects.get()
    kept: list[str] = []

    def browser() -> bool:
        answer = enter(Client())
        if is_in := "member" in answer.cookies:
            kept.append(answer.cookies["member"].value)
        return is_in

    def revoke() -> bool:
        session_revoke(session=session, now=timezone.now())
        return False

    assert sum(at_once([browser, revoke] * 25, threads=CONNECTIONS)) <= 1
    for cookie in kept:
        assert Client(headers={"cookie": f"member={cookie}"}).get("/api/v1/me").status_code == 401
    assert enter(Client()).status_code == 410


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
        assert open_at_once(by_partner(till)) == {(302, True): BROWSERS}
        assert open_at_once(by_mail(ada)) == {(302, True): BROWSERS}
