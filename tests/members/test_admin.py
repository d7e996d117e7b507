"""The back office: every page opens, staff stay in their programmes, writes go through services."""

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractUser
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from unfold.admin import ModelAdmin

from members.models import Activity, Member, OutboxEvent, Partner, Programme, ProgrammeLanguage
from members.selectors import secret_opens
from members.services import staff_create
from segments.models import Membership
from tests.factories import ApiClient, MemberFactory, MembershipFactory, ProgrammeFactory, SegmentFactory

PASSWORD = "correct horse battery 9"
CONFIRMED = {"_form_submitted": "on"}
pytestmark = pytest.mark.django_db


@pytest.fixture
def carol(programme: Programme) -> AbstractUser:
    """Staff of the programme."""
    return staff_create(username="carol", password=PASSWORD, programmes=[programme])


@pytest.fixture
def desk(carol: AbstractUser) -> Client:
    """Carol, signed in."""
    client = Client()
    client.force_login(carol, "django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def root() -> Client:
    user = get_user_model().objects.create_superuser("root", password=PASSWORD)
    client = Client()
    client.force_login(user, "django.contrib.auth.backends.ModelBackend")
    return client


def texts(answer: HttpResponse) -> list[str]:
    """What the next page tells."""
    return [str(message) for message in answer.context["messages"]]


def test_a_partner_has_no_page_outside_the_back_office(root: Client, till: ApiClient) -> None:
    page = root.get(reverse("admin:members_partner_change", args=[till.partner.pk]))
    assert till.partner.client_id in page.content.decode()
    assert "/admin/r/" not in page.content.decode()


@pytest.mark.parametrize("model", admin.site._registry, ids=lambda model: model._meta.label)
def test_every_list_and_form_opens(root: Client, model: Any) -> None:
    assert isinstance(admin.site._registry[model], ModelAdmin)
    prefix = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
    assert root.get(prefix).status_code == 200
    assert root.get(prefix + "?q=x").status_code == 200
    assert root.get(prefix + "add/").status_code in {200, 403}


def test_signing_in(carol: AbstractUser) -> None:
    client = Client()
    form = {"username": "carol", "password": PASSWORD, "next": "/admin/"}
    assert client.post("/admin/login/", form).status_code == 302
    assert client.get("/admin/").status_code == 200


def test_five_wrong_passwords_lock_out(carol: AbstractUser) -> None:
    client = Client()
    for _ in range(5):
        answer = client.post("/admin/login/", {"username": "carol", "password": "wrong"})
    assert answer.status_code == 429
    form = {"username": "carol", "password": PASSWORD}
    assert client.post("/admin/login/", form).status_code == 429


def test_staff_see_only_their_programmes(desk: Client, ada: Member, eve: ApiClient) -> None:
    foreign = MemberFactory(programme=eve.partner.programme, number="77777")
    page = desk.get("/admin/members/member/")
    assert b"10042" in page.content
    assert b"77777" not in page.content
    for url in (
        f"/admin/members/member/{foreign.pk}/change/",
        f"/admin/members/partner/{eve.partner.pk}/change/",
        f"/admin/members/programme/{eve.partner.programme_id}/change/",
    ):
        assert desk.get(url).status_code == 302
        assert desk.post(url, {"name": "mine"}).status_code == 302
    assert b"tea-house" not in desk.get("/admin/members/partner/add/").content
    eve.partner.refresh_from_db()
    assert eve.partner.name == "Till 7"


def test_staff_cannot_act_in_another_programme(desk: Client, eve: ApiClient) -> None:
    form = {"programme": eve.partner.programme_id, "name": "Trojan", "allowed_scopes": ["points:earn"]}
    assert desk.post("/admin/members/partner/add/", form).status_code == 200
    for name in ("rotate_secret", "revoke_tokens"):
        url = reverse(f"admin:members_partner_{name}", args=[eve.partner.pk])
        assert desk.post(url, CONFIRMED).status_code == 404
    assert Partner.objects.count() == 1
    assert eve.get("/api/v1/languages").status_code == 200


def test_actions_ask_first(desk: Client, till: ApiClient) -> None:
    rotate = reverse("admin:members_partner_rotate_secret", args=[till.partner.pk])
    revoke = reverse("admin:members_partner_revoke_tokens", args=[till.partner.pk])
    assert desk.get(rotate).status_code == desk.get(revoke).status_code == 200
    till.partner.refresh_from_db()
    assert till.partner.previous_secret_expires_at is None
    assert till.get("/api/v1/languages").status_code == 200
    answer = desk.post(rotate, CONFIRMED, follow=True)
    (secret,) = re.findall(r"secret (\w{128})\.", texts(answer)[0])
    till.partner.refresh_from_db()
    assert secret_opens(till.partner, secret, datetime.now(UTC))
    assert secret_opens(till.partner, till.secret, datetime.now(UTC))
    by_dialog = desk.post(revoke, CONFIRMED, headers={"HX-Request": "true"})
    assert by_dialog.headers["HX-Redirect"] == f"/admin/members/partner/{till.partner.pk}/change/"
    assert till.get("/api/v1/languages").status_code == 401


def test_a_member_is_closed(desk: Client, ada: Member) -> None:
    desk.post(reverse("admin:members_member_close", args=[ada.pk]), CONFIRMED)
    ada.refresh_from_db()
    assert ada.status == Member.Status.CLOSED
    assert OutboxEvent.objects.get().type == "member.closed"


def test_nobody_deletes(desk: Client, ada: Member) -> None:
    assert desk.post(f"/admin/members/member/{ada.pk}/delete/", {"post": "yes"}).status_code == 403
    assert Member.objects.exists()


def test_only_superusers_open_programmes(desk: Client, root: Client) -> None:
    form = {
        "code": "new-club",
        "name": "New club",
        "currency": "EUR",
        "time_zone": "Europe/Paris",
        "status": "active",
        "overdraw": "debt",
        "backdating_days": "30",
        "grace_days": "0",
        "on_unknown_member": "refuse",
    }
    assert desk.post("/admin/members/programme/add/", form).status_code == 403
    assert root.post("/admin/members/programme/add/", form | {"time_zone": "Mars/Base"}).status_code == 302
    assert not Programme.objects.filter(code="new-club").exists()
    assert root.post("/admin/members/programme/add/", form).status_code == 302
    programme = Programme.objects.get(code="new-club")
    assert [language.code for language in programme.languages.all()] == ["en"]
    assert programme.history.count() >= 1


def test_currency_freezes_with_the_first_transaction(root: Client, ada: Member) -> None:
    Activity.objects.create(programme=ada.programme, member=ada, day="2026-11-23")
    url = f"/admin/members/programme/{ada.programme_id}/change/"
    form = {
        "name": "Choco",
        "currency": "USD",
        "time_zone": "Europe/Brussels",
        "status": "active",
        "overdraw": "debt",
        "backdating_days": "30",
        "grace_days": "0",
        "on_unknown_member": "refuse",
    }
    answer = root.post(url, form, follow=True)
    assert "frozen" in " ".join(texts(answer))
    ada.programme.refresh_from_db()
    assert (ada.programme.currency, ada.programme.name) == ("EUR", "Choco-Club")
    root.post(url, form | {"currency": "EUR"})
    ada.programme.refresh_from_db()
    assert ada.programme.name == "Choco"


def test_a_secret_is_shown_once(desk: Client, programme: Programme) -> None:
    form = {"programme": programme.pk, "name": "Web shop", "allowed_scopes": ["points:earn", "members:read"]}
    answer = desk.post("/admin/members/partner/add/", form, follow=True)
    partner = Partner.objects.get()
    (secret,) = re.findall(r"secret (\w{128})\.", texts(answer)[0])
    assert secret_opens(partner, secret, datetime.now(UTC))
    assert set(partner.allowed_scopes) == {"points:earn", "members:read"}
    assert partner.authorization_grant_type == Partner.GRANT_CLIENT_CREDENTIALS
    page = desk.get(f"/admin/members/partner/{partner.pk}/change/")
    assert secret.encode() not in page.content
    assert partner.client_secret.encode() not in page.content


def test_enrol_and_change(desk: Client, programme: Programme) -> None:
    form = {
        "programme": programme.pk,
        "number": "1",
        "first_name": "Zoë",
        "attributes": "{}",
        "consents": "{}",
        "metadata": "{}",
    }
    assert desk.post("/admin/members/member/add/", form).status_code == 302
    member = Member.objects.get()
    assert member.language == "fr"
    url = f"/admin/members/member/{member.pk}/change/"
    del form["programme"], form["number"]
    answer = desk.post(url, form | {"birth_date": "2999-01-01"}, follow=True)
    assert any("birth_date" in text for text in texts(answer))
    desk.post(url, form | {"birth_date": "1990-05-01", "language": "fr"})
    member.refresh_from_db()
    assert member.birth_date_changes[0]["was"] is None
    assert [event.type for event in OutboxEvent.objects.all()] == ["member.enrolled", "member.updated"]


def test_a_new_default_language_replaces_the_old(desk: Client, programme: Programme) -> None:
    dutch = ProgrammeLanguage.objects.get(code="nl-BE")
    form = {"name": "Nederlands", "direction": "ltr", "is_default": "on", "fallback": "fr", "position": "1"}
    assert desk.post(f"/admin/members/programmelanguage/{dutch.pk}/change/", form).status_code == 302
    assert list(programme.languages.filter(is_default=True)) == [dutch]


def test_membership_by_hand(desk: Client, ada: Member, eve: ApiClient) -> None:
    segment = SegmentFactory(programme=ada.programme)
    form = {
        "segment": segment.pk,
        "member": ada.pk,
        "valid_from_0": "2026-01-02",
        "valid_from_1": "00:00:00",
        "reason": "asked",
    }
    assert desk.post("/admin/segments/membership/add/", form).status_code == 302
    membership = Membership.objects.get()
    assert (membership.source, membership.reason) == ("staff", "asked")
    desk.post(reverse("admin:segments_membership_end_now", args=[membership.pk]), CONFIRMED)
    membership.refresh_from_db()
    assert membership.valid_until is not None
    foreign = SegmentFactory(programme=eve.partner.programme)
    assert desk.post("/admin/segments/membership/add/", form | {"segment": foreign.pk}).status_code == 200
    assert Membership.objects.count() == 1


def test_lists_do_not_ask_once_per_row(
    desk: Client, programme: Programme, django_assert_num_queries: Any
) -> None:
    MembershipFactory.create_batch(3, member__programme=programme)
    ProgrammeFactory()
    with django_assert_num_queries(7):
        desk.get("/admin/segments/membership/")
    MembershipFactory.create_batch(5, member__programme=programme)
    with django_assert_num_queries(7):
        desk.get("/admin/segments/membership/")


@pytest.mark.parametrize(
    "path",
    ["members/partner", "members/member", "segments/segment", "segments/membership", "loyalty/promotion"],
)
def test_filters_name_nothing_foreign(
    desk: Client, root: Client, carol: AbstractUser, ada: Member, eve: ApiClient, path: str
) -> None:
    second = ProgrammeFactory(code="second-club")
    carol.programme_memberships.create(programme=second)
    for programme in (ada.programme, second):
        MembershipFactory(member__programme=programme)
    MembershipFactory(member__programme=eve.partner.programme, segment__code="secret-segment")
    own, every = (client.get(f"/admin/{path}/").content.decode() for client in (desk, root))
    for foreign in ("Tea-House", "secret-segment"):
        assert foreign not in own
    assert "Tea-House" in every or "secret-segment" in every


def test_an_id_that_is_none_is_not_found(root: Client, ada: Member) -> None:
    assert root.post("/admin/members/member/x/close/", CONFIRMED).status_code == 404
