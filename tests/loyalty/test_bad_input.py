"""Whatever a partner sends: the status and code the contract names, never a 5xx, and not a row more or less."""

import json
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from django.http import HttpResponse
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from members.models import Member, Programme
from members.services import member_close
from tests.factories import ApiClient, token_of
from tests.loyalty.worlds import BASKET, MONDAY, earn, euros, key, simple_terms

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("club")]

RECEIPT = {"reference": "POS-1", **BASKET}
LINE = BASKET["lines"][0]
CALLS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "evaluate": ("POST", "/api/v1/basket-evaluations", BASKET),
    "earn": ("POST", "/api/v1/transactions", RECEIPT),
    "batch": ("POST", "/api/v1/transactions/batch", {"transactions": [RECEIPT]}),
    "reverse": (
        "POST",
        "/api/v1/transactions/POS-0/reversals",
        {"reference": "RET-1", "lines": [{"line": "1", "quantity": "1"}]},
    ),
    "adjust": (
        "POST",
        "/api/v1/members/10042/adjustments",
        {"reference": "ADJ-1", "points": 5, "reason": "test"},
    ),
    "product": (
        "PUT",
        "/api/v1/products/CHOC-1",
        {"name": "Pralines", "category": "chocolate", "brand": "N"},
    ),
    "enrol": ("POST", "/api/v1/members", {"member": "10099", "first_name": "Zoe"}),
}
KEYED = ("earn", "batch", "reverse", "adjust")
BASKETS = ("evaluate", "earn")


def rows() -> list[tuple[str, int]]:
    """How many rows every table of loyalty, members and segments holds."""
    models = [
        model for app in ("loyalty", "members", "segments") for model in apps.get_app_config(app).get_models()
    ]
    tables = sorted({model._meta.db_table for model in models} - {"members_accesstoken"})
    with connection.cursor() as cursor:
        counts = " UNION ALL ".join(f"SELECT '{name}' AS name, count(*) FROM {name}" for name in tables)
        cursor.execute(counts + " ORDER BY name")
        return cursor.fetchall()


@contextmanager
def nothing_changes() -> Iterator[None]:
    before = rows()
    yield
    assert rows() == before


def send(client: ApiClient, call: str, raw: bytes | str, **extra: Any) -> HttpResponse:
    """The raw body to a call's address, with a key of its own."""
    method, path, _ = CALLS[call]
    headers = {"Idempotency-Key": key(), **extra.pop("headers", {})}
    content_type = extra.pop("content_type", "application/json")
    return client.generic(
        method, extra.pop("path", path), raw, content_type=content_type, headers=headers, **extra
    )


def send_json(client: ApiClient, call: str, body: Any, **extra: Any) -> HttpResponse:
    return send(client, call, json.dumps(body), **extra)


def check(answer: HttpResponse, status: int, code: str) -> dict[str, Any]:
    body = json.loads(answer.content)
    assert (answer.status_code, body.get("code")) == (status, code), body
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert body["status"] == status
    assert body["type"].endswith(code)
    assert body["instance"] == answer.headers["X-Request-Id"]
    assert {"title", "detail", "retryable"} <= set(body)
    return body


@pytest.fixture(autouse=True)
def booked(club: object, till: ApiClient) -> None:
    """POS-0 is what returns are tried on."""
    assert earn(till, "POS-0").status_code == 201


@pytest.mark.parametrize("call", CALLS)
def test_it_works(till: ApiClient, call: str) -> None:
    """What is varied below is right as it stands."""
    assert send_json(till, call, CALLS[call][2]).status_code in {200, 201}


