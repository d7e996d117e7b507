"""What is done to a member's tokens by those who should not have them: every refusal is the same, nobody gets in."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any, NamedTuple
from urllib.parse import quote

import pytest
import time_machine
from django.test import Client
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from config.people import person_erase
from members.models import Member, MemberSession, Programme
from members.services import member_close, partner_update, session_revoke, sessions_revoke
from tests.factories import ApiClient

URL = "/api/v1/identifications"
ME = "/api/v1/me"
PAGE = "/my/profile"
SHOP = "https://shop.example/rewards"
OLD, NEW = "old-key-0123456789-abcdefghij-XYZ", "new-key-0123456789-abcdefghij-XYZ"


class Answer(NamedTuple):
    """What of an answer tells anything: all but the request's own number and what a form is signed with."""

    status: int
    headers: dict[str, str]
    body: str


def answer_of(response: Any) -> Answer:
    headers = {name: value for name, value in response.headers.items() if name != "X-Request-Id"}
    body = response.content.decode()
    for number in re.findall(r'"instance":\s*"[^"]*"', body):
        body = body.replace(number, "")
    assert response.status_code < 400 or not response.cookies
    return Answer(response.status_code, headers, body)


def by_cookie(token: str) -> Answer:
    return answer_of(Client(headers={"cookie": f"member={token}"}).get(ME))


def by_page(token: str) -> Answer:
    return answer_of(Client(headers={"cookie": f"member={token}"}).get(PAGE))


def by_bearer(token: str) -> Answer:
    return answer_of(Client().get(ME, headers={"authorization": f"Bearer {token}"}))


def by_login(token: str) -> Answer:
    return answer_of(Client().get(f"/my/enter/{quote(token, safe='/')}"))


Ask = Callable[[str], Answer]
WAYS: dict[str, tuple[Ask, int]] = {
    "cookie": (by_cookie, 401),
    "page": (by_page, 401),
    "bearer": (by_bearer, 401),
    "login": (by_login, 410),
}
"""How a token is shown, and the status of every refusal."""


class Tokens(NamedTuple):
    """What a partner was given for a member, by the ways it is shown."""

    cookie: str
    page: str
    bearer: str
    login: str


def identify(shop: ApiClient, **body: Any) -> Tokens:
    answer = shop.post_json(URL, {"member": "10042", **body})
    assert answer.status_code == 201, answer.content
    given = answer.json()
    cookie, login = given["cookie"]["value"], given["login_url"].rsplit("/", 1)[1]
    return Tokens(cookie, cookie, given["bearer"]["access_token"], login)


def nobody(way: str) -> Answer:
    """What somebody is told who shows nonsense."""
    ask, status = WAYS[way]
    told = ask("nonsense")
    assert told.status == status
    return told


def check_refused(tokens: Tokens) -> None:
    """Whichever of the tokens is shown, the answer is that to nonsense, and nobody came in."""
    for way, token in tokens._asdict().items():
        assert WAYS[way][0](token) == nobody(way), way
    assert not MemberSession.objects.filter(entered_at__isnull=False).exists()


@pytest.fixture
def shop(till: ApiClient, ada: Member) -> ApiClient:
    """The partner of ada's programme with an address to come back to."""
    partner_update(partner=till.partner, name="Shop", scopes=till.partner.allowed_scopes, return_urls=[SHOP])
    return till


# --- Altered tokens -------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", WAYS)
def test_a_byte_flipped_anywhere(shop: ApiClient, way: str) -> None:
    """Each byte with one of its bits flipped, another bit from place to place."""
    token, expected, (ask, _) = getattr(identify(shop), way), nobody(way), WAYS[way]
    for place, letter in enumerate(token):
        flipped = chr(ord(letter) ^ (1 << place % 7))
        assert ask(token[:place] + flipped + token[place + 1 :]) == expected, (place, flipped)
    assert ask(token).status in {200, 302}, (
        "the genuine one still opens: so the others were tried on a live one"
    )


@pytest.mark.parametrize("way", WAYS)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.data())
def test_tokens_changed_at_random(shop: ApiClient, way: str, data: st.DataObject) -> None:
    """Bytes replaced, put in and left out; two tokens of two members joined at a random place."""
    token, other = getattr(identify(shop), way), identify(shop).cookie
    start = data.draw(st.integers(0, len(token)))
    end = data.draw(st.integers(start, min(start + 3, len(token))))
    text = data.draw(st.text(st.characters(min_codepoint=33, max_codepoint=255), max_size=3))
    changed = data.draw(st.sampled_from([token[:start] + text + token[end:], token[:start] + other[start:]]))
    if changed not in {token, other}:
        assert WAYS[way][0](changed) == nobody(way)


