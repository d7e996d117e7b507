"""Orders and pools of codes in the back office."""

import io
from datetime import datetime
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from loyalty.models import Lot
from members.models import Programme
from rewards.lifecycle import Status
from rewards.models import CodePool, PoolCode, Redemption, Reward
from rewards.services.redemptions import RESERVED_FOR
from segments.models import Segment
from tests.factories import ApiClient
from tests.loyalty.worlds import adjust
from tests.rewards.orders import POST, card, cinema, mug, order, statuses
from tests.rewards.test_lifecycle import RULES, UNDOING, WAYS, led_to

pytestmark = pytest.mark.django_db
NAMES = {
    "exchanged": "confirm", "released": "release", "in_preparation": "prepare", "in_delivery": "send",
    "delivered": "deliver", "return_requested": "ask_back", "returned": "take_back", "cancelled": "cancel",
}  # fmt: skip


@pytest.fixture
def rich(club: Segment, till: ApiClient) -> None:
    assert adjust(till, "10042", 9000).status_code == 201


@pytest.fixture
def ann(programme: Programme) -> Client:
    """Staff of the programme."""
    return signed_in("ann", programme)


def signed_in(name: str, programme: Programme) -> Client:
    user = User.objects.create_user(name, password="x" * 20, is_staff=True)
    user.programme_memberships.create(programme=programme)
    client = Client()
    client.force_login(user)
    return client


def page(client: Client, reference: str) -> str:
    row = Redemption.objects.get(reference=reference)
    return client.get(reverse("admin:rewards_redemption_change", args=[row.pk])).content.decode()


def step(client: Client, reference: str, name: str, **fields: str) -> Any:
    row = Redemption.objects.get(reference=reference)
    return client.post(
        reverse(f"admin:rewards_redemption_{name}", args=[row.pk]),
        {"_form_submitted": "on", "note": "", "tracking": "", **fields},
    )


@pytest.mark.usefixtures("rich")
@pytest.mark.parametrize("status", WAYS)
def test_every_step_in_the_back_office(
    ann: Client, till: ApiClient, programme: Programme, status: str
) -> None:
    """An order's page offers the legal steps; the others change nothing, asked for by hand too."""
    mug(programme, stock=50)
    reference = led_to(till, status)
    legal = {to for was, to in RULES if was == status and to != "lapsed"}
    shown = page(ann, reference)
    row = Redemption.objects.get(reference=reference)
    offered = {to for to, name in NAMES.items() if f"{row.pk}/{name}" in shown}
    assert offered == legal
    for to in sorted({*NAMES} - legal - ({"cancelled"} if status == "reserved" else set())):
        step(ann, reference, NAMES[to])
        assert Redemption.objects.get(reference=reference).status == status
    for to in sorted(legal):
        again = led_to(till, status, f"-{to}")
        step(ann, again, NAMES[to], note="because", tracking="BE-7")
        move = Redemption.objects.get(reference=again).moves.last()
        assert (move.status, move.actor, move.note, move.tracking) == (to, "staff:ann", "because", "BE-7")


@pytest.mark.usefixtures("rich")
def test_no_step_follows_when_a_reservation_ran_out(
    ann: Client, till: ApiClient, programme: Programme, monday: time_machine.Traveller
) -> None:
    mug(programme, stock=50)
    reference = led_to(till, "reserved")
    monday.shift(RESERVED_FOR)
    shown = page(ann, reference)
    assert "Lapsed" in shown
    assert [name for name in NAMES.values() if f"/{name}" in shown] == []
    for name in NAMES.values():
        step(ann, reference, name)
    assert statuses(reference) == ["reserved", "lapsed"]
    assert Reward.objects.get().stock == 50


@pytest.mark.usefixtures("club")
@pytest.mark.parametrize("way", UNDOING)
def test_what_staff_undo_comes_back_to_its_lots(
    ann: Client, till: ApiClient, programme: Programme, way: list[str]
) -> None:
    for points in (100, 150, 1750):
        adjust(till, "10042", points)
    mug(programme, stock=5)
    before = list(Lot.objects.order_by("seq").values_list("seq", "remaining", "expires_at"))
    order(till, reference="W-1")
    for to in way:
        step(ann, "W-1", NAMES[to])
    assert statuses("W-1") == ["exchanged", *way]
    assert list(Lot.objects.order_by("seq").values_list("seq", "remaining", "expires_at")) == before
    assert Reward.objects.get().stock == 5


