"""Members: enrol, change, close."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, TypedDict, Unpack
from zoneinfo import ZoneInfo

from django.db import IntegrityError
from django.db import transaction as db_transaction

from config.kernel.errors import FieldError, ValidationFailed
from config.kernel.flat import flat_errors
from config.kernel.models import check_fields
from members.errors import MemberExists, ProgrammeNotActive
from members.models import Member, Programme
from members.selectors import default_language
from members.services.consents import A_PARTNER, Speaker, consents_keep, consents_merged
from members.services.locking import member_locked
from members.services.telling import tell

OLDEST_BIRTH_DATE = date(1900, 1, 1)


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
    *,
    programme: Programme,
    number: str,
    now: datetime,
    speaker: Speaker = A_PARTNER,
    **fields: Unpack[MemberFields],
) -> tuple[Member, bool]:
    """Enrol someone under a number; returns the member and whether it is new. Consents are kept with who said so.

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
                consents_keep(member, {}, speaker, now)
                tell("member.enrolled", member, now)
            return member, True
        except IntegrityError:
            # Somebody else enrolled the same number since we looked.
            existing = _enrolled(programme, number)
    if existing is None or _content(existing) != _content(member):
        raise MemberExists
    return existing, False


@db_transaction.atomic
def member_update(
    *,
    member: Member,
    now: datetime,
    speaker: Speaker = A_PARTNER,
    consents_seen: Mapping[str, Any] | None = None,
    **changes: Unpack[MemberFields],
) -> Member:
    """Change what is known of a member; flat objects are replaced whole. Raises ValidationFailed, and NotFound
    for who was erased.

    Each consent that changed is kept with who said so and when. With `consents_seen`, what stood before who
    speaks, those left as they were seen stay as others said them meanwhile.

    An earlier birth date is kept with the instant of its change, so that no birthday comes twice.
    """
    stored = member_locked(member=member)
    before = _content(stored)
    birth_date, consents = stored.birth_date, stored.consents
    for field, value in changes.items():
        setattr(stored, field, value)
    if consents_seen is not None:
        stored.consents = consents_merged(consents, consents_seen, stored.consents)
    stored.language = stored.language or default_language(stored.programme)
    _check_member(stored, now)
    if _content(stored) == before:
        return stored
    if stored.birth_date != birth_date:
        was = birth_date.isoformat() if birth_date else None
        stored.birth_date_changes = [*stored.birth_date_changes, {"at": now.isoformat(), "was": was}]
    stored.save(update_fields=[*_CONTENT_FIELDS, "birth_date_changes"])
    consents_keep(stored, consents, speaker, now)
    tell("member.updated", stored, now)
    return stored


def member_close(*, member: Member, now: datetime) -> Member:
    """Take a member out of the programme; what was booked stays. Raises NotFound for who was erased."""
    with db_transaction.atomic():
        member_locked(member=member)
        Member.objects.filter(pk=member.pk).update(status=Member.Status.CLOSED)
        tell("member.closed", member, now)
    member.refresh_from_db()
    return member


_CONTENT_FIELDS = tuple(MemberFields.__annotations__)


def _content(member: Member) -> Mapping[str, object]:
    return {field: getattr(member, field) for field in _CONTENT_FIELDS}


def _enrolled(programme: Programme, number: str) -> Member | None:
    return Member.objects.filter(programme=programme, number=number).first()


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
