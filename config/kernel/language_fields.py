"""Fields of a form that ask for a text in each language of a programme."""

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from django import forms
from unfold.widgets import UnfoldAdminTextInputWidget

from config.kernel.texts import Texts


class Named(Protocol):
    """A language by its code and what it calls itself."""

    code: str
    name: str


def language_fields(
    prefix: str,
    languages: Iterable[Named],
    *,
    label: str,
    length: int | None = None,
    said: Texts | None = None,
    help_text: str = "",
    widget: forms.Widget | type[forms.Widget] = UnfoldAdminTextInputWidget,
    tells_changes: bool = False,
) -> dict[str, forms.CharField]:
    """A field `<prefix><code>` for each language; `said` is what is there already, `length` None unlimited.

    `tells_changes`: what was not typed over on the page is no change, whatever others wrote meanwhile.
    """
    return {
        f"{prefix}{language.code}": forms.CharField(
            label=f"{label}, {language.name}",
            required=False,
            max_length=length,
            initial=(said or {}).get(language.code, ""),
            help_text=help_text,
            widget=widget,
            show_hidden_initial=tells_changes,
        )
        for language in languages
    }


def typed(prefix: str, fields: Mapping[str, Any]) -> dict[str, str]:
    """What was typed, by language."""
    return {name.removeprefix(prefix): text for name, text in fields.items() if name.startswith(prefix)}
