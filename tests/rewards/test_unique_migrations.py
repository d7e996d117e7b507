"""A migration that adds a unique index meets duplicates: it stops, lists them and changes nothing."""

from uuid import uuid4

import pytest
from django.db import connection, migrations
from django.db.migrations.state import ProjectState

from config.kernel.migrations import DuplicatesFound, duplicates_refused
from members.models import Programme
from rewards.models import Redemption
from segments.models import Segment
from tests.factories import ApiClient
from tests.loyalty.worlds import adjust
from tests.rewards.orders import mug, order

pytestmark = pytest.mark.django_db

COLUMNS = ("programme_id", "reference")


class AddsUnique(migrations.Migration):
    operations = [
        duplicates_refused("rewards_redemption", *COLUMNS),
        migrations.RunSQL("CREATE UNIQUE INDEX added_later ON rewards_redemption (programme_id, reference)"),
    ]


def migrate() -> None:
    with connection.schema_editor(atomic=False) as editor:
        AddsUnique("added_later", "rewards").apply(ProjectState(), editor)


def has_index() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_class WHERE relname = 'added_later'")
        return cursor.fetchone() is not None


@pytest.fixture
def ordered(till: ApiClient, club: Segment, programme: Programme) -> None:
    mug(programme)
    adjust(till, "10042", 2000)
    for reference in ("W-1", "W-2", "W-3"):
        assert order(till, reference=reference).status_code == 201
    constraints_checked()


def constraints_checked() -> None:
    """Tables with checks that wait for the commit cannot be altered."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


@pytest.mark.usefixtures("ordered")
def test_without_duplicates_it_runs() -> None:
    migrate()
    assert has_index()


@pytest.mark.usefixtures("ordered")
def test_case_12_duplicates_are_listed_and_nothing_is_changed(programme: Programme) -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE rewards_redemption DROP CONSTRAINT redemption_reference_unique")
    for reference in ("W-1", "W-1", "W-3"):
        row = Redemption.objects.filter(reference=reference).first()
        assert row
        row.pk = uuid4()
        row.save(force_insert=True)
    constraints_checked()
    before = sorted(map(str, Redemption.objects.values_list()))
    with pytest.raises(DuplicatesFound) as refusal:
        migrate()
    assert str(refusal.value).splitlines() == [
        "rewards_redemption (programme_id, reference) is not unique:",
        f"3 rows of {programme.pk}, W-1",
        f"2 rows of {programme.pk}, W-3",
    ]
    assert not has_index()
    assert sorted(map(str, Redemption.objects.values_list())) == before
