"""One person over everything here: what is held of them, and what erasing makes of it."""

from collections.abc import Iterator
from datetime import datetime

from config.kernel.dossier import Section
from config.kernel.erasure import Fate
from members.models import Member
from members.selectors import partner_names
from rewards import dossier, erasure


def dossier_of(member: Member, now: datetime, *, shows_codes: bool) -> Iterator[Section]:
    """All that is held of the member here, read as it is asked for; `shows_codes` is for the member alone."""
    return dossier.sections(member, partner_names(member.programme), now, shows_codes=shows_codes)


def erasure_of(member: Member) -> Iterator[Fate]:
    """What erasing makes of what is held of the member here."""
    return erasure.fates(member)


def orders_under_way(member: Member) -> list[str]:
    """References of the orders that somebody still has to do something for: the member cannot be erased yet."""
    return erasure.under_way(member)
