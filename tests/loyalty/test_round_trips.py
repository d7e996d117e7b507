"""How many round trips to the database a call costs with a warm token and ruleset."""

import pytest

from loyalty.gather.earning import ONE_BASKET
from members.models import Member
from segments.models import Segment
from tests.factories import ApiClient
from tests.loyalty.worlds import BASKET, adjust, balance, call, earn, reverse
from tests.statements import statements

pytestmark = pytest.mark.django_db


@pytest.fixture
def warm(till: ApiClient, club: Segment, bob: Member) -> None:
    """Token, ruleset and ada's account are known."""
    assert earn(till, "WARM").status_code == 201
    assert reverse(till, "WARM", "WARM").status_code == 201


@pytest.mark.usefixtures("warm")
def test_an_earn_is_one_gather_and_one_post(till: ApiClient) -> None:
    with statements() as sent:
        assert earn(till, "POS-1").status_code == 201
    assert sent == [ONE_BASKET, "SELECT loyalty_apply(%(call)s::jsonb)::text"]


@pytest.mark.usefixtures("warm")
def test_a_first_earn_of_a_member_too(till: ApiClient) -> None:
    with statements() as sent:
        assert earn(till, "POS-1", member="10043").status_code == 201
    assert len(sent) == 2


@pytest.mark.usefixtures("warm")
def test_so_is_a_return(till: ApiClient) -> None:
    earn(till, "POS-1")
    with statements() as sent:
        assert reverse(till, "POS-1", "RET-1").status_code == 201
    assert len(sent) == 2


@pytest.mark.usefixtures("warm")
def test_so_is_an_adjustment(till: ApiClient) -> None:
    with statements() as sent:
        assert adjust(till, "10042", 5).status_code == 201
    assert len(sent) == 2


@pytest.mark.usefixtures("warm")
def test_a_batch_costs_what_one_earn_costs(till: ApiClient) -> None:
    items = [{"reference": f"POS-{number}", **BASKET} for number in range(50)]
    with statements() as sent:
        assert call(till, "/transactions/batch", {"transactions": items}).json()["booked"] == 50
    assert len(sent) == 2


@pytest.mark.usefixtures("warm")
def test_an_evaluation_is_one_query(till: ApiClient) -> None:
    with statements() as sent:
        assert till.post_json("/api/v1/basket-evaluations", BASKET).status_code == 200
    assert len(sent) == 1


@pytest.mark.usefixtures("warm")
def test_a_repetition_under_its_key_is_one_query(till: ApiClient) -> None:
    earn(till, "POS-1", key="again")
    with statements() as sent:
        answer = earn(till, "POS-1", key="again")
    assert answer.headers["Idempotent-Replayed"] == "true"
    assert len(sent) == 1


@pytest.mark.usefixtures("warm")
def test_a_balance_is_two_queries(till: ApiClient) -> None:
    with statements() as sent:
        assert balance(till)["pending"] == 0
    assert len(sent) == 2
