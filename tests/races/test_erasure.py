"""A person is erased while others write about them, each on a connection of its own: nothing of them comes back."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from threading import Event, Thread
from typing import Any

import pytest
import time_machine
from django.db import connections, transaction
from django.test import Client
from django.utils import timezone

from loyalty import apply
from loyalty.models import Account
from loyalty.services import account_lock, tier_create, tier_grant, tier_rules_set, tiers_review, writes
from members.models import Member, Programme, SignInRequest
from members.services import identification, partner_update, sign_in_answer
from rewards.models import Redemption
from rewards.services import reservations_lapse
from segments.models import Segment
from segments.services import criteria_save, refresh_request, refresh_run, refreshing, segment_create
from tests.config.quill import EMAIL, NUMBER, SHOP, WORD, erase, person
from tests.factories import ApiClient, SegmentFactory
from tests.loyalty.desks import root  # noqa: F401
from tests.loyalty.worlds import BASKET, adjust, call, earn, event, event_type, reverse
from tests.races.crowd import WITHOUT_VERSIONS, at_once, broken_apply, twin
from tests.races.meanwhile import Meanwhile, check_gone, erased_once_decided, erased_once_read
from tests.rewards.orders import act, mug, order
from tests.rewards.test_member_pages import browser_of
from tests.rewards.test_vouchers import dump

pytestmark = pytest.mark.django_db(transaction=True)
Act = Callable[[ApiClient], Any]
MINE: dict[str, Any] = {"member": NUMBER, "metadata": {"note": WORD}}


@pytest.fixture
def quill(programme: Programme) -> Member:
    return person(programme)


# --- Points -----------------------------------------------------------------------------------------------

POINTS: dict[str, Act] = {
    "earn": lambda till: earn(till, "POS-QUILL", **MINE),
    "batch": lambda till: call(
        till, "/transactions/batch", {"transactions": [{**earn_body(), "reference": "POS-QUILL"}]}
    ),
    "return": lambda till: reverse(till, "POS-QUILL-0", "RET-QUILL", reason=WORD),
    "the first return again": lambda till: reverse(till, "POS-QUILL-1", "RET-QUILL-1"),
    "adjust": lambda till: adjust(till, NUMBER, 50, "ADJ-QUILL", reason=WORD),
    "event": lambda till: event(till, "EVT-QUILL", **MINE),
    "order": lambda till: order(till, "MUG", "W-QUILL", delivery={"method": "email", "email": EMAIL}, **MINE),
    "hold": lambda till: order(till, "MUG", "W-QUILL", mode="hold", **MINE),
    "confirm": lambda till: act(till, "W-QUILL-HELD", "confirm"),
}


def earn_body() -> dict[str, Any]:
    return {**BASKET, **MINE}


@pytest.fixture
def rich(programme: Programme, till: ApiClient, quill: Member) -> None:
    """She has points, a receipt, one that came back, and a mug in reserve."""
    event_type(programme)
    mug(programme, stock=10)
    for reference in ("POS-QUILL-0", "POS-QUILL-1"):
        assert earn(till, reference, **MINE).status_code == 201
    assert reverse(till, "POS-QUILL-1", "RET-QUILL-1").status_code == 201
    assert adjust(till, NUMBER, 1000).status_code == 201
    assert order(till, "MUG", "W-QUILL-HELD", mode="hold", **MINE).status_code == 201


@pytest.mark.usefixtures("rich")
@pytest.mark.parametrize("what", POINTS)
def test_decided_before_and_posted_after(
    till: ApiClient, quill: Member, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    with erased_once_decided(quill, monkeypatch):
        answer = POINTS[what](till)
    if what == "batch":
        assert answer.json()["results"][0]["status"] == 404
    else:
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    check_gone(quill)
    assert set(Redemption.objects.values_list("status", flat=True)) == {"released"}


@pytest.mark.usefixtures("rich")
def test_a_reservation_that_runs_out_meanwhile(quill: Member, monday: time_machine.Traveller) -> None:
    """The job that writes it down, or whoever orders the last piece, goes on without it."""
    monday.shift(timedelta(minutes=16))
    with erased_once_read(quill, "rewards_redemption"):
        assert reservations_lapse(now=timezone.now()) == 0
    check_gone(quill)
    assert set(Redemption.objects.values_list("status", flat=True)) == {"lapsed"}


def test_the_first_receipt_of_all(till: ApiClient, quill: Member, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who has no account yet: the erasure makes it, so that the receipt finds it moved."""
    with erased_once_decided(quill, monkeypatch):
        assert earn(till, "POS-QUILL", **MINE).status_code == 404
    check_gone(quill)


