"""The life of a gift order: the table, and every step through HTTP."""

from typing import Any

import pytest
import time_machine
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from loyalty.models import Entry, Lot
from members.models import Programme
from rewards.lifecycle import MOVES, Status, following, gives_points_back, gives_stock_back
from rewards.models import Redemption, Reward
from rewards.services import reservations_lapse
from rewards.services.redemptions import RESERVED_FOR
from segments.models import Segment
from tests.factories import ApiClient
from tests.loyalty.worlds import adjust, balance
from tests.rewards.orders import act, card, mug, order, shown, statuses

RULES = {
    ("reserved", "exchanged"), ("reserved", "released"), ("reserved", "lapsed"),
    ("exchanged", "in_preparation"), ("in_preparation", "in_delivery"), ("in_delivery", "delivered"),
    ("delivered", "return_requested"), ("return_requested", "returned"), ("return_requested", "delivered"),
    ("exchanged", "cancelled"), ("in_preparation", "cancelled"), ("in_delivery", "returned"),
}  # fmt: skip
"""The table of the rules, typed once more."""

WAYS: dict[str, list[str]] = {
    "reserved": [],
    "exchanged": ["exchanged"],
    "released": ["released"],
    "in_preparation": ["exchanged", "in_preparation"],
    "in_delivery": ["exchanged", "in_preparation", "in_delivery"],
    "delivered": ["exchanged", "in_preparation", "in_delivery", "delivered"],
    "return_requested": ["exchanged", "in_preparation", "in_delivery", "delivered", "return_requested"],
    "returned": ["exchanged", "in_preparation", "in_delivery", "returned"],
    "cancelled": ["exchanged", "cancelled"],
}
"""How a reservation gets to each status."""


UNDOING = [
    ["cancelled"],
    ["in_preparation", "cancelled"],
    ["in_preparation", "in_delivery", "returned"],
    ["in_preparation", "in_delivery", "delivered", "return_requested", "returned"],
]


@given(st.sampled_from(list(Status)), st.sampled_from(list(Status)), st.booleans())
def test_every_pair_is_as_the_rules_say(status: Status, to: Status, is_digital: bool) -> None:
    allowed = (status, to) in RULES
    if is_digital and status == "exchanged":
        allowed = to == "delivered"
    assert (to in following(status, is_digital=is_digital)) == allowed


@given(st.lists(st.integers(0, 5), max_size=30), st.booleans())
def test_every_life_ends_where_it_may(choices: list[int], is_digital: bool) -> None:
    """From the reservation on, whatever is chosen: points come back at most once, and never after an end."""
    status, given_back = Status.RESERVED, 0
    for choice in choices:
        steps = following(status, is_digital=is_digital)
        if not steps:
            break
        status = steps[choice % len(steps)]
        given_back += gives_points_back(status, returns_points=True)
    assert given_back <= 1
    assert given_back == (status in (Status.CANCELLED, Status.RETURNED))


def test_what_comes_back() -> None:
    back = {to for to in Status if gives_points_back(to, returns_points=True)}
    assert back == {Status.CANCELLED, Status.RETURNED}
    assert {to for to in Status if gives_points_back(to, returns_points=False)} == {Status.CANCELLED}
    stock = {to for to in Status if gives_stock_back(to, returns_stock=True)}
    assert stock == back | {Status.RELEASED, Status.LAPSED}
    assert {to for to in Status if gives_stock_back(to, returns_stock=False)} == stock - {Status.RETURNED}
    assert set(MOVES) == set(Status)


@pytest.fixture
def rich(club: Segment, till: ApiClient) -> None:
    for points in (100, 150, 1750):
        assert adjust(till, "10042", points).status_code == 201


def led_to(till: ApiClient, status: str, ending: str = "") -> str:
    """An order of a mug that stands there."""
    reference = f"TO-{status}{ending}"
    order(till, "MUG", reference, mode="hold")
    for step in WAYS[status]:
        assert act(till, reference, "status", status=step).status_code == 200, step
    assert shown(till, reference)["status"] == status
    return reference


def everything() -> list[Any]:
    return [sorted(map(str, model.objects.values_list())) for model in (Entry, Lot, Redemption, Reward)]


