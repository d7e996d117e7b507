"""The demo's events: members' histories show some, and staff find two in the queue."""

from datetime import UTC, datetime

import pytest

from config.demo.club import club_create
from loyalty.models import Account, Event
from tests.ledger_checks import check_ledger


@pytest.mark.django_db
def test_events_of_the_demo() -> None:
    club_create(datetime.now(UTC))
    statuses = dict(Event.objects.values_list("reference", "status"))
    assert statuses == {
        "SURVEY-1:10015": "posted",
        "SURVEY-1:10031": "posted",
        "SURVEY-2:10031": "limit_reached",
        "SHARE-1:10007": "posted",
        "SHARE-2:10007": "posted",
        "BDAY:10015": "posted",
        "REVIEW-1:10042": "in_review",
        "REVIEW-1:10023": "in_review",
    }
    documented = Account.objects.get(member__number="10042")
    assert (documented.seq, documented.available) == (41, 2510)
    check_ledger()
