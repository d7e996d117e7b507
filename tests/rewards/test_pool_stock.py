"""A gift whose codes others issued is in stock while one of them is left: feed, members, pages and orders agree."""

from datetime import datetime, timedelta

import pytest
import time_machine
from django.utils import timezone

from members.models import Member, Programme
from rewards.models import Reward
from rewards.services import pool_upload, reservations_lapse
from segments.models import Segment
from tests.factories import ApiClient
from tests.loyalty.worlds import MONDAY, adjust
from tests.rewards.orders import act, cinema, order
from tests.rewards.test_member_pages import browser_of, text_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("rich")]

GIFT = "/api/v1/gifts/CINEMA"


@pytest.fixture
def rich(till: ApiClient, club: Segment, ada: Member) -> None:
    Member.objects.filter(pk=ada.pk).update(language="en")
    assert adjust(till, "10042", 5000).status_code == 201


def fill(reward: Reward, *codes: str, until: datetime | None = None) -> None:
    pool_upload(reward=reward, texts=codes, valid_until=until, now=MONDAY)


def told(till: ApiClient) -> bool:
    """Whether it can be had, if all that tell it agree."""
    one = till.get(GIFT, {"member": "10042"}).json()
    listed = till.get("/api/v1/gifts", {"in_stock": "true"}).json()["items"]
    tried = order(till, "CINEMA", mode="dry_run")
    said = {
        one["stock"] == "in_stock",
        "stock" not in one["for_member"]["reasons"],
        [gift["code"] for gift in listed] == ["CINEMA"],
        tried.status_code == 200,
        "Sold out for the moment" not in text_of(browser_of(till).get("/my/gifts/CINEMA")),
    }
    if tried.status_code != 200:
        assert tried.json()["code"] == "out_of_stock"
    assert len(said) == 1, (one, listed, tried.json())
    return said.pop()


def test_it_sells_out_with_the_last_code_and_comes_back(till: ApiClient, programme: Programme) -> None:
    reward = cinema(programme, [])
    assert not told(till)
    fill(reward, "KINO-1", "KINO-2")
    assert told(till)
    tag = till.get(GIFT).headers["ETag"]
    order(till, "CINEMA", "W-1")
    assert told(till)
    assert till.get(GIFT, headers={"If-None-Match": tag}).status_code == 304
    order(till, "CINEMA", "W-2", mode="hold")
    assert not told(till)
    answer = till.get(GIFT, headers={"If-None-Match": tag})
    assert (answer.status_code, answer.json()["stock"]) == (200, "out_of_stock")
    act(till, "W-2", "cancel")
    assert told(till)
    order(till, "CINEMA", "W-3")
    assert not told(till)
    fill(reward, "KINO-3")
    assert told(till)


def test_partners_that_read_what_changed_are_told(
    till: ApiClient, programme: Programme, monday: time_machine.Traveller
) -> None:
    reward = cinema(programme, ["KINO-1"])

    def changed_since(at: datetime) -> list[str]:
        items = till.get("/api/v1/gifts", {"updated_since": at.isoformat()}).json()["items"]
        return [item["stock"] for item in items]

    fill(reward, "KINO-2")
    before = Reward.objects.get().revision
    order(till, "CINEMA")
    assert Reward.objects.get().revision == before, "one is left"
    order(till, "CINEMA")
    assert Reward.objects.get().revision > before
    # It is the database's clock that says when a gift sold out.
    sold_out = Reward.objects.get().changed_at
    assert changed_since(sold_out) == ["out_of_stock"]
    fill(reward, "KINO-3", until=sold_out + timedelta(days=100))
    monday.move_to(sold_out + timedelta(days=100))
    assert changed_since(sold_out + timedelta(days=100)) == ["out_of_stock"], "its last code has ended"


def test_a_reservation_that_ran_out_gives_its_code_to_the_next(
    till: ApiClient, programme: Programme, monday: time_machine.Traveller
) -> None:
    """Case 11: nobody has to wait for the job."""
    cinema(programme, ["KINO-1"])
    order(till, "CINEMA", "W-1", mode="hold")
    assert order(till, "CINEMA", "W-2").json()["code"] == "out_of_stock"
    monday.shift(15 * 60)
    assert order(till, "CINEMA", "W-3").json()["voucher"]["code"] == "KINO-1"
    assert act(till, "W-1", "confirm").json()["code"] == "reservation_lapsed"


def test_the_job_brings_it_back(
    till: ApiClient, programme: Programme, monday: time_machine.Traveller
) -> None:
    cinema(programme, ["KINO-1"])
    order(till, "CINEMA", "W-1", mode="hold")
    assert not told(till)
    monday.shift(15 * 60)
    assert reservations_lapse(now=timezone.now()) == 1
    assert told(till)


def test_codes_end_by_the_clock(
    till: ApiClient, programme: Programme, monday: time_machine.Traveller
) -> None:
    reward = cinema(programme, [])
    fill(reward, "KINO-1", until=MONDAY + timedelta(days=300))
    fill(reward, "KINO-2", until=MONDAY + timedelta(days=200))
    assert told(till)
    order(till, "CINEMA")
    tag = till.get(GIFT).headers["ETag"]
    monday.shift(timedelta(days=200).total_seconds() - 1)
    assert told(till)
    monday.shift(1)
    assert not told(till)
    assert till.get(GIFT).headers["ETag"] != tag
