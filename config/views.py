"""Pages of the whole: the start page, what problems mean, what failed, and whether this instance can work."""

from typing import Any

from django.db import Error, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.csrf import csrf_failure
from django.views.generic import TemplateView

from config import problems
from config.kernel import api
from config.kernel.pages import PAGES


class IndexPage(TemplateView):
    """What this is and where to look."""

    template_name = "index.html"


class ProblemsPage(api.ProblemsPage):
    """What each problem code means, and what to do about it."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        for problem in context["problems"]:
            problem["advice"] = problems.ADVICE.get(problem["code"], "")
        return context


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Nothing at this address; members are told so on a page of theirs."""
    if not request.path_info.startswith(PAGES):
        return render(request, "404.html", status=404)
    session = getattr(request, "member_session", None)
    who = {"member": session.member, "programme": session.programme, "session": session} if session else {}
    return render(request, "my/failure.html", {"kind": "not_found", **who}, status=404)


def failed(request: HttpRequest) -> HttpResponse:
    """A defect of ours; asks nothing of the database, which may be what failed."""
    if not request.path_info.startswith(PAGES):
        return render(request, "500.html", status=500)
    return render(request, "my/failure.html", {"kind": "failed"}, status=500)


def form_refused(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form without the token of its page: made elsewhere, or of a page that was open for too long."""
    if not request.path_info.startswith(PAGES):
        return csrf_failure(request, reason)
    return render(request, "my/failure.html", {"kind": "form"}, status=403)


def healthz(request: HttpRequest) -> JsonResponse:
    """For load balancers: 200 while this instance reaches its database, else 503."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Error:
        return JsonResponse({"status": "no database"}, status=503)
    return JsonResponse({"status": "ok"})
