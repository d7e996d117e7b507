from collections.abc import Iterator
from datetime import timedelta

import pytest
import time_machine

from members.models import Member, Programme
from segments.models import Segment
from tests.factories import ApiClient, token_of
from tests.fixtures import ada, bob, eve, nothing_remembered, programme  # noqa: F401
from tests.ledger_checks import ledger_holds  # noqa: F401
from tests.loyalty.desks import desk, root, second, stranger  # noqa: F401
from tests.loyalty.worlds import MONDAY, choco_club, silver_vip


@pytest.fixture
def monday() -> Iterator[time_machine.Traveller]:
    """The clock stands at the moment of the worked example."""
    with time_machine.travel(MONDAY, tick=False) as traveller:
        yield traveller


@pytest.fixture
def till(programme: Programme) -> ApiClient:  # noqa: F811
    """A partner of the programme, with every scope and a token that outlives the clock's travels."""
    client = ApiClient(programme)
    client.use(token_of(client.partner, lives=timedelta(days=3650)))
    return client


@pytest.fixture
def club(monday: time_machine.Traveller, programme: Programme, ada: Member) -> Segment:  # noqa: F811
    """choco-club with ada (10042), Silver and in vip-bxl."""
    segment = choco_club(programme)
    silver_vip(ada, segment)
    return segment
