"""The pages of a replay: ask, watch, stop, read, download; for the staff of its programme only."""

from datetime import date
from typing import Any

import pytest
from django.test import Client

from loyalty.models import Promotion, Replay
from loyalty.rules import PromotionRule
from loyalty.services import promotion_publish, replay_run
from members.models import Programme
from members.services import staff_create
from tests.factories import ApiClient
from tests.jobs import RunJobs, run_jobs, waiting  # noqa: F401
from tests.loyalty.test_replays import DAYS, FIVE, ask, shop  # noqa: F401
from tests.loyalty.worlds import MONDAY, simple_terms

CONFIRMED = {"_form_submitted": "on"}
ASK = "/admin/loyalty/replay/ask/"


@pytest.fixture
def staff(shop: Programme) -> Client:  # noqa: F811
    return signed_in(shop, "ada")


@pytest.fixture
def stranger(eve: ApiClient) -> Client:
    return signed_in(eve.partner.programme, "mallory")


def signed_in(programme: Programme, name: str) -> Client:
    user = staff_create(username=name, password="correct horse battery", programmes=[programme])
    client = Client()
    client.force_login(user, "django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def promotion(shop: Programme) -> Promotion:  # noqa: F811
    """Published after the baskets."""
    return promotion_publish(programme=shop, code="PR-FIVE", name="Five", rule=FIVE.rule, now=MONDAY)


def page(client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200, answer
    return answer.content.decode()


def form(promotion: Promotion, **changes: Any) -> dict[str, Any]:
    given = {"promotion": promotion.pk, "first_day": DAYS[0], "last_day": DAYS[1], "is_throughout": "on"}
    return given | changes


def path_of(replay: Replay) -> str:
    return f"/admin/loyalty/replay/{replay.pk}/change/"


def test_it_works(staff: Client, promotion: Promotion, run_jobs: RunJobs) -> None:  # noqa: F811
    asked = page(staff, f"{ASK}?promotion={promotion.pk}")
    assert 'value="2026-10-25"' in asked
    assert 'value="2026-11-23"' in asked
    answer = staff.post(ASK, form(promotion))
    replay = Replay.objects.get()
    assert answer["Location"] == path_of(replay)
    assert (replay.asked_by, replay.is_throughout) == ("staff:ada", True)
    assert "It waits for a worker." in page(staff, path_of(replay))
    assert run_jobs() == ["loyalty.tasks.replay"]
    shown = page(staff, path_of(replay))
    for figure in ("+12", "0.12 <small>EUR", "3 <small>of 4</small>", "100 %", "12.5 of 12.5 points", "R-0"):
        assert figure in shown, figure
    assert 'id="replay-charts" type="application/json"' in shown
    assert "data-progress" not in shown


def test_the_list_says_what_came_of_it(staff: Client, shop: Programme) -> None:  # noqa: F811
    replay_run(replay_id=ask(shop).pk)
    shown = page(staff, "/admin/loyalty/replay/")
    assert "PR-FIVE" in shown
    assert "+12" in shown


def test_downloads_neutralise_formulas(staff: Client, shop: Programme) -> None:  # noqa: F811
    replay = ask(shop)
    replay_run(replay_id=replay.pk)
    replay.refresh_from_db()
    replay.result["top"][0]["reference"] = "=cmd|' /C calc'!A0"
    replay.save()
    texts = {}
    for table in ("days", "baskets", "members"):
        answer = staff.get(f"/admin/loyalty/replay/{replay.pk}/{table}.csv")
        assert answer["Content-Type"].startswith("text/csv")
        assert f"replay-PR-FIVE-{replay.pk}-{table}.csv" in answer["Content-Disposition"]
        texts[table] = b"".join(answer.streaming_content).decode()
    assert "2026-11-20,2,20,30,10,0.100000,10.00,2,10.00,2.50" in texts["days"].splitlines()
    assert "\n=cmd" not in texts["baskets"]
    assert "R-1,2026-11-20T09:00:00+00:00,10,15,5" in texts["baskets"].splitlines()
    assert texts["members"].splitlines()[1:] == ["1–9,2"]
    assert staff.get(f"/admin/loyalty/replay/{replay.pk}/secrets.csv").status_code == 404


def test_while_it_runs_it_shows_how_far_it_is(staff: Client, shop: Programme) -> None:  # noqa: F811
    replay = ask(shop)
    Replay.objects.update(status="running", baskets_found=4000, baskets_read=2500)
    shown = page(staff, path_of(replay))
    assert "2,500 of 4,000 baskets" in shown
    assert 'max="4000" value="2500"' in " ".join(shown.split())
    assert staff.get(f"/admin/loyalty/replay/{replay.pk}/days.csv").status_code == 404
    staff.post(f"/admin/loyalty/replay/{replay.pk}/cancel/", CONFIRMED)
    replay.refresh_from_db()
    assert replay.status == "cancelled"
    assert "It was stopped." in page(staff, path_of(replay))


def test_a_failed_one_says_why_and_runs_again(
    staff: Client,
    shop: Programme,  # noqa: F811
    run_jobs: RunJobs,  # noqa: F811
) -> None:
    replay = ask(shop)
    Replay.objects.update(status="failed", error="Clear <words>.", ended_at=MONDAY)
    assert "Clear &lt;words&gt;." in page(staff, path_of(replay))
    staff.post(f"/admin/loyalty/replay/{replay.pk}/again/", CONFIRMED)
    run_jobs()
    replay.refresh_from_db()
    assert (replay.status, replay.result["points"]) == ("done", 52)


def test_refusals_stand_in_the_form(staff: Client, promotion: Promotion) -> None:
    answer = staff.post(ASK, form(promotion, last_day=date(2026, 11, 1)))
    assert "It ends before it starts." in answer.content.decode()
    promotion.versions.update(is_voided=True)
    answer = staff.post(ASK, form(promotion))
    assert "All its versions are voided" in answer.content.decode()
    assert not Replay.objects.exists()


def test_two_of_a_promotion_stand_side_by_side(staff: Client, shop: Programme) -> None:  # noqa: F811
    first, second = ask(shop), ask(shop, first_day=DAYS[1])
    for replay in (first, second):
        replay_run(replay_id=replay.pk)
    shown = page(staff, path_of(first))
    assert "side by side" in shown
    assert path_of(second) in shown


def test_an_empty_period_says_so(staff: Client, shop: Programme) -> None:  # noqa: F811
    replay = ask(shop, first_day=date(2026, 1, 1), last_day=date(2026, 1, 2))
    replay_run(replay_id=replay.pk)
    assert "The period has no baskets." in page(staff, path_of(replay))


def test_without_a_points_value_it_asks_for_one(staff: Client, shop: Programme) -> None:  # noqa: F811
    Programme.objects.update(point_value=None)
    replay = ask(shop)
    replay_run(replay_id=replay.pk)
    assert "Set a point&#x27;s value" in page(staff, path_of(replay)).replace("'", "&#x27;")


def test_another_programmes_staff_see_and_do_nothing(
    stranger: Client,
    shop: Programme,  # noqa: F811
    promotion: Promotion,
) -> None:
    replay = ask(shop)
    replay_run(replay_id=replay.pk)
    before = Replay.objects.values().get()
    assert "PR-FIVE" not in page(stranger, "/admin/loyalty/replay/")
    for path in (f"{replay.pk}/days.csv", f"{replay.pk}/change/"):
        answer = stranger.get(f"/admin/loyalty/replay/{path}")
        assert answer.status_code in (302, 404), path
        assert answer.status_code == 404 or answer["Location"] == "/admin/"
    for move in ("cancel", "again"):
        stranger.post(f"/admin/loyalty/replay/{replay.pk}/{move}/", CONFIRMED)
    answer = stranger.post(ASK, form(promotion))
    assert "Select a valid choice" in answer.content.decode()
    assert "PR-FIVE" not in page(stranger, f"{ASK}?promotion={promotion.pk}")
    assert Replay.objects.values().get() == before


def test_signed_out_it_asks_to_sign_in(shop: Programme) -> None:  # noqa: F811
    replay = ask(shop)
    for path in (path_of(replay), ASK, f"/admin/loyalty/replay/{replay.pk}/days.csv"):
        answer = Client().get(path)
        assert answer.status_code == 302
        assert "/admin/login/" in answer["Location"]


def test_no_terms_at_a_time_of_the_period_is_no_error(stranger: Client, eve: ApiClient) -> None:
    """A programme without a basket has nothing to suggest."""
    simple_terms(eve.partner.programme)
    promotion = promotion_publish(
        programme=eve.partner.programme, code="PR-X", name="X", rule=PromotionRule("fixed", "1"), now=MONDAY
    )
    assert "PR-X" in page(stranger, f"{ASK}?promotion={promotion.pk}")
