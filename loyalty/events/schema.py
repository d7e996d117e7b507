"""Attributes of events: the JSON Schema (draft 2020-12) a type may ask for, bounded so that no schema and no
event is slow to check.

Only keywords of the list below are taken: no references (so nothing is fetched and nothing recurses) and no
patterns as property names. A `pattern` has no groups and alternatives, and the ways in which it could match are
counted: it cannot backtrack for long.
"""

import json
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from itertools import islice
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import SchemaError
from jsonschema.exceptions import ValidationError as Mismatch

from config.kernel.errors import FieldError

Schema = dict[str, Any]

MAX_SCHEMA_BYTES = 8192
MAX_ATTRIBUTES_BYTES = 4096
MAX_DEPTH = 8
MAX_ERRORS = 20
MAX_PATTERN = 200
MAX_WAYS = 100_000
"""Ways in which a pattern could match that are tried at most: a fraction of a second in the worst case."""

FORMATS = ("date", "email", "uuid")
_PLAIN = {
    "$comment", "$schema", "const", "default", "description", "enum", "examples", "exclusiveMaximum",
    "exclusiveMinimum", "format", "maxItems", "maxLength", "maxProperties", "maximum", "minItems", "minLength",
    "minProperties", "minimum", "multipleOf", "pattern", "required", "title", "type",
}  # fmt: skip
_ONE, _LIST, _NAMED = {"additionalProperties", "items", "not"}, {"allOf", "anyOf", "oneOf"}, {"properties"}
_formats = FormatChecker(FORMATS)

_ATOM = r"(?:\\[dDwWsS]|\\[^A-Za-z0-9]|\[\^?(?:\\.|[^\]\\\[])+\]|[^\\\[\](){}*+?|^$])"
_PIECE = re.compile(rf"{_ATOM}(\?|\*|\+|\{{\d{{1,4}}(?:,\d{{0,4}})?\}})?")


def schema_errors(schema: object, pointer: str) -> list[FieldError]:
    """What is wrong with a schema found at this pointer; nothing if events may be checked with it."""
    if not isinstance(schema, dict):
        return [FieldError(pointer, "wrong_type", "A JSON Schema is an object.")]
    if len(json.dumps(schema).encode()) > MAX_SCHEMA_BYTES:
        return [FieldError(pointer, "too_large", f"At most {MAX_SCHEMA_BYTES} bytes of JSON.")]
    errors = list(_bounds(schema, pointer, 1))
    if not errors:
        try:
            Draft202012Validator.check_schema(schema)
        except SchemaError as error:
            where = "".join(f"/{step}" for step in error.absolute_path)
            errors = [FieldError(pointer + where, "invalid_schema", f"Not valid here: {error.message[:150]}")]
    if not errors and schema.get("type") != "object":
        errors = [
            FieldError(f"{pointer}/type", "not_an_object", 'Attributes are an object: "type": "object".')
        ]
    return errors


def _bounds(schema: object, pointer: str, depth: int) -> Iterator[FieldError]:
    """Keywords that are not taken, in the schema and all schemas inside it."""
    if isinstance(schema, bool):
        return
    if not isinstance(schema, Mapping):
        yield FieldError(pointer, "wrong_type", "A JSON Schema is an object.")
        return
    if depth > MAX_DEPTH:
        yield FieldError(pointer, "too_deep", f"Schemas nest at most {MAX_DEPTH} deep.")
        return
    for keyword, value in schema.items():
        where = f"{pointer}/{keyword}"
        if (inner := _inner(keyword, value)) is not None:
            for step, item in inner.items():
                yield from _bounds(item, f"{where}{step}", depth + 1)
        elif keyword not in _PLAIN:
            yield FieldError(where, "unsupported_keyword", f"{keyword} is not supported here.")
        else:
            yield from _word_bounds(keyword, value, where)


