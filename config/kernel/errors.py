"""One root for every refusal.

The domain names a failure (`code`) and its `family`; what status a family gets is the API's business
(`config.kernel.api.problems`). Errors of an app live in `<app>/errors.py`.
"""

from collections.abc import Mapping, Sequence
from enum import Enum, auto
from typing import ClassVar, NamedTuple


class Family(Enum):
    """What kind of failure it is, whatever carries the answer."""

    MALFORMED = auto()
    UNAUTHENTICATED = auto()
    FORBIDDEN = auto()
    NOT_FOUND = auto()
    METHOD_NOT_ALLOWED = auto()
    NOT_ACCEPTABLE = auto()
    CONFLICT = auto()
    TOO_LARGE = auto()
    UNSUPPORTED_MEDIA_TYPE = auto()
    UNPROCESSABLE = auto()
    THROTTLED = auto()
    INTERNAL = auto()
    UNAVAILABLE = auto()


class FieldError(NamedTuple):
    """What is wrong with one field: a JSON pointer (RFC 6901), a stable word and a sentence."""

    pointer: str
    code: str
    detail: str


class RistourneError(Exception):
    """The root.

    `members` are extra members of the problem document, e.g. `required=100, available=40`.
    """

    code: ClassVar[str]
    family: ClassVar[Family]
    title: ClassVar[str]
    retryable: ClassVar[bool] = False

    def __init__(
        self,
        detail: str = "",
        *,
        errors: Sequence[FieldError] = (),
        headers: Mapping[str, str] | None = None,
        **members: object,
    ) -> None:
        super().__init__(detail or self.title)
        self.detail = detail or self.title
        self.errors = tuple(errors)
        self.headers = dict(headers or {})
        self.members = members


class MalformedRequest(RistourneError):
    """The bytes are not what the media type promises."""

    code = "malformed_request"
    family = Family.MALFORMED
    title = "The request is malformed."


class InvalidToken(RistourneError):
    """No token, or one that is unknown, expired or revoked (RFC 6750, section 3.1)."""

    code = "invalid_token"
    family = Family.UNAUTHENTICATED
    title = "A valid access token is required."

    def __init__(self, detail: str = "", *, challenge: str = 'Bearer realm="api"') -> None:
        super().__init__(detail, headers={"WWW-Authenticate": challenge})


class InsufficientScope(RistourneError):
    """The token does not carry the scopes of the operation (RFC 6750, section 3.1)."""

    code = "insufficient_scope"
    family = Family.FORBIDDEN
    title = "The access token lacks a required scope."

    def __init__(self, required: Sequence[str]) -> None:
        scope = " ".join(required)
        challenge = f'Bearer realm="api", error="insufficient_scope", scope="{scope}"'
        super().__init__(
            f"This call needs the scope {scope}.",
            headers={"WWW-Authenticate": challenge},
            required_scopes=list(required),
        )


class NotFound(RistourneError):
    """Unknown or of another programme: nobody can tell which, so the text never varies."""

    code = "not_found"
    family = Family.NOT_FOUND
    title = "There is no such object."

    def __init__(self) -> None:
        super().__init__()


class MethodNotAllowed(RistourneError):
    code = "method_not_allowed"
    family = Family.METHOD_NOT_ALLOWED
    title = "This method is not allowed here."

    def __init__(self, allowed: Sequence[str]) -> None:
        super().__init__(headers={"Allow": ", ".join(allowed)})


class NotAcceptable(RistourneError):
    code = "not_acceptable"
    family = Family.NOT_ACCEPTABLE
    title = "None of the accepted media types can be produced."


class UnsupportedMediaType(RistourneError):
    code = "unsupported_media_type"
    family = Family.UNSUPPORTED_MEDIA_TYPE
    title = "The body must be application/json in UTF-8."


class PayloadTooLarge(RistourneError):
    code = "payload_too_large"
    family = Family.TOO_LARGE
    title = "The body is larger than 1 MiB."


class ValidationFailed(RistourneError):
    """The body is well-formed and says something that cannot be; `errors` point at it."""

    code = "validation_error"
    family = Family.UNPROCESSABLE
    title = "The request is not valid."

    @classmethod
    def at(cls, pointer: str, code: str, detail: str) -> "ValidationFailed":
        """One wrong field: `ValidationFailed.at("/email", "invalid", "Not an e-mail address.")`."""
        return cls(errors=[FieldError(pointer, code, detail)])


class PictureRefused(RistourneError):
    """An upload that is no picture we can show, whatever its name says."""

    code = "picture_refused"
    family = Family.UNPROCESSABLE
    title = "This picture cannot be used"


class RateLimited(RistourneError):
    code = "rate_limited"
    family = Family.THROTTLED
    title = "Too many requests."
    retryable = True

    def __init__(self, retry_after: int) -> None:
        super().__init__(headers={"Retry-After": str(retry_after)})


class InternalError(RistourneError):
    """Something nobody foresaw; its cause is in the log under the request id, never in the answer."""

    code = "internal_error"
    family = Family.INTERNAL
    title = "Something went wrong on our side."
    retryable = True


class TemporarilyUnavailable(RistourneError):
    """The database is busy, locked, read-only or away; the same call may succeed soon."""

    code = "temporarily_unavailable"
    family = Family.UNAVAILABLE
    title = "The service is temporarily unavailable."
    retryable = True

    def __init__(self, retry_after: int = 1) -> None:
        super().__init__(headers={"Retry-After": str(retry_after)})
