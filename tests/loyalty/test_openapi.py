"""The OpenAPI document says what the points endpoints really take and answer."""

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from django.http import HttpResponse
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import response_schema_conformance, status_code_conformance

from loyalty.api import event_shapes, examples, serializers, shapes
from loyalty.services.products import ProductRow, product_put
from members.models import Programme
from tests.factories import LONG_AGO, ApiClient
from tests.loyalty.worlds import BASKET, adjust, call, earn, event, event_type, reverse, take_back

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("club")]

POINTS = (
    "/api/v1/basket-evaluations",
    "/api/v1/transactions",
    "/api/v1/transactions/batch",
    "/api/v1/transactions/{reference}",
    "/api/v1/transactions/{reference}/reversals",
    "/api/v1/members/{member}/balance",
    "/api/v1/members/{member}/adjustments",
    "/api/v1/members/{member}/adjustments/{reference}",
    "/api/v1/events",
    "/api/v1/events/{reference}",
    "/api/v1/events/{reference}/reversals",
    "/api/v1/event-types",
    "/api/v1/products",
    "/api/v1/products/{sku}",
)
SCOPES = {
    ("post", "/api/v1/basket-evaluations"): ["points:evaluate"],
    ("post", "/api/v1/transactions"): ["points:earn"],
    ("post", "/api/v1/transactions/batch"): ["points:earn"],
    ("post", "/api/v1/transactions/{reference}/reversals"): ["points:reverse"],
    ("get", "/api/v1/members/{member}/balance"): ["members:read"],
    ("post", "/api/v1/members/{member}/adjustments"): ["points:adjust"],
    ("get", "/api/v1/members/{member}/adjustments/{reference}"): ["points:adjust"],
    ("post", "/api/v1/events"): ["events:write"],
    ("post", "/api/v1/events/{reference}/reversals"): ["events:write"],
    ("get", "/api/v1/products"): ["catalogue:read"],
    ("get", "/api/v1/products/{sku}"): ["catalogue:read"],
    ("put", "/api/v1/products/{sku}"): ["catalogue:write"],
}


@pytest.fixture
def document(till: ApiClient) -> dict[str, Any]:
    answer = till.get("/api/v1/schema", headers={"Accept": "application/vnd.oai.openapi+json"})
    assert answer.status_code == 200
    return msgspec.json.decode(answer.content)


def check_shape(body: object, shape: type[msgspec.Struct]) -> None:
    """The body is exactly this shape: every field fits, and none is unknown to it."""
    assert msgspec.to_builtins(msgspec.convert(body, shape)) == body


def read(answer: HttpResponse, status: int) -> Any:
    assert answer.status_code == status, answer.content
    return msgspec.json.decode(answer.content)


def test_answers_are_what_the_shapes_say(till: ApiClient, programme: Programme) -> None:
    check_shape(read(till.post_json("/api/v1/basket-evaluations", BASKET), 200), shapes.Evaluated)
    check_shape(read(earn(till, "POS-1"), 201), shapes.Earned)
    check_shape(read(earn(till, "POS-1"), 200), shapes.Earned)
    one = [{"line": "1", "quantity": "1"}]
    check_shape(read(reverse(till, "POS-1", "RET-1", lines=one, dry_run=True), 200), shapes.Reversed)
    check_shape(read(reverse(till, "POS-1", "RET-1", lines=one), 201), shapes.Reversed)
    check_shape(read(till.get("/api/v1/transactions/POS-1"), 200), shapes.TransactionShown)
    check_shape(read(till.get("/api/v1/members/10042/balance"), 200), shapes.Balance)
    check_shape(read(adjust(till, "10042", 50, "ADJ-1"), 201), shapes.Adjusted)
    check_shape(read(till.get("/api/v1/members/10042/adjustments/ADJ-1"), 200), shapes.Adjusted)
    batch = read(
        call(till, "/transactions/batch", {"transactions": [{"reference": "POS-2", **BASKET}, {}]}), 200
    )
    check_shape(batch, shapes.BatchShown)
    check_shape(batch["results"][0]["body"], shapes.Earned)
    event_type(programme, caps={"week": 1})
    check_shape(read(event(till, "REV-1"), 201), event_shapes.EventAnswer)
    check_shape(read(event(till, "REV-2"), 200), event_shapes.EventAnswer)
    check_shape(read(till.get("/api/v1/events/REV-1"), 200), event_shapes.EventShown)
    check_shape(read(take_back(till, "REV-1", "BACK-1", dry_run=True), 200), event_shapes.EventReversed)
    check_shape(read(take_back(till, "REV-1", "BACK-1"), 201), event_shapes.EventReversed)
    check_shape(read(till.get("/api/v1/events/REV-1"), 200), event_shapes.EventShown)
    check_shape(read(till.get("/api/v1/event-types"), 200), event_shapes.EventTypeList)
    Programme.objects.filter(pk=programme.pk).update(approval_limit=10)
    check_shape(read(adjust(till, "10042", 50, "ADJ-2"), 202), shapes.Adjusted)
    check_shape(read(event(till, "REV-3"), 202), event_shapes.EventAnswer)
    product_put(programme=programme, product=ProductRow("CHOC-1", "Pralines"), now=LONG_AGO)
    check_shape(read(till.get("/api/v1/products/CHOC-1"), 200), shapes.ProductShown)
    check_shape(read(till.get("/api/v1/products"), 200), shapes.ProductList)


