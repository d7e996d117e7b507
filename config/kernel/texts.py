"""Texts in several languages, `{language: text}`: which one is shown, and what descriptions may hold."""

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any

import nh3

from config.kernel.errors import FieldError

Texts = Mapping[str, str]
LABEL_LENGTH = 200
"""Characters of a name."""

DESCRIPTION_TAGS = frozenset(
    {"p", "br", "strong", "em", "u", "ul", "ol", "li", "h3", "h4", "a", "blockquote"}
)
_WITH_CONTENT = frozenset({"script", "style", "svg", "math", "template", "iframe", "object"})


@dataclass(frozen=True, slots=True)
class Spoken:
    """A language of a programme: its BCP 47 code, the one to fall back to ("" = none), and if it is the default."""

    code: str
    fallback: str
    is_default: bool


def spoken_by_default(languages: Sequence[Spoken]) -> str:
    """The code of the default language; "" while there is none."""
    return next((language.code for language in languages if language.is_default), "")


def best_language(wanted: Iterable[str], languages: Sequence[Spoken]) -> str:
    """The programme's language for these tags, best first (RFC 4647, section 3.4: look-up); else the default."""
    codes = {language.code.lower(): language.code for language in languages}
    for tag in wanted:
        words = tag.lower().split("-")
        while words:
            if found := codes.get("-".join(words)):
                return found
            words.pop()
        # "nl" is content with "nl-BE" where there is no other Dutch.
        if found := next((code for low, code in codes.items() if low.startswith(f"{tag.lower()}-")), None):
            return found
    return spoken_by_default(languages)


def chain(language: str, languages: Sequence[Spoken]) -> tuple[str, ...]:
    """The languages to look for a text in: this one, those it falls back to, the default, then all others."""
    by_code = {spoken.code: spoken for spoken in languages}
    found: list[str] = []
    while language in by_code and language not in found:
        found.append(language)
        language = by_code[language].fallback
    found.append(spoken_by_default(languages))
    return tuple(dict.fromkeys([*found, *by_code]))


def chain_for(language: str, languages: Sequence[Spoken]) -> tuple[str, ...]:
    """The languages to look for a text in for who reads `language`, spoken by the programme or not."""
    return chain(best_language([language], languages), languages)


def chain_of(language: str, spoken: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    """As `chain_for`; `spoken` as a member's session has them."""
    return chain_for(language, [Spoken(x["code"], x["fallback"], x["is_default"]) for x in spoken])


def pick(texts: Texts, languages: Sequence[str]) -> tuple[str, str]:
    """The first text there is along a chain and its language; two empty strings for none."""
    for language in languages:
        if text := texts.get(language):
            return text, language
    return "", ""


def name_for_staff(names: Texts, languages: Sequence[Spoken]) -> str:
    """The text in the default language, else in any; "" for none."""
    return pick(names, chain(spoken_by_default(languages), languages))[0]


def called(name: str, labels: Texts, languages: Sequence[str]) -> str:
    """What a thing that staff call `name` is called along a chain of languages, by its `labels`."""
    return pick(labels, languages)[0] or name


def stripped(texts: Texts) -> dict[str, str]:
    """The texts without surrounding blanks, and without languages that say nothing."""
    return {language: text.strip() for language, text in texts.items() if text.strip()}


def text_errors(pointer: str, texts: Texts, languages: Set[str], length: int) -> Iterator[FieldError]:
    """What is wrong with a text in several languages."""
    for language, text in texts.items():
        if language not in languages:
            yield FieldError(f"{pointer}/{language}", "unknown_language", "Not a language of the programme.")
        if len(text) > length:
            yield FieldError(f"{pointer}/{language}", "too_long", f"At most {length} characters.")
        if "\x00" in text:
            yield FieldError(f"{pointer}/{language}", "invalid", "Not a text.")


def clean_html(text: str) -> str:
    """A description without what could run, load or style: a few tags, links to http(s) and mail."""
    return nh3.clean(
        text,
        tags=set(DESCRIPTION_TAGS),
        clean_content_tags=set(_WITH_CONTENT),
        attributes={"a": {"href"}},
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener noreferrer",
    ).strip()


def plain(html: str) -> str:
    """The words of a description, without its tags."""
    return nh3.clean(html, tags=set(), clean_content_tags=set(_WITH_CONTENT)).strip()
