"""manage.py import_transactions: what goes in, what is booked, what is refused and why."""

import csv
import io
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.db import connection

from loyalty.imports import booking, staging
from loyalty.models import Account, Transaction
from members.models import Member, Programme
from members.services import member_close
from segments.models import Segment
from tests.factories import ApiClient, MemberFactory, ProgrammeFactory
from tests.loyalty.worlds import LONG_AGO, earn, simple_terms

HEADER = "reference,member,occurred_at,sku,quantity,amount"
GOOD = "R1,10042,2026-11-23T10:00:00+01:00,MUG-7,1,19.90"

Import = Callable[..., tuple[str, list[dict[str, str]]]]


@pytest.fixture
def importing(tmp_path: Path) -> Import:
    """Import a text as a file; what was printed, and the rejects."""

    def run(text: str | bytes, header: str = HEADER, **options: Any) -> tuple[str, list[dict[str, str]]]:
        path, rejects, out = tmp_path / "receipts.csv", tmp_path / "rejects.csv", io.StringIO()
        body = text if isinstance(text, bytes) else text.encode()
        path.write_bytes(header.encode() + b"\n" + body)
        defaults = {
            "programme": "choco-club",
            "rejects": rejects,
            "workers": 1,
            "stdout": out,
            "verbosity": 0,
        }
        call_command("import_transactions", str(path), **{**defaults, **options})
        with rejects.open(newline="") as file:
            return out.getvalue(), list(csv.DictReader(file))

    return run


def test_it_works(club: Segment, importing: Import) -> None:
    """Two lines of one receipt, and one of another: points as the API gives them."""
    printed, rejects = importing(
        "R1,10042,2026-11-23T10:15:00+01:00,CHOC-1,2,25.00\n"
        "R2,10042,2026-11-23T10:15:01+01:00,MUG-7,1,1.00\n"
        "R1,10042,2026-11-23T10:15:00+01:00,MUG-7,1,19.90\n"
    )
    assert rejects == []
    assert "read 3 lines, 2 receipts\nbooked 2\nalready booked 0\nrejected 0\npoints 68\n" in printed
    first = Transaction.objects.get(reference="R1")
    assert [line for line, *_ in first.lines] == ["1", "2"]
    assert first.partner_id is None
    assert first.points == 67  # 44.90 x 1.5: Silver; without a category no chocolate


def test_the_same_file_again_books_nothing(club: Segment, importing: Import) -> None:
    importing(GOOD)
    before = Account.objects.values().get()
    printed, rejects = importing(GOOD)
    assert (rejects, Account.objects.values().get()) == ([], before)
    assert "booked 0\nalready booked 1\nrejected 0\npoints 0" in printed


def test_a_receipt_the_till_sent_is_already_booked(
    club: Segment, till: ApiClient, importing: Import, monday: time_machine.Traveller
) -> None:
    """The offline till's receipt comes again three days later, in a file: one earn."""
    assert earn(till, "T-1").status_code == 201
    monday.shift(3 * 86400)
    header = "reference,member,occurred_at,channel,store,currency,line,sku,category,brand,quantity,amount"
    rows = [
        "T-1,10042,2026-11-23T10:15:00,web,BXL-01,EUR,1,CHOC-1,chocolate,Neuhaus,2,25",
        "T-1,10042,2026-11-23T10:15:00,web,BXL-01,EUR,2,MUG-7,home,,1.0,19.90",
    ]
    printed, rejects = importing("\n".join(rows), header)
    assert "already booked 1\nrejected 0" in printed
    _, rejects = importing("\n".join(rows).replace("19.90", "19.91"), header)
    assert [(row["reference"], row["lines"], row["code"]) for row in rejects] == [
        ("T-1", "2-3", "reference_conflict")
    ]
    assert Transaction.objects.count() == 1


