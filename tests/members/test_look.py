"""A programme's colour and logo: chosen in the back office, shown on its members' pages and papers."""

import io
import re
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as project
from django.core.files.uploadedfile import SimpleUploadedFile
from django.forms.models import model_to_dict
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from hypothesis import example, given
from hypothesis import strategies as st
from PIL import Image

from config.kernel.colours import contrast
from members.look import DARK, LIGHT, stylesheet
from members.models import Programme
from members.services import programme_update
from tests.factories import ApiClient
from tests.rewards.catalogue import image_bytes

COLOURS = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}")


@pytest.fixture(autouse=True)
def media(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path


def save(client: Client, programme: Programme, **changes: Any) -> HttpResponse:
    """The form of the programme, as the page has it, with changes."""
    shown = {name: value for name, value in model_to_dict(programme).items() if value is not None}
    page = reverse("admin:members_programme_change", args=[programme.pk])
    return client.post(page, shown | changes, follow=True)


def logo_file(content: bytes, name: str = "logo.png") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content, content_type="image/png")


def sign_in_page(programme: Programme) -> str:
    return Client().get(reverse("member-sign-in", args=[programme.code])).content.decode()


# --- Colour ---------------------------------------------------------------------------------------------


def tokens(css: str) -> list[dict[str, str]]:
    """What the stylesheet says by day and by night."""
    return [dict(re.findall(r"--([\w-]+):(#[0-9a-f]{6});", part)) for part in css.splitlines()]


@given(COLOURS)
@example("#ffff00")
@example("#000000")
@example("#ffffff")
@example("#777777")
def test_whatever_staff_choose_can_be_read(colour: str) -> None:
    for said, papers in zip(tokens(stylesheet(colour)), (LIGHT, DARK), strict=True):
        for paper in (*papers, said["accent-soft"]):
            assert contrast(said["accent"], paper) >= 4.5
            assert contrast(said["accent-strong"], paper) >= 4.5
        assert contrast(said["on-accent"], said["accent"]) >= 4.5
        assert said["brand"] == colour


def test_the_papers_are_those_of_the_pages() -> None:
    css = (project.BASE_DIR / "static" / "css" / "site.css").read_text()
    for name, (by_day, by_night) in {"paper": (LIGHT[0], DARK[0]), "card": (LIGHT[1], DARK[1])}.items():
        assert re.findall(rf"--{name}: (#\w+);", css) == [by_day, by_night]


def test_a_colour_is_chosen_and_shown(desk: Client, programme: Programme) -> None:
    assert "look-" not in sign_in_page(programme)
    save(desk, programme, colour="#7B3F00")
    address = re.search(r'href="(/my/choco-club/look-\w+\.css)"', sign_in_page(programme))
    assert address
    sheet = Client().get(address[1])
    assert sheet.headers["Content-Type"] == "text/css; charset=utf-8"
    assert "immutable" in sheet.headers["Cache-Control"]
    assert "--brand:#7b3f00;" in sheet.content.decode()
    programme_update(programme=programme, colour="#123456")
    later = Client().get(address[1])
    assert "#123456" in later.content.decode()
    assert later.headers["Cache-Control"] == "no-cache"
    assert address[1] not in sign_in_page(programme)


@pytest.mark.parametrize(
    "colour", ["red", "#12345", "#1234567", "#12345g", "123456", "#123456;}*{", "#123456\n"]
)
def test_what_is_no_colour_is_refused(desk: Client, programme: Programme, colour: str) -> None:
    answer = save(desk, programme, colour=colour)
    programme.refresh_from_db()
    assert programme.colour == ("#123456" if colour == "#123456\n" else "")  # forms strip the end
    assert colour == "#123456\n" or "#rrggbb" in answer.content.decode()


def test_no_colour_no_stylesheet(programme: Programme) -> None:
    for code in ("choco-club", "nobody"):
        assert Client().get(reverse("member-look", args=[code, "abc"])).status_code == 404


# --- Logo -----------------------------------------------------------------------------------------------


def test_a_logo_is_made_anew_and_shown(desk: Client, programme: Programme) -> None:
    content = image_bytes((900, 300))
    save(desk, programme, logo_file=logo_file(content))
    programme.refresh_from_db()
    assert (programme.logo["width"], programme.logo["height"]) == (480, 160)
    page = sign_in_page(programme)
    address = re.search(r'src="(/my/logo/[^"]+)"', page)
    assert address
    assert f'alt="{programme.name}"' in page
    file = Client().get(address[1])
    made = b"".join(file.streaming_content)
    assert Image.open(io.BytesIO(made)).format == "WEBP"
    assert content not in made
    assert "immutable" in file.headers["Cache-Control"]

    save(desk, programme, without_logo="on")
    programme.refresh_from_db()
    assert programme.logo is None
    assert "/my/logo/" not in sign_in_page(programme)


@pytest.mark.parametrize(
    "content",
    [
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        b"GIF89a" + bytes(40),
        image_bytes() + b"<script>alert(1)</script>",
        image_bytes()[:200],
        b"no picture",
    ],
)
def test_a_logo_that_lies_is_refused_and_all_stays(
    desk: Client,
    programme: Programme,
    content: bytes,
) -> None:
    answer = save(desk, programme, name="Renamed", logo_file=logo_file(content))
    programme.refresh_from_db()
    assert programme.logo is None
    assert programme.name != "Renamed"
    assert "Renamed" in answer.content.decode()  # what was typed is still there
    assert re.search("SVG|no picture|something else|damaged", answer.content.decode())


# --- Whose ----------------------------------------------------------------------------------------------


def test_staff_of_another_programme_change_nothing(
    stranger: Client,
    eve: ApiClient,
    programme: Programme,
) -> None:
    save(stranger, programme, colour="#123456", logo_file=logo_file(image_bytes()))
    programme.refresh_from_db()
    assert (programme.colour, programme.logo) == ("", None)
    own = eve.partner.programme
    save(stranger, own, colour="#123456")
    own.refresh_from_db()
    assert own.colour == "#123456"
    assert "look-" not in sign_in_page(programme)


def test_names_of_logos_lead_nowhere_else() -> None:
    for name in ("../gifts/x.webp", "%2e%2e/settings.py", "a" * 64 + "-480.webp", "a" * 64 + "-480.webp/.."):
        assert Client().get(f"/my/logo/{name}").status_code == 404