MALFORMED = {
    "empty": b"",
    "no json": b"{",
    "a word": b"member",
    "trailing": b"{} {}",
    "NaN": b'{"points": NaN}',
    "Infinity": b'{"points": Infinity}',
    "-Infinity": b'{"points": -Infinity}',
    "1e400": b'{"points": 1e400}',
    "duplicate keys": b'{"reference": "A", "reference": "A"}',
    "duplicate keys deeper": b'{"metadata": {"a": 1, "a": 2}}',
    "NUL": b'{"reference": "A\\u0000"}',
    "raw NUL": b'{"reference": "A\x00"}',
    "NUL in a name": b'{"a\\u0000": 1}',
    "half a pair": b'{"reference": "\\ud800"}',
    "invalid UTF-8": b'{"reference": "\xff"}',
    "UTF-16": '{"reference": "A"}'.encode("utf-16"),
    "byte order mark": b"\xef\xbb\xbf{}",
    "2**63": b'{"points": 9223372036854775808}',
    "-2**63 - 1": b'{"points": -9223372036854775809}',
    "a million digits": b'{"points": ' + b"9" * 1_000_000 + b"}",
    "single quotes": b"{'reference': 'A'}",
    "comment": b"{} // ok",
}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("name", MALFORMED)
def test_bytes_that_are_no_json(till: ApiClient, call: str, name: str) -> None:
    with nothing_changes():
        check(send(till, call, MALFORMED[name]), 400, "malformed_request")


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("raw", [b"[]", b"null", b"1", b'"text"', b"{}", b"true"])
def test_json_of_another_shape(till: ApiClient, call: str, raw: bytes) -> None:
    if (call, raw) == ("product", b"{}"):
        return
    with nothing_changes():
        check(send(till, call, raw), 422, "validation_error")


@pytest.mark.parametrize("call", CALLS)
def test_unknown_fields(till: ApiClient, call: str) -> None:
    with nothing_changes():
        errors = check(send_json(till, call, {**CALLS[call][2], "surprise": 1}), 422, "validation_error")[
            "errors"
        ]
    assert [(error["pointer"], error["code"]) for error in errors] == [("/surprise", "unknown_field")]


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("bracket", [("[", "]"), ('{"a":', "}")])
@pytest.mark.parametrize("depth", [21, 900, 100_000])
def test_deep_nesting(till: ApiClient, call: str, bracket: tuple[str, str], depth: int) -> None:
    raw = bracket[0] * depth + ("1" if bracket[0] != "[" else "") + bracket[1] * depth
    with nothing_changes():
        check(send(till, call, raw), 422, "validation_error")


@pytest.mark.parametrize("call", CALLS)
def test_two_megabytes(till: ApiClient, call: str) -> None:
    with nothing_changes():
        check(send(till, call, b'{"a": "' + b"x" * 2_000_000 + b'"}'), 413, "payload_too_large")
        check(send(till, call, b" " * (1024 * 1024 + 1)), 413, "payload_too_large")


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(
    "media_type",
    ["text/plain", "application/xml", "", "application/json; charset=utf-16", "multipart/form-data"],
)
def test_other_media_types(till: ApiClient, call: str, media_type: str) -> None:
    with nothing_changes():
        answer = send_json(till, call, CALLS[call][2], content_type=media_type)
        check(answer, 415, "unsupported_media_type")


@pytest.mark.parametrize("call", CALLS)
def test_other_accepts(till: ApiClient, call: str) -> None:
    with nothing_changes():
        answer = send_json(till, call, CALLS[call][2], headers={"Accept": "text/html"})
        check(answer, 406, "not_acceptable")


@pytest.mark.parametrize("call", CALLS)
def test_other_methods(till: ApiClient, call: str) -> None:
    with nothing_changes():
        answer = till.delete(CALLS[call][1], headers={"Idempotency-Key": key()})
        check(answer, 405, "method_not_allowed")
    assert CALLS[call][0] in answer.headers["Allow"]


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("token", ["", "unknown", "x" * 5000, "\xff"])
def test_no_token(till: ApiClient, call: str, token: str) -> None:
    with nothing_changes():
        answer = send_json(till, call, CALLS[call][2], HTTP_AUTHORIZATION=f"Bearer {token}")
        check(answer, 401, "invalid_token")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize("call", CALLS)
