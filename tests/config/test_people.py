"""All that is held of a member as one document: for the member, and for staff who are asked by letter."""

import json
import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse

from config.kernel import dossier
from config.people import DOWNLOADS
from members.models import Member, Programme
from members.services import consent_purpose_save
from segments.models import Segment
from tests.config.lives import whole_life
from tests.factories import ApiClient, MemberFactory
from tests.fixtures import ada, bob, eve, nothing_remembered, programme  # noqa: F401
from tests.ledger_checks import ledger_holds  # noqa: F401
from tests.loyalty.conftest import club, monday, till  # noqa: F401
from tests.loyalty.desks import desk, stranger  # noqa: F401
from tests.loyalty.worlds import MONDAY, adjust, balance, earn, euros
from tests.rewards.orders import use
from tests.rewards.test_member_pages import browser_of
from tests.statements import statements

pytestmark = pytest.mark.django_db
URL = "/my/profile/data"
CHANGE = "admin:members_member_change"


@pytest.fixture
def life(till: ApiClient, club: Segment, ada: Member) -> dict[str, str]:  # noqa: F811
    """Ada did everything one can do; the codes of her vouchers by order."""
    return whole_life(till, ada)


def document(client: Client, url: str = URL) -> dict[str, Any]:
    return document_in(client.get(url))


def document_in(answer: Any) -> dict[str, Any]:
    assert answer.status_code == 200, answer.content
    return json.loads(b"".join(answer))


def test_it_works(till: ApiClient, life: dict[str, str]) -> None:  # noqa: F811
    answer = browser_of(till).get(URL)
    assert answer.streaming
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="data-10042.json"'
    assert answer.headers["Cache-Control"] == "private, no-store"
    found = json.loads(b"".join(answer))
    assert found["about"] == {
        "format": "ristourne-member-1",
        "made_at": "2026-11-23T09:15:02Z",
        "programme": {
            "code": "choco-club",
            "name": "Choco-Club",
            "currency": "EUR",
            "time_zone": "Europe/Brussels",
        },
    }
    assert found["profile"]["consents"] == {"newsletter": True}
    assert found["profile"]["attributes"] == {"shoe": 38}
    assert found["profile"]["metadata"] == {"crm": "A-1"}
    assert {name: found["balance"][name] for name in balance(till)} == balance(till)
    assert [entry["seq"] for entry in found["entries"]] == list(range(1, len(found["entries"]) + 1))
    assert all(section for section in found.values()), "ada did everything"


def test_purchases_are_told_line_by_line_with_their_returns(till: ApiClient, life: dict[str, str]) -> None:  # noqa: F811
    late, purchase, other = document(browser_of(till))["transactions"]
    assert (late["reference"], other["reference"]) == ("POS-0", "POS-2")
    assert (purchase["reference"], purchase["partner"], purchase["points"]) == ("POS-1", "Till 7", 117)
    assert purchase["lines"][0] == {
        "line": "1",
        "quantity": "2",
        "amount": "25",
        "sku": "CHOC-1",
        "category": "chocolate",
        "brand": "Neuhaus",
        "points_eligible": True,
        "points": 87,
    }
    assert purchase["remaining_lines"][0] == {"line": "1", "quantity": "1", "amount": "12.5"}
    assert [(back["reference"], back["points"]) for back in purchase["reversals"]] == [("RET-1", -44)]


def test_what_others_wrote_of_the_member_is_told_and_not_who(till: ApiClient, life: dict[str, str]) -> None:  # noqa: F811
    found = document(browser_of(till))
    held, pinned = found["memberships"], found["pins"]
    assert {(row["segment"]["code"], row["reason"]) for row in held} >= {("big-spenders", "knows the owner")}
    assert [row["reason"] for row in pinned] == ["knows the owner"]
    (grant,) = [row for row in found["tier_changes"] if row["why"] == "granted"]
    assert (grant["reason"], grant["actor"]) == ("apology", "staff")
    assert {(row["purpose"], row["source"], row["by"]) for row in found["consent_changes"]} >= {
        ("newsletter", "staff", "")
    }
    assert "carol" not in json.dumps(found), "that is data of somebody else"


