"""What the member's pages of every app stand on."""

from functools import cached_property
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import NoReverseMatch
from django.utils import timezone
from django.views.generic import TemplateView
from django_htmx.http import HttpResponseClientRefresh

from config.kernel.errors import NotFound
from config.kernel.texts import chain_of

PAGES = "/my/"
"""Where the member's pages are."""
PROGRAMME_COOKIE = "programme"
"""The code of the programme this browser was last signed in to, so that it can be asked to sign in again."""


class MemberPage(TemplateView):
    """A page about the member who is signed in: `self.session`, `self.member`, `self.programme`, `self.now`.

    A stranger is sent to the sign-in page of the programme this browser knows, else told how to come in.
    `found_name` is the template of what filters and page turns change: where scripts run, htmx asks for that
    alone and puts it in the place of what is there; elsewhere the same links load the whole page.
    """

    found_name = ""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        session = getattr(request, "member_session", None)
        if session is None:
            # The part of a page has no room for another page: the browser asks for the whole one again.
            return HttpResponseClientRefresh() if request.htmx else _ask_in(request)  # type: ignore[attr-defined]
        self.session, self.member, self.programme = session, session.member, session.programme
        self.now = timezone.now()
        try:
            return super().dispatch(request, *args, **kwargs)
        except NotFound:
            raise Http404 from None  # also a member who was erased while the page was made

    @cached_property
    def languages(self) -> tuple[str, ...]:
        """The languages of the programme to look for a text in, the member's first."""
        return chain_of(self.member.language, self.session.spoken)

    def get_template_names(self) -> list[str]:
        is_part = self.found_name and self.request.htmx  # type: ignore[attr-defined]
        return [self.found_name] if is_part else super().get_template_names()

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