@pytest.mark.parametrize("way", WAYS)
def test_cut_and_grown_tokens(shop: ApiClient, way: str) -> None:
    token, expected, (ask, _) = getattr(identify(shop), way), nobody(way), WAYS[way]
    odd = [token[:place] for place in range(1, len(token))]
    odd += [
        token + "A",
        token + "=",
        token + "/",
        token + "/x",
        f" {token}x",
        token * 2,
        token * 20,
        "A" * 5000,
    ]
    odd += ["..", "a/../b", "é" * 20, token.swapcase(), token[::-1], "null", "[]", f"{token}.{token}"]
    for other in odd:
        assert ask(other) == expected, other


# --- Whose token it is ----------------------------------------------------------------------------------


def test_tokens_of_another_programme_show_another_member(
    shop: ApiClient, eve: ApiClient, ada: Member
) -> None:
    """Number 10042 of the other programme is somebody else: her tokens show her, and nothing of ada."""
    Member.objects.create(
        programme=eve.partner.programme, number="10042", first_name="Eva", enrolled_at=timezone.now()
    )
    theirs = identify(eve)
    for ask in (by_cookie, by_bearer):
        told = ask(theirs._asdict()["cookie" if ask is by_cookie else "bearer"])
        assert told.status == 200
        assert "Eva" in told.body
        assert "Ada" not in told.body


def test_a_token_is_of_the_client_that_asked(shop: ApiClient, ada: Member) -> None:
    """Two partners of one programme: what ends the one's tokens leaves the other's."""
    other = ApiClient(ada.programme)
    mine, others = identify(shop), identify(other)
    partner_update(partner=other.partner, name="Other", scopes=["members:read"])
    check_refused(others)
    assert by_cookie(mine.cookie).status == by_bearer(mine.bearer).status == 200


# --- Tokens that were good once -------------------------------------------------------------------------


def test_keys_are_rotated(shop: ApiClient, settings: Any) -> None:
    """A key that stands behind the new one still opens what it signed; removed, it opens nothing. Nor does its
    place matter: only what is listed counts."""
    settings.IDENTIFICATION_KEYS = [OLD]
    before = identify(shop)
    settings.IDENTIFICATION_KEYS = [NEW, OLD]
    assert by_cookie(before.cookie).status == by_bearer(before.bearer).status == 200
    after = identify(shop)
    settings.IDENTIFICATION_KEYS = [NEW]
    check_refused(before)
    assert by_cookie(after.cookie).status == by_bearer(after.bearer).status == 200
    settings.IDENTIFICATION_KEYS = [OLD]
    check_refused(after)


def test_a_page_signs_a_worn_cookie_anew_with_the_new_key(shop: ApiClient, settings: Any) -> None:
    """So that a removed key sends nobody away who has been here since."""
    with time_machine.travel(timezone.now(), tick=False) as clock:
        settings.IDENTIFICATION_KEYS = [OLD]
        phone = Client()
        phone.get(f"/my/enter/{identify(shop).login}")
        settings.IDENTIFICATION_KEYS = [NEW, OLD]
        clock.shift(timedelta(minutes=16))
        assert phone.get(PAGE).status_code == 200
        settings.IDENTIFICATION_KEYS = [NEW]
        assert phone.get(PAGE).status_code == 200


def test_expired_tokens(shop: ApiClient) -> None:
    with time_machine.travel(timezone.now(), tick=False) as clock:
        tokens = identify(shop)
        clock.shift(timedelta(minutes=31))
        check_refused(tokens)


def test_tokens_from_the_future(shop: ApiClient) -> None:
    """A clock that went back makes no token live for longer: what is older than its life is over."""
    with time_machine.travel(timezone.now(), tick=False) as clock:
        tokens = identify(shop)
        clock.shift(timedelta(hours=13))
        check_refused(tokens)


@pytest.mark.parametrize("how", ["session", "all", "closed", "erased", "gone", "programme"])
def test_what_ends_tokens(shop: ApiClient, ada: Member, how: str) -> None:
    tokens, now = identify(shop), timezone.now()
    assert by_cookie(tokens.cookie).status == 200
    if how == "session":
        session_revoke(session=MemberSession.objects.get(), now=now)
    elif how == "all":
        sessions_revoke(member=ada, now=now)
    elif how == "closed":
        member_close(member=ada, now=now)
    elif how == "erased":
        person_erase(member=ada, actor="staff:carol", now=now)
    elif how == "gone":
        MemberSession.objects.all().delete()
        ada.delete()
    else:
        Programme.objects.filter(pk=ada.programme_id).update(status=Programme.Status.CLOSED)
    check_refused(tokens)


