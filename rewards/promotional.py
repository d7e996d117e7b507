"""Promotional products of a member: what earns more now, then gifts that cost fewer points. Pure, in pages."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from loyalty.selectors import MemberOffer
from rewards.eligibility import is_for
from rewards.labels import burn_label, earn_label
from rewards.shelf import Gift

TARGETS = (("sku", "skus"), ("category", "categories"), ("brand", "brands"))
Key = tuple[int, int, str, int, str]
"""Where an item stands: earn before burn, priority, promotion, kind of target, target; for a burn item the gift
stands in the promotion's place and the promotion in the target's."""


class Price(NamedTuple):
    """A gift's points for whom a promotion is for."""

    promotion: str
    gift: str
    points: int


@dataclass(frozen=True, slots=True)
class Told:
    """How items are told: a language we write, and the programme's clock."""

    language: str
    zone: ZoneInfo


def page_of(
    offers: Sequence[MemberOffer],
    prices: Iterable[Price],
    gifts: dict[str, Gift],
    told: Told,
    *,
    limit: int,
    after: Key | None,
) -> tuple[list[dict[str, Any]], Key | None]:
    """At most `limit` items after a key, and the key to go on from, or None at the end."""
    found = list(islice(_items(offers, prices, gifts, told, after), limit + 1))
    return [item for _, item in found[:limit]], found[limit - 1][0] if len(found) > limit else None


def _items(
    offers: Sequence[MemberOffer],
    prices: Iterable[Price],
    gifts: dict[str, Gift],
    told: Told,
    after: Key | None,
) -> Iterator[tuple[Key, dict[str, Any]]]:
    if after is None or after[0] == 0:
        for offer in offers:
            yield from _earns(offer, told, after)
    for key, item in _burns(offers, prices, gifts, told):
        if after is None or key > after:
            yield key, item


def _earns(offer: MemberOffer, told: Told, after: Key | None) -> Iterator[tuple[Key, dict[str, Any]]]:
    """An item for each SKU, category and brand of an offer; one without any for every product."""
    stands = (0, offer.priority, offer.promotion)
    if after is not None and stands < after[:3]:
        return
    body = _earn_body(offer, told)
    if offer.products is None:
        key: Key = (*stands, 0, "")
        if after is None or key > after:
            yield key, body
        return
    for kind, (name, plural) in enumerate(TARGETS, start=1):
        words: list[str] = offer.products[plural]
        for word in words[_start(words, (*stands, kind), after) :]:
            yield (*stands, kind, word), {**body, name: word}


def _start(words: list[str], stands: tuple[int, int, str, int], after: Key | None) -> int:
    """Where in the sorted words to begin, so that a large set costs nothing to skip."""
    if after is None or after[:4] < stands:
        return 0
    if after[:4] > stands:
        return len(words)
    start = bisect_left(words, after[4])
    return start + (start < len(words) and words[start] == after[4])


def _earn_body(offer: MemberOffer, told: Told) -> dict[str, Any]:
    return {
        "kind": "earn",
        "sku": None,
        "category": None,
        "brand": None,
        "promotion": offer.promotion,
        "effect": offer.effect,
        "label": earn_label(offer.effect, offer.currency, told.language),
        "because": offer.because,
        "ends_at": _end(offer, told),
        "cap_left": offer.cap_left,
    }


def _burns(
    offers: Sequence[MemberOffer], prices: Iterable[Price], gifts: dict[str, Gift], told: Told
) -> Iterator[tuple[Key, dict[str, Any]]]:
    """Gifts the member may have for fewer points, by gift and promotion. `prices` come in that order."""
    by_code = {offer.promotion: offer for offer in offers}
    for price in prices:
        offer, gift = by_code.get(price.promotion), gifts.get(price.gift)
        if offer and gift and is_for(gift, tier=offer.tier, segments=offer.segments):
            yield (1, 0, price.gift, 0, price.promotion), _burn_body(price, gift, offer, told)


def _burn_body(price: Price, gift: Gift, offer: MemberOffer, told: Told) -> dict[str, Any]:
    return {
        "kind": "burn",
        "gift": price.gift,
        "points": price.points,
        "points_before": gift.points,
        "promotion": price.promotion,
        "label": burn_label(price.points, gift.points, told.language),
        "because": offer.because,
        "ends_at": _end(offer, told),
    }


def _end(offer: MemberOffer, told: Told) -> str | None:
    return offer.ends_at.astimezone(told.zone).isoformat() if offer.ends_at else None
