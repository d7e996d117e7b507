"""Who am I: what a web shop shows of the member who is signed in."""

from datetime import datetime
from zoneinfo import ZoneInfo

import msgspec
from django.http import HttpResponse
from django.utils import timezone

from config.kernel.api import ApiRequest, MemberApiView, json_response, operation
from config.kernel.texts import called, chain_of
from loyalty.api.shapes import Balance
from loyalty.selectors import points_of, tier_of
from segments.selectors import segments_shown_to


class ExpiringShown(msgspec.Struct):
    """Available points that are lost at `expires_at` unless they are spent before."""

    points: int
    expires_at: datetime


class SegmentNamed(msgspec.Struct):
    """A segment that members may see."""

    code: str
    name: str


class Me(msgspec.Struct):
    """The member who is identified; points expiring within 60 days, the soonest first."""

    member: str
    first_name: str
    language: str
    tier: str | None
    segments: list[SegmentNamed]
    balance: Balance
    expiring: list[ExpiringShown]


_EXAMPLE = {
    "member": "10042",
    "first_name": "Ada",
    "language": "fr",
    "tier": "SILVER",
    "segments": [{"code": "vip-bxl", "name": "VIP Brussels"}],
    "balance": {
        "available": 2510,
        "pending": 117,
        "held": 0,
        "debt": 0,
        "as_of": "2026-11-23T10:15:00+01:00",
    },
    "expiring": [{"points": 300, "expires_at": "2027-01-01T00:00:00+01:00"}],
}


class MeView(MemberApiView):
    @operation(
        summary="Read the identified member",
        answers={200: (Me, "Who is signed in, and what she has.")},
        answer_examples={200: _EXAMPLE},
        is_scoped=False,
    )
    def get(self, request: ApiRequest) -> HttpResponse:
        """The member behind the bearer or cookie of an identification.

        Unknown, expired, revoked, foreign and altered tokens get one and the same refusal.
        """
        now = timezone.now()
        session = request.auth.session
        programme, member = session.programme, session.member
        languages = chain_of(member.language, session.spoken)
        points = points_of(programme, member.number, now)
        zone, tier = ZoneInfo(programme.time_zone), tier_of(member, now)
        response = json_response(
            Me(
                member=member.number,
                first_name=member.first_name,
                language=member.language,
                tier=tier.code or None if tier else None,
                segments=[
                    SegmentNamed(x.code, called(x.name, x.labels, languages))
                    for x in segments_shown_to(programme, member, now)
                ],
                balance=Balance(**points.balance),
                expiring=[ExpiringShown(count, at.astimezone(zone)) for at, count in points.expiring],
            )
        )
        response.headers["Cache-Control"] = "no-store"
        return response
