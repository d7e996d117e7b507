"""Words of the member's pages for codes of the platform."""

from django import template

from rewards.pages import words

register = template.Library()


@register.filter
def offer_reason(code: str) -> str:
    """Why a gift is out of reach."""
    return str(words.OFFER_REASONS.get(code, ""))


@register.filter
def status_word(code: str) -> str:
    """Where a movement or a gift order stands."""
    return str(words.STATUSES.get(code, code))
