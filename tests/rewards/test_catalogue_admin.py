"""The back office of the catalogue: gifts, the validation desk, previews and categories."""

import io
import zipfile
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from members.models import Programme
from rewards.models import Category, Picture, Reward, RewardVersion
from rewards.services import version_submit
from tests.loyalty.desks import CONFIRMED, desk, second, stranger  # noqa: F401
from tests.rewards.catalogue import NOW, category, gift, image_bytes, live_gift, revised

pytestmark = pytest.mark.django_db

FORM: dict[str, Any] = {
    "code": "GFT-9",
    "kind": "physical",
    "points": "700",
    "name_fr": "Tasse",
    "name_nl-BE": "Mok",
    "description_fr": "<p onclick='x()'>Bleue<script>alert(1)</script></p>",
    "stock": "5",
    "period": "month",
    "returns_points": "on",
    "returns_stock": "on",
}


def change(row: Any) -> str:
    return reverse(f"admin:rewards_{row._meta.model_name}_change", args=[row.pk])


def act(client: Client, row: Any, name: str, **fields: str) -> Any:
    """Answer an action's dialog."""
    model = row._meta.model_name
    return client.post(
        reverse(f"admin:rewards_{model}_{name}", args=[row.pk]), CONFIRMED | fields, follow=True
    )


def messages(answer: Any) -> list[str]:
    return [str(message) for message in answer.context["messages"]] if answer.context else []


def add(client: Client, **fields: Any) -> Any:
    return client.post(reverse("admin:rewards_reward_add"), FORM | fields, follow=True)


def test_a_gift_from_draft_to_live(desk: Client, second: Client, programme: Programme) -> None:  # noqa: F811
    category(programme)
    upload = SimpleUploadedFile("mug.txt", image_bytes(), "text/plain")
    answer = add(desk, categories="sweets", upload=upload, alt_new_fr="Une tasse")
    reward = Reward.objects.get(code="GFT-9")
    version = reward.versions.get()
    assert (version.name, version.description) == (
        {"fr": "Tasse", "nl-BE": "Mok"},
        {"fr": "<p>Bleue</p>"},
    )
    assert (reward.stock, version.pictures.get().alt) == (5, {"fr": "Une tasse"})
    assert "GFT-9" in desk.get(reverse("admin:rewards_reward_changelist")).content.decode()
    assert "Français 2/3" in desk.get(change(reward)).content.decode()
    act(desk, reward, "submit")
    version.refresh_from_db()
    assert version.state == "submitted"
    own = act(desk, version, "validate")
    assert any("does not validate it" in text for text in messages(own)), messages(own)
    version.refresh_from_db()
    assert version.state == "submitted"
    act(second, version, "validate", comment="Bien")
    version.refresh_from_db()
    assert (version.state, version.validated_by) == ("live", "staff:dave")
    assert answer.status_code == 200


def test_saving_makes_a_draft_beside_the_live_version(desk: Client, programme: Programme) -> None:  # noqa: F811
    reward = live_gift(programme, stock=5)
    fields = {**FORM, "points": "1300", "stock": "4", "stock_was": "5", "attributes": "{}"}
    fields |= {"name_fr": "Boîte de pralines", "name_nl-BE": "Doos pralines"}
    desk.post(change(reward), fields)
    reward.refresh_from_db()
    assert reward.stock == 4
    assert list(reward.versions.values_list("number", "state", "points")) == [
        (1, "live", 1200),
        (2, "draft", 1300),
    ]


def test_nothing_changed_makes_no_version(desk: Client, programme: Programme) -> None:  # noqa: F811
    reward = live_gift(programme)
    form = desk.get(change(reward)).context["adminform"].form
    fields = {name: form.initial.get(name, field.initial) for name, field in form.fields.items()}
    sent = {name: field.prepare_value(fields[name]) for name, field in form.fields.items()}
    desk.post(change(reward), {k: v for k, v in sent.items() if v not in (None, False)})
    assert reward.versions.count() == 1


def test_requesting_changes_needs_a_reason(second: Client, programme: Programme) -> None:  # noqa: F811
    reward = gift(programme)
    version = version_submit(version=reward.versions.get(), actor="staff:carol", now=NOW)
    act(second, version, "request_changes")
    version.refresh_from_db()
    assert version.state == "submitted"
    act(second, version, "request_changes", comment="Autre photo")
    version.refresh_from_db()
    assert version.state == "changes_requested"
    assert "Autre photo" in second.get(change(version)).content.decode()


