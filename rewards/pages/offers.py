"""Offers: the promotions that let the member in, what each gives, on what, and until when."""

from itertools import chain, islice
from typing import Any

from django.http import Http404

from loyalty.selectors import MemberOffer, member_offers, product_names
from rewards.labels import earn_label, written_in
from rewards.pages import words
from rewards.pages.gifts import Offer, window_of
from rewards.pages.page import PointsPage, page_number

PAGE = 50
"""Products of an offer on a page."""
FEW = 3
"""Products named in a line about an offer."""
KINDS = ("categories", "brands", "skus")


class OffersPage(PointsPage):
    """Everything that gives the member more points now, and gifts that cost her fewer."""

    template_name = "my/offers.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        promotions, _ = promotions_shown(self)
        return super().get_context_data(promotions=promotions, bargains=self._bargains(), **kwargs)

    def _bargains(self) -> list[Offer]:
        window = window_of(self)
        cheaper = [gift for gift in window.shelf.gifts if window.taker.price(gift) < gift.points]
        return [window.offer(gift) for gift in window.offered(cheaper)]


class OfferPage(PointsPage):
    """One offer with the products it is about, by name; `?page=` turns."""

    template_name = "my/promotion.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        code = self.kwargs["promotion"]
        offer = next((x for x in member_offers(self.seen) if x.promotion == code), None)
        if offer is None:
            raise Http404
        page = page_number(self.request.GET.get("page", "1"))
        products, has_more = self._products(offer, page)
        if page and not products:
            raise Http404
        kwargs |= {
            "promotion": _shown(offer, self.names([code], tiers=True), self.member.language),
            "limits": words.limits(offer.cap_left),
            "products": products,
            "more": f"?page={page + 2}" if has_more else "",
            "back": f"?page={page}" if page else "",
        }
        return super().get_context_data(**kwargs)

    def _products(self, offer: MemberOffer, page: int) -> tuple[list[str], bool]:
        """The names on a page, categories and brands first, and whether more follow."""
        found = list(islice(_targets(offer), page * PAGE, (page + 1) * PAGE + 1))
        skus = product_names(self.programme, [word for kind, word in found if kind == "skus"])
        names = [skus.get(word, word) if kind == "skus" else word for kind, word in found[:PAGE]]
        return names, len(found) > PAGE


def promotions_shown(page: PointsPage, most: int | None = None) -> tuple[list[dict[str, Any]], int]:
    """What runs now and lets the member in, in the order of promotions, at most so many; and how many there are."""
    offers = member_offers(page.seen)
    shown = offers[:most]
    names = page.names([offer.promotion for offer in shown], tiers=any(x.tier for x in shown))
    return [_shown(offer, names, page.member.language) for offer in shown], len(offers)


def _shown(offer: MemberOffer, names: words.Names, language: str) -> dict[str, Any]:
    """An offer in words; `on` names what it is about where that is little, `count` says of how much otherwise."""
    count = 0 if offer.products is None else sum(len(offer.products[kind]) for kind in KINDS)
    few = [word for kind, word in _targets(offer) if kind != "skus"] if count <= FEW else []
    return {
        "code": offer.promotion,
        "name": names.promotions.get(offer.promotion, offer.promotion),
        "effect": earn_label(offer.effect, offer.currency, written_in([language])),
        "why": words.because(offer.because, names),
        "asks": words.asks(offer.rule, offer.currency),
        "ends_at": offer.ends_at,
        "on": few if len(few) == count else [],
        "count": count,
    }


def _targets(offer: MemberOffer) -> Any:
    """What an offer is about as (kind, code or name) pairs; nothing for one on everything."""
    sets = offer.products
    return chain.from_iterable(((kind, word) for word in sets[kind]) for kind in KINDS) if sets else ()
