"""What staff do in the back office of gifts: what can be done now and no more, prices, and who stands for vouchers."""

from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from loyalty.models import Promotion
from members.models import Member, Programme
from rewards.models import PromotionalPrice, RewardVersion, VoucherIssuer
from rewards.services import promotional_price_set, version_submit
from segments.models import Segment
from tests.factories import ApiClient
from tests.loyalty.desks import PASSWORD, desk, second, signed_in, stranger  # noqa: F401
from tests.loyalty.worlds import MONDAY
from tests.rewards.catalogue import gift, live_gift, revised
from tests.rewards.test_catalogue_admin import FORM, act, change, messages
from tests.rewards.test_member_pages import browser_of

pytestmark = pytest.mark.django_db


def offered(client: Client, version: RewardVersion) -> set[str]:
    """The buttons of a version's page."""
    shown = client.get(change(version)).content.decode()
    names = ("validate", "schedule", "request_changes", "withdraw")
    return {
        name for name in names if reverse(f"admin:rewards_rewardversion_{name}", args=[version.pk]) in shown
    }


def submitted(
    programme: Programme, actor: str = "staff:carol", code: str = "GFT-1", **fields: Any
) -> RewardVersion:
    version = gift(programme, code, **fields).versions.get()
    return version_submit(version=version, actor=actor, now=MONDAY)


# --- The validation desk -------------------------------------------------------------------------------


def test_the_page_offers_what_the_person_may_do(desk: Client, second: Client, programme: Programme) -> None:  # noqa: F811
    version = submitted(programme)
    assert offered(desk, version) == {"request_changes", "withdraw"}
    assert offered(second, version) == {"validate", "request_changes", "withdraw"}
    act(second, version, "validate")
    assert offered(second, version) == set()


def test_it_goes_live_at_an_instant_of_the_programmes_clock(
    second: Client,  # noqa: F811
    till: ApiClient,
    programme: Programme,
    monday: time_machine.Traveller,
) -> None:
    live_gift(programme, "GFT-1", points=500)
    version = revised(programme.rewards.get(), points=400)
    version_submit(version=version, actor="staff:carol", now=MONDAY)
    act(second, version, "validate", live_at="2026-12-24T18:00")
    version.refresh_from_db()
    assert version.shown_from is not None
    assert version.shown_from.isoformat() == "2026-12-24T17:00:00+00:00"

    def points() -> int:
        return int(till.get("/api/v1/gifts/GFT-1").json()["points"])

    assert points() == 500
    assert offered(second, version) == {"withdraw"}, "it is scheduled"
    monday.move_to("2026-12-24T17:59:59+01:00")
    assert points() == 500
    monday.move_to("2026-12-24T18:00:00+01:00")
    assert points() == 400
    assert offered(second, version) == set()


def test_a_scheduled_version_is_given_up(
    second: Client,  # noqa: F811
    till: ApiClient,
    programme: Programme,
    monday: time_machine.Traveller,
) -> None:
    version = submitted(programme)
    act(second, version, "validate", live_at="2026-12-24T18:00")
    act(second, version, "withdraw")
    monday.move_to("2026-12-25T18:00:00+01:00")
    assert till.get("/api/v1/gifts/GFT-1").status_code == 404


def test_what_became_of_many_is_told_together(desk: Client, second: Client, programme: Programme) -> None:  # noqa: F811
    rows = [submitted(programme, code=f"G-{number:02}") for number in range(12)]
    chosen = {"action": "validate_chosen", "_selected_action": [row.pk for row in rows]}
    url = reverse("admin:rewards_rewardversion_changelist")
    (refused,) = messages(desk.post(url, chosen, follow=True))
    assert refused.startswith("G-00, version 1; G-01, version 1; ")
    assert refused.endswith("; and 2 more: Who submitted a version does not validate it.")
    (done,) = messages(second.post(url, chosen, follow=True))
    assert done.endswith("; and 2 more: Live.")
    assert set(RewardVersion.objects.values_list("state", flat=True)) == {"live"}


def test_a_wrong_instant_decides_nothing(second: Client, programme: Programme) -> None:  # noqa: F811
    version = submitted(programme)
    answer = act(second, version, "validate", live_at="tomorrow")
    version.refresh_from_db()
    assert (version.state, "Enter a valid date" in answer.content.decode()) == ("submitted", True)


def test_what_waits_is_not_rewritten(desk: Client, programme: Programme) -> None:  # noqa: F811
    version = submitted(programme, points=700)
    fields = {**FORM, "points": "1300", "name_fr": "Boîte", "name_nl-BE": "Doos", "attributes": "{}"}
    answer = desk.post(change(version.reward), fields, follow=True)
    assert any("decide on it" in text for text in messages(answer)), messages(answer)
    assert list(version.reward.versions.values_list("points", "state")) == [(700, "submitted")]


