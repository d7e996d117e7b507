"""The catalogue as a file: exported, and imported as drafts that somebody else validates."""

import csv
import io
import zipfile
from datetime import timedelta
from decimal import Decimal
from typing import Any

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from loyalty.services import tier_create
from members.models import Programme
from rewards.models import CatalogueRow, CatalogueUpload, Picture, Reward, RewardVersion
from rewards.services import (
    Image,
    Terms,
    catalogue_upload_create,
    catalogue_upload_run,
    catalogue_uploads,
    catalogue_uploads_forget,
    picture_store,
    stock_set,
    version_submit,
)
from segments.services import segment_create
from tests.loyalty.desks import CONFIRMED, desk, second, stranger  # noqa: F401
from tests.rewards.catalogue import ANN, BASE, NOW, category, gift, image_bytes, live_gift, revised
from tests.statements import statements

pytestmark = pytest.mark.django_db
NEW = {"code": "GFT-9", "kind": "physical", "name_fr": "Tasse", "points": "700"}


def url(name: str, *args: Any) -> str:
    return reverse(f"admin:rewards_{name}", args=args)


def exported(desk: Client, kind: str = "csv") -> bytes:  # noqa: F811
    answer = desk.get(url(f"reward_export_{kind}"))
    assert answer.status_code == 200
    return b"".join(answer.streaming_content)


def parsed(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))


def sheet(*rows: dict[str, str]) -> bytes:
    file = io.StringIO()
    writer = csv.DictWriter(file, list(dict.fromkeys(name for row in rows for name in row)))
    writer.writeheader()
    writer.writerows(rows)
    return file.getvalue().encode()


def workbook(*rows: dict[str, Any], **parts: bytes) -> bytes:
    book, file = openpyxl.Workbook(), io.BytesIO()
    names = list(dict.fromkeys(name for row in rows for name in row))
    for cells in [names, *([row.get(name) for name in names] for row in rows)]:
        book.active.append(cells)
    book.save(file)
    with zipfile.ZipFile(file, "a") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return file.getvalue()


