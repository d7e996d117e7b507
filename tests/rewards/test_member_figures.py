"""Every number on a member's page is what the API says at that instant, all her life long, though nobody writes."""

import re
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client

from members.models import Member, Programme
from segments.models import Segment
from tests.factories import ApiClient, token_of
from tests.loyalty.worlds import MONDAY, adjust, earn, euros, reverse, set_aside
from tests.rewards.catalogue import live_gift
from tests.rewards.orders import POST, act, order
from tests.rewards.test_member_pages import browser_of, text_of

pytestmark = pytest.mark.django_db

MINUS = "\N{MINUS SIGN}"


class Life:
    """Ada's programme day by day: what happens on a day, and a look at all pages after it."""

    def __init__(self, till: ApiClient, clock: time_machine.Traveller) -> None:
        self.till, self.clock = till, clock
        self.seen: set[tuple[int, int, int, int]] = set()
        self.statuses: set[str] = set()

    def go_to(self, at: datetime) -> None:
        self.clock.move_to(at)
        self.till.use(token_of(self.till.partner))
        self.look()

    def get(self, path: str) -> Any:
        answer = self.till.get(f"/api/v1{path}")
        assert answer.status_code == 200, answer.content
        return answer.json()

    def look(self) -> None:
        """All pages against all answers; the browser signs in anew, as the days pass."""
        phone = browser_of(self.till)
        figures = self.get("/members/10042/balance")
        me = phone.get("/api/v1/me").json()
        member = self.get("/members/10042")
        assert me["balance"] == figures
        assert me["tier"] == (member["tier"] or {}).get("code")
        check_home(text_of(phone.get("/my/")), figures, me, member)
        self.statuses |= check_history(phone, self.get("/members/10042/history?limit=250")["items"])
        check_gifts(phone, self.get("/gifts?lang=fr&member=10042")["items"], figures["available"])
        check_orders(phone, self.get("/members/10042/history?kind=redemption&limit=250")["items"])
        self.seen.add(tuple(figures[name] for name in ("available", "pending", "held", "debt")))


def number(count: int) -> str:
    """As an English page writes it."""
    return f"{MINUS if count < 0 else ''}{abs(count):,}"


def check_home(page: str, figures: dict[str, Any], me: dict[str, Any], member: dict[str, Any]) -> None:
    assert re.search(rf" {number(figures['available'])} points? to spend ", page), page
    for name, words in (
        ("held", "Set aside for a gift"),
        ("debt", "Owed after a return; your next points pay it"),
    ):
        assert (f"{words} {number(figures[name])}" in page) is (figures[name] > 0)
    coming = re.search(r"([\d,]+) points? becomes? yours to spend:((?: \d+ \w+ \d{4} \+[\d,]+)+)", page)
    assert (coming is not None) is (figures["pending"] > 0)
    if coming:
        parts = re.findall(r"\+([\d,]+)", coming[2])
        assert coming[1] == number(figures["pending"])
        assert sum(int(part.replace(",", "")) for part in parts) == figures["pending"]
    for lot in me["expiring"]:
        day = datetime.fromisoformat(lot["expires_at"])
        assert f"{day.day} {day:%B %Y} {number(lot['points'])}" in page
    assert ("Spend them soon" in page) is bool(me["expiring"])
    tier = member["tier"] or {}
    if tier.get("code"):
        assert f"Your level {tier['name']}" in page
    if tier.get("next"):
        assert re.search(rf"{number(tier['next']['missing'])} points? more, and your level is", page)


def check_history(phone: Client, items: list[dict[str, Any]]) -> set[str]:
    """Points, balances and days row by row, the newest balance first; the statuses seen."""
    page, rows, path = "", [], "/my/history"
    while path:
        page = phone.get(path).content.decode()
        rows += re.findall(
            r'<strong class="change \w+">([^<]+)</strong>\s*<small>balance ([^<]+)</small>', page
        )
        older = re.search(r'href="(\?[^"]+)"[^>]*>\s*Older', page)
        path = "/my/history" + older[1].replace("&amp;", "&") if older else ""
    signed = [("+" if item["points"] > 0 else "") + number(item["points"]) for item in items]
    assert rows == list(zip(signed, [number(item["balance_after"]) for item in items], strict=True))
    return {item["status"] for item in items}


