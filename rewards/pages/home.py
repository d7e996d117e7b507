"""Home: what the member has, what comes, what goes, what she could do with it, and what happened last."""

from collections.abc import Sequence
from typing import Any

from config.kernel.pages import MemberPage
from config.kernel.texts import called, pick
from loyalty.selectors import Filters, HeldTier, Points, points_in, tier_in
from rewards.pages.gifts import Offer, Window, window_of
from rewards.pages.history import row
from rewards.pages.offers import promotions_shown
from rewards.pages.page import PointsPage
from rewards.selectors import movements_page
from segments.selectors import memberships_shown_to

LATEST = 5
MOST_OFFERS = 4
MOST_GIFTS = 3


class HomePage(PointsPage):
    """The figures are those of GET /members/{member}/balance at the same instant."""

    template_name = "my/home.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        points = points_in(self.programme, self.seen.holding, self.now)
        latest = movements_page(
            self.programme, self.seen.holding, Filters(), self.now, limit=LATEST, before=None
        )
        tier = tier_in(self.member, self.seen)
        promotions, count = promotions_shown(self, most=MOST_OFFERS)
        return super().get_context_data(
            points=points,
            tier=tier,
            tier_name=called(tier.name, tier.labels, self.languages) if tier else "",
            way=_way(tier, self.languages),
            rescued=rescued(window_of(self), points) if points.expiring else [],
            promotions=promotions,
            more_promotions=count - len(promotions),
            movements=[row(*told, self.languages) for told in latest.told],
            **kwargs,
        )


class SegmentsPage(MemberPage):
    """Which groups the member is in, since when and why, of those that members are shown.

    Why is what the segment says to its members; the reasons that staff noted are not for them.
    """

    template_name = "my/segments.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        shown = [
            {
                "name": called(row.segment.name, row.segment.labels, self.languages),
                "since": row.valid_from,
                "why": pick(row.segment.descriptions, self.languages)[0],
            }
            for row in memberships_shown_to(self.programme, self.member, self.now)
        ]
        return super().get_context_data(groups=shown, **kwargs)


def _way(tier: HeldTier | None, languages: Sequence[str]) -> dict[str, Any] | None:
    """How far it is to the next tier, in qualifying points; None at the top and without tier rules."""
    if tier is None or tier.next is None or tier.points is None or tier.next.threshold is None:
        return None
    return {
        "name": called(tier.next.name, tier.next.labels, languages),
        "points": tier.points,
        "threshold": tier.next.threshold,
        "missing": max(tier.next.threshold - tier.points, 0),
    }


def rescued(window: Window, points: Points) -> Sequence[Offer]:
    """The dearest gifts that the points which expire soon would still buy."""
    expiring, price = sum(count for _, count in points.expiring), window.taker.price
    affordable = (gift for gift in window.shelf.gifts if price(gift) <= expiring)
    in_reach = window.offered(affordable, in_reach=True)
    dearest = sorted(in_reach, key=lambda gift: (-price(gift), gift.code))[:MOST_GIFTS]
    return [window.offer(gift) for gift in dearest]
