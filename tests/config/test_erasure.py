"""A person is erased: nothing in the database says who it was, and the ledger still verifies."""

from typing import Any

import pytest
from django.db import connection
from django.db.models import Model

from loyalty.models import (
    Account,
    Adjustment,
    Entry,
    Event,
    EventReversal,
    IdempotencyKey,
    Reversal,
    Transaction,
)
from loyalty.services import (
    AdjustmentCommand,
    Write,
    adjustment_post,
)
from loyalty.verification import account_verify
from members.models import Member, OutboxEvent, Programme, SignInRequest
from rewards.errors import OrdersUnderWay
from rewards.models import PoolCode, Redemption, Reward
from segments.models import Segment
from tests.config.quill import BORN, FIGURES, NUMBER, WORD, erase
from tests.factories import ApiClient
from tests.fixtures import ada, eve, nothing_remembered, programme  # noqa: F401
from tests.ledger_checks import ledger_holds  # noqa: F401
from tests.loyalty.conftest import club, monday, till  # noqa: F401
from tests.loyalty.desks import desk, stranger  # noqa: F401
from tests.loyalty.worlds import MONDAY, adjust, balance, call, earn, euros
from tests.rewards.orders import mug, order, use
from tests.rewards.test_vouchers import dump

pytestmark = pytest.mark.django_db


def test_it_works(quill: Member, code: str) -> None:
    assert dump().count(WORD.upper()) > 50, "she is all over the database"
    erased = erase(quill)
    kept = dump()
    assert [line for line in kept.split("\n") if WORD.upper() in line] == []
    assert str(BORN) not in kept
    assert (erased.status, erased.erased_at) == ("erased", MONDAY)
    facts = Transaction.objects.filter(account_id=erased.pk).values_list("facts", flat=True)
    assert {found["birthday_days"] for found in facts} == {None}, (
        "with the day of the receipt that is the birthday"
    )
    assert not Event.objects.filter(account_id=erased.pk, device__isnull=False).exists()


def test_the_birthday_stood_there_before(quill: Member, code: str) -> None:
    """The negative control of what the dump shows, and of the facts."""
    assert str(BORN) in dump()
    (purchase,) = Transaction.objects.filter(reference="POS-QUILL-1")
    assert purchase.facts["birthday_days"] == 254


def test_hashes_that_would_confirm_a_guess_are_gone(quill: Member, code: str) -> None:
    """Who knows number, basket and instant could compute the hash of the content; the salt kept the other secret."""

    def kept(name: str) -> set[bytes]:
        tables = (Transaction, Reversal, Adjustment, Event, EventReversal)
        rows = [row for model in tables for row in model._default_manager.filter(account_id=quill.pk)]
        return {bytes(getattr(row, name)) for row in [*rows, *Redemption.objects.filter(member=quill)]}

    assert bytes(32) not in kept("content") | kept("salt")
    erase(quill)
    assert (kept("content"), kept("salt")) == ({bytes(32)}, {bytes(16)})


def test_points_end_and_the_ledger_verifies(quill: Member, code: str) -> None:
    before = list(Entry.objects.filter(account=quill.pk).order_by("seq").values())
    account = Account.objects.get(pk=quill.pk)
    assert all((account.available, account.pending, account.held)), "some of each"
    erase(quill)
    account.refresh_from_db()
    assert [getattr(account, name) for name in FIGURES] == [0, 0, 0, 0]
    after = list(Entry.objects.filter(account=quill.pk).order_by("seq").values())
    assert after[: len(before)] == before
    assert {(entry["kind"], entry["counterpart"]) for entry in after[len(before) :]} == {
        ("expiry", "breakage")
    }
    assert (account_verify(account).faults, account.next_change_at) == ((), None)


def test_tampering_after_it_is_still_found(quill: Member, code: str) -> None:
    erase(quill)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE loyalty_entry DISABLE TRIGGER entry_append_only")
        earlier = "SET occurred_at = occurred_at - interval '1 day'"
        change = f"UPDATE loyalty_entry {earlier} WHERE account_id = %s AND seq = 2"
        cursor.execute(change, [quill.pk])
        assert (
            "Entry 2: its content was changed" in account_verify(Account.objects.get(pk=quill.pk)).faults[0]
        )
        cursor.execute(change.replace(" - ", " + "), [quill.pk])
        cursor.execute("ALTER TABLE loyalty_entry ENABLE ALWAYS TRIGGER entry_append_only")


