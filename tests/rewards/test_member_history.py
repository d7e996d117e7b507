"""What a member asks of her history: a kind, a status, days; as a page, as its part, as a file and on paper."""

import csv
import io
import re
from html import unescape
from typing import Any

import pytest
import time_machine
from django.test import Client

from members.models import Member, Programme
from segments.models import Segment
from tests.factories import ApiClient
from tests.loyalty.worlds import adjust, earn, reverse
from tests.rewards.orders import act, mug, order
from tests.rewards.test_member_pages import browser_of, text_of

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture
def phone(
    till: ApiClient, club: Segment, ada: Member, programme: Programme, monday: time_machine.Traveller
) -> Client:
    """Ada's browser: on Monday a purchase, partly returned, and 2,000 points; on Wednesday two mugs, one cancelled."""
    Member.objects.filter(pk=ada.pk).update(language="en")
    mug(programme, name={"fr": "Tasse"})
    earn(till, "POS-1")
    reverse(till, "POS-1", "RET-1", lines=[{"line": "1", "quantity": "1"}])
    adjust(till, "10042", 2000, reference="CRM-1")
    monday.move_to("2026-11-24T23:30:00Z")  # the 25th in Brussels
    assert order(till, reference="WEB-1").status_code == order(till, reference="WEB-2").status_code == 201
    assert act(till, "WEB-2", "cancel").status_code == 200
    return browser_of(till)


def titles(answer: Any) -> list[str]:
    """What the rows say, newest first."""
    rows = re.findall(r'<div class="title">\s*<strong>([^<]+)</strong>', answer.content.decode())
    return [unescape(text) for text in rows]


ALL = [
    "Gift cancelled: Tasse", "Gift: Tasse", "Gift: Tasse", "Correction: test", "Return of purchase POS-1", "Purchase",
]  # fmt: skip


@pytest.mark.parametrize(
    ("query", "rows"),
    [
        ("", ALL),
        ("kind=&status=&from=&to=", ALL),
        ("kind=redemption", ALL[1:3]),
        ("status=partially_reversed", ["Purchase"]),
        ("status=posted", ALL[3:5]),
        ("status=exchanged", ["Gift: Tasse"]),
        ("status=cancelled", ALL[:2]),
        ("kind=redemption&status=cancelled", ["Gift: Tasse"]),
        ("from=2026-11-25", ALL[:3]),
        ("to=2026-11-24", ALL[3:]),
        ("from=2026-11-24&to=2026-11-24", []),
        ("from=2026-11-23&to=2026-11-23&kind=earn", ["Purchase"]),
    ],
)
def test_what_is_asked_for(phone: Client, query: str, rows: list[str]) -> None:
    """Days are the programme's, both inclusive; an order's status is where it stands now."""
    assert titles(phone.get(f"/my/history?{query}")) == rows


def test_a_status_is_the_apis(till: ApiClient, phone: Client) -> None:
    """The page finds under each status what the API does."""
    offered = re.findall(r'<option value="(\w+)"', phone.get("/my/history").content.decode())
    assert {"posted", "pending", "delivered", "returned"} <= set(offered)
    for status in offered:
        found = till.get(f"/api/v1/members/10042/history?status={status}").json()["items"]
        assert len(titles(phone.get(f"/my/history?status={status}"))) == len(found), status


def test_nothing_of_the_kind(phone: Client) -> None:
    page = text_of(phone.get("/my/history?kind=expiry"))
    assert "Nothing was found. Show everything" in page
    assert "Print it" not in page


def test_a_slip_in_the_days_is_told(phone: Client) -> None:
    for query, said in (
        ("from=2026-11-25&to=2026-11-24", "The last day is before the first."),
        ("from=24/11/2026", "Enter a valid date."),
        ("from=0001-01-01", "Ensure this value is greater than or equal to"),
        ("to=9999-12-31", "Ensure this value is less than or equal to"),
    ):
        answer = phone.get(f"/my/history?{query}&kind=earn")
        page = answer.content.decode()
        assert (answer.status_code, said in page) == (422, True), query
        assert "Nothing is shown until the days are right." in page
        assert titles(answer) == []
        assert re.search(r'name="kind"\s+value="earn"', page), "what was right is kept"


