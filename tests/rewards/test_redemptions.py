"""POST /redemptions: points for gifts."""

from datetime import timedelta
from typing import Any

import pytest

from loyalty.models import Account, Entry, Hold, IdempotencyKey, Lot
from members.models import Member, OutboxEvent, Programme
from rewards.models import Delivery, Move, PoolCode, Redemption, Reward, Voucher
from rewards.services import Terms
from segments.models import Segment
from tests.factories import ApiClient
from tests.loyalty.worlds import adjust, balance
from tests.rewards.orders import POST, act, card, check, cinema, mug, order, shown, statuses, use
from tests.statements import statements

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("club")]

TABLES = (
    Account,
    Entry,
    Lot,
    Hold,
    IdempotencyKey,
    Redemption,
    Move,
    Voucher,
    Delivery,
    PoolCode,
    OutboxEvent,
    Reward,
)


def everything() -> list[Any]:
    """Every row of every table an order touches."""
    return [sorted(map(str, model.objects.values_list())) for model in TABLES]


@pytest.fixture(autouse=True)
def rich(till: ApiClient, club: Segment) -> None:
    assert adjust(till, "10042", 2000).status_code == 201


def test_it_works(till: ApiClient, programme: Programme) -> None:
    mug(programme, stock=3)
    answer = order(till, reference="WEB-991", delivery=POST, metadata={"basket": "7"})
    assert answer.status_code == 201
    body = answer.json()
    assert body["status"] == "exchanged"
    assert body["points"] == 300
    assert body["lots"] == [{"points": 300, "expires_at": "2028-01-01T00:00:00+01:00"}]
    assert body["voucher"] is None
    assert body["entries"][0] == {"id": body["entries"][0]["id"], "kind": "redemption", "points": -300}
    assert body["balance"]["available"] == balance(till)["available"] == 1700
    assert body["metadata"] == {"basket": "7"}
    assert Reward.objects.get().stock == 2
    assert statuses("WEB-991") == ["exchanged"]
    assert Delivery.objects.get().address["street"] == "Rue Neuve 1"
    news = OutboxEvent.objects.get(type="redemption.exchanged")
    assert "Rue Neuve" not in str(news.body)


def test_a_digital_voucher_is_delivered_with_its_code(till: ApiClient, programme: Programme) -> None:
    card(programme)
    body = order(till, "CARD", "WEB-1").json()
    assert body["status"] == "delivered"
    assert statuses("WEB-1") == ["exchanged", "delivered"]
    value = {"amount": "25.00", "currency": "EUR"}
    assert body["voucher"]["value"] == body["voucher"]["balance"] == value
    assert body["voucher"]["valid_until"] == "2027-11-24T00:00:00+01:00"
    assert check(till, body["voucher"]["code"]).json() == {
        "gift": "CARD", "value": value, "balance": value, "valid_until": "2027-11-24T00:00:00+01:00",
    }  # fmt: skip


def test_the_code_comes_again_to_the_same_client_only(
    till: ApiClient, programme: Programme, shop: ApiClient
) -> None:
    card(programme)
    first = order(till, "CARD", "WEB-1", key="once")
    code = first.json()["voucher"]["code"]
    for again in (order(till, "CARD", "WEB-1", key="once"), order(till, "CARD", "WEB-1")):
        assert again.headers["Idempotent-Replayed"] == "true"
        assert again.json() == first.json()
    other = order(shop, "CARD", "WEB-1")
    assert other.status_code == 200
    assert other.json()["voucher"]["code"] is None
    assert code not in str(shown(till, "WEB-1"))
    assert shown(till, "WEB-1")["voucher"]["status"] == "active"
    assert Voucher.objects.count() == Redemption.objects.count() == 1


def test_an_uploaded_code(till: ApiClient, programme: Programme) -> None:
    cinema(programme, ["KINO-0001", "KINO-0002"])
    first, second, third = (order(till, "CINEMA", f"WEB-{n}") for n in (1, 2, 3))
    assert first.json()["voucher"]["code"] == "KINO-0001"
    assert second.json()["voucher"]["code"] == "KINO-0002"
    assert third.status_code == 409
    assert third.json()["code"] == "out_of_stock"
    assert order(till, "CINEMA", "WEB-1").json() == first.json()
    assert check(till, "kino 0001").json()["gift"] == "CINEMA"


def test_a_dry_run_books_nothing(till: ApiClient, programme: Programme) -> None:
    card(programme, stock=1)
    before = everything()
    answer = order(till, "CARD", "WEB-1", mode="dry_run")
    assert answer.status_code == 200
    assert answer.json()["status"] == "dry_run"
    assert answer.json()["points"] == 1000
    assert answer.json()["balance"]["available"] == 1000
    assert answer.json()["voucher"]["code"] is None
    assert everything() == before
    assert order(till, "CARD", "WEB-1", mode="dry_run", quantity=2).json()["code"] == "out_of_stock"
    assert everything() == before


