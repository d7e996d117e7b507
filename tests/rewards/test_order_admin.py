"""Orders and pools of codes in the back office."""

import io
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from members.models import Programme
from rewards.lifecycle import Status
from rewards.models import CodePool, PoolCode, Redemption, Reward
from segments.models import Segment
from tests.factories import ApiClient
from tests.loyalty.worlds import adjust
from tests.rewards.orders import POST, card, cinema, mug, order, statuses
from tests.rewards.test_lifecycle import RULES, WAYS, led_to

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
    if legal:
        to = sorted(legal)[0]
        step(ann, reference, NAMES[to], note="because", tracking="BE-7")
        move = Redemption.objects.get(reference=reference).moves.last()
        assert (move.status, move.actor, move.note, move.tracking) == (to, "staff:ann", "because", "BE-7")


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
    assert "W-CARD: in_preparation does not follow from delivered." in answer
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

    def send(text: bytes) -> None:
        file = io.BytesIO(text)
        file.name = "codes.csv"
        assert ann.post(upload, {"file": file}).status_code in (200, 302)

    send(b"code\nKINO-2\nKINO-3\n")
    assert PoolCode.objects.count() == 3
    send(b"code\nKINO-4\nkino 1\n")  # one is known: none is taken
    send(b"number\nKINO-4\n")
    send(b"code\nKINO-5\nKINO-5\n")
    assert PoolCode.objects.count() == 3
    listed = ann.get(reverse("admin:rewards_codepool_changelist")).content.decode()
    assert "Low" in listed
    assert (
        "KINO"
        not in listed + ann.get(reverse("admin:rewards_codepool_change", args=[pool.pk])).content.decode()
    )
    assert Reward.objects.get().pool == pool
