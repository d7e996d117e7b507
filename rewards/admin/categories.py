"""The category tree."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from unfold.decorators import display

from config.kernel.admin import OwnFilter, found_or_404
from members.selectors import default_language
from rewards.admin.programmes import CatalogueAdmin, thumbnail
from rewards.forms import category_form
from rewards.models import Category
from rewards.services import category_create, category_update


@admin.register(Category)
class CategoryAdmin(CatalogueAdmin):
    list_display = ["image", "code", "called", "parent", "level", "position", "is_active", "programme"]
    list_display_links = ["code"]
    list_filter = [("programme", OwnFilter), "is_active", "level"]
    list_select_related = ["programme", "parent", "picture"]
    search_fields = ["code", "name"]
    actions = None

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        kwargs["form"] = category_form(found_or_404(self.programme_of(request, obj)), obj)
        form = super().get_form(request, obj, change, **kwargs)
        parent = form.base_fields["parent"]
        parent.queryset = Category.objects.filter(programme=form.programme, level__lt=3)
        return form

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        form = category_form(found_or_404(self.programme_of(request, obj)), obj)
        names = [name for name in form.base_fields if name.startswith("name_")]
        return [(None, {"fields": ["code", *names, "parent", ("position", "is_active"), "upload"]})]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return ["code"] if obj else []

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        said = {name: form.cleaned_data[name] for name in ("parent", "position", "is_active")}
        said |= {"name": form.texts("name"), "picture": form.picture or (obj.picture if change else None)}
        if change:
            category_update(category=obj, **said)
        else:
            obj.pk = category_create(programme=form.programme, code=obj.code, **said).pk
        obj.refresh_from_db()

    @display(description="")
    def image(self, row: Category) -> str:
        return thumbnail(row.picture)

    @display(description="Name")
    def called(self, row: Category) -> str:
        return row.name.get(default_language(row.programme)) or next(iter(row.name.values()), "")
