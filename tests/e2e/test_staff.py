"""The back office in a browser: staff make a promotion and look at what it would do, keep segments and event types,
have gifts validated and move orders."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.db import connections
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Page, expect

from loyalty.models import PromotionVersion
from loyalty.rules import PromotionDraft, PromotionRule
from loyalty.services import promotion_draft_save, promotion_void
from members.models import Member, Programme
from members.services import language_add, staff_create
from members.services.programmes import ENGLISH
from segments.models import Segment
from segments.services import segment_create
from tests.e2e.looking import Look
from tests.factories import ApiClient, MemberFactory, ProgrammeFactory
from tests.jobs import drain, empty_queue
from tests.loyalty.worlds import BASKET, adjust, choco_club, earn, event, silver_vip
from tests.rewards.catalogue import category, live_gift
from tests.rewards.orders import POST, order

pytestmark = pytest.mark.django_db(transaction=True)

PASSWORD = "correct horse battery 9"
INKED = """canvas => canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height)
    .data.some((value, place) => place % 4 === 3 && value > 0)"""
"""Whether anything is drawn on a canvas."""


@pytest.fixture
def club(transactional_db: None) -> Segment:
    """The worked example's programme in three languages, with ada, six of her receipts, and bob; its segment."""
    programme: Programme = ProgrammeFactory(code="choco-club", name="Choco Club")
    language_add(programme=programme, language=ENGLISH, position=2)
    segment = choco_club(programme)
    weekend = PromotionVersion.objects.get(promotion__code="PR-WEEKEND")
    promotion_void(version=weekend, now=timezone.now())  # points do not depend on the day of the run
    ada: Member = MemberFactory(programme=programme, number="10042", first_name="Ada", language="en")
    MemberFactory(programme=programme, number="10043", first_name="Bob")
    silver_vip(ada, segment)
    empty_queue()
    return segment


@pytest.fixture
def shop(club: Segment) -> ApiClient:
    """The programme's partner, after six receipts of ada."""
    shop, now = ApiClient(club.programme), timezone.now()
    for day in range(6):
        occurred_at = (now - timedelta(days=day, hours=1)).isoformat()
        assert earn(shop, f"POS-{day}", **{**BASKET, "occurred_at": occurred_at}).status_code == 201
    return shop


@pytest.fixture
def carol(club: Segment) -> User:
    return staff_create(username="carol", password=PASSWORD, programmes=[club.programme])


def come_in(page: Page, user: User, live_server: Any) -> None:
    """With the session of somebody who signed in before."""
    client = Client()
    client.force_login(user, "django.contrib.auth.backends.ModelBackend")
    cookie = client.cookies[settings.SESSION_COOKIE_NAME]
    page.context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": live_server.url}])


def act(page: Page, title: str, **answers: str) -> None:
    """Choose one of the actions of a page, behind the dots on a phone; say what its dialog asks, and yes."""
    link = page.locator("li > a.cursor-pointer").filter(has_text=title).first
    link.wait_for(state="attached")
    if not link.is_visible():
        page.locator("a", has_text="more_horiz").first.click()
    has_dialog = link.get_attribute("hx-get") is not None
    link.click()
    if not has_dialog:
        return
    dialog = page.locator("#dialog")
    for name, text in answers.items():
        dialog.locator(f"[name={name}]").fill(text)
    with page.expect_navigation():
        dialog.get_by_role("button", name="Yes").click()


def work() -> list[str]:
    """Do the jobs that wait, beside the browser's loop; the names of their tasks."""

    def run() -> list[str]:
        try:
            return drain()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(run).result()


def file(name: str, text: str) -> Any:
    return {"name": name, "mimeType": "text/csv", "buffer": text.encode()}


def told(page: Page, text: str) -> None:
    """What the page tells of what was done."""
    expect(page.get_by_text(text).first).to_be_visible()


