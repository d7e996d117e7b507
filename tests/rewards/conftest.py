from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.test import override_settings

from members.models import Programme
from tests.factories import ApiClient, token_of
from tests.fixtures import ada, bob, eve, nothing_remembered, programme  # noqa: F401
from tests.ledger_checks import ledger_holds  # noqa: F401
from tests.loyalty.conftest import club, monday, till  # noqa: F401


@pytest.fixture(autouse=True)
def media_root(tmp_path: Path) -> Iterator[Path]:
    """Pictures of tests are kept apart and die with them."""
    with override_settings(MEDIA_ROOT=tmp_path / "media"):
        yield tmp_path / "media"


@pytest.fixture
def shop(programme: Programme) -> ApiClient:  # noqa: F811
    """Another partner of the programme."""
    client = ApiClient(programme)
    client.use(token_of(client.partner, lives=timedelta(days=3650)))
    return client