def test_the_desk_shows_what_changes(second: Client, programme: Programme) -> None:  # noqa: F811
    reward = live_gift(programme)
    version = revised(reward, points=900, name={"fr": "Boîte de truffes", "nl-BE": "Doos pralines"})
    version_submit(version=version, actor="staff:carol", now=NOW)
    listed = second.get(reverse("admin:rewards_rewardversion_changelist")).content.decode()
    assert "GFT-1" in listed
    shown = second.get(change(version)).content.decode()
    assert "<del>pralines</del>" in shown
    assert "<ins>truffes</ins>" in shown
    assert "<ins>900</ins>" in shown


def test_many_validated_at_once(second: Client, programme: Programme) -> None:  # noqa: F811
    rows = [gift(programme, f"G-{number}").versions.get() for number in range(3)]
    for row, actor in zip(rows, ("staff:carol", "staff:dave", "staff:carol"), strict=True):
        version_submit(version=row, actor=actor, now=NOW)
    chosen = {"action": "validate_chosen", "_selected_action": [row.pk for row in rows]}
    second.post(reverse("admin:rewards_rewardversion_changelist"), chosen)
    states = list(RewardVersion.objects.order_by("reward__code").values_list("state", flat=True))
    assert states == ["live", "submitted", "live"]


def test_strangers_find_nothing(stranger: Client, programme: Programme) -> None:  # noqa: F811
    reward = live_gift(programme)
    version = reward.versions.get()
    preview = reverse("admin:rewards_reward_preview", args=[reward.pk, 1])
    for row in (reward, version, category(programme)):
        assert (
            "GFT-1"
            not in stranger.get(
                reverse(f"admin:rewards_{row._meta.model_name}_changelist") + "?waiting=all"
            ).content.decode()
        )
        assert stranger.get(change(row)).status_code in {302, 404}
    assert stranger.get(preview).status_code == 404
    act(stranger, reward, "pause")
    act(stranger, version, "withdraw")
    reward.refresh_from_db()
    assert reward.state == "active"
    assert add(stranger, code="GFT-9", categories="sweets").status_code == 200
    assert not Reward.objects.filter(programme=programme, code="GFT-9").exists()


def test_preview_in_each_language(desk: Client, programme: Programme) -> None:  # noqa: F811
    reward = gift(programme)
    preview = reverse("admin:rewards_reward_preview", args=[reward.pk, 1])
    assert "Boîte de pralines" in desk.get(preview).content.decode()
    dutch = desk.get(preview + "?lang=nl-BE").content.decode()
    assert "Doos pralines" in dutch
    assert "In another language" in dutch


def _polyglot() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("evil.html", "<p>hello</p>")
    return image_bytes() + file.getvalue()


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", "SVG is not accepted"),
        (b"<?xml version='1.0'?><svg/>", "SVG is not accepted"),
        (_polyglot(), "something else beside"),
        (image_bytes() + b"<script>alert(1)</script>", "something else beside"),
        (b"\x89PNG\r\n\x1a\n" + b"\x00" * 40, "no picture|damaged"),
        (image_bytes()[:400], "damaged"),
        (b"GIF89a" + b"\x00" * 20, "no picture"),
        (b"\x00" * (50 * 1024 * 1024), "larger than 10 MiB"),
        (image_bytes((9000, 9000)), "too many"),
    ],
    ids=["svg", "xml", "zip", "markup", "header", "cut", "gif", "50 MB", "bomb"],
)
def test_uploads_that_lie(desk: Client, programme: Programme, content: bytes, told: str) -> None:  # noqa: F811
    answer = add(desk, upload=SimpleUploadedFile("photo.png", content, "image/png"))
    text = answer.content.decode()
    assert any(part in text for part in told.split("|")), told
    assert not Reward.objects.filter(code="GFT-9").exists()
    assert not Picture.objects.exists()


def test_categories(desk: Client, programme: Programme) -> None:  # noqa: F811
    fields = {"code": "sweets", "name_fr": "Douceurs", "position": "1", "is_active": "on"}
    desk.post(reverse("admin:rewards_category_add"), fields)
    row = Category.objects.get()
    assert (row.name, row.programme) == ({"fr": "Douceurs"}, programme)
    upload = SimpleUploadedFile("x.png", image_bytes())
    desk.post(change(row), fields | {"name_nl-BE": "Zoet", "upload": upload})
    row.refresh_from_db()
    assert row.name == {"fr": "Douceurs", "nl-BE": "Zoet"}
    assert row.picture is not None
    refused = desk.post(change(row), fields | {"name_fr": ""}, follow=True)
    row.refresh_from_db()
    assert row.name["fr"] == "Douceurs"
    assert refused.status_code == 200