BAD = {
    "unknown member": ("R9,nobody,2026-11-23T10:00:00,MUG-7,1,2.00", "not_found"),
    "no member": ("R9,,2026-11-23T10:00:00,MUG-7,1,2.00", "validation_error"),
    "closed member": ("R9,10043,2026-11-23T10:00:00,MUG-7,1,2.00", "member_not_active"),
    "no number": ("R9,10042,2026-11-23T10:00:00,MUG-7,1,2 EUR", "validation_error"),
    "negative": ("R9,10042,2026-11-23T10:00:00,MUG-7,1,-2.00", "validation_error"),
    "exponent": ("R9,10042,2026-11-23T10:00:00,MUG-7,1e3,2.00", "validation_error"),
    "other digits": ("R9,10042,2026-11-23T10:00:00,MUG-7,١,2.00", "validation_error"),
    "too many decimals": ("R9,10042,2026-11-23T10:00:00,MUG-7,1,2.001", "validation_error"),
    "no amount": ("R9,10042,2026-11-23T10:00:00,MUG-7,1,", "validation_error"),
    "no time": ("R9,10042,yesterday,MUG-7,1,2.00", "validation_error"),
    "no such day": ("R9,10042,2026-02-30T10:00:00,MUG-7,1,2.00", "validation_error"),
    "too old": ("R9,10042,2026-10-01T10:00:00,MUG-7,1,2.00", "occurred_at_out_of_window"),
    "in the future": ("R9,10042,2026-11-24T10:00:00,MUG-7,1,2.00", "occurred_at_out_of_window"),
    "bad reference": ("../R9,10042,2026-11-23T10:00:00,MUG-7,1,2.00", "validation_error"),
    "no reference": (",10042,2026-11-23T10:00:00,MUG-7,1,2.00", "unreadable"),
    "too few columns": ("R9,10042,2026-11-23T10:00:00,MUG-7,1", "validation_error"),
    "too many columns": ("R9,10042,2026-11-23T10:00:00,MUG-7,1,2.00,x", "validation_error"),
    "no CSV": ('R9,10042,2026-11-23T10:00:00,"MUG"7,1,2.00', "unreadable"),
    "a NUL": ("R9,10042,2026-11-23T10:00:00,MUG\0,1,2.00", "validation_error"),
    "no UTF-8": (b"R9,10042,2026-11-23T10:00:00,MUG\xff,1,2.00", "validation_error"),
    "no text": ("R9,10042,2026-11-23T10:00:00,MUG 7,1,2.00", "validation_error"),
}


@pytest.mark.parametrize(("row", "code"), BAD.values(), ids=BAD.keys())
def test_a_bad_row_is_named_and_the_others_are_booked(
    club: Segment, bob: Member, importing: Import, row: str | bytes, code: str
) -> None:
    member_close(member=bob, now=LONG_AGO)
    text = row if isinstance(row, bytes) else row.encode()
    printed, rejects = importing(GOOD.encode() + b"\n" + text + b"\n" + GOOD.replace("R1", "R2").encode())
    assert [(item["lines"], item["code"]) for item in rejects] == [("3", code)]
    assert rejects[0]["reason"]
    assert "booked 2\nalready booked 0\nrejected 1 " in printed
    assert set(Transaction.objects.values_list("reference", flat=True)) == {"R1", "R2"}


def test_a_receipt_with_one_bad_line_is_refused_whole(club: Segment, importing: Import) -> None:
    _, rejects = importing(f"{GOOD}\n\n{GOOD.replace('19.90', 'x')}\n{GOOD}")
    (item,) = rejects
    assert (item["reference"], item["lines"], item["code"]) == ("R1", "2 4-5", "validation_error")
    assert item["reason"].startswith("line 4 amount: ")
    assert not Transaction.objects.exists()


@pytest.mark.parametrize(
    ("field", "change"),
    [("member", ("10042", "10043")), ("occurred_at", ("10:00:00", "10:00:01"))],
)
def test_the_lines_of_a_receipt_agree(
    club: Segment, bob: Member, importing: Import, field: str, change: tuple[str, str]
) -> None:
    _, rejects = importing(f"{GOOD}\n{GOOD.replace(*change)}")
    assert [(x["lines"], x["reason"]) for x in rejects] == [
        ("2-3", f"{field}: The receipt's lines differ in {field}.")
    ]
    assert not Transaction.objects.exists()


def test_another_currency_is_refused(club: Segment, importing: Import) -> None:
    _, rejects = importing(f"{GOOD},USD", f"{HEADER},currency")
    assert [row["code"] for row in rejects] == ["currency_mismatch"]


def test_more_lines_than_a_receipt_may_have(club: Segment, importing: Import) -> None:
    _, rejects = importing("\n".join([GOOD] * 1001))
    assert [(row["lines"], row["code"]) for row in rejects] == [("2-1002", "validation_error")]
    importing("\n".join([GOOD] * 1000))
    assert len(Transaction.objects.get().lines) == 1000


def test_columns_by_other_names(club: Segment, importing: Import) -> None:
    printed, rejects = importing(
        "1.50,R1,2,ignored,10042,2026-11-23 10:00",
        "paid,ticket,quantity,till,member,occurred_at",
        map=[("reference", "ticket"), ("amount", "paid")],
    )
    assert rejects == []
    assert "Columns not used: till\n" in printed
    assert Transaction.objects.get().lines == [["1", "2", "1.5", None, None, None, True]]


@pytest.mark.parametrize(
    ("header", "options", "why"),
    [
        ("reference,member,occurred_at,amount", {}, "not in the file: quantity"),
        (HEADER, {"map": [("store", "shop")]}, "not in the file: shop"),
        (f"{HEADER},sku", {}, "named twice: sku"),
        (HEADER, {"programme": "nowhere"}, "no programme nowhere"),
    ],
)
def test_a_file_that_cannot_be_told_is_refused_at_once(
    club: Segment, importing: Import, header: str, options: dict[str, Any], why: str
) -> None:
    with pytest.raises(CommandError, match=why):
        importing(GOOD, header, **options)
    assert not Transaction.objects.exists()