@pytest.mark.usefixtures("rich")
def test_without_versions_the_person_comes_back(
    till: ApiClient, quill: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control of what keeps writers of points out."""
    with broken_apply(*WITHOUT_VERSIONS), erased_once_decided(quill, monkeypatch):
        earn(till, "POS-QUILL", **MINE)
    assert "POS-QUILL" in dump()
    assert Account.objects.get(pk=quill.pk).available + Account.objects.get(pk=quill.pk).pending > 0


def test_staff_are_told_that_others_are_writing(quill: Member, root: Client) -> None:  # noqa: F811
    """The page waits for two seconds, like every page, and says what to do; nothing is erased."""
    locked, may_go = Event(), Event()

    def hold() -> None:
        with transaction.atomic():
            account_lock(member=quill, now=timezone.now())
            locked.set()
            may_go.wait(timeout=30)
        connections.close_all()

    holder = Thread(target=hold)
    holder.start()
    assert locked.wait(timeout=5)
    try:
        page = root.post(f"/admin/members/member/{quill.pk}/erase", {"number": NUMBER})
    finally:
        may_go.set()
        holder.join()
    assert page.status_code == 422
    assert "nothing was erased. Try again." in page.content.decode()
    quill.refresh_from_db()
    assert quill.first_name == "Quill"


@pytest.mark.usefixtures("rich")
def test_a_batch_that_was_overtaken_before(
    till: ApiClient, quill: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It holds the row of its key while it waits for the account, and the erasure does not wait for that row."""
    meanwhile = Meanwhile(quill)
    before = [meanwhile.lock_account, lambda: adjust(till, NUMBER, 5)]

    def send(call: apply.Call) -> None:
        with monkeypatch.context() as free:
            free.setattr(writes, "send", apply.send)
            if before:
                before.pop()()
        apply.send(call)

    monkeypatch.setattr(writes, "send", send)
    answer = POINTS["batch"](till)
    meanwhile.thread.join()
    assert meanwhile.errors == []
    assert answer.json()["results"][0]["status"] == 404
    check_gone(quill)


def test_a_tier_granted_meanwhile(
    programme: Programme, quill: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    silver = tier_create(programme=programme, code="SILVER", name="Silver", rank=1)
    tier_rules_set(programme=programme, period="year", now=timezone.now())
    until = timezone.now() + timedelta(days=9)
    told: dict[str, Any] = {"reason": WORD, "actor": "staff:carol", "now": timezone.now()}
    with erased_once_decided(quill, monkeypatch), pytest.raises(Exception, match="no such object"):
        tier_grant(member=quill, tier=silver, until=until, **told)
    check_gone(quill)


# --- What is known of the member --------------------------------------------------------------------------

VIP = "/api/v1/segments/vip/members"
PROFILE: dict[str, tuple[Act, int]] = {
    "patch": (lambda till: till.patch_json(f"/api/v1/members/{NUMBER}", {"last_name": WORD}), 404),
    "identify": (
        lambda till: till.post_json(
            "/api/v1/identifications", {"member": NUMBER, "return_url": f"{SHOP}/quill"}
        ),
        404,
    ),
    "segment": (lambda till: till.put_json(f"{VIP}/{NUMBER}", {"reason": WORD}), 404),
}


@pytest.fixture
def shop(till: ApiClient, programme: Programme) -> ApiClient:
    partner_update(partner=till.partner, name="Shop", scopes=till.partner.allowed_scopes, return_urls=[SHOP])
    SegmentFactory(programme=programme, code="vip")
    return till


@pytest.mark.parametrize("what", PROFILE)
def test_read_before_and_written_after(shop: ApiClient, quill: Member, what: str) -> None:
    ask, status = PROFILE[what]
    with erased_once_read(quill):
        assert ask(shop).status_code == status
    check_gone(quill)


def test_her_own_page(shop: ApiClient, quill: Member) -> None:
    phone = browser_of(shop, NUMBER)
    with erased_once_read(quill):
        answer = phone.post("/my/profile", {"language": "fr"})
    assert answer.status_code == 404
    assert (
        Client(headers={"cookie": f"member={phone.cookies['member'].value}"}).get("/my/profile").status_code
        == 401
    )
    check_gone(quill)


def test_a_link_by_mail_that_is_being_sent(shop: ApiClient, quill: Member) -> None:
    """The erasure waits for the job, then takes away what it made."""
    Client().post("/my/choco-club/sign-in", {"email": EMAIL})
    asked = SignInRequest.objects.get()
    with erased_once_read(quill):
        assert sign_in_answer(request_id=asked.pk, now=timezone.now()) == 1
    assert not SignInRequest.objects.exists()
    check_gone(quill)


def test_the_number_enrolled_meanwhile_is_somebody_new(shop: ApiClient, quill: Member) -> None:
    with erased_once_read(quill):
        shop.post_json("/api/v1/members", {"member": NUMBER, "first_name": "Bo"})
    erased = Member.objects.get(pk=quill.pk)
    assert (erased.status, erased.first_name) == ("erased", "")
    new = Member.objects.filter(number=NUMBER)
    assert [row.first_name for row in new] in ([], ["Bo"])


def test_a_session_that_nobody_looked_twice_for_would_come_back(
    shop: ApiClient, quill: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control of the lock on the member."""
    monkeypatch.setattr(identification, "member_locked", lambda member: member)
    with erased_once_read(quill):
        PROFILE["identify"][0](shop)
    assert f"{SHOP}/QUILL".upper() in dump()


# --- Groups by criteria -----------------------------------------------------------------------------------


@pytest.fixture
def anybody(programme: Programme) -> Segment:
    """A dynamic segment that everybody who is active enters at the next refresh."""
    segment = segment_create(programme=programme, code="anybody", name="Anybody", kind="dynamic")
    active = {"all": [{"field": "status", "op": "in", "value": ["active"]}]}
    criteria_save(segment=segment, criteria=active, now=timezone.now())
    return segment


def refreshed_while_erased(segment: Segment, quill: Member) -> int:
    """The refresh begins while the erasure is written and not yet committed; memberships she has afterwards."""
    refresh = refresh_request(segment=segment, now=timezone.now())
    runs = Thread(
        target=lambda: (refresh_run(refresh_id=refresh.pk, now=timezone.now()), connections.close_all())
    )
    with transaction.atomic():
        erase(quill)
        runs.start()
        runs.join(timeout=1)
        assert runs.is_alive(), "it waits for the member"
    runs.join()
    return Member.objects.get(pk=quill.pk).memberships.count()


def test_a_refresh_that_saw_her_before(anybody: Segment, quill: Member) -> None:
    assert refreshed_while_erased(anybody, quill) == 0
    check_gone(quill)


def test_a_refresh_that_did_not_look_again_would_put_her_in(
    anybody: Segment, quill: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control: entering without the lock."""
    careless = refreshing._ENTER.replace("FOR KEY SHARE OF m", "").replace("m.status <> 'erased' AND ", "")
    monkeypatch.setattr(refreshing, "_ENTER", careless)
    assert refreshed_while_erased(anybody, quill) == 1


# --- Everybody at once ------------------------------------------------------------------------------------


def status_of(ask: Act, client: ApiClient) -> int:
    status: int = ask(client).status_code
    return status


@pytest.mark.usefixtures("rich")
def test_a_crowd(shop: ApiClient, quill: Member) -> None:
    """Writes of all kinds from ten connections while she is erased on another: no error of ours, nothing left."""
    asks = [*POINTS.values(), *(ask for ask, _ in PROFILE.values())]
    writers = [partial(status_of, ask, twin(shop)) for ask in asks * 3]
    half = len(writers) // 2

    def eraser() -> int:
        while True:
            try:
                erase(quill)
            except Exception as error:
                if getattr(error, "code", "") != "orders_under_way":
                    raise
                # An order came in first: it is cancelled, and she is erased then.
                for row in Redemption.objects.filter(status="exchanged"):
                    act(twin(shop), row.reference, "cancel")
            else:
                return 200

    statuses = set(at_once([*writers[:half], eraser, *writers[half:]]))
    assert statuses <= {200, 201, 204, 404, 409}, statuses
    check_gone(quill)
    tiers_review(now=timezone.now())
    check_gone(quill)
