"""The promotional products of a member, read: what loyalty offers, and gifts of the catalogue kept in memory."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from config.kernel.catalogues import own_variant
from config.kernel.texts import best_language, chain
from loyalty.selectors import Snapshot, member_offers, promotions_open_now, snapshot_of
from rewards.labels import written_in
from rewards.models import PromotionalPrice
from rewards.promotional import Key, Price, Told, page_of
from rewards.shelf import Shelf, shelf_of

_PRICES = "promotional prices"


@dataclass(frozen=True, slots=True)
class PromotionalPage:
    """A page of promotional products, the key to go on from, and the language it is in."""

    items: list[dict[str, Any]]
    after: Key | None
    language: str
    fallback: list[str]


def promotional_page(
    programme_id: int, number: str, wanted: Iterable[str], now: datetime, *, limit: int, after: Key | None
) -> PromotionalPage:
    """What a member earns more with and which gifts cost them fewer points, in the language that fits `wanted`
    best. NotFound. Two queries while rules and catalogue stay."""
    offers = member_offers(snapshot_of(programme_id, number, now))
    shelf = shelf_of(programme_id, now)
    language = best_language(wanted, shelf.languages)
    written = written_in(chain(language, shelf.languages))
    gifts = {gift.code: gift for gift in shelf.gifts} if (prices := _prices(shelf)) else {}
    told = Told(written, ZoneInfo(shelf.zone))
    items, after = page_of(offers, prices, gifts, told, limit=limit, after=after)
    fallback = [] if own_variant(language) == written else ["label"]
    return PromotionalPage(items, after, language, fallback)


def prices_open_to(member: Snapshot) -> dict[int, int]:
    """The promotional prices (points) an order of the member would find now, by the gift's id."""
    shelf = shelf_of(member.programme_id, member.now)
    stored = _prices(shelf)
    open_now = promotions_open_now(member) if stored else frozenset()
    ids = {gift.code: gift.id for gift in shelf.gifts} if open_now else {}
    found = dict[int, int]()
    for promotion, gift, points in stored:
        if promotion in open_now and gift in ids:
            found[ids[gift]] = min(points, found.get(ids[gift], points))
    return found


def _prices(shelf: Shelf) -> tuple[Price, ...]:
    """The promotional prices of a shelf by gift and promotion; setting one changes the catalogue's number."""
    if _PRICES not in shelf.feeds:
        stored = PromotionalPrice.objects.filter(programme_id=shelf.programme_id)
        found = stored.values_list("promotion__code", "reward__code", "points")
        shelf.feeds[_PRICES] = tuple(
            sorted((Price(*row) for row in found), key=lambda price: (price.gift, price.promotion))
        )
    kept: tuple[Price, ...] = shelf.feeds[_PRICES]
    return kept
