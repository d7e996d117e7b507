"""Cases from the field, over HTTP: retries, returns, points spent and returned, and the second person."""

from datetime import timedelta

import pytest
import time_machine

from config.kernel.errors import TemporarilyUnavailable
from loyalty import rulesets
from loyalty.errors import SamePerson
from loyalty.models import Adjustment, Entry, Transaction
from loyalty.rules import PromotionRule
from loyalty.services import adjustment_decide, promotion_void, writes
from members.models import OutboxEvent, Programme
from members.selectors import forget_tokens
from tests.factories import ApiClient
from tests.loyalty.worlds import MONDAY, adjust, balance, earn, euros, publish, reverse

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("club")]
NOTHING = {"available": 0, "pending": 0, "held": 0, "debt": 0}


def forget_everything() -> None:
    """What a process knows is gone, as after a restart."""
    forget_tokens()
    rulesets._timelines.clear()
    rulesets._compiled.clear()
    rulesets.by_hash.cache_clear()


def counted() -> list[int]:
    return [model.objects.count() for model in (Transaction, Entry, OutboxEvent)]


@pytest.mark.parametrize("days", [0, 1, 20])
def test_a_lost_answer_is_given_again(till: ApiClient, monday: time_machine.Traveller, days: int) -> None:
    """odoo#222372, and a till that retries for days while we restart."""
    first = earn(till, "POS-1", key="till-7-1")
    before = counted()
    monday.shift(timedelta(days=days))
    forget_everything()
    again = earn(till, "POS-1", key="till-7-1")
    assert (again.status_code, again.content) == (201, first.content)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert counted() == before


@pytest.mark.parametrize("days", [3, 100])
def test_the_same_receipt_with_a_new_key(till: ApiClient, monday: time_machine.Traveller, days: int) -> None:
    """OCA/pos#185: also long after the window for new receipts has closed."""
    first = earn(till, "POS-1")
    before = counted()
    monday.shift(timedelta(days=days))
    forget_everything()
    again = earn(till, "POS-1")
    assert (again.status_code, again.json()) == (200, first.json())
    assert again.headers["Idempotent-Replayed"] == "true"
    other = earn(till, "POS-1", **euros("1.00"))
    assert (other.status_code, other.json()["code"]) == (409, "reference_conflict")
    assert counted() == before


def test_no_news_of_what_was_rolled_back(till: ApiClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """saleor#9532."""
    before = counted()

    def fail(call: object) -> None:
        raise TemporarilyUnavailable

    with monkeypatch.context() as patch:
        patch.setattr(writes, "send", fail)
        assert earn(till, "POS-1").status_code == 503
    assert counted() == before
    assert earn(till, "POS-1").status_code == 201
    assert OutboxEvent.objects.count() == before[2] + 1


@pytest.mark.parametrize("shares", [["all"], ["7.50", "7.50", "10.00"], ["0.01", "24.98", "0.01"]])
def test_buying_and_returning_everything_is_nothing(
    till: ApiClient, programme: Programme, shares: list[str]
) -> None:
    """odoo#257854, #212922: bonuses included; one return more is refused."""
    publish(programme, "PR-FIXED", PromotionRule("fixed", "13"))
    earn(till, "POS-1", **euros("25.00", category="chocolate"))
    for number, share in enumerate(shares):
        lines = {} if share == "all" else {"lines": [{"line": "1", "amount": share}]}
        assert reverse(till, "POS-1", f"RET-{number}", **lines).status_code == 201
    assert balance(till) == NOTHING
    before = counted()
    again = reverse(till, "POS-1", "RET-9")
    assert (again.status_code, again.json()["code"]) == (409, "already_reversed")
    assert counted() == before


def test_points_spent_and_returned_are_debt(till: ApiClient, monday: time_machine.Traveller) -> None:
    """Annex Cloud: debt is shown and paid by the next points, never clamped to zero."""
    earn(till, "POS-1")
    monday.shift(timedelta(days=15))
    adjust(till, "10042", -117)
    assert reverse(till, "POS-1", "RET-1").json()["taken_from"]["debt"] == 117
    assert balance(till) == {**NOTHING, "debt": 117}
    adjust(till, "10042", 100)
    assert balance(till) == {**NOTHING, "debt": 17}


def test_lines_that_earn_nothing(till: ApiClient) -> None:
    """odoo#114004: what is paid with points or gift cards, or is a gift card, earns nothing."""
    assert earn(till, "POS-1", **euros("25.00", points_eligible=False)).json()["points"] == 0
    assert balance(till) == NOTHING


def test_a_partial_return_takes_points(till: ApiClient) -> None:
    earn(till, "POS-1")
    assert reverse(till, "POS-1", "RET-1", lines=[{"line": "1", "quantity": "1"}]).json()["points"] == -44


def test_returning_what_a_voided_promotion_gave(till: ApiClient, programme: Programme) -> None:
    promotion = publish(programme, "PR-WRONG", PromotionRule("fixed", "1000"))
    earn(till, "POS-1")
    promotion_void(version=promotion.versions.get(), now=MONDAY)
    answer = reverse(till, "POS-1", "RET-1")
    assert answer.status_code == 201, answer.content
    assert balance(till) == NOTHING


@pytest.mark.parametrize("points", [101, -101, 2**53])
def test_above_the_limit_a_second_person_decides(till: ApiClient, programme: Programme, points: int) -> None:
    """Continental 2003: a bonus x1000."""
    adjust(till, "10042", 100)
    adjust(till, "10042", 100)
    Programme.objects.filter(pk=programme.pk).update(approval_limit=100)
    before = balance(till)
    answer = adjust(till, "10042", points, "BIG")
    assert (answer.status_code, answer.json()["status"]) == (202, "waiting")
    assert answer.headers["Location"].endswith("/members/10042/adjustments/BIG")
    assert balance(till) == before
    waiting = Adjustment.objects.get(reference="BIG")
    with pytest.raises(SamePerson):
        adjustment_decide(adjustment=waiting, approve=True, actor=waiting.actor, now=MONDAY)
    assert balance(till) == before
    adjustment_decide(adjustment=waiting, approve=True, actor="staff:carol", now=MONDAY)
    assert balance(till)["available"] == before["available"] + points
    assert till.get(answer.headers["Location"]).json()["status"] == "posted"
