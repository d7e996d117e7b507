"""The start of the back office and its menu: what waits, how a programme does, and nothing of anybody else's."""

from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from config.sidebar import MENU
from members.models import Member, Programme
from rewards.models import CodePool
from segments.models import Segment
from tests.factories import ApiClient
from tests.fixtures import ada, bob, eve, nothing_remembered, programme  # noqa: F401
from tests.ledger_checks import ledger_holds  # noqa: F401
from tests.loyalty.conftest import club, monday, till  # noqa: F401
from tests.loyalty.desks import desk, root, signed_in, stranger  # noqa: F401
from tests.loyalty.worlds import adjust, earn
from tests.rewards.orders import cinema, mug, order

pytestmark = pytest.mark.django_db
START = reverse("admin:index")


@pytest.fixture
def busy(till: ApiClient, club: Segment, ada: Member, programme: Programme) -> None:  # noqa: F811
    """A receipt of 117 points, 500 points given, one mug of 300 ordered, an adjustment and a pool that wait."""
    programme.approval_limit = 600
    programme.save()
    assert earn(till, "POS-1").status_code == 201
    assert adjust(till, ada.number, 500).status_code == 201
    assert adjust(till, ada.number, 700, "ADJ-WAITS").status_code == 202
    mug(programme)
    cinema(programme, ["C-1", "C-2"])
    CodePool.objects.update(low_stock=3)
    assert order(till, "MUG").status_code == 201


def waiting(client: Client, address: str = START) -> dict[str, int]:
    """What the page says waits, and that each of it leads to a list with as many rows."""
    context = client.get(address).context
    for item in context["waiting"]:
        listed = client.get(item["url"])
        assert listed.status_code == 200
        assert len(listed.context["cl"].result_list) == item["count"], item
    return {item["label"]: item["count"] for item in context["waiting"]}


def figures(client: Client, address: str = START) -> dict[str, tuple[int, int]]:
    return {figure.label: (figure.now, figure.before) for figure in client.get(address).context["figures"]}


def test_it_works(desk: Client, busy: None) -> None:  # noqa: F811
    assert waiting(desk) == {
        "Gift orders to prepare": 1,
        "Adjustments for a second person": 1,
        "Pools of codes running low": 1,
    }
    assert figures(desk) == {
        "Transactions": (1, 0),
        "Points earned": (617, 0),
        "Points spent on gifts": (300, 0),
        "Spend, EUR": (45, 0),
    }
    answer = desk.get(START)
    assert answer.context["liability"] == {"points": 317, "value": None}
    assert [row for row in answer.context["by_day"] if row["earned"]][-1]["burned"] == 300
    assert len(answer.context["by_day"]) == 30


def test_time_passes(desk: Client, busy: None, monday: Any, programme: Programme) -> None:  # noqa: F811
    programme.point_value = "0.01"
    programme.save()
    monday.shift(30 * 24 * 3600)
    desk = signed_in(get_user_model().objects.get(username="carol"))
    assert figures(desk)["Points earned"] == (0, 617)
    answer = desk.get(START)
    assert answer.context["by_day"] == []
    assert "No points moved" in answer.content.decode()
    assert answer.context["liability"]["value"] == 3


def test_staff_of_another_programme_see_nothing_of_it(stranger: Client, busy: None) -> None:  # noqa: F811
    for address in (START, f"{START}?programme=choco-club"):
        assert waiting(stranger, address) == {}
        assert set(figures(stranger, address).values()) == {(0, 0)}
        assert "Nothing waits" in stranger.get(address).content.decode()


def test_who_works_for_several_programmes_chooses(root: Client, stranger: Client, busy: None) -> None:  # noqa: F811
    assert waiting(root, f"{START}?programme=choco-club")
    assert not waiting(root, f"{START}?programme=tea-house")
    assert root.get(f"{START}?programme=none").context["programme"].code == "choco-club"


def test_without_a_programme_it_says_what_to_do(root: Client) -> None:  # noqa: F811
    assert reverse("admin:members_programme_add") in root.get(START).content.decode()


def test_a_constant_number_of_queries(desk: Client, busy: None, till: ApiClient) -> None:  # noqa: F811
    with CaptureQueriesContext(
        connection,
    ) as first:
        desk.get(START)
    for number in range(5):
        earn(till, f"POS-{number + 10}")
        order(till, "MUG", f"WEB-{number}")
    with CaptureQueriesContext(connection) as then:
        desk.get(START)
    assert len(then) == len(first) <= 14


def test_the_menu_names_every_page_once(root: Client) -> None:  # noqa: F811
    menu = root.get(START).context["sidebar_navigation"]
    links = [item["link"] for group in menu for item in group["items"]]
    registered = {
        reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
        for model in admin.site._registry
    }
    assert sorted(links) == sorted({START, *registered})
    for link in links:
        assert root.get(link).status_code == 200


def test_the_menu_shows_staff_what_they_may_open(desk: Client) -> None:  # noqa: F811
    menu = desk.get(START).context["sidebar_navigation"]
    shown = {item["link"] for group in menu for item in group["items"] if item["has_permission"]}
    assert reverse("admin:loyalty_promotion_changelist") in shown
    assert reverse("admin:auth_user_changelist") not in shown
    assert all(desk.get(link).status_code == 200 for link in shown)
    assert len(shown) > len([page for title, pages in MENU if title != "Set-up" for page in pages])
