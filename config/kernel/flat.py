"""Flat objects: the attributes, consents and metadata that partners attach, up to 4 KB of plain values."""

from collections.abc import Mapping

import msgspec

from config.kernel.errors import FieldError, ValidationFailed

MAX_FLAT_BYTES = 4096

FlatObject = dict[str, str | int | float | bool | None]
"""The type of such an object in a request body (msgspec)."""


def flat_errors(pointer: str, value: object) -> list[FieldError]:
    """What is wrong with a flat object found at this JSON pointer; nothing if it is one and fits."""
    if not isinstance(value, Mapping):
        return [FieldError(pointer, "wrong_type", "An object.")]
    if any(isinstance(item, (Mapping, list)) for item in value.values()):
        return [FieldError(pointer, "not_flat", "Values are text, numbers, true, false or null.")]
    if len(msgspec.json.encode(value)) > MAX_FLAT_BYTES:
        return [FieldError(pointer, "too_large", f"At most {MAX_FLAT_BYTES} bytes of JSON.")]
    return []


def check_metadata(metadata: object) -> None:
    """ValidationFailed unless the metadata of a write is flat and at most 4 KB."""
    errors = flat_errors("/metadata", metadata)
    if errors:
        raise ValidationFailed(errors=errors)
