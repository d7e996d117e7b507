"""Uploaded files are read or refused with the row to look at; downloaded ones run nothing in a spreadsheet."""

import csv
import io
import zipfile
from contextlib import suppress
from typing import Any

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.kernel.sheets import FileRefused, csv_lines, harmless, sheet_open, xlsx_write


def rows(content: bytes, *required: str, **limits: Any) -> list[tuple[int, dict[str, str]]]:
    sheet = sheet_open(io.BytesIO(content), required=required or ("member",), optional=("reason",), **limits)
    return [(row.number, row.cells) for row in sheet]


def refusal(content: bytes, *required: str, **limits: Any) -> str:
    with pytest.raises(FileRefused) as caught:
        rows(content, *required, **limits)
    return caught.value.detail


def workbook(*lines: list[Any]) -> bytes:
    book = openpyxl.Workbook()
    for line in lines:
        book.active.append(line)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_it_works(encoding: str, delimiter: str) -> None:
    text = 'Member,reason\r\n10042,"Fidèle, déjà"\r\n\r\n10043,\r\n'
    if delimiter != ",":
        text = text.replace('"Fidèle, déjà"', "Fidèle déjà").replace(",", delimiter)
    reason = "Fidèle, déjà" if delimiter == "," else "Fidèle déjà"
    assert rows(text.encode(encoding)) == [
        (2, {"member": "10042", "reason": reason}),
        (4, {"member": "10043", "reason": ""}),
    ]


def test_a_sheet_reads_again_from_its_start() -> None:
    sheet = sheet_open(io.BytesIO(b"\nmember;card\n1;x\n2;y\n"), required=["member"])
    assert sheet.columns == ("member",)
    assert sheet.ignored == ("card",)
    assert list(sheet) == list(sheet)
    assert [row.number for row in sheet] == [3, 4]


def test_one_column_needs_no_delimiter() -> None:
    assert rows(b"member\n1\n") == [(2, {"member": "1"})]


def test_the_delimiter_is_the_one_of_the_header() -> None:
    assert rows(b'"member";"a, b"\n1;"2,5"\n') == [(2, {"member": "1"})]
    assert "one delimiter" in refusal(b"a,b;c\n1,2;3\n")


def test_a_workbook_works_whatever_its_cells_are() -> None:
    content = workbook(["Member", "Reason", None], [10042, 1.5], [None, None], ["0007", True])
    assert rows(content) == [
        (2, {"member": "10042", "reason": "1.5"}),
        (4, {"member": "0007", "reason": "true"}),
    ]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "empty"),
        (b"\n\n", "empty"),
        (b"number,reason\n1,x\n", "no column member"),
        (b"member,member\n1,2\n", "member more than once"),
        (b"member,reason\n1,x\n2,y,z\n", "Row 3"),
        (b'member\n"1\n', "Row 2"),
        (b'member\n1\n"2"x\n', "Row 3"),
        (b"member\n1\x00\n", "Line 2"),
        (b"\xff\xfem\x00e\x00m\x00b\x00e\x00r\x00\n\x00\x00\xd8", "UTF-16"),
        (b"\xef\xbb\xbfmember\n\xff\n", "not text"),
        (b"member\n\x81\n", "not text"),
        (b"%PDF-1.7 member", "PDF"),
        (b"\x89PNG\r\n\x1a\nmember", "picture"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "old Excel"),
        (b"\x1f\x8b\x08\x00member", "compressed"),
        (b"PK\x03\x04nothing", "damaged"),
        (b"member\n" + b"x" * 40_000 + b"\n", "Row 2"),
        (b"member" + b"," * 300 + b"\n1\n", "Row 1"),
    ],
)
def test_what_is_refused(content: bytes, why: str) -> None:
    assert why in refusal(content)


def test_limits() -> None:
    assert "more than 2 rows" in refusal(b"member\n1\n2\n3\n", max_rows=2)
    assert "more than 2 rows" in refusal(workbook(["member"], ["1"], ["2"], ["3"]), max_rows=2)
    assert "larger than 0 MB" in refusal(b"member\n1\n", max_bytes=5)
    assert len(rows(b"member\n1\n2\n", max_rows=2)) == 2


def with_part(content: bytes, name: str, part: bytes) -> bytes:
    file = io.BytesIO(content)
    with zipfile.ZipFile(file, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, part)
    return file.getvalue()


def test_archives_that_are_traps() -> None:
    plain = workbook(["member"], ["1"])
    assert "macros" in refusal(with_part(plain, "xl/vbaProject.bin", b"x"))
    assert "unpacks" in refusal(with_part(plain, "xl/media/a.bin", bytes(210 * 1024 * 1024)))
    assert "not a spreadsheet" in refusal(with_part(b"", "word/document.xml", b"<a/>"))
    assert "damaged" in refusal(with_part(b"", "xl/workbook.xml", b"<a"))


def test_a_wide_row_costs_no_more_than_it_may() -> None:
    book = openpyxl.Workbook()
    book.active["A1"] = "member"
    book.active["XFD2"] = "far"
    book.active["A9"] = "1"
    file = io.BytesIO()
    book.save(file)
    assert rows(file.getvalue()) == [(9, {"member": "1"})]


def test_numbers_that_lost_digits_are_refused() -> None:
    assert "format the column as text" in refusal(workbook(["member"], [12345678901234567890]))


@pytest.mark.parametrize("text", ["=1+1", "+cmd|x", "-2+3", "@SUM(A1)", "\tx", "\rx", "=", "-"])
def test_formulas_are_written_as_text(text: str) -> None:
    assert harmless(text) == f"'{text}"


@pytest.mark.parametrize("text", ["-5", "+3.20", "12", "-1,5", "10042", "a=b", ""])
def test_numbers_and_plain_texts_stay(text: str) -> None:
    assert harmless(text) == text


cells = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=20).map(str.strip)
apostrophes = cells.filter(lambda text: not text.startswith("'"))


@given(st.lists(st.tuples(apostrophes.filter(bool), apostrophes)))
def test_what_was_written_is_read_again(lines: list[tuple[str, str]]) -> None:
    content = "".join(csv_lines(["member", "reason"], lines)).encode()
    assert [tuple(found.values()) for _, found in rows(content)] == lines
    for line in csv.reader(io.StringIO(content.decode("utf-8-sig"))):
        assert not any(cell.startswith(("=", "@")) for cell in line)


@given(st.binary(max_size=200))
def test_any_bytes_are_rows_or_refused(content: bytes) -> None:
    for start in (b"", b"member\n", b"PK\x03\x04"):
        with suppress(FileRefused):
            assert all(row.keys() <= {"member", "reason"} for _, row in rows(start + content))


def test_a_written_workbook_holds_texts_and_numbers() -> None:
    file = io.BytesIO()
    xlsx_write(file, ["member", "reason"], [["10042", "=1+1"], [7, None]], title="a/b")
    sheet = openpyxl.load_workbook(file).worksheets[0]
    assert [[cell.value for cell in row] for row in sheet.rows] == [
        ["member", "reason"],
        ["10042", "'=1+1"],
        [7, None],
    ]
    assert rows(file.getvalue())[0][1] == {"member": "10042", "reason": "=1+1"}
