"""The back office of segments: criteria built and reviewed, refreshes asked for, pins, files of members."""

import io
import json
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import OperationalError
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.timezone import localtime

from config.kernel.errors import ValidationFailed
from members.models import Member, OutboxEvent, Programme
from members.services import staff_create
from segments import builder
from segments.admin import criteria as criteria_page
from segments.models import Membership, Pin, Refresh, Segment, Upload, UploadRow
from segments.services import (
    refresh_request,
    refresh_run,
    segment_update,
    upload_run,
    uploads,
    uploads_forget,
)
from tests.factories import ApiClient, MemberFactory, MembershipFactory, SegmentFactory
from tests.segments.test_refresh import SPENT, spend

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery 9"
CONFIRMED = {"_form_submitted": "on"}
BACKEND = "django.contrib.auth.backends.ModelBackend"


def staff(name: str, programme: Programme) -> Client:
    client = Client()
    client.force_login(staff_create(username=name, password=PASSWORD, programmes=[programme]), BACKEND)
    return client


@pytest.fixture
def desk(programme: Programme) -> Client:
    """Carol, staff of the programme."""
    return staff("carol", programme)


@pytest.fixture
def stranger(eve: ApiClient) -> Client:
    """Staff of another programme."""
    return staff("mallory", eve.partner.programme)


@pytest.fixture
def spenders(programme: Programme) -> Segment:
    return SegmentFactory(programme=programme, code="spenders", kind="dynamic", criteria=SPENT)


@pytest.fixture
def vip(programme: Programme) -> Segment:
    return SegmentFactory(programme=programme, code="vip")


def url(name: str, row: Any) -> str:
    return reverse(f"admin:segments_{name}", args=[row.pk])


def fields(draft: builder.Group, do: str) -> dict[str, Any]:
    """What a browser sends of the form."""
    sent: dict[str, Any] = {"do": do}

    def collect(group: builder.Group) -> None:
        sent[f"{group.path}.join"] = group.join
        sent[f"{group.path}.items"] = [str(index) for index in range(len(group.items))]
        for item in group.items:
            if isinstance(item, builder.Group):
                collect(item)
                continue
            for part in ("field", "op", "value", "name", "period", "days", "first_day", "last_day"):
                sent[f"{item.path}.{part}"] = getattr(item, part)

    collect(draft.numbered())
    return sent


TREES: list[dict[str, Any]] = [
    {"all": [SPENT]},
    {"any": [SPENT, {"not": {"any": [{"field": "tier", "op": "none"}]}}]},
    {"not": {"all": [{"field": "age", "op": "at_least", "value": 18}, SPENT]}},
    {"all": [{"field": "attribute", "op": "in", "name": "city", "value": ["Gent", "Brussel"]}]},
    {"all": [{"field": "status", "op": "in", "value": ["active", "closed"]}]},
    {"all": [SPENT | {"days": 5}, {"field": "enrolled", "op": "since", "value": "2026-01-01"}]},
    {
        "all": [
            {
                "field": "earned",
                "op": "less_than",
                "value": 5,
                "first_day": "2026-01-01",
                "last_day": "2026-02-01",
            }
        ]
    },
]


@pytest.mark.parametrize("tree", TREES)
def test_the_form_says_what_the_tree_says(tree: dict[str, Any]) -> None:
    assert builder.draft_of(tree).tree() == tree


def test_the_form_turns_other_trees_into_their_like() -> None:
    assert builder.draft_of(SPENT).tree() == {"all": [SPENT]}
    assert builder.draft_of({"not": SPENT}).tree() == {"not": {"any": [SPENT]}}
    assert builder.draft_of({"not": {"not": SPENT}}).tree() == {"any": [SPENT]}
    assert builder.draft_of(None).tree()["all"][0]["field"] == "spend"


