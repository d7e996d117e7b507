"""What becomes of the rows of a person who is erased: each app says it of its own tables."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from django.db.models import CharField, Func, Model, UUIDField, Value
from django.db.models.functions import Cast, Concat, Replace

Forgotten = Mapping[type[Model], Mapping[str, Any]]
"""By table, the columns that lose what they say, with what stands there afterwards."""

_RANDOM = Cast(Func(function="gen_random_uuid", output_field=UUIDField()), CharField())
OPAQUE = Concat(Value("erased-"), Replace(_RANDOM, Value("-"), Value("")))
"""Takes the place of a number or reference: a code that nobody can guess, another one in every row."""
NO_HASH = bytes(32)
NO_SALT = bytes(16)


class Fate(NamedTuple):
    """What is held of a person and how many rows of it; what of it goes; what stays, and why ("" = nothing)."""

    name: str
    rows: int
    goes: str
    stays: str = ""
