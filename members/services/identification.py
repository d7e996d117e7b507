"""Who a member is: sessions opened by partners or by an e-mailed link, entered once, revoked at any time."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from django.db import transaction as db_transaction
from django.db.models import F

from config.kernel.errors import NotFound, ValidationFailed
from members.errors import MemberNotActive, ProgrammeNotActive
from members.identity import Claim, Kind, sign
from members.models import Member, MemberSession, Partner, Programme
from members.selectors import session_of
from members.services.locking import member_locked
from members.services.telling import tell

SESSION_LIFETIME = timedelta(hours=12)
"""A session ends then, however much its cookie is renewed."""

_PLAIN_URL = re.compile(
    r"https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[A-Za-z0-9._~!$&'()*+,;=:@%/-]*)?(\?[!\x22$-~]*)?"
)
_CLIMBS = re.compile(r"/\.\.?(/|;|$)|%2e|%2f|%5c|%25", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Opened:
    """A new session with the tokens made for it; `login` is for the one-use address."""

    session: MemberSession
    cookie: str
    bearer: str
    login: str


@db_transaction.atomic
def session_open(
    *, partner: Partner, member: Member, return_url: str = "", device: str = "", now: datetime
) -> Opened:
    """A partner says who is there: opens a session for the member and makes its tokens.

    `return_url` ("" = the member's own pages) is where the login address leads. Raises MemberNotActive,
    ProgrammeNotActive, and ValidationFailed for a return address that is not on the partner's list.
    """
    if partner.programme_id != member.programme_id:
        raise NotFound
    _check_active(member)
    if return_url and not may_return_to(partner, return_url):
        raise ValidationFailed.at("/return_url", "not_allowed", "Not on this partner's list of addresses.")
    session = _begin(member, partner, return_url, device, now)
    claim = claim_of(session, member)
    return Opened(session, sign(Kind.COOKIE, claim), sign(Kind.BEARER, claim), sign(Kind.LOGIN, claim))


def session_enter(*, kind: Kind, token: str, now: datetime) -> tuple[MemberSession, str] | None:
    """Use a one-use login address (kind LOGIN or EMAIL): the session and its cookie's value.

    None when it is not genuine, too old, revoked or used before: of any number at once, one gets in.
    """
    session = session_of(kind, token, now)
    if session is None:
        return None
    is_first = MemberSession.objects.filter(pk=session.pk, entered_at=None).update(entered_at=now)
    return (session, sign(Kind.COOKIE, claim_of(session, session.member))) if is_first else None


def session_revoke(*, session: MemberSession, now: datetime) -> None:
    """End one session: its cookie, bearer and login address die with it. Ending it twice is no error."""
    MemberSession.objects.filter(pk=session.pk, revoked_at=None).update(revoked_at=now)


@db_transaction.atomic
def sessions_revoke(*, member: Member, now: datetime) -> int:
    """End all sessions of a member, also those whose row is gone; returns how many were open."""
    Member.objects.filter(pk=member.pk).update(identity_version=F("identity_version") + 1)
    open_ones = MemberSession.objects.filter(member_id=member.pk, revoked_at=None, expires_at__gt=now)
    count = open_ones.update(revoked_at=now)
    if count:
        tell("member.sessions_revoked", member, now, {"sessions": count})
    return count


@db_transaction.atomic
def email_session_open(*, member: Member, device: str = "", now: datetime) -> str:
    """A session for someone who asked by e-mail; returns the token of the one-use link (15 minutes)."""
    _check_active(member)
    session = _begin(member, None, "", device, now)
    return sign(Kind.EMAIL, claim_of(session, member))


def claim_of(session: MemberSession, member: Member) -> Claim:
    """What the session's tokens say."""
    return Claim(
        session.pk, session.programme_id, session.partner_id, session.member_id, member.identity_version
    )


def may_return_to(partner: Partner, url: str) -> bool:
    """Whether the address is one of the partner's, or lies beneath one: same scheme, host and port, path below.

    Dot segments and escaped slashes are refused, also escaped twice or with a parameter behind, so that beneath
    means beneath for every browser and server.
    """
    if not _PLAIN_URL.fullmatch(url) or _CLIMBS.search(urlsplit(url).path):
        return False
    asked = urlsplit(url)
    return any(_is_beneath(asked.path, urlsplit(allowed).path) for allowed in partner.return_urls
               if urlsplit(allowed)[:2] == asked[:2])  # fmt: skip


def _is_beneath(path: str, allowed: str) -> bool:
    return path == allowed or path.startswith(allowed.rstrip("/") + "/")


def _check_active(member: Member) -> None:
    """ProgrammeNotActive, MemberNotActive; NotFound for who was erased. Nobody is while the session is made."""
    if member.programme.status != Programme.Status.ACTIVE:
        raise ProgrammeNotActive
    if member_locked(member=member).status != Member.Status.ACTIVE:
        raise MemberNotActive


def _begin(
    member: Member, partner: Partner | None, return_url: str, device: str, now: datetime
) -> MemberSession:
    return MemberSession.objects.create(
        programme_id=member.programme_id,
        member=member,
        partner=partner,
        origin=MemberSession.Origin.PARTNER if partner else MemberSession.Origin.EMAIL,
        device=device,
        return_url=return_url,
        created_at=now,
        expires_at=now + SESSION_LIFETIME,
    )