def test_missing_scope(till: ApiClient, programme: Programme, call: str) -> None:
    till.use(token_of(till.partner, scopes=["promotions:read"]))
    with nothing_changes():
        check(send_json(till, call, CALLS[call][2]), 403, "insufficient_scope")


@pytest.mark.parametrize("call", ["evaluate", "earn", "reverse", "adjust"])
def test_eve_sees_nobody(eve: ApiClient, call: str) -> None:
    """What is another programme's is like what never was: the same body but for the request id."""
    simple_terms(eve.partner.programme)
    _, path, body = CALLS[call]
    unknown_path = path.replace("10042", "77777").replace("POS-0", "POS-77777")
    unknown = {**body, "member": "77777"} if "member" in body else body
    with nothing_changes():
        foreign = check(send_json(eve, call, body), 404, "not_found")
        never = check(send_json(eve, call, unknown, path=unknown_path), 404, "not_found")
    assert {**foreign, "instance": ""} == {**never, "instance": ""}


@pytest.mark.parametrize("call", KEYED)
@pytest.mark.parametrize(
    ("header", "status", "code"),
    [
        (None, 400, "idempotency_key_missing"),
        ("", 400, "idempotency_key_missing"),
        ("x" * 256, 422, "validation_error"),
        ("clé", 422, "validation_error"),
        ("tab\there", 422, "validation_error"),
    ],
)
def test_keys_that_are_none(till: ApiClient, call: str, header: str | None, status: int, code: str) -> None:
    headers = {} if header is None else {"HTTP_IDEMPOTENCY_KEY": header}
    method, path, body = CALLS[call]
    with nothing_changes():
        answer = till.generic(method, path, json.dumps(body), content_type="application/json", **headers)
        check(answer, status, code)


WRONG_FIELDS: list[tuple[dict[str, Any], int, str]] = [
    ({"member": "77777"}, 404, "not_found"),
    ({"currency": "USD"}, 422, "currency_mismatch"),
    ({"currency": "eur"}, 422, "validation_error"),
    ({"currency": "EUR\n"}, 422, "validation_error"),
    ({"member": "../10042"}, 422, "validation_error"),
    ({"member": "10042\n"}, 422, "validation_error"),
    ({"member": ""}, 422, "validation_error"),
    ({"member": "x" * 65}, 422, "validation_error"),
    ({"member": 10042}, 422, "validation_error"),
    ({"reference": ".hidden"}, 422, "validation_error"),
    ({"reference": "a b"}, 422, "validation_error"),
    ({"occurred_at": "2026-11-23T10:15:00"}, 422, "validation_error"),
    ({"occurred_at": "2026-11-23"}, 422, "validation_error"),
    ({"occurred_at": "2026-13-23T10:15:00Z"}, 422, "validation_error"),
    ({"occurred_at": "2026-11-23T10:15:00+99:99"}, 422, "validation_error"),
    ({"occurred_at": 1795425300}, 422, "validation_error"),
    ({"occurred_at": "0001-01-01T00:00:00Z"}, 422, "validation_error"),
    ({"occurred_at": "0002-01-01T00:00:00Z"}, 422, "occurred_at_out_of_window"),
    ({"occurred_at": "0001-01-01T00:00:00+14:00"}, 422, "validation_error"),
    ({"occurred_at": "9999-12-31T23:59:59Z"}, 422, "validation_error"),
    ({"occurred_at": "9998-12-31T23:59:59Z"}, 422, "occurred_at_out_of_window"),
    ({"occurred_at": "9999-12-31T23:59:59-14:00"}, 422, "validation_error"),
    ({"occurred_at": "2026-11-23T10:21:00+01:00"}, 422, "occurred_at_out_of_window"),
    ({"occurred_at": "2026-10-23T10:15:00+02:00"}, 422, "occurred_at_out_of_window"),
    ({"lines": []}, 422, "validation_error"),
    ({"lines": None}, 422, "validation_error"),
    ({"lines": [LINE, LINE]}, 422, "validation_error"),
    ({"lines": [{**LINE, "line": str(n)} for n in range(1001)]}, 422, "validation_error"),
    *[
        ({"lines": [{**LINE, "amount": amount}]}, 422, "validation_error")
        for amount in ("-1", "1.005", "1e3", "NaN", "Infinity", "", " 1", "1 ", "1,50", "+1", ".5", "1.", "0x1",
                       "9" * 13, 25, 25.0, None, True, "1\n", "\u0661")
    ],
    *[
        ({"lines": [{**LINE, "quantity": quantity}]}, 422, "validation_error")
        for quantity in ("-1", "1.0000001", "1e3", "NaN", "", 2, None, "9" * 13, "\u0661")
    ],
    ({"lines": [{**LINE, "points_eligible": "no"}]}, 422, "validation_error"),
    ({"lines": [{**LINE, "sku": "a/b"}]}, 422, "validation_error"),
    ({"lines": [{**LINE, "category": ""}]}, 422, "validation_error"),
    ({"lines": [{**LINE, "category": "x" * 101}]}, 422, "validation_error"),
    ({"lines": [{**LINE, "price": "1"}]}, 422, "validation_error"),
    ({"channel": ""}, 422, "validation_error"),
    ({"store": "x" * 65}, 422, "validation_error"),
    ({"metadata": {"a": {"b": 1}}}, 422, "validation_error"),
    ({"metadata": {"a": "x" * 4096}}, 422, "validation_error"),
    ({"metadata": []}, 422, "validation_error"),
    ({"on_unknown_member": "ignore"}, 422, "validation_error"),
]  # fmt: skip


