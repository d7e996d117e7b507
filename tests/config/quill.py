"""A person who did everything one can do, and whose every text bears one word: where it stands, there she is."""

from datetime import date, timedelta
from io import BytesIO
from typing import Any

from django.test import Client
from django.urls import reverse
from django.utils import timezone

from config.people import person_erase
from loyalty.models import Adjustment, Event, Tier
from loyalty.services import Write, adjustment_decide, event_decide, tier_grant, tier_rules_set
from members.models import Member, Programme, SignInRequest
from members.services import Speaker, member_update, partner_update, programme_update, sign_in_answer
from rewards.services import MoveCommand, Status, redemption_move
from segments.models import Segment
from segments.services import member_pin, membership_add, segment_create, upload_create
from tests.factories import ApiClient, MemberFactory
from tests.loyalty.worlds import MONDAY, adjust, earn, event, event_type, take_back
from tests.loyalty.worlds import reverse as give_back
from tests.rewards.orders import card, cinema, mug, order, use

WORD = "quill"
NUMBER = "CARD-QUILL-77"
EMAIL = "zephyrine@quill.example"
BORN = date(1987, 3, 14)
SHOP = "https://shop.example/rewards"
FIGURES = ("available", "pending", "held", "debt")


def person(programme: Programme) -> Member:
    """The member, fresh."""
    fields = {"first_name": "Quill", "last_name": "Quillfeather", "email": EMAIL, "birth_date": BORN}
    return MemberFactory(programme=programme, number=NUMBER, **fields)


def erase(member: Member) -> Member:
    return person_erase(member=member, actor="staff:carol", now=timezone.now())


def whole_life(till: ApiClient, desk: Client, member: Member, club: Segment) -> str:
    """Let her live; no order is under way at the end. The code of a voucher that can still be used."""
    programme_update(programme=member.programme, approval_limit=9999)
    _known(desk, till, member)
    _grouped(till, member, club)
    _bought(till, member)
    _happened(till, member)
    return _ordered(till, member)


def _known(desk: Client, till: ApiClient, member: Member) -> None:
    """Profile, consents, sessions, sign-in by e-mail, and lines in the log of the back office."""
    said = {"first_name": "Zephyrine Quill", "attributes": {"pet": WORD}, "metadata": {"crm": WORD}}
    consents = {"quill-news": True}
    member_update(member=member, now=MONDAY, birth_date=date(1987, 3, 15), consents=consents, **said)
    member_update(
        member=member, now=MONDAY, birth_date=BORN, consents={}, speaker=Speaker("staff", "staff:carol")
    )
    member_update(member=member, now=MONDAY, consents=consents)
    partner_update(
        partner=till.partner, name="Till 7", scopes=till.partner.allowed_scopes, return_urls=[SHOP]
    )
    body = {"member": NUMBER, "return_url": f"{SHOP}/quill"}
    assert till.post_json("/api/v1/identifications", body).status_code == 201
    Client().post("/my/choco-club/sign-in", {"email": EMAIL.upper()})
    sign_in_answer(request_id=SignInRequest.objects.get().pk, now=timezone.now())
    desk.post(reverse("member-data-by-staff", args=[member.pk]))


def _grouped(till: ApiClient, member: Member, club: Segment) -> None:
    now, programme = timezone.now(), member.programme
    membership_add(segment=club, member=member, now=now, reason="quill writes")
    dynamic = segment_create(programme=programme, code="rich", name="Rich", kind="dynamic")
    member_pin(segment=dynamic, member=member, reason="quill pays", now=now, source="staff")
    file = BytesIO(f"member,reason\n{NUMBER},of quill\n10042,other\n".encode())
    upload_create(segment=club, file=file, file_name="list.csv", now=now)
    tier_rules_set(programme=programme, period="year", now=now)
    silver = Tier.objects.get(programme=programme, code="SILVER")
    until = now + timedelta(days=90)
    tier_grant(member=member, tier=silver, until=until, reason="quill insists", actor="staff:carol", now=now)


def _bought(till: ApiClient, member: Member) -> None:
    mine: dict[str, Any] = {"member": NUMBER, "metadata": {"cashier": WORD}}
    assert earn(till, "POS-QUILL-1", key="key-quill", **mine).status_code == 201
    assert earn(till, "POS-QUILL-2", **mine).status_code == 201
    lines = [{"line": "1", "quantity": "1"}]
    told = {"reason": "quill was cold", "metadata": {"by": WORD}}
    assert give_back(till, "POS-QUILL-1", "RET-QUILL", lines=lines, **told).status_code == 201
    told["reason"] = "quill complained"
    assert adjust(till, NUMBER, 9000, "CRM-QUILL", **told).status_code == 201
    for reference in ("CRM-QUILL-WAITS", "CRM-QUILL-NO"):
        assert adjust(till, NUMBER, 10000, reference, **told).status_code == 202
    refused = Adjustment.objects.get(reference="CRM-QUILL-NO")
    adjustment_decide(adjustment=refused, approve=False, actor="staff:carol", now=timezone.now())


def _happened(till: ApiClient, member: Member) -> None:
    schema = {"type": "object", "properties": {"text": {"type": "string"}}}
    event_type(member.programme, schema=schema, device_caps={"day": 9})
    event_type(member.programme, "visited", review=True)
    told = {"member": NUMBER, "metadata": {"by": WORD}}
    for reference in ("EVT-QUILL-1", "EVT-QUILL-2"):
        sent = event(till, reference, attributes={"text": "quill wrote"}, device="phone of quill", **told)
        assert sent.status_code == 201, sent.content
    back = take_back(till, "EVT-QUILL-1", "EVT-QUILL-BACK", reason="quill lied", metadata={"by": WORD})
    assert back.status_code == 201
    for reference in ("EVT-QUILL-WAITS", "EVT-QUILL-NO"):
        assert event(till, reference, type="visited", **told).status_code == 202
    refused = Event.objects.get(reference="EVT-QUILL-NO")
    event_decide(
        event=refused, approve=False, actor="staff:carol", reason="quill was away", now=timezone.now()
    )


def _ordered(till: ApiClient, member: Member) -> str:
    """A mug that was delivered, one in reserve, a card used in part, a ticket in reserve from a pool."""
    programme = member.programme
    mug(programme, stock=10)
    card(programme)
    cinema(programme, ["KINO-1"])
    to = {"method": "post", "email": EMAIL, "address": {"name": "Quill", "street": "Quill street 1"}}
    mine: dict[str, Any] = {"member": NUMBER, "metadata": {"note": WORD}}
    assert order(till, "MUG", "W-QUILL-MUG", delivery=to, **mine).status_code == 201
    for to_status in (Status.IN_PREPARATION, Status.IN_DELIVERY, Status.DELIVERED):
        command = MoveCommand("W-QUILL-MUG", to_status, "staff:carol", "quill not in", "TRACK-QUILL")
        redemption_move(write=Write(programme.pk, timezone.now()), command=command)
    assert order(till, "MUG", "W-QUILL-HELD", mode="hold", **mine).status_code == 201
    assert order(till, "CINEMA", "W-QUILL-CINEMA", mode="hold", **mine).status_code == 201
    given = order(till, "CARD", "W-QUILL-CARD", key="key-quill-card", **mine)
    code: str = given.json()["voucher"]["code"]
    assert use(till, code, "USE-1", amount="5.00").status_code == 200
    return code
