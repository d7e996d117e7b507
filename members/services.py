"""Writes of members: programmes and their languages, partners, staff and members."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple, TypedDict, Unpack
from zoneinfo import ZoneInfo, available_timezones

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractUser
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError
from django.db import transaction as db_transaction
from oauth2_provider.generators import generate_client_secret
from oauth2_provider.models import get_access_token_model

from config.kernel.errors import FieldError, ValidationFailed
from config.kernel.flat import flat_errors
from config.kernel.models import check_fields
from members.errors import MemberExists, ProgrammeFrozen, ProgrammeNotActive
from members.models import (
    Activity,
    Member,
    OutboxEvent,
    Partner,
    Programme,
    ProgrammeLanguage,
    StaffMembership,
)
from members.selectors import default_language, forget_tokens

OLDEST_BIRTH_DATE = date(1900, 1, 1)
SECRET_OVERLAP = timedelta(days=7)


class Language(NamedTuple):
    """A language of a programme to be; the first of a list is the default."""

    code: str
    name: str
    direction: str = ProgrammeLanguage.Direction.LTR
    fallback: str = ""


ENGLISH = Language("en", "English")


class ProgrammeOptions(TypedDict, total=False):
    """What a programme may set, with the defaults of the model."""

    overdraw: str
    backdating_days: int
    approval_limit: int | None
    grace_days: int
    on_unknown_member: str


@db_transaction.atomic
def programme_create(
    *,
    code: str,
    name: str,
    currency: str,
    time_zone: str,
    now: datetime,
    languages: Sequence[Language] = (ENGLISH,),
    **options: Unpack[ProgrammeOptions],
) -> Programme:
    """Create a programme; the first language is its default. Raises ValidationFailed."""
    programme = Programme(
        code=code, name=name, currency=currency, time_zone=time_zone, created_at=now, **options
    )
    _save_programme(programme)
    for position, language in enumerate(languages):
        language_add(programme=programme, language=language, is_default=position == 0, position=position)
    return programme


@db_transaction.atomic
def programme_update(*, programme: Programme, **changes: Any) -> Programme:
    """Change a programme's fields.

    Raises ValidationFailed, and ProgrammeFrozen for another currency or time zone once something was booked.
    """
    stored = Programme.objects.select_for_update().get(pk=programme.pk)
    is_other = any(
        field in changes and changes[field] != getattr(stored, field) for field in ("currency", "time_zone")
    )
    if is_other and Activity.objects.filter(programme=stored).exists():
        raise ProgrammeFrozen
    for field, value in changes.items():
        setattr(stored, field, value)
    _save_programme(stored)
    return stored


def _save_programme(programme: Programme) -> None:
    check_fields(programme)
    if programme.time_zone not in available_timezones():
        raise ValidationFailed.at("/time_zone", "invalid", "Not an IANA time zone.")
    programme.save()


def language_add(
    *, programme: Programme, language: Language, is_default: bool = False, position: int = 0
) -> ProgrammeLanguage:
    """Add a language. Raises ValidationFailed, also when its fallback is no language of the programme."""
    row = ProgrammeLanguage(programme=programme, position=position, **language._asdict())
    return _save_language(row, is_default)


def language_update(*, language: ProgrammeLanguage, **changes: Any) -> ProgrammeLanguage:
    """Change a language; a new default replaces the one before. Raises ValidationFailed."""
    stored = ProgrammeLanguage.objects.get(pk=language.pk)
    is_default = changes.pop("is_default", stored.is_default)
    for field, value in changes.items():
        setattr(stored, field, value)
    return _save_language(stored, is_default)


@db_transaction.atomic
def _save_language(row: ProgrammeLanguage, is_default: bool) -> ProgrammeLanguage:
    others = row.programme.languages.exclude(pk=row.pk)
    if row.fallback and not others.filter(code=row.fallback).exists():
        raise ValidationFailed.at("/fallback", "invalid", "Not another language of the programme.")
    if row.is_default and not is_default:
        raise ValidationFailed.at("/is_default", "invalid", "Make another language the default instead.")
    if is_default:
        others.filter(is_default=True).update(is_default=False)
    row.is_default = is_default
    check_fields(row)
    row.save()
    return row


def partner_create(*, programme: Programme, name: str, scopes: Iterable[str]) -> tuple[Partner, str]:
    """Create a partner; the second value is its generated secret, stored hashed and never shown again.

    Raises ValidationFailed for unknown scopes.
    """
    secret: str = generate_client_secret()
    partner = Partner(
        programme=programme,
        name=name,
        client_type=Partner.CLIENT_CONFIDENTIAL,
        authorization_grant_type=Partner.GRANT_CLIENT_CREDENTIALS,
        allowed_scopes=_known_scopes(scopes),
        client_secret=secret,
    )
    check_fields(partner)
    partner.save()
    return partner, secret


def partner_update(*, partner: Partner, name: str, scopes: Iterable[str]) -> Partner:
    """Rename a partner or change what it may do; its tokens lose scopes it lost. Raises ValidationFailed."""
    partner.name = name
    partner.allowed_scopes = _known_scopes(scopes)
    check_fields(partner)
    partner.save()
    forget_tokens()
    return partner


def partner_rotate_secret(*, partner: Partner, now: datetime, overlap: timedelta = SECRET_OVERLAP) -> str:
    """Give the partner a new secret and return it; the one before lives on for `overlap`."""
    secret: str = generate_client_secret()
    partner.previous_client_secret = partner.client_secret
    partner.previous_secret_expires_at = now + overlap
    partner.client_secret = secret
    partner.save()
    return secret


def partner_revoke_tokens(*, partner: Partner) -> int:
    """Revoke all access tokens of a partner, e.g. after a leak; returns how many there were."""
    tokens = get_access_token_model().objects.filter(application=partner)
    count: int = tokens.delete()[0]
    forget_tokens()
    return count


def _known_scopes(scopes: Iterable[str]) -> list[str]:
    wanted = sorted(set(scopes))
    if unknown := [scope for scope in wanted if scope not in settings.SCOPES]:
        raise ValidationFailed.at("/allowed_scopes", "unknown_scope", f"Unknown: {', '.join(unknown)}.")
    return wanted


@db_transaction.atomic
def staff_create(
    *,
    username: str,
    password: str,
    programmes: Iterable[Programme],
    email: str = "",
    is_superuser: bool = False,
) -> AbstractUser:
    """Create a staff user who works for these programmes. Raises ValidationFailed for a weak password."""
    user_model = get_user_model()
    user = user_model(username=username, email=email, is_staff=True, is_superuser=is_superuser)
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise ValidationFailed.at("/password", "invalid", " ".join(error.messages)) from None
    user.set_password(password)
    check_fields(user)
    user.save()
    StaffMembership.objects.bulk_create(
        StaffMembership(user=user, programme=programme) for programme in programmes
    )
    return user


class MemberFields(TypedDict, total=False):
    """What is known of a member; all of it is optional."""

    first_name: str
    last_name: str
    email: str
    birth_date: date | None
    language: str
    attributes: dict[str, Any]
    consents: dict[str, Any]
    metadata: dict[str, Any]


def member_enrol(
    *, programme: Programme, number: str, now: datetime, **fields: Unpack[MemberFields]
) -> tuple[Member, bool]:
    """Enrol someone under a number; returns the member and whether it is new.

    The same content again changes nothing. Without a language the member gets the programme's default.
    Raises ProgrammeNotActive, ValidationFailed, and MemberExists for a number enrolled with other content.
    """
    if programme.status != Programme.Status.ACTIVE:
        raise ProgrammeNotActive
    member = Member(programme=programme, number=number, enrolled_at=now, **fields)
    member.language = member.language or default_language(programme)
    _check_member(member, now)
    existing = _enrolled(programme, number)
    if existing is None:
        try:
            with db_transaction.atomic():
                member.save(force_insert=True)
                _tell("member.enrolled", member, now)
            return member, True
        except IntegrityError:
            # Somebody else enrolled the same number since we looked.
            existing = _enrolled(programme, number)
    if existing is None or _content(existing) != _content(member):
        raise MemberExists
    return existing, False


@db_transaction.atomic
def member_update(*, member: Member, now: datetime, **changes: Unpack[MemberFields]) -> Member:
    """Change what is known of a member; flat objects are replaced whole. Raises ValidationFailed.

    An earlier birth date is kept with the instant of its change, so that no birthday comes twice.
    """
    stored = Member.objects.select_for_update().select_related("programme").get(pk=member.pk)
    before = _content(stored)
    birth_date = stored.birth_date
    for field, value in changes.items():
        setattr(stored, field, value)
    stored.language = stored.language or default_language(stored.programme)
    _check_member(stored, now)
    if _content(stored) == before:
        return stored
    if stored.birth_date != birth_date:
        was = birth_date.isoformat() if birth_date else None
        stored.birth_date_changes = [*stored.birth_date_changes, {"at": now.isoformat(), "was": was}]
    stored.save(update_fields=[*_CONTENT_FIELDS, "birth_date_changes"])
    _tell("member.updated", stored, now)
    return stored


def member_close(*, member: Member, now: datetime) -> Member:
    """Take a member out of the programme; what was booked stays."""
    with db_transaction.atomic():
        Member.objects.filter(pk=member.pk).update(status=Member.Status.CLOSED)
        _tell("member.closed", member, now)
    member.refresh_from_db()
    return member


_CONTENT_FIELDS = tuple(MemberFields.__annotations__)


def _content(member: Member) -> Mapping[str, object]:
    return {field: getattr(member, field) for field in _CONTENT_FIELDS}


def _enrolled(programme: Programme, number: str) -> Member | None:
    return Member.objects.filter(programme=programme, number=number).first()


def _tell(type_: str, member: Member, now: datetime) -> None:
    OutboxEvent.objects.create(
        programme_id=member.programme_id, member_id=member.pk, type=type_, body={}, recorded_at=now
    )


def _check_member(member: Member, now: datetime) -> None:
    errors = [
        error
        for field in ("attributes", "consents", "metadata")
        for error in flat_errors(f"/{field}", getattr(member, field))
    ]
    today = now.astimezone(ZoneInfo(member.programme.time_zone)).date()
    if member.birth_date and not OLDEST_BIRTH_DATE <= member.birth_date <= today:
        errors.append(FieldError("/birth_date", "implausible", f"From {OLDEST_BIRTH_DATE} to today."))
    if member.language and not member.programme.languages.filter(code=member.language).exists():
        errors.append(FieldError("/language", "unknown_language", "Not a language of the programme."))
    if errors:
        raise ValidationFailed(errors=errors)
    check_fields(member, checks_uniqueness=False)