def test_quantity(till: ApiClient, programme: Programme) -> None:
    mug(programme, stock=5)
    assert order(till, quantity=4).json()["points"] == 1200
    assert Reward.objects.get().stock == 1
    assert order(till, quantity=2).json()["code"] == "out_of_stock"


def test_refusals_change_nothing(till: ApiClient, programme: Programme, eve: ApiClient) -> None:
    mug(programme, "SOLD-OUT", stock=0)
    mug(programme, "DEAR", points=2001)
    mug(eve.partner.programme, "FOREIGN")
    cases = {
        "SOLD-OUT": (409, "out_of_stock"),
        "DEAR": (409, "insufficient_points"),
        "FOREIGN": (404, "not_found"),
        "UNKNOWN": (404, "not_found"),
    }
    kept = [model for model in TABLES if model is not IdempotencyKey]
    before = [sorted(map(str, model.objects.values_list())) for model in kept]
    for gift, (status, code) in cases.items():
        answer = order(till, gift)
        assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert [sorted(map(str, model.objects.values_list())) for model in kept] == before
    short = order(till, "DEAR").json()
    assert (short["required"], short["available"], short["missing"]) == (2001, 2000, 1)


def test_an_outsider_finds_nothing(eve: ApiClient, till: ApiClient, programme: Programme) -> None:
    mug(programme)
    order(till, reference="WEB-1")
    before = everything()
    unknown = eve.get("/api/v1/redemptions/NOBODY").json()
    foreign = eve.get("/api/v1/redemptions/WEB-1").json()
    assert {**unknown, "instance": ""} == {**foreign, "instance": ""}
    for what, body in (("confirm", {}), ("cancel", {}), ("status", {"status": "in_preparation"})):
        assert act(eve, "WEB-1", what, **body).status_code == 404
    assert order(eve).status_code == 404
    assert everything() == before


def test_limits_count_what_stands(till: ApiClient, programme: Programme, monday: Any) -> None:
    mug(programme, terms=Terms(limit_per_member=2, limit_per_period=1, period="month"))
    assert order(till, reference="WEB-1").status_code == 201
    refused = order(till).json()
    assert (refused["code"], refused["limit"], refused["used"], refused["period"]) == (
        "limit_reached",
        1,
        1,
        "month",
    )
    assert act(till, "WEB-1", "cancel").status_code == 200
    assert order(till).status_code == 201
    monday.shift(timedelta(days=31))
    assert order(till).status_code == 201
    monday.shift(timedelta(days=31))
    refused = order(till).json()
    assert (refused["code"], refused["limit"], refused["period"]) == ("limit_reached", 2, None)


def test_who_it_is_for(till: ApiClient, programme: Programme, bob: Member) -> None:
    mug(programme, segments=("vip-bxl",), tiers=("SILVER",))
    adjust(till, bob.number, 500)
    assert order(till).status_code == 201
    refused = order(till, member=bob.number).json()
    assert (refused["code"], refused["reasons"]) == ("gift_not_available", ["segment", "tier"])


def test_a_paused_gift_is_not_available(till: ApiClient, programme: Programme) -> None:
    reward = mug(programme)
    Reward.objects.filter(pk=reward.pk).update(state="paused")
    assert order(till).json()["reasons"] == ["not_live"]


def test_a_refusal_is_kept_under_its_key(till: ApiClient, programme: Programme) -> None:
    mug(programme, points=5000)
    first = order(till, reference="WEB-1", key="k")
    adjust(till, "10042", 5000)
    again = order(till, reference="WEB-1", key="k")
    assert again.json() == first.json()
    assert again.headers["Idempotent-Replayed"] == "true"
    assert order(till, reference="WEB-1").status_code == 201


def test_case_13_the_answer_was_lost(till: ApiClient, programme: Programme) -> None:
    """odoo#222372: the client repeats with its key and gets the very answer, its voucher's code too; one effect."""
    for gift, build in (("CARD", card), ("MUG", mug)):
        build(programme, stock=5)
        lost = order(till, gift, f"W-{gift}", key=f"k-{gift}")
        again = order(till, gift, f"W-{gift}", key=f"k-{gift}")
        assert (again.status_code, again.content) == (201, lost.content)
        assert again.headers["Idempotent-Replayed"] == "true"
        assert "Idempotent-Replayed" not in lost.headers
        assert Redemption.objects.filter(reward__code=gift).count() == 1
        assert Reward.objects.get(code=gift).stock == 4
    assert Entry.objects.filter(kind="redemption").count() == 2
    assert Voucher.objects.count() == 1


