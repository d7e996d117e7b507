"""Baskets: evaluate, earn, read, reverse. Parse, call once, answer."""

from collections.abc import Sequence
from typing import Any, ClassVar

from django.http import HttpResponse
from django.utils import timezone

from config.kernel.api import (
    KEY_HEADER,
    REPLAYED_HEADER,
    ApiRequest,
    ApiView,
    convert,
    json_response,
    operation,
    problem,
    read_body,
)
from config.kernel.api.problems import STATUS
from config.kernel.errors import InsufficientScope, NotFound, RistourneError
from config.kernel.flat import check_metadata
from loyalty import errors, selectors, services
from loyalty.api import examples, shapes
from loyalty.api.serializers import (
    BatchBody,
    EarnBody,
    EvaluationBody,
    ReversalBody,
    basket_command,
    reversal_command,
)
from loyalty.idempotency import keyed_write, respond
from loyalty.services import BasketCommand
from loyalty.services.desk import Booking
from members.errors import MemberNotActive, ProgrammeNotActive

_BASKET_FAILURES: Sequence[type[RistourneError]] = (
    errors.OccurredAtOutOfWindow,
    errors.CurrencyMismatch,
    MemberNotActive,
    ProgrammeNotActive,
    NotFound,
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
        failures=[*errors.KEY_FAILURES, *_BASKET_FAILURES, errors.ReferenceConflict, errors.EvaluationStale],
        parameters=[KEY_HEADER, REPLAYED_HEADER],
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
        failures=[*errors.KEY_FAILURES],
        parameters=[KEY_HEADER],
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
            *errors.KEY_FAILURES,
            NotFound,
            errors.ReferenceConflict,
            errors.AlreadyReversed,
            errors.QuantityExceedsRemaining,
            errors.InsufficientPoints,
            ProgrammeNotActive,
        ],
        parameters=[KEY_HEADER, REPLAYED_HEADER],
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
