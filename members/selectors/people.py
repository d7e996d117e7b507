"""All that is held of a member here, to be told or erased."""

from collections.abc import Iterator

from config.kernel.dossier import Section
from config.kernel.erasure import Fate
from members import dossier, erasure
from members.models import Member
from members.selectors.programmes import partner_names


def dossier_of(member: Member) -> Iterator[Section]:
    """All that is held of the member here, read as it is asked for."""
    return dossier.sections(member, partner_names(member.programme))


def erasure_of(member: Member) -> Iterator[Fate]:
    """What erasing makes of what is held of the member here."""
    return erasure.fates(member)
