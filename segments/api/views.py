"""Segments and who is in them: read, put in, take out, one by one or many at once."""

from typing import ClassVar

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter

from config.kernel.api import (
    PAGE_PARAMETERS,
    ApiRequest,
    ApiView,
    json_response,
    operation,
    paginate,
    read_body,
)
from config.kernel.errors import NotFound, TemporarilyUnavailable, ValidationFailed
from members.errors import MemberNotActive, ProgrammeNotActive
from members.selectors import member_by_number, programme_of
from segments.api.serializers import (
    MemberSegmentList,
    MembershipBody,
    OperationsBody,
    OperationsShown,
    SegmentList,
    SegmentMember,
    SegmentMemberList,
    read_pin,
    show_listed_member,
    show_membership,
    show_outcomes,
    show_segment,
    show_segment_member,
)
from segments.errors import BackdatedMembership, SegmentIsDynamic
from segments.selectors import members_of, memberships_at, segment_by_code, segments_shown, with_pins
from segments.services import (
    member_pin,
    member_pin_out,
    membership_add,
    membership_remove,
    memberships_apply,
)

_EXAMPLE_SEGMENT = {
    "segment": "vip-bxl",
    "name": "VIP Brussels",
    "kind": "static",
    "shown_to_members": True,
    "pins": {"in": 0, "out": 0},
    "evaluated_at": None,
}
_EXAMPLE_MEMBER = {
    "member": "10042",
    "valid_from": "2026-11-23T09:15:00Z",
    "valid_until": None,
    "reason": "CRM sync",
    "source": "api",
    "pinned": False,
}


class MemberSegmentsView(ApiView):
    required_scopes: ClassVar = {"GET": ("members:read",)}

    @operation(
        summary="The segments of a member",
        answers={200: (MemberSegmentList, "The segments the member is in now, latest first.")},
        failures=[NotFound, ValidationFailed],
        parameters=PAGE_PARAMETERS,
        answer_examples={
            200: {
                "items": [
                    {
                        "segment": "vip-bxl",
                        "name": "VIP Brussels",
                        "kind": "static",
                        "pinned": False,
                        "valid_from": "2026-11-23T09:15:00Z",
                        "valid_until": None,
                    }
                ],
                "next_cursor": None,
            }
        },
    )
    def get(self, request: ApiRequest, member: str) -> HttpResponse:
        """The segments the member with this number is in now."""
        programme = programme_of(request.auth)
        found = memberships_at(programme, timezone.now()).filter(member=member_by_number(programme, member))
        shown = with_pins(found).select_related("segment")
        page = paginate(shown, request, by="-id", render=show_membership)
        return json_response(page)


class SegmentsView(ApiView):
    required_scopes: ClassVar = {"GET": ("segments:read",)}

    @operation(
        summary="The programme's segments",
        answers={200: (SegmentList, "A page of segments by code.")},
        failures=[ValidationFailed],
        parameters=PAGE_PARAMETERS,
        answer_examples={200: {"items": [_EXAMPLE_SEGMENT], "next_cursor": None}},
    )
    def get(self, request: ApiRequest) -> HttpResponse:
        """All segments of the programme."""
        segments = segments_shown(programme_of(request.auth))
        return json_response(paginate(segments, request, by="code", render=show_segment))


