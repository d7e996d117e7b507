"""What the member's pages of every app stand on."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import NoReverseMatch
from django.utils import timezone
from django.views.generic import TemplateView

PAGES = "/my/"
"""Where the member's pages are."""
PROGRAMME_COOKIE = "programme"
"""The code of the programme this browser was last signed in to, so that it can be asked to sign in again."""


class MemberPage(TemplateView):
    """A page about the member who is signed in: `self.session`, `self.member`, `self.programme`, `self.now`.

    A stranger is sent to the sign-in page of the programme this browser knows, else told how to come in.
    """

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        self.session = getattr(request, "member_session", None)
        if self.session is None:
            return _ask_in(request)
        self.member, self.programme = self.session.member, self.session.programme
        self.now = timezone.now()
        return super().dispatch(request, *args, **kwargs)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(
            member=self.member, programme=self.programme, session=self.session, now=self.now, **kwargs
        )


def _ask_in(request: HttpRequest) -> HttpResponse:
    programme = request.COOKIES.get(PROGRAMME_COOKIE, "")
    if programme and request.method == "GET":
        try:
            return redirect("member-sign-in", programme)
        except NoReverseMatch:
            pass  # somebody else's cookie of that name
    return render(request, "members/stranger.html", status=401)
