"""Which segments a member is in."""

from typing import ClassVar

from django.http import HttpResponse
from django.utils import timezone

from config.kernel.api import PAGE_PARAMETERS, ApiRequest, ApiView, json_response, operation, paginate
from config.kernel.errors import NotFound, ValidationFailed
from members.selectors import member_by_number, programme_of
from segments.api.serializers import MemberSegmentList, show_membership
from segments.selectors import memberships_at


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
        page = paginate(found.select_related("segment"), request, by="-id", render=show_membership)
        return json_response(page)
