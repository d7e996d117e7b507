"""Printed vouchers, and orders in a member's history."""

import re
import zlib
from dataclasses import replace
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone
from reportlab import rl_config
from reportlab.pdfbase.pdfmetrics import stringWidth

from config.kernel.errors import NotFound
from members.models import Member, Programme
from members.services import programme_logo_set, programme_update
from rewards.lettering import printable
from rewards.pages.statement import Period, statement_of
from rewards.paper import CODE, MARGIN, WIDTH, Paper, voucher_page
from rewards.selectors import voucher_pdf
from rewards.services import voucher_issuer_set
from segments.models import Segment
from tests.factories import ApiClient
from tests.loyalty.worlds import adjust
from tests.rewards.catalogue import image_bytes
from tests.rewards.orders import act, card, mug, order, use

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("club")]


@pytest.fixture(autouse=True)
def rich(till: ApiClient, club: Segment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rl_config, "useA85", 0)
    assert adjust(till, "10042", 5000).status_code == 201


def words(pdf: bytes) -> str:
    """What the page's content streams say."""
    found = [part.split(b"stream\r\n" if b"stream\r\n" in part else b"stream\n", 1)[1]
             for part in pdf.split(b"endstream") if b"stream" in part]  # fmt: skip
    return "".join(zlib.decompressobj().decompress(part).decode("latin-1") for part in found)


@pytest.mark.parametrize(
    ("language", "said", "value", "until", "conditions"),
    [
        ("fr", "Bon cadeau", "25,00 EUR", "23 novembre 2027", "Non remboursable"),
        ("nl-BE", "Cadeaubon", "25,00 EUR", "23 november 2027", "Niet inwisselbaar"),
        ("nl", "Cadeaubon", "25,00 EUR", "23 november 2027", "Niet inwisselbaar"),
        ("en", "Gift voucher", "25.00 EUR", "23 November 2027", "Non remboursable"),
        ("de", "Gift voucher", "25.00 EUR", "23 November 2027", "Non remboursable"),
    ],
)
def test_a_voucher_on_paper(
    till: ApiClient, programme: Programme, language: str, said: str, value: str, until: str, conditions: str
) -> None:
    voucher_issuer_set(
        programme=programme,
        name="Choco NV",
        address="Kaai 1\n9000 Gent",
        company_number="BE 0123.456.749",
        conditions={"fr": "Non remboursable", "nl-BE": "Niet inwisselbaar"},
    )
    card(programme)
    code = order(till, "CARD", "W-1", language=language).json()["voucher"]["code"]
    pdf = voucher_pdf(programme, "W-1", timezone.now(), shows_code=True)
    assert pdf.startswith(b"%PDF-")
    text = words(pdf)
    for part in (said, code, value, conditions, until, "Choco NV", "Kaai 1", "BE 0123.456.749"):
        assert part in text
    assert pdf.count(b"/Type /Page\n") == 1
    assert code not in words(voucher_pdf(programme, "W-1", timezone.now(), shows_code=False))


def test_no_paper_for_what_cannot_be_used(till: ApiClient, programme: Programme, monday: Any) -> None:
    card(programme)
    mug(programme)
    order(till, "MUG", "W-0")
    code = order(till, "CARD", "W-1").json()["voucher"]["code"]
    order(till, "CARD", "W-2")
    use(till, code)
    for reference in ("W-0", "W-1", "NOBODY"):
        with pytest.raises(NotFound):
            voucher_pdf(programme, reference, timezone.now(), shows_code=True)
    monday.shift(timedelta(days=366))
    with pytest.raises(NotFound):
        voucher_pdf(programme, "W-2", timezone.now(), shows_code=True)


def history(till: ApiClient, **query: str) -> list[dict[str, Any]]:
    return till.get("/api/v1/members/10042/history", query).json()["items"]


