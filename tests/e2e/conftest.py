"""A browser before a live server: Debian's Chromium, at desk and in hand, by day and by night.

Screenshots of every page that is looked at land in `var/screenshots`.
"""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test.utils import override_settings

pytest.importorskip("playwright", reason="`make e2e` installs what the browser tests need")

from playwright.sync_api import Page

from tests.e2e.looking import Look
from tests.e2e.members import choco_shop
from tests.factories import ApiClient
from tests.fixtures import ada, bob, nothing_remembered  # noqa: F401

SCREENS = {"desk": {"width": 1440, "height": 900}, "hand": {"width": 390, "height": 844}}
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

# Playwright runs its loop in the thread of the test; Django would take that for asynchronous code.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, Any]:
    assert CHROMIUM, "Install Chromium (Debian: apt-get install chromium)."
    # Chromium's sandbox needs a user of its own; as root it refuses to start with it.
    return {"executable_path": CHROMIUM, "args": ["--no-sandbox"] if os.geteuid() == 0 else []}


@pytest.fixture(
    params=[(screen, scheme) for screen in SCREENS for scheme in ("light", "dark")],
    ids=lambda value: "-".join(value),
)
def setting(request: pytest.FixtureRequest) -> tuple[str, str]:
    """On which screen, in which scheme."""
    return request.param


@pytest.fixture
def browser_context_args(setting: tuple[str, str], live_server: Any) -> dict[str, Any]:
    screen, scheme = setting
    return {
        "viewport": SCREENS[screen],
        "color_scheme": scheme,
        "locale": "en-GB",
        "base_url": live_server.url,
        "reduced_motion": "reduce",
    }


@pytest.fixture
def look(page: Page, setting: tuple[str, str], live_server: Any) -> Look:
    """Looks at the page: takes its picture and checks what must hold of every page."""
    return Look(page, live_server.url, "-".join(setting), Path(settings.VAR_DIR) / "screenshots")


@pytest.fixture
def shop(transactional_db: None) -> ApiClient:
    """The partner of the members' programme; modules with another shop have their own."""
    return choco_shop()


@pytest.fixture(autouse=True)
def media_root(tmp_path: Path) -> Iterator[None]:
    with override_settings(MEDIA_ROOT=tmp_path / "media"):
        yield