def test_consents_come_with_the_words_that_were_read(till: ApiClient, ada: Member) -> None:  # noqa: F811
    consent_purpose_save(
        programme=ada.programme, code="sms", names={"fr": "SMS"}, texts={"fr": "Un."}, now=MONDAY
    )
    till.patch_json("/api/v1/members/10042", {"consents": {"sms": True, "post": True}})
    consent_purpose_save(programme=ada.programme, code="sms", texts={"fr": "Deux."}, now=MONDAY)
    found = document(browser_of(till))["consent_changes"]
    assert {row["purpose"]: row["wording"] for row in found} == {
        "sms": {"number": 1, "names": {"fr": "SMS"}, "texts": {"fr": "Un."}},
        "post": None,
    }


def test_orders_come_with_steps_delivery_and_usable_codes(till: ApiClient, life: dict[str, str]) -> None:  # noqa: F811
    orders = {order["reference"]: order for order in document(browser_of(till))["redemptions"]}
    assert orders["W-MUG"]["delivery"]["address"]["street"] == "Rue Neuve 1"
    assert [move["status"] for move in orders["W-MUG"]["moves"]] == ["exchanged"]
    assert orders["W-HELD"]["hold"]["points"] == 300
    (card,) = orders["W-CARD"]["vouchers"]
    assert (card["code"], card["balance"]) == (life["W-CARD"], "20.0000")
    assert [(used["reference"], used["amount"], used["partner"]) for used in card["uses"]] == [
        ("USE-1", "5.0000", "Till 7")
    ]
    assert orders["W-CINEMA"]["vouchers"][0]["code"] == "KINO-1"


def test_a_code_that_cannot_be_used_any_more_is_not_shown(
    till: ApiClient,  # noqa: F811
    life: dict[str, str],
    monday: Any,  # noqa: F811
) -> None:
    assert use(till, life["W-CARD"], amount="20.00").status_code == 200
    orders = {order["reference"]: order for order in document(browser_of(till))["redemptions"]}
    assert (orders["W-CARD"]["vouchers"][0]["status"], orders["W-CARD"]["vouchers"][0]["code"]) == (
        "used",
        None,
    )
    monday.shift(timedelta(days=400))
    orders = {order["reference"]: order for order in document(browser_of(till))["redemptions"]}
    over = orders["W-EXPIRES"]["vouchers"][0]
    assert (over["status"], over["code"]) == ("active", None)


@pytest.mark.parametrize("page", [1, 2, 3, 500])
def test_the_document_is_the_same_however_it_is_cut(
    till: ApiClient,  # noqa: F811
    life: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    page: int,
) -> None:
    phone = browser_of(till)
    whole = document(phone)
    monkeypatch.setattr(dossier, "PAGE", page)
    assert document(phone) == whole


def test_it_is_only_the_members_own(
    till: ApiClient,  # noqa: F811
    life: dict[str, str],
    bob: Member,  # noqa: F811
    eve: ApiClient,  # noqa: F811
) -> None:
    namesake = MemberFactory(programme=eve.partner.programme, number="10042", first_name="Edda")
    for client, member in ((till, bob), (eve, namesake)):
        found = document(browser_of(client, member.number))
        assert found["profile"]["first_name"] == member.first_name
        assert found["profile"]["number"] == member.number
        assert {name for name, section in found.items() if section} == {
            "about",
            "profile",
            "balance",
            "sessions",
        }
        assert (len(found["sessions"]), found["balance"]["available"]) == (1, 0)


def test_a_stranger_is_sent_to_sign_in(till: ApiClient, club: Segment) -> None:  # noqa: F811
    assert Client().get(URL).status_code == 401
    phone = browser_of(till)
    phone.cookies.pop("member")
    assert phone.get(URL).headers["Location"] == "/my/choco-club/sign-in"


def test_the_profile_leads_to_it(till: ApiClient, club: Segment) -> None:  # noqa: F811
    page = browser_of(till).get("/my/profile").content.decode()
    assert f'href="{URL}"' in page
    assert "Télécharger mes données" in page


