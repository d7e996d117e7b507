"""The database of the tests: see tests/database.py."""

from collections.abc import Iterator

import pytest
from django.conf import settings
from django.db import connection
from pytest_django.plugin import DjangoDbBlocker

from config.kernel.db.base import is_private
from tests import database

RUN = pytest.StashKey[database.Run]()


def pytest_configure(config: pytest.Config) -> None:
    # Hundreds of pages are posted; what a lease is worth has tests of its own.
    settings.CATALOGUE_LEASE_SECONDS = 0
    is_worker = hasattr(config, "workerinput")
    if not is_worker and is_private(connection.settings_dict):
        config.stash[RUN] = database.Run()


def pytest_unconfigure(config: pytest.Config) -> None:
    if run := config.stash.get(RUN, None):
        run.close()


@pytest.fixture(scope="session")
def django_db_setup(
    django_test_environment: None, django_db_blocker: DjangoDbBlocker, worker_id: str
) -> Iterator[None]:
    """Replaces pytest-django's: clone a migrated template instead of migrating in every worker."""
    with django_db_blocker.unblock(), database.worker_database(worker_id), django_db_blocker.block():
        yield
