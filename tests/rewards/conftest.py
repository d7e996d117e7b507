from pathlib import Path

import pytest
from pytest_django.fixtures import SettingsWrapper

from tests.fixtures import ada, bob, eve, nothing_remembered, programme  # noqa: F401
from tests.loyalty.conftest import club, monday, till  # noqa: F401


@pytest.fixture(autouse=True)
def media_root(tmp_path: Path, settings: SettingsWrapper) -> Path:
    """Pictures of tests are kept apart and die with them."""
    settings.MEDIA_ROOT = tmp_path / "media"
    return settings.MEDIA_ROOT
