"""A member's balance, and adjustments of it: parse, call once, answer."""

from typing import ClassVar

from django.http import HttpResponse
from django.utils import timezone

from config.kernel.api import (
    KEY_HEADER,
    LOCATION_HEADER,
    REPLAYED_HEADER,
    ApiRequest,
    ApiView,
    json_response,
    operation,
    read_body,
)
from config.kernel.errors import NotFound
from config.kernel.flat import check_metadata
from loyalty import errors, selectors, services
from loyalty.api import examples, shapes
from loyalty.api.serializers import (
    AdjustmentBody,
    adjustment_command,
)
from loyalty.idempotency import keyed_write, respond
from members.errors import MemberNotActive, ProgrammeNotActive
from members.selectors import programme_of


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
            *errors.KEY_FAILURES,
            NotFound,
            errors.ReferenceConflict,
            errors.InsufficientPoints,
            MemberNotActive,
            ProgrammeNotActive,
        ],
        parameters=[
            KEY_HEADER,
            REPLAYED_HEADER,
            LOCATION_HEADER,
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
