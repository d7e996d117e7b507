"""Home: what the member has, what comes, what goes, and what happened last."""

from typing import Any

from config.kernel.pages import MemberPage
from loyalty.selectors import Filters, points_of, tier_names
from rewards.pages.history import row
from rewards.selectors import movements_page
from segments.selectors import memberships_shown_to

LATEST = 5


class HomePage(MemberPage):
    """The figures are those of GET /members/{member}/balance at the same instant."""

    template_name = "my/home.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        points = points_of(self.programme, self.member.number, self.now)
        latest = movements_page(
            self.programme, self.member.number, Filters(), self.now, limit=LATEST, before=None
        )
        return super().get_context_data(
            points=points,
            tier=tier_names(self.programme).get(self.member.tier, "") if self.member.tier else "",
            movements=[row(*told) for told in latest.told],
            **kwargs,
        )


class SegmentsPage(MemberPage):
    """Which groups the member is in, since when and why, of those that members are shown."""

    template_name = "my/segments.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        shown = memberships_shown_to(self.programme, self.member, self.now)
        return super().get_context_data(memberships=shown, **kwargs)
