"""The addresses of the API, found by their first word as Django finds them one by one."""

import pytest
from django.http import HttpRequest, HttpResponse
from django.urls import Resolver404, URLPattern, URLResolver, get_resolver, include, path, resolve, reverse

from config.kernel.api.routing import WordResolver, under
from config.urls import api_v1


def view(request: HttpRequest) -> HttpResponse:
    return HttpResponse()


def every(patterns: list[URLPattern | URLResolver]) -> list[URLPattern]:
    return [
        one
        for found in patterns
        for one in ([found] if isinstance(found, URLPattern) else every(found.url_patterns))
    ]


@pytest.mark.parametrize("pattern", every(api_v1), ids=lambda pattern: str(pattern.pattern))
def test_each_address_leads_where_it_led(pattern: URLPattern) -> None:
    arguments = dict.fromkeys(pattern.pattern.converters, "A-1")
    address = reverse(pattern.name, kwargs=arguments)
    found = resolve(address)
    alike = path("api/v1/", include(api_v1)).resolve(address.removeprefix("/"))
    assert alike is not None
    assert (found.func, found.args, found.kwargs) == (alike.func, alike.args, alike.kwargs)
    assert (found.url_name, found.route) == (alike.url_name, f"api/v1/{alike.route}")


@pytest.mark.parametrize(
    "address",
    ["/api/v1/", "/api/v1/nothing", "/api/v1/gifts/", "/api/v1/gifts/../promotions", "/api/v1//gifts"],
)
def test_what_is_nowhere_is_not_found(address: str) -> None:
    with pytest.raises(Resolver404):
        under("api/v1/", api_v1).resolve(address.removeprefix("/"))
    assert resolve(address).func.view_class.__name__ == "UnknownPath"


def test_it_is_the_one_in_use() -> None:
    (found,) = [one for one in get_resolver().url_patterns if isinstance(one, WordResolver)]
    assert str(found.pattern) == "api/v1/"


@pytest.mark.parametrize(
    "patterns", [[path("<str:code>", view)], [path("", view)], [path("a/", include([path("b", view)]))]]
)
def test_patterns_that_begin_with_no_word_stop_the_start(patterns: list[URLPattern | URLResolver]) -> None:
    with pytest.raises(TypeError):
        under("api/", patterns).resolve("api/anything")
