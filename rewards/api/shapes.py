"""What the catalogue's endpoints answer, for the OpenAPI document."""

from typing import Annotated, Any

import msgspec
from drf_spectacular.utils import OpenApiParameter

from config.kernel.api import PAGE_PARAMETERS
from rewards.models import Reward


class ImageSize(msgspec.Struct):
    """A file of a picture; `width` and `height` in pixels."""

    url: str
    width: int
    height: int


class ImageShown(msgspec.Struct):
    """A picture at its widest, what it shows, and all its files."""

    url: str
    alt: str
    width: int
    height: int
    sizes: list[ImageSize]


class PointsRange(msgspec.Struct):
    """The lowest and the highest price in points."""

    min: int
    max: int


class CategoryShown(msgspec.Struct):
    """A category; `gift_count` and `points_range` count what is below it too."""

    code: str
    parent: str | None
    name: str
    image: ImageShown | None
    active: bool
    gift_count: int
    points_range: PointsRange | None
    fallback: list[str] = msgspec.field(name="_fallback")


class CategoryList(msgspec.Struct):
    items: list[CategoryShown]


class MoneyShown(msgspec.Struct):
    amount: str
    currency: str


class GiftDelivery(msgspec.Struct):
    """Terms in words; a voucher is valid for `voucher_days` (null = without end) and may be used in parts."""

    terms: str
    voucher_days: int | None
    has_balance: bool
    returnable: bool


class GiftLimits(msgspec.Struct):
    """Pieces a member may have in all, and in each programme day, week, month or year; null = any number."""

    per_member: int | None
    per_period: int | None
    period: str | None


class GiftWindow(msgspec.Struct):
    """From when until when it is live, RFC 3339; null = without end."""

    from_: str = msgspec.field(name="from")
    until: str | None


class GiftValidated(msgspec.Struct):
    at: str
    by: str


class ForMember(msgspec.Struct):
    """Whether the member may have one now; `reasons` are member, tier, segment, limit, stock and points."""

    available: bool
    reasons: list[str]


class GiftShown(msgspec.Struct):
    """A gift at its validated version. `description` is HTML of a few tags; `points` its price.

    `cash` is paid on top of the points; `value` is what a voucher is worth. `_fallback` names the texts that
    are in another language than asked for. `for_member` comes with `member`.
    """

    code: str
    version: int
    type: str
    name: str
    description: str
    brand: str | None
    categories: list[str]
    images: list[ImageShown]
    points: int
    points_before: int | None
    cash: MoneyShown | None
    value: MoneyShown | None
    attributes: dict[str, Any]
    delivery: GiftDelivery
    stock: str
    limits: GiftLimits
    live: GiftWindow
    validated: GiftValidated
    updated_at: str
    fallback: list[str] = msgspec.field(name="_fallback")
    for_member: ForMember | msgspec.UnsetType = msgspec.UNSET


_GONE = {
    "type": "object",
    "title": "A gift that is no longer shown, among changes",
    "properties": {"code": {"type": "string"}, "deleted": {"const": True}},
    "required": ["code", "deleted"],
}
_GIFT_OR_GONE = msgspec.Meta(extra_json_schema={"anyOf": [{"$ref": "#/components/schemas/GiftShown"}, _GONE]})


class GiftList(msgspec.Struct):
    """Gifts; where changes are asked for also what is gone, as `{"code", "deleted": true}`."""

    items: list[Annotated[Any, _GIFT_OR_GONE]]
    next_cursor: str | None


MEMBER_PARAMETER = OpenApiParameter("member", str, description="A member number: adds `for_member`.")
GIFT_PARAMETERS = (
    OpenApiParameter("category", str, description="Gifts in this category or below it."),
    OpenApiParameter("q", str, description="Words in name, description or brand, or the code."),
    OpenApiParameter("type", str, enum=Reward.Kind.values, description="The kind of gift."),
    OpenApiParameter("brand", str, description="This brand."),
    OpenApiParameter("points_min", int, description="That cost at least so many points."),
    OpenApiParameter("points_max", int, description="That cost at most so many points."),
    OpenApiParameter("in_stock", bool, description="Only those that are, or are not, in stock."),
    OpenApiParameter(
        "updated_since", str, description="RFC 3339: only what changed since then, with what is gone."
    ),
    MEMBER_PARAMETER,
    *PAGE_PARAMETERS,
)

_IMAGE = {
    "url": "https://loyalty.example/media/gifts/5b0e8f0c-1200.webp",
    "width": 1200,
    "height": 900,
    "alt": "Une boîte ouverte de pralines",
    "sizes": [
        {"url": "https://loyalty.example/media/gifts/5b0e8f0c-1200.webp", "width": 1200, "height": 900},
        {"url": "https://loyalty.example/media/gifts/5b0e8f0c-300.webp", "width": 300, "height": 225},
    ],
}
EXAMPLE_CATEGORY: dict[str, Any] = {
    "code": "sweets",
    "parent": None,
    "name": "Douceurs",
    "image": None,
    "active": True,
    "gift_count": 12,
    "points_range": {"min": 400, "max": 3200},
    "_fallback": [],
}
EXAMPLE_GIFT = {
    "code": "GFT-88",
    "version": 2,
    "type": "digital_voucher",
    "name": "Bon d'achat de 25 €",
    "description": "<p>Valable dans toutes nos <strong>boutiques</strong>.</p>",
    "brand": "Neuhaus",
    "categories": ["sweets"],
    "images": [_IMAGE],
    "points": 2500,
    "points_before": None,
    "cash": None,
    "value": {"amount": "25", "currency": "EUR"},
    "attributes": {"shipping": "e-mail"},
    "delivery": {
        "terms": "Par e-mail, tout de suite.",
        "voucher_days": 365,
        "has_balance": True,
        "returnable": False,
    },
    "stock": "in_stock",
    "limits": {"per_member": None, "per_period": 2, "period": "month"},
    "live": {"from": "2026-11-01T00:00:00+01:00", "until": None},
    "validated": {"at": "2026-10-28T16:04:11+01:00", "by": "staff:ben"},
    "updated_at": "2026-11-01T00:00:00+01:00",
    "_fallback": [],
}
