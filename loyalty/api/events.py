"""Events: parse, call once, answer."""

from typing import Any, ClassVar

from django.http import HttpResponse
from django.utils import timezone

from config.kernel.api import (
    KEY_HEADER,
    LOCATION_HEADER,
    PAGE_PARAMETERS,
    REPLAYED_HEADER,
    ApiRequest,
    ApiView,
    json_response,
    operation,
    paginate,
    read_body,
)
from config.kernel.errors import InsufficientScope, NotFound, ValidationFailed
from config.kernel.flat import check_metadata
from loyalty import errors, selectors, services
from loyalty.api import event_shapes as shapes
from loyalty.idempotency import keyed_write, respond
from members.errors import MemberNotActive, ProgrammeNotActive
from members.selectors import programme_of

READERS = ("events:write", "members:read")
"""Either scope may read events and their types."""


def _check_reader(request: ApiRequest) -> None:
    if request.auth.scopes.isdisjoint(READERS):
        raise InsufficientScope([READERS[0]])


class EventsView(ApiView):
    required_scopes: ClassVar = {"POST": ("events:write",)}

    @operation(
        summary="Reward an event",
        body=shapes.EventBody,
        answers={
            201: (shapes.EventAnswer, "Posted, with its points."),
            200: (
                shapes.EventAnswer,
                "A limit is reached: 0 points, and which limit until when. Or sent before with the same content: "
                "the first answer, and of an event that staff decide what became of it.",
            ),
            202: (shapes.EventAnswer, "Staff decide: nothing is given yet."),
        },
        failures=[
            *errors.KEY_FAILURES,
            NotFound,
            errors.ReferenceConflict,
            errors.OccurredAtOutOfWindow,
            MemberNotActive,
            ProgrammeNotActive,
        ],
        parameters=[
            KEY_HEADER,
            REPLAYED_HEADER,
            LOCATION_HEADER,
        ],
        example=shapes.EVENT,
        answer_examples={201: shapes.REWARDED, 200: shapes.LIMITED, 202: shapes.IN_REVIEW},
    )
    def post(self, request: ApiRequest) -> HttpResponse:
        """Book something a member did, once and for ever under its reference, and give what its type is worth.

        Attributes are checked with the type's JSON Schema (`GET /event-types`). Limits count events by the
        programme's days, weeks and months of `occurred_at`; an event beyond them is no error.
        """
        body, plain = read_body(request, shapes.EventBody)
        check_metadata(body.metadata)
        write = keyed_write(request, plain)
        response = respond(services.event_post(write=write, command=shapes.event_command(body)))
        if response.status_code == 202:
            response.headers["Location"] = f"{request.path}/{body.reference}"
        return response


class EventView(ApiView):
    required_scopes: ClassVar = {"GET": ()}

    @operation(
        summary="Read an event",
        answers={200: (shapes.EventShown, "The event as it is now.")},
        failures=[NotFound],
        answer_examples={200: shapes.EVENT_SHOWN},
    )
    def get(self, request: ApiRequest, reference: str) -> HttpResponse:
        """An event with trace, review and reversal. Needs events:write or members:read."""
        _check_reader(request)
        shown = selectors.event_shown(request.auth.programme_id, reference, timezone.now())
        return json_response(shown)


class EventReversalsView(ApiView):
    required_scopes: ClassVar = {"POST": ("events:write",)}

    @operation(
        summary="Take an event back",
        body=shapes.EventReversalBody,
        answers={
            201: (shapes.EventReversed, "Taken back."),
            200: (shapes.EventReversed, "A dry run, or taken back before with the same content."),
        },
        failures=[
            *errors.KEY_FAILURES,
            NotFound,
            errors.ReferenceConflict,
            errors.AlreadyReversed,
            errors.InsufficientPoints,
            ProgrammeNotActive,
        ],
        parameters=[KEY_HEADER, REPLAYED_HEADER],
        example=shapes.TAKE_BACK,
        answer_examples={201: shapes.TAKEN_BACK, 200: {**shapes.TAKEN_BACK, "dry_run": True}},
    )
    def post(self, request: ApiRequest, reference: str) -> HttpResponse:
        """Take back what an event gave, by the rules of returns; one in review is withdrawn.

        Its limits are free again, in the day, week and month it had counted in.
        """
        body, plain = read_body(request, shapes.EventReversalBody)
        check_metadata(body.metadata)
        write = keyed_write(request, plain)
        command = shapes.event_reversal_command(reference, body)
        return respond(services.event_reverse(write=write, command=command))


class EventTypesView(ApiView):
    required_scopes: ClassVar = {"GET": ()}

    @operation(
        summary="The programme's event types",
        answers={200: (shapes.EventTypeList, "A page of event types by code.")},
        failures=[ValidationFailed],
        parameters=PAGE_PARAMETERS,
        answer_examples={200: {"items": [shapes.EVENT_TYPE], "next_cursor": None}},
    )
    def get(self, request: ApiRequest) -> HttpResponse:
        """What can be sent, what it gives, and its limits. Needs events:write or members:read."""
        _check_reader(request)
        types = selectors.event_types_of(programme_of(request.auth))
        return json_response(paginate(types, request, by="code", render=_show_type))


def _show_type(row: Any) -> shapes.EventTypeShown:
    """An event type annotated with the `body` of its part."""
    body = row.body
    return shapes.EventTypeShown(
        type=row.code,
        name=row.name,
        labels=row.labels,
        is_active=row.is_active,
        version=row.version,
        points=shapes.PointsShown(**body["points"]),
        attributes=body["schema"],
        caps=body["caps"],
        cooldown=body["cooldown"],
        device_caps=body["device"],
        starts_at=body["window"]["from"],
        ends_at=body["window"]["until"],
        segments=body["segments"],
        review=body["review"],
        qualifying=body["qualifying"],
    )
