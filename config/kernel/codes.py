"""Codes and numbers that partners choose: 1-64 characters of `A-Z a-z 0-9 . _ : ~ -`, no leading dot."""

import re
from typing import Annotated

from django.core.validators import RegexValidator
from django.urls import register_converter
from msgspec import Meta

CODE_MAX_LENGTH = 64
# "$" alone lets a trailing newline pass in Python; "\Z" is unknown to the regular expressions of OpenAPI.
CODE_PATTERN = r"^(?!\.)[A-Za-z0-9._:~-]{1,64}$(?!\n)"

_code = re.compile(CODE_PATTERN)

Code = Annotated[str, Meta(pattern=CODE_PATTERN, max_length=CODE_MAX_LENGTH)]
"""The type of a code in a request body (msgspec)."""

CODE_PATH_SCHEMA = {"type": "string", "pattern": CODE_PATTERN, "maxLength": CODE_MAX_LENGTH}
"""A code in a path, for the OpenAPI document."""

code_validator = RegexValidator(
    _code, "1-64 characters of A-Z a-z 0-9 . _ : ~ -, not starting with a dot.", code="invalid_code"
)


def is_code(text: str) -> bool:
    """Whether a partner may use this text as a code or number."""
    return _code.match(text) is not None


class CodeConverter:
    """The path converter `<code:...>`: any other text is not found, `../` included."""

    regex = r"(?!\.)[A-Za-z0-9._:~-]{1,64}"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


register_converter(CodeConverter, "code")
