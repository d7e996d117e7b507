"""The member's own pages: home, history, why a purchase gave its points, groups."""

import csv
import io
import re
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.utils.translation import get_language, override

from loyalty.models import EventType
from loyalty.selectors import STATUSES
from loyalty.services import tier_create, tier_rules_set
from members.models import Member, Programme
from rewards.lifecycle import Status
from rewards.pages import words
from segments.models import Membership, Segment
from tests.factories import ApiClient, MemberFactory
from tests.loyalty.worlds import MONDAY, adjust, balance, earn, euros, event, event_type, reverse, take_back
from tests.rewards.catalogue import live_gift
from tests.statements import statements

pytestmark = pytest.mark.django_db


def browser_of(till: ApiClient, number: str = "10042") -> Client:
    """A browser in which the member is signed in."""
    phone = Client()
    phone.get(till.post_json("/api/v1/identifications", {"member": number}).json()["login_url"])
    return phone


def text_of(answer: Any) -> str:
    """What a page says, without its tags."""
    assert answer.status_code == 200, answer.content
    words = re.sub(r"<[^>]+>", " ", answer.content.decode().split("<main", 1)[1])
    return re.sub(r"\s+", " ", words)


@pytest.fixture
def english(programme: Any, ada: Member) -> Member:
    """Ada, whose pages come in English."""
    Member.objects.filter(pk=ada.pk).update(language="en")
    return ada


@pytest.fixture
def phone(till: ApiClient, club: Segment, english: Member) -> Client:
    return browser_of(till)


def test_home(till: ApiClient, phone: Client) -> None:
    earn(till, "POS-1")
    adjust(till, "10042", 2510, reference="CRM-1")
    page = text_of(phone.get("/my/"))
    assert "Hello Ada" in page
    assert "2,510 points to spend" in page
    assert "117 points become yours to spend: 7 December 2026 +117" in page
    assert "Your level Silver" in page
    assert "Correction: test" in page


def test_home_before_anything_happened(phone: Client) -> None:
    page = text_of(phone.get("/my/"))
    assert "0 points to spend" in page
    assert "Nothing yet." in page


def test_home_tells_of_debt_and_of_points_that_expire(till: ApiClient, phone: Client, programme: Any) -> None:
    adjust(till, "10042", 300, reference="CRM-1", expires_at="2026-12-24T00:00:00+01:00")
    assert "Spend them soon These points expire at the start of the day: 24 December 2026 300" in text_of(
        phone.get("/my/")
    )


def test_every_figure_is_the_apis_also_while_points_activate_and_expire(
    till: ApiClient, phone: Client, monday: time_machine.Traveller
) -> None:
    """Nobody writes meanwhile: the page settles what it reads as the API does."""
    earn(till, "POS-1")
    adjust(till, "10042", 40, reference="CRM-1", expires_at="2026-12-01T00:00:00+01:00")
    seen = set()
    for _ in range(20):
        figures = balance(till)
        page = text_of(browser_of(till).get("/my/"))
        assert f"{figures['available']} point" in page
        assert (f"{figures['pending']} points become yours" in page) is (figures["pending"] > 0)
        seen.add((figures["available"], figures["pending"]))
        monday.shift(timedelta(days=1))
    assert seen == {(40, 117), (0, 117), (117, 0)}


def test_home_shows_the_way_to_the_next_level(till: ApiClient, phone: Client, programme: Any) -> None:
    tier_create(programme=programme, code="GOLD", name="Gold", rank=2, threshold=500)
    tier_rules_set(programme=programme, period="year", now=MONDAY)
    earn(till, "POS-1", **euros("100.00"))
    page = text_of(phone.get("/my/"))
    told = till.get("/api/v1/members/10042").json()["tier"]
    assert told["next"]["missing"] > 0
    assert f"{told['next']['missing']} points more, and your level is Gold" in page


def test_home_shows_what_gives_more_and_why(phone: Client) -> None:
    page = text_of(phone.get("/my/"))
    assert "Pr-Choc3X because you were chosen for it · on chocolate Points × 3" in page
    assert "Pr-Weekend for everybody · Saturday, Sunday 50 extra points" in page
    Segment.objects.update(is_shown_to_members=True)
    assert "because you are in VIP Brussels" in text_of(phone.get("/my/"))