def test_other_content(till: ApiClient, programme: Programme) -> None:
    mug(programme)
    order(till, reference="WEB-1", key="k", delivery=POST)
    assert order(till, reference="WEB-1", quantity=2).json()["code"] == "reference_conflict"
    assert order(till, reference="WEB-1").json()["code"] == "reference_conflict"
    assert order(till, reference="WEB-1", key="k", quantity=2).json()["code"] == "idempotency_key_reused"
    assert Redemption.objects.count() == 1


def test_round_trips(till: ApiClient, programme: Programme) -> None:
    mug(programme, stock=9)
    card(programme)
    cinema(programme, ["A-1", "A-2"])
    adjust(till, "10042", 2000)
    order(till)
    for gift in ("MUG", "CARD", "CINEMA"):
        with statements() as sent:
            assert order(till, gift, delivery=POST).status_code == 201
        assert len(sent) == 2
    with statements() as sent:
        assert order(till, reference="HELD", mode="hold").status_code == 201
    assert len(sent) == 2
    with statements() as sent:
        assert act(till, "HELD", "confirm").status_code == 200
    assert len(sent) == 2


# Reservations


def test_a_reservation_is_confirmed(till: ApiClient, programme: Programme, monday: Any) -> None:
    card(programme, stock=1)
    held = order(till, "CARD", "WEB-1", mode="hold").json()
    assert (held["status"], held["entries"], held["voucher"]) == ("reserved", [], None)
    assert held["reserved_until"] == "2026-11-23T10:30:02+01:00"
    assert balance(till) == {"available": 1000, "pending": 0, "held": 1000, "debt": 0}
    assert Reward.objects.get().stock == 0
    monday.shift(timedelta(minutes=14))
    done = act(till, "WEB-1", "confirm", key="c")
    assert done.status_code == 200
    assert done.json()["status"] == "delivered"
    assert [step["status"] for step in done.json()["history"]] == ["reserved", "exchanged", "delivered"]
    code = done.json()["voucher"]["code"]
    assert use(till, code).status_code == 200
    again = act(till, "WEB-1", "confirm", key="c")
    assert again.json() == done.json()
    assert balance(till) == {"available": 1000, "pending": 0, "held": 0, "debt": 0}


def test_a_reservation_is_released(till: ApiClient, programme: Programme) -> None:
    cinema(programme, ["ONE"])
    order(till, "CINEMA", "WEB-1", mode="hold")
    assert order(till, "CINEMA").json()["code"] == "out_of_stock"
    assert act(till, "WEB-1", "cancel").json()["status"] == "released"
    assert balance(till)["available"] == 2000
    assert act(till, "WEB-1", "confirm").json()["code"] == "illegal_transition"
    assert order(till, "CINEMA").json()["voucher"]["code"] == "ONE"


def test_case_11_a_reservation_lapses(till: ApiClient, programme: Programme, monday: Any) -> None:
    mug(programme, stock=1)
    order(till, reference="WEB-1", mode="hold")
    monday.shift(timedelta(minutes=15))
    body = shown(till, "WEB-1")
    assert (body["status"], body["allowed"]) == ("lapsed", [])
    assert body["history"][-1]["at"] == "2026-11-23T10:30:02+01:00"
    assert Redemption.objects.get().status == "reserved"  # a read writes nothing
    assert balance(till)["available"] == 2000
    late = act(till, "WEB-1", "confirm", key="late")
    assert (late.status_code, late.json()["code"]) == (409, "reservation_lapsed")
    assert act(till, "WEB-1", "confirm", key="late").json() == late.json()
    assert act(till, "WEB-1", "cancel").json()["code"] == "reservation_lapsed"
    assert statuses("WEB-1") == ["reserved", "lapsed"]
    assert shown(till, "WEB-1") == body
    assert Reward.objects.get().stock == 1
    assert Entry.objects.count() == 1


def test_the_next_member_gets_what_lapsed(
    till: ApiClient, programme: Programme, bob: Member, monday: Any
) -> None:
    mug(programme, stock=1)
    order(till, reference="WEB-1", mode="hold")
    adjust(till, bob.number, 500)
    assert order(till, member=bob.number).json()["code"] == "out_of_stock"
    monday.shift(timedelta(minutes=15))
    assert order(till, member=bob.number).status_code == 201
    assert statuses("WEB-1") == ["reserved", "lapsed"]
    assert Reward.objects.get().stock == 0


def test_a_lapsed_reservation_counts_for_no_limit(till: ApiClient, programme: Programme, monday: Any) -> None:
    mug(programme, terms=Terms(limit_per_member=1))
    order(till, mode="hold")
    assert order(till).json()["code"] == "limit_reached"
    monday.shift(timedelta(minutes=15))
    assert order(till).status_code == 201


def test_points_held_are_not_spent_twice(till: ApiClient, programme: Programme) -> None:
    mug(programme, points=1500)
    order(till, mode="hold")
    assert order(till).json()["code"] == "insufficient_points"
    assert adjust(till, "10042", -600).json()["code"] == "insufficient_points"
