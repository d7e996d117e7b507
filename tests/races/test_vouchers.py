"""Many tills and one voucher: it is worth what it is worth, once."""

from collections import Counter
from collections.abc import Callable
from decimal import Decimal

import pytest
from django.core.cache import cache
from django.db.models import Sum

from loyalty import apply
from members.models import Programme
from rewards.models import Voucher, VoucherUse
from tests.factories import ApiClient
from tests.loyalty.worlds import adjust
from tests.races.crowd import at_once, broken_apply, twin
from tests.rewards.orders import card, order, use

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("ada")]

WITHOUT_BALANCE_GUARD = (
    ("w.status = r.was_status AND w.balance IS NOT DISTINCT FROM r.was_balance", "w.status = r.was_status"),
)


def uses_of_one_voucher(
    till: ApiClient, programme: Programme, count: int, gate: Callable[[int], None] | None = None
) -> tuple[Counter[int], Decimal, Decimal]:
    """So many uses of 10 cents of a voucher of 25 euros: statuses, what is left, what the rows say is left."""
    card(programme, points=10)
    adjust(till, "10042", 100)
    code = order(till, "CARD").json()["voucher"]["code"]

    if gate:
        gate(10)

    def one(number: int) -> Callable[[], int]:
        client = twin(till)
        return lambda: use(client, code, f"U-{number}", amount="0.10").status_code

    statuses = Counter(at_once([one(number) for number in range(count)]))
    used = VoucherUse.objects.aggregate(used=Sum("amount"))["used"]
    return statuses, Voucher.objects.get().balance or Decimal(0), Decimal(25) - used


def test_case_7_a_thousand_uses_and_the_counter_equals_the_rows(
    till: ApiClient, programme: Programme
) -> None:
    cache.clear()
    statuses, left, by_rows = uses_of_one_voucher(till, programme, 1000)
    assert statuses[200] == VoucherUse.objects.count() == 250
    assert set(statuses) <= {200, 409, 422, 429}, "nobody meets an error of ours"
    assert left == by_rows == 0


def test_without_the_balance_guard_more_is_used_than_counted(
    till: ApiClient, programme: Programme, gate: Callable[[int], None]
) -> None:
    """The negative control: uses that do not see each other."""
    cache.clear()
    with broken_apply(*WITHOUT_BALANCE_GUARD, function="rewards_apply"):
        _, left, by_rows = uses_of_one_voucher(till, programme, 20, gate)
    assert left != by_rows


KEY_ONLY_INSERTED = (
    """ON CONFLICT (partner_id, key) DO UPDATE SET status = EXCLUDED.status, body = EXCLUDED.body
            WHERE coalesce(k.status, 0) = 0 AND k.fingerprint = EXCLUDED.fingerprint""",
    "",
)


def uses_under_one_key(
    till: ApiClient, programme: Programme, gate: Callable[[int], None]
) -> Counter[tuple[int, str]]:
    card(programme, points=10)
    adjust(till, "10042", 100)
    code = order(till, "CARD").json()["voucher"]["code"]
    gate(10)

    def one() -> Callable[[], tuple[int, str]]:
        client = twin(till)

        def call() -> tuple[int, str]:
            answer = use(client, code, "U-1", amount="10.00", key="the-key")
            return answer.status_code, str(answer.json().get("used", answer.json().get("code")))

        return call

    return Counter(at_once([one() for _ in range(30)]))


def test_case_17_losing_on_the_key_of_a_voucher_is_no_error(
    till: ApiClient, programme: Programme, gate: Callable[[int], None]
) -> None:
    """Many uses under one key: one effect, the rest its replay or 409."""
    answers = uses_under_one_key(till, programme, gate)
    good = [answer for answer in answers if answer[0] == 200]
    assert len(good) == 1
    assert {answer for answer in answers if answer[0] != 200} <= {(409, "request_in_progress")}
    assert VoucherUse.objects.count() == 1
    assert Voucher.objects.get().balance == 15


def test_where_the_key_is_only_inserted_the_losers_meet_an_error(
    till: ApiClient,
    programme: Programme,
    gate: Callable[[int], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The negative control: a key row that is not asked whether it is there, and a loss that is not looked at."""
    monkeypatch.setattr(apply, "IntegrityError", ZeroDivisionError)
    with broken_apply(KEY_ONLY_INSERTED):
        answers = uses_under_one_key(till, programme, gate)
    assert 500 in {status for status, _ in answers}


def test_a_voucher_is_used_once(
    till: ApiClient, programme: Programme, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache.clear()
    card(programme, points=10)
    adjust(till, "10042", 100)
    code = order(till, "CARD").json()["voucher"]["code"]

    def one() -> Callable[[], int]:
        client = twin(till)
        return lambda: use(client, code, amount="10.00").status_code

    statuses = Counter(at_once([one() for _ in range(20)]))
    assert statuses[200] == 2
    assert set(statuses) <= {200, 409, 422}
    assert VoucherUse.objects.count() == 2
    assert Voucher.objects.get().balance == 5