# --- Cookies --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("pair", ["member={mine}; member={others}", "member={others}; x=1; member={mine}"])
def test_of_two_cookies_of_one_name_none_counts(shop: ApiClient, bob: Member, pair: str) -> None:
    """Whoever planted the other: nobody can tell which is ours. On pages as in the API."""
    mine, others = identify(shop).cookie, identify(shop, member=bob.number).cookie
    header = {"cookie": pair.format(mine=mine, others=others)}
    assert answer_of(Client(headers=header).get(ME)) == nobody("cookie")
    assert answer_of(Client(headers=header).get(PAGE)) == nobody("page")


def test_the_cookie_cannot_be_read_by_scripts_nor_sent_by_other_sites(shop: ApiClient, settings: Any) -> None:
    for is_tls, name in ((False, "member"), (True, "__Host-member")):
        settings.SESSION_COOKIE_SECURE = is_tls
        entered = Client().get(f"/my/enter/{identify(shop).login}")
        cookie = entered.cookies[name]
        assert (cookie["httponly"], cookie["samesite"], cookie["path"], cookie["domain"]) == (
            True,
            "Lax",
            "/",
            "",
        )
        assert bool(cookie["secure"]) is is_tls
        assert cookie["max-age"] == 1800
        assert entered.headers["Cache-Control"] == "no-store"
        assert entered.headers["Referrer-Policy"] == "same-origin"


def test_over_tls_a_cookie_that_any_host_may_plant_counts_for_nothing(shop: ApiClient, settings: Any) -> None:
    """A neighbour's host can set `member` for the whole domain, but not `__Host-member`."""
    settings.SESSION_COOKIE_SECURE = True
    tokens = identify(shop)
    assert by_cookie(tokens.cookie) == nobody("cookie")
    assert Client(headers={"cookie": f"__Host-member={tokens.cookie}"}).get(ME).status_code == 200


def test_entering_takes_nothing_of_who_was_here_before(shop: ApiClient, bob: Member) -> None:
    """Session fixation: whatever cookies the browser came with, it leaves with new ones, and signing out ends the
    session itself, so that a copy of its cookie is worth nothing."""
    planted = identify(shop, member=bob.number)
    phone = Client()
    phone.cookies["member"] = planted.cookie
    form = phone.get(PAGE)
    assert "10043" in form.content.decode()
    token_before = phone.cookies["csrftoken"].value
    mine = identify(shop)
    assert phone.get(f"/my/enter/{mine.login}").status_code == 302
    assert phone.cookies["member"].value != planted.cookie
    assert phone.cookies["csrftoken"].value != token_before
    assert phone.get(ME).json()["member"] == "10042"
    copied = phone.cookies["member"].value
    assert phone.post("/my/sign-out").status_code == 200
    for token in (copied, mine.cookie):
        assert by_cookie(token) == nobody("cookie")
    assert by_cookie(planted.cookie).status == 200, "bob's own session is none of ada's business"


# --- Writes by cookie -----------------------------------------------------------------------------------

WRITES = (
    "/my/profile",
    "/my/sign-out",
    "/my/gifts/MUG/order",
    "/my/orders/WEB-1/cancel",
    "/my/orders/WEB-1/return",
    "/my/profile/sessions/019af5d3-7a3c-7c61-9f0e-0b6f2a5e8d11/end",
)


@pytest.mark.parametrize("path", WRITES)
@pytest.mark.parametrize("token", [None, "nonsense", "A" * 64])
def test_writes_by_cookie_take_the_pages_own_token(shop: ApiClient, path: str, token: str | None) -> None:
    """Whether the gift or order is there is not even looked at."""
    phone = Client(enforce_csrf_checks=True)
    phone.get(f"/my/enter/{identify(shop).login}")
    fields = {"language": "fr"} | ({"csrfmiddlewaretoken": token} if token else {})
    assert phone.post(path, fields).status_code == 403
    assert MemberSession.objects.filter(revoked_at=None).count() == 1


@pytest.mark.parametrize("path", WRITES)
def test_writes_from_another_origin_are_refused(shop: ApiClient, path: str) -> None:
    """Even with the page's own token, when the browser says that the form was elsewhere."""
    phone = Client(enforce_csrf_checks=True)
    phone.get(f"/my/enter/{identify(shop).login}")
    found = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', phone.get(PAGE).content.decode())
    assert found
    fields = {"csrfmiddlewaretoken": found[1], "language": "fr"}
    for origin in ("https://evil.example", "http://testserver.evil.example", "null"):
        assert phone.post(path, fields, headers={"origin": origin}).status_code == 403
    assert MemberSession.objects.filter(revoked_at=None).count() == 1


@pytest.mark.parametrize("path", WRITES[1:])
def test_writes_are_not_made_by_looking(shop: ApiClient, path: str) -> None:
    """A link or a picture on another site writes nothing: GET of a write is 404 or 405, or the confirmation."""
    phone = Client()
    phone.get(f"/my/enter/{identify(shop).login}")
    assert phone.get(path).status_code in {404, 405}
    assert MemberSession.objects.filter(revoked_at=None).count() == 1
