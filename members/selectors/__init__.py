"""Reads of members. Each starts from a programme, or from a token that names one."""

from members.selectors.callers import (
    TOKEN_CACHE_SECONDS,
    Caller,
    caller_of,
    forget_token,
    forget_tokens,
    secret_opens,
    token_claims,
)
from members.selectors.consents import Consent, consent_name, consents_of, consents_said, wordings_now
from members.selectors.people import dossier_of, erasure_of
from members.selectors.programmes import (
    default_language,
    earned_since,
    language_for,
    languages_of,
    member_by_number,
    partner_names,
    programme_of,
    programmes_of_staff,
)
from members.selectors.sessions import (
    IDENTIFY,
    LanguageName,
    cookie_of,
    languages_offered,
    session_of,
    sessions_of,
)

__all__ = [
    "IDENTIFY",
    "TOKEN_CACHE_SECONDS",
    "Caller",
    "Consent",
    "LanguageName",
    "caller_of",
    "consent_name",
    "consents_of",
    "consents_said",
    "cookie_of",
    "default_language",
    "dossier_of",
    "earned_since",
    "erasure_of",
    "forget_token",
    "forget_tokens",
    "language_for",
    "languages_of",
    "languages_offered",
    "member_by_number",
    "partner_names",
    "programme_of",
    "programmes_of_staff",
    "secret_opens",
    "session_of",
    "sessions_of",
    "token_claims",
    "wordings_now",
]