@pytest.mark.parametrize("call", BASKETS)
@pytest.mark.parametrize(("change", "status", "code"), WRONG_FIELDS, ids=lambda value: str(value)[:50])
def test_baskets_that_cannot_be(
    till: ApiClient, call: str, change: dict[str, Any], status: int, code: str
) -> None:
    with nothing_changes():
        check(send_json(till, call, {**CALLS[call][2], **change}), status, code)


@pytest.mark.parametrize(("change", "status", "code"), WRONG_FIELDS, ids=lambda value: str(value)[:50])
def test_a_batch_says_so_for_its_item(
    till: ApiClient, change: dict[str, Any], status: int, code: str
) -> None:
    before = dict(rows())
    answer = send_json(till, "batch", {"transactions": [{**RECEIPT, **change}]})
    assert answer.status_code == 200, answer.content
    body = answer.json()
    assert (body["booked"], body["repeated"], body["refused"]) == (0, 0, 1)
    assert (body["results"][0]["status"], body["results"][0]["body"]["code"]) == (status, code)
    after = dict(rows())
    assert after.pop("loyalty_idempotencykey") - before.pop("loyalty_idempotencykey") in {0, 1}
    assert after == before


@pytest.mark.parametrize("transactions", [[], [RECEIPT] * 501, None, {}, [1], [[]], ["x"], [None]])
def test_batches_that_cannot_be(till: ApiClient, transactions: Any) -> None:
    with nothing_changes():
        check(send_json(till, "batch", {"transactions": transactions}), 422, "validation_error")


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"lines": [{"line": "1", "quantity": "-5"}]}, 422, "validation_error"),
        ({"lines": [{"line": "1", "quantity": "0"}]}, 422, "validation_error"),
        ({"lines": [{"line": "1", "amount": "0"}]}, 422, "validation_error"),
        ({"lines": [{"line": "1", "amount": "0.00"}]}, 422, "validation_error"),
        ({"lines": [{"line": "1", "amount": "1.005"}]}, 422, "validation_error"),
        ({"lines": [{"line": "1", "amount": "1", "quantity": "1"}]}, 422, "validation_error"),
        ({"lines": [{"line": "1"}]}, 422, "validation_error"),
        ({"lines": []}, 422, "validation_error"),
        ({"lines": [{"line": "9", "quantity": "1"}]}, 422, "validation_error"),
        ({"lines": [{"line": "1", "quantity": "1"}] * 2}, 422, "validation_error"),
        ({"lines": [{"line": "1", "quantity": "3"}]}, 422, "quantity_exceeds_remaining"),
        ({"lines": [{"line": "1", "amount": "25.01"}]}, 422, "quantity_exceeds_remaining"),
        ({"reference": "a/b"}, 422, "validation_error"),
        ({"reason": "x" * 201}, 422, "validation_error"),
        ({"dry_run": "yes"}, 422, "validation_error"),
    ],
)
def test_returns_that_cannot_be(till: ApiClient, change: dict[str, Any], status: int, code: str) -> None:
    """hyperswitch#11491: a return of -5 or 0 and its like."""
    with nothing_changes():
        check(send_json(till, "reverse", {**CALLS["reverse"][2], **change}), status, code)


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"points": 0}, 422, "validation_error"),
        ({"points": "5"}, 422, "validation_error"),
        ({"points": 5.0}, 422, "validation_error"),
        ({"points": 5.5}, 422, "validation_error"),
        ({"points": True}, 422, "validation_error"),
        ({"points": 2**53 + 1}, 422, "validation_error"),
        ({"points": -(2**53) - 1}, 422, "validation_error"),
        ({"points": 2**63 - 1}, 422, "validation_error"),
        ({"reason": ""}, 422, "validation_error"),
        ({"reason": "x" * 501}, 422, "validation_error"),
        ({"reason": None}, 422, "validation_error"),
        ({"expires_at": "2026-11-23T10:15:00+01:00"}, 422, "validation_error"),
        ({"expires_at": "tomorrow"}, 422, "validation_error"),
        ({"expires_at": "9999-12-31T23:59:59-14:00"}, 422, "validation_error"),
        ({"expires_at": "9999-12-31T23:59:59Z"}, 422, "validation_error"),
        ({"reference": "../x"}, 422, "validation_error"),
    ],
)
def test_adjustments_that_cannot_be(till: ApiClient, change: dict[str, Any], status: int, code: str) -> None:
    with nothing_changes():
        check(send_json(till, "adjust", {**CALLS["adjust"][2], **change}), status, code)


