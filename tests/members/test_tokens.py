"""POST /oauth/token, /oauth/revoke, /oauth/introspect, and what a token opens"""

import base64
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from oauth2_provider.models import get_access_token_model

from members.models import Programme
from members.selectors import TOKEN_CACHE_SECONDS, forget_tokens
from members.services import partner_revoke_tokens, partner_rotate_secret, partner_update
from tests.factories import ApiClient, token_of

LANGUAGES = "/api/v1/languages"
FORM = "application/x-www-form-urlencoded"
AccessToken = get_access_token_model()


def basic(client_id: str, secret: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{client_id}:{secret}".encode()).decode()}


def ask(partner: ApiClient, secret: str | None = None, **form: str) -> HttpResponse:
    headers = basic(partner.partner.client_id, secret or partner.secret)
    return Client().post("/oauth/token", {"grant_type": "client_credentials"} | form, headers=headers)


def test_it_works(till: ApiClient) -> None:
    answer = ask(till)
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Request-Id"]
    body = answer.json()
    assert (body["token_type"], body["expires_in"]) == ("Bearer", 3600)
    assert "refresh_token" not in body
    assert set(body["scope"].split()) == set(till.partner.allowed_scopes)
    till.use(body["access_token"])
    assert till.get(LANGUAGES).status_code == 200


def test_credentials_in_the_form(till: ApiClient) -> None:
    form = {
        "grant_type": "client_credentials",
        "client_id": till.partner.client_id,
        "client_secret": till.secret,
    }
    assert Client().post("/oauth/token", form).status_code == 200


def test_a_token_is_not_stored(till: ApiClient) -> None:
    token = ask(till).json()["access_token"]
    assert not AccessToken.objects.filter(token=token).exists()


def test_the_scopes_asked_for(till: ApiClient) -> None:
    answer = ask(till, scope="members:read")
    assert answer.json()["scope"] == "members:read"
    till.use(answer.json()["access_token"])
    assert till.get(LANGUAGES).status_code == 403


def test_default_scopes_are_the_partners(programme: Programme) -> None:
    partner = ApiClient(programme, scopes=["points:earn", "members:read"])
    assert set(ask(partner).json()["scope"].split()) == {"points:earn", "members:read"}


@pytest.mark.parametrize(
    ("form", "status", "error"),
    [
        ({"scope": "points:earn everything"}, 400, "invalid_scope"),
        ({"scope": "points:\x00earn"}, 400, "invalid_scope"),
        ({"grant_type": "password", "username": "a", "password": "b"}, 400, "unsupported_grant_type"),
        ({"grant_type": "authorization_code", "code": "x"}, 400, "unsupported_grant_type"),
        ({"grant_type": "refresh_token", "refresh_token": "x"}, 400, "unsupported_grant_type"),
        ({"grant_type": ""}, 400, "invalid_request"),
    ],
)
def test_what_is_refused(till: ApiClient, form: dict[str, str], status: int, error: str) -> None:
    before = AccessToken.objects.count()
    answer = ask(till, **form)
    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert AccessToken.objects.count() == before


@pytest.mark.parametrize(
    ("client_id", "secret"),
    [
        ("nobody", "x"),
        ("no\x00body", "x"),
        ("", ""),
        ("\udcff".encode("utf-8", "surrogateescape").decode("latin-1"), "x"),
    ],
)
def test_unknown_clients(till: ApiClient, client_id: str, secret: str) -> None:
    in_header = Client().post(
        "/oauth/token", {"grant_type": "client_credentials"}, headers=basic(client_id, secret)
    )
    in_form = Client().post(
        "/oauth/token",
        {"grant_type": "client_credentials", "client_id": client_id, "client_secret": secret},
    )
    for answer in (in_header, in_form):
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
        assert answer.headers["WWW-Authenticate"]


@pytest.mark.parametrize("header", ["Basic", "Basic !!!", "Basic /w==", "Bearer x", "basic eDp5", "\x00"])
def test_broken_headers(db: None, header: str) -> None:
    answer = Client().post(
        "/oauth/token", {"grant_type": "client_credentials"}, headers={"Authorization": header}
    )
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


def test_a_wrong_secret(till: ApiClient) -> None:
    answer = ask(till, secret="x" * 128)
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


def test_a_json_body_is_no_form(till: ApiClient) -> None:
    answer = Client().post(
        "/oauth/token",
        {"grant_type": "client_credentials"},
        content_type="application/json",
        headers=basic(till.partner.client_id, till.secret),
    )
    assert answer.status_code == 400
    assert "error" in answer.json()


def test_a_form_in_no_known_format(till: ApiClient) -> None:
    for content_type in ("multipart/form-data", "multipart/form-data; boundary=", "text/plain"):
        answer = Client().generic(
            "POST",
            "/oauth/token",
            b"grant_type=client_credentials",
            content_type,
            headers=basic(till.partner.client_id, till.secret),
        )
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


def test_credentials_in_the_query_open_nothing(till: ApiClient) -> None:
    query = f"client_id={till.partner.client_id}&client_secret={till.secret}&x=%zz["
    answer = Client().post("/oauth/token?" + query, {"grant_type": "client_credentials"})
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


def test_only_post(till: ApiClient) -> None:
    answer = Client().get("/oauth/token")
    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")


def test_a_closed_programme_gets_no_token(till: ApiClient) -> None:
    Programme.objects.update(status=Programme.Status.CLOSED)
    before = AccessToken.objects.count()
    answer = ask(till)
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    assert AccessToken.objects.count() == before


def test_two_secrets_live_during_a_rotation(till: ApiClient) -> None:
    new = partner_rotate_secret(partner=till.partner, now=datetime.now(UTC), overlap=timedelta(hours=1))
    assert ask(till, new).status_code == 200
    assert ask(till, till.secret).status_code == 200
    with time_machine.travel(datetime.now(UTC) + timedelta(hours=1)):
        assert ask(till, new).status_code == 200
        assert ask(till, till.secret).status_code == 401


@pytest.mark.django_db(transaction=True)
def test_twenty_tokens_at_once(till: ApiClient) -> None:
    def get(_: int) -> int:
        try:
            return ask(till).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(20) as callers:
        assert set(callers.map(get, range(20))) == {200}


def test_an_expired_token(till: ApiClient) -> None:
    till.use(token_of(till.partner, lives=timedelta(seconds=5)))
    assert till.get(LANGUAGES).status_code == 200
    with time_machine.travel(datetime.now(UTC) + timedelta(seconds=6)):
        answer = till.get(LANGUAGES)
    assert (answer.status_code, answer.json()["code"]) == (401, "invalid_token")
    assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]


