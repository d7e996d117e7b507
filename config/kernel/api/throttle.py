"""Calls per client in fixed windows, counted in the cache: per process, or shared if the cache is Redis."""

import time
from typing import NamedTuple

from django.conf import settings
from django.core.cache import cache as counters
from django.http.response import HttpResponseBase

from config.kernel.errors import RateLimited
from config.kernel.rates import Rate


class Allowance(NamedTuple):
    """What a client may still do: `remaining` calls of `limit`, `reset` seconds before the window ends."""

    limit: int
    window: int
    remaining: int
    reset: int

    def write_to(self, response: HttpResponseBase) -> None:
        """The RateLimit fields of draft-ietf-httpapi-ratelimit-headers-10."""
        response.headers["RateLimit-Policy"] = f'"client";q={self.limit};w={self.window}'
        response.headers["RateLimit"] = f'"client";r={max(self.remaining, 0)};t={self.reset}'

    def check(self) -> None:
        """Raises RateLimited when the window is used up."""
        if self.remaining < 0:
            raise RateLimited(self.reset)


def count_call(client_id: str, rate: Rate | None = None) -> Allowance:
    """Count one call of this client in the window of now; `rate` is the API's unless another is given."""
    return _count("calls", client_id, rate or settings.API_RATE, 1)


def count_miss(client_id: str, misses: int = 1) -> None:
    """Count wrong guesses of a client; with 0 only ask. Raises RateLimited when it has guessed too often."""
    _count("misses", client_id, settings.GUESS_RATE, misses).check()


def _count(what: str, client_id: str, rate: Rate, more: int) -> Allowance:
    limit, window = rate
    number, age = divmod(time.time(), window)
    key = f"{what}:{client_id}:{int(number)}"
    try:
        used = counters.incr(key, more)
    except ValueError:
        # Of several first calls at once one adds, all count.
        counters.add(key, 0, timeout=window * 2)
        used = counters.incr(key, more)
    return Allowance(limit, window, limit - used, int(window - age) + 1)
