"""The people of the tests: ada and bob are members, till is their programme's partner, eve another one's.

A conftest imports what it needs. Jobs are run by `run_jobs` of tests/jobs.py.
"""

import pytest
from django.core.cache import cache

from members.models import Member, Programme
from members.selectors import forget_tokens
from rewards.shelf import forget_shelves
from tests.factories import ApiClient, MemberFactory, ProgrammeFactory


@pytest.fixture(autouse=True)
def nothing_remembered() -> None:
    """Tests share a process: what it caches of tokens, calls and catalogues dies with the rows."""
    forget_tokens()
    forget_shelves()
    cache.clear()


@pytest.fixture
def programme(db: None) -> Programme:
    return ProgrammeFactory(code="choco-club")


@pytest.fixture
def till(programme: Programme) -> ApiClient:
    """A partner of the programme, with every scope."""
    return ApiClient(programme)


@pytest.fixture
def eve(db: None) -> ApiClient:
    """A partner of another programme, with every scope."""
    return ApiClient(ProgrammeFactory(code="tea-house"))


@pytest.fixture
def ada(programme: Programme) -> Member:
    return MemberFactory(programme=programme, number="10042", first_name="Ada")


@pytest.fixture
def bob(programme: Programme) -> Member:
    return MemberFactory(programme=programme, number="10043", first_name="Bob")