@pytest.mark.django_db
@pytest.mark.usefixtures("rich")
@pytest.mark.parametrize("status", WAYS)
def test_every_step_over_http(till: ApiClient, programme: Programme, status: str) -> None:
    """From each status every other: the legal ones happen, the others change nothing and say what may."""
    mug(programme, stock=50)
    legal = {to for was, to in RULES if was == status and to != "lapsed"}
    reference = led_to(till, status)
    assert set(shown(till, reference)["allowed"]) == legal
    before = everything()
    for to in Status:
        if to in legal or (status == "reserved" and to == "cancelled"):
            continue
        answer = act(till, reference, "status", status=to)
        assert (answer.status_code, answer.json()["code"]) == (409, "illegal_transition")
        assert set(answer.json()["allowed"]) == legal
        assert everything() == before
    for to in sorted(legal):
        again = led_to(till, status, f"-{to}")
        body = act(till, again, "status", status=to, note="why", tracking="BE-1").json()
        assert (body["status"], body["tracking"]) == (to, "BE-1")
        assert body["history"][-1]["note"] == "why"
        assert statuses(again) == ["reserved", *WAYS[status], to]


@pytest.mark.django_db
@pytest.mark.usefixtures("rich")
@pytest.mark.parametrize("is_written_down", [True, False])
def test_nothing_follows_when_a_reservation_ran_out(
    till: ApiClient, programme: Programme, monday: time_machine.Traveller, is_written_down: bool
) -> None:
    mug(programme, stock=50)
    led_to(till, "reserved")
    monday.shift(RESERVED_FOR)
    if is_written_down:
        assert reservations_lapse(now=timezone.now()) == 1
    assert shown(till, "TO-reserved")["allowed"] == []
    for to in Status:
        answer = act(till, "TO-reserved", "status", status=to)
        late = to in ("exchanged", "released", "cancelled")
        assert answer.json()["code"] == ("reservation_lapsed" if late else "illegal_transition"), to
        assert answer.status_code == 409
        assert balance(till)["available"] == 2000
    assert statuses("TO-reserved") == ["reserved", "lapsed"]
    assert Reward.objects.get().stock == 50


@pytest.mark.django_db
@pytest.mark.usefixtures("rich")
@pytest.mark.parametrize("way", UNDOING)
def test_what_was_drawn_comes_back_to_its_lots(till: ApiClient, programme: Programme, way: list[str]) -> None:
    mug(programme, stock=5)
    before = list(Lot.objects.order_by("seq").values_list("seq", "remaining", "expires_at"))
    assert order(till, reference="WEB-1").json()["lots"] == [
        {"points": points, "expires_at": "2028-01-01T00:00:00+01:00"} for points in (100, 150, 50)
    ]
    for to in way:
        last = act(till, "WEB-1", "status", status=to)
    assert list(Lot.objects.order_by("seq").values_list("seq", "remaining", "expires_at")) == before
    body = last.json()
    assert body["entries"][0]["kind"] == f"redemption_{way[-1]}"
    assert body["entries"][0]["points"] == 300
    assert body["balance"]["available"] == 2000
    assert Reward.objects.get().stock == 5
    assert Entry.objects.filter(kind__startswith="redemption").count() == 2


@pytest.mark.django_db
@pytest.mark.usefixtures("rich")
def test_a_return_by_the_gifts_policy(till: ApiClient, programme: Programme) -> None:
    mug(programme, stock=5, returns_points=False, returns_stock=False)
    order(till, reference="WEB-1")
    for to in ("in_preparation", "in_delivery", "returned"):
        body = act(till, "WEB-1", "status", status=to).json()
    assert (body["entries"], body["balance"]) == ([], None)
    assert Reward.objects.get().stock == 4
    assert Entry.objects.filter(kind__startswith="redemption").count() == 1


@pytest.mark.django_db
@pytest.mark.usefixtures("rich")
def test_what_does_not_come_back_is_not_returned(till: ApiClient, programme: Programme) -> None:
    card(programme, is_returnable=False)
    order(till, "CARD", "WEB-1")
    answer = act(till, "WEB-1", "status", status="return_requested").json()
    assert (answer["code"], answer["allowed"]) == ("illegal_transition", [])


@pytest.mark.django_db
@pytest.mark.usefixtures("rich")
def test_a_digital_gift_is_never_sent(till: ApiClient, programme: Programme) -> None:
    card(programme)
    order(till, "CARD", "WEB-1")
    for to in ("in_preparation", "in_delivery", "cancelled", "returned"):
        assert act(till, "WEB-1", "status", status=to).json()["allowed"] == ["return_requested"]
    assert act(till, "WEB-1", "cancel").json()["code"] == "illegal_transition"
