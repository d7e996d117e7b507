"""The points endpoints: parse, call once, answer."""

from collections.abc import Sequence
from typing import Any, ClassVar

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter

from config.kernel import errors as kernel_errors
from config.kernel.api import (
    ApiRequest,
    ApiView,
    convert,
    json_response,
    operation,
    paginate,
    problem,
    read_body,
)
from config.kernel.api.problems import STATUS
from config.kernel.errors import InsufficientScope, NotFound, RistourneError
from loyalty import errors, selectors, services
from loyalty.api import examples, shapes
from loyalty.api.answering import check_metadata, keyed_write, respond
from loyalty.api.serializers import (
    AdjustmentBody,
    BatchBody,
    EarnBody,
    EvaluationBody,
    ProductBody,
    ReversalBody,
    adjustment_command,
    basket_command,
    reversal_command,
)
from loyalty.services import BasketCommand
from loyalty.services.desk import Booking
from loyalty.services.products import ProductRow
from members.errors import MemberNotActive, ProgrammeNotActive
from members.selectors import programme_of

KEY = OpenApiParameter(
    "Idempotency-Key", str, OpenApiParameter.HEADER, required=True, description="1-255 printable ASCII."
)
REPLAYED = OpenApiParameter(
    "Idempotent-Replayed",
    str,
    OpenApiParameter.HEADER,
    response=[200, 201],
    description="`true` on a repetition of the first answer.",
)
_BASKET_FAILURES: Sequence[type[RistourneError]] = (
    errors.OccurredAtOutOfWindow,
    errors.CurrencyMismatch,
    MemberNotActive,
    ProgrammeNotActive,
    NotFound,
)
KEY_FAILURES: Sequence[type[RistourneError]] = (
    errors.IdempotencyKeyMissing,
    errors.IdempotencyKeyReused,
    errors.RequestInProgress,
)


class EvaluationsView(ApiView):
    required_scopes: ClassVar = {"POST": ("points:evaluate",)}

    @operation(
        summary="Evaluate a basket",
        body=EvaluationBody,
        answers={200: (shapes.Evaluated, "The points it would earn, and why.")},
        failures=_BASKET_FAILURES,
        example=examples.BASKET,
        answer_examples={200: examples.EVALUATED},
    )
    def post(self, request: ApiRequest) -> HttpResponse:
        """The points a basket would earn now, line by line, with every rule that did or did not apply.

        Writes nothing. Without a member it is a guest's: base points and promotions open to all. Sent along
        with the earn, `evaluation` makes it give these points or say evaluation_stale.
        """
        body, _ = read_body(request, EvaluationBody)
        check_metadata(body.metadata)
        now = timezone.now()
        caller = request.auth
        return json_response(
            services.basket_evaluate(
                programme_id=caller.programme_id,
                partner_id=caller.partner_id,
                command=basket_command(body, now),
                now=now,
            )
        )


class TransactionsView(ApiView):
    required_scopes: ClassVar = {"POST": ("points:earn",)}

    @operation(
        summary="Earn: book a transaction",
        body=EarnBody,
        answers={
            201: (shapes.Earned, "Booked."),
            200: (shapes.Earned, "Booked before with the same content: the first answer."),
        },
        failures=[*KEY_FAILURES, *_BASKET_FAILURES, errors.ReferenceConflict, errors.EvaluationStale],
        parameters=[KEY, REPLAYED],
        example=examples.RECEIPT,
        answer_examples={201: examples.EARNED, 200: examples.EARNED},
    )
    def post(self, request: ApiRequest) -> HttpResponse:
        """Book a receipt once and for ever under its reference; the points come with their explanation."""
        body, plain = read_body(request, EarnBody)
        check_metadata(body.metadata)
        write = keyed_write(request, plain)
        return respond(services.transaction_earn(write=write, command=basket_command(body, write.now)))


