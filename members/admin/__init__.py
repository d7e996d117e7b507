"""Programmes, languages, consents, partners and members in the back office."""

from members.admin.members import MemberAdmin, MemberSessionAdmin
from members.admin.partners import PartnerAdmin
from members.admin.programmes import LanguageAdmin, ProgrammeAdmin, PurposeAdmin

__all__ = [
    "LanguageAdmin",
    "MemberAdmin",
    "MemberSessionAdmin",
    "PartnerAdmin",
    "ProgrammeAdmin",
    "PurposeAdmin",
]
