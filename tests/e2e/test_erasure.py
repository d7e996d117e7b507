"""Staff erase a person in a browser: what goes and stays, the wrong number, the right one, the row that is left."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from playwright.sync_api import Page, expect

from members.models import Member
from members.services import staff_create
from rewards.models import Redemption
from segments.models import Segment
from tests.e2e.looking import Look
from tests.e2e.test_staff import PASSWORD, club, come_in, shop  # noqa: F401
from tests.factories import ApiClient
from tests.loyalty.worlds import adjust
from tests.rewards.catalogue import category, live_gift
from tests.rewards.orders import POST, order

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def carol(club: Segment) -> User:  # noqa: F811
    """Staff who may erase."""
    carol = staff_create(username="carol", password=PASSWORD, programmes=[club.programme])
    carol.user_permissions.add(Permission.objects.get(codename="erase_member"))
    return carol


@pytest.fixture
def parcel(shop: ApiClient, club: Segment) -> Redemption:  # noqa: F811
    """A mug for ada, ordered and not yet sent."""
    live_gift(club.programme, "MUG", categories=[category(club.programme, "home").code], points=100)
    assert adjust(shop, "10042", 5000).status_code == 201
    assert order(shop, "MUG", "W-MUG", delivery=POST).status_code == 201
    return Redemption.objects.get(reference="W-MUG")


def test_a_person_is_erased(
    page: Page, look: Look, carol: User, parcel: Redemption, live_server: Any
) -> None:
    come_in(page, carol, live_server)
    page.goto(f"/admin/members/member/{parcel.member_id}/change/")
    look.at("staff-member")
    with page.expect_download() as downloading:
        page.get_by_role("button", name="Download data").click()
    assert downloading.value.suggested_filename == "data-10042.json"
    page.get_by_role("link", name="Erase this person").click()
    expect(page.get_by_role("heading", name="Not yet: gift orders are under way")).to_be_visible()
    look.at("staff-erase-not-yet")
    Redemption.objects.filter(pk=parcel.pk).update(status="delivered")
    page.reload()
    page.get_by_label("Number of the member").fill("10043")
    page.get_by_role("button", name="Erase this person for good").click()
    expect(page.get_by_text("This is not the number of the member.")).to_be_visible()
    look.at("staff-erase-wrong-number", status=422)
    page.get_by_label("Number of the member").fill("10042")
    page.get_by_role("button", name="Erase this person for good").click()
    expect(page.get_by_text("The person is erased.")).to_be_visible()
    expect(page.get_by_text("The person was erased on")).to_be_visible()
    look.at("staff-erased")
    assert Member.objects.get(pk=parcel.member_id).status == "erased"
