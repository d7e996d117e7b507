"""Enrol, read and change members, who are shown with their tiers."""

from typing import ClassVar

import msgspec
from django.http import HttpResponse
from django.utils import timezone
from msgspec import structs

from config.kernel.api import ApiRequest, ApiView, json_response, operation, read_body
from config.kernel.errors import NotFound
from loyalty.api.profiles import EnrolBody, MemberPatch, MemberShown, show_member
from members.errors import MemberExists, ProgrammeNotActive
from members.selectors import member_by_number, programme_of
from members.services import Speaker, member_enrol, member_update

_EXAMPLE_FIELDS = {
    "first_name": "Ada",
    "last_name": "Lovelace",
    "email": "ada@example.org",
    "birth_date": "1990-12-10",
    "language": "en",
    "attributes": {"shoe_size": 38},
    "consents": {"newsletter": True},
    "metadata": {"crm": "A-77"},
}
_EXAMPLE_MEMBER = {
    "member": "10043",
    **_EXAMPLE_FIELDS,
    "status": "active",
    "tier": {
        "code": "SILVER",
        "name": "Silver",
        "since": "2026-03-14T11:02:00+01:00",
        "until": "2027-01-01T00:00:00+01:00",
        "granted": False,
        "qualifying_points": 640,
        "next": {"code": "GOLD", "name": "Gold", "threshold": 1000, "missing": 360},
    },
    "enrolled_at": "2026-11-23T09:15:00Z",
}


class MembersView(ApiView):
    required_scopes: ClassVar = {"POST": ("members:write",)}

    @operation(
        summary="Enrol a member",
        body=EnrolBody,
        answers={
            201: (MemberShown, "The member, enrolled now."),
            200: (MemberShown, "The member, enrolled before with the same content."),
        },
        failures=[MemberExists, ProgrammeNotActive],
        example={"member": "10043", **_EXAMPLE_FIELDS},
        answer_examples={201: _EXAMPLE_MEMBER, 200: _EXAMPLE_MEMBER},
    )
    def post(self, request: ApiRequest) -> HttpResponse:
        """Enrol someone under the partner's own member number.

        The same content again answers 200 and changes nothing; other content under the number is refused.
        """
        body, _ = read_body(request, EnrolBody)
        fields = structs.asdict(body)
        programme, now = programme_of(request.auth), timezone.now()
        member, is_new = member_enrol(
            programme=programme, number=fields.pop("member"), now=now, speaker=_speaker(request), **fields
        )
        return json_response(show_member(member, now), 201 if is_new else 200)


class MemberView(ApiView):
    required_scopes: ClassVar = {"GET": ("members:read",), "PATCH": ("members:write",)}

    @operation(
        summary="Read a member",
        answers={200: (MemberShown, "The member.")},
        failures=[NotFound],
        answer_examples={200: _EXAMPLE_MEMBER},
    )
    def get(self, request: ApiRequest, member: str) -> HttpResponse:
        """The member with this number."""
        return json_response(
            show_member(member_by_number(programme_of(request.auth), member), timezone.now())
        )

    @operation(
        summary="Change a member",
        body=MemberPatch,
        answers={200: (MemberShown, "The member as it is now.")},
        failures=[NotFound],
        example={"language": "en", "consents": {"newsletter": False}},
        answer_examples={200: _EXAMPLE_MEMBER},
    )
    def patch(self, request: ApiRequest, member: str) -> HttpResponse:
        """Change the named fields; fields left out stay, flat objects are replaced whole."""
        body, _ = read_body(request, MemberPatch)
        found = member_by_number(programme_of(request.auth), member)
        changes = {
            field: value for field, value in structs.asdict(body).items() if value is not msgspec.UNSET
        }
        now = timezone.now()
        changed = member_update(member=found, now=now, speaker=_speaker(request), **changes)
        return json_response(show_member(changed, now))


def _speaker(request: ApiRequest) -> Speaker:
    """The partner, as consents name it."""
    return Speaker(name=request.auth.client_id)
