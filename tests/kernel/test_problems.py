"""Every row of the error table that the kernel answers for."""

from io import BytesIO

import pytest
from django.http import HttpResponse
from django.test import Client, override_settings

from config.kernel.rates import Rate
from tests.factories import ApiClient

pytestmark = [pytest.mark.urls("tests.kernel.views"), pytest.mark.django_db]
ECHO = "/api/v1/echo"


def check(answer: HttpResponse, status: int, code: str) -> None:
    """The whole shape of a problem document."""
    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "application/problem+json"
    body = answer.json()
    assert (body["status"], body["code"]) == (status, code)
    assert body["type"] == f"/api/v1/docs/problems#{code}"
    assert body["instance"] == answer.headers["X-Request-Id"]
    assert body["title"]
    assert body["detail"]
    assert isinstance(body["retryable"], bool)


def post(till: ApiClient, raw: bytes, content_type: str = "application/json") -> HttpResponse:
    return till.generic("POST", ECHO, raw, content_type=content_type)


def test_it_works(till: ApiClient) -> None:
    answer = post(till, '{"é": ["\\u00e9 \\\\u0000", 1.5, -9223372036854775808, null, true]}'.encode())
    assert answer.status_code == 200
    assert answer.json() == {"echo": {"é": ["é \\u0000", 1.5, -(2**63), None, True]}}
    assert answer.headers["X-Request-Id"]
    assert answer.headers["RateLimit-Policy"] == '"client";q=12000;w=60'
    assert answer.headers["RateLimit"].startswith('"client";r=11999;t=')


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b" ",
        b"{",
        b"{'a': 1}",
        b'{"a": NaN}',
        b'{"a": Infinity}',
        b'{"a": -Infinity}',
        b'{"a": 1e999}',
        b'{"a": 1, "a": 1}',
        b'{"b": {"a": 1, "\\u0061": 2}}',
        b'{"a": "\\u0000"}',
        b'{"\\u0000": 1}',
        b'{"a": "\x00"}',
        b'{"a": "\\ud800"}',
        b'{"a": "\xff"}',
        b'{"a": "\xed\xa0\x80"}',
        b"\xef\xbb\xbf{}",
        b'{"a": 1} x',
        '{"a": 1}'.encode("utf-16"),
        b"9" * 5000,
        b'{"a": 9223372036854775808}',
        b'{"a": -9223372036854775809}',
        b'"\\x"',
        b"01",
    ],
)
def test_malformed(till: ApiClient, raw: bytes) -> None:
    check(post(till, raw), 400, "malformed_request")


@pytest.mark.parametrize("raw", [b"[" * 21 + b"]" * 21, b'{"a":' * 21 + b"1" + b"}" * 21, b"[" * 100_000])
def test_nested_too_deep(till: ApiClient, raw: bytes) -> None:
    check(post(till, raw), 422, "validation_error")


def test_nested_twenty_levels_and_brackets_in_texts(till: ApiClient) -> None:
    assert post(till, b"[" * 20 + b"]" * 20).status_code == 200
    assert post(till, b'"' + b"[{" * 500 + b'"').status_code == 200


def test_too_large(till: ApiClient) -> None:
    check(post(till, b'"' + b"x" * (1024 * 1024) + b'"'), 413, "payload_too_large")
    assert post(till, b'"' + b"x" * (1024 * 1024 - 2) + b'"').status_code == 200
    check(
        till.generic("POST", ECHO, b"{}", "application/json", CONTENT_LENGTH="9" * 40),
        413,
        "payload_too_large",
    )


@pytest.mark.parametrize(
    "content_type",
    ["", "text/plain", "application/xml", "application/json; charset=latin-1", "multipart/form-data"],
)
def test_unsupported_media_type(till: ApiClient, content_type: str) -> None:
    check(post(till, b"{}", content_type), 415, "unsupported_media_type")


def test_chunked_bodies(till: ApiClient) -> None:
    def chunked(raw: bytes) -> HttpResponse:
        extra = {
            "wsgi.input": BytesIO(raw),
            "wsgi.input_terminated": True,
            "CONTENT_TYPE": "application/json",
        }
        return till.generic("POST", ECHO, b"", **extra)

    assert chunked(b'{"a": 1}').json() == {"echo": {"a": 1}}
    check(chunked(b""), 400, "malformed_request")
    check(chunked(b"[" + b" " * 1024 * 1024 + b"]"), 413, "payload_too_large")


