"""A member who did everything one can do."""

from datetime import timedelta

from loyalty.models import Tier
from loyalty.services import tier_grant, tier_rules_set
from members.models import Member
from members.services import Speaker, member_update
from segments.services import member_pin, segment_create
from tests.factories import ApiClient
from tests.loyalty.worlds import MONDAY, adjust, earn, event, event_type, reverse, take_back
from tests.rewards.orders import POST, card, cinema, mug, order, use
from tests.rewards.test_member_pages import browser_of


def whole_life(till: ApiClient, ada: Member) -> dict[str, str]:
    """Let ada (10042) of choco-club live; returns her vouchers' codes by order."""
    programme = ada.programme
    browser_of(till)
    member_update(
        member=ada,
        now=MONDAY,
        attributes={"shoe": 38},
        metadata={"crm": "A-1"},
        consents={"newsletter": True},
        speaker=Speaker("staff", "staff:carol"),
    )
    _grouped(ada)
    for reference in ("POS-1", "POS-2"):
        assert earn(till, reference).status_code == 201
    assert earn(till, "POS-0", occurred_at="2026-11-20T10:00:00+01:00").status_code == 201, "sent late"
    assert reverse(till, "POS-1", "RET-1", lines=[{"line": "1", "quantity": "1"}]).status_code == 201
    assert adjust(till, "10042", 9000, "CRM-1").status_code == 201
    event_type(programme, device_caps={"day": 9})
    assert event(till, "EVT-1", device="phone").status_code == 201
    assert take_back(till, "EVT-1", "EVT-1-BACK").status_code == 201
    mug(programme)
    card(programme)
    cinema(programme, ["KINO-1"])
    assert order(till, "MUG", "W-MUG", delivery=POST).status_code == 201
    assert order(till, "MUG", "W-HELD", mode="hold").status_code == 201
    codes = {}
    for gift in ("CARD", "CINEMA", "EXPIRES"):
        answer = order(till, "CARD" if gift == "EXPIRES" else gift, f"W-{gift}")
        assert answer.status_code == 201
        codes[f"W-{gift}"] = answer.json()["voucher"]["code"]
    spent = use(till, codes["W-CARD"], "USE-1", amount="5.00")
    assert spent.status_code == 200
    return codes


def _grouped(ada: Member) -> None:
    """Pinned into a segment that criteria fill, and Silver by a grant."""
    segment = segment_create(
        programme=ada.programme, code="big-spenders", name="Big spenders", kind="dynamic"
    )
    member_pin(segment=segment, member=ada, reason="knows the owner", now=MONDAY, source="staff")
    tier_rules_set(programme=ada.programme, period="year", now=MONDAY)
    until = MONDAY + timedelta(days=90)
    silver = Tier.objects.get(programme=ada.programme, code="SILVER")
    tier_grant(member=ada, tier=silver, until=until, reason="apology", actor="staff:carol", now=MONDAY)
