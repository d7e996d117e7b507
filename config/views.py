"""Pages of the whole: the start page, what problems mean, and whether this instance can work."""

from typing import Any

from django.db import Error, connection
from django.http import HttpRequest, JsonResponse
from django.views.generic import TemplateView

from config import problems
from config.kernel import api


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


def healthz(request: HttpRequest) -> JsonResponse:
    """For load balancers: 200 while this instance reaches its database, else 503."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Error:
        return JsonResponse({"status": "no database"}, status=503)
    return JsonResponse({"status": "ok"})
