"""Reads of members. Each starts from a programme, or from a token that names one."""

import hashlib
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.auth.hashers import check_password
from django.contrib.auth.models import User
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef, Q, QuerySet, Sum
from django.db.models.functions import JSONObject
from django.http import HttpRequest
from django.utils.translation import get_supported_language_variant
from oauth2_provider.models import get_access_token_model

from config.kernel.dossier import Section
from config.kernel.erasure import Fate
from config.kernel.errors import NotFound
from config.kernel.texts import called, pick
from members import dossier, erasure
from members.identity import Kind, cookie_name, read
from members.models import (
    Activity,
    ConsentChange,
    ConsentWording,
    Member,
    MemberSession,
    Partner,
    Programme,
    ProgrammeLanguage,
)

IDENTIFY = "members:identify"
TOKEN_CACHE_SECONDS = 15
_TOKEN_CACHE_SIZE = 10_000


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls: a partner, its programme, and what its token allows."""

    partner_id: int
    client_id: str
    programme_id: int
    programme_code: str
    scopes: frozenset[str]


class _Known(NamedTuple):
    caller: Caller
    until: float


# By token checksum; per process, so that a revoked token dies everywhere within TOKEN_CACHE_SECONDS.
_known_tokens: dict[str, _Known] = {}


def caller_of(token: str) -> Caller | None:
    """Who holds this access token; None if it is unknown, expired or revoked (for at most 15 s already)."""
    checksum = _checksum(token)
    now = time.time()
    known = _known_tokens.get(checksum)
    if known is None or known.until <= now:
        known = _look_up(checksum, now)
        if known is None:
            _known_tokens.pop(checksum, None)
            return None
        _remember(checksum, known)
    return known.caller


def forget_token(token: str) -> None:
    """Make this process look the token up again."""
    _known_tokens.pop(_checksum(token), None)


def forget_tokens() -> None:
    """Make this process look every token up again."""
    _known_tokens.clear()


def _checksum(token: str) -> str:
    return hashlib.sha256(token.encode(errors="surrogateescape")).hexdigest()


def _look_up(checksum: str, now: float) -> _Known | None:
    row = (
        get_access_token_model()
        .objects.filter(token_checksum=checksum, application__isnull=False)
        .values_list(
            "expires",
            "scope",
            "application_id",
            "application__client_id",
            "application__allowed_scopes",
            "application__programme_id",
            "application__programme__code",
        )
        .first()
    )
    if row is None or row[0].timestamp() <= now:
        return None
    expires, scope, partner_id, client_id, allowed_scopes, programme_id, programme_code = row
    scopes = frozenset(scope.split()).intersection(allowed_scopes)
    caller = Caller(partner_id, client_id, programme_id, programme_code, scopes)
    return _Known(caller, min(now + TOKEN_CACHE_SECONDS, expires.timestamp()))


def _remember(checksum: str, known: _Known) -> None:
    while len(_known_tokens) >= _TOKEN_CACHE_SIZE:
        _known_tokens.pop(next(iter(_known_tokens)), None)
    _known_tokens[checksum] = known


def secret_opens(partner: Partner, secret: str, now: datetime) -> bool:
    """Whether the secret is the partner's, or the one before it while that still lives."""
    if check_password(secret, partner.client_secret):
        return True
    expires = partner.previous_secret_expires_at
    return expires is not None and now < expires and check_password(secret, partner.previous_client_secret)


def token_claims(programme: Programme, token: str, now: datetime) -> dict[str, str | int] | None:
    """What a live token of a partner of this programme says (RFC 7662); None for any other token."""
    row = (
        get_access_token_model()
        .objects.filter(token_checksum=_checksum(token), expires__gt=now, application__programme=programme)
        .values_list("scope", "application__client_id", "expires")
        .first()
    )
    if row is None:
        return None
    scope, client_id, expires = row
    return {
        "scope": scope,
        "client_id": client_id,
        "exp": int(expires.timestamp()),
        "token_type": "Bearer",
    }


def programme_of(caller: Caller) -> Programme:
    """The programme the caller belongs to."""
    return Programme.objects.get(pk=caller.programme_id)


def programmes_of_staff(user: User) -> QuerySet[Programme]:
    """The programmes a staff user works for; all of them for a superuser."""
    if user.is_superuser:
        return Programme.objects.all()
    return Programme.objects.filter(staff_memberships__user=user)


