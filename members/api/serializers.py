"""The shapes of languages."""

import msgspec

from members.models import ProgrammeLanguage


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


def show_languages(languages: list[ProgrammeLanguage]) -> LanguageList:
    """A programme's languages as partners see them."""
    return LanguageList(
        default=next((row.code for row in languages if row.is_default), ""),
        items=[LanguageShown(row.code, row.name, row.direction, row.fallback or None) for row in languages],
    )