def test_a_field_more_or_less_is_noticed() -> None:
    for wrong in ({**examples.BALANCE, "more": 1}, {"available": 1}, {**examples.BALANCE, "held": "1"}):
        with pytest.raises((AssertionError, msgspec.ValidationError)):
            check_shape(wrong, shapes.Balance)


@pytest.mark.parametrize(
    ("example", "type_"),
    [
        (examples.BASKET, serializers.EvaluationBody),
        (examples.RECEIPT, serializers.EarnBody),
        (examples.BATCH, serializers.BatchBody),
        (examples.RETURN, serializers.ReversalBody),
        (examples.ADJUSTMENT, serializers.AdjustmentBody),
        (examples.PRODUCT, serializers.ProductBody),
        (event_shapes.EVENT, event_shapes.EventBody),
        (event_shapes.TAKE_BACK, event_shapes.EventReversalBody),
        (event_shapes.REWARDED, event_shapes.EventAnswer),
        (event_shapes.LIMITED, event_shapes.EventAnswer),
        (event_shapes.IN_REVIEW, event_shapes.EventAnswer),
        (event_shapes.EVENT_SHOWN, event_shapes.EventShown),
        (event_shapes.TAKEN_BACK, event_shapes.EventReversed),
        (event_shapes.EVENT_TYPE, event_shapes.EventTypeShown),
        (examples.EVALUATED, shapes.Evaluated),
        (examples.EARNED, shapes.Earned),
        (examples.BATCHED, shapes.BatchShown),
        (examples.TRANSACTION, shapes.TransactionShown),
        (examples.REVERSED, shapes.Reversed),
        (examples.BALANCE, shapes.Balance),
        (examples.ADJUSTED, shapes.Adjusted),
        (examples.PRODUCT_SHOWN, shapes.ProductShown),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_examples_fit(example: object, type_: type[msgspec.Struct]) -> None:
    shown = msgspec.json.decode(msgspec.json.encode(example))
    converted = msgspec.convert(shown, type_)
    if not type_.__struct_config__.forbid_unknown_fields:
        assert msgspec.to_builtins(converted) == shown


def test_request_examples_run(till: ApiClient, programme: Programme) -> None:
    read(till.post_json("/api/v1/basket-evaluations", examples.BASKET), 200)
    read(call(till, "/transactions", examples.RECEIPT), 201)
    read(call(till, "/transactions/POS-77-000123/reversals", examples.RETURN), 201)
    read(call(till, "/transactions/batch", examples.BATCH), 200)
    read(call(till, "/members/10042/adjustments", examples.ADJUSTMENT), 201)
    read(till.put_json("/api/v1/products/CHOC-1", examples.PRODUCT), 201)
    shown = event_shapes.EVENT_TYPE
    rule = {"attribute": "score", "rate": "5", "schema": shown["attributes"], "caps": shown["caps"]}
    event_type(programme, "survey_completed", **rule)
    assert read(call(till, "/events", event_shapes.EVENT), 201)["points"] == event_shapes.REWARDED["points"]
    read(call(till, "/events/SURVEY-7:10042/reversals", event_shapes.TAKE_BACK), 201)


def test_every_operation_names_its_scopes(document: dict[str, Any]) -> None:
    for (method, path), scopes in SCOPES.items():
        assert document["paths"][path][method]["security"] == [{"oauth2": scopes}], path
    for path in POINTS:
        for method, operation in document["paths"][path].items():
            if method != "parameters":
                assert operation["security"], (method, path)
                assert {"401", "403", "429", "503"} <= operation["responses"].keys(), (method, path)


@pytest.fixture
def kept_connection() -> Iterator[None]:
    """As Django's test client does: the end of a request does not close the test's own connection."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield
    for signal in signals:
        signal.connect(close_old_connections)


@pytest.mark.usefixtures("kept_connection")
def test_schemathesis_finds_no_error_of_ours(till: ApiClient) -> None:
    """A short run in this process: no 5xx, and no status or shape that the document does not know."""
    loaded = schemathesis.openapi.from_wsgi("/api/v1/schema", get_wsgi_application())
    checks = [not_a_server_error, status_code_conformance, response_schema_conformance]
    headers = {"Authorization": f"Bearer {till.token}", "Idempotency-Key": "schemathesis"}
    tried = set()
    for found in loaded.include(path=list(POINTS)).get_all_operations():
        operation = found.ok()

        @settings(max_examples=8, deadline=None, derandomize=True, database=None, phases=[Phase.generate],
                  suppress_health_check=list(HealthCheck))  # fmt: skip
        @given(case=operation.as_strategy())
        def run(case: schemathesis.Case) -> None:
            case.headers = {**(case.headers or {}), **headers}
            case.call_and_validate(checks=checks)
            tried.add((case.method.lower(), case.path))

        run()
    assert set(SCOPES) <= tried
