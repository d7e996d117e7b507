"""The back office: what all its pages share. Staff see the programmes they work for; services write."""

from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.contrib.admin import RelatedFieldListFilter
from django.core.exceptions import PermissionDenied
from django.db.models import ForeignKey, Model, QuerySet
from django.forms import ModelChoiceField
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import SimpleTemplateResponse, TemplateResponse
from django.urls import reverse
from django.utils import timezone
from unfold.admin import ModelAdmin
from unfold.forms import BaseDialogForm

from config.kernel.errors import RistourneError

Row = TypeVar("Row")


def asks(question: str) -> dict[str, Any]:
    """The dialog of an action: it asks first, and acts on POST only, out of reach of foreign links."""
    return {"title": question, "form_class": BaseDialogForm, "form_submit_text": "Yes"}


def go_to(request: HttpRequest, view: str, *args: object) -> HttpResponse:
    """Where an action leads; a dialog of htmx that followed a redirect by itself would eat the messages."""
    if request.headers.get("HX-Request"):
        return HttpResponse(headers={"HX-Redirect": reverse(view, args=args)})
    return redirect(view, *args)


def found_or_404(row: Row | None) -> Row:
    """The row; Http404 for none."""
    if row is None:
        raise Http404
    return row


def own(path: str, request: HttpRequest) -> dict[str, Any]:
    """The condition that rows are of programmes the user works for; `path` leads to the programme."""
    return {f"{path}__staff_memberships__user".removeprefix("__"): request.user}


def own_rows_of(model: type[Model], request: HttpRequest) -> dict[str, Any]:
    """The condition on rows of a model that a user may choose from; none for a superuser or what has no tenant."""
    fields = {field.name for field in model._meta.get_fields()}
    path = "" if "staff_memberships" in fields else "programme" if "programme" in fields else None
    return {} if path is None or request.user.is_superuser else own(path, request)


class OwnFilter(RelatedFieldListFilter):
    """A filter of a list by a related row, of those of one's own programmes; hidden when there is only one."""

    def field_choices(self, field: Any, request: HttpRequest, model_admin: Any) -> Any:
        choices = own_rows_of(field.related_model, request)
        ordering = self.field_admin_ordering(field, request, model_admin)
        return field.get_choices(include_blank=False, ordering=ordering, limit_choices_to=choices)


class TenantAdmin(ModelAdmin):
    """Rows of programmes. `programme_path` leads from a row to its programme ("" if it is one).

    Staff may see, add and change in their own programmes and delete nothing: rows end, they do not vanish.
    Subclasses write by overriding `create` and `change`.
    """

    programme_path = "programme"
    view_on_site = False
    keeps_history = True
    """Whether the page leads to what was saved in forms; one that tells its steps itself does not."""
    empty_says = ""
    """What the list says while it is empty: what would be in it, and how it gets there."""

    def create(self, request: HttpRequest, fields: dict[str, Any]) -> Model:
        """Call the service that makes such a row; returns the row."""
        raise NotImplementedError

    def change(self, request: HttpRequest, row: Any, fields: dict[str, Any]) -> None:
        """Call the service that changes the row; `fields` are those that differ."""
        raise NotImplementedError

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = super().get_queryset(request)
        return rows if request.user.is_superuser else rows.filter(**own(self.programme_path, request))

    def formfield_for_foreignkey(
        self, db_field: ForeignKey[Any, Any], request: HttpRequest, **kwargs: Any
    ) -> "ModelChoiceField[Any] | None":
        """Only rows of one's own programmes can be chosen."""
        related = db_field.related_model
        if condition := own_rows_of(related, request):
            kwargs["queryset"] = related._default_manager.filter(**condition)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def own_row(self, request: HttpRequest, object_id: str) -> Any:
        """The row an action is about; Http404 if it is not one of the user's programmes, or no id at all."""
        return found_or_404(self.get_object(request, object_id))

    def row_to_change(self, request: HttpRequest, object_id: str) -> Any:
        """The row that an action changes; Http404 as `own_row`, PermissionDenied for one that may not be changed."""
        row = self.own_row(request, object_id)
        if not self.has_change_permission(request, row):
            raise PermissionDenied
        return row

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        if not self.keeps_history:
            context["show_history"] = False
        return super().render_change_form(request, context, *args, **kwargs)

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """What was saved in forms, on the programme's clock."""
        place = self.own_row(request, object_id)
        for name in filter(None, self.programme_path.split("__")):
            place = getattr(place, name)
        with timezone.override(ZoneInfo(place.time_zone)):
            page = super().history_view(request, object_id, extra_context)
            return page.render() if isinstance(page, SimpleTemplateResponse) else page

    def has_module_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_active and request.user.is_staff)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_module_permission(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.has_module_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_module_permission(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Model, form: Any, change: bool) -> None:
        if change:
            self.change(request, obj, {name: form.cleaned_data[name] for name in form.changed_data})
        else:
            obj.pk = self.create(request, dict(form.cleaned_data)).pk
        obj.refresh_from_db()

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """A refusal of the service is told, and nothing is written."""
        try:
            return super().changeform_view(request, *args, **kwargs)
        except RistourneError as error:
            for text in [f"{field.pointer}: {field.detail}" for field in error.errors] or [error.detail]:
                self.message_user(request, text, messages.ERROR)
            return redirect(request.get_full_path())


class OfOneProgrammeAdmin(TenantAdmin):
    """Forms that speak of one programme, its clock and its languages: adding asks first which (`?programme=`)."""

    def own_programmes(self, request: HttpRequest) -> QuerySet[Any]:
        """The programmes the user works for."""
        raise NotImplementedError

    def programme_of(self, request: HttpRequest, row: Any = None) -> Any:
        """The row's programme, or the one asked for; the only one when the user has but one; else None."""
        if row is not None:
            return row.programme
        own = self.own_programmes(request)
        asked = request.GET.get("programme", "")
        if asked.isdecimal():
            return own.filter(pk=int(asked)).first()
        first = own[:2]
        return first[0] if len(first) == 1 else None

    def add_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if self.has_add_permission(request) and self.programme_of(request) is None:
            return self.choose_programme(request, f"Add {self.opts.verbose_name}: for which programme?")
        return super().add_view(request, *args, **kwargs)

    def choose_programme(self, request: HttpRequest, title: str) -> HttpResponse:
        """Ask which programme; the answer is the same page with `?programme=`."""
        context = {
            **self.admin_site.each_context(request),
            "title": title,
            "opts": self.opts,
            "media": self.media,
            "programmes": self.own_programmes(request),
        }
        return TemplateResponse(request, "admin/choose_programme.html", context)