@pytest.mark.parametrize(
    "content_type", ["application/json; charset=utf-8", 'Application/JSON;charset="UTF-8"']
)
def test_supported_media_types(till: ApiClient, content_type: str) -> None:
    assert post(till, b"{}", content_type).status_code == 200


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        ("*/*", "application/json"),
        ("application/*;q=0.1", "application/json"),
        ("text/html, application/json;q=0.9", "application/json"),
        ("text/csv", "text/csv"),
        ("text/csv;q=0.5, application/json;q=0.4", "text/csv"),
        ("application/json;q=0, */*", "text/csv"),
    ],
)
def test_acceptable(till: ApiClient, accept: str, chosen: str) -> None:
    assert till.get(ECHO, headers={"Accept": accept}).json() == {"media_type": chosen}


@pytest.mark.parametrize("accept", ["text/html", "application/xml", "*/*;q=0", "application/json;q=x", ";;,"])
def test_not_acceptable(till: ApiClient, accept: str) -> None:
    check(till.get(ECHO, headers={"Accept": accept}), 406, "not_acceptable")


def test_method_not_allowed(till: ApiClient) -> None:
    answer = till.delete(ECHO)
    check(answer, 405, "method_not_allowed")
    assert set(answer.headers["Allow"].split(", ")) == {"GET", "HEAD", "POST", "OPTIONS"}
    check(till.generic("BREW", ECHO), 405, "method_not_allowed")


def test_options_and_head(till: ApiClient) -> None:
    answer = till.options(ECHO)
    assert (answer.status_code, answer.content) == (204, b"")
    assert "POST" in answer.headers["Allow"]
    assert till.head(ECHO).content == b""


@pytest.mark.parametrize(
    "path", ["/api/", "/api/v1/nothing", "/api/v2/members", "/oauth/authorize", "/api/v1/members/"]
)
@pytest.mark.parametrize("debug", [True, False])
def test_unknown_paths(till: ApiClient, path: str, debug: bool) -> None:
    with override_settings(DEBUG=debug):
        check(till.get(path), 404, "not_found")
        check(till.post_json(path, {}), 404, "not_found")
        check(Client().get(path), 404, "not_found")


def test_no_token(till: ApiClient) -> None:
    answer = Client().get(ECHO)
    check(answer, 401, "invalid_token")
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="api"'


@pytest.mark.parametrize(
    "header", ["Bearer", "Bearer ", "Bearer wrong", "bearer \x00\xff", "Basic YTpi", "Token x"]
)
def test_a_wrong_token(till: ApiClient, header: str) -> None:
    answer = Client().get(ECHO, headers={"Authorization": header})
    check(answer, 401, "invalid_token")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer ")


def test_a_token_in_the_query_opens_nothing(till: ApiClient) -> None:
    check(Client().get(ECHO, {"access_token": till.token}), 401, "invalid_token")


def test_a_missing_scope(till: ApiClient) -> None:
    reader = ApiClient(till.partner.programme, scopes=["members:read"])
    answer = reader.post_json(ECHO, {})
    check(answer, 403, "insufficient_scope")
    assert answer.json()["required_scopes"] == ["points:earn"]
    assert answer.headers["WWW-Authenticate"].endswith('error="insufficient_scope", scope="points:earn"')


def test_too_many_calls_of_one_client(till: ApiClient, eve: ApiClient) -> None:
    with override_settings(API_RATE=Rate(3, 60)):
        statuses = [till.get(ECHO).status_code for _ in range(3)]
        refused = till.get(ECHO)
        other = eve.get(ECHO)
    assert statuses == [200, 200, 200]
    check(refused, 429, "rate_limited")
    assert refused.json()["retryable"] is True
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    assert refused.headers["RateLimit"].startswith('"client";r=0;t=')
    assert other.status_code == 200


@pytest.mark.parametrize("how", ["slow", "readonly", "lost", "raw"])
def test_a_database_that_cannot_now(till: ApiClient, how: str) -> None:
    answer = till.get(f"/api/v1/failing/{how}")
    check(answer, 503, "temporarily_unavailable")
    assert answer.headers["Retry-After"] == "1"
    assert answer.json()["retryable"] is True
    assert b"10.0.0.7" not in answer.content


@pytest.mark.parametrize("how", ["bug", "wrong"])
@pytest.mark.parametrize("debug", [True, False])
def test_what_nobody_foresaw(till: ApiClient, how: str, debug: bool) -> None:
    with override_settings(DEBUG=debug):
        answer = till.get(f"/api/v1/failing/{how}")
    check(answer, 500, "internal_error")
    assert b"secret" not in answer.content
    assert b"Zero" not in answer.content
    assert b"division" not in answer.content