@pytest.mark.parametrize(
    "change", [{"name": "x" * 201}, {"category": "x" * 101}, {"brand": 1}, {"name": None}, {"sku": "OTHER"}]
)
def test_products_that_cannot_be(till: ApiClient, change: dict[str, Any]) -> None:
    with nothing_changes():
        check(send_json(till, "product", {**CALLS["product"][2], **change}), 422, "validation_error")


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/transactions/../reversals",
        "/api/v1/transactions/%2e%2e/reversals",
        "/api/v1/transactions/..%2fPOS-0/reversals",
        "/api/v1/transactions/POS-0%00/reversals",
        "/api/v1/transactions/POS-0%0a/reversals",
        "/api/v1/transactions/.POS/reversals",
        f"/api/v1/transactions/{'x' * 65}/reversals",
        "/api/v1/transactions/POS-0/reversals/",
        "/api/v1/members/../adjustments",
        "/api/v1/members/%2e%2e%2f10042/adjustments",
        "/api/v1/members/10042 /adjustments",
        "/api/v1/members/caf%C3%A9/adjustments",
        "/api/v1/members/%ff/adjustments",
    ],
)
def test_codes_that_cannot_be(till: ApiClient, path: str) -> None:
    """Points.com 2023: `../` in any code is not found."""
    with nothing_changes():
        check(send_json(till, "reverse", CALLS["reverse"][2], path=path), 404, "not_found")
        check(till.get(path.removesuffix("/reversals").replace("adjustments", "balance")), 404, "not_found")


