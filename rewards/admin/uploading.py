"""A page that takes one file."""

from collections.abc import Callable
from typing import Any

from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse

from config.kernel.admin import TenantAdmin
from config.kernel.errors import RistourneError


def file_page(
    page: TenantAdmin,
    request: HttpRequest,
    form_class: type[Form],
    title: str,
    take: Callable[[dict[str, Any]], str | None],
    back: str,
) -> HttpResponse:
    """Ask for a file and give what was sent to `take`, which tells the user what became of it or where to see it.

    A refusal stands at the field; without an address to go to, the way is `back`.
    """
    form = form_class(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        try:
            return redirect(take(form.cleaned_data) or back)
        except RistourneError as error:
            form.add_error("file", error.detail or error.title)
    context = {
        **page.admin_site.each_context(request),
        "title": title,
        "opts": page.opts,
        "media": page.media,
        "form": form,
        "back": back,
    }
    return TemplateResponse(request, "admin/rewards/upload.html", context)
