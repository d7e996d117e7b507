"""Gifts as a member looks for them: which are in reach, and by when the others are."""

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.conf import settings
from django.http import Http404
from django.utils.safestring import SafeString, mark_safe

from config.kernel.texts import clean_html, pick
from members.selectors import earned_since
from rewards.eligibility import Taker, reasons
from rewards.feed import below, gift_shown, gifts_by_category, texts_of
from rewards.pages.page import PointsPage, page_number
from rewards.selectors import taker_in
from rewards.services.pictures import FOLDER
from rewards.shelf import Gift, Shelf, shelf_of

PAGE = 24
PACE_DAYS = 90
"""A member's pace is what she earned in so many days."""
FARTHEST_DAYS = 5 * 365
QUERY_LENGTH = 100
HIDDEN = {"segment", "member"}
"""Gifts that are not offered to the member at all."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A gift as a member sees it; `points` are hers, `before` what it costs others if that is more, `cash` on top.

    `missing` points; `by` is when her pace brings them, None for far away.
    """

    code: str
    name: str
    brand: str | None
    points: int
    before: int | None
    cash: dict[str, Any] | None
    image: dict[str, Any] | None
    reasons: list[str]
    missing: int
    by: datetime | None

    @property
    def is_in_reach(self) -> bool:
        return not self.reasons


@dataclass(frozen=True, slots=True)
class Window:
    """The shelf a member stands before, in her language, and how fast she earns (points a day)."""

    shelf: Shelf
    languages: Sequence[str]
    taker: Taker
    pace: float
    now: datetime

    def offered(self, gifts: Iterable[Gift], *, in_reach: bool = False) -> list[Gift]:
        """Those of the gifts that are offered to the member; `in_reach` leaves those she can have now."""
        found = ((gift, reasons(gift, self.taker)) for gift in gifts)
        return [gift for gift, why in found if not why or not (in_reach or HIDDEN.intersection(why))]

    def offer(self, gift: Gift) -> Offer:
        """One gift to the member."""
        shown, price = self.shown(gift), self.taker.price(gift)
        missing = max(price - self.taker.available, 0)
        return Offer(
            code=gift.code,
            name=shown["name"],
            brand=shown["brand"],
            points=price,
            before=gift.points if price < gift.points else None,
            cash=shown["cash"],
            image=shown["images"][0] if shown["images"] else None,
            reasons=reasons(gift, self.taker),
            missing=missing,
            by=self._by(missing),
        )

    def title(self, gift: Gift) -> str:
        """What a search looks into: name and brand, without case and accents."""
        return _bare(f"{pick(texts_of(gift.name), self.languages)[0]} {gift.brand}")

    def shown(self, gift: Gift) -> dict[str, Any]:
        """A gift as the API shows it, in the member's language."""
        media = f"{settings.MEDIA_URL}{FOLDER}/"
        return gift_shown(gift, self.languages, ZoneInfo(self.shelf.zone), media, self.shelf.currency)

    def _by(self, missing: int) -> datetime | None:
        days = missing / self.pace if missing and self.pace else None
        return self.now + timedelta(days=days) if days is not None and days <= FARTHEST_DAYS else None


class GiftsPage(PointsPage):
    """The catalogue: `?q=`, `?category=`, `?reach=1` and `?page=` narrow and turn it; the cheapest come first."""

    template_name = "my/gifts.html"
    found_name = "my/gifts_found.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        window = window_of(self)
        asked = {name: self.request.GET.get(name, "").strip() for name in ("q", "category", "reach")}
        asked["q"] = asked["q"][:QUERY_LENGTH]
        gifts = self._found(window, **asked)
        page = self._page(len(gifts))
        kept = {name: value for name, value in asked.items() if value}
        return super().get_context_data(
            offers=[window.offer(gift) for gift in gifts[page * PAGE : (page + 1) * PAGE]],
            count=len(gifts),
            asked=asked,
            categories=_categories(window),
            more="?" + urlencode({**kept, "page": page + 2}) if len(gifts) > (page + 1) * PAGE else "",
            first="?" + urlencode(kept) if page else "",
            available=window.taker.available,
            **kwargs,
        )

    def _found(self, window: Window, q: str, category: str, reach: str) -> list[Gift]:
        price = window.taker.price
        gifts: Iterable[Gift] = sorted(window.shelf.gifts, key=lambda gift: (price(gift), gift.code))
        if category:
            inside = below(window.shelf.categories, category)
            gifts = [gift for gift in gifts if not inside.isdisjoint(gift.categories)]
        if q:
            words = set(_bare(q).split())
            titles = ((gift, window.title(gift)) for gift in gifts)
            gifts = [gift for gift, title in titles if all(word in title for word in words)]
        return window.offered(gifts, in_reach=bool(reach))

    def _page(self, count: int) -> int:
        number = page_number(self.request.GET.get("page", "1"))
        if number and number * PAGE >= count:
            raise Http404
        return number


class GiftPage(PointsPage):
    """One gift: what it is, what it costs, whether the member can have it now, and if not why."""

    template_name = "my/gift.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        window = window_of(self)
        gift = gift_or_404(window, self.kwargs["gift"])
        shown = window.shown(gift)
        kwargs |= {
            "gift": shown,
            "description": _clean(shown["description"]),
            "offer": window.offer(gift),
            "available": window.taker.available,
        }
        return super().get_context_data(**kwargs)


def window_of(page: PointsPage) -> Window:
    """The shelf before the member of a page."""
    shelf = shelf_of(page.programme.pk, page.now)
    earned = earned_since(page.member, page.now - timedelta(days=PACE_DAYS))
    return Window(
        shelf=shelf,
        languages=page.languages,
        taker=taker_in(page.seen),
        pace=earned / PACE_DAYS,
        now=page.now,
    )


def _categories(window: Window) -> list[dict[str, Any]]:
    """The categories at the top that hold gifts which are offered to the member, with how many."""
    held = gifts_by_category(window.shelf)
    counted = [
        {
            "code": category.code,
            "name": pick(category.name, window.languages)[0],
            "count": len(window.offered(held[category.id].values())),
        }
        for category in window.shelf.categories
        if category.is_active and category.parent_id is None
    ]
    return [category for category in counted if category["count"]]


def gift_or_404(window: Window, code: str) -> Gift:
    """The gift if it is offered to the member, else Http404."""
    place = window.shelf.find(code)
    if place is None or not window.offered([window.shelf.gifts[place]]):
        raise Http404
    return window.shelf.gifts[place]


def _bare(text: str) -> str:
    """Without case and accents, as people type who look for something."""
    letters = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in letters if not unicodedata.combining(letter))


def _clean(html: str) -> SafeString:
    """Descriptions were cleaned when they were written, and are cleaned again on their way out."""
    return mark_safe(clean_html(html))  # noqa: S308
