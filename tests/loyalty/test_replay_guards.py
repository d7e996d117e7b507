"""What the database itself refuses about replays, by name."""

from datetime import date
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from loyalty.models import Replay
from members.models import Programme
from tests.loyalty.worlds import MONDAY

GUARDS: dict[str, dict[str, Any]] = {
    "replay_days_in_order": {"first_day": date(2026, 11, 24)},
    "replay_done_with_result": {"status": "done", "result": None},
}


@pytest.mark.parametrize("guard", GUARDS)
def test_the_database_refuses(programme: Programme, guard: str) -> None:
    given = {"first_day": date(2026, 11, 23), "last_day": date(2026, 11, 23), "code": "PR-X", "draft": {}}
    sound = Replay.objects.create(programme=programme, asked_by="staff:ada", asked_at=MONDAY, **given)
    with pytest.raises(IntegrityError, match=guard), transaction.atomic():
        Replay.objects.filter(pk=sound.pk).update(**GUARDS[guard])
    sound.refresh_from_db()
    assert (sound.first_day, sound.status) == (date(2026, 11, 23), "queued")