def test_debt_is_written_off(till: ApiClient, club: Segment, quill: Member, programme: Programme) -> None:  # noqa: F811
    mine: dict[str, Any] = {"member": NUMBER}
    assert earn(till, "POS-1", **mine, **euros("20.00")).status_code == 201
    assert adjust(till, NUMBER, 100).status_code == 201
    command = AdjustmentCommand(NUMBER, "MINUS", -130, "mistake", "staff:carol", may_owe=True)
    adjustment_post(write=Write(programme.pk, MONDAY), command=command)
    assert balance(till, NUMBER) == {"available": 0, "pending": 20, "held": 0, "debt": 30}
    erase(quill)
    account = Account.objects.get(pk=quill.pk)
    assert [getattr(account, name) for name in FIGURES] == [0, 0, 0, 0]
    assert account_verify(account).faults == ()
    last = Adjustment.objects.filter(account_id=quill.pk).latest("id")
    assert (last.points, last.actor, last.status) == (30, "staff:carol", "posted")


def test_points_in_reserve_pay_debt_first(till: ApiClient, club: Segment, quill: Member) -> None:  # noqa: F811
    mug(club.programme)
    assert adjust(till, NUMBER, 400).status_code == 201
    assert order(till, "MUG", "W-HELD", mode="hold", member=NUMBER).status_code == 201
    command = AdjustmentCommand(NUMBER, "MINUS", -150, "mistake", "staff:carol", may_owe=True)
    adjustment_post(write=Write(club.programme_id, MONDAY), command=command)
    assert balance(till, NUMBER) == {"available": 0, "pending": 0, "held": 300, "debt": 50}
    erase(quill)
    assert [entry.points for entry in Entry.objects.filter(account=quill.pk).order_by("seq")] == [
        400,
        -150,
        -250,
    ]
    assert [getattr(Account.objects.get(pk=quill.pk), name) for name in FIGURES] == [0, 0, 0, 0]


def test_a_member_without_points(till: ApiClient, quill: Member, programme: Programme) -> None:  # noqa: F811
    erase(quill)
    assert Account.objects.get(pk=quill.pk).version == 1, "who counts on none being there finds that it moved"
    assert WORD.upper() not in dump()


@pytest.mark.parametrize("closed", [Member, Programme])
def test_who_left_long_ago(quill: Member, code: str, closed: type[Model]) -> None:
    closed._default_manager.update(status="closed")
    assert erase(Member.objects.get(pk=quill.pk)).status == "erased"
    assert WORD.upper() not in dump()


def test_reservations_end_with_their_pieces_and_codes(quill: Member, code: str) -> None:
    stock = Reward.objects.get(code="MUG").stock
    erase(quill)
    orders = Redemption.objects.filter(member=quill)
    assert {order.status for order in orders} == {"delivered", "released"}
    assert Reward.objects.get(code="MUG").stock == (stock or 0) + 1
    assert PoolCode.objects.filter(redemption_id=None).count() == 1
    told = OutboxEvent.objects.filter(member_id=quill.pk, type="redemption.released")
    assert {row.body["reference"] for row in told} <= {order.reference for order in orders}


def test_a_voucher_stays_whoever_holds_it(till: ApiClient, quill: Member, code: str) -> None:  # noqa: F811
    erase(quill)
    again = use(till, code, "USE-1", amount="5.00")
    assert again.status_code == 200, "and nobody is charged twice"
    assert again.json()["balance"]["amount"] == "20.00"
    assert use(till, code, "USE-2", amount="20.00").status_code == 200


@pytest.mark.parametrize("status", ["exchanged", "in_preparation", "in_delivery", "return_requested"])
def test_not_while_an_order_is_under_way(quill: Member, code: str, status: str) -> None:
    Redemption.objects.filter(reference="W-QUILL-MUG").update(status=status)
    before = dump()
    with pytest.raises(OrdersUnderWay) as refused:
        erase(quill)
    assert (refused.value.members, "W-QUILL-MUG" in refused.value.detail) == (
        {"orders": ["W-QUILL-MUG"]},
        True,
    )
    assert dump() == before


def test_what_waits_for_staff_is_refused(quill: Member, code: str) -> None:
    erase(quill)
    mine = {"account_id": quill.pk}
    assert not Adjustment.objects.filter(**mine, status="waiting").exists()
    assert not Event.objects.filter(**mine, status="in_review").exists()
    assert Adjustment.objects.filter(**mine, status="refused").count() == 2
    assert Event.objects.filter(**mine, status="refused").count() == 2


# --- What partners are told ---------------------------------------------------------------------------