def test_a_promotion_is_written_tried_and_published(
    page: Page, carol: User, shop: ApiClient, look: Look
) -> None:
    page.goto("/admin/login/")
    look.at("staff-sign-in")
    page.locator("[name=username]").fill("carol")
    page.locator("[name=password]").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url("**/admin/")
    look.at("staff-start")
    page.goto("/admin/loyalty/promotion/add/")
    summary = page.locator("#rule-summary")
    page.locator("#id_code").fill("PR-WINTER")
    page.locator("#id_name").fill("Winter")
    page.locator("#id_effect").select_option("fixed")
    page.locator("#id_value").fill("25")
    expect(summary).to_contain_text("All customers get 25 extra points.")
    page.get_by_label("Saturday").check()
    page.get_by_label("Sunday").check()
    expect(summary).to_contain_text("Sat Sun")
    page.locator("#id_ends_at").fill(f"{timezone.now() + timedelta(days=2):%Y-%m-%dT00:00}")
    expect(summary).to_contain_text("Warning: It ends")
    look.at("promotion-typed")
    for day in ("Saturday", "Sunday"):
        page.get_by_label(day).uncheck()
    page.get_by_role("button", name="Save as a draft").click()
    told(page, "It has no effect until published.")
    page.get_by_role("button", name="Find receipts").click()
    page.get_by_role("button", name="Try POS-3").click()
    expect(page.get_by_role("heading", name="Without the draft: 117 points")).to_be_visible()
    expect(page.get_by_role("heading", name="With the draft: 142 points")).to_be_visible()
    look.at("promotion-tried")
    page.get_by_role("button", name="Publish now").click()
    told(page, "Promotion PR-WINTER is published.")
    look.at("promotion-published")
    page.goto("/admin/loyalty/promotion/")
    look.at("promotions")


def test_a_draft_is_replayed(page: Page, carol: User, shop: ApiClient, look: Look, live_server: Any) -> None:
    draft = PromotionDraft("Winter", PromotionRule("fixed", "25"))
    promotion = promotion_draft_save(
        programme=shop.partner.programme, code="PR-WINTER", draft=draft, actor="carol", now=timezone.now()
    )
    come_in(page, carol, live_server)
    page.goto(f"/admin/loyalty/promotion/{promotion.pk}/change/")
    page.get_by_role("link", name="Replay it over past baskets").click()
    look.at("replay-ask")
    page.get_by_role("button", name="Run it").click()
    told(page, "Queued")
    assert work() == ["loyalty.tasks.replay"]
    expect(page.get_by_role("heading", name="What it would change")).to_be_visible()
    expect(page.locator("dl.tiles")).to_contain_text("+150")
    canvases = page.locator("canvas[data-chart]")
    page.wait_for_load_state("networkidle")
    assert [canvas.evaluate(INKED) for canvas in canvases.all()] == [True, True]
    look.at("replay-report")
    with page.expect_download() as started:
        page.get_by_role("link", name="Days as CSV").click()
    rows = started.value.path().read_text("utf-8-sig").splitlines()
    assert len(rows) == 1 + 6


def test_who_is_in_a_segment(page: Page, carol: User, shop: ApiClient, look: Look, live_server: Any) -> None:
    segment = segment_create(
        programme=shop.partner.programme, code="spenders", name="Big spenders", kind="dynamic"
    )
    come_in(page, carol, live_server)
    page.goto(f"/admin/segments/segment/{segment.pk}/change/")
    act(page, "Edit criteria")
    page.get_by_label("Number").fill("500")
    expect(page.locator("#count")).to_contain_text("0 members")
    page.get_by_label("Number").fill("200")
    expect(page.locator("#count")).to_contain_text("1 member, e.g. 10042 (Ada)")
    page.get_by_label("When", exact=True).select_option("days")
    page.get_by_label("Days", exact=True).fill("90")
    expect(page.locator("#count")).to_contain_text("in the last 90 days")
    look.at("criteria")
    page.get_by_role("button", name="See who enters and leaves").click()
    expect(page.locator(".tile", has_text="Enter")).to_contain_text("1")
    look.at("criteria-review")
    page.get_by_role("button", name="Save and refresh").click()
    told(page, "The criteria are saved")
    assert work() == ["segments.tasks.refresh_segment"]
    expect(page.locator(".tile", has_text="Members now")).to_contain_text("1")
    look.at("segment")


def test_a_file_of_members(page: Page, carol: User, club: Segment, look: Look, live_server: Any) -> None:
    come_in(page, carol, live_server)
    page.goto(f"/admin/segments/segment/{club.pk}/change/")
    act(page, "Upload members")
    look.at("upload")
    rows = "member;reason\n10043;fair 2026\n10042;fair 2026\nnobody;fair 2026\n"
    page.locator("#file").set_input_files(file("fair.csv", rows))
    page.get_by_role("button", name="Look at it").click()
    expect(page.locator(".tile", has_text="are put in")).to_contain_text("1")
    expect(page.locator(".tile", has_text="name a number that nobody has")).to_contain_text("1")
    look.at("upload-preview")
    act(page, "Go ahead")
    work()
    told(page, "Done, ")
    look.at("upload-done")
    with page.expect_download() as started:
        page.get_by_role("link", name="Download the 1 rejected row as CSV").click()
    assert "nobody" in started.value.path().read_text("utf-8-sig")


