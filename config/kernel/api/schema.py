"""The OpenAPI document: operations say what they answer, structs become schemas, scopes become security."""

import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import msgspec
from drf_spectacular.extensions import OpenApiSerializerExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ResolvedComponent
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema

from config.kernel import errors
from config.kernel.api.pagination import DEFAULT_LIMIT, MAX_LIMIT
from config.kernel.api.problems import PROBLEM_MEDIA_TYPE, STATUS
from config.kernel.errors import RistourneError

Decorated = TypeVar("Decorated", bound=Callable[..., Any])

_ALWAYS = (errors.NotAcceptable, errors.InternalError, errors.TemporarilyUnavailable)
_WITH_TOKEN = (errors.InvalidToken, errors.RateLimited)
_WITH_BODY = (
    errors.MalformedRequest,
    errors.PayloadTooLarge,
    errors.UnsupportedMediaType,
    errors.ValidationFailed,
)


PAGE_PARAMETERS = (
    OpenApiParameter(
        "limit",
        {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT},
        description="Items per page.",
    ),
    OpenApiParameter(
        "cursor",
        {"type": "string", "minLength": 1},
        description="The `next_cursor` of the page before.",
    ),
)
"""The parameters of a list that is answered with `paginate`."""
KEY_HEADER = OpenApiParameter(
    "Idempotency-Key", str, OpenApiParameter.HEADER, required=True, description="1-255 printable ASCII."
)
REPLAYED_HEADER = OpenApiParameter(
    "Idempotent-Replayed",
    str,
    OpenApiParameter.HEADER,
    response=[200, 201],
    description="`true` on a repetition of the first answer.",
)
LOCATION_HEADER = OpenApiParameter(
    "Location",
    str,
    OpenApiParameter.HEADER,
    response=[202],
    description="Where to see what became of it.",
)


class ProblemField(msgspec.Struct):
    """One field that is wrong: its JSON pointer, a stable word, a sentence."""

    pointer: str
    code: str
    detail: str


class Problem(msgspec.Struct):
    """A failure (RFC 9457). `code` is a stable word, `instance` the request id; some codes add members."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    code: str
    retryable: bool
    errors: list[ProblemField] = []


class OperationSchema(AutoSchema):
    """Security from `required_scopes`: the scopes of each operation, or nothing for public ones."""

    def get_auth(self) -> list[dict[str, list[str]]]:
        if security := getattr(self.view, "security", None):
            return [{name: []} for name in security]
        if not self.view.authentication_classes:
            return [{}]
        required_scopes: Mapping[str, tuple[str, ...]] = getattr(self.view, "required_scopes", {})
        return [{"oauth2": list(required_scopes[self.method])}]

    def get_operation_id(self) -> str:
        """Method and path: stable, unique, and told apart for one row and for lists."""
        path = self.path.removeprefix("/api/v1/").strip("/")
        return f"{self.method.lower()}_" + re.sub(r"[^a-z0-9]+", "_", path.lower()).strip("_")

    def _get_request_body(self, direction: str = "request") -> dict[str, Any] | None:
        body: dict[str, Any] | None = super()._get_request_body(direction)
        return body and body | {"required": True}

    def get_override_parameters(self) -> list[Any]:
        return [_response_header("X-Request-Id", "The id of this request, also in our logs.")]


class StructExtension(OpenApiSerializerExtension):
    """msgspec structs as components, so that bodies are described by the types that check them."""

    target_class = msgspec.Struct
    match_subclasses = True

    def get_name(self, auto_schema: AutoSchema, direction: str) -> str:
        return str(self.target.__name__)

    def map_serializer(self, auto_schema: AutoSchema, direction: str) -> dict[str, Any]:
        (schema,), components = msgspec.json.schema_components(
            [self.target], ref_template="#/components/schemas/{name}"
        )
        own = components.pop(self.target.__name__, schema)
        nested = _structs_in(msgspec.inspect.type_info(self.target), {})
        for name, component in components.items():
            auto_schema.registry.register_on_missing(
                ResolvedComponent(
                    name=name, type=ResolvedComponent.SCHEMA, object=nested.get(name, name), schema=component
                )
            )
        return dict(own)


def _structs_in(node: object, found: dict[str, type]) -> dict[str, type]:
    """The structs a type is made of, by name: two of one name in the document are a mistake worth a warning."""
    if isinstance(node, tuple):
        for item in node:
            _structs_in(item, found)
    elif isinstance(node, msgspec.inspect.StructType):
        if node.cls.__name__ not in found:
            found[node.cls.__name__] = node.cls
            _structs_in(node.fields, found)
    elif isinstance(node, (msgspec.inspect.Type, msgspec.inspect.Field)):
        _structs_in(tuple(getattr(node, name) for name in node.__struct_fields__), found)
    return found


def operation(
    *,
    summary: str,
    answers: Mapping[int, tuple[Any, str] | str],
    body: Any = None,
    failures: Sequence[type[RistourneError]] = (),
    parameters: Sequence[OpenApiParameter] = (),
    example: object = None,
    answer_examples: Mapping[int, object] | None = None,
    is_public: bool = False,
    is_scoped: bool = True,
    tags: Sequence[str] | None = None,
) -> Callable[[Decorated], Decorated]:
    """Describe a handler completely: `answers` maps a status to (struct, meaning) or, without body, meaning.

    `failures` are the errors of the operation itself; what every call can answer is added. `example` is a
    request body that runs, `answer_examples` the answer by status.
    A call without `is_scoped` needs a token but no scope: a member's own.
    """
    common = [*_ALWAYS, *(() if is_public else _WITH_TOKEN), *(_WITH_BODY if body is not None else ())]
    if is_scoped and not is_public:
        common.append(errors.InsufficientScope)
    return extend_schema(
        summary=summary,
        request=body,
        responses=_answers(answers) | _failures([*common, *failures]),
        parameters=list(parameters) if is_public else [*parameters, *_RATE_HEADERS],
        examples=_examples(example, answer_examples or {}),
        tags=list(tags) if tags else None,
    )


def _answers(answers: Mapping[int, tuple[Any, str] | str]) -> dict[Any, Any]:
    return {
        status: OpenApiResponse(description=answer)
        if isinstance(answer, str)
        else OpenApiResponse(answer[0], description=answer[1])
        for status, answer in answers.items()
    }


def _failures(kinds: Sequence[type[RistourneError]]) -> dict[Any, Any]:
    by_status: dict[int, dict[str, str]] = defaultdict(dict)
    for kind in kinds:
        by_status[STATUS[kind.family]][kind.code] = kind.title
    return {
        (status, PROBLEM_MEDIA_TYPE): OpenApiResponse(
            Problem, description="; ".join(f"`{code}`: {title}" for code, title in codes.items())
        )
        for status, codes in sorted(by_status.items())
    }


def _examples(body: object, answers: Mapping[int, object]) -> list[OpenApiExample]:
    examples = [OpenApiExample("request", value=body, request_only=True)] if body is not None else []
    return examples + [
        OpenApiExample(f"answer {status}", value=value, response_only=True, status_codes=[str(status)])
        for status, value in answers.items()
    ]


def _response_header(name: str, meaning: str) -> OpenApiParameter:
    return OpenApiParameter(name, str, OpenApiParameter.HEADER, description=meaning, response=True)


_RATE_HEADERS = (
    _response_header("RateLimit", 'What is left: `"client";r=<calls>;t=<seconds>`.'),
    _response_header("RateLimit-Policy", 'The limit: `"client";q=<calls>;w=<seconds>`.'),
)
