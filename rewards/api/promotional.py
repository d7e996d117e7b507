"""What a member gets more points for now, and which gifts cost them fewer."""

from typing import Any, ClassVar, cast

import msgspec
from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter

from config.kernel.api import ApiRequest, ApiView, json_response, operation, read_page
from config.kernel.api.pagination import write_cursor
from config.kernel.errors import NotFound, ValidationFailed
from rewards.api.catalogue import wanted_languages
from rewards.offers import promotional_page
from rewards.promotional import Key


class EarnItem(msgspec.Struct, tag_field="kind", tag="earn"):
    """A product that earns more: one of `sku`, `category` and `brand`, or none for every product.

    `because` says what lets the member in: "everyone", "segment:…", "tier:…", "first_transaction", "birthday".
    `cap_left` has points (exact, decimal text) and uses that are left for this member, by transaction, day, month
    and total.
    """

    sku: str | None
    category: str | None
    brand: str | None
    promotion: str
    effect: dict[str, str]
    label: str
    because: list[str]
    ends_at: str | None
    cap_left: dict[str, dict[str, Any]]


class BurnItem(msgspec.Struct, tag_field="kind", tag="burn"):
    """A gift for `points` instead of `points_before`."""

    gift: str
    points: int
    points_before: int
    promotion: str
    label: str
    because: list[str]
    ends_at: str | None


class PromotionalProducts(msgspec.Struct):
    """A page: earn items by priority and promotion, then burn items by gift. `_fallback` names texts that are
    not in the language of the answer."""

    items: list[EarnItem | BurnItem]
    next_cursor: str | None
    fallback: list[str] = msgspec.field(name="_fallback")


_EXAMPLE = {
    "items": [
        {
            "kind": "earn",
            "sku": None,
            "category": "chocolate",
            "brand": None,
            "promotion": "PR-CHOC3X",
            "effect": {"type": "multiplier", "value": "3"},
            "label": "Points × 3",
            "because": ["segment:vip-bxl"],
            "ends_at": "2027-01-01T00:00:00+01:00",
            "cap_left": {"month": {"points": "380", "uses": 4}},
        },
        {
            "kind": "burn",
            "gift": "GFT-88",
            "points": 400,
            "points_before": 500,
            "promotion": "PR-CHOC3X",
            "label": "400 points au lieu de 500",
            "because": ["segment:vip-bxl"],
            "ends_at": "2027-01-01T00:00:00+01:00",
        },
    ],
    "next_cursor": None,
    "_fallback": [],
}


class PromotionalProductsView(ApiView):
    required_scopes: ClassVar = {"GET": ("promotions:read",)}

    @operation(
        summary="A member's promotional products",
        answers={200: (PromotionalProducts, "What the member can get now, a page at a time.")},
        failures=[NotFound, ValidationFailed],
        parameters=[
            OpenApiParameter("lang", str, description="A BCP 47 tag; without it Accept-Language decides."),
            OpenApiParameter(
                "Accept-Language", str, OpenApiParameter.HEADER, description="Languages, best first."
            ),
            OpenApiParameter("limit", int, description="1-250, default 50."),
            OpenApiParameter("cursor", str, description="`next_cursor` of the page before."),
            OpenApiParameter(
                "Content-Language",
                str,
                OpenApiParameter.HEADER,
                response=[200],
                description="The language of the labels; `_fallback` says if they are in another.",
            ),
        ],
        answer_examples={200: _EXAMPLE},
    )
    def get(self, request: ApiRequest, member: str) -> HttpResponse:
        """Promotions that run now and let the member in, product by product, and gifts at a promotional price.
        Weekday, hours, channel, store and minimum are for the basket to meet."""
        page, wanted = read_page(request.GET, cast(type, Key)), wanted_languages(request)
        found = promotional_page(
            request.auth.programme_id, member, wanted, timezone.now(), limit=page.limit, after=page.after
        )
        body = {
            "items": found.items,
            "next_cursor": None if found.after is None else write_cursor(found.after),
            "_fallback": found.fallback,
        }
        headers = {"Content-Language": found.language} if found.language else {}
        return json_response(body, headers={**headers, "Vary": "Accept-Language"})
