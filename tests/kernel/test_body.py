"""What the words of msgspec become."""

import msgspec
import pytest

from config.kernel.api import convert
from config.kernel.codes import CODE_PATTERN, Code, is_code
from config.kernel.errors import ValidationFailed


class Line(msgspec.Struct, forbid_unknown_fields=True):
    line: Code
    amount: str


class Basket(msgspec.Struct, forbid_unknown_fields=True):
    lines: list[Line]
    metadata: dict[str, str | int] = {}


def test_it_works() -> None:
    assert convert({"lines": [{"line": "1", "amount": "2"}]}, Basket) == Basket([Line("1", "2")])


@pytest.mark.parametrize(
    ("value", "pointer", "code"),
    [
        ({}, "/lines", "missing"),
        ({"lines": [{"line": "1"}]}, "/lines/0/amount", "missing"),
        (
            {"lines": [{"line": "1", "amount": "2"}, {"line": "2", "amount": 2}]},
            "/lines/1/amount",
            "wrong_type",
        ),
        ({"lines": [{"line": "1", "amount": "2", "a/b~c": 1}]}, "/lines/0/a~1b~0c", "unknown_field"),
        ({"lines": [{"line": "..", "amount": "2"}]}, "/lines/0/line", "invalid"),
        ({"lines": [], "metadata": {"a": []}}, "/metadata", "wrong_type"),
        ([], "", "wrong_type"),
        (None, "", "wrong_type"),
    ],
)
def test_pointers(value: object, pointer: str, code: str) -> None:
    with pytest.raises(ValidationFailed) as caught:
        convert(value, Basket)
    assert [(error.pointer, error.code) for error in caught.value.errors] == [(pointer, code)]


@pytest.mark.parametrize("text", ["a", "POS-77-000123", "SURVEY-7:10042", "~_-.", "1", "a" * 64])
def test_codes(text: str) -> None:
    assert is_code(text)


@pytest.mark.parametrize("text", ["", ".a", "..", "a/b", "a b", "a\n", "é", "a" * 65, "a\x00", "a%2F", "１"])
def test_no_codes(text: str) -> None:
    assert not is_code(text)
    assert CODE_PATTERN.startswith("^")