def test_an_event_type_and_its_queue(
    page: Page, carol: User, shop: ApiClient, look: Look, live_server: Any
) -> None:
    come_in(page, carol, live_server)
    page.goto("/admin/loyalty/eventtype/add/")
    page.locator("#id_code").fill("survey_completed")
    page.locator("#id_name").fill("Survey completed")
    page.locator("#id_attributes").fill("score: whole number")
    page.locator("#id_attribute").fill("score")
    page.locator("#id_rate").fill("5")
    page.locator("#id_review").check()
    look.at("event-type")
    page.get_by_role("button", name="Save and continue editing").click()
    act(page, "Try an event")
    page.get_by_label("Member number").fill("10042")
    page.locator("#id_attributes").fill('{"score": 9}')
    page.get_by_role("button", name="Try it").click()
    told(page, "once approved it gives 45 points")
    look.at("event-tried")
    occurred_at = (timezone.now() - timedelta(minutes=1)).isoformat()
    sent = event(shop, "EV-1", type="survey_completed", occurred_at=occurred_at, attributes={"score": 9})
    assert sent.status_code == 202
    page.goto("/admin/loyalty/event/")
    act(page, "Review queue")
    look.at("event-queue")
    page.get_by_role("link", name="EV-1").click()
    act(page, "Approve", reason="read")
    told(page, "EV-1 is approved.")
    expect(page.get_by_text("Posted").first).to_be_visible()
    look.at("event-approved")
    page.goto("/admin/loyalty/eventtype/")
    look.at("event-types")
    page.goto("/admin/loyalty/tier/")
    told(page, "Silver")
    look.at("tiers")


def test_a_gift_is_changed_and_validated(
    page: Page, carol: User, club: Segment, look: Look, live_server: Any
) -> None:
    programme = club.programme
    category(programme, "sweets", name={"fr": "Douceurs", "en": "Sweets"})
    name = {"fr": "Boîte de pralines", "nl-BE": "Doos pralines", "en": "Box of pralines"}
    gift = live_gift(
        programme, "BOX", at=timezone.now() - timedelta(days=1), name=name, categories=("sweets",)
    )
    come_in(page, carol, live_server)
    page.goto("/admin/rewards/reward/")
    look.at("gifts")
    page.get_by_role("link", name="BOX", exact=True).click()
    page.locator("#id_points").fill("1300")
    page.get_by_role("button", name="Save and continue editing").click()
    look.at("gift")
    act(page, "As members see it")
    for language, called in zip(("Français", "Nederlands (België)", "English"), name.values(), strict=True):
        page.get_by_role("link", name=language).click()
        expect(page.get_by_role("heading", name=called)).to_be_visible()
    look.at("gift-preview")
    page.goto(f"/admin/rewards/reward/{gift.pk}/change/")
    act(page, "Submit")
    told(page, "BOX is submitted.")
    ben = staff_create(username="ben", password=PASSWORD, programmes=[programme])
    come_in(page, ben, live_server)
    page.goto("/admin/rewards/rewardversion/")
    look.at("validation-desk")
    page.get_by_role("link", name="BOX", exact=True).click()
    expect(page.locator("table.differences ins")).to_have_text("1300")
    expect(page.locator("table.differences del")).to_have_text("1200")
    look.at("version")
    act(page, "Validate", comment="Good")
    newest = gift.versions.order_by("number").last()
    assert newest is not None
    assert (newest.state, newest.points) == ("live", 1300)


def test_many_orders_move_at_once(
    page: Page, carol: User, shop: ApiClient, look: Look, live_server: Any
) -> None:
    adjust(shop, "10042", 5000)
    live_gift(shop.partner.programme, "MUG", at=timezone.now() - timedelta(days=1), points=400)
    for reference in ("W-1", "W-2"):
        assert order(shop, "MUG", reference, delivery=POST).status_code == 201
    come_in(page, carol, live_server)
    page.goto("/admin/rewards/redemption/")
    for box in page.locator("input.action-select").all():
        box.check()
    page.locator("select[name=action]").select_option("prepare_chosen")
    look.at("orders-chosen")
    page.get_by_role("button", name="Run").click()
    told(page, "2 orders are now: in preparation.")
    look.at("orders")
    page.get_by_role("link", name="W-1").click()
    told(page, "Ada, Rue Neuve 1, 1000 Bruxelles")
    look.at("order")
    page.goto("/admin/rewards/redemption/picking-list/")
    look.at("picking-list")
