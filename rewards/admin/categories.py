"""The category tree."""

from typing import Any

from django.contrib import admin
from django.db.models import Case, QuerySet, When
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.utils.html import format_html
from unfold.decorators import display

from config.kernel.admin import OwnFilter, found_or_404
from config.kernel.texts import name_for_staff
from rewards.admin.programmes import CatalogueAdmin, thumbnail
from rewards.admin.telling import spoken
from rewards.forms import category_form
from rewards.models import Category
from rewards.services import category_create, category_update


@admin.register(Category)
class CategoryAdmin(CatalogueAdmin):
    list_display = ["image", "called", "code", "place", "is_shown", "programme"]
    list_display_links = ["called"]
    list_filter = [("programme", OwnFilter), "is_active"]
    list_select_related = ["programme", "picture"]
    list_per_page = 200
    search_fields = ["code", "name"]
    search_help_text = "Code or name"
    sortable_by = ()
    actions = None
    empty_says = "Categories lead members to gifts: a tree of up to three levels, in your order."

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Any]":
        return super().get_queryset(request).prefetch_related("programme__languages")

    def get_ordering(self, request: HttpRequest) -> list[Any]:
        """Each category before what is below it, in the client's order."""
        keys = ("position", "code")
        first = [Coalesce(f"parent__parent__{key}", f"parent__{key}", key) for key in keys]
        # A category comes before its children, which have a place of their own one level down.
        middle = [Case(When(level=2, then=key), When(level=3, then=f"parent__{key}")) for key in keys]
        last = [Case(When(level=3, then=key)) for key in keys]
        return ["programme__code", *first, *(key.asc(nulls_first=True) for key in (*middle, *last))]

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        kwargs["form"] = category_form(found_or_404(self.programme_of(request, obj)), obj)
        form = super().get_form(request, obj, change, **kwargs)
        parent = form.base_fields["parent"]
        parent.label, parent.help_text = "Below", "Empty: on the first level."
        form.base_fields["position"].help_text = "The lowest comes first among those beside it."
        form.base_fields["is_active"].label = "Switched on"
        form.base_fields["is_active"].help_text = "Off: hidden with all that is below it."
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

    @display(description="Image")
    def image(self, row: Category) -> str:
        return thumbnail(row.picture)

    @display(description="Name")
    def called(self, row: Category) -> str:
        name = name_for_staff(row.name, spoken(row.programme))
        return format_html('<span class="tree-level-{}">{}</span>', row.level, name or row.code)

    @display(description="Position")
    def place(self, row: Category) -> int:
        return row.position

    @display(description="Switched on", boolean=True)
    def is_shown(self, row: Category) -> bool:
        return row.is_active
