"""The demo's tiers: earned by what people bought, on whatever day it is set up."""

from datetime import UTC, datetime

import pytest
import time_machine

from config.demo.club import club_create
from loyalty.selectors import HeldTier, tier_of
from members.models import Member
from tests.ledger_checks import check_ledger

pytestmark = pytest.mark.django_db


def held(now: datetime) -> dict[str, HeldTier]:
    found = {member.number: tier_of(member, now) for member in Member.objects.all()}
    return {number: tier for number, tier in found.items() if tier}


@pytest.mark.parametrize("day", ["2026-11-23", "2027-01-01", "2028-02-29"])
def test_tiers_of_the_demo(day: str) -> None:
    now = datetime.fromisoformat(f"{day}T09:00:00").replace(tzinfo=UTC)
    with time_machine.travel(now, tick=False):
        club_create(now)
        tiers = held(now)
        check_ledger()
    codes = {number: tier.code for number, tier in tiers.items()}
    assert {
        "10042": "SILVER",
        "10031": "SILVER",
        "10015": "GOLD",
        "10007": "",
        "10064": "",
    }.items() <= codes.items()
    assert {number for number, tier in tiers.items() if tier.is_granted} == {"10015"}
    documented = tiers["10042"]
    assert documented.since
    assert documented.until
    assert documented.since < now < documented.until
    assert dict(Member.objects.values_list("number", "tier")) == codes