def test_steps_say_who_and_what_in_words(desk: Client, second: Client, programme: Programme) -> None:  # noqa: F811
    version = submitted(programme)
    act(second, version, "request_changes", comment="Autre photo")
    for row in (version, version.reward):
        shown = desk.get(change(row)).content.decode()
        assert ">Changes requested<" in shown
        assert ">dave<" in shown
        assert "staff:" not in shown
        assert "history/" not in shown, "the steps are the history"


# --- Promotional prices --------------------------------------------------------------------------------


@pytest.fixture
def prices(programme: Programme, club: Segment) -> str:
    reward = live_gift(programme, "GFT-1", points=500)
    return reverse("admin:rewards_reward_prices", args=[reward.pk])


def test_a_promotional_price_is_set_and_removed(
    desk: Client,  # noqa: F811
    till: ApiClient,
    ada: Member,
    prices: str,
) -> None:
    choc = Promotion.objects.get(code="PR-CHOC3X")

    def shown() -> tuple[int, int | None]:
        body = till.get("/api/v1/gifts/GFT-1", {"member": ada.number}).json()
        return body["points"], body["points_before"]

    assert "None yet" in desk.get(prices).content.decode()
    answer = desk.post(prices, {"promotion": choc.pk, "points": "400"}, follow=True).content.decode()
    assert "PR-CHOC3X" in answer
    assert shown() == (400, 500)
    desk.post(prices, {"promotion": choc.pk, "points": "350"})
    assert shown() == (350, 500)
    page = desk.get(change(PromotionalPrice.objects.get().reward)).content.decode()
    assert "PR-CHOC3X: 350 points" in page
    desk.post(prices, {"promotion": choc.pk})
    assert shown() == (500, None)


@pytest.mark.parametrize("points", ["0", "-1", "1.5", "x", str(2**53 + 1)])
def test_a_wrong_price_is_no_price(desk: Client, prices: str, points: str) -> None:  # noqa: F811
    choc = Promotion.objects.get(code="PR-CHOC3X")
    answer = desk.post(prices, {"promotion": choc.pk, "points": points})
    assert answer.status_code == 200
    assert answer.context["form"].errors["points"]
    assert not PromotionalPrice.objects.exists()


def test_prices_know_one_programme(desk: Client, stranger: Client, eve: ApiClient, prices: str) -> None:  # noqa: F811
    assert stranger.get(prices).status_code == 404
    foreign = Promotion.objects.create(programme=eve.partner.programme, code="PR-EVE", name="Eve")
    assert "PR-EVE" not in desk.get(prices).content.decode()
    answer = desk.post(prices, {"promotion": foreign.pk, "points": "1"})
    assert answer.context["form"].errors["promotion"]
    ours = Promotion.objects.get(code="PR-CHOC3X")
    assert stranger.post(prices, {"promotion": ours.pk, "points": "1"}).status_code == 404
    assert not PromotionalPrice.objects.exists()


def test_members_find_gifts_by_what_they_pay(
    till: ApiClient, programme: Programme, prices: str, ada: Member
) -> None:
    live_gift(programme, "GFT-2", points=450, name={"fr": "Savon", "nl-BE": "Zeep"})
    choc = Promotion.objects.get(code="PR-CHOC3X")
    shown = browser_of(till).get("/my/gifts").content.decode()
    assert shown.index("/my/gifts/GFT-2") < shown.index("/my/gifts/GFT-1")
    promotional_price_set(reward=programme.rewards.get(code="GFT-1"), promotion=choc, points=400, now=MONDAY)
    shown = browser_of(till).get("/my/gifts").content.decode()
    assert shown.index("/my/gifts/GFT-1") < shown.index("/my/gifts/GFT-2")


# --- Who stands for vouchers ---------------------------------------------------------------------------


def test_an_issuer_with_conditions_in_every_language(
    desk: Client,  # noqa: F811
    stranger: Client,  # noqa: F811
    programme: Programme,
) -> None:
    add = reverse("admin:rewards_voucherissuer_add")
    said = {"name": "Choco NV", "address": "Kaai 1\n9000 Gent", "company_number": "BE 0123.456.749"}
    desk.post(add, {**said, "conditions_fr": "Non remboursable", "conditions_nl-BE": " "})
    issuer = VoucherIssuer.objects.get()
    assert (issuer.programme, issuer.conditions) == (programme, {"fr": "Non remboursable"})
    assert "Non remboursable" in desk.get(change(issuer)).content.decode()
    desk.post(change(issuer), {**said, "name": "Choco SA", "conditions_nl-BE": "Niet inwisselbaar"})
    issuer.refresh_from_db()
    assert (issuer.name, issuer.conditions) == ("Choco SA", {"nl-BE": "Niet inwisselbaar"})
    assert desk.post(change(issuer), {**said, "name": ""}).status_code == 200
    assert stranger.post(change(issuer), {**said, "name": "Eve"}).status_code in {302, 404}
    issuer.refresh_from_db()
    assert issuer.name == "Choco SA"
