"""Consents in a browser: staff write what is asked, a member agrees, reads later what she agreed to, and withdraws."""

from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from config.demo.texts import PURPOSES
from members.models import ConsentPurpose, ConsentWording, Member
from members.services import consent_purpose_save, staff_create
from tests.e2e.looking import Look
from tests.e2e.members import choco_shop, come_in
from tests.e2e.test_staff import PASSWORD
from tests.e2e.test_staff import come_in as staff_come_in
from tests.factories import ApiClient

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def shop(transactional_db: None) -> ApiClient:
    """Members are asked for two things; ada's shop knows of a third."""
    shop = choco_shop()
    for code, (names, texts) in PURPOSES.items():
        consent_purpose_save(
            programme=shop.partner.programme, code=code, names=names, texts=texts, now=timezone.now()
        )
    Member.objects.filter(number="10042").update(consents={"text_messages": True})
    return shop


def test_a_member_says_it_and_takes_it_back(
    page: Page, shop: ApiClient, live_server: Any, look: Look
) -> None:
    come_in(page, shop, live_server)
    page.goto("/my/profile")
    letter = page.locator("li", has_text="Once a month by e-mail")
    expect(letter).to_contain_text("not agreed")
    look.at("profile-asked")
    letter.get_by_role("button", name="Agree").click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    expect(letter.first).to_contain_text("since")
    consent_purpose_save(
        programme=shop.partner.programme,
        code="newsletter",
        texts={**PURPOSES["newsletter"][1], "en": "Every week by e-mail."},
        now=timezone.now(),
    )
    page.reload()
    letter = page.locator("li", has_text="Every week by e-mail.")
    expect(letter).to_contain_text("The text has changed since you agreed to it.")
    page.get_by_text("What was said so far, and when").click()
    expect(page.get_by_text("Once a month by e-mail")).to_be_visible()
    look.at("profile-said")
    letter.get_by_role("button", name="Withdraw").click()
    expect(letter.first).to_contain_text("not agreed")
    look.at("profile-withdrawn")
    member = Member.objects.get(number="10042")
    assert member.consents == {"text_messages": True, "newsletter": False}


def test_staff_write_what_is_asked(page: Page, shop: ApiClient, live_server: Any, look: Look) -> None:
    programme = shop.partner.programme
    carol = staff_create(username="carol", password=PASSWORD, programmes=[programme])
    staff_come_in(page, carol, live_server)
    page.goto("/admin/members/consentpurpose/")
    look.at("consents", checks_access=False)
    page.goto("/admin/members/consentpurpose/add/")
    page.locator("#id_programme").select_option("Choco Club")
    page.get_by_label("Code").fill("post")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Now write what members read")).to_be_visible()
    page.get_by_label("Name, Français").fill("Courrier")
    page.get_by_label("Text, Français").fill("Par la poste, deux fois par an.")
    look.at("consent-purpose", checks_access=False)
    page.get_by_role("button", name="Save", exact=True).click()
    page.wait_for_url("**/consentpurpose/")
    wording = ConsentWording.objects.get(purpose=ConsentPurpose.objects.get(code="post"))
    assert (wording.number, wording.names) == (1, {"fr": "Courrier"})