def archive(**files: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as found:
        for name, content in files.items():
            found.writestr(name, content)
    return file.getvalue()


def send(desk: Client, content: bytes, name: str = "gifts.csv") -> CatalogueUpload:  # noqa: F811
    answer = desk.post(url("reward_import_file"), {"file": SimpleUploadedFile(name, content)})
    assert answer.status_code == 302, answer.context["form"].errors
    return CatalogueUpload.objects.latest("id")


def refusal(desk: Client, content: bytes, name: str = "gifts.csv") -> str:  # noqa: F811
    """Why a file is refused whole; nothing of it is kept."""
    answer = desk.post(url("reward_import_file"), {"file": SimpleUploadedFile(name, content)})
    assert answer.status_code == 200
    assert not CatalogueUpload.objects.exists()
    assert not Reward.objects.exists()
    return " ".join(answer.context["form"].errors["file"])


def run(desk: Client, upload: CatalogueUpload) -> dict[str, int]:  # noqa: F811
    """Confirm, let the job run, and tell what became of the rows."""
    desk.post(url("catalogueupload_confirm", upload.pk), CONFIRMED)
    upload = catalogue_upload_run(upload_id=upload.pk, now=timezone.now())
    assert upload.status == "done"
    return upload.counts


def whys(upload: CatalogueUpload) -> dict[int, str]:
    return dict(upload.rows.exclude(why="").values_list("number", "why"))


@pytest.fixture
def everything(programme: Programme) -> list[Reward]:
    """Gifts that say all that can be said, in every state, and one that is over."""
    category(programme)
    category(programme, "cards")
    segment_create(programme=programme, code="vip", name="VIP")
    tier_create(programme=programme, code="SILVER", name="Silver", rank=1)
    picture = picture_store(programme=programme, content=image_bytes(), now=NOW)
    other = picture_store(programme=programme, content=image_bytes(colour="navy"), now=NOW)
    full = live_gift(
        programme,
        "FULL",
        kind="digital_voucher",
        stock=12,
        terms=Terms(limit_per_member=3, limit_per_period=1, period="week"),
        name={"fr": "=2+2", "nl-BE": "'quoted"},
        description={"fr": "<p>Un\r\ndeux</p>", "nl-BE": "<p>één; twee, “drie”</p>"},
        delivery_terms={"fr": "-10% @home\nligne"},
        brand="@brand",
        supplier="+32 2 123",
        points=2**53,
        cash_amount=Decimal("12.50"),
        face_value=Decimal("25.125"),
        face_currency="EUR",
        attributes={"weight": 250, "note": "=1"},
        segments=("vip",),
        tiers=("SILVER",),
        categories=("sweets", "cards"),
        live_from=NOW - timedelta(days=1),
        live_until=NOW + timedelta(days=9, seconds=7),
        voucher_days=365,
        has_balance=True,
        returns_points=False,
        images=(Image(picture.pk), Image(other.pk, {"fr": "Une boîte", "nl-BE": "=Doos"})),
    )
    plain, draft, sent = live_gift(programme, "PLAIN"), gift(programme, "DRAFT"), gift(programme, "SENT")
    revised(plain, points=7)
    version_submit(version=sent.versions.get(), actor=ANN, now=NOW)
    return [draft, full, plain, sent]


# --- Export --------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("everything")
def test_the_open_or_live_version_is_exported(desk: Client) -> None:  # noqa: F811
    rows = parsed(exported(desk))
    assert [(row["code"], row["points"]) for row in rows] == [
        ("DRAFT", "1200"),
        ("FULL", str(2**53)),
        ("PLAIN", "7"),
        ("SENT", "1200"),
    ]
    full = rows[1]
    assert full["categories"] == "sweets, cards"
    assert (full["cash_amount"], full["face_value"], full["period"]) == ("12.5", "25.125", "week")
    assert full["live_from"] == "2026-11-22T10:00:00+01:00"
    assert full["images"].count(".webp") == 2


@pytest.mark.usefixtures("everything")
def test_formulas_are_neutralised_in_exports(desk: Client) -> None:  # noqa: F811
    full = parsed(exported(desk))[1]
    assert (full["name_fr"], full["brand"], full["supplier"]) == ("'=2+2", "'@brand", "'+32 2 123")
    assert full["delivery_terms_fr"].startswith("'-10%")
    book = openpyxl.load_workbook(io.BytesIO(exported(desk, "xlsx")))
    cells = [cell for row in book.active.iter_rows() for cell in row if cell.value is not None]
    assert cells
    assert not [cell.value for cell in cells if cell.data_type == "f" or str(cell.value).startswith("=")]


@pytest.mark.usefixtures("everything")
@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_a_round_trip_changes_nothing(desk: Client, kind: str) -> None:  # noqa: F811
    before = list(RewardVersion.objects.order_by("pk").values())
    upload = send(desk, exported(desk, kind), f"gifts.{kind}")
    assert (upload.counts, whys(upload)) == ({"unchanged": 4}, {})
    assert run(desk, upload) == {"unchanged": 4}
    assert list(RewardVersion.objects.order_by("pk").values()) == before


def test_strangers_export_and_import_nothing(
    stranger: Client,  # noqa: F811
    desk: Client,  # noqa: F811
    programme: Programme,
) -> None:
    upload = send(desk, sheet(NEW))
    query = f"?programme={programme.pk}"
    for page in ("reward_export_csv", "reward_export_xlsx", "reward_import_file"):
        answer = stranger.get(url(page) + query)
        assert b"GFT" not in answer.getvalue()
        assert programme.name.encode() not in answer.getvalue()
    refused = [
        stranger.get(url("catalogueupload_change", upload.pk)).status_code,
        stranger.get(url("catalogueupload_rejects", upload.pk)).status_code,
        stranger.post(url("catalogueupload_confirm", upload.pk), CONFIRMED).status_code,
    ]
    assert set(refused) <= {302, 404}
    upload.refresh_from_db()
    assert upload.status == "preview"
    assert Client().get(url("reward_export_csv")).status_code == 302


# --- Import --------------------------------------------------------------------------------------------


def test_a_file_is_looked_at_confirmed_and_run(desk: Client, programme: Programme) -> None:  # noqa: F811
    live_gift(programme, stock=9)
    waiting = gift(programme, "WAIT")
    version_submit(version=waiting.versions.get(), actor=ANN, now=NOW)
    live_gift(programme, "SAME")
    upload = send(
        desk,
        sheet(
            NEW | {"stock": "4", "limit_per_member": "2"},
            {"code": "GFT-1", "kind": "physical", "name_fr": "Boîte", "points": "1300", "stock": "5"},
            {"code": "SAME", "kind": "physical", "name_fr": BASE.name["fr"], "points": "1200"},
            {"code": "WAIT", "kind": "physical", "name_fr": "Autre", "points": "1"},
            NEW,
            NEW | {"code": "BAD", "kind": "toy"},
            NEW | {"code": "no code!", "points": "1,5"},
            {"code": "GFT-1b", "kind": "physical", "name_fr": "", "points": "0", "stock": "-1"},
        ),
    )
    assert upload.counts == {"new": 1, "changed": 1, "unchanged": 1, "refused": 5}
    found = whys(upload)
    assert "Version 1 is submitted" in found[5]
    assert found[6] == "code: repeats row 2."
    assert found[7].startswith("kind: ")
    assert found[8].startswith("points: ")
    assert found[9] == "stock: A whole number."
    assert set(Reward.objects.values_list("code", flat=True)) == {"GFT-1", "WAIT", "SAME"}
    page = desk.get(url("catalogueupload_change", upload.pk)).content.decode()
    assert "Nothing has happened yet" in page
    assert "row 6 (GFT-9): code: repeats row 2." in page
    assert not ProcrastinateJob.objects.filter(task_name="rewards.tasks.run_catalogue_upload").exists()

    assert run(desk, upload) == {"new": 1, "changed": 1, "unchanged": 1, "refused": 5}
    job = ProcrastinateJob.objects.get(task_name="rewards.tasks.run_catalogue_upload")
    assert (job.queue_name, job.args) == ("long", {"upload": upload.pk})
    new = Reward.objects.get(code="GFT-9")
    assert (new.stock, new.limit_per_member, new.versions.get().state) == (4, 2, "draft")
    assert new.versions.get().created_by == "staff:carol"
    old = Reward.objects.get(code="GFT-1")
    assert old.stock == 5
    assert list(old.versions.values_list("number", "state", "points")) == [
        (1, "live", 1200),
        (2, "draft", 1300),
    ]
    kept = old.versions.get(number=2)
    assert (kept.name, kept.description) == ({**BASE.name, "fr": "Boîte"}, BASE.description)
    rejects = b"".join(desk.get(url("catalogueupload_rejects", upload.pk)).streaming_content)
    assert [row["row"] for row in parsed(rejects)] == ["5", "6", "7", "8", "9"]
    assert "Done" in desk.get(url("catalogueupload_change", upload.pk)).content.decode()


def test_the_kind_of_a_gift_stays(desk: Client, programme: Programme) -> None:  # noqa: F811
    live_gift(programme)
    upload = send(desk, sheet({"code": "GFT-1", "kind": "donation"}))
    assert whys(upload) == {2: "kind: The kind of a gift does not change."}
    assert send(desk, sheet({"code": "GFT-1", "kind": "", "points": "5"})).counts == {"changed": 1}


def test_nothing_goes_live_without_a_second_person(desk: Client, programme: Programme) -> None:  # noqa: F811
    reward = live_gift(programme)
    run(desk, send(desk, sheet({"code": "GFT-1", "points": "1"})))
    draft = reward.versions.get(number=2)
    own = {"version": version_submit(version=draft, actor="staff:carol", now=NOW)}
    desk.post(url("rewardversion_validate", own["version"].pk), CONFIRMED)
    draft.refresh_from_db()
    assert (draft.state, reward.versions.get(number=1).state) == ("submitted", "live")


def test_pieces_that_went_since_the_export_stay_gone(desk: Client, programme: Programme) -> None:  # noqa: F811
    reward = live_gift(programme, stock=10)
    rows = parsed(exported(desk))
    stock_set(reward=reward, stock=7, was=10, actor=ANN, now=NOW)
    assert run(desk, send(desk, sheet(*rows))) == {"unchanged": 1}
    assert run(desk, send(desk, sheet(rows[0] | {"stock": "15"}))) == {"changed": 1}
    reward.refresh_from_db()
    assert reward.stock == 12


def test_a_workbook_with_dates_and_numbers(desk: Client, programme: Programme) -> None:  # noqa: F811
    cells = NEW | {
        "points": 700,
        "cash_amount": 12.5,
        "live_from": NOW.replace(tzinfo=None),
        "has_balance": True,
    }
    assert run(desk, send(desk, workbook(cells), "gifts.xlsx")) == {"new": 1}
    version = RewardVersion.objects.get()
    assert (version.points, version.cash_amount, version.has_balance) == (700, Decimal("12.5"), True)
    assert version.live_from == NOW - timedelta(hours=1)  # the programme's clock


def test_pictures_of_a_zip(desk: Client, programme: Programme) -> None:  # noqa: F811
    row = NEW | {"images": "mug.png, Box.JPG", "alt_fr": "Une tasse\nUne boîte"}
    files = {
        "gifts.csv": sheet(row),
        "photos/mug.png": image_bytes(),
        "photos/box.jpg": image_bytes(format_="JPEG", colour="navy"),
        "photos/unused.svg": b"<svg/>",
        "__MACOSX/gifts.csv": b"litter",
    }
    upload = send(desk, archive(**files), "gifts.zip")
    assert (upload.counts, upload.pictures.count(), Picture.objects.count()) == ({"new": 1}, 2, 0)
    assert run(desk, upload) == {"new": 1}
    shown = RewardVersion.objects.get().pictures.all()
    assert [one.alt for one in shown] == [{"fr": "Une tasse"}, {"fr": "Une boîte"}]
    assert (Picture.objects.count(), upload.pictures.count()) == (2, 0)
    assert run(desk, send(desk, archive(**files), "gifts.zip")) == {"unchanged": 1}
    assert RewardVersion.objects.count() == 1


def test_a_killed_job_goes_on_where_it_stopped(
    desk: Client,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    upload = send(desk, sheet(*[NEW | {"code": f"G-{number}"} for number in range(4)]))
    desk.post(url("catalogueupload_confirm", upload.pk), CONFIRMED)
    apply, calls = catalogue_uploads.change_apply, []

    def dies(*args: Any) -> None:
        calls.append(args)
        if len(calls) == 3:
            raise KeyboardInterrupt
        apply(*args)

    monkeypatch.setattr(catalogue_uploads, "change_apply", dies)
    with pytest.raises(KeyboardInterrupt):
        catalogue_upload_run(upload_id=upload.pk, now=timezone.now())
    upload.refresh_from_db()
    assert (upload.status, upload.done, Reward.objects.count()) == ("running", 2, 2)
    assert b"2 of 4 rows" in desk.get(url("catalogueupload_change", upload.pk)).content
    assert catalogue_upload_run(upload_id=upload.pk, now=timezone.now()).counts == {"new": 4}
    assert (len(calls), Reward.objects.count()) == (5, 4)


def test_a_file_is_decided_once(desk: Client) -> None:  # noqa: F811
    upload = send(desk, sheet(NEW))
    desk.post(url("catalogueupload_drop", upload.pk), CONFIRMED)
    desk.post(url("catalogueupload_confirm", upload.pk), CONFIRMED)
    assert catalogue_upload_run(upload_id=upload.pk, now=timezone.now()).status == "dropped"
    assert not Reward.objects.exists()
    assert not CatalogueRow.objects.exists()


def test_rows_of_old_files_are_forgotten(desk: Client) -> None:  # noqa: F811
    upload = send(desk, sheet(NEW))
    assert catalogue_uploads_forget(now=timezone.now() + timedelta(days=29)) == 0
    assert catalogue_uploads_forget(now=timezone.now() + timedelta(days=31)) == 1
    assert CatalogueUpload.objects.get() == upload


# --- Files that lie ------------------------------------------------------------------------------------

SVG = b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


def pictured(desk: Client, content: bytes) -> str:  # noqa: F811
    """Why the row is rejected whose picture.png is this."""
    files = {"gifts.csv": sheet(NEW | {"images": "picture.png"}), "picture.png": content}
    upload = send(desk, archive(**files), "gifts.zip")
    assert upload.counts == {"refused": 1}
    assert run(desk, upload) == {"refused": 1}
    assert not Reward.objects.exists()
    assert not Picture.objects.exists()
    return upload.rows.get().why


def test_a_script_named_png(desk: Client) -> None:  # noqa: F811
    assert "SVG is not accepted" in pictured(desk, SVG)


@pytest.mark.parametrize("tail", [b"<script>alert(1)</script>", b"<?php system($_GET[0]);", archive(x=b"1")])
def test_a_picture_that_is_something_else_too(desk: Client, tail: bytes) -> None:  # noqa: F811
    assert "holds something else" in pictured(desk, image_bytes() + tail)


def test_a_picture_that_is_not_there(desk: Client) -> None:  # noqa: F811
    upload = send(desk, sheet(NEW | {"images": "../../etc/passwd"}))
    assert "no picture ../../etc/passwd was uploaded" in upload.rows.get().why


def test_files_of_50_mb(desk: Client) -> None:  # noqa: F811
    big = bytes(range(256)) * (50 * 4096)
    assert "larger than 20 MB" in refusal(desk, b"code\n" + big)
    stored = io.BytesIO()
    with zipfile.ZipFile(stored, "w") as found:
        found.writestr("gifts.csv", sheet(NEW))
        found.writestr("big.png", big)
    assert "more than 10 MB: big.png" in refusal(desk, stored.getvalue(), "gifts.zip")


def bomb(size: int) -> bytes:
    return archive(**{"gifts.csv": sheet(NEW), "zeros.png": bytes(size)})


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (bomb(5 * 2**20), "far more than it seems: zeros.png"),
        (archive(**{"gifts.csv": b"code\n" + b"x," * 10**6}), "far more than it seems: gifts.csv"),
        (archive(**{f"{n}.png": b"" for n in range(1001)}), "more than 1,000 files"),
        (archive(**{"gifts.csv": b"code\n", "../../evil.png": b"1"}), "points out of it"),
        (archive(**{"gifts.csv": b"code\n", "..\\evil.png": b"1"}), "points out of it"),
        (archive(**{"gifts.csv": b"code\n", "/etc/evil.png": b"1"}), "points out of it"),
        (archive(**{"gifts.csv": b"code\n", "more.zip": archive(x=b"1")}), "another archive: more.zip"),
        (archive(**{"gifts.csv": archive(x=b"1")}), "another archive: gifts.csv"),
        (archive(**{"gifts.csv": b"code\n", "a/x.png": b"1", "b/X.png": b"1"}), "two files named x.png"),
        (archive(**{"x.png": b"1"}), "0 sheets"),
        (archive(**{"a.csv": b"code\n", "b.csv": b"code\n"}), "2 sheets"),
        (archive(**{"gifts.csv": sheet(NEW)})[:-30], "damaged"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_archives_that_lie(desk: Client, content: bytes, why: str) -> None:  # noqa: F811
    assert why in refusal(desk, content, "gifts.zip")


def test_a_nested_archive_named_as_a_picture(desk: Client) -> None:  # noqa: F811
    files = {"gifts.csv": sheet(NEW | {"images": "x.png"}), "x.png": archive(y=b"1")}
    assert "another archive: x.png" in refusal(desk, archive(**files), "gifts.zip")


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "empty"),
        (b"number;name\n1;x\n", "no column code"),
        (sheet(NEW | {"name_de": "x", "pionts": "1"}), "Nobody knows the column name_de, pionts"),
        (b"\xef\xbb\xbfcode\n\xff\xfe\n", "not text in UTF-8"),
        (b"\xff\xfec\x00o\x00d\x00e\x00\n\x00\x00\xd8", "not text in UTF-16"),
        (b"code\nA\x00B\n", "characters that no text has"),
        (workbook(NEW, **{"xl/vbaProject.bin": b"x"}), "holds macros"),
        (b"%PDF-1.7", "a PDF"),
    ],
)
def test_sheets_that_are_none(desk: Client, content: bytes, why: str) -> None:  # noqa: F811
    assert why in refusal(desk, content)