@pytest.mark.usefixtures("rich")
def test_an_outsider_finds_no_order(till: ApiClient, programme: Programme, eve: ApiClient) -> None:
    mug(programme)
    order(till, reference="W-1", delivery=POST)
    stranger = signed_in("eve", eve.partner.programme)
    row = Redemption.objects.get()
    assert stranger.get(reverse("admin:rewards_redemption_change", args=[row.pk])).status_code in (302, 404)
    assert step(stranger, "W-1", "prepare").status_code == 404
    assert "W-1" not in stranger.get(reverse("admin:rewards_redemption_changelist")).content.decode()
    assert "Rue Neuve" not in stranger.get(reverse("admin:rewards_redemption_picking")).content.decode()
    assert statuses("W-1") == ["exchanged"]


@pytest.mark.usefixtures("rich")
def test_lists_and_bulk(ann: Client, till: ApiClient, programme: Programme) -> None:
    mug(programme)
    card(programme)
    for number in range(3):
        order(till, reference=f"W-{number}", delivery=POST)
    order(till, "CARD", "W-CARD")
    listed = ann.get(reverse("admin:rewards_redemption_changelist"), {"q": "W-1"}).content.decode()
    assert "W-1" in listed
    assert "W-2" not in listed
    picking = ann.get(reverse("admin:rewards_redemption_picking")).content.decode()
    assert "Rue Neuve 1" in picking
    assert "W-CARD" not in picking
    chosen = [str(row.pk) for row in Redemption.objects.all()]
    data = {"action": "prepare_chosen", "_selected_action": chosen}
    answer = ann.post(reverse("admin:rewards_redemption_changelist"), data, follow=True).content.decode()
    assert "3 orders are now: in preparation." in answer
    assert "W-CARD: In preparation does not follow from Delivered." in answer
    file = io.BytesIO(b"reference;tracking\nW-0;BE-0\nW-1;BE-1\nNOBODY;BE-2\n")
    file.name = "parcels.csv"
    sent = ann.post(reverse("admin:rewards_redemption_tracking_file"), {"file": file})
    assert sent.status_code in (200, 302)
    assert list(
        Redemption.objects.filter(status="in_delivery")
        .order_by("reference")
        .values_list("tracking", flat=True)
    ) == ["BE-0", "BE-1"]
    assert Redemption.objects.get(reference="W-2").status == Status.IN_PREPARATION


@pytest.mark.usefixtures("rich")
def test_a_pool_is_filled(ann: Client, till: ApiClient, programme: Programme) -> None:
    cinema(programme, ["KINO-1"])
    pool = CodePool.objects.get()
    upload = reverse("admin:rewards_codepool_upload", args=[pool.pk])

    def send(text: bytes, **more: str) -> str:
        file = io.BytesIO(text)
        file.name = "codes.csv"
        return ann.post(upload, {"file": file, **more}, follow=True).content.decode()

    assert "2 codes were added." in send(b"code\nKINO-2\nKINO-3\n", last_day="2026-12-31")
    lasting = PoolCode.objects.values_list("valid_until", flat=True)
    midnight = datetime.fromisoformat("2027-01-01T00:00:00+01:00")
    assert list(lasting) == [None, midnight, midnight]
    assert "The code of row 2 was uploaded before." in send(b"code\nKINO-4\nkino 1\n"), "none is taken"
    assert "code" in send(b"number\nKINO-4\n")
    assert "The code of row 2 comes twice." in send(b"code\nKINO-5\nKINO-5\n")
    assert "Enter a valid date." in send(b"code\nKINO-5\n", last_day="soon")
    assert "less than or equal to" in send(b"code\nKINO-5\n", last_day="9999-12-31")
    assert PoolCode.objects.count() == 3
    listed = ann.get(reverse("admin:rewards_codepool_changelist")).content.decode()
    assert "Low" in listed
    assert (
        "KINO"
        not in listed + ann.get(reverse("admin:rewards_codepool_change", args=[pool.pk])).content.decode()
    )
    assert Reward.objects.get().pool == pool
