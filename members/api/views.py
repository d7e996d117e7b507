"""The programme's languages."""

import hashlib
from typing import ClassVar

from django.http import HttpResponse
from django.utils.cache import get_conditional_response
from drf_spectacular.utils import OpenApiParameter

from config.kernel.api import ApiRequest, ApiView, json_response, operation
from members.api.serializers import LanguageList, show_languages
from members.selectors import languages_of, programme_of


class LanguagesView(ApiView):
    required_scopes: ClassVar = {"GET": ("catalogue:read",)}

    @operation(
        summary="The programme's languages",
        answers={200: (LanguageList, "The languages, in the programme's order."), 304: "Not modified."},
        parameters=[
            OpenApiParameter("If-None-Match", str, OpenApiParameter.HEADER, description="The ETag you hold."),
            OpenApiParameter(
                "ETag", str, OpenApiParameter.HEADER, response=[200, 304], description="Of this list."
            ),
        ],
        answer_examples={
            200: {
                "default": "fr",
                "items": [
                    {"code": "fr", "name": "Français", "direction": "ltr", "fallback": None},
                    {
                        "code": "nl-BE",
                        "name": "Nederlands (België)",
                        "direction": "ltr",
                        "fallback": "fr",
                    },
                ],
            }
        },
    )
    def get(self, request: ApiRequest) -> HttpResponse:
        """The languages that texts come in; hold the list by its ETag."""
        response = json_response(show_languages(languages_of(programme_of(request.auth))))
        etag = f'"{hashlib.sha256(response.content).hexdigest()[:32]}"'
        response.headers["ETag"] = etag
        return get_conditional_response(request, etag=etag, response=response) or response
