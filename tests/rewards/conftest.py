from collections.abc import Iterator
from pathlib import Path

import pytest
from django.test import override_settings

from tests.fixtures import ada, bob, eve, nothing_remembered, programme  # noqa: F401
from tests.loyalty.conftest import club, monday, till  # noqa: F401


@pytest.fixture(autouse=True)
def media_root(tmp_path: Path) -> Iterator[Path]:
    """Pictures of tests are kept apart and die with them."""
    with override_settings(MEDIA_ROOT=tmp_path / "media"):
        yield tmp_path / "media"
