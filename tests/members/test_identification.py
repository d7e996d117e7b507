"""POST /api/v1/identifications, GET /api/v1/me, and the one-use addresses."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.conf import settings
from django.core import signing
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from members.identity import Claim, Kind, key_id, sign
from members.models import Member, MemberSession, Programme
from members.services import member_close, partner_update, session_revoke, sessions_revoke
from tests.factories import ApiClient, MemberFactory

URL = "/api/v1/identifications"
ME = "/api/v1/me"
SHOP = "https://shop.example/rewards"


@pytest.fixture
def shop(till: ApiClient) -> ApiClient:
    """The partner with an address to come back to."""
    partner_update(partner=till.partner, name="Shop", scopes=till.partner.allowed_scopes, return_urls=[SHOP])
    return till


@pytest.fixture
def phone(db: None) -> Client:
    return Client(headers={"user-agent": "Mozilla/5.0 (Android 15; Mobile; rv:140.0) Firefox/140.0"})


def identify(shop: ApiClient, **body: Any) -> dict[str, Any]:
    answer = shop.post_json(URL, {"member": "10042", **body})
    assert answer.status_code == 201, answer.content
    return answer.json()


def me_by_cookie(value: str, name: str = "member") -> Any:
    return Client(headers={"cookie": f"{name}={value}"}).get(ME)


def me_by_bearer(token: str) -> Any:
    return Client().get(ME, headers={"authorization": f"Bearer {token}"})


def refusal(answer: Any) -> dict[str, Any]:
    assert answer.status_code == 401
    return {**answer.json(), "instance": ""} | {"challenge": answer.headers["WWW-Authenticate"]}


NOBODY = {
    "type": "http://testserver/api/v1/docs/problems#invalid_token",
    "status": 401,
    "code": "invalid_token",
    "detail": "Nobody is identified by this request.",
}


def test_it_works(shop: ApiClient, ada: Member) -> None:
    answer = shop.post_json(URL, {"member": "10042", "return_url": SHOP})
    body = answer.json()
    assert answer.status_code == 201
    assert answer.headers["Cache-Control"] == "no-store"
    assert body["member"] == "10042"
    assert (body["cookie"]["name"], body["cookie"]["max_age"]) == ("member", 1800)
    assert body["bearer"]["expires_in"] == 300
    assert body["login_url"].startswith("http://testserver/my/enter/")
    cookie = answer.cookies["member"]
    assert cookie.value == body["cookie"]["value"]
    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Lax", "/")
    session = MemberSession.objects.get()
    assert str(session.pk) == body["session"]
    assert (session.member, session.partner.client_id) == (ada, shop.partner.client_id)


def test_over_tls_the_cookie_is_secure_and_of_this_host(shop: ApiClient, ada: Member, settings: Any) -> None:
    settings.SESSION_COOKIE_SECURE = True
    answer = shop.post_json(URL, {"member": "10042"})
    cookie = answer.cookies["__Host-member"]
    assert (cookie["secure"], cookie["domain"], cookie["path"]) == (True, "", "/")
    assert answer.json()["cookie"]["name"] == "__Host-member"


def test_me(shop: ApiClient, ada: Member) -> None:
    body = identify(shop)
    by_cookie, by_bearer = me_by_cookie(body["cookie"]["value"]), me_by_bearer(body["bearer"]["access_token"])
    assert by_cookie.status_code == by_bearer.status_code == 200
    me = by_bearer.json()
    assert (me["member"], me["first_name"], me["language"], me["segments"]) == ("10042", "Ada", "fr", [])
    assert me["balance"] | {"as_of": ""} == {"available": 0, "pending": 0, "held": 0, "debt": 0, "as_of": ""}
    assert me["expiring"] == []
    assert by_bearer.headers["Cache-Control"] == "no-store"


def test_the_outsider(shop: ApiClient, eve: ApiClient, ada: Member) -> None:
    foreign, unknown = eve.post_json(URL, {"member": "10042"}), eve.post_json(URL, {"member": "nobody"})
    assert foreign.status_code == unknown.status_code == 404
    assert foreign.json() | {"instance": ""} == unknown.json() | {"instance": ""}
    assert not MemberSession.objects.exists()


def test_it_takes_the_scope(programme: Programme, ada: Member) -> None:
    reader = ApiClient(programme, scopes=["members:read"])
    assert reader.post_json(URL, {"member": "10042"}).status_code == 403
    assert not MemberSession.objects.exists()


def test_partners_tokens_open_nothing_of_a_members(shop: ApiClient, ada: Member) -> None:
    assert refusal(me_by_bearer(shop.token)) == refusal(Client().get(ME))


def test_members_tokens_open_nothing_of_a_partners(shop: ApiClient, ada: Member) -> None:
    token = identify(shop)["bearer"]["access_token"]
    answer = Client().get("/api/v1/members/10042", headers={"authorization": f"Bearer {token}"})
    assert answer.status_code == 401


def test_a_closed_member_is_not_identified(shop: ApiClient, ada: Member) -> None:
    member_close(member=ada, now=timezone.now())
    answer = shop.post_json(URL, {"member": "10042"})
    assert (answer.status_code, answer.json()["code"]) == (409, "member_not_active")


# --- Abuse: each refusal is the same ------------------------------------------------------------------


def test_a_token_of_one_kind_is_none_of_another(shop: ApiClient, ada: Member) -> None:
    body = identify(shop)
    login = body["login_url"].rsplit("/", 1)[1]
    expected = refusal(Client().get(ME))
    assert refusal(me_by_bearer(body["cookie"]["value"])) == expected
    assert refusal(me_by_cookie(body["bearer"]["access_token"])) == expected
    assert refusal(me_by_cookie(login)) == refusal(me_by_bearer(login)) == expected
    assert Client().get(f"/my/enter/{body['cookie']['value']}").status_code == 410


def claim(session: MemberSession, **changes: Any) -> Claim:
    genuine = Claim(session.pk, session.programme_id, session.partner_id, session.member_id, 0)
    return genuine._replace(**changes)


def test_tokens_are_bound_to_programme_client_member_and_version(
    shop: ApiClient, eve: ApiClient, ada: Member, bob: Member
) -> None:
    identify(shop)
    session = MemberSession.objects.get()
    assert me_by_cookie(sign(Kind.COOKIE, claim(session))).status_code == 200
    for changes in (
        {"programme_id": eve.partner.programme_id},
        {"partner_id": eve.partner.pk},
        {"partner_id": None},
        {"member_id": bob.pk},
        {"version": 1},
    ):
        assert me_by_cookie(sign(Kind.COOKIE, claim(session, **changes))).status_code == 401, changes


def test_keys(shop: ApiClient, ada: Member, settings: Any) -> None:
    """A key before the current one still opens what it signed; one that is gone, and SECRET_KEY, open nothing."""
    identify(shop)
    session = MemberSession.objects.get()
    cookie = sign(Kind.COOKIE, claim(session))
    old, new = settings.IDENTIFICATION_KEYS[0], "n" + "ew-key-0123456789-abcdefghij-XYZ"
    settings.IDENTIFICATION_KEYS = [new, old]
    assert me_by_cookie(cookie).status_code == 200
    settings.IDENTIFICATION_KEYS = [new]
    assert me_by_cookie(cookie).status_code == 401
    payload = [session.pk.hex, *claim(session)[1:]]
    forged = signing.dumps(payload, key=settings.SECRET_KEY, salt="ristourne.member.cookie")
    assert me_by_cookie(f"{key_id(new)}.{forged}").status_code == 401
    assert me_by_cookie(f"{key_id(settings.SECRET_KEY)}.{forged}").status_code == 401


def test_lifetimes(shop: ApiClient, ada: Member) -> None:
    start = timezone.now()
    with time_machine.travel(start, tick=False) as clock:
        body = identify(shop)
        bearer, cookie = body["bearer"]["access_token"], body["cookie"]["value"]
        clock.shift(timedelta(seconds=299))
        assert me_by_bearer(bearer).status_code == 200
        clock.shift(timedelta(seconds=2))
        assert me_by_bearer(bearer).status_code == 401
        assert me_by_cookie(cookie).status_code == 200
        clock.shift(timedelta(minutes=26))
        assert me_by_cookie(cookie).status_code == 401


def test_a_session_ends_after_twelve_hours_however_young_its_cookie(shop: ApiClient, ada: Member) -> None:
    start = timezone.now()
    with time_machine.travel(start, tick=False) as clock:
        identify(shop)
        session = MemberSession.objects.get()
        clock.shift(timedelta(hours=12, seconds=-1))
        cookie = sign(Kind.COOKIE, claim(session))
        assert me_by_cookie(cookie).status_code == 200
        clock.shift(timedelta(seconds=1))
        assert me_by_cookie(cookie).status_code == 401


@pytest.mark.parametrize("how", ["session", "member", "closed", "programme", "scope"])
def test_what_ends_a_session(shop: ApiClient, ada: Member, how: str) -> None:
    body = identify(shop)
    session, now = MemberSession.objects.get(), timezone.now()
    assert me_by_cookie(body["cookie"]["value"]).status_code == 200
    if how == "session":
        session_revoke(session=session, now=now)
    elif how == "member":
        assert sessions_revoke(member=ada, now=now) == 1
    elif how == "closed":
        member_close(member=ada, now=now)
    elif how == "programme":
        Programme.objects.filter(pk=ada.programme_id).update(status=Programme.Status.CLOSED)
    else:
        partner_update(partner=shop.partner, name="Shop", scopes=["members:read"])
    expected = refusal(Client().get(ME))
    assert refusal(me_by_cookie(body["cookie"]["value"])) == expected
    assert refusal(me_by_bearer(body["bearer"]["access_token"])) == expected
    assert Client().get(body["login_url"]).status_code == 410


# --- The one-use address ------------------------------------------------------------------------------


def test_entering(shop: ApiClient, ada: Member, phone: Client) -> None:
    body = identify(shop, return_url=f"{SHOP}/points?from=mail")
    answer = phone.get(body["login_url"])
    assert (answer.status_code, answer.headers["Location"]) == (302, f"{SHOP}/points?from=mail")
    assert phone.get(ME).json()["member"] == "10042"
    assert MemberSession.objects.get().entered_at is not None


def test_an_address_works_once(shop: ApiClient, ada: Member, phone: Client) -> None:
    url = identify(shop)["login_url"]
    assert phone.get(url).status_code == 302
    again = Client().get(url)
    assert (again.status_code, "member" in again.cookies) == (410, False)


def test_an_address_lives_for_a_minute(shop: ApiClient, ada: Member) -> None:
    with time_machine.travel(timezone.now(), tick=False) as clock:
        url = identify(shop)["login_url"]
        clock.shift(timedelta(seconds=61))
        late = Client().get(url)
    assert late.status_code == 410
    assert late.content == Client().get("/my/enter/nonsense").content


def test_a_partner_without_addresses_sends_members_to_their_pages(till: ApiClient, ada: Member) -> None:
    assert till.post_json(URL, {"member": "10042", "return_url": SHOP}).status_code == 422
    assert Client().get(identify(till)["login_url"]).headers["Location"] == "/my/"


def test_nothing_secret_is_stored(shop: ApiClient, ada: Member) -> None:
    body = identify(shop)
    stored = str(list(MemberSession.objects.values()))
    for token in (
        body["cookie"]["value"],
        body["bearer"]["access_token"],
        body["login_url"].rsplit("/", 1)[1],
    ):
        assert token not in stored
    assert settings.IDENTIFICATION_KEYS[0] not in {settings.SECRET_KEY, settings.EVALUATION_KEY}


def test_sessions_are_bound_to_a_member_of_the_programme(shop: ApiClient, ada: Member) -> None:
    """Eve's partner cannot be used for ada even by a mistake in our own code."""
    stranger = MemberFactory()
    identify(shop)
    with pytest.raises(IntegrityError), transaction.atomic():
        MemberSession.objects.update(member=stranger)
