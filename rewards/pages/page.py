"""What the pages about a member's points stand on."""

from functools import cached_property

from django.http import Http404

from config.kernel.pages import MemberPage
from config.kernel.texts import called
from loyalty.selectors import Snapshot, promotion_names, snapshot_of, tier_names
from rewards.pages.words import Names
from segments.selectors import segments_shown_to


class PointsPage(MemberPage):
    """A page that tells of a member's points: all of them as they are at one instant, read once."""

    @cached_property
    def seen(self) -> Snapshot:
        return snapshot_of(self.programme.pk, self.member.number, self.now)

    def names(self, promotions: list[str], *, tiers: bool = False) -> Names:
        """How these promotions, the tiers if asked for, and the segments that the member is shown are called."""
        return Names(
            promotion_names(self.programme, promotions, self.languages) if promotions else {},
            {
                x.code: called(x.name, x.labels, self.languages)
                for x in segments_shown_to(self.programme, self.member, self.now)
            },
            tier_names(self.programme, self.languages) if tiers else {},
        )


def page_number(text: str) -> int:
    """The page asked for, counted from 0. Raises Http404 for what is no page."""
    if not (text.isascii() and text.isdecimal() and len(text) < 6 and int(text) > 0):
        raise Http404
    return int(text) - 1
