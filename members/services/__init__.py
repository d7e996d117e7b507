"""Writes of members: programmes and their languages, partners and staff, members."""

from members.services.access import (
    partner_create,
    partner_revoke_tokens,
    partner_rotate_secret,
    partner_update,
    staff_create,
    tokens_clear,
)
from members.services.members import MemberFields, member_close, member_enrol, member_update
from members.services.programmes import (
    Language,
    ProgrammeOptions,
    language_add,
    language_update,
    programme_create,
    programme_update,
)

__all__ = [
    "Language",
    "MemberFields",
    "ProgrammeOptions",
    "language_add",
    "language_update",
    "member_close",
    "member_enrol",
    "member_update",
    "partner_create",
    "partner_revoke_tokens",
    "partner_rotate_secret",
    "partner_update",
    "programme_create",
    "programme_update",
    "staff_create",
    "tokens_clear",
]