def _inner(keyword: str, value: Any) -> dict[str, Any] | None:
    """The schemas that a keyword holds, by the rest of their pointer; None if it holds none."""
    if keyword in _ONE:
        return {"": value}
    if keyword in _LIST and isinstance(value, list):
        return {f"/{index}": item for index, item in enumerate(value)}
    if keyword in _NAMED and isinstance(value, Mapping):
        return {f"/{name}": item for name, item in value.items()}
    return None


def _word_bounds(keyword: str, value: object, where: str) -> Iterator[FieldError]:
    if keyword == "pattern" and not is_quick_pattern(str(value)):
        text = "A short pattern without groups and alternatives, and with few repetitions."
        yield FieldError(where, "unsafe_pattern", text)
    if keyword == "format" and value not in FORMATS:
        yield FieldError(where, "unsupported_format", f"One of {', '.join(FORMATS)}.")


def is_quick_pattern(pattern: str) -> bool:
    """Whether a pattern is plain enough to be matched against any attribute in no time.

    Each repetition multiplies the ways to match by how far it may vary, and so does a start anywhere.
    """
    if len(pattern) > MAX_PATTERN:
        return False
    ways = 1 if pattern.startswith("^") else MAX_ATTRIBUTES_BYTES
    rest = pattern.removeprefix("^")
    rest = rest[:-1] if rest.endswith("$") and not rest.endswith("\\$") else rest
    position = 0
    while position < len(rest):
        piece = _PIECE.match(rest, position)
        if piece is None:
            return False
        ways *= _variety(piece[1] or "")
        position = piece.end()
    try:
        re.compile(pattern)
    except (re.error, OverflowError):
        return False
    return ways <= MAX_WAYS


def _variety(repetition: str) -> int:
    if repetition in ("*", "+"):
        return MAX_ATTRIBUTES_BYTES
    if repetition == "?":
        return 2
    least, comma, most = repetition.strip("{}").partition(",")
    if not comma:
        return 1
    return max(int(most) - int(least) + 1, 1) if most else MAX_ATTRIBUTES_BYTES


def exact(value: Any) -> Any:
    """Plain JSON values with every number that is not whole as a Decimal: no float takes part in checking."""
    return json.loads(json.dumps(value), parse_float=Decimal)


def validator(schema: Schema) -> Draft202012Validator:
    """What checks attributes against a schema that `schema_errors` took."""
    return Draft202012Validator(exact(schema), format_checker=_formats)


def attribute_errors(check: Draft202012Validator, attributes: Any, pointer: str) -> list[FieldError]:
    """What is wrong with the attributes of an event, each at its JSON pointer."""
    try:
        found = list(islice(check.iter_errors(exact(attributes)), MAX_ERRORS))
    except ArithmeticError:
        return [FieldError(pointer, "invalid_number", "A number is beyond what can be checked.")]
    return [_field_error(error, pointer) for error in found]


def _field_error(error: Mismatch, pointer: str) -> FieldError:
    steps = [str(step) for step in error.absolute_path]
    keyword = str(error.validator)
    instance: Any = error.instance
    schema: Any = error.schema
    expected = json.dumps(error.validator_value, default=str)[:100]
    if keyword == "required":
        asked: Any = error.validator_value
        missing = [name for name in asked if name not in instance]
        named = next((name for name in missing if repr(name) in error.message), missing[0])
        return FieldError(_path(pointer, [*steps, named]), "missing", "Required.")
    if keyword == "additionalProperties" and isinstance(instance, Mapping):
        known = schema.get("properties", {})
        unknown = next(name for name in instance if name not in known)
        return FieldError(_path(pointer, [*steps, unknown]), "unknown_field", "Unknown field.")
    return FieldError(_path(pointer, steps), keyword, f"Does not fit {keyword}: {expected}")


def _path(pointer: str, steps: list[str]) -> str:
    return pointer + "".join("/" + step.replace("~", "~0").replace("/", "~1") for step in steps)