def revoke(partner: ApiClient, token: str) -> HttpResponse:
    headers = basic(partner.partner.client_id, partner.secret)
    return Client().post("/oauth/revoke", {"token": token}, headers=headers)


def test_a_revoked_token_is_refused_at_once_here(till: ApiClient) -> None:
    assert till.get(LANGUAGES).status_code == 200
    assert revoke(till, till.token).status_code == 200
    assert till.get(LANGUAGES).status_code == 401


def test_a_token_revoked_elsewhere_is_refused_within_15_seconds(till: ApiClient) -> None:
    assert TOKEN_CACHE_SECONDS <= 15
    assert till.get(LANGUAGES).status_code == 200
    AccessToken.objects.all().delete()
    with time_machine.travel(datetime.now(UTC) + timedelta(seconds=TOKEN_CACHE_SECONDS)):
        assert till.get(LANGUAGES).status_code == 401


def test_nobody_revokes_the_token_of_another(till: ApiClient, eve: ApiClient) -> None:
    assert revoke(eve, till.token).status_code == 200
    forget_tokens()
    assert till.get(LANGUAGES).status_code == 200


def test_revoking_needs_credentials(till: ApiClient) -> None:
    answer = Client().post("/oauth/revoke", {"token": till.token})
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    assert AccessToken.objects.count() == 1


def test_all_tokens_of_a_partner(till: ApiClient) -> None:
    assert partner_revoke_tokens(partner=till.partner) == 1
    assert till.get(LANGUAGES).status_code == 401


def test_a_scope_taken_away_is_gone(till: ApiClient) -> None:
    assert till.get(LANGUAGES).status_code == 200
    partner_update(partner=till.partner, name="Till 7", scopes=["members:read"])
    assert till.get(LANGUAGES).status_code == 403


def introspect(partner: ApiClient, **form: str) -> HttpResponse:
    headers = basic(partner.partner.client_id, partner.secret)
    return Client().post("/oauth/introspect", form, headers=headers)


def test_introspection(till: ApiClient) -> None:
    answer = introspect(till, token=till.token)
    assert answer.status_code == 200
    claims: dict[str, Any] = answer.json()
    assert claims["active"] is True
    assert claims["client_id"] == till.partner.client_id
    assert set(claims["scope"].split()) == set(till.partner.allowed_scopes)
    assert claims["exp"] > datetime.now(UTC).timestamp()


def test_introspection_tells_nothing_of_other_tokens(till: ApiClient, eve: ApiClient) -> None:
    expired = token_of(eve.partner, lives=timedelta(seconds=-1))
    for token in (till.token, expired, "unknown", "nu\x00l"):
        answer = introspect(eve, token=token)
        assert (answer.status_code, answer.json()) == (200, {"active": False})


def test_introspection_needs_a_token_and_credentials(till: ApiClient) -> None:
    missing = introspect(till)
    assert (missing.status_code, missing.json()["error"]) == (400, "invalid_request")
    stranger = Client().post("/oauth/introspect", {"token": till.token})
    assert (stranger.status_code, stranger.json()["error"]) == (401, "invalid_client")
