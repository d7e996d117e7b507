"""All that is held of one person, and what erasing makes of it."""

from collections.abc import Iterator
from datetime import datetime

from config.kernel.dossier import Section
from config.kernel.erasure import Fate
from loyalty import dossier, erasure
from loyalty.selectors.points import balance_shown
from members.models import Member
from members.selectors import partner_names


def dossier_of(member: Member, now: datetime) -> Iterator[Section]:
    """All that is held of the member here, the balance as it is at `now`; read as it is asked for."""
    yield Section("balance", balance_shown(member.programme, member.number, now))
    yield from dossier.sections(member, partner_names(member.programme))


def erasure_of(member: Member) -> Iterator[Fate]:
    """What erasing makes of what is held of the member here."""
    return erasure.fates(member)
