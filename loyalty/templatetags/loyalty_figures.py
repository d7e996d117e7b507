"""Figures and reasons as the back office writes them."""

from typing import Any

from django import template

from loyalty import wording
from loyalty.engine.numbers import RATE, plain, scaled
from loyalty.events.wording import event_limit_text

register = template.Library()
register.filter("refusal", wording.refusal_text)
register.filter("step_name", wording.step_name)
register.filter("step_reason", wording.step_reason)
register.filter("taken", wording.taken_text)


@register.filter
def signed(points: int) -> str:
    """Points with their sign."""
    return f"{points:+d}"


@register.filter
def money(amount: str, digits: int) -> str:
    """An amount with the currency's decimals, and more where it has more."""
    return plain(scaled(amount, RATE), RATE, digits)


@register.filter
def words(code: Any) -> str:
    """A code of the platform as words."""
    return str(code).replace("_", " ")


@register.filter
def grouped_signed(points: int) -> str:
    """Points with their sign and separators of thousands."""
    return f"{points:+,}"


@register.filter
def trimmed(decimal: str) -> str:
    """A decimal without zeros at its end."""
    return decimal.rstrip("0").rstrip(".") if "." in decimal else decimal


@register.filter
def grouped(number: Any) -> str:
    """A number with separators of thousands."""
    return f"{number:,}"


@register.filter
def event_limit(limit: Any) -> str:
    """The limit that an event met, as answered or as decided."""
    if isinstance(limit, dict):
        return event_limit_text(limit["name"], limit["most"])
    return event_limit_text(limit.name, limit.most)