@pytest.mark.parametrize("call", ["evaluate", "earn", "reverse", "adjust"])
def test_a_closed_programme(till: ApiClient, programme: Programme, call: str) -> None:
    """A token given before the programme closed still says who calls; the calls are refused."""
    Programme.objects.filter(pk=programme.pk).update(status="closed")
    before = dict(rows())
    check(send_json(till, call, CALLS[call][2]), 409, "programme_not_active")
    after = dict(rows())
    assert after.pop("loyalty_idempotencykey") - before.pop("loyalty_idempotencykey") == (call in KEYED)
    assert after == before


@pytest.mark.parametrize("call", ["evaluate", "earn", "adjust"])
def test_a_closed_member(till: ApiClient, ada: Member, call: str) -> None:
    member_close(member=ada, now=MONDAY)
    before = dict(rows())
    check(send_json(till, call, CALLS[call][2]), 409, "member_not_active")
    after = dict(rows())
    after.pop("loyalty_idempotencykey")
    before.pop("loyalty_idempotencykey")
    assert after == before


HOSTILE: tuple[Any, ...] = (
    None, True, 0, -1, 2**63 - 1, -(2**63), 2**53 + 1, 0.1, 1e300, "", " ", "\t", "x" * 5000, "../..",
    "'; DROP TABLE x",
    "%s", "{}", "\u202e", "\U0001f36b", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "1e9999", "-0", "\u0661\u0662",
    [], {}, [[]], [None], {"a": None}, [{}] * 30, "2026-02-30T00:00:00Z", "2026-11-23T24:00:00Z",
    "2026-11-23T23:59:60Z",
)  # fmt: skip


def spoiled(body: Any, dice: random.Random) -> Any:
    """The body with one or two values replaced, dropped, renamed or wrapped, anywhere in it."""
    changed = deepcopy(body)
    for _ in range(dice.choice([1, 1, 2])):
        place, name = dice.choice(list(places(changed)))
        action = dice.randrange(6)
        if action == 0 and isinstance(place, dict):
            place.pop(name)
        elif action == 1 and isinstance(place, dict):
            place[dice.choice(["", "x", "$", "__class__", "a/b~c"])] = deepcopy(place[name])
        elif action == 2:
            place[name] = [place[name]]
        else:
            place[name] = deepcopy(dice.choice(HOSTILE))
        if not list(places(changed)):
            break
    return changed


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    if isinstance(value, dict | list):
        for name in list(value) if isinstance(value, dict) else range(len(value)):
            yield value, name
            yield from places(value[name])


def spoiled_bytes(body: Any, dice: random.Random) -> bytes:
    raw = bytearray(json.dumps(spoiled(body, dice) if dice.random() < 0.8 else body).encode())
    if dice.random() < 0.3:
        for _ in range(dice.randint(1, 4)):
            raw[dice.randrange(len(raw))] = dice.randrange(256)
    return bytes(raw)


@settings(
    max_examples=500, deadline=None, derandomize=True, database=None, phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)  # fmt: skip
@given(seed=st.integers(0, 2**32), call=st.sampled_from(sorted(CALLS)))
def test_no_body_makes_an_error_of_ours(till: ApiClient, seed: int, call: str) -> None:
    """Bodies spoiled in one or two places: an answer of the contract, whatever it is, and never a 5xx."""
    answer = send(till, call, spoiled_bytes(CALLS[call][2], random.Random(seed)))
    assert answer.status_code < 500, (call, answer.content)
    if answer.status_code >= 400:
        check(answer, answer.status_code, json.loads(answer.content)["code"])


def test_the_sweep_would_notice(till: ApiClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """The negative control: a reader of instants that lets its own errors out is found."""
    wrong: Callable[..., Any] = lambda text, pointer: 1 / 0  # noqa: E731
    monkeypatch.setattr("loyalty.api.serializers.read_instant", wrong)
    assert send_json(till, "earn", {**RECEIPT, "reference": "POS-9", **euros("1.00")}).status_code == 500