@pytest.mark.parametrize("query", ["status=nonsense", "status=limit_reached", "kind=order", "status=%00"])
def test_what_is_offered_nowhere(phone: Client, query: str) -> None:
    for page in ("history", "history.csv", "history.pdf"):
        assert phone.get(f"/my/{page}?{query}").status_code == 404


def test_turning_keeps_what_is_asked(till: ApiClient, phone: Client) -> None:
    for number in range(30):
        adjust(till, "10042", number + 1, reference=f"MORE-{number}")
    first = phone.get("/my/history?kind=adjustment&from=2026-11-23&status=posted")
    older = re.search(r'href="(\?[^"]*before=[^"]*)"', first.content.decode())
    assert older
    second = phone.get(f"/my/history{unescape(older[1])}")
    assert (len(titles(first)), len(titles(second))) == (25, 6)
    back = re.search(r'href="(\?[^"]*)">\s*Back to the start', second.content.decode())
    assert back
    assert titles(phone.get(f"/my/history{unescape(back[1])}")) == titles(first)


def test_files_hold_what_the_page_shows(phone: Client) -> None:
    page = phone.get("/my/history?kind=redemption&status=cancelled&from=2026-11-25").content.decode()
    address = re.search(r'href="(/my/history\.csv\?[^"]+)"', page)
    assert address
    content = b"".join(phone.get(unescape(address[1])).streaming_content).decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(content)))[1:]
    assert rows == [["2026-11-25", "Gift: Tasse", "cancelled", "-300", "1473", "WEB-2"]]
    paper = re.search(r'href="(/my/history\.pdf\?[^"]+)"', page)
    assert paper
    assert phone.get(unescape(paper[1])).content.startswith(b"%PDF-")


@pytest.mark.parametrize("path", ["history?kind=earn", "gifts?q=tasse", "orders"])
def test_a_part_is_what_the_page_shows(phone: Client, path: str) -> None:
    """Where scripts run, a filter brings its part of the page alone, with the same rows."""
    whole, part = phone.get(f"/my/{path}"), phone.get(f"/my/{path}", headers=HTMX)
    assert (whole.status_code, part.status_code) == (200, 200)
    assert "<html" in whole.content.decode()
    assert "<html" not in part.content.decode()
    assert part.content.decode().split('id="found"', 1)[1].strip() in whole.content.decode()
    assert part.headers["Cache-Control"] == "no-store"


def test_who_is_signed_out_meanwhile_gets_the_whole_page(phone: Client) -> None:
    """Not a page within a page: the browser asks again, and is sent to where one signs in."""
    phone.cookies["member"] = "gone"
    answer = phone.get("/my/history?kind=earn", headers=HTMX)
    assert (answer.status_code, answer.headers["HX-Refresh"], answer.content) == (200, "true", b"")
    assert phone.get("/my/history?kind=earn").headers["Location"] == "/my/choco-club/sign-in"


def test_orders_come_in_pages(till: ApiClient, phone: Client) -> None:
    adjust(till, "10042", 50000, reference="CRM-2")
    for number in range(30):
        assert order(till, reference=f"MANY-{number}").status_code == 201
    first, second = phone.get("/my/orders").content.decode(), phone.get("/my/orders?page=2").content.decode()
    shown = [re.findall(r'href="/my/orders/([A-Z0-9-]+)"', page) for page in (first, second)]
    assert shown == [
        [f"MANY-{number}" for number in range(29, 4, -1)],
        [f"MANY-{number}" for number in range(4, -1, -1)] + ["WEB-2", "WEB-1"],
    ]
    assert 'href="?page=2"' in first
    assert "Older" not in second
    for page in ("3", "0", "-1", "x", "999999999"):
        assert phone.get(f"/my/orders?page={page}").status_code == 404
