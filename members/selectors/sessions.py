"""Members by their tokens, and where they are signed in."""

from datetime import datetime
from typing import NamedTuple

from django.conf import settings
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef, Q, QuerySet
from django.db.models.functions import JSONObject
from django.http import HttpRequest

from members.identity import Kind, cookie_name, read
from members.models import Member, MemberSession, Programme, ProgrammeLanguage

IDENTIFY = "members:identify"
_SPOKEN = ArraySubquery(
    ProgrammeLanguage.objects.filter(programme=OuterRef("programme")).values(
        language=JSONObject(code="code", name="name", fallback="fallback", is_default="is_default")
    )
)


class LanguageName(NamedTuple):
    """A language that pages are offered in: its code, and what it calls itself."""

    code: str
    name: str


def session_of(kind: Kind, token: str, now: datetime) -> MemberSession | None:
    """The live session that a token of this kind stands for, with member, programme and partner, and the
    programme's languages as `spoken`: a list of `{"code", "name", "fallback", "is_default"}`.

    None for every token that does not hold: not genuine, too old, of a session that is over or revoked, of
    a member or programme that is closed, or of a partner that may no longer identify members.
    """
    claim = read(kind, token)
    if claim is None:
        return None
    session = (
        MemberSession.objects.select_related("member", "programme", "partner")
        .annotate(spoken=_SPOKEN)
        .filter(
            _by_partner(claim.partner_id),
            pk=claim.session,
            programme_id=claim.programme_id,
            member_id=claim.member_id,
            member__identity_version=claim.version,
            member__status=Member.Status.ACTIVE,
            programme__status=Programme.Status.ACTIVE,
            revoked_at=None,
            expires_at__gt=now,
        )
        .first()
    )
    if session is None or (session.partner and IDENTIFY not in session.partner.allowed_scopes):
        return None
    session.member.programme = session.programme
    return session


def languages_offered(session: MemberSession | None) -> list[LanguageName]:
    """What a page can be read in: a programme's languages, for a stranger those of our own texts."""
    if session is None:
        return [LanguageName(code, name) for code, name in settings.LANGUAGES]
    return [LanguageName(x["code"], x["name"]) for x in session.spoken]  # type: ignore[attr-defined]


def _by_partner(partner_id: int | None) -> Q:
    return Q(partner__isnull=True) if partner_id is None else Q(partner=partner_id)


def cookie_of(request: HttpRequest) -> str:
    """The value of the member's cookie; "" without one, and with more than one: nobody can tell which is ours."""
    name = cookie_name()
    pairs = [part.strip().partition("=") for part in request.META.get("HTTP_COOKIE", "").split(";")]
    values = [value for key, _, value in pairs if key == name]
    return values[0] if len(values) == 1 else ""


def sessions_of(member: Member, now: datetime) -> QuerySet[MemberSession]:
    """A member's sessions that still live, the newest first; not the links in mails that nobody has used."""
    live = member.sessions.filter(revoked_at=None, expires_at__gt=now)
    return live.exclude(origin=MemberSession.Origin.EMAIL, entered_at=None).select_related("partner")