def test_not_too_often(till: ApiClient, club: Segment, bob: Member, monday: Any) -> None:  # noqa: F811
    phone = browser_of(till)
    assert {phone.get(URL).status_code for _ in range(DOWNLOADS.limit)} == {200}
    refused = phone.get(URL)
    assert refused.status_code == 429
    assert 0 < int(refused.headers["Retry-After"]) <= DOWNLOADS.window
    assert "Réessayez dans une heure" in refused.content.decode()
    assert browser_of(till).get(URL).status_code == 429, "another session is the same member"
    assert browser_of(till, bob.number).get(URL).status_code == 200
    monday.shift(timedelta(hours=1))
    assert browser_of(till).get(URL).status_code == 200


def test_queries_grow_with_pages_alone(
    till: ApiClient,  # noqa: F811
    club: Segment,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of each list a query for a page, and one more for the returns of a page of purchases."""
    phone = browser_of(till)

    def sent() -> int:
        with statements() as asked:
            document(phone)
        return len(asked)

    def live(round_: int) -> None:
        for number in range(10):
            assert earn(till, f"POS-{round_}-{number}", **euros("20.00")).status_code == 201
            assert adjust(till, "10042", 1).status_code == 201

    live(1)
    few = sent()
    live(2)
    assert sent() == few
    monkeypatch.setattr(dossier, "PAGE", 5)
    cut = sent()
    live(3)
    entries = lots = 20 // 5
    transactions = returns = adjustments = 10 // 5
    assert sent() == cut + entries + lots + transactions + returns + adjustments


def test_staff_download_it_for_who_wrote_a_letter(
    desk: Client,  # noqa: F811
    till: ApiClient,  # noqa: F811
    life: dict[str, str],
    ada: Member,  # noqa: F811
) -> None:
    """The same document without codes, and a line in the log; a link that leads there does nothing."""
    address = reverse("member-data-by-staff", args=[ada.pk])
    assert (
        f'<form method="post" action="{address}">'
        in desk.get(reverse(CHANGE, args=[ada.pk])).content.decode()
    )
    assert desk.get(address).status_code == 405
    assert not LogEntry.objects.exists()
    theirs = document_in(desk.post(address))
    own = document(browser_of(till))
    codes = {voucher["code"] for order in theirs["redemptions"] for voucher in order["vouchers"]}
    assert codes == {None}
    assert {name for name in own if own[name] != theirs[name]} == {"redemptions", "sessions"}
    log = LogEntry.objects.get()
    assert (log.user.get_username(), log.object_id) == ("carol", str(ada.pk))
    assert log.get_change_message() == "Downloaded the member's data."


def test_the_button_carries_the_pages_own_token(desk: Client, club: Segment, ada: Member) -> None:  # noqa: F811
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = desk.cookies
    address = reverse("member-data-by-staff", args=[ada.pk])
    assert strict.post(address).status_code == 403
    assert not LogEntry.objects.exists()
    page = strict.get(reverse(CHANGE, args=[ada.pk])).content.decode()
    form = page.split(f'action="{address}">', 1)[1]
    found = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', form)
    assert found
    assert strict.post(address, {"csrfmiddlewaretoken": found[1]}).status_code == 200


def test_a_closed_member_may_still_ask(desk: Client, club: Segment, ada: Member) -> None:  # noqa: F811
    Member.objects.filter(pk=ada.pk).update(status="closed")
    answer = desk.post(reverse("member-data-by-staff", args=[ada.pk]))
    assert document_in(answer)["profile"]["status"] == "closed"


def test_nobody_else_gets_it_from_the_back_office(
    stranger: Client,  # noqa: F811
    till: ApiClient,  # noqa: F811
    club: Segment,  # noqa: F811
    ada: Member,  # noqa: F811
    django_user_model: Any,
    programme: Programme,  # noqa: F811
) -> None:
    address = reverse("member-data-by-staff", args=[ada.pk])
    assert stranger.post(address).status_code == 404
    former = django_user_model.objects.create_user("former", password="x" * 20)
    former.programme_memberships.create(programme=programme)
    visitor = Client()
    visitor.force_login(former, "django.contrib.auth.backends.ModelBackend")
    for client in (Client(), visitor, browser_of(till)):
        for ask in (client.get, client.post):
            assert "/admin/login/" in ask(address).headers["Location"]
    assert not LogEntry.objects.exists()