@pytest.mark.parametrize("tree", TREES)
def test_criteria_are_counted_reviewed_and_saved(
    desk: Client, spenders: Segment, ada: Member, tree: dict[str, Any]
) -> None:
    page = url("criteria", spenders)
    draft = builder.draft_of(tree)
    counted = desk.post(page, fields(draft, "count"))
    assert counted.context["preview"].meant.count in {0, 1}
    review = desk.post(page, fields(draft, "review"))
    assert b"Save and refresh" in review.content
    assert Segment.objects.get().criteria == SPENT
    assert not Refresh.objects.exists()
    saved = desk.post(page, {"do": "save", "criteria": review.context["json"]})
    assert saved.url == url("segment_change", spenders)
    assert Segment.objects.get().criteria == tree
    assert Refresh.objects.get().asked_by == "carol"
    assert Segment.history.latest("history_id").history_user.get_username() == "carol"


def test_the_review_says_who_enters_and_leaves(
    desk: Client, spenders: Segment, ada: Member, bob: Member
) -> None:
    spend(bob, "300")
    MembershipFactory(segment=spenders, member=ada)
    review = desk.post(url("criteria", spenders), fields(builder.draft_of(SPENT), "review"))
    preview = review.context["preview"]
    assert [crowd.count for crowd in (preview.meant, preview.entering, preview.leaving)] == [1, 1, 1]
    assert ([*preview.entering.sample], [*preview.leaving.sample]) == ([bob], [ada])
    assert "spent more than 200 EUR in the last 90 days" in review.content.decode()


def test_rows_and_groups_come_and_go_without_a_script(desk: Client, spenders: Segment) -> None:
    page, draft = url("criteria", spenders), builder.draft_of({"all": [SPENT]})
    for action, shape in [
        ("add n", ["spend", "spend"]),
        ("group n", ["spend", "spend", ["spend"]]),
        ("add n-2", ["spend", "spend", ["spend", "spend"]]),
        ("remove n-0", ["spend", ["spend", "spend"]]),
        ("remove n-1", ["spend"]),
        ("remove n-7", ["spend"]),
    ]:
        answer = desk.post(page, fields(draft, action))
        draft = answer.context["draft"]
        assert shape_of(draft) == shape
        assert b"Add a condition" in answer.content
    assert Segment.objects.get().criteria == SPENT


def shape_of(group: builder.Group) -> list[Any]:
    return [shape_of(item) if isinstance(item, builder.Group) else item.field for item in group.items]


def test_what_is_wrong_stands_where_it_is(desk: Client, spenders: Segment) -> None:
    draft = builder.Group(items=[builder.Row(value="12"), builder.Group("any", [builder.Row(value="much")])])
    answer = desk.post(url("criteria", spenders), fields(draft, "review"))
    shown = answer.context["draft"]
    assert (shown.items[0].faults, len(shown.items[1].items[0].faults)) == ([], 1)
    assert answer.context["preview"] is None
    empty = desk.post(url("criteria", spenders), fields(builder.Group(), "count"))
    assert empty.context["draft"].faults
    forged = desk.post(url("criteria", spenders), {"do": "save", "criteria": '{"field": "x"}'})
    assert forged.status_code == 200
    assert Segment.objects.get().criteria == SPENT
    assert not Refresh.objects.exists()


