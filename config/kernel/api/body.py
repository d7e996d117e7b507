"""JSON in: strict about bytes first, then about shape. Whatever the bytes, only refusals of ours come out."""

import json
import math
import re
from typing import Any, NoReturn, TypeVar

import msgspec
from django.conf import settings
from django.http import HttpRequest

from config.kernel.errors import (
    FieldError,
    MalformedRequest,
    PayloadTooLarge,
    UnsupportedMediaType,
    ValidationFailed,
)

MAX_DEPTH = 20
_MAX_INTEGER_DIGITS = 20
_MAX_INTEGER = 2**63

Body = TypeVar("Body")


def read_body(request: HttpRequest, type_: type[Body]) -> tuple[Body, object]:
    """The body as `type_` and as the plain values it was sent as; raises as `read_json` and `convert` do."""
    plain = read_json(request)
    return convert(plain, type_), plain


def read_json(request: HttpRequest) -> object:
    """The body's JSON as plain values.

    Raises UnsupportedMediaType (not application/json in UTF-8), PayloadTooLarge (over 1 MiB),
    MalformedRequest (no JSON, empty, invalid UTF-8, NaN or infinite, an integer beyond 64 bits, a duplicate
    key, a NUL or half a surrogate pair in a string) and ValidationFailed (nested deeper than 20).
    """
    raw = _read_bytes(request)
    if not raw:
        raise MalformedRequest("The body is empty.")
    _check_media_type(request.META.get("CONTENT_TYPE", ""))
    try:
        value = _decoder.decode(raw.decode())
    except RecursionError:
        raise _too_deep() from None
    except (ValueError, UnicodeDecodeError):
        raise MalformedRequest("The body is not valid JSON in UTF-8.") from None
    # Only an escape can spell a NUL or half a pair; only brackets can nest. Most bodies need no second look.
    if raw.count(b"{") + raw.count(b"[") > MAX_DEPTH:
        _check_depth(value, 1)
    if b"\\u" in raw:
        _check_text(value)
    return value


def _check_media_type(content_type: str) -> None:
    if content_type == "application/json":
        return
    media_type, *parameters = (part.strip().lower() for part in content_type.split(";"))
    if media_type != "application/json" or any(
        parameter.startswith("charset=") and parameter[8:].strip('"') not in {"utf-8", "utf8"}
        for parameter in parameters
    ):
        raise UnsupportedMediaType


def _read_bytes(request: HttpRequest) -> bytes:
    limit = settings.API_MAX_BODY_BYTES
    length = request.META.get("CONTENT_LENGTH") or ""
    if length.isdecimal() and int(length[:_MAX_INTEGER_DIGITS]) > limit:
        raise PayloadTooLarge
    try:
        # A chunked body has no length, and Django would read none of it; the server says where it ends.
        is_chunked = not length and request.META.get("wsgi.input_terminated")
        raw: bytes = request.META["wsgi.input"].read(limit + 1) if is_chunked else request.body
    except OSError:
        raise MalformedRequest("The body ended early.") from None
    if len(raw) > limit:
        raise PayloadTooLarge
    return raw


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("duplicate key")
    return found


def _integer(text: str) -> int:
    # The length first: a million digits are slow to turn into a number, and Python refuses some itself.
    if len(text) > _MAX_INTEGER_DIGITS or not -_MAX_INTEGER <= (number := int(text)) < _MAX_INTEGER:
        raise ValueError("integer beyond 64 bits")
    return number


def _float(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("number beyond the range of a double")
    return number


def _constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is not JSON")


_decoder = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=_integer, parse_float=_float, parse_constant=_constant
)


def _check_depth(value: object, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise _too_deep()
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        if isinstance(item, (dict, list)):
            _check_depth(item, depth + 1)


def _check_text(value: object) -> None:
    if isinstance(value, str):
        if "\x00" in value or any("\ud800" <= character <= "\udfff" for character in value):
            raise MalformedRequest("A string holds a character that is no text.")
    elif isinstance(value, (dict, list)):
        for item in value:
            _check_text(item)
        if isinstance(value, dict):
            for item in value.values():
                _check_text(item)


def _too_deep() -> ValidationFailed:
    return ValidationFailed.at("", "too_deep", f"The body is nested deeper than {MAX_DEPTH} levels.")


def convert(value: object, type_: type[Body]) -> Body:
    """`value` as a `msgspec.Struct(forbid_unknown_fields=True)`, without coercion.

    Raises ValidationFailed with the JSON pointer of the first field that does not fit.
    """
    try:
        return msgspec.convert(value, type_)
    except msgspec.ValidationError as error:
        raise ValidationFailed(errors=[_field_error(str(error))]) from None


_path_step = re.compile(r"\.([^.\[]+)|\[(\d+)\]")
_unknown_or_missing = re.compile(r"Object (contains unknown|missing required) field `(.*)`", re.DOTALL)


def _field_error(message: str) -> FieldError:
    text, _, path = message.rpartition(" - at `$")
    if not text:
        text, path = message, ""
    # "[...]" stands for some key of a free-form object: the pointer stops there.
    path = path.removesuffix("`").split("[...]")[0]
    pointer = "".join(f"/{name or index}" for name, index in _path_step.findall(path))
    if field := _unknown_or_missing.search(text):
        pointer += "/" + field[2].replace("~", "~0").replace("/", "~1")
        code = "unknown_field" if field[1].startswith("contains") else "missing"
        return FieldError(pointer, code, "Unknown field." if code == "unknown_field" else "Required.")
    code = "wrong_type" if text.startswith("Expected `") and ", got `" in text else "invalid"
    return FieldError(pointer, code, text.replace("`", ""))
