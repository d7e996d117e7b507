"""Colours, and whether people can read one on another."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from config.kernel.colours import BLACK, WHITE, contrast, mixed, readable, text_on

COLOURS = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}")


@pytest.mark.parametrize(
    ("one", "other", "ratio"),
    [
        (BLACK, WHITE, 21),
        ("#777777", WHITE, 4.48),
        ("#ff0000", WHITE, 4.0),
        ("#0000ff", WHITE, 8.59),
        ("#abcdef", "#abcdef", 1),
    ],
)
def test_contrast(one: str, other: str, ratio: float) -> None:
    assert contrast(one, other) == contrast(other, one) == pytest.approx(ratio, abs=0.01)


@given(COLOURS)
@example("#777777")
@example("#757575")
def test_one_of_black_and_white_can_always_be_read(colour: str) -> None:
    assert contrast(text_on(colour), colour) >= 4.5


@given(COLOURS, COLOURS, st.sampled_from([BLACK, WHITE]))
def test_a_readable_shade(colour: str, paper: str, towards: str) -> None:
    shade = readable(colour, [paper], towards)
    assert contrast(shade, paper) >= 4.5 or shade == towards
    if contrast(colour, paper) >= 4.5:
        assert shade == colour


def test_mixed() -> None:
    assert mixed("#000000", "#ffffff", 0.5) == "#808080"
    assert mixed("#123456", "#ffffff", 0) == "#123456"
