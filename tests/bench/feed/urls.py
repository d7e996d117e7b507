"""The product's addresses, and an endpoint that does nothing but what every endpoint does."""

from typing import ClassVar

from django.http import HttpRequest, HttpResponse
from django.urls import path

from config.kernel.api import ApiRequest, ApiView
from config.urls import urlpatterns as product


class TrivialView(ApiView):
    """Token, throttle, scope and one constant: the least an endpoint of the product can do."""

    required_scopes: ClassVar = {"GET": ("catalogue:read",)}

    def get(self, request: ApiRequest) -> HttpResponse:
        return HttpResponse(b'{"items":[],"next_cursor":null}', content_type="application/json")


def bare(request: HttpRequest) -> HttpResponse:
    """Django and the middleware, no more."""
    return HttpResponse(b'{"items":[],"next_cursor":null}', content_type="application/json")


urlpatterns = [path("api/v1/trivial", TrivialView.as_view()), path("api/v1/bare", bare), *product]