def test_formulas_of_a_file_stay_text(desk: Client) -> None:  # noqa: F811
    name = '=HYPERLINK("http://evil.example","x")'
    assert run(desk, send(desk, sheet(NEW | {"name_fr": name}))) == {"new": 1}
    assert RewardVersion.objects.get().name == {"fr": name}
    assert parsed(exported(desk))[0]["name_fr"] == f"'{name}"
    book = workbook(NEW | {"code": "GFT-2", "name_fr": "=1+1"})
    found = send(desk, book, "gifts.xlsx")
    # A formula of a workbook has the value that was last seen, here none; it is never computed.
    assert found.rows.get().cells["name_fr"] == ""


def test_looking_at_more_rows_asks_no_more(
    desk: Client,  # noqa: F811
    everything: list[Reward],
    programme: Programme,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What a first look asks the database is by piece of the file: new gifts, changed ones, categories, pictures."""
    monkeypatch.setattr(catalogue_uploads, "PIECE", 40)
    known = parsed(exported(desk))
    pictured = max(row["images"] for row in known).split(", ")[0]

    def look(new: int, changed: int) -> tuple[int, dict[str, int]]:
        rows = [
            NEW | {"code": f"N-{number}", "categories": "cards", "images": pictured, "alt_fr": "a"}
            for number in range(new)
        ]
        rows += [row | {"alt_fr": "x", "points": "1234", "stock": "7"} for row in known[:changed]]
        with statements() as sent:
            upload = catalogue_upload_create(
                programme=programme, file=io.BytesIO(sheet(*rows)), file_name="g.csv", now=NOW, by="ann"
            )
        return len(sent), upload.counts

    (few, counts), (more, _), (pieces, many) = look(1, 3), look(30, 3), look(117, 3)
    assert set(counts) <= {"new", "changed", "refused"}
    assert counts["new"] == 1
    assert more == few
    assert many["new"] == 117
    assert pieces - more <= 2 * 6, "a few for each piece of 40"
