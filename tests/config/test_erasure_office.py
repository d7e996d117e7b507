"""The page on which staff erase a person: what goes and what stays, a permission of its own, the number typed."""

import re

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from members.models import Member, Programme
from rewards.models import Redemption
from segments.models import Segment
from tests.config.quill import NUMBER, WORD, person, whole_life
from tests.factories import ApiClient
from tests.fixtures import ada, eve, nothing_remembered, programme  # noqa: F401
from tests.ledger_checks import ledger_holds  # noqa: F401
from tests.loyalty.conftest import club, monday, till  # noqa: F401
from tests.loyalty.desks import desk, stranger  # noqa: F401
from tests.rewards.test_vouchers import dump

pytestmark = pytest.mark.django_db
RIGHT = {"number": NUMBER}


@pytest.fixture
def quill(programme: Programme, till: ApiClient, desk: Client, club: Segment) -> Member:  # noqa: F811
    """She did everything one can do."""
    member = person(programme)
    whole_life(till, desk, member, club)
    return member


@pytest.fixture
def eraser(desk: Client) -> Client:  # noqa: F811
    """Carol, who may erase."""
    may_erase("carol")
    return desk


def may_erase(username: str) -> None:
    get_user_model().objects.get(username=username).user_permissions.add(
        Permission.objects.get(codename="erase_member")
    )


def erasing(member: Member) -> str:
    return reverse("member-erase-by-staff", args=[member.pk])


def profile(member: Member) -> str:
    return reverse("admin:members_member_change", args=[member.pk])


def test_it_works(eraser: Client, quill: Member) -> None:
    assert f'href="{erasing(quill)}"' in eraser.get(profile(quill)).content.decode()
    page = eraser.get(erasing(quill)).content.decode()
    counts = dict(re.findall(r'<th scope="row">([^<]+)</th>\s*<td class="number">(\d+)</td>', page))
    assert counts["Profile"] == "1"
    assert counts["Transactions"] == str(2)
    assert counts["Gift orders"] == str(Redemption.objects.filter(member=quill).count()) == "4"
    assert counts["Where orders went"] == "1"
    assert all(int(count) for count in counts.values()), "the life fills them all"
    answer = eraser.post(erasing(quill), RIGHT, follow=True)
    assert answer.redirect_chain == [(profile(quill), 302)]
    assert "The person was erased on 23 Nov 2026." in answer.content.decode()
    assert WORD.upper() not in dump()


def test_the_log_says_who_did_it_and_not_to_whom(eraser: Client, quill: Member) -> None:
    eraser.post(erasing(quill), RIGHT)
    number = Member.objects.get(pk=quill.pk).number
    logs = LogEntry.objects.filter(object_id=quill.pk).order_by("pk")
    assert {log.object_repr for log in logs} == {number}, "also in lines of before"
    assert (logs.last().user.get_username(), logs.last().get_change_message()) == (
        "carol",
        "Erased the person.",
    )


@pytest.mark.parametrize("number", ["", "CARD-QUILL-7", "card-quill-77", "10042"])
def test_another_number_changes_nothing(eraser: Client, quill: Member, number: str) -> None:
    before = dump()
    answer = eraser.post(erasing(quill), {"number": number})
    assert answer.status_code == 422
    assert 'name="number"' in answer.content.decode()
    assert dump() == before


def test_only_with_the_permission(desk: Client, quill: Member) -> None:  # noqa: F811
    before = dump()
    assert erasing(quill) not in desk.get(profile(quill)).content.decode()
    assert (desk.get(erasing(quill)).status_code, desk.post(erasing(quill), RIGHT).status_code) == (403, 403)
    assert dump() == before


def test_only_in_ones_own_programmes(stranger: Client, quill: Member) -> None:  # noqa: F811
    may_erase("mallory")
    before = dump()
    assert stranger.get(erasing(quill)).status_code == 404
    assert stranger.post(erasing(quill), RIGHT).status_code == 404
    assert "/admin/login/" in Client().post(erasing(quill), RIGHT).headers["Location"]
    assert dump() == before


def test_a_foreign_form_erases_nobody(eraser: Client, quill: Member) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = eraser.cookies
    assert strict.post(erasing(quill), RIGHT).status_code == 403
    found = re.search(
        r'name="csrfmiddlewaretoken" value="(\w+)"', strict.get(erasing(quill)).content.decode()
    )
    assert found
    assert strict.post(erasing(quill), {**RIGHT, "csrfmiddlewaretoken": found[1]}).status_code == 302


def test_orders_under_way_are_listed_and_refuse(eraser: Client, quill: Member) -> None:
    Redemption.objects.filter(reference="W-QUILL-MUG").update(status="in_delivery")
    before = dump()
    page = eraser.get(erasing(quill)).content.decode()
    assert "?q=W-QUILL-MUG" in page
    assert 'name="number"' not in page
    answer = eraser.post(erasing(quill), RIGHT)
    assert answer.status_code == 422
    assert "Under way: W-QUILL-MUG." in str(answer.context["form"].errors)
    assert dump() == before


def test_afterwards_nothing_can_be_done_to_the_row(eraser: Client, quill: Member) -> None:
    eraser.post(erasing(quill), RIGHT)
    row = Member.objects.get(pk=quill.pk)
    before = dump()
    for name in ("close", "end_sessions"):
        url = reverse(f"admin:members_member_{name}", args=[quill.pk])
        assert url not in eraser.get(profile(quill)).content.decode()
        assert eraser.post(url, {"_form_submitted": "on"}).status_code == 403
    assert eraser.post(profile(quill), {"first_name": WORD, "email": "x@quill.example"}).status_code == 403
    for url in (erasing(quill), reverse("member-data-by-staff", args=[quill.pk])):
        assert eraser.post(url, {"number": row.number}).status_code == 403
    assert dump() == before


@pytest.mark.parametrize("path", ["loyalty/account", "members/member"])
def test_pages_of_the_row_open(eraser: Client, quill: Member, path: str) -> None:
    eraser.post(erasing(quill), RIGHT)
    assert eraser.get(f"/admin/{path}/{quill.pk}/change/").status_code == 200
    for list_ in ("loyalty/transaction", "loyalty/adjustment", "loyalty/event", "rewards/redemption"):
        assert eraser.get(f"/admin/{list_}/?status=all").status_code == 200
    for order in Redemption.objects.filter(member=quill):
        assert eraser.get(f"/admin/rewards/redemption/{order.pk}/change/").status_code == 200
