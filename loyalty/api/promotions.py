"""Promotions and the segments they are linked to."""

from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar, Literal

import msgspec
from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter
from msgspec import Meta

from config.kernel.api import (
    PAGE_PARAMETERS,
    ApiRequest,
    ApiView,
    json_response,
    operation,
    paginate,
    read_body,
)
from config.kernel.errors import NotFound, ValidationFailed
from loyalty import services
from loyalty.models import Promotion, PromotionSegment
from loyalty.promotions import lifecycle
from loyalty.selectors import (
    PromotionWords,
    promotion_by_code,
    promotion_links,
    promotion_words,
    promotions_of,
)
from loyalty.versions import life_of_row
from members.selectors import programme_of
from segments.selectors import members_of, segment_by_code

Instant = Annotated[datetime, Meta(tz=True)]


class LinkBody(msgspec.Struct, forbid_unknown_fields=True):
    """Include or exclude a segment's members, from now on unless a start is given, for ever without an end."""

    mode: Literal["include", "exclude"] = "include"
    valid_from: Instant | None = None
    valid_until: Instant | None = None


class PromotionShown(msgspec.Struct):
    """A promotion with the rule in force, else its last one, else its draft. `status` is draft, scheduled,
    active, paused or ended; `summary` says the rule in plain words."""

    promotion: str
    name: str
    status: lifecycle.Status
    summary: str
    priority: int
    starts_at: str | None
    ends_at: str | None
    effect: dict[str, str]
    minimum_amount: str | None
    minimum_quantity: str | None
    caps: dict[str, dict[str, Any]]


class PromotionList(msgspec.Struct):
    """A page of promotions by code."""

    items: list[PromotionShown]
    next_cursor: str | None


class LinkShown(msgspec.Struct):
    """A link of a promotion to a segment."""

    promotion: str
    segment: str
    mode: str
    valid_from: datetime
    valid_until: datetime | None


class LinkPut(LinkShown):
    """The link, and how many members the segment has now."""

    estimated_members: int


class LinkList(msgspec.Struct):
    """A page of links, newest first; ended ones are kept."""

    items: list[LinkShown]
    next_cursor: str | None


_EXAMPLE_PROMOTION = {
    "promotion": "PR-CHOC3X",
    "name": "Triple points on chocolate",
    "status": "active",
    "summary": "Members in segment vip-bxl get base points × 3 on category chocolate.",
    "priority": 100,
    "starts_at": None,
    "ends_at": None,
    "effect": {"type": "multiplier", "value": "3"},
    "minimum_amount": None,
    "minimum_quantity": None,
    "caps": {},
}
_EXAMPLE_LINK = {
    "promotion": "PR-CHOC3X",
    "segment": "vip-bxl",
    "mode": "include",
    "valid_from": "2026-12-01T00:00:00Z",
    "valid_until": "2027-01-01T00:00:00Z",
}


class PromotionsView(ApiView):
    required_scopes: ClassVar = {"GET": ("promotions:read",)}

    @operation(
        summary="The programme's promotions",
        answers={200: (PromotionList, "A page of promotions by code.")},
        failures=[ValidationFailed],
        parameters=[
            OpenApiParameter(
                "status", str, description="Only those with this status.", enum=lifecycle.STATUSES
            ),
            *PAGE_PARAMETERS,
        ],
        answer_examples={200: {"items": [_EXAMPLE_PROMOTION], "next_cursor": None}},
    )
    def get(self, request: ApiRequest) -> HttpResponse:
        """All that were ever published, with what they give now; drafts only with `status=draft`."""
        programme, now = programme_of(request.auth), timezone.now()
        told = promotion_words(programme, now)
        promotions = promotions_of(programme, _status_asked(request), now)
        return json_response(
            paginate(promotions, request, by="code", render=lambda row: _show(row, told, now))
        )


