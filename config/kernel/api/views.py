"""The base of every endpoint: a DRF view for the schema, a few plain calls for speed."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar

from django.conf import settings
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.utils.module_loading import import_string
from django.views.generic import TemplateView
from rest_framework.views import APIView

from config.kernel.api.negotiation import negotiate
from config.kernel.api.problems import STATUS, problem_response
from config.kernel.api.requests import ApiRequest
from config.kernel.api.throttle import count_call
from config.kernel.errors import InsufficientScope, InvalidToken, MethodNotAllowed, NotFound, RistourneError

_METHODS = {"GET": "get", "HEAD": "head", "POST": "post", "PUT": "put", "PATCH": "patch", "DELETE": "delete"}


class ApiView(APIView):
    """Bearer token, throttle, scope, one handler, problem+json.

    Handlers get Django's own request with `request.auth` (the caller: client, programme, scopes) and return
    any HttpResponse, usually `json_response(...)`. `required_scopes` names the scopes of each method; a
    method without an entry is a mistake that stops the start. A view without `authentication_classes` is
    public. `media_types` are what it can answer with, the first by default; the chosen one is
    `request.media_type`.
    """

    required_scopes: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    media_types: ClassVar[tuple[str, ...]] = ("application/json",)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        # One instance serves all requests: authentication keeps no state of a request.
        cls._authenticators = tuple(authentication() for authentication in cls.authentication_classes)
        if cls._authenticators:
            handled = {name for name in _METHODS if name != "HEAD" and hasattr(cls, _METHODS[name])}
            if missing := handled - set(cls.required_scopes):
                raise TypeError(f"{cls.__name__}.required_scopes says nothing of {sorted(missing)}")

    _authenticators: ClassVar[tuple[Any, ...]] = ()

    def dispatch(self, request: ApiRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:  # type: ignore[override]
        """Answer one request; every exception becomes a problem document."""
        if request.method == "OPTIONS":
            return self.options(request)
        allowance = None
        try:
            handler = self._handler(request)
            request.media_type = negotiate(request.META.get("HTTP_ACCEPT"), self.media_types)
            if self._authenticators:
                caller = self._authenticate(request)
                allowance = count_call(caller.client_id)
                allowance.check()
                self._check_scopes(request.method, caller.scopes)
            response = handler(request, *args, **kwargs)
        except Exception as exception:
            response = problem_response(exception, request)
        if allowance is not None:
            allowance.write_to(response)
        return response

    def options(self, request: ApiRequest, *args: Any, **kwargs: Any) -> HttpResponse:  # type: ignore[override]
        """The allowed methods; needs no token."""
        return HttpResponse(status=204, headers={"Allow": ", ".join(self.allowed_methods)})

    def _handler(self, request: ApiRequest) -> Callable[..., HttpResponseBase]:
        handler = getattr(self, _METHODS.get(request.method or "", ""), None)
        if handler is None:
            raise MethodNotAllowed(self.allowed_methods)
        return handler

    def _authenticate(self, request: ApiRequest) -> Any:
        for authenticator in self._authenticators:
            result = authenticator.authenticate(request)
            if result is not None:
                request.user, request.auth = result
                return request.auth
        raise InvalidToken

    def _check_scopes(self, method: str | None, scopes: frozenset[str]) -> None:
        required = self.required_scopes["GET" if method == "HEAD" else method or ""]
        if not scopes.issuperset(required):
            raise InsufficientScope(required)


class MemberApiView(ApiView):
    """What a member reads for herself: `request.auth.session` is hers, no scope is asked for."""

    authentication_classes = [import_string(settings.MEMBER_AUTHENTICATION)]
    security = ("member",)
    required_scopes: ClassVar[Mapping[str, tuple[str, ...]]] = {"GET": ()}


class UnknownPath(ApiView):
    """Everything under /api/ that is no endpoint: not found, whatever the method."""

    authentication_classes = []
    schema = None

    def dispatch(self, request: ApiRequest, *args: Any, **kwargs: Any) -> HttpResponse:  # type: ignore[override]
        return problem_response(NotFound(), request)


class ProblemsPage(TemplateView):
    """Where the `type` of a problem document leads: what each code means, from the errors themselves."""

    template_name = "api/problems.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        # The kernel's own meaning of a code comes first; templates get values, because they call classes.
        known = {kind.code: kind for kind in reversed(list(_kinds(RistourneError)))}
        problems = [
            {"code": code, "title": kind.title, "status": STATUS[kind.family], "retryable": kind.retryable}
            for code, kind in sorted(known.items())
        ]
        return super().get_context_data(problems=problems, **kwargs)


def _kinds(parent: type[RistourneError]) -> Iterator[type[RistourneError]]:
    for kind in parent.__subclasses__():
        if "code" in vars(kind):
            yield kind
        yield from _kinds(kind)
