"""A language in which every translated text is put in brackets: what stands outside them must be data."""

import re
from collections.abc import Iterator
from datetime import timedelta
from html.parser import HTMLParser
from typing import Any

import pytest
from django.test import Client
from django.utils.translation.trans_real import DjangoTranslation

from loyalty.services import tier_create, tier_rules_set
from members.models import Member, Programme
from rewards.labels import earn_label
from segments.models import Segment
from tests.factories import ApiClient, MemberFactory
from tests.loyalty.worlds import MONDAY, adjust, earn, event, event_type, reverse
from tests.rewards.catalogue import category, live_gift
from tests.rewards.orders import POST, act, card, order
from tests.rewards.test_member_pages import browser_of

pytestmark = pytest.mark.django_db

OPEN, CLOSE = "\N{MATHEMATICAL LEFT WHITE SQUARE BRACKET}", "\N{MATHEMATICAL RIGHT WHITE SQUARE BRACKET}"
DATA = (
    "Choco-Club", "Ada", "Silver", "Gold", "VIP Brussels", "EUR", "BXL-01", "CHOC-1", "MUG-7", "Neuhaus", "chocolate",
    "home", "test", "Tasse", "Bon", "Maison", "Royal", "Pr-Choc3X", "Pr-Weekend", "Pr-50Eur", "Review written", "POS-1",
    "WEB-1", "WEB-2", "WEB-3", "Till", "Nederlands (België)", "Nederlands", "Français", "English", "ada@example.org",
    "CSV", "PDF", "g de", "pralines",
)  # fmt: skip
"""What people and partners called things."""
SPOKEN = ("alt", "aria-label", "title", "placeholder", "value")
PATHS = (
    "", "history", "history?kind=expiry", "purchases/POS-1", "offers", "offers/PR-CHOC3X", "gifts", "gifts?q=zzz",
    "gifts/MUG", "gifts/FAR", "gifts/MUG/order", "gifts/FAR/order", "orders", "orders/WEB-1", "orders/WEB-2",
    "orders/WEB-1/cancel", "orders/WEB-3/return", "segments", "profile", "nothing", "choco-club/sign-in",
)  # fmt: skip


class Texts(HTMLParser):
    """What is read or spoken of a page: texts, and attributes that are."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.within: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        is_typed = tag == "input" and named.get("type") not in {"submit", "button"}
        self.found += [
            named[name] or ""
            for name in SPOKEN
            if name in named and not (name == "value" and (is_typed or tag != "input"))
        ]
        if tag in {"script", "style", "code"}:
            self.within.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if self.within and self.within[-1] == tag:
            self.within.pop()

    def handle_data(self, data: str) -> None:
        if not self.within:
            self.found.append(data)


def texts_of(page: str) -> list[str]:
    parser = Texts()
    parser.feed(page)
    return parser.found


def unmarked(text: str, data: Iterator[str]) -> str:
    """What of a text is neither in brackets nor data; whole words only."""
    while f"{OPEN}" in text:
        cut = re.sub(f"{OPEN}[^{OPEN}{CLOSE}]*{CLOSE}", " ", text)
        if cut == text:
            break
        text = cut
    for word in sorted(data, key=len, reverse=True):
        text = text.replace(word, " ")
    text = re.sub(r"\bMY-[0-9a-f-]+|[0-9a-f]{8}-[0-9a-f-]+", " ", text)
    return " ".join(re.findall(r"[^\W\d_]+", text))


@pytest.fixture
def bracketed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every text that comes through a catalogue, ours or Django's, is put in brackets."""
    for name in ("gettext", "ngettext"):
        genuine = getattr(DjangoTranslation, name)

        def marked(self: Any, *args: Any, _genuine: Any = genuine) -> str:
            text = _genuine(self, *args)
            return f"{OPEN}{text}{CLOSE}" if text else text

        monkeypatch.setattr(DjangoTranslation, name, marked)


@pytest.fixture
def phone(till: ApiClient, club: Segment, ada: Member, programme: Programme) -> Client:
    """Ada's, with something of everything on her pages."""
    Member.objects.filter(pk=ada.pk).update(language="fr", email="ada@example.org", consents={})
    Segment.objects.update(is_shown_to_members=True)
    before = MONDAY - timedelta(days=1)
    category(programme, "home", name={"fr": "Maison"})
    live_gift(
        programme, "MUG", at=before, name={"fr": "Tasse"}, points=300, brand="Royal", is_returnable=True
    )
    live_gift(programme, "FAR", at=before, name={"fr": "Tasse"}, points=90_000, categories=("home",))
    card(programme, at=before, name={"fr": "Bon"})
    tier_create(programme=programme, code="GOLD", name="Gold", rank=2, threshold=500)
    tier_rules_set(programme=programme, period="year", now=MONDAY)
    event_type(programme)
    earn(till, "POS-1")
    reverse(till, "POS-1", "RET-1", lines=[{"line": "1", "quantity": "1"}])
    adjust(till, "10042", 5000, reference="CRM-1", expires_at="2026-12-24T00:00:00+01:00")
    event(till, "R-1")
    for gift, reference in (("MUG", "WEB-1"), ("CARD", "WEB-2"), ("MUG", "WEB-3")):
        assert order(till, gift, reference, delivery=POST if gift == "MUG" else None).status_code == 201
    for status in ("in_preparation", "in_delivery", "delivered"):
        act(till, "WEB-3", "status", status=status)
    MemberFactory(programme=programme, number="10099")
    return browser_of(till)


@pytest.mark.parametrize("path", PATHS)
def test_every_text_is_translated(phone: Client, bracketed: None, path: str) -> None:
    labels = [
        earn_label({"type": kind, "value": value}, "EUR", "fr")
        for kind, value in (("multiplier", "3"), ("fixed", "50"), ("fixed", "100"))
    ]
    page = phone.get(f"/my/{path}").content.decode()
    assert page.count(OPEN) > 5
    left = {rest for text in texts_of(page) if (rest := unmarked(text, iter((*DATA, *labels))))}
    assert left == set()


def test_a_text_that_nobody_marked_is_found(phone: Client, bracketed: None) -> None:
    """The control: a word beside the brackets is seen, in a text as in an attribute."""
    page = f'<p>{OPEN}Bonjour {OPEN}deux{CLOSE}{CLOSE} 2 Ada</p><img alt="Chocolate"><p>More</p>'
    left = [unmarked(text, iter(DATA)) for text in texts_of(page)]
    assert left == ["", "Chocolate", "More"]
