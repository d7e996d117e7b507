"""Lists of the back office of gifts: in the client's order, on the programme's clock, with words where empty."""

import io
from datetime import timedelta

import pytest
import time_machine
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from members.models import Programme
from members.services import staff_create
from rewards.models import Redemption
from segments.models import Segment
from tests.factories import ApiClient, ProgrammeFactory
from tests.loyalty.desks import PASSWORD, desk, signed_in  # noqa: F401
from tests.loyalty.worlds import adjust
from tests.rewards.catalogue import category
from tests.rewards.orders import cinema, mug, order
from tests.rewards.test_catalogue_admin import change

pytestmark = pytest.mark.django_db


def listed(client: Client, name: str, **query: str) -> str:
    return client.get(reverse(f"admin:rewards_{name}_changelist"), query).content.decode()


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("reward", "Add the first gift"),
        ("rewardversion", "Nothing waits for the client"),
        ("category", "a tree of up to three levels"),
        ("redemption", "each order appears here"),
        ("codepool", "then upload the codes"),
        ("catalogueupload", "Files of gifts"),
        ("voucherissuer", "who stands for them"),
    ],
)
def test_an_empty_list_says_what_would_be_there(
    desk: Client,  # noqa: F811
    programme: Programme,
    name: str,
    told: str,
) -> None:
    shown = listed(desk, name)
    assert told in shown
    assert "Nothing here yet" in shown
    assert "yielded" not in shown
    if name != "voucherissuer":
        assert "Nothing matches" in listed(desk, name, q="no-such-thing")
    if name == "reward":
        assert "Nothing matches" in listed(desk, name, state__exact="paused")


def test_categories_stand_as_a_tree(desk: Client, programme: Programme) -> None:  # noqa: F811
    """By position beside each other, whatever their positions are elsewhere."""
    food = category(programme, "food", position=2)
    wine = category(programme, "wine", position=1, parent=food)
    category(programme, "red", position=5, parent=wine)
    category(programme, "beer", position=0, parent=food)
    category(programme, "home", position=1)
    rows = desk.get(reverse("admin:rewards_category_changelist")).context["cl"].result_list
    assert [row.code for row in rows] == ["home", "food", "beer", "wine", "red"]


def test_a_pool_says_what_is_left(desk: Client, till: ApiClient, club: Segment, programme: Programme) -> None:  # noqa: F811
    adjust(till, "10042", 5000)
    reward = cinema(programme, ["KINO-1", "KINO-2"])
    order(till, "CINEMA")
    row = desk.get(reverse("admin:rewards_codepool_changelist")).context["cl"].result_list[0]
    assert (row.free_codes, row.taken_codes) == (1, 1)
    shown = desk.get(change(reward.pool)).content.decode()
    assert "Warn below" in shown
    assert "Low" in shown
    assert "1 code" in listed(desk, "reward", q="CINEMA")


def test_histories_are_on_the_programmes_clock(desk: Client, programme: Programme) -> None:  # noqa: F811
    row = category(programme)
    fields = {"code": row.code, "name_fr": "Douceurs", "position": "1", "is_active": "on"}
    desk.post(change(row), fields)
    history = desk.get(reverse("admin:rewards_category_history", args=[row.pk])).content.decode()
    assert "10:15" in history
    assert "9:15" not in history


def test_orders_of_the_last_days(
    desk: Client,  # noqa: F811
    till: ApiClient,
    club: Segment,
    programme: Programme,
    monday: time_machine.Traveller,
) -> None:
    adjust(till, "10042", 5000)
    mug(programme)
    order(till, reference="OLD-1")
    monday.shift(timedelta(days=8))
    order(till, reference="NEW-1")
    found = listed(desk, "redemption", ordered="7")
    assert ("NEW-1" in found, "OLD-1" in found) == (True, False)
    assert "OLD-1" in listed(desk, "redemption", ordered="30")
    assert "Boîte de pralines" in found, "gifts are told by name"


def test_parcels_are_of_one_programme(till: ApiClient, club: Segment, programme: Programme) -> None:
    """Two programmes may have given orders the same reference: whoever works for both says which it is."""
    other = ProgrammeFactory(code="other-club")
    both = signed_in(staff_create(username="both", password=PASSWORD, programmes=[programme, other]))
    adjust(till, "10042", 5000)
    mug(programme)
    order(till, reference="W-1")
    url = reverse("admin:rewards_redemption_tracking_file")
    assert "of which programme?" in both.get(url).content.decode()
    both.post(reverse("admin:rewards_redemption_changelist"),
              {"action": "prepare_chosen", "_selected_action": [Redemption.objects.get().pk]})  # fmt: skip

    def send(to: Programme) -> str:
        file = io.BytesIO(b"reference,tracking\nW-1,BE-1\n")
        file.name = "parcels.csv"
        return both.post(f"{url}?programme={to.pk}", {"file": file}, follow=True).content.decode()

    assert "No such order: W-1" in send(other)
    assert Redemption.objects.get().status == "in_preparation"
    assert "1 order is now: in delivery." in send(programme)
    assert Redemption.objects.get().tracking == "BE-1"
    assert User.objects.get(username="both").programme_memberships.count() == 2
