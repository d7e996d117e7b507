"""Points, money and days as members read them: in their language and their programme's time."""

from datetime import datetime, timedelta

from django import template
from django.utils import formats, timezone

register = template.Library()

MINUS = "\N{MINUS SIGN}"


@register.filter
def points(count: int | str) -> str:
    """Whole points with the language's thousands separator."""
    text = formats.number_format(abs(int(count)), use_l10n=True, force_grouping=True)
    return f"{MINUS}{text}" if int(count) < 0 else text


@register.filter
def signed(count: int) -> str:
    """Points with their sign, also above zero."""
    return f"+{points(count)}" if count > 0 else points(count)


@register.filter
def exact(text: str) -> str:
    """An exact figure of a trace ("22.45"), with the language's decimal sign."""
    number = formats.number_format(text.lstrip("-"), use_l10n=True, force_grouping=True)
    return f"{MINUS}{number}" if text.startswith("-") else number


@register.filter
def formula(text: str) -> str:
    """A formula of a trace ("44.90 × 0.5"), each figure with the language's decimal sign."""
    return " ".join(word if word == "×" else exact(word) for word in text.split(" "))


@register.filter
def day(at: datetime | str) -> str:
    """The day of an instant, in the programme's time."""
    return formats.date_format(_local(at), "j F Y")


@register.filter
def last_day(until: datetime | str) -> str:
    """The last day before an instant that is no longer part of it, in the programme's time."""
    return formats.date_format(_local(until) - timedelta(microseconds=1), "j F Y")


@register.filter
def month(at: datetime) -> str:
    """The month of an instant, in the programme's time."""
    return formats.date_format(_local(at), "F Y")


@register.filter
def clock(at: datetime | str) -> str:
    """The time of an instant, in the programme's time."""
    return formats.time_format(_local(at).time(), "H:i")


def _local(at: datetime | str) -> datetime:
    return timezone.localtime(datetime.fromisoformat(at) if isinstance(at, str) else at)
