"""The history on paper: for the member, and for staff in the member's language."""

import re
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from reportlab import rl_config

from members.models import Member, Programme
from segments.models import Segment
from tests.factories import ApiClient
from tests.loyalty.worlds import adjust, earn
from tests.loyalty.worlds import reverse as send_back
from tests.rewards.orders import mug, order
from tests.rewards.test_member_pages import browser_of
from tests.rewards.test_order_admin import signed_in
from tests.rewards.test_voucher_paper import words
from tests.statements import statements

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def readable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rl_config, "useA85", 0)


@pytest.fixture
def moved(till: ApiClient, club: Segment, ada: Member, programme: Programme) -> Member:
    """A purchase of 117 points, a return of 44, 2,000 points given and 300 spent on a mug."""
    mug(programme, name={"fr": "Tasse"})
    earn(till, "POS-1")
    send_back(till, "POS-1", "RET-1", lines=[{"line": "1", "quantity": "1"}])
    adjust(till, "10042", 2000, reference="CRM-1")
    assert order(till).status_code == 201
    return ada


def paper(client: Client, query: str = "") -> Any:
    return client.get(f"/my/history.pdf{query}")


def said(answer: Any) -> list[str]:
    """The texts of a statement, in the order in which they are written."""
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/pdf")
    assert answer.content.startswith(b"%PDF-")
    shown = (
        line.split("(", 1)[1].rsplit(")", 1)[0]
        for line in words(answer.content).splitlines()
        if " Tj" in line
    )
    plain = (re.sub(r"\\(\d{3})", lambda found: chr(int(found[1], 8)), text) for text in shown)
    # A minus sign is of another font.
    return [re.sub(r"^-\) Tj .* \(", "-", text).replace("\N{NO-BREAK SPACE}", " ") for text in plain]


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("fr", ["Relevé de points", "Solde", "Cadeau : Tasse", "23 novembre 2026", "+2 117", "1 700"]),
        ("nl-BE", ["Puntenoverzicht", "Saldo", "Cadeau: Tasse", "23 november 2026", "2.073", "1.700"]),
        ("en", ["Statement of points", "Balance", "Gift: Tasse", "23 November 2026", "2,073", "1,700"]),
    ],
)
def test_it_works(till: ApiClient, moved: Member, language: str, expected: list[str]) -> None:
    Member.objects.filter(pk=moved.pk).update(language=language)
    assert set(expected) <= set(said(paper(browser_of(till))))


def test_lines_come_oldest_first_with_their_balance(till: ApiClient, moved: Member) -> None:
    Member.objects.filter(pk=moved.pk).update(language="en", first_name="Ada", last_name="Łukasiewicz")
    texts = said(paper(browser_of(till)))
    lines = texts[texts.index("Balance") + 1 : texts.index("Received in this period")]
    assert lines == [
        "23 November 2026", "+117", "117", "Purchase", "partly returned",
        "23 November 2026", "-44", "73", "Return of purchase POS-1",
        "23 November 2026", "+2,000", "2,073", "Correction: test",
        "23 November 2026", "-300", "1,773", "Gift: Tasse", "ordered",
    ]  # fmt: skip
    assert texts[-9:] == [
        "Received in this period", "+2,117", "Spent or taken back in this period", "-344",
        "To spend today", "1,700", "Not yet available", "73", "Page 1",
    ]  # fmt: skip


def test_a_period_is_days_of_the_programme(
    till: ApiClient, moved: Member, monday: time_machine.Traveller
) -> None:
    Member.objects.filter(pk=moved.pk).update(language="en")
    monday.move_to("2026-11-24T23:30:00Z")  # the 25th in Brussels
    adjust(till, "10042", 5, reference="CRM-2")
    phone = browser_of(till)
    only = said(paper(phone, "?from=2026-11-25&to=2026-11-25"))
    assert "From 25 November 2026 to 25 November 2026" in only
    assert only.count("25 November 2026") == 1
    assert ("+5" in only, "1,778" in only, "Purchase" in only) == (True, True, False)
    assert "+5" not in said(paper(phone, "?to=2026-11-24"))
    assert "Nothing happened in this period." in said(paper(phone, "?from=2026-11-26"))


@pytest.mark.parametrize("query", ["?from=yesterday", "?to=2026-13-01", "?from=0001-01-01", "?to=9999-12-31"])
def test_days_that_are_none(till: ApiClient, moved: Member, query: str) -> None:
    assert paper(browser_of(till), query).status_code == 404


def test_strangers_and_other_members(till: ApiClient, moved: Member, bob: Member) -> None:
    assert paper(Client()).status_code == 401
    assert "117" not in " ".join(said(paper(browser_of(till, bob.number))))


def test_staff_print_it_in_the_members_language(
    till: ApiClient, moved: Member, programme: Programme, eve: ApiClient
) -> None:
    Member.objects.filter(pk=moved.pk).update(language="nl-BE")
    address = reverse("admin:rewards_statement", args=[moved.pk])
    ann = signed_in("ann", programme)
    assert address in ann.get(reverse("admin:loyalty_account_change", args=[moved.pk])).content.decode()
    assert "Puntenoverzicht" in said(ann.get(address))
    assert signed_in("eve", eve.partner.programme).get(address).status_code == 404
    assert ann.get(reverse("admin:rewards_statement", args=[0])).status_code == 404
    assert Client().get(address).status_code == 302


def test_a_long_history_takes_pages_and_no_more_queries(till: ApiClient, moved: Member) -> None:
    phone = browser_of(till)
    paper(phone)
    with statements() as few:
        paper(phone)
    for number in range(60):
        adjust(till, "10042", 1, reference=f"MANY-{number}", reason="a long reason " * 12)
    with statements() as many:
        texts = said(paper(phone))
    assert [text for text in texts if text.startswith("Page ")][-1] != "Page 1"
    assert texts.count("+1") == 60
    assert len(many) == len(few)
