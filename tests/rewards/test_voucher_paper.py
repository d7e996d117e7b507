"""Printed vouchers, and orders in a member's history."""

import zlib
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from reportlab import rl_config

from config.kernel.errors import NotFound
from members.models import Programme
from rewards.selectors import voucher_pdf
from rewards.services import voucher_issuer_set
from segments.models import Segment
from tests.factories import ApiClient
from tests.loyalty.worlds import adjust
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
    ("language", "said"),
    [("fr", "Bon cadeau"), ("nl-BE", "Cadeaubon"), ("en", "Gift voucher"), ("de", "Gift voucher")],
)
def test_a_voucher_on_paper(till: ApiClient, programme: Programme, language: str, said: str) -> None:
    voucher_issuer_set(
        programme=programme,
        name="Choco NV",
        address="Kaai 1\n9000 Gent",
        company_number="BE 0123.456.749",
        conditions={"fr": "Non remboursable"},
    )
    card(programme)
    code = order(till, "CARD", "W-1", language=language).json()["voucher"]["code"]
    pdf = voucher_pdf(programme, "W-1", timezone.now(), shows_code=True)
    assert pdf.startswith(b"%PDF-")
    text = words(pdf)
    for part in (said, code, "25.00 EUR", "23/11/2027", "Choco NV", "Kaai 1", "BE 0123.456.749"):
        assert part in text
    assert ("Non remboursable" in text) == (language == "fr")
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
