"""Real connections: rows are committed, and every table is emptied after each test."""

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
import time_machine
from django.db import connection

from loyalty.services import writes
from members.models import Member, Programme
from tests.factories import ApiClient, MemberFactory, ProgrammeFactory, token_of
from tests.fixtures import nothing_remembered  # noqa: F401
from tests.loyalty.worlds import MONDAY, simple_terms
from tests.races.crowd import Gate


@pytest.fixture(autouse=True)
def as_web_role(transactional_db: None) -> Iterator[None]:
    """Connections give up on locks and slow statements as those of the web role do (config/settings.py)."""
    options = connection.settings_dict["OPTIONS"]
    connection.close()
    options["options"] = "-c lock_timeout=2s -c statement_timeout=5s"
    yield
    del options["options"]
    connection.close()


@pytest.fixture(autouse=True)
def monday() -> Iterator[time_machine.Traveller]:
    """The clock stands; waiting for locks takes real time all the same."""
    with time_machine.travel(MONDAY, tick=False) as traveller:
        yield traveller


@pytest.fixture
def programme(transactional_db: None) -> Programme:
    """One point a euro, at once and for ever."""
    programme = ProgrammeFactory(code="choco-club")
    simple_terms(programme)
    return programme


@pytest.fixture
def till(programme: Programme) -> ApiClient:
    client = ApiClient(programme)
    client.use(token_of(client.partner, lives=timedelta(days=3650)))
    return client


@pytest.fixture
def ada(programme: Programme) -> Member:
    return MemberFactory(programme=programme, number="10042")


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """`gate(n)`: the first post of each of n callers waits until all n have gathered and decided."""

    def build(parties: int) -> None:
        monkeypatch.setattr(writes, "send", Gate(parties).send)

    return build
