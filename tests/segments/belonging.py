"""Which segments a member is in."""

from datetime import datetime

from members.models import Member
from segments.selectors import memberships_at


def codes_at(member: Member, at: datetime) -> list[str]:
    """The codes of the member's segments at an instant, sorted."""
    found = memberships_at(member.programme, at).filter(member=member)
    return sorted(found.values_list("segment__code", flat=True))
