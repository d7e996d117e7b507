"""Writes of members: programmes and their languages, partners and staff, members."""

from members.services.access import (
    partner_create,
    partner_revoke_tokens,
    partner_rotate_secret,
    partner_update,
    staff_create,
    tokens_clear,
)
from members.services.consents import Speaker, consent_purpose_save, consent_say
from members.services.erasure import member_erase
from members.services.identification import (
    Opened,
    claim_of,
    email_session_open,
    session_enter,
    session_open,
    session_revoke,
    sessions_revoke,
)
from members.services.locking import member_locked
from members.services.members import (
    MemberFields,
    member_close,
    member_enrol,
    member_update,
)
from members.services.programmes import (
    Language,
    ProgrammeOptions,
    language_add,
    language_update,
    programme_create,
    programme_logo_set,
    programme_update,
)
from members.services.signing_in import sessions_clean, sign_in_answer, sign_in_request

__all__ = [
    "Language",
    "MemberFields",
    "Opened",
    "ProgrammeOptions",
    "Speaker",
    "claim_of",
    "consent_purpose_save",
    "consent_say",
    "email_session_open",
    "language_add",
    "language_update",
    "member_close",
    "member_enrol",
    "member_erase",
    "member_locked",
    "member_update",
    "partner_create",
    "partner_revoke_tokens",
    "partner_rotate_secret",
    "partner_update",
    "programme_create",
    "programme_logo_set",
    "programme_update",
    "session_enter",
    "session_open",
    "session_revoke",
    "sessions_clean",
    "sessions_revoke",
    "sign_in_answer",
    "sign_in_request",
    "staff_create",
    "tokens_clear",
]