def test_orders_in_the_history(till: ApiClient, programme: Programme, monday: Any) -> None:
    mug(programme)
    order(till, reference="W-1")
    before = timezone.now()
    monday.shift(timedelta(hours=1))
    act(till, "W-1", "cancel")
    back, spent, _ = history(till)
    assert (spent["kind"], spent["points"], spent["label"]) == ("redemption", -300, "Gift: Boîte de pralines")
    assert (back["kind"], back["points"], back["reference"]) == ("redemption_cancelled", 300, "W-1")
    assert (
        back["order"]
        == spent["order"]
        == {
            "reference": "W-1",
            "gift": "MUG",
            "status": "cancelled",
            "history": [
                {"status": "exchanged", "at": "2026-11-23T10:15:02+01:00"},
                {"status": "cancelled", "at": "2026-11-23T11:15:02+01:00"},
            ],
        }
    )
    assert [item["kind"] for item in history(till, status="cancelled")] == [
        "redemption_cancelled",
        "redemption",
    ]
    assert history(till, status="exchanged") == []
    assert [item["kind"] for item in history(till, kind="redemption")] == ["redemption"]
    then = history(till, as_of=before.isoformat(), status="exchanged")
    assert [item["order"]["status"] for item in then] == ["exchanged"]
    csv = till.get("/api/v1/members/10042/history", headers={"Accept": "text/csv"})
    assert "redemption_cancelled,300" in b"".join(csv.streaming_content).decode()  # type: ignore[attr-defined]


def drawn(pdf: bytes) -> list[str]:
    """The texts a PDF writes, one by one."""
    return re.findall(r"\((.*?)\) Tj", words(pdf))


PAPER = Paper(
    language="fr",
    gift="Boîte",
    amount="25.00",
    currency="EUR",
    code="7JSV-8PY3-KB02-C237",
    reference="W-1",
    valid_until=None,
    zone=ZoneInfo("Europe/Brussels"),
    issuer="Choco NV",
    address="Kaai 1",
    company_number="BE 0123.456.749",
    conditions="Non remboursable",
)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Élise, œuf à 25 € – « n° 1 »", "Élise, œuf à 25 € – « n° 1 »"),
        ("Łódź, Žilina, Namė", "Lódz, Žilina, Name"),
        ("Café", "Café"),
        ("1 250", "1 250"),
        ("25 ℃, Αθήνα", "25 °C, ?????"),
    ],
)
def test_letters_are_shown_or_told_otherwise(text: str, shown: str) -> None:
    """Never as a black box, which is what a standard font draws for a letter it has not."""
    assert printable(text) == shown
    assert printable(printable(text)) == printable(text)


@pytest.mark.parametrize("length", [1, 17, 40, 100])
def test_every_code_is_written_whole_inside_the_page(length: int) -> None:
    code = "".join(chr(ord("A") + number % 26) for number in range(length))
    pdf = voucher_page(replace(PAPER, code=code))
    said = drawn(pdf)
    assert code in "".join(said)
    widest = max(stringWidth(line, CODE, 11) for line in said if set(line) <= set(code))
    assert widest <= WIDTH - 2 * MARGIN


def test_long_texts_stay_on_the_page() -> None:
    """A long name goes on in the next line, and conditions on the next page."""
    pdf = voucher_page(replace(PAPER, gift="Coffret " * 25, conditions="Valable une fois. " * 300))
    assert drawn(pdf).count("Code") == 1
    assert "".join(drawn(pdf)).count("Valable") == 300
    assert pdf.count(b"/Type /Page\n") > 1
    heights = [float(height) for height in re.findall(r"1 0 0 1 [\d.]+ ([-\d.]+) Tm", words(pdf))]
    assert min(heights) > 0
    assert len(pdf) < 20_000


def test_papers_wear_the_programmes_look(till: ApiClient, programme: Programme, media_root: Any) -> None:
    card(programme)
    order(till, "CARD", "W-1")
    plain = voucher_pdf(programme, "W-1", timezone.now(), shows_code=True)
    assert b"/Subtype /Image" not in plain
    programme_update(programme=programme, colour="#7b3f00")
    programme = programme_logo_set(programme=programme, content=image_bytes((300, 100)))
    member = Member.objects.get(programme=programme, number="10042")
    for pdf in (
        voucher_pdf(programme, "W-1", timezone.now(), shows_code=True),
        statement_of(programme, member, Period(), timezone.now()),
    ):
        assert b"/Subtype /Image" in pdf
        assert ".482353 .247059 0 rg" in words(pdf)  # 7b 3f 00
    assert ".482353 .247059 0 rg" not in words(plain)
