"""Tables of members: programmes and languages, partners and staff, members and what they did."""

from members.models.consents import ConsentChange, ConsentPurpose, ConsentWording
from members.models.members import Activity, Member
from members.models.outbox import OutboxEvent
from members.models.partners import Partner, StaffMembership
from members.models.programmes import Programme, ProgrammeLanguage
from members.models.sessions import MemberSession, SignInRequest

__all__ = [
    "Activity",
    "ConsentChange",
    "ConsentPurpose",
    "ConsentWording",
    "Member",
    "MemberSession",
    "OutboxEvent",
    "Partner",
    "Programme",
    "ProgrammeLanguage",
    "SignInRequest",
    "StaffMembership",
]