def test_slow_counts_are_told(desk: Client, spenders: Segment, monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(*args: Any) -> None:
        raise OperationalError

    monkeypatch.setattr(criteria_page, "criteria_preview", slow)
    assert b"takes too long" in desk.get(url("criteria", spenders)).content


def test_a_new_dynamic_segment_leads_to_its_criteria(desk: Client, programme: Programme) -> None:
    sent = {"programme": programme.pk, "code": "new", "name": "New", "kind": "dynamic"}
    answer = desk.post(reverse("admin:segments_segment_add"), sent)
    segment = Segment.objects.get()
    assert answer.url == url("criteria", segment)
    assert desk.get(answer.url).status_code == 200
    shown = desk.get(url("segment_change", segment))
    assert b"No criteria yet" in shown.content


def test_the_page_shows_what_became_of_refreshes(desk: Client, spenders: Segment, ada: Member) -> None:
    spend(ada, "300")
    answer = desk.post(url("segment_refresh_now", spenders), CONFIRMED)
    assert answer.status_code == 302, answer.content
    waiting = desk.get(url("segment_change", spenders))
    assert b"data-pending" in waiting.content
    refresh_run(refresh_id=Refresh.objects.get().pk, now=timezone.now())
    refresh_run(refresh_id=refresh_request(segment=spenders, now=timezone.now()).pk, now=timezone.now())
    shown = desk.get(url("segment_change", spenders))
    assert b"data-pending" not in shown.content
    assert shown.context["size"] == 1
    assert json.loads(shown.context["chart"])["datasets"][0]["data"] == [1, 1]
    assert "carol" in shown.content.decode()
    by_its_clock = localtime(Refresh.objects.latest("pk").finished_at, ZoneInfo("Europe/Brussels"))
    assert f"{by_its_clock:%H:%M:%S}" in shown.content.decode()
    assert json.loads(shown.context["chart"])["labels"][-1] == f"{by_its_clock:%-d %b %H:%M}"


def test_pins_by_staff(desk: Client, spenders: Segment, vip: Segment, ada: Member) -> None:
    add = reverse("admin:segments_pin_add")
    assert (
        desk.post(add, {"segment": vip.pk, "member": ada.pk, "is_in": "on", "reason": "x"}).status_code == 200
    )
    assert not Pin.objects.exists()
    desk.post(add, {"segment": spenders.pk, "member": ada.pk, "is_in": "on", "reason": "Founder"})
    pin = Pin.objects.get()
    assert (pin.is_in, pin.source) == (True, "staff")
    assert Membership.objects.get().reason == "Founder"
    desk.post(url("pin_unpin", pin), CONFIRMED)
    assert not Pin.objects.exists()


def test_hand_edits_of_a_dynamic_segment_are_refused(desk: Client, spenders: Segment, ada: Member) -> None:
    sent = {"segment": spenders.pk, "member": ada.pk, "valid_from_0": "2026-01-01", "valid_from_1": "00:00"}
    desk.post(reverse("admin:segments_membership_add"), sent)
    assert not Membership.objects.exists()


def test_strangers_find_nothing(stranger: Client, desk: Client, spenders: Segment, vip: Segment) -> None:
    upload = send(desk, vip, b"member\n1\n")
    pages = [
        url("segment_change", spenders),
        url("criteria", spenders),
        url("upload_new", vip),
        url("upload_change", upload),
        url("upload_rejects", upload),
    ]
    refused = [stranger.get(page).status_code for page in pages]
    refused += [
        stranger.post(url("criteria", spenders), {"do": "save", "criteria": json.dumps(SPENT)}).status_code
    ]
    refused += [stranger.post(url("upload_confirm", upload), CONFIRMED).status_code]
    refused += [stranger.post(url("segment_refresh_now", spenders), CONFIRMED).status_code]
    assert set(refused) <= {302, 404}
    assert not Refresh.objects.exists()
    upload.refresh_from_db()
    assert upload.status == "preview"
    assert Client().get(url("criteria", spenders)).status_code == 302


# --- Files ----------------------------------------------------------------------------------------------


def send(desk: Client, segment: Segment, content: bytes, name: str = "vip.csv") -> Upload:
    answer = desk.post(url("upload_new", segment), {"file": SimpleUploadedFile(name, content)})
    assert answer.status_code == 302, answer.context["refusal"]
    return Upload.objects.latest("id")


FILE = """member;reason
10042;CRM
10043;
nobody;
../x;
10042;again
10099;
"""


def test_a_file_is_looked_at_confirmed_and_run(desk: Client, vip: Segment, ada: Member, bob: Member) -> None:
    MemberFactory(programme=vip.programme, number="10099", status="closed")
    MembershipFactory(segment=vip, member=bob)
    upload = send(desk, vip, FILE.encode("cp1252"))
    expected = {
        "added": 1,
        "unchanged": 1,
        "not_found": 1,
        "malformed": 1,
        "repeated": 1,
        "member_not_active": 1,
    }
    assert (upload.total, upload.counts, upload.uploaded_by) == (6, expected, "carol")
    assert Membership.objects.count() == 1
    assert b"Nothing has happened yet" in desk.get(url("upload_change", upload)).content
    assert desk.post(url("upload_confirm", upload), CONFIRMED).status_code == 302
    upload.refresh_from_db()
    assert upload.status == "waiting"
    done = upload_run(upload_id=upload.pk, now=timezone.now())
    assert (done.status, done.done, done.counts) == ("done", 6, expected)
    membership = Membership.objects.get(member=ada)
    assert (membership.reason, membership.source) == ("CRM", "import")
    rejects = b"".join(desk.get(url("upload_rejects", upload)).streaming_content).decode("utf-8-sig")
    assert rejects.splitlines() == [
        "row,member,reason,why",
        "4,nobody,,not_found",
        "5,../x,,malformed",
        "7,10099,,member_not_active",
    ]
    assert desk.get(url("upload_change", upload)).status_code == 200
    assert upload_run(upload_id=upload.pk, now=timezone.now()).done == 6


def test_a_workbook_is_as_good(desk: Client, vip: Segment, ada: Member) -> None:
    book, file = openpyxl.Workbook(), io.BytesIO()
    book.active.append(["Member"])
    book.active.append([10042])
    book.save(file)
    assert send(desk, vip, file.getvalue(), "vip.xlsx").counts == {"added": 1}


@pytest.mark.parametrize(
    ("content", "why"),
    [(b"number\n1\n", "no column member"), (b"%PDF-1.7", "PDF"), (b"member\n1\n2,3\n", "Row 3")],
)
def test_a_wrong_file_keeps_nothing(desk: Client, vip: Segment, content: bytes, why: str) -> None:
    answer = desk.post(url("upload_new", vip), {"file": SimpleUploadedFile("x.csv", content)})
    assert why in answer.context["refusal"]
    assert not Upload.objects.exists()
    assert not UploadRow.objects.exists()


def test_files_are_for_static_segments(desk: Client, spenders: Segment) -> None:
    answer = desk.post(url("upload_new", spenders), {"file": SimpleUploadedFile("x.csv", b"member\n1\n")})
    assert "pin" in answer.context["refusal"]
    assert not Upload.objects.exists()


def test_a_killed_job_goes_on_where_it_stopped(
    desk: Client, vip: Segment, monkeypatch: pytest.MonkeyPatch
) -> None:
    members = MemberFactory.create_batch(7, programme=vip.programme)
    upload = send(desk, vip, ("member\n" + "\n".join(member.number for member in members)).encode())
    desk.post(url("upload_confirm", upload), CONFIRMED)
    monkeypatch.setattr(uploads, "PIECE", 3)
    apply, pieces = uploads.memberships_apply, []

    def dies(**kwargs: Any) -> Any:
        pieces.append(len(kwargs["operations"]))
        if len(pieces) == 2:
            raise KeyboardInterrupt
        return apply(**kwargs)

    monkeypatch.setattr(uploads, "memberships_apply", dies)
    with pytest.raises(KeyboardInterrupt):
        upload_run(upload_id=upload.pk, now=timezone.now())
    upload.refresh_from_db()
    assert (upload.status, upload.done, Membership.objects.count()) == ("running", 3, 3)
    assert b"3 of 7 rows" in desk.get(url("upload_change", upload)).content
    upload_run(upload_id=upload.pk, now=timezone.now())
    assert pieces == [3, 3, 3, 1]
    assert Membership.objects.count() == OutboxEvent.objects.count() == 7


def test_a_file_is_decided_once(desk: Client, vip: Segment, ada: Member) -> None:
    upload = send(desk, vip, b"member\n10042\n")
    desk.post(url("upload_drop", upload), CONFIRMED)
    upload.refresh_from_db()
    assert (upload.status, upload.rows.count()) == ("dropped", 0)
    desk.post(url("upload_confirm", upload), CONFIRMED)
    assert upload_run(upload_id=upload.pk, now=timezone.now()).status == "dropped"
    assert not Membership.objects.exists()


def test_rows_of_old_files_are_forgotten(desk: Client, vip: Segment) -> None:
    upload = send(desk, vip, b"member\n1\n")
    assert uploads_forget(now=timezone.now() + timedelta(days=29)) == 0
    assert uploads_forget(now=timezone.now() + timedelta(days=31)) == 1
    assert Upload.objects.get() == upload


def test_what_members_read_of_a_segment(desk: Client, vip: Segment) -> None:
    page = url("segment_change", vip)
    languages = list(vip.programme.languages.values_list("code", flat=True))
    shown = desk.get(page).context["adminform"].form.fields
    assert [name for name in shown if name.startswith("description_")] == [
        f"description_{x}" for x in languages
    ]
    first = f"description_{languages[0]}"
    desk.post(page, {"name": "Very important", "is_shown_to_members": "on", first: "  You came first. "})
    vip.refresh_from_db()
    assert vip.name == "Very important"
    assert vip.descriptions == {languages[0]: "You came first."}
    desk.post(page, {"name": "Very important", "is_shown_to_members": "on", first: "You came first."})
    vip.refresh_from_db()
    assert vip.descriptions == {languages[0]: "You came first."}
    desk.post(page, {"name": "Very important", first: "", f"initial-{first}": "You came first."})
    vip.refresh_from_db()
    assert (vip.descriptions, vip.is_shown_to_members) == ({}, False)
    for texts in ("labels", "descriptions"):
        with pytest.raises(ValidationFailed):
            segment_update(
                segment=vip, name="x", is_shown_to_members=True, **{texts: {"xx": "Not spoken here"}}
            )


def test_a_page_opened_before_takes_no_text_back(desk: Client, vip: Segment) -> None:
    """Two write what members read, each in a language: as browsers send it, with what each page showed."""
    page = url("segment_change", vip)
    one, other = vip.programme.languages.values_list("code", flat=True)[:2]
    blank = {f"{initial}{text}_{x}": "" for initial in ("", "initial-") for text in ("label", "description")
             for x in (one, other)}  # fmt: skip
    desk.post(page, blank | {"name": vip.name, f"label_{one}": "Amis", f"description_{one}": "Bienvenue"})
    desk.post(page, blank | {"name": vip.name, f"label_{other}": "Vrienden"})
    vip.refresh_from_db()
    assert (vip.labels, vip.descriptions) == ({one: "Amis", other: "Vrienden"}, {one: "Bienvenue"})


def test_what_a_segment_is_called_for_members(desk: Client, vip: Segment) -> None:
    language = vip.programme.languages.values_list("code", flat=True)[0]
    field = f"label_{language}"
    assert field in desk.get(url("segment_change", vip)).context["adminform"].form.fields
    desk.post(url("segment_change", vip), {"name": "vip staff list", field: " Our best friends "})
    vip.refresh_from_db()
    assert (vip.name, vip.labels) == ("vip staff list", {language: "Our best friends"})
    answer = desk.post(url("segment_change", vip), {"name": "x", field: "x" * 201})
    assert field in answer.context["adminform"].form.errors
    emptied = {"name": "vip staff list", field: "", f"initial-{field}": "Our best friends"}
    desk.post(url("segment_change", vip), emptied)
    vip.refresh_from_db()
    assert vip.labels == {}
