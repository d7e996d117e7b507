"""The addresses of the API found by their first word: Django tries patterns one after the other."""

from collections.abc import Iterable, Iterator
from functools import cached_property

from django.urls import Resolver404, ResolverMatch, URLPattern, URLResolver
from django.urls.resolvers import RoutePattern


class WordResolver(URLResolver):
    """Patterns under a prefix, of which only those with the path's first word are tried. Reverses as ever.

    Every pattern begins with a word, not with a parameter.
    """

    def resolve(self, path: str) -> ResolverMatch:
        match = self.pattern.match(path)
        own = self._by_word.get(match[0].partition("/")[0]) if match else None
        if own is None:
            raise Resolver404({"path": path})
        return own.resolve(path)

    @cached_property
    def _by_word(self) -> dict[str, URLResolver]:
        found: dict[str, list[URLPattern]] = {}
        for pattern in _flat(self.url_patterns):
            found.setdefault(_first_word(pattern), []).append(pattern)
        return {word: URLResolver(self.pattern, patterns) for word, patterns in found.items()}


def under(prefix: str, patterns: list[URLPattern | URLResolver]) -> WordResolver:
    """As `path(prefix, include(patterns))`; included lists stand at its top, with no prefix of their own."""
    return WordResolver(RoutePattern(prefix, is_endpoint=False), patterns)


def _flat(patterns: Iterable[URLPattern | URLResolver]) -> Iterator[URLPattern]:
    for pattern in patterns:
        if isinstance(pattern, URLPattern):
            yield pattern
        elif str(pattern.pattern):
            raise TypeError(f"{pattern} has a prefix of its own.")
        else:
            yield from _flat(pattern.url_patterns)


def _first_word(pattern: URLPattern) -> str:
    word = str(pattern.pattern).partition("/")[0]
    if not word or "<" in word:
        raise TypeError(f"{pattern} does not begin with a word.")
    return word
