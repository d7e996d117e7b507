"""The form of a category."""

from typing import Any

from members.models import Programme
from rewards.forms.fields import text_field, upload_field
from rewards.forms.texts import TextsForm, spoken
from rewards.models import Category


class CategoryForm(TextsForm):
    """A category."""

    class Meta:
        model = Category
        fields = ["code", "parent", "position", "is_active"]


def category_form(programme: Programme, category: Category | None) -> type[CategoryForm]:
    """The form for a category of a programme."""
    fields: dict[str, Any] = {
        f"name_{code}": text_field(f"Name ({name})", initial=category.name.get(code, "") if category else "")
        for code, name in spoken(programme)
    }
    fields["upload"] = upload_field("Another image" if category and category.picture_id else "Image")
    extra = {"programme": programme, "languages": spoken(programme)}
    return type("CategoryFormOfProgramme", (CategoryForm,), {**extra, **fields, "__module__": __name__})