def test_home_shows_what_expiring_points_would_still_buy(
    till: ApiClient, phone: Client, programme: Any
) -> None:
    live_gift(programme, "MUG", at=MONDAY - timedelta(days=1), name={"fr": "Tasse"}, points=100)
    live_gift(programme, "BOX", at=MONDAY - timedelta(days=1), name={"fr": "Coffret"}, points=900)
    adjust(till, "10042", 1000, reference="CRM-1")
    adjust(till, "10042", 300, reference="CRM-2", expires_at="2026-12-24T00:00:00+01:00")
    page = text_of(phone.get("/my/"))
    assert "They would still buy: Tasse 100" in page
    assert "Coffret" not in page


def test_history(till: ApiClient, phone: Client) -> None:
    earn(till, "POS-1")
    reverse(till, "POS-1", "RET-1", lines=[{"line": "1", "quantity": "1"}])
    page = text_of(phone.get("/my/history"))
    assert "Return of purchase POS-1" in page
    assert "\N{MINUS SIGN}44 balance 73" in page
    assert "Purchase partly returned 23 November 2026" in page
    assert "+117 balance 117" in page
    assert "Return of" not in text_of(phone.get("/my/history?kind=earn"))
    assert "Nothing was found." in text_of(phone.get("/my/history?kind=expiry"))


def file_of(phone: Client) -> list[list[str]]:
    """The history as a file, after the language of the request is over."""
    answer = phone.get("/my/history.csv")
    with override("en"):
        content = b"".join(answer.streaming_content).decode("utf-8-sig")
        assert get_language() == "en"
    return list(csv.reader(io.StringIO(content)))


def test_the_history_as_a_file(till: ApiClient, phone: Client) -> None:
    earn(till, "POS-1")
    reverse(till, "POS-1", "RET-1", lines=[{"line": "1", "quantity": "1"}])
    assert file_of(phone) == [
        ["Day", "What happened", "Status", "Points", "Balance", "Reference"],
        ["2026-11-23", "Return of purchase POS-1", "booked", "-44", "73", "RET-1"],
        ["2026-11-23", "Purchase", "partly returned", "117", "117", "POS-1"],
    ]
    assert Client().get("/my/history.csv").status_code == 401


@pytest.mark.parametrize(
    ("language", "header", "bought"),
    [("fr", "Jour", ["Achat", "pas encore disponible"]), ("nl", "Dag", ["Aankoop", "nog niet beschikbaar"])],
)
def test_the_file_speaks_the_members_language(
    till: ApiClient, phone: Client, ada: Member, language: str, header: str, bought: list[str]
) -> None:
    Member.objects.filter(pk=ada.pk).update(language=language)
    earn(till, "POS-1")
    found = file_of(phone)
    assert found[0][0] == header
    assert found[1][1:3] == bought


def test_the_file_runs_no_formula(till: ApiClient, phone: Client) -> None:
    adjust(till, "10042", 5, reference="CRM-1", reason="=HYPERLINK(1)")
    assert "'=HYPERLINK(1)" in file_of(phone)[1][1] or not file_of(phone)[1][1].startswith("=")


@pytest.mark.parametrize(
    "query", ["kind=nonsense", "before=x", "before=-1", "before=" + "9" * 30, "before=%00"]
)
def test_what_is_no_history(phone: Client, query: str) -> None:
    assert phone.get(f"/my/history?{query}").status_code == 404


def test_older_pages(till: ApiClient, phone: Client) -> None:
    for number in range(30):
        adjust(till, "10042", number + 1, reference=f"CRM-{number}")
    first = phone.get("/my/history").content.decode()
    older = re.search(r'href="(\?[^"]+)"[^>]*>\s*Older', first)
    assert older
    second = phone.get("/my/history" + older[1].replace("&amp;", "&")).content.decode()
    assert (first.count("Correction: test"), second.count("Correction: test")) == (25, 5)
    assert "Older" not in second


def test_every_status_has_a_word_of_ours() -> None:
    assert words.STATUSES.keys() >= {*Status, *STATUSES}


def test_what_is_nearly_reached_has_the_decimal_sign_of_the_language(
    till: ApiClient, ada: Member, club: Segment
) -> None:
    Member.objects.filter(pk=ada.pk).update(language="fr")
    earn(till, "POS-1")
    page = text_of(browser_of(till).get("/my/purchases/POS-1"))
    assert "Avec 5,10 EUR de plus, « " in page
    assert "Pr-Choc3X : Points × 3" in page, "a space before the colon"


