"""The OAuth endpoints: tokens for partners, in the words of RFC 6749, 7009 and 7662."""

from typing import Annotated, Any, ClassVar, Literal

import msgspec
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.views import View
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from msgspec import Meta
from oauth2_provider.oauth2_backends import get_oauthlib_core
from oauthlib.common import urlencode
from oauthlib.oauth2 import OAuth2Error
from rest_framework.views import APIView

from config.kernel.api import json_response, problem_response

_FORM = "application/x-www-form-urlencoded"


class TokenForm(msgspec.Struct):
    """Client credentials; `client_id` and `client_secret` only when not sent by HTTP Basic."""

    grant_type: Literal["client_credentials"]
    scope: str = ""
    client_id: str = ""
    client_secret: str = ""


class TokenAnswer(msgspec.Struct):
    """An access token: valid for `expires_in` seconds, for these scopes."""

    access_token: str
    expires_in: int
    token_type: str
    scope: str


class TokenReference(msgspec.Struct):
    """The token in question."""

    token: Annotated[str, Meta(min_length=1)]
    token_type_hint: str = ""


class Introspection(msgspec.Struct, omit_defaults=True):
    """What a token is; of one that is not active nothing else is told."""

    active: bool
    scope: str = ""
    client_id: str = ""
    exp: int = 0
    token_type: str = ""


class OAuthError(msgspec.Struct):
    """A refusal in the words of RFC 6749, section 5.2."""

    error: str
    error_description: str = ""


def _example(form: dict[str, str]) -> OpenApiExample:
    return OpenApiExample("request", value=form, request_only=True)


_REFUSALS = {
    400: OpenApiResponse(
        OAuthError, description="`invalid_request`, `invalid_scope`, `unsupported_grant_type`."
    ),
    401: OpenApiResponse(
        OAuthError, description="`invalid_client`: unknown, wrong secret, or programme closed."
    ),
    503: OpenApiResponse(OAuthError, description="`temporarily_unavailable`: try again after `Retry-After`."),
}


class _OAuthView(APIView):
    """A DRF view for the schema only: requests go straight to Django's dispatch, errors are OAuth's own."""

    authentication_classes = []
    security: ClassVar = ("client",)
    http_method_names = ["post"]

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            response: HttpResponseBase = View.dispatch(self, request, *args, **kwargs)
        except Exception as exception:
            response = _failure(exception, request)
        # RFC 6749, section 5.1.
        response.headers["Cache-Control"] = "no-store"
        response.headers["Pragma"] = "no-cache"
        return response

    def http_method_not_allowed(  # type: ignore[override]
        self, request: HttpRequest, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        return _refusal("invalid_request", "Use POST.", 405, {"Allow": "POST"})


class TokenView(_OAuthView):
    @extend_schema(
        summary="Get an access token",
        tags=["oauth"],
        request={_FORM: TokenForm},
        responses={200: OpenApiResponse(TokenAnswer, description="The token.")} | _REFUSALS,
        examples=[_example({"grant_type": "client_credentials", "scope": "points:earn"})],
    )
    def post(self, request: HttpRequest) -> HttpResponse:
        """Client credentials by HTTP Basic or form (RFC 6749, 4.4). No `scope` = all the partner has."""
        return _ask(request, "create_token_response")


class RevocationView(_OAuthView):
    @extend_schema(
        summary="Revoke an access token",
        tags=["oauth"],
        request={_FORM: TokenReference},
        responses={200: OpenApiResponse(description="Revoked, or never was.")} | _REFUSALS,
        examples=[_example({"token": "kX0oHk5T3mDnV2"})],
    )
    def post(self, request: HttpRequest) -> HttpResponse:
        """Revoke one of the partner's own tokens (RFC 7009); it is refused everywhere within 15 seconds."""
        return _ask(request, "create_revocation_response")


class IntrospectionView(_OAuthView):
    @extend_schema(
        summary="Ask what an access token is",
        tags=["oauth"],
        request={_FORM: TokenReference},
        responses={200: OpenApiResponse(Introspection, description="What it is.")} | _REFUSALS,
        examples=[_example({"token": "kX0oHk5T3mDnV2"})],
    )
    def post(self, request: HttpRequest) -> HttpResponse:
        """What a token of the partner's programme is (RFC 7662); any other is not active."""
        return _ask(request, "create_introspect_response")


def _ask(request: HttpRequest, question: str) -> HttpResponse:
    """Let oauthlib answer. The query is left out: credentials and tokens travel in header and form only."""
    core = get_oauthlib_core()
    form = urlencode(core.extract_body(request))
    try:
        headers, body, status = getattr(core.server, question)(
            request.path, "POST", form, core.extract_headers(request)
        )
    except OAuth2Error as error:
        headers, body, status = error.headers, error.json, error.status_code
    return HttpResponse(body or "", status=status, headers={"Content-Type": "application/json"} | headers)


def _failure(exception: Exception, request: HttpRequest) -> HttpResponse:
    """A form that is none, or a database that is away, in OAuth's words."""
    problem = problem_response(exception, request)
    error = {400: "invalid_request", 413: "invalid_request", 503: "temporarily_unavailable"}
    headers = {"Retry-After": problem.headers["Retry-After"]} if "Retry-After" in problem.headers else {}
    return _refusal(error.get(problem.status_code, "server_error"), "", problem.status_code, headers)


def _refusal(error: str, description: str, status: int, headers: dict[str, str]) -> HttpResponse:
    return json_response(OAuthError(error, description), status, headers)
