"""Every text of the member's pages comes in every language of ours."""

import ast
import gettext
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.template.loader import get_template
from django.test import Client
from django.utils.translation import templatize
from django.utils.translation.trans_real import DjangoTranslation

from config.kernel.catalogues import languages_written
from members.models import Member, Programme
from segments.models import Segment
from tests.factories import ApiClient
from tests.loyalty.worlds import adjust, earn, reverse
from tests.rewards.catalogue import live_gift
from tests.rewards.test_member_gifts import BEFORE
from tests.rewards.test_member_pages import browser_of

FOLDER = Path(settings.LOCALE_PATHS[0])
LANGUAGES = [code for code, _ in settings.LANGUAGES if code != "en"]
TEMPLATES = [
    path
    for folder in ("my", "members")
    for path in (Path(settings.BASE_DIR) / "templates" / folder).rglob("*.*")
]
SOURCES = [
    *(Path(settings.BASE_DIR) / "rewards" / name for name in ("labels.py", "paper.py")),
    *(Path(settings.BASE_DIR) / "rewards" / "pages").glob("*.py"),
    *(Path(settings.BASE_DIR) / "members" / name for name in ("forms.py", "views.py")),
]
_CALL = re.compile(r"""\b(?:gettext(?:_lazy)?|ngettext|_)\(\s*u?("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')""")


def catalogue(language: str) -> dict[Any, str]:
    """What is compiled, by msgid or (msgid, number of the plural)."""
    with (FOLDER / language / "LC_MESSAGES" / "django.mo").open("rb") as file:
        return gettext.GNUTranslations(file)._catalog  # type: ignore[attr-defined]


def messages() -> Iterator[str]:
    """Every text that a template or a source of the pages marks."""
    for path in TEMPLATES:
        yield from _marked(templatize(path.read_text()))
    for path in SOURCES:
        yield from _marked(path.read_text())


def _marked(source: str) -> Iterator[str]:
    return (ast.literal_eval(text) for text in _CALL.findall(source))


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_marked_text_is_translated(language: str) -> None:
    known, marked = catalogue(language), set(messages())
    assert len(marked) > 100
    assert {text for text in marked if not (known.get(text) or known.get((text, 0)))} == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_compiled_is_what_is_written(language: str) -> None:
    """`msgfmt -o django.mo django.po` was run."""
    written = (FOLDER / language / "LC_MESSAGES" / "django.po").read_text()
    texts = re.findall(r'^msgstr(?:\[\d\])? "((?:[^"\\]|\\.)*)"$', written, re.MULTILINE)
    said = {text.replace('\\"', '"') for text in texts if text}
    assert len(said) > 100
    assert "fuzzy" not in written
    assert said == set(catalogue(language).values()) - {catalogue(language)[""]}


def test_another_catalogue_is_another_language(tmp_path: Path) -> None:
    for name in ("de", "pt_BR", "tlh"):
        (tmp_path / name / "LC_MESSAGES").mkdir(parents=True)
        (tmp_path / name / "LC_MESSAGES" / "django.mo").touch()
    (tmp_path / "nl" / "LC_MESSAGES").mkdir(parents=True)
    named = [("en", "English"), ("de", "Deutsch"), ("pt-br", "Português Brasileiro"), ("tlh", "tlh")]
    assert languages_written(tmp_path) == named
    assert settings.LANGUAGES == [("en", "English"), ("fr", "Français"), ("nl", "Nederlands")]


def test_there_is_a_template_for_each_page() -> None:
    for path in TEMPLATES:
        assert get_template(str(path.relative_to(Path(settings.BASE_DIR) / "templates")))


@pytest.mark.django_db
@pytest.mark.parametrize("language", ["fr", "nl-BE"])
def test_no_page_asks_for_a_text_that_is_missing(
    till: ApiClient,
    club: Segment,
    ada: Member,
    programme: Programme,
    language: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    Member.objects.filter(pk=ada.pk).update(language=language)
    earn(till, "POS-1")
    reverse(till, "POS-1", "RET-1", lines=[{"line": "1", "quantity": "1"}])
    adjust(till, "10042", 2510, reference="CRM-1", expires_at="2026-12-24T00:00:00+01:00")
    live_gift(programme, "MUG", at=BEFORE)
    phone, missing = browser_of(till), set()

    def spy(name: str) -> None:
        genuine = getattr(DjangoTranslation, name)

        def asked(self: Any, text: str, *args: Any) -> str:
            if self.language() in LANGUAGES and text not in self._catalog and (text, 0) not in self._catalog:
                missing.add(text)
            return str(genuine(self, text, *args))

        monkeypatch.setattr(DjangoTranslation, name, asked)

    for name in ("gettext", "ngettext"):
        spy(name)
    for path in ("", "history", "purchases/POS-1", "gifts", "gifts/MUG", "segments", "profile"):
        answer = phone.get(f"/my/{path}")
        assert answer.status_code == 200
        assert f'<html lang="{language[:2]}"' in answer.content.decode()
    assert missing == set()


@pytest.mark.django_db
def test_strangers_are_spoken_to_in_their_browsers_language(programme: Programme) -> None:
    for language, words in (
        ("fr", "Consultez vos points"),
        ("nl-BE", "Bekijk uw punten"),
        ("de", "See your points"),
    ):
        page = Client(headers={"accept-language": language}).get("/my/choco-club/sign-in")
        assert words in page.content.decode()