def test_events_are_called_as_in_the_language_of_the_page(
    till: ApiClient, phone: Client, programme: Programme, english: Member
) -> None:
    kind = event_type(programme)
    EventType.objects.filter(pk=kind.pk).update(labels={"fr": "Avis écrit", "nl-BE": "Review geschreven"})
    event(till, "R-1")
    take_back(till, "R-1", "R-2")
    page = text_of(phone.get("/my/history"))
    assert "Taken back: Avis écrit" in page, "of a language the programme does not speak: its default"
    Member.objects.filter(pk=english.pk).update(language="nl-BE")
    dutch = text_of(phone.get("/my/history"))
    assert dutch.count("Review geschreven") == 2
    assert "Review written" not in dutch
    EventType.objects.filter(pk=kind.pk).update(labels={"fr": "Avis écrit"})
    assert "Avis écrit" in text_of(phone.get("/my/history")), "nl-BE falls back to fr"
    EventType.objects.filter(pk=kind.pk).update(labels={})
    assert "Teruggenomen: Review written" in text_of(phone.get("/my/history"))


def test_why(till: ApiClient, phone: Client, club: Segment) -> None:
    """The worked example, as the member reads it: the segment is named once members may see it."""
    earn(till, "POS-1")
    page = text_of(phone.get("/my/purchases/POS-1"))
    assert "117 points, and why" in page
    assert "2 × CHOC-1 25.00 EUR · Neuhaus Pr-Choc3X: Points × 3, because you were chosen for it 87" in page
    assert "1 × MUG-7 19.90 EUR · home 30" in page, "no offer for the mug"
    assert "Points for what you paid 44.90 × 1 44.90" in page
    assert "Your level: Silver 44.90 × 0.5 22.45" in page
    assert "because you were chosen for it 25.00 × 2 50.00" in page
    assert "Rounded to whole points \N{MINUS SIGN}0.35" in page
    assert "5.10 EUR more, and Pr-50Eur would have added 100 points." in page
    assert "Pr-Weekend It does not run on this weekday" in page
    assert "VIP Brussels" not in page
    Segment.objects.update(is_shown_to_members=True)
    assert "because you are in VIP Brussels" in text_of(phone.get("/my/purchases/POS-1"))


def test_why_of_another_member_is_not_found(till: ApiClient, phone: Client, programme: Any) -> None:
    MemberFactory(programme=programme, number="10099")
    earn(till, "POS-9", member="10099", **euros("10.00"))
    assert phone.get("/my/purchases/POS-9").status_code == 404
    assert phone.get("/my/purchases/nothing").status_code == 404


def test_groups(phone: Client) -> None:
    assert "You are in no group right now." in text_of(phone.get("/my/segments"))
    Segment.objects.update(is_shown_to_members=True)
    Membership.objects.update(reason="Spends a lot, complains a lot")
    page = text_of(phone.get("/my/segments"))
    assert "VIP Brussels since" in page
    assert "complains" not in page


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        ({"nl-BE": "Omdat.", "fr": "Parce que."}, "VIP Brussels Parce que. since"),
        ({"nl-BE": "Omdat."}, "VIP Brussels Omdat. since"),
        ({"fr": "<b>You</b>"}, "VIP Brussels &lt;b&gt;You&lt;/b&gt; since"),
    ],
)
def test_why_a_member_is_in_a_group(phone: Client, texts: dict[str, str], said: str) -> None:
    Segment.objects.update(is_shown_to_members=True, descriptions=texts)
    assert said in text_of(phone.get("/my/segments"))


@pytest.mark.parametrize(
    "path", ["/my/", "/my/history", "/my/purchases/POS-1", "/my/segments", "/my/profile"]
)
def test_strangers_see_nothing(till: ApiClient, club: Segment, path: str) -> None:
    earn(till, "POS-1")
    answer = Client().get(path)
    assert answer.status_code == 401
    assert "117" not in answer.content.decode()


@pytest.mark.parametrize(
    ("path", "most"),
    [("/my/", 7), ("/my/history", 3), ("/my/purchases/POS-1", 6), ("/my/segments", 3), ("/my/profile", 6)],
)
def test_queries_do_not_grow_with_the_history(till: ApiClient, phone: Client, path: str, most: int) -> None:
    earn(till, "POS-1")
    phone.get(path)
    with statements() as few:
        phone.get(path)
    for number in range(60):
        adjust(till, "10042", number + 1, reference=f"CRM-{number}")
    with statements() as many:
        phone.get(path)
    assert len(many) == len(few) <= most


def test_no_page_of_a_person_is_kept(phone: Client) -> None:
    for path in ("/my/", "/my/history", "/my/segments"):
        assert phone.get(path).headers["Cache-Control"] == "no-store"
