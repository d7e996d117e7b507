"""Consents and their history: who said what, when, through what, and never rewritten."""

from typing import Any

import pytest
from django.db import IntegrityError
from django.db import transaction as db_transaction
from django.test import Client
from django.urls import reverse

from members.models import ConsentChange, Member
from tests.factories import ApiClient, ProgrammeFactory
from tests.rewards.test_member_pages import browser_of, text_of

pytestmark = pytest.mark.django_db


def said(number: str = "10042") -> list[tuple[str, Any, str]]:
    """Oldest first."""
    rows = ConsentChange.objects.filter(member__number=number).order_by("id")
    return list(rows.values_list("purpose", "value", "source"))


def enrol(till: ApiClient, **consents: Any) -> int:
    return till.post_json("/api/v1/members", {"member": "10042", "consents": consents}).status_code


def patch(till: ApiClient, **consents: Any) -> int:
    return till.patch_json("/api/v1/members/10042", {"consents": consents}).status_code


def test_partners_say_and_take_back(till: ApiClient) -> None:
    assert enrol(till, newsletter=True, partners=False) == 201
    assert enrol(till, newsletter=True, partners=False) == 200
    assert said() == [("newsletter", True, "partner"), ("partners", False, "partner")]
    assert patch(till, newsletter=False, partners=False) == 200
    assert patch(till, newsletter=False, partners=False) == 200
    assert patch(till, newsletter=False) == 200
    assert said()[2:] == [("newsletter", False, "partner"), ("partners", None, "partner")]
    assert {row.by for row in ConsentChange.objects.all()} == {till.partner.client_id}
    assert Member.objects.get().consents == {"newsletter": False}


def test_other_changes_say_nothing_of_consents(till: ApiClient) -> None:
    enrol(till, newsletter=True)
    till.patch_json("/api/v1/members/10042", {"first_name": "Ada"})
    assert len(said()) == 1


def test_a_refusal_keeps_nothing(till: ApiClient) -> None:
    enrol(till, newsletter=True)
    answer = till.patch_json("/api/v1/members/10042", {"consents": {"newsletter": False}, "language": "xx"})
    assert answer.status_code == 422
    assert said() == [("newsletter", True, "partner")]


def test_members_say_it_themselves_and_read_what_was_said(till: ApiClient) -> None:
    enrol(till, news_letter=True)
    Member.objects.update(language="en")
    phone = browser_of(till)
    assert "News letter agreed" in text_of(phone.get("/my/profile"))
    answer = phone.post("/my/profile/consents", {"code": "news_letter", "value": "no"})
    assert (answer.status_code, answer.headers["Location"]) == (302, "/my/profile")
    assert said() == [("news_letter", True, "partner"), ("news_letter", False, "member")]
    page = text_of(phone.get("/my/profile"))
    assert page.index("News letter not agreed") < page.index("News letter agreed")
    assert "by you, here" in page
    assert "through a shop or an app" in page


def test_nothing_was_asked(till: ApiClient) -> None:
    enrol(till)
    Member.objects.update(language="en")
    assert "You were not asked for anything yet." in text_of(browser_of(till).get("/my/profile"))


def test_a_form_of_elsewhere_changes_nothing(till: ApiClient) -> None:
    enrol(till, newsletter=True)
    phone = browser_of(till)
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = phone.cookies
    for path, fields in (
        ("profile", {"language": "fr"}),
        ("profile/consents", {"code": "newsletter", "value": "no"}),
    ):
        assert strict.post(f"/my/{path}", fields).status_code == 403
    assert len(said()) == 1


def test_staff_say_it_and_read_it(till: ApiClient, desk: Client, stranger: Client) -> None:
    enrol(till, newsletter=True)
    page = reverse("admin:members_member_change", args=[Member.objects.get().pk])
    form = desk.get(page).context["adminform"].form
    fields = {name: form.get_initial_for_field(field, name) or "" for name, field in form.fields.items()}
    fields |= {"attributes": "{}", "metadata": "{}", "consents": '{"newsletter": false}'}
    assert desk.post(page, fields).status_code == 302
    assert said()[1:] == [("newsletter", False, "staff")]
    assert ConsentChange.objects.latest("id").by == "carol"
    shown = desk.get(page).content.decode()
    assert "carol" in shown
    assert till.partner.client_id in shown
    assert stranger.get(page).status_code == 302


def test_what_was_said_is_never_rewritten(till: ApiClient) -> None:
    enrol(till, newsletter=True)
    with pytest.raises(IntegrityError, match="append-only"), db_transaction.atomic():
        ConsentChange.objects.update(value=False)
    row = ConsentChange.objects.get()
    row.pk, row.programme = None, ProgrammeFactory()
    with pytest.raises(IntegrityError, match="consent_member_of_programme"), db_transaction.atomic():
        row.save(force_insert=True)


def sent_back(desk: Client, page: str) -> dict[str, Any]:
    """The form of a member as a browser sends it back, with what it showed beside each field."""
    form = desk.get(page).context["adminform"].form
    found: dict[str, Any] = {}
    for field in form:
        shown = field.value()
        found |= dict.fromkeys((field.html_name, field.html_initial_name), "" if shown is None else shown)
    return found


def test_a_stale_page_of_staff_gives_no_consent_back(till: ApiClient, desk: Client) -> None:
    """A member withdraws while staff have her page open; they change her name, and another consent."""
    enrol(till, newsletter=True, sms=True)
    page = reverse("admin:members_member_change", args=[Member.objects.get().pk])
    assert 'name="initial-consents"' in desk.get(page).content.decode()
    named, consented = sent_back(desk, page), sent_back(desk, page)
    patch(till, newsletter=False, sms=True)
    till.patch_json("/api/v1/members/10042", {"last_name": "Lovelace"})
    assert desk.post(page, {**named, "first_name": "Augusta"}).status_code == 302
    member = Member.objects.get()
    assert (member.first_name, member.last_name) == ("Augusta", "Lovelace")
    assert member.consents == {"newsletter": False, "sms": True}
    changed = {**consented, "consents": '{"newsletter": true, "sms": false, "post": true}'}
    assert desk.post(page, changed).status_code == 302
    assert Member.objects.get().consents == {"newsletter": False, "sms": False, "post": True}
    assert ("newsletter", True, "staff") not in said()
