"""The shapes of members and languages: what is accepted, what is shown."""

from datetime import date, datetime
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType

from config.kernel.codes import Code
from config.kernel.flat import FlatObject
from members.models import Member, ProgrammeLanguage

Name = Annotated[str, Meta(max_length=150)]
Email = Annotated[str, Meta(max_length=254)]
LanguageCode = Annotated[str, Meta(max_length=35)]


class EnrolBody(msgspec.Struct, forbid_unknown_fields=True):
    """A member to enrol; all but the number is optional."""

    member: Code
    first_name: Name = ""
    last_name: Name = ""
    email: Email = ""
    birth_date: date | None = None
    language: LanguageCode = ""
    attributes: FlatObject = {}
    consents: FlatObject = {}
    metadata: FlatObject = {}


class MemberPatch(msgspec.Struct, forbid_unknown_fields=True):
    """Fields to change; a field left out stays. Flat objects are replaced whole."""

    first_name: Name | UnsetType = UNSET
    last_name: Name | UnsetType = UNSET
    email: Email | UnsetType = UNSET
    birth_date: date | UnsetType | None = UNSET
    language: LanguageCode | UnsetType = UNSET
    attributes: FlatObject | UnsetType = UNSET
    consents: FlatObject | UnsetType = UNSET
    metadata: FlatObject | UnsetType = UNSET


class MemberShown(msgspec.Struct):
    """A member; `tier` is the code of the tier held now, null for none."""

    member: str
    first_name: str
    last_name: str
    email: str
    birth_date: date | None
    language: str
    attributes: dict[str, Any]
    consents: dict[str, Any]
    metadata: dict[str, Any]
    status: str
    tier: str | None
    enrolled_at: datetime


class LanguageShown(msgspec.Struct):
    """A language of the programme; `fallback` is the language used for what is not translated."""

    code: str
    name: str
    direction: str
    fallback: str | None


class LanguageList(msgspec.Struct):
    """The programme's languages; `default` is used where none is asked for."""

    default: str
    items: list[LanguageShown]


def show_member(member: Member) -> MemberShown:
    """A member as partners see it."""
    return MemberShown(
        member=member.number,
        first_name=member.first_name,
        last_name=member.last_name,
        email=member.email,
        birth_date=member.birth_date,
        language=member.language,
        attributes=member.attributes,
        consents=member.consents,
        metadata=member.metadata,
        status=member.status,
        tier=member.tier or None,
        enrolled_at=member.enrolled_at,
    )


def show_languages(languages: list[ProgrammeLanguage]) -> LanguageList:
    """A programme's languages as partners see them."""
    return LanguageList(
        default=next((row.code for row in languages if row.is_default), ""),
        items=[LanguageShown(row.code, row.name, row.direction, row.fallback or None) for row in languages],
    )