def check_gifts(phone: Client, gifts: list[dict[str, Any]], available: int) -> None:
    page, near = text_of(phone.get("/my/gifts")), text_of(phone.get("/my/gifts?reach=1"))
    assert re.search(rf"You have {number(available)} points? to spend", page)
    in_reach = {gift["code"] for gift in gifts if gift["for_member"]["available"]}
    for gift in gifts:
        one = text_of(phone.get(f"/my/gifts/{gift['code']}"))
        words = f"{gift['name']} {number(gift['points'])} points"
        assert words in page
        assert (words in near) is (gift["code"] in in_reach)
        assert f"{number(gift['points'])} points" in one
        missing = gift["points"] - available
        assert bool(re.search(rf"\b{number(missing)} points? to go", one)) is (missing > 0)
        promise = text_of(phone.get(f"/my/gifts/{gift['code']}/order"))
        left = (
            f"It costs {number(gift['points'])} points You keep {number(available - gift['points'])} points"
        )
        assert (left in promise) is (gift["code"] in in_reach)


def check_orders(phone: Client, items: list[dict[str, Any]]) -> None:
    page = phone.get("/my/orders").content.decode()
    for item in items:
        reference = item["order"]["reference"]
        assert f"/my/orders/{reference}" in page
        one = text_of(phone.get(f"/my/orders/{reference}"))
        assert f"{number(-item['points'])} points" in one
        assert one.count("November 2026, ") + one.count("December 2026, ") == len(item["order"]["history"])


def test_a_life(
    till: ApiClient, club: Segment, ada: Member, programme: Programme, monday: time_machine.Traveller
) -> None:
    """Earned with a delay, given with an end, spent, held, sent back, returned into debt and earned out of it."""
    Member.objects.filter(pk=ada.pk).update(language="en")
    long_ago = MONDAY - timedelta(days=1)
    for code, points in (("PEN", 60), ("MUG", 400), ("CAR", 90_000)):
        live_gift(programme, code, at=long_ago, name={"fr": code.title()}, points=points, is_returnable=True)
    life = Life(till, monday)
    life.go_to(MONDAY)
    assert earn(till, "POS-1").status_code == 201
    adjust(till, "10042", 40, reference="CRM-1", expires_at="2026-12-01T00:00:00+01:00")
    adjust(till, "10042", 1500, reference="CRM-2")
    life.look()
    assert order(till, "MUG", "WEB-1", delivery=POST).status_code == 201
    life.look()
    set_aside(programme, "10042", 100)
    assert order(till, "PEN", "WEB-2", mode="hold", delivery=POST).status_code == 201
    life.look()
    life.go_to(MONDAY + timedelta(minutes=16))
    life.go_to(MONDAY + timedelta(days=1))
    assert act(till, "WEB-1", "cancel").status_code == 200
    life.look()
    life.go_to(datetime.fromisoformat("2026-12-01T00:00:00+01:00") - timedelta(seconds=1))
    life.go_to(datetime.fromisoformat("2026-12-01T00:00:00+01:00"))
    life.go_to(datetime.fromisoformat("2026-12-06T23:59:59+01:00"))
    life.go_to(datetime.fromisoformat("2026-12-07T00:00:00+01:00"))
    spent = life.get("/members/10042/balance")["available"]
    assert adjust(till, "10042", -spent, reference="CRM-3").status_code == 201
    life.look()
    assert reverse(till, "POS-1", "RET-1").status_code == 201
    life.look()
    later = {**euros("190.00"), "occurred_at": "2026-12-07T00:00:00+01:00"}
    earned = earn(till, "POS-2", **later)
    assert earned.status_code == 201, earned.content
    life.look()
    life.go_to(datetime.fromisoformat("2026-12-21T00:00:00+01:00"))
    debts = {debt for _available, _pending, _held, debt in life.seen}
    assert debts == {0, 117}, "she owed what she had spent and returned"
    assert {held for _available, _pending, held, _debt in life.seen} == {0, 160}
    assert len(life.seen) == 9
    assert {"posted", "pending", "expired", "reversed", "cancelled"} <= life.statuses