class PromotionSegmentsView(ApiView):
    required_scopes: ClassVar = {"GET": ("promotions:read",)}

    @operation(
        summary="The segments of a promotion",
        answers={200: (LinkList, "A page of links, newest first.")},
        failures=[NotFound, ValidationFailed],
        parameters=PAGE_PARAMETERS,
        answer_examples={200: {"items": [_EXAMPLE_LINK], "next_cursor": None}},
    )
    def get(self, request: ApiRequest, promotion: str) -> HttpResponse:
        """Links that run, will run or have ended; an ended include link still keeps others out."""
        found = promotion_links(promotion_by_code(programme_of(request.auth), promotion))
        return json_response(paginate(found, request, by="-id", render=_show_link))


class PromotionSegmentView(ApiView):
    required_scopes: ClassVar = {"PUT": ("promotions:write",), "DELETE": ("promotions:write",)}

    @operation(
        summary="Link a segment to a promotion",
        body=LinkBody,
        answers={201: (LinkPut, "Linked."), 200: (LinkPut, "Was linked: changed, or unchanged.")},
        failures=[NotFound],
        example={
            "mode": "include",
            "valid_from": "2026-12-01T00:00:00+01:00",
            "valid_until": "2027-01-01T00:00:00+01:00",
        },
        answer_examples={
            201: {**_EXAMPLE_LINK, "estimated_members": 214},
            200: {**_EXAMPLE_LINK, "estimated_members": 214},
        },
    )
    def put(self, request: ApiRequest, promotion: str, segment: str) -> HttpResponse:
        """Include or exclude the segment's members. With an include link a promotion is for members only
        who are in an included segment; exclude wins. A running link keeps its start."""
        body, _ = read_body(request, LinkBody)
        programme, now = programme_of(request.auth), timezone.now()
        linked = segment_by_code(programme, segment)
        link, is_new = services.promotion_link_put(
            promotion=promotion_by_code(programme, promotion),
            segment=linked,
            mode=body.mode,
            valid_from=body.valid_from,
            valid_until=body.valid_until,
            now=now,
        )
        shown = msgspec.structs.asdict(_show_link(link)) | {
            "estimated_members": members_of(linked, now).count()
        }
        return json_response(shown, 201 if is_new else 200)

    @operation(
        summary="End a segment's link to a promotion",
        answers={204: "Ended, or was not linked."},
        failures=[NotFound],
    )
    def delete(self, request: ApiRequest, promotion: str, segment: str) -> HttpResponse:
        """The link ends now and its row stays: an include link that ended still keeps others out."""
        programme = programme_of(request.auth)
        services.promotion_unlink(
            promotion=promotion_by_code(programme, promotion),
            segment=segment_by_code(programme, segment),
            now=timezone.now(),
        )
        return HttpResponse(status=204)


def _status_asked(request: ApiRequest) -> str | None:
    asked = request.GET.get("status")
    if asked is not None and asked not in lifecycle.STATUSES:
        raise ValidationFailed.at("/status", "unknown_status", f"One of {', '.join(lifecycle.STATUSES)}.")
    return asked


def _show(promotion: Promotion, told: PromotionWords, now: datetime) -> PromotionShown:
    """A promotion of `promotions_of`, whose published rule comes before its draft."""
    body: dict[str, Any] = promotion.body or promotion.draft["rule"]  # type: ignore[attr-defined,index]
    window = body["window"]
    return PromotionShown(
        promotion=promotion.code,
        name=promotion.name,
        status=life_of_row(promotion, now).status,
        summary=told.summary(promotion, body),
        priority=body["priority"],
        starts_at=window["from"],
        ends_at=window["until"],
        effect=body["effect"],
        minimum_amount=body["minimum_amount"],
        minimum_quantity=body["minimum_quantity"],
        caps=body["caps"],
    )


def _show_link(link: PromotionSegment) -> LinkShown:
    return LinkShown(
        promotion=link.promotion.code,
        segment=link.segment.code,
        mode=link.mode,
        valid_from=link.valid_from.astimezone(UTC),
        valid_until=link.valid_until.astimezone(UTC) if link.valid_until else None,
    )