def languages_of(programme: Programme) -> list[ProgrammeLanguage]:
    """The programme's languages in its order."""
    return list(programme.languages.all())


def default_language(programme: Programme) -> str:
    """The code of the language that is used where none is asked for; "" while the programme has none."""
    return programme.languages.filter(is_default=True).values_list("code", flat=True).first() or ""


def member_by_number(programme: Programme, number: str) -> Member:
    """The programme's member with this number. Raises NotFound, whoever else may have it."""
    try:
        return Member.objects.get(programme=programme, number=number)
    except Member.DoesNotExist:
        raise NotFound from None


def earned_since(member: Member, since: datetime) -> int:
    """Points the member earned on the programme days from that of `since` on."""
    day = since.astimezone(ZoneInfo(member.programme.time_zone)).date()
    found = Activity.objects.filter(member=member, day__gte=day).aggregate(points=Sum("earned"))
    return found["points"] or 0


def language_for(language: str) -> str:
    """The language of our own texts that comes nearest to a member's, else the installation's default."""
    try:
        return get_supported_language_variant(language or settings.LANGUAGE_CODE)
    except LookupError:
        return settings.LANGUAGE_CODE


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
    """A member's sessions that still live, the newest first."""
    return member.sessions.filter(revoked_at=None, expires_at__gt=now).select_related("partner")


def wordings_now(programme: Programme, codes: Iterable[str] | None = None) -> dict[str, ConsentWording]:
    """The wording that holds of each purpose that has one, with its purpose, by code in the programme's order."""
    rows = ConsentWording.objects.select_related("purpose").filter(purpose__programme=programme)
    if codes is not None:
        rows = rows.filter(purpose__code__in=list(codes))
    rows = rows.order_by("purpose__position", "purpose__code", "-number")
    found: dict[str, ConsentWording] = {}
    for row in rows.distinct("purpose__position", "purpose__code"):
        found[row.purpose.code] = row
    return found


@dataclass(frozen=True, slots=True)
class Consent:
    """What a member is asked or was asked: `value` True, False, or None for nothing said yet.

    `wording` is the number of the words that hold, None for what only partners know; `is_other` when she agreed
    to other words than those.
    """

    code: str
    name: str
    text: str
    value: bool | None
    wording: int | None
    said_at: datetime | None
    is_other: bool


def consents_of(member: Member, languages: Sequence[str]) -> list[Consent]:
    """The purposes that members are asked, in their order, and what else the member was asked before."""
    wordings = wordings_now(member.programme)
    last = {row.purpose: row for row in member.consent_changes.order_by("purpose", "-id").distinct("purpose")}
    known = {code: value for code, value in member.consents.items() if isinstance(value, bool)}
    asked = [code for code, wording in wordings.items() if wording.purpose.is_offered or code in known]
    found = []
    for code in [*asked, *(code for code in known if code not in wordings)]:
        wording, said, value = wordings.get(code), last.get(code), known.get(code)
        found.append(
            Consent(
                code=code,
                name=consent_name(code, wording, languages),
                text=pick(wording.texts, languages)[0] if wording else "",
                value=value,
                wording=wording.number if wording else None,
                said_at=said.at if said else None,
                is_other=bool(value and said and wording and said.wording_id != wording.pk),
            )
        )
    return found


def consent_name(code: str, wording: ConsentWording | None, languages: Sequence[str]) -> str:
    """What a purpose is called along a chain of languages; one that is not set up by its code, as words."""
    words = code.replace("_", " ").replace("-", " ")
    return called(words[:1].upper() + words[1:], wording.names if wording else {}, languages)


def consents_said(member: Member) -> QuerySet[ConsentChange]:
    """What was said of the member's consents with the words it was said of, the newest first; the last hundred."""
    return member.consent_changes.select_related("wording")[:100]


def partner_names(programme: Programme) -> dict[int, str]:
    """Names of the programme's partners by id, for rows that say which one sent them."""
    return dict(Partner.objects.filter(programme=programme).values_list("pk", "name"))


def dossier_of(member: Member) -> Iterator[Section]:
    """All that is held of the member here, read as it is asked for."""
    return dossier.sections(member, partner_names(member.programme))


def erasure_of(member: Member) -> Iterator[Fate]:
    """What erasing makes of what is held of the member here."""
    return erasure.fates(member)
