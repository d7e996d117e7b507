"""Programmes and their languages."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple, TypedDict, Unpack
from zoneinfo import available_timezones

from django.db import transaction as db_transaction

from config.kernel.errors import ValidationFailed
from config.kernel.models import check_fields
from config.kernel.pictures import keep
from members.errors import ProgrammeFrozen
from members.look import LOGO_WIDTHS, LOGOS
from members.models import Activity, Programme, ProgrammeLanguage


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
    point_value: Decimal | None
    colour: str


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


def programme_logo_set(*, programme: Programme, content: bytes | None) -> Programme:
    """Give a programme an uploaded logo, made anew, or none. Raises PictureRefused."""
    logo = None
    if content is not None:
        _, files = keep(LOGOS, content, LOGO_WIDTHS)
        logo = files[0]._asdict()
    return programme_update(programme=programme, logo=logo)


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