class SegmentMembersView(ApiView):
    required_scopes: ClassVar = {"GET": ("segments:read",), "POST": ("segments:write",)}

    @operation(
        summary="Who is in a segment",
        answers={200: (SegmentMemberList, "A page of members, latest first.")},
        failures=[NotFound, ValidationFailed],
        parameters=PAGE_PARAMETERS,
        answer_examples={200: {"items": [_EXAMPLE_MEMBER], "next_cursor": None}},
    )
    def get(self, request: ApiRequest, segment: str) -> HttpResponse:
        """The members who are in the segment now."""
        found = members_of(segment_by_code(programme_of(request.auth), segment), timezone.now())
        return json_response(paginate(found, request, by="-id", render=show_listed_member))

    @operation(
        summary="Put many members in or take them out",
        body=OperationsBody,
        answers={200: (OperationsShown, "A result for each operation.")},
        failures=[NotFound, ProgrammeNotActive],
        example={
            "operations": [
                {"op": "add", "member": "10042", "reason": "CRM sync"},
                {"op": "remove", "member": "9911"},
            ]
        },
        answer_examples={
            200: {
                "applied": 1,
                "unchanged": 0,
                "rejected": 1,
                "results": [
                    {"index": 0, "status": "added"},
                    {"index": 1, "status": "rejected", "code": "not_found"},
                ],
            }
        },
    )
    def post(self, request: ApiRequest, segment: str) -> HttpResponse:
        """Up to 1,000 operations in their order; one that is rejected stops no other.

        Sending them again changes nothing more. In a dynamic segment `add` and `remove` are pins: they need
        `"pin": true` and a reason, else they are rejected as `segment_is_dynamic`.
        """
        body, _ = read_body(request, OperationsBody)
        outcomes = memberships_apply(
            segment=segment_by_code(programme_of(request.auth), segment),
            operations=[item.operation() for item in body.operations],
            source="api",
            now=timezone.now(),
        )
        return json_response(show_outcomes(outcomes))


class SegmentMemberView(ApiView):
    required_scopes: ClassVar = {"PUT": ("segments:write",), "DELETE": ("segments:write",)}

    @operation(
        summary="Put a member into a segment",
        body=MembershipBody,
        answers={201: (SegmentMember, "Put in."), 200: (SegmentMember, "Was in already.")},
        failures=[
            NotFound,
            BackdatedMembership,
            MemberNotActive,
            ProgrammeNotActive,
            SegmentIsDynamic,
            TemporarilyUnavailable,
        ],
        example={"reason": "Bought at the Brussels store"},
        answer_examples={201: _EXAMPLE_MEMBER, 200: _EXAMPLE_MEMBER},
    )
    def put(self, request: ApiRequest, segment: str, member: str) -> HttpResponse:
        """The member is in from now on, or from `valid_from` if that lies ahead.

        Criteria decide who is in a dynamic segment; `{"pin": true, "reason": "..."}` keeps the member in
        whatever they say.
        """
        body, _ = read_body(request, MembershipBody)
        programme, now = programme_of(request.auth), timezone.now()
        found, person = segment_by_code(programme, segment), member_by_number(programme, member)
        if body.pin:
            if body.valid_from is not None:
                raise ValidationFailed.at("/valid_from", "not_allowed", "A pin holds from now on.")
            membership, is_new = member_pin(segment=found, member=person, now=now, reason=body.reason)
        else:
            membership, is_new = membership_add(
                segment=found, member=person, now=now, valid_from=body.valid_from, reason=body.reason
            )
        return json_response(show_segment_member(membership, pinned=body.pin), 201 if is_new else 200)

    @operation(
        summary="Take a member out of a segment",
        answers={204: "Taken out, or was not in."},
        failures=[
            NotFound,
            ProgrammeNotActive,
            SegmentIsDynamic,
            ValidationFailed,
            TemporarilyUnavailable,
        ],
        parameters=[
            OpenApiParameter(
                "pin",
                str,
                description="In a dynamic segment: keep the member out whatever the criteria say.",
                enum=["true"],
            ),
            OpenApiParameter("reason", str, description="Why; required with `pin`, at most 200 characters."),
        ],
    )
    def delete(self, request: ApiRequest, segment: str, member: str) -> HttpResponse:
        """The membership ends now; what was true before stays true for late receipts.

        Criteria decide who is in a dynamic segment; `?pin=true&reason=...` keeps the member out whatever
        they say.
        """
        programme, now = programme_of(request.auth), timezone.now()
        found, person = segment_by_code(programme, segment), member_by_number(programme, member)
        is_pin, reason = read_pin(request)
        if is_pin:
            member_pin_out(segment=found, member=person, now=now, reason=reason)
        else:
            membership_remove(segment=found, member=person, now=now, reason=reason)
        return HttpResponse(status=204)
