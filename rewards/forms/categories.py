"""The form of a category."""

from typing import Any

from config.kernel.language_fields import language_fields
from members.models import Programme
from members.selectors import languages_of
from rewards.forms.fields import upload_field
from rewards.forms.texts import TextsForm
from rewards.models import Category


class CategoryForm(TextsForm):
    """A category."""

    class Meta:
        model = Category
        fields = ["code", "parent", "position", "is_active"]


def category_form(programme: Programme, category: Category | None) -> type[CategoryForm]:
    """The form for a category of a programme."""
    languages, names = languages_of(programme), category.name if category else {}
    fields: dict[str, Any] = {**language_fields("name_", languages, label="Name", said=names)}
    fields["upload"] = upload_field("Another image" if category and category.picture_id else "Image")
    extra = {"programme": programme, "languages": languages}
    return type("CategoryFormOfProgramme", (CategoryForm,), {**extra, **fields, "__module__": __name__})