class BatchView(ApiView):
    required_scopes: ClassVar = {"POST": ("points:earn",)}

    @operation(
        summary="Earn: book up to 500 transactions",
        body=BatchBody,
        answers={200: (shapes.BatchShown, "A result for each transaction.")},
        failures=[*KEY_FAILURES],
        parameters=[KEY],
        example=examples.BATCH,
        answer_examples={200: examples.BATCHED},
    )
    def post(self, request: ApiRequest) -> HttpResponse:
        """Book many receipts, each an effect in its own right; one that is refused stops no other.

        Receipts of one member run in their order. A batch that was cut half-way is simply sent again: what
        was booked answers its first answer. The key only guards against other content under it.
        """
        body, plain = read_body(request, BatchBody)
        write = keyed_write(request, plain)
        commands = [self._command(item, write.now) for item in body.transactions]
        valid = [command for command in commands if isinstance(command, BasketCommand)]
        booked = iter(services.transactions_earn(write=write, commands=valid))
        outcomes = [next(booked) if isinstance(x, BasketCommand) else x for x in commands]
        results = [self._result(index, outcome, request) for index, outcome in enumerate(outcomes)]
        counts = {
            "booked": sum(item["status"] == 201 for item in results),
            "repeated": sum(item["status"] == 200 for item in results),
            "refused": sum(item["status"] >= 400 for item in results),
        }
        return json_response({**counts, "results": results})

    def _command(self, item: object, now: Any) -> BasketCommand | RistourneError:
        try:
            body = convert(item, EarnBody)
            check_metadata(body.metadata)
            return basket_command(body, now)
        except RistourneError as error:
            return error

    def _result(self, index: int, outcome: Booking | RistourneError, request: ApiRequest) -> dict[str, Any]:
        if isinstance(outcome, RistourneError):
            return {"index": index, "status": STATUS[outcome.family], "body": problem(outcome, request)}
        if outcome.replayed:
            return {"index": index, "status": 200, "body": outcome.body(), "replayed": True}
        return {"index": index, "status": 201, "body": outcome.body()}


class TransactionView(ApiView):
    required_scopes: ClassVar = {"GET": ()}

    @operation(
        summary="Read a transaction",
        answers={200: (shapes.TransactionShown, "The transaction as it is now.")},
        failures=[NotFound],
        answer_examples={200: examples.TRANSACTION},
    )
    def get(self, request: ApiRequest, reference: str) -> HttpResponse:
        """A transaction with lines, trace, returns and what is left. Needs points:earn or members:read."""
        if request.auth.scopes.isdisjoint({"points:earn", "members:read"}):
            raise InsufficientScope(["points:earn"])
        return json_response(selectors.transaction_shown(request.auth.programme_id, reference))


class ReversalsView(ApiView):
    required_scopes: ClassVar = {"POST": ("points:reverse",)}

    @operation(
        summary="Reverse a transaction, whole or in part",
        body=ReversalBody,
        answers={
            201: (shapes.Reversed, "Taken back."),
            200: (shapes.Reversed, "A dry run, or taken back before with the same content."),
        },
        failures=[
            *KEY_FAILURES,
            NotFound,
            errors.ReferenceConflict,
            errors.AlreadyReversed,
            errors.QuantityExceedsRemaining,
            errors.InsufficientPoints,
            ProgrammeNotActive,
        ],
        parameters=[KEY, REPLAYED],
        example=examples.RETURN,
        answer_examples={201: examples.REVERSED, 200: examples.REVERSED},
    )
    def post(self, request: ApiRequest, reference: str) -> HttpResponse:
        """Take lines back by quantity or amount, or all that is left.

        What remains is evaluated with the original rules and facts; the difference is one entry.
        """
        body, plain = read_body(request, ReversalBody)
        check_metadata(body.metadata)
        write = keyed_write(request, plain)
        command = reversal_command(reference, body)
        return respond(services.transaction_reverse(write=write, command=command))


class BalanceView(ApiView):
    required_scopes: ClassVar = {"GET": ("members:read",)}

    @operation(
        summary="A member's balance",
        answers={200: (shapes.Balance, "The four figures now.")},
        failures=[NotFound],
        answer_examples={200: examples.BALANCE},
    )
    def get(self, request: ApiRequest, member: str) -> HttpResponse:
        """Available, pending and held points and debt, as they are at this instant."""
        return json_response(selectors.balance_shown(programme_of(request.auth), member, timezone.now()))


