"""The languages of our own texts: English, in which they are written, and one for each catalogue."""

from pathlib import Path

from django.utils.translation import get_language_info, get_supported_language_variant, to_language


def languages_written(folder: Path) -> list[tuple[str, str]]:
    """Code and own name of each language, as Django's LANGUAGES has them: a new catalogue is a new language."""
    catalogues = sorted(folder.glob("*/LC_MESSAGES/django.mo"))
    return [(code, _own_name(code)) for code in ("en", *(to_language(path.parts[-3]) for path in catalogues))]


def own_variant(language: str) -> str:
    """The language of ours that is this one (BCP 47), or is spoken where it is; "" for none."""
    try:
        return get_supported_language_variant(language.lower())
    except LookupError:
        return ""


def _own_name(code: str) -> str:
    try:
        name: str = get_language_info(code)["name_local"]
    except KeyError:
        return code
    return name[:1].upper() + name[1:]