GETS = (
    "/members/{number}",
    "/members/{number}/balance",
    "/members/{number}/history",
    "/members/{number}/segments",
    "/members/{number}/adjustments/CRM-QUILL",
    "/members/{number}/promotional-products",
    "/transactions/POS-QUILL-1",
    "/events/EVT-QUILL-2",
    "/redemptions/W-QUILL-CARD",
)


def shape(answer: Any) -> tuple[int, dict[str, Any]]:
    """Status and body without what is of each answer alone."""
    return answer.status_code, answer.json() | {"instance": ""}


@pytest.mark.parametrize("path", GETS)
def test_number_and_references_answer_as_if_they_had_never_been(
    till: ApiClient,  # noqa: F811
    quill: Member,
    code: str,
    path: str,
) -> None:
    asked = f"/api/v1{path}".format(number=NUMBER)
    assert till.get(asked).status_code == 200
    erase(quill)
    unknown = asked.replace(NUMBER, "NOBODY").replace("QUILL", "NOBODY")
    assert shape(till.get(asked)) == shape(till.get(unknown))
    assert till.get(asked).status_code == 404


def repeated(till: ApiClient) -> dict[str, Any]:  # noqa: F811
    """Everything she was written with, sent again with the first keys where they are known."""
    mine = {"member": NUMBER, "metadata": {"cashier": WORD}}
    lines = [{"line": "1", "quantity": "1"}]
    return {
        "earn": earn(till, "POS-QUILL-1", key="key-quill", **mine),
        "order": order(
            till, "CARD", "W-QUILL-CARD", key="key-quill-card", member=NUMBER, metadata={"note": WORD}
        ),
        "return": call(
            till, "/transactions/POS-QUILL-1/reversals", {"reference": "RET-QUILL", "lines": lines}
        ),
        "take back": call(till, "/events/EVT-QUILL-2/reversals", {"reference": "BACK-2"}),
        "adjust": adjust(till, NUMBER, 9000, "CRM-QUILL", reason="quill complained"),
        "cancel": call(till, "/redemptions/W-QUILL-CARD/cancel", {}),
        "identify": till.post_json("/api/v1/identifications", {"member": NUMBER}),
        "patch": till.patch(
            f"/api/v1/members/{NUMBER}", {"first_name": "Z"}, content_type="application/json"
        ),
    }


def test_nothing_comes_back_by_saying_it_again(till: ApiClient, quill: Member, code: str) -> None:  # noqa: F811
    assert repeated(till)["earn"].headers["Idempotent-Replayed"] == "true"
    erase(quill)
    assert WORD.upper() not in dump()
    answers = repeated(till)
    assert {name: answer.status_code for name, answer in answers.items()} == dict.fromkeys(answers, 404)
    assert WORD.upper() not in dump()


def test_the_number_may_be_somebody_new(till: ApiClient, quill: Member, code: str) -> None:  # noqa: F811
    erase(quill)
    assert till.post_json("/api/v1/members", {"member": NUMBER, "first_name": "Bo"}).status_code == 201
    assert balance(till, NUMBER) == dict.fromkeys(FIGURES, 0)
    assert till.get(f"/api/v1/members/{NUMBER}/history").json()["items"] == []
    assert till.get(f"/api/v1/members/{NUMBER}").json()["consents"] == {}
    assert till.get("/api/v1/transactions/POS-QUILL-1").status_code == 404, "the old references are nobody's"
    assert earn(till, "POS-QUILL-1", key="key-quill", member=NUMBER).status_code == 201
    assert Account.objects.get(pk=quill.pk).available == 0


def test_partners_can_follow(quill: Member, code: str) -> None:
    erase(quill)
    news = OutboxEvent.objects.filter(member_id=quill.pk)
    assert [row.body for row in news if row.type == "member.erased"] == [{}]
    assert {row.type for row in news} == {"member.erased", "points.expired", "redemption.released"}


def test_others_keep_what_is_theirs(till: ApiClient, quill: Member, code: str, ada: Member) -> None:  # noqa: F811
    """Also who has the same references elsewhere, or the same address to sign in with."""
    earn(till, "POS-ADA")
    SignInRequest.objects.create(
        programme=ada.programme, email="ada@quill.example", site="https://x.example", requested_at=MONDAY
    )
    before = Account.objects.filter(pk=ada.pk).values().get(), till.get("/api/v1/transactions/POS-ADA").json()
    erase(quill)
    after = Account.objects.filter(pk=ada.pk).values().get(), till.get("/api/v1/transactions/POS-ADA").json()
    assert before == after
    assert [row.email for row in SignInRequest.objects.all()] == ["ada@quill.example"]
    assert IdempotencyKey.objects.filter(account_id=ada.pk).exists()