class AdjustmentsView(ApiView):
    required_scopes: ClassVar = {"POST": ("points:adjust",)}

    @operation(
        summary="Adjust a member's points",
        body=AdjustmentBody,
        answers={
            201: (shapes.Adjusted, "Posted."),
            202: (shapes.Adjusted, "Above the programme's limit: waits for a second person."),
            200: (shapes.Adjusted, "Asked for before with the same content: as it is now."),
        },
        failures=[
            *KEY_FAILURES,
            NotFound,
            errors.ReferenceConflict,
            errors.InsufficientPoints,
            MemberNotActive,
            ProgrammeNotActive,
        ],
        parameters=[
            KEY,
            REPLAYED,
            OpenApiParameter(
                "Location",
                str,
                OpenApiParameter.HEADER,
                response=[202],
                description="Where to see what became of it.",
            ),
        ],
        example=examples.ADJUSTMENT,
        answer_examples={
            201: examples.ADJUSTED,
            202: {**examples.ADJUSTED, "status": "waiting", "entries": [], "balance": None, "receipt": None},
            200: examples.ADJUSTED,
        },
    )
    def post(self, request: ApiRequest, member: str) -> HttpResponse:
        """Give or take points with a reason. Taking more than is available is refused."""
        body, plain = read_body(request, AdjustmentBody)
        check_metadata(body.metadata)
        write = keyed_write(request, plain)
        command = adjustment_command(member, body, f"partner:{request.auth.client_id}")
        response = respond(services.adjustment_post(write=write, command=command))
        if response.status_code == 202:
            response.headers["Location"] = f"{request.path}/{body.reference}"
        return response


class AdjustmentView(ApiView):
    required_scopes: ClassVar = {"GET": ("points:adjust",)}

    @operation(
        summary="Read an adjustment",
        answers={200: (shapes.Adjusted, "Posted, waiting or refused.")},
        failures=[NotFound],
        answer_examples={200: examples.ADJUSTED},
    )
    def get(self, request: ApiRequest, member: str, reference: str) -> HttpResponse:
        """What became of an adjustment."""
        programme = programme_of(request.auth)
        return json_response(selectors.adjustment_shown(programme, member, reference, timezone.now()))


class ProductsView(ApiView):
    required_scopes: ClassVar = {"GET": ("catalogue:read",)}

    @operation(
        summary="Products",
        answers={200: (shapes.ProductList, "A page of products by SKU.")},
        failures=[kernel_errors.ValidationFailed],
        parameters=[
            OpenApiParameter("limit", int, description="1-250, default 50."),
            OpenApiParameter("cursor", str, description="`next_cursor` of the page before."),
        ],
        answer_examples={200: {"items": [examples.PRODUCT_SHOWN], "next_cursor": None}},
    )
    def get(self, request: ApiRequest) -> HttpResponse:
        """The programme's product list."""
        products = selectors.products_of(programme_of(request.auth))
        return json_response(paginate(products, request, by="sku", render=show_product))


class ProductView(ApiView):
    required_scopes: ClassVar = {"GET": ("catalogue:read",), "PUT": ("catalogue:write",)}

    @operation(
        summary="Read a product",
        answers={200: (shapes.ProductShown, "The product.")},
        failures=[NotFound],
        answer_examples={200: examples.PRODUCT_SHOWN},
    )
    def get(self, request: ApiRequest, sku: str) -> HttpResponse:
        """The product with this SKU."""
        return json_response(show_product(selectors.product_of(programme_of(request.auth), sku)))

    @operation(
        summary="Create or replace a product",
        body=ProductBody,
        answers={201: (shapes.ProductShown, "New."), 200: (shapes.ProductShown, "Replaced or unchanged.")},
        example=examples.PRODUCT,
        answer_examples={201: examples.PRODUCT_SHOWN, 200: examples.PRODUCT_SHOWN},
    )
    def put(self, request: ApiRequest, sku: str) -> HttpResponse:
        """Category and brand for basket lines that name none. Booked transactions keep what they had."""
        body, _ = read_body(request, ProductBody)
        row = ProductRow(sku, body.name, body.category, body.brand)
        product, is_new = services.product_put(
            programme=programme_of(request.auth), product=row, now=timezone.now()
        )
        return json_response(show_product(product), 201 if is_new else 200)


def show_product(product: Any) -> shapes.ProductShown:
    """A product as partners see it."""
    return shapes.ProductShown(product.sku, product.name, product.category, product.brand)
