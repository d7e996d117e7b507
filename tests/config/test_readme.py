"""What the README promises to list, it lists; where it leads, there is something."""

import re
from pathlib import Path

from config.kernel.keys import KEY_LENGTHS

PROJECT = Path(__file__).parents[2]
README = (PROJECT / "README.md").read_text()


def test_every_variable_of_the_settings_is_listed() -> None:
    settings = (PROJECT / "config" / "settings.py").read_text()
    read = set(re.findall(r'(?:flag|env\.\w+)\(\s*"([A-Z_]+)"', settings))
    assert {"DEBUG", "API_RATE"} <= read
    assert {
        name
        for name in read | set(KEY_LENGTHS) | {"DATABASE_URL", "RISTOURNE_VAR"}
        if f"`{name}`" not in README
    } == set()


def test_links_lead_somewhere() -> None:
    links = re.findall(r"\]\(((?!https?:)[^)#]+)", README)
    assert links
    assert [link for link in links if not (PROJECT / link).exists()] == []
