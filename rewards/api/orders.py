"""Gift orders and vouchers: parse, call once, answer."""

from collections.abc import Sequence
from typing import ClassVar

from django.http import HttpResponse
from django.utils import timezone

from config.kernel.api import (
    KEY_HEADER,
    REPLAYED_HEADER,
    ApiRequest,
    ApiView,
    json_response,
    operation,
    read_body,
)
from config.kernel.api.throttle import count_miss
from config.kernel.errors import NotFound, RateLimited, RistourneError
from config.kernel.flat import check_metadata
from loyalty import errors as loyalty_errors
from loyalty.idempotency import keyed_write, respond
from members.errors import MemberNotActive, ProgrammeNotActive
from rewards import codes, errors, selectors, services
from rewards.api import bodies
from rewards.api import examples as shown
from rewards.lifecycle import Status
from rewards.services import MoveCommand, UseCommand

STEP_FAILURES: Sequence[type[RistourneError]] = (
    *loyalty_errors.KEY_FAILURES,
    NotFound,
    errors.IllegalStep,
    errors.ReservationLapsed,
)


class RedemptionsView(ApiView):
    required_scopes: ClassVar = {"POST": ("points:redeem",)}

    @operation(
        summary="Redeem: order a gift",
        body=bodies.RedemptionBody,
        answers={
            201: (bodies.RedemptionMade, "Booked, or reserved."),
            200: (bodies.RedemptionMade, "A dry run, or booked before with the same content."),
        },
        failures=[
            *loyalty_errors.KEY_FAILURES,
            NotFound,
            loyalty_errors.ReferenceConflict,
            loyalty_errors.InsufficientPoints,
            errors.GiftNotAvailable,
            errors.LimitReached,
            errors.OutOfStock,
            MemberNotActive,
            ProgrammeNotActive,
        ],
        parameters=[KEY_HEADER, REPLAYED_HEADER],
        example=shown.ORDER,
        answer_examples={201: shown.ORDERED, 200: shown.ORDERED},
    )
    def post(self, request: ApiRequest) -> HttpResponse:
        """Exchange points for a gift: points, pieces, voucher and order are booked together or not at all.

        `mode` hold sets points and pieces aside for 15 minutes; confirm or cancel it. The voucher's code comes
        in this answer and in its repetitions to the same client, nowhere else.
        """
        body, plain = read_body(request, bodies.RedemptionBody)
        check_metadata(body.metadata)
        write = keyed_write(request, plain)
        command = bodies.redemption_command(body, actor_of(request))
        return respond(services.redemption_order(write=write, command=command))


class RedemptionView(ApiView):
    required_scopes: ClassVar = {"GET": ("points:redeem",)}

    @operation(
        summary="Read a gift order",
        answers={200: (bodies.RedemptionShown, "The order as it is now.")},
        failures=[NotFound],
        answer_examples={200: shown.ORDER_SHOWN},
    )
    def get(self, request: ApiRequest, reference: str) -> HttpResponse:
        """An order with every step it took and those that may follow. A voucher's code is never shown here."""
        programme_id = request.auth.programme_id
        return json_response(selectors.redemption_shown(programme_id, reference, timezone.now()))


class ConfirmView(ApiView):
    required_scopes: ClassVar = {"POST": ("points:redeem",)}

    @operation(
        summary="Confirm a reservation",
        body=bodies.StepBody,
        answers={200: (bodies.RedemptionMoved, "Exchanged: the reserved points are spent.")},
        failures=STEP_FAILURES,
        parameters=[KEY_HEADER, REPLAYED_HEADER],
        example={},
        answer_examples={200: shown.CONFIRMED},
    )
    def post(self, request: ApiRequest, reference: str) -> HttpResponse:
        """Spend the points of a reservation within its 15 minutes; the answer carries the voucher's code."""
        body, plain = read_body(request, bodies.StepBody)
        return move(
            request, plain, MoveCommand(reference, Status.EXCHANGED, actor_of(request), body.note or "")
        )


