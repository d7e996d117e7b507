"""Rates: so many calls in a window of time."""

from typing import NamedTuple

from django.core.exceptions import ImproperlyConfigured

_SECONDS = {"s": 1, "min": 60, "h": 3600}


class Rate(NamedTuple):
    """`limit` calls in a window of `window` seconds."""

    limit: int
    window: int


def parse_rate(name: str, text: str) -> Rate:
    """`"12000/min"` -> Rate(12000, 60). Raises ImproperlyConfigured for what is not `<count>/<s|min|h>`."""
    count, _, unit = text.partition("/")
    if not (count.isascii() and count.isdecimal() and int(count) > 0) or unit not in _SECONDS:
        raise ImproperlyConfigured(f"{name} must be <count>/<s|min|h>, not {text!r}.")
    return Rate(int(count), _SECONDS[unit])
