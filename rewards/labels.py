"""What a promotion gives, in a few words for members, in the languages we write ourselves."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

EARN: Mapping[str, Mapping[str, str]] = {
    "en": {
        "multiplier": "Points × {value}",
        "rate": "{value} extra {points} per {currency}",
        "per_item": "{value} extra {points} per item",
        "fixed": "{value} extra {points}",
    },
    "fr": {
        "multiplier": "Points × {value}",
        "rate": "{value} {points} en plus par {currency}",
        "per_item": "{value} {points} en plus par article",
        "fixed": "{value} {points} en plus",
    },
    "nl": {
        "multiplier": "Punten × {value}",
        "rate": "{value} extra {points} per {currency}",
        "per_item": "{value} extra {points} per artikel",
        "fixed": "{value} extra {points}",
    },
    "de": {
        "multiplier": "Punkte × {value}",
        "rate": "{value} {points} extra pro {currency}",
        "per_item": "{value} {points} extra pro Artikel",
        "fixed": "{value} {points} extra",
    },
}
BURN: Mapping[str, str] = {
    "en": "{points} points instead of {before}",
    "fr": "{points} points au lieu de {before}",
    "nl": "{points} punten in plaats van {before}",
    "de": "{points} Punkte statt {before}",
}
_POINTS = {
    "en": ("point", "points"),
    "fr": ("point", "points"),
    "nl": ("punt", "punten"),
    "de": ("Punkt", "Punkte"),
}
_COMMA = frozenset({"fr", "nl", "de"})
OURS = "en"
"""The language of the texts where no other is known."""


def written_in(languages: Sequence[str]) -> str:
    """The first of these languages (BCP 47) that we write, by its first subtag; English for none."""
    return next((code for tag in languages if (code := tag.split("-")[0].lower()) in EARN), OURS)


def earn_label(effect: Mapping[str, str], currency: str, language: str) -> str:
    """An effect in a language we write: "Points × 3"."""
    value = Decimal(effect["value"])
    is_one = value < 2 if language == "fr" else value == 1
    text = effect["value"].replace(".", ",") if language in _COMMA else effect["value"]
    one, many = _POINTS[language]
    return EARN[language][effect["type"]].format(
        value=text, points=one if is_one else many, currency=currency
    )


def burn_label(points: int, before: int, language: str) -> str:
    """A promotional price of a gift in a language we write."""
    return BURN[language].format(points=points, before=before)