def test_not_points_eligible(club: Segment, importing: Import) -> None:
    header = f"{HEADER},points_eligible"
    _, rejects = importing(f"{GOOD},TRUE\n{GOOD},0\n{GOOD.replace('R1', 'R2')},maybe", header)
    assert [row["reference"] for row in rejects] == ["R2"]
    assert Transaction.objects.get().line_points == [29, 0]


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-10-25T02:30:00", "2026-10-25T00:30:00+00:00"),  # this hour comes twice: its first
        ("2026-10-25 02:30:00.5", "2026-10-25T00:30:00.500000+00:00"),
        ("2026-11-01T00:30", "2026-10-31T23:30:00+00:00"),
        ("2026-11-01T00:30:00Z", "2026-11-01T00:30:00+00:00"),
        ("2026-03-29T02:30:00", "2026-03-29T01:30:00+00:00"),  # and this one never: moved forward
    ],
)
def test_times_without_offset_are_the_programmes(
    club: Segment, importing: Import, text: str, instant: str
) -> None:
    importing(GOOD.replace("2026-11-23T10:00:00+01:00", text), backdate=365)
    assert Transaction.objects.get().occurred_at == datetime.fromisoformat(instant)


def test_backdate_raises_the_limit(club: Segment, importing: Import) -> None:
    old = GOOD.replace("2026-11-23", "2026-06-01").replace("+01:00", "+02:00")
    assert importing(old)[1]
    assert not importing(old, backdate=200)[1]
    assert Transaction.objects.get().day.isoformat() == "2026-06-01"


def test_a_members_receipts_run_in_their_order(
    programme: Programme, ada: Member, importing: Import, monday: time_machine.Traveller
) -> None:
    """By time, then reference, however the file is sorted; each sees what the earlier ones left."""
    simple_terms(programme)
    rows = [
        GOOD.replace("R1", name).replace("10:00", time)
        for name, time in (("C", "09:00"), ("B", "08:00"), ("A", "09:00"), ("b", "08:00"))
    ]
    importing("\n".join(rows))
    booked = Transaction.objects.order_by("entry_seq").values_list("reference", "facts__first")
    assert list(booked) == [("B", True), ("b", False), ("A", False), ("C", False)]


def test_dry_run_books_nothing(club: Segment, importing: Import) -> None:
    rows = f"{GOOD}\n{GOOD.replace('R1', 'R2')}\n{GOOD.replace('R1', 'R3').replace('19.90', 'x')}"
    printed, rejects = importing(rows, dry_run=True)
    assert printed.startswith("Dry run: nothing was booked.\nread 3 lines, 3 receipts\nbooked 2\n")
    assert [row["reference"] for row in rejects] == ["R3"]
    assert not Account.objects.exists()
    assert importing(rows)[0].splitlines()[:5] == printed.splitlines()[1:6]


def test_another_programmes_members_are_unknown(club: Segment, importing: Import) -> None:
    stranger = MemberFactory(programme=ProgrammeFactory(), number="77")
    _, rejects = importing(GOOD.replace("10042", stranger.number))
    assert [row["code"] for row in rejects] == ["not_found"]


def test_an_import_that_failed_is_no_hindrance(
    club: Segment, importing: Import, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it staged is staged anew; one import of a programme at a time."""
    with monkeypatch.context() as patch:
        patch.setattr(booking, "take", None)
        with pytest.raises(TypeError):
            importing(GOOD)
    importing(GOOD)
    assert Transaction.objects.count() == 1
    tables = connection.introspection.table_names()
    assert [name for name in tables if name.startswith("loyalty_import_")] == []


def test_chunks_follow_the_clock(club: Segment, importing: Import, monkeypatch: pytest.MonkeyPatch) -> None:
    """A chunk that took long is followed by a smaller one, a quick one by at most twice as many lines."""
    assert booking._lines(1000, 1.0) == 150
    assert booking._lines(1000, 0.01) == 2000
    assert booking._lines(20_000, 0.01) == booking.MOST_LINES
    assert booking._lines(10, 60.0) == booking.FEWEST_LINES
    sizes = []

    def take(programme_id: int, share: int, after: int, size: int) -> Any:
        sizes.append(size)
        return staging.take(programme_id, share, after, 2)

    monkeypatch.setattr(booking, "take", take)
    importing("\n".join(GOOD.replace("R1", f"R{number}") for number in range(5)))
    assert Transaction.objects.count() == 5
    assert len(sizes) == 4