class CancelView(ApiView):
    required_scopes: ClassVar = {"POST": ("points:redeem",)}

    @operation(
        summary="Cancel a gift order",
        body=bodies.StepBody,
        answers={200: (bodies.RedemptionMoved, "A reservation is released, an order cancelled.")},
        failures=STEP_FAILURES,
        parameters=[KEY_HEADER, REPLAYED_HEADER],
        example={"note": "Ordered twice"},
        answer_examples={200: shown.CANCELLED},
    )
    def post(self, request: ApiRequest, reference: str) -> HttpResponse:
        """Give points and pieces back, to the lots they came from, while nothing has left the house."""
        body, plain = read_body(request, bodies.StepBody)
        return move(
            request, plain, MoveCommand(reference, Status.CANCELLED, actor_of(request), body.note or "")
        )


class StatusView(ApiView):
    required_scopes: ClassVar = {"POST": ("points:redeem",)}

    @operation(
        summary="Take a gift order to its next status",
        body=bodies.StatusBody,
        answers={200: (bodies.RedemptionMoved, "The order as it is now.")},
        failures=STEP_FAILURES,
        parameters=[KEY_HEADER, REPLAYED_HEADER],
        example={"status": "in_preparation", "note": "Picked in Ghent"},
        answer_examples={200: shown.MOVED},
    )
    def post(self, request: ApiRequest, reference: str) -> HttpResponse:
        """The next step of an order, of those that follow from where it stands (`allowed`)."""
        body, plain = read_body(request, bodies.StatusBody)
        command = MoveCommand(reference, body.status, actor_of(request), body.note or "", body.tracking or "")
        return move(request, plain, command)


class VoucherCheckView(ApiView):
    required_scopes: ClassVar = {"POST": ("points:redeem",)}

    @operation(
        summary="Look at a voucher",
        body=bodies.VoucherCheckBody,
        answers={200: (bodies.VoucherChecked, "It can be used.")},
        failures=[errors.VoucherNotUsable],
        example=shown.CODE,
        answer_examples={200: shown.CHECKED},
    )
    def post(self, request: ApiRequest) -> HttpResponse:
        """What a code is worth; writes nothing. Every code that cannot be used has the same answer."""
        body, _ = read_body(request, bodies.VoucherCheckBody)
        client_id = request.auth.client_id
        count_miss(client_id, 0)
        try:
            found = services.voucher_check(
                programme_id=request.auth.programme_id, code=body.code, now=timezone.now()
            )
        except errors.VoucherNotUsable:
            count_miss(client_id)
            raise
        return json_response(found)


class VoucherUseView(ApiView):
    required_scopes: ClassVar = {"POST": ("points:redeem",)}

    @operation(
        summary="Use a voucher",
        body=bodies.VoucherUseBody,
        answers={200: (bodies.VoucherUsed, "Used, or this use's repetition.")},
        failures=[
            *loyalty_errors.KEY_FAILURES,
            errors.VoucherNotUsable,
            loyalty_errors.ReferenceConflict,
            ProgrammeNotActive,
            RateLimited,
        ],
        parameters=[KEY_HEADER, REPLAYED_HEADER],
        example={**shown.CODE, "reference": "POS-77-V-19"},
        answer_examples={200: shown.USED},
    )
    def post(self, request: ApiRequest) -> HttpResponse:
        """Use a code once, or a part of a balance voucher. Only the client that used it gets its repetition."""
        body, plain = read_body(request, bodies.VoucherUseBody)
        write = keyed_write(request, _without_code(request, plain))
        count_miss(request.auth.client_id, 0)
        given = services.voucher_use(write=write, command=UseCommand(body.code, body.reference, body.amount))
        if given.status >= 400:
            count_miss(request.auth.client_id)
        return respond(given)


def move(request: ApiRequest, plain: object, command: MoveCommand) -> HttpResponse:
    """Take a step under the request's key; to cancel a reservation is to release it."""
    return respond(services.redemption_move(write=keyed_write(request, plain), command=command))


def _without_code(request: ApiRequest, body: object) -> object:
    """The body as a key remembers it: with an HMAC in place of the code, which nobody can try codes against."""
    if not isinstance(body, dict):
        return body
    return {**body, "code": codes.lookup(request.auth.programme_id, str(body["code"])).hex()}


def actor_of(request: ApiRequest) -> str:
    """Who asks, as the order's history names them."""
    return f"partner:{request.auth.client_id}"
