"""The person of the tests of erasure; the modules that ask for her bring programme, till, desk and club."""

import pytest
from django.test import Client

from members.models import Member, Programme
from segments.models import Segment
from tests.config.quill import person, whole_life
from tests.factories import ApiClient


@pytest.fixture
def quill(programme: Programme) -> Member:
    return person(programme)


@pytest.fixture
def code(till: ApiClient, desk: Client, quill: Member, club: Segment) -> str:
    """She did everything one can do; the code of her voucher."""
    return whole_life(till, desk, quill, club)
