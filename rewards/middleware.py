"""What staff change is seen by everybody's next request."""

import time
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

OFFICE = "/admin/"
_SAFE = {"GET", "HEAD", "OPTIONS"}


class SeenByAllMiddleware:
    """Answers what staff wrote once no process can show the catalogue of before (see rewards.shelf).

    Whatever the page was: gifts, categories, stock, languages and a programme's clock all show in the catalogue.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if request.path_info.startswith(OFFICE) and request.method not in _SAFE:
            time.sleep(settings.CATALOGUE_LEASE_SECONDS)
        return response
